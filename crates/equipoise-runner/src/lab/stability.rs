//! `stability CLAIM`: does a published statement hold where our assumptions are others?
//!
//! The claim's experiment runs on worlds drawn around its own: every assumed parameter anywhere within a quarter of its value, all
//! at once, both generators. Each draw is an ordinary run in the store (`equipoise show stability-c2-007`), so an interrupted
//! command goes on where it stood and two of them share the draws. Below 80 % of worlds the statement is one about our
//! assumptions, and is labelled so. What is not promised: anything about worlds further away than a quarter, or about a model
//! of behaviour that both generators lack.

use super::Said;
use super::claims::{Answer, Claim, Stability, find};
use super::redo::redo;
use crate::exec::Context;
use crate::exec::claim::{claim, try_claim};
use crate::fault::{Fault, config, runtime};
use crate::plan::{Plan, Stage};
use crate::progress::Progress;
use crate::world::draw;
use equipoise_core::{Observer, RunEvent, Seed};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What was asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct StabilityArgs {
    /// Claim, for instance C1
    claim: String,
    /// The registry of claims
    #[arg(long, default_value = "experiments/claims.toml", value_name = "FILE")]
    claims: PathBuf,
    /// How many worlds to draw
    #[arg(long, default_value_t = 128, value_name = "N", value_parser = clap::value_parser!(u32).range(2..))]
    worlds: u32,
    /// Replace a value of the experiment, for instance experiment.seeds=3
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

/// One drawn world and its run.
struct Ready {
    plan: Plan,
    generator: &'static str,
    moved: usize,
}

pub(super) fn stability(args: &StabilityArgs, runs: &Path, quiet: bool) -> Result<Said, Fault> {
    let claim = find(&args.claims, &args.claim)?;
    let draws = plans(&claim, args, runs)?;
    let progress = Progress::new(quiet);
    let what = format!("worlds drawn for {}", claim.id);
    progress.on(&RunEvent::Started { what: what.clone(), total: draws.len() as u64 });
    let (mut metrics, mut computed, mut done) = (BTreeMap::new(), 0, 0);
    // What another command is at is waited for last.
    for wait in [false, true] {
        for (at, ready) in draws.iter().enumerate() {
            if metrics.contains_key(&at) {
                continue;
            }
            let Some((value, worked)) = run(&ready.plan, runs, wait)? else { continue };
            metrics.insert(at, value);
            computed += u32::from(worked);
            done += 1;
            progress.on(&RunEvent::Progress { what: what.clone(), done });
        }
    }
    progress.on(&RunEvent::Finished { what });
    let said = verdict(&claim, &draws, &metrics, computed, runs);
    let file = runs.join("stability").join(format!("{}.json", claim.id));
    equipoise_store::write_json_atomic(&file, &said.json).map_err(runtime)?;
    Ok(said)
}

/// All draws, planned and checked before the first one works.
fn plans(claim: &Claim, args: &StabilityArgs, runs: &Path) -> Result<Vec<Ready>, Fault> {
    let own = claim.load(&args.claims, &args.set, None)?;
    let seed = Seed::root(own.first().experiment.seed).derive("stability", 0);
    let worlds = draw(&own.world, args.worlds, seed)?;
    let dir = runs.join("stability").join(&claim.id);
    std::fs::create_dir_all(&dir)
        .map_err(|error| config(format!("{}: {error}; choose another place with --runs", dir.display())))?;
    let ready = |(at, world): (usize, crate::world::Drawn)| {
        let name = format!("stability-{}-{at:03}", claim.id.to_lowercase());
        let file = dir.join(format!("{at:03}.toml"));
        let text = toml::to_string_pretty(&world.spec).map_err(runtime)?;
        equipoise_store::write_atomic(&file, text.as_bytes()).map_err(runtime)?;
        let set = [args.set.clone(), vec![format!("experiment.name={name}")]].concat();
        let plan = Plan::new(&claim.load(&args.claims, &set, Some(&file))?)?;
        Ok(Ready { plan, generator: world.generator, moved: world.moved.len() })
    };
    worlds.into_iter().enumerate().map(ready).collect()
}

/// The metrics of a draw, and whether there was anything to compute; `None` while another command is at it.
fn run(plan: &Plan, runs: &Path, wait: bool) -> Result<Option<(Value, bool)>, Fault> {
    let silent = Progress::new(true);
    let context = Context::new(plan, runs, &silent);
    let name = format!("draw-{}", &plan.id[..12]);
    let held = if wait { Some(claim(&context.locks(), &name)?) } else { try_claim(&context.locks(), &name)? };
    let Some(_held) = held else { return Ok(None) };
    // The provenance is what a run writes last.
    let whole = context.run.join("provenance.json").is_file()
        && crate::rundir::read_plan(&context.run).is_ok_and(|written| written.id == plan.id);
    if whole {
        return Ok(Some((super::value(&context.run.join("metrics.json"))?, false)));
    }
    let metrics = redo(plan, runs, true)?;
    // A drawn world serves one draw, and 128 of them would fill a disk; it is made again if somebody asks.
    for unit in plan.units.iter().filter(|unit| unit.stage == Stage::World) {
        std::fs::remove_dir_all(context.dir(unit)).map_err(runtime)?;
    }
    Ok(Some((metrics, true)))
}

/// The share of worlds in which everything that the claim says holds, and each part of it by itself.
fn verdict(
    claim: &Claim,
    draws: &[Ready],
    metrics: &BTreeMap<usize, Value>,
    computed: u32,
    runs: &Path,
) -> Said {
    let answers: Vec<Vec<Answer>> = metrics.values().map(|metrics| claim.answers(metrics)).collect();
    let assessable = |answers: &[Answer]| answers.iter().all(|answer| answer.is.is_some());
    let holds = |answers: &[Answer]| answers.iter().all(|answer| answer.holds);
    let of = |generator: Option<&str>| {
        let pairs = answers.iter().zip(draws).filter(|(answers, draw)| {
            assessable(answers) && generator.is_none_or(|generator| draw.generator == generator)
        });
        let (mut held, mut all) = (0, 0);
        for (answers, _) in pairs {
            (held, all) = (held + u64::from(holds(answers)), all + 1);
        }
        Stability { held, of: all }
    };
    let all = of(None);
    let mut text = format!("{}: {}\n{}\n", claim.id, claim.says, all.words());
    for generator in ["a", "b"] {
        let _ = writeln!(text, "  generator {generator}: {}", of(Some(generator)).words());
    }
    let mut parts = Vec::new();
    for (at, first) in answers.first().map_or(&[][..], Vec::as_slice).iter().enumerate() {
        let mut values: Vec<f64> = answers.iter().filter_map(|answers| answers[at].is).collect();
        values.sort_by(f64::total_cmp);
        let held = answers.iter().filter(|answers| answers[at].holds).count();
        let spread = match (values.first(), values.last()) {
            (Some(low), Some(high)) => {
                format!(
                    "median {:.4}, from {low:.4} to {high:.4}",
                    f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2])
                )
            }
            _ => "no value in any world".to_owned(),
        };
        let _ = writeln!(text, "  {}: {held} of {}; {spread}", first.what, values.len());
        parts.push(json!({ "what": first.what, "held": held, "values": values }));
    }
    let without = answers.len() as u64 - all.of;
    if without > 0 {
        let _ = writeln!(text, "  not assessable in {without} worlds, which count neither way");
    }
    let moved: Vec<usize> = draws.iter().map(|draw| draw.moved).collect();
    let (fewest, most) = (moved.iter().min().unwrap_or(&0), moved.iter().max().unwrap_or(&0));
    let _ = writeln!(
        text,
        "{} worlds, {fewest} to {most} assumed parameters moved in each, by up to a quarter; {computed} computed now",
        draws.len()
    );
    let _ = writeln!(text, "keep it with the claim: stability = {{ held = {}, of = {} }}", all.held, all.of);
    let rows = draws.iter().zip(&answers).map(|(draw, answers)| {
        json!({ "run": crate::rundir::run_dir(runs, &draw.plan), "generator": draw.generator,
            "holds": assessable(answers).then(|| holds(answers)),
            "values": answers.iter().map(|answer| answer.is).collect::<Vec<_>>() })
    });
    let json = json!({ "claim": claim.id, "held": all.held, "of": all.of, "not-assessable": without,
        "assumption-driven": all.driven_by_assumptions(), "computed": computed, "parts": parts,
        "draws": rows.collect::<Vec<_>>() });
    Said::new(text, json)
}
