//! `equipoise audit`: attacks on what an experiment would release, each beside what was claimed.
//!
//! Three kinds of file: `[audit]` (canaries, membership, facts, linkage, claim by claim), `[inversion]` (rows read back from updates)
//! and `[poisoning]` (platforms that do not follow the protocol). Every cell of every world is a file of its own, so that a run that was
//! cut off goes on where it stopped; results do not depend on threads. Attackers see what their seat sees, and what is attacked is
//! trained by the product's own trainers, sums and mechanisms on rows of simulated worlds.

mod canaries;
mod cell;
mod facts;
mod file;
mod inversion;
mod linking;
mod membership;
mod model;
mod poisoning;
pub(crate) mod result;
mod words;

use crate::fault::{Fault, runtime};
use crate::progress::Progress;
use crate::study::{Kind, Study};
use cell::CellResult;
use clap::Subcommand;
use equipoise_core::{Observer, RunEvent};
use equipoise_store::{read_json, stage_key, write_json_atomic};
use file::Target;
use rayon::prelude::*;
use result::{AuditReport, ClaimRow};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The version of what a cell computes; raise it when results move.
const CODE: &str = "audit 1";
/// Worlds that are in memory at the same time.
const WORLDS_AT_ONCE: usize = 2;

/// Verbs about attacks.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditVerb {
    /// Play every attack of a file on its worlds and say what it found beside what was claimed
    Run {
        /// Audit file
        file: PathBuf,
    },
    /// Check a file and list its cells, without any work
    Check {
        /// Audit file
        file: PathBuf,
    },
}

/// What every verb is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner<'a> {
    /// Print JSON.
    pub(crate) json: bool,
    /// Say nothing on the way.
    pub(crate) quiet: bool,
    /// Where results lie.
    pub(crate) runs: &'a Path,
}

/// Does what was asked.
///
/// # Errors
/// If the file, a world or the disk refuse.
pub(crate) fn dispatch(verb: &AuditVerb, manner: Manner<'_>) -> Result<(), Fault> {
    match verb {
        AuditVerb::Run { file } => {
            let (report, dir, hash) = play(file, &file::load(file)?, manner.quiet, manner.runs)?;
            if manner.json {
                words::say(&serde_json::to_string_pretty(&report).map_err(runtime)?);
            } else {
                words::print(&report);
                words::say(&format!("report: {}\nhash: {hash}", dir.join("report.html").display()));
            }
            Ok(())
        }
        AuditVerb::Check { file } => {
            let target = file::load(file)?;
            let claims = claims(&target)?;
            let about = &target.file.experiment;
            words::say(&format!(
                "{}: {} cells on each of {} worlds, on `{}`",
                about.name,
                cell::cells(&target).len(),
                about.worlds,
                target.plan.name
            ));
            for claim in claims.iter().filter_map(|row| row.claim.as_ref()) {
                words::say(&format!("  {claim}"));
            }
            Ok(())
        }
    }
}

/// The claims of a file with their ledgers; rows come with the cells.
fn claims(target: &Target) -> Result<Vec<ClaimRow>, Fault> {
    let promises = target.file.audit.iter().flat_map(|audit| &audit.claim);
    promises
        .map(|promise| {
            let recipe = model::Recipe::new(target, promise)?;
            let rounds = recipe.privacy.rounds;
            let step = rounds.div_ceil(12).max(1);
            let mut at: Vec<u32> = (1..=rounds).filter(|round| *round == 1 || round % step == 0).collect();
            if at.last() != Some(&rounds) {
                at.push(rounds);
            }
            let ledger = at.into_iter().filter_map(|round| Some((round, recipe.claim(round)?.epsilon)));
            Ok(ClaimRow {
                promise: promise.name.clone(),
                claim: recipe.claim(rounds),
                noise_share: promise.noise_share,
                ledger: ledger.collect(),
                rows: vec![],
            })
        })
        .collect()
}

/// A file that somebody else played.
#[derive(Debug)]
pub(crate) struct Again(Target);

impl Again {
    /// Reads and checks it.
    ///
    /// # Errors
    /// As the verb.
    pub(crate) fn load(file: &Path) -> Result<Self, Fault> {
        file::load(file).map(Self)
    }

    /// What it comes down to.
    pub(crate) fn study(&self) -> Result<Study, Fault> {
        study(&self.0)
    }

    /// Plays it; where its results lie.
    pub(crate) fn play(&self, file: &Path, quiet: bool, runs: &Path) -> Result<PathBuf, Fault> {
        play(file, &self.0, quiet, runs).map(|(_, dir, _)| dir)
    }
}

/// What a file comes down to.
fn study(target: &Target) -> Result<Study, Fault> {
    // More worlds of the same question go on from fewer.
    let (mut named, mut point) = (target.file.clone(), target.plan.first().clone());
    named.experiment.worlds = 0;
    point.experiment.seeds = 0;
    let id = stage_key("audit", CODE, &(&named, &point, &target.worlds[0]), &[]).map_err(runtime)?;
    let about = &target.file.experiment;
    Ok(Study {
        kind: Kind::Audit,
        id,
        name: about.name.clone(),
        question: about.question.clone(),
        seed: target.plan.first().experiment.seed,
        worlds: about.worlds,
        resolved: serde_json::json!({ "file": target.file, "experiment": target.plan.first(), "world": target.worlds[0].world }),
    })
}

/// What a file came to, where it lies, and its hash.
fn play(
    file: &Path,
    target: &Target,
    quiet: bool,
    runs: &Path,
) -> Result<(AuditReport, PathBuf, String), Fault> {
    let start = crate::clock::now();
    let study = study(target)?;
    let key = study.id[..12].to_owned();
    let dir = runs.join(format!("audit-{}-{key}", study.name));
    let cells = cell::cells(target);
    let claims = claims(target)?;
    let progress = Progress::new(quiet);
    let (what, done) = ("cells".to_owned(), AtomicU64::new(0));
    progress.on(&RunEvent::Started { what: what.clone(), total: (target.worlds.len() * cells.len()) as u64 });
    let one = |index: usize| -> Result<Vec<CellResult>, Fault> {
        let path = |at: usize| dir.join("cells").join(format!("world-{index:04}-cell-{at:03}.json"));
        let missing = (0..cells.len()).any(|at| !path(at).exists());
        let ground = if missing { Some(cell::ground(target, index)?) } else { None };
        let play = |(at, work): (usize, &cell::Work)| -> Result<CellResult, Fault> {
            let result = match (&ground, path(at).exists()) {
                (Some(ground), false) => {
                    let result = cell::play(target, ground, *work)?;
                    write_json_atomic(&path(at), &result).map_err(runtime)?;
                    result
                }
                _ => read_json(&path(at)).map_err(runtime)?,
            };
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            progress.on(&RunEvent::Progress { what: what.clone(), done });
            Ok(result)
        };
        cells.par_iter().enumerate().map(play).collect()
    };
    std::fs::create_dir_all(dir.join("cells")).map_err(runtime)?;
    let mut played = Vec::with_capacity(target.worlds.len());
    let worlds: Vec<usize> = (0..target.worlds.len()).collect();
    for group in worlds.chunks(WORLDS_AT_ONCE) {
        let some: Result<Vec<Vec<CellResult>>, Fault> = group.par_iter().map(|&index| one(index)).collect();
        played.extend(some?);
    }
    progress.on(&RunEvent::Finished { what });
    let report = AuditReport::of(target, key, claims, &cells, &played);
    write_json_atomic(&dir.join("result.json"), &report).map_err(runtime)?;
    crate::rundir::write_pages(&dir, &crate::report::render_audit(&report))?;
    let hash = crate::study::seal(&dir, file, study, start.elapsed().as_secs_f64())?;
    Ok((report, dir, hash))
}
