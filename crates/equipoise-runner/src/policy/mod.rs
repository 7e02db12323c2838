//! `equipoise policy`: measures alone and together on counterfactual twins.
//!
//! Every cell of the full factorial is played on every seed; a cell's result is a file of its own, so that a run that was cut
//! off goes on where it stopped. What is printed is synthetic, and says what it rests on.

mod cell;
mod file;
mod result;
mod words;

use crate::fault::{Fault, runtime};
use crate::progress::Progress;
use cell::{Cell, CellResult};
use clap::Subcommand;
use equipoise_core::{Observer, RunEvent, Seed};
use equipoise_store::{read_json, stage_key, write_json_atomic};
use file::Experiment;
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The version of what a cell computes; raise it when results move.
const CODE: &str = "policy 1";

/// Verbs about protective measures.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyVerb {
    /// Play every combination of a file's measures on paired worlds and say what each does alone and together
    Run {
        /// Policy experiment
        file: PathBuf,
        /// Play this many seeds instead of the file's
        #[arg(long, value_name = "N")]
        seeds: Option<u16>,
    },
    /// Check a file and list its cells, without any work
    Check {
        /// Policy experiment
        file: PathBuf,
    },
    /// Measure what one cell costs: processor seconds of the first of a seed and of a further one
    Time {
        /// Policy experiment
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
/// If the file, the world or the disk refuse.
pub(crate) fn dispatch(verb: &PolicyVerb, manner: Manner<'_>) -> Result<(), Fault> {
    match verb {
        PolicyVerb::Run { file, seeds } => {
            let mut experiment = file::load(file)?;
            if let Some(seeds) = seeds {
                experiment.file.experiment.seeds = (*seeds).max(3);
            }
            run(&experiment, manner)
        }
        PolicyVerb::Check { file } => {
            let experiment = file::load(file)?;
            let (cells, seeds) = (cells(&experiment).len(), experiment.file.experiment.seeds);
            words::say(&format!(
                "{}: {cells} cells on each of {seeds} seeds",
                experiment.file.experiment.name
            ));
            Ok(())
        }
        PolicyVerb::Time { file } => time(&file::load(file)?),
    }
}

/// The cells of a file: the full factorial, then the staggered cell if the file asks for it.
fn cells(experiment: &Experiment) -> Vec<Cell> {
    let all = (1_usize << experiment.file.measure.len()) - 1;
    let mut cells: Vec<Cell> = (0..=all).map(|on| Cell { on, gap_days: 0 }).collect();
    cells.extend(experiment.file.experiment.staggered_days.map(|gap_days| Cell { on: all, gap_days }));
    cells
}

fn seed_of(experiment: &Experiment, number: u16) -> Seed {
    Seed::root(experiment.file.experiment.seed).derive("policy-world", u64::from(number))
}

fn run(experiment: &Experiment, manner: Manner<'_>) -> Result<(), Fault> {
    let mut named = experiment.file.clone();
    // More seeds of the same question go on from fewer.
    named.experiment.seeds = 0;
    let key = stage_key("policy", CODE, &(&named, &experiment.world), &[]).map_err(runtime)?;
    let dir = manner.runs.join(format!("policy-{}-{}", experiment.file.experiment.name, &key[..12]));
    let (cells, seeds) = (cells(experiment), experiment.file.experiment.seeds);
    let progress = Progress::new(manner.quiet);
    let (what, done) = ("cells".to_owned(), AtomicU64::new(0));
    let total = u64::from(seeds) * cells.len() as u64;
    progress.on(&RunEvent::Started { what: what.clone(), total });
    let one = |number: u16| -> Result<Vec<CellResult>, Fault> {
        let path = |at: usize| dir.join("cells").join(format!("seed-{number:04}-cell-{at:03}.json"));
        let mut world = None;
        let mut results = Vec::with_capacity(cells.len());
        for (at, cell) in cells.iter().enumerate() {
            let result = if path(at).exists() {
                read_json(&path(at)).map_err(runtime)?
            } else {
                let seed = seed_of(experiment, number);
                let world = match &mut world {
                    Some(world) => world,
                    empty => empty.insert(cell::twin(experiment, seed)?),
                };
                let result = cell::play(experiment, world, *cell, false);
                write_json_atomic(&path(at), &result).map_err(runtime)?;
                result
            };
            results.push(result);
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            progress.on(&RunEvent::Progress { what: what.clone(), done });
        }
        Ok(results)
    };
    std::fs::create_dir_all(dir.join("cells")).map_err(runtime)?;
    let played: Result<Vec<Vec<CellResult>>, Fault> = (0..seeds).into_par_iter().map(one).collect();
    let played = played?;
    progress.on(&RunEvent::Finished { what });
    let report = result::Report::of(experiment, &cells, &played);
    write_json_atomic(&dir.join("result.json"), &report).map_err(runtime)?;
    if manner.json {
        words::say(&serde_json::to_string_pretty(&report).map_err(runtime)?);
    } else {
        words::print(experiment, &report);
        words::say(&format!("result: {}", dir.join("result.json").display()));
    }
    Ok(())
}

/// Times one seed's cells on one thread: the first with everything simulated, and further ones.
fn time(experiment: &Experiment) -> Result<(), Fault> {
    let seed = seed_of(experiment, 0);
    let all = (1_usize << experiment.file.measure.len()) - 1;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().map_err(runtime)?;
    pool.install(|| {
        let timed = |what: &str, work: &mut dyn FnMut()| {
            let before = crate::clock::processor_seconds();
            work();
            let spent = crate::clock::processor_seconds() - before;
            words::say(&format!("{what:<58} {spent:8.2} s of processor time"));
        };
        let mut world = None;
        timed("build the world and what no measure touches", &mut || {
            world = Some(cell::twin(experiment, seed));
        });
        let world = world.unwrap_or_else(|| cell::twin(experiment, seed))?;
        for (what, on, full) in [
            ("no measure, everything simulated (the first cell)", 0, true),
            ("all measures, everything simulated again", all, true),
            ("no measure, what couples accounts alone", 0, false),
            ("all measures, what couples accounts alone (a further cell)", all, false),
        ] {
            timed(what, &mut || _ = cell::play(experiment, &world, Cell { on, gap_days: 0 }, full));
        }
        Ok(())
    })
}
