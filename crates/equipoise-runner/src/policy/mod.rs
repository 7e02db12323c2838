//! `equipoise policy`: measures alone and together on counterfactual twins.
//!
//! Every cell of the factorial, or of its half, is played on every seed at every value of the file's axis; a cell's result is a file
//! of its own, so that a run that was cut off goes on where it stopped, and cells that read the same are played once. What is
//! printed is synthetic, and says what it rests on.

mod axis;
mod cell;
mod detection;
mod file;
mod learner;
pub(crate) mod result;
pub(crate) mod row;
mod score;
pub(crate) mod uncertainty;
mod words;

use crate::fault::{Fault, runtime};
use crate::progress::Progress;
use crate::study::{Kind, Study};
use cell::{Cell, CellResult, Twin};
use clap::Subcommand;
use equipoise_core::{Observer, RunEvent, Seed};
use equipoise_policy::tandem::{half, jackknife};
use equipoise_store::{read_json, stage_key, write_json_atomic};
use file::{Experiment, Part};
use rayon::prelude::*;
use score::{Prepared, Recipe};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The version of what a cell computes; raise it when results move.
const CODE: &str = "policy 2";

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
            let (report, dir, hash) = play(file, &experiment, manner.quiet, manner.runs)?;
            if manner.json {
                words::say(&serde_json::to_string_pretty(&report).map_err(runtime)?);
            } else {
                words::print(&report);
                words::say(&format!("report: {}\nhash: {hash}", dir.join("report.html").display()));
            }
            Ok(())
        }
        PolicyVerb::Check { file } => {
            let experiment = file::load(file)?;
            let (cells, seeds) = (cells(&experiment).len(), experiment.file.experiment.seeds);
            let drawn = match (experiment.drawn.len(), &experiment.file.uncertainty) {
                (points, Some(section)) => {
                    format!(
                        "; none and all measures at {points} drawn points on each of {} seeds",
                        section.seeds
                    )
                }
                _ => String::new(),
            };
            words::say(&format!(
                "{}: {cells} cells on each of {seeds} seeds{drawn}",
                experiment.file.experiment.name
            ));
            Ok(())
        }
        PolicyVerb::Time { file } => time(&file::load(file)?),
    }
}

/// The cells of a file: at each value of its axis the factorial or its half, then the staggered cell if the file asks for it.
fn cells(experiment: &Experiment) -> Vec<Cell> {
    let about = &experiment.file.experiment;
    let all = (1_usize << experiment.file.measure.len()) - 1;
    let played: Vec<usize> = match about.fraction {
        Some(Part::Half) => half::cells(),
        None => (0..=all).collect(),
    };
    let at = |point: usize| {
        let cells = played.iter().map(move |on| Cell { point, on: *on, gap_days: 0 });
        cells.chain(about.staggered_days.map(|gap_days| Cell { point, on: all, gap_days }))
    };
    (0..experiment.points.len()).flat_map(at).collect()
}

/// For each cell the first one that reads the same.
fn first_alike(experiment: &Experiment, cells: &[Cell]) -> Vec<usize> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let of = |(at, cell): (usize, &Cell)| {
        *seen.entry(cell.address(&experiment.points[cell.point].file)).or_insert(at)
    };
    cells.iter().enumerate().map(of).collect()
}

fn seed_of(experiment: &Experiment, number: u16) -> Seed {
    Seed::root(experiment.file.experiment.seed).derive("policy-world", u64::from(number))
}

/// What one seed makes at most once, and only if somebody asks.
struct Ground<'a> {
    experiment: &'a Experiment,
    number: u16,
    world: Option<Twin>,
    /// Trained scores, by the address of their training.
    scores: BTreeMap<String, Prepared>,
}

impl Ground<'_> {
    fn play(&mut self, cell: Cell, full: bool) -> Result<CellResult, Fault> {
        let (experiment, seed) = (self.experiment, seed_of(self.experiment, self.number));
        let file = &experiment.points[cell.point].file;
        let recipe = experiment.recipes[cell.point].as_ref().filter(|_| cell.reviews(file));
        let address = recipe.map(Recipe::address);
        if let (Some(recipe), Some(address)) = (recipe, &address)
            && !self.scores.contains_key(address)
        {
            let prepared = score::prepare(recipe, self.number)?;
            self.scores.insert(address.clone(), prepared);
        }
        let world = match &mut self.world {
            Some(world) => world,
            empty => empty.insert(cell::twin(&experiment.world, seed)?),
        };
        let prepared = address.as_ref().and_then(|address| self.scores.get(address));
        cell::play(file, &experiment.world, world, cell, recipe.zip(prepared), full)
    }
}

/// Reads a result, or plays it and writes it down.
fn kept<T: serde::Serialize + serde::de::DeserializeOwned>(
    path: &Path,
    play: impl FnOnce() -> Result<T, Fault>,
) -> Result<T, Fault> {
    if path.exists() {
        return read_json(path).map_err(runtime);
    }
    let result = play()?;
    write_json_atomic(path, &result).map_err(runtime)?;
    Ok(result)
}

/// A file that somebody else played, on as many worlds as they or as it says.
#[derive(Debug)]
pub(crate) struct Again(Experiment);

impl Again {
    /// Reads and checks it.
    ///
    /// # Errors
    /// As the verb.
    pub(crate) fn load(file: &Path, worlds: Option<u32>) -> Result<Self, Fault> {
        let mut experiment = file::load(file)?;
        if let Some(worlds) = worlds {
            experiment.file.experiment.seeds = u16::try_from(worlds).unwrap_or(u16::MAX);
        }
        Ok(Self(experiment))
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
fn study(experiment: &Experiment) -> Result<Study, Fault> {
    let mut named = experiment.file.clone();
    // More seeds of the same question go on from fewer.
    named.experiment.seeds = 0;
    let scores: Vec<Option<String>> =
        experiment.recipes.iter().map(|recipe| recipe.as_ref().map(Recipe::address)).collect();
    let id = stage_key("policy", CODE, &(&named, &experiment.world, &scores), &[]).map_err(runtime)?;
    let about = &experiment.file.experiment;
    Ok(Study {
        kind: Kind::Policy,
        id,
        name: about.name.clone(),
        question: about.question.clone(),
        seed: about.seed,
        worlds: u32::from(about.seeds),
        resolved: serde_json::json!({ "file": experiment.file, "world": experiment.world, "scores": scores }),
    })
}

/// What a file came to, where it lies, and its hash.
fn play(
    file: &Path,
    experiment: &Experiment,
    quiet: bool,
    runs: &Path,
) -> Result<(result::Report, PathBuf, String), Fault> {
    let start = crate::clock::now();
    let study = study(experiment)?;
    let key = study.id[..12].to_owned();
    let dir = runs.join(format!("policy-{}-{key}", study.name));
    let (cells, seeds) = (cells(experiment), experiment.file.experiment.seeds);
    let alike = first_alike(experiment, &cells);
    let played_cells = alike.iter().enumerate().filter(|(at, first)| at == *first).count();
    let drawn = experiment.drawn.len() as u64
        * u64::from(experiment.file.uncertainty.as_ref().map_or(0, |section| section.seeds));
    let progress = Progress::new(quiet);
    let (what, done) = ("cells".to_owned(), AtomicU64::new(0));
    let total = u64::from(seeds) * played_cells as u64 + 2 * drawn;
    progress.on(&RunEvent::Started { what: what.clone(), total });
    let tick = |cells: u64| {
        let done = done.fetch_add(cells, Ordering::Relaxed) + cells;
        progress.on(&RunEvent::Progress { what: what.clone(), done });
    };
    let one = |number: u16| -> Result<Vec<CellResult>, Fault> {
        let path = |at: usize| dir.join("cells").join(format!("seed-{number:04}-cell-{at:03}.json"));
        let mut ground = Ground { experiment, number, world: None, scores: BTreeMap::new() };
        let mut results: Vec<CellResult> = Vec::with_capacity(cells.len());
        for (at, (cell, first)) in cells.iter().zip(&alike).enumerate() {
            if *first < at {
                results.push(results[*first].clone());
                continue;
            }
            results.push(kept(&path(at), || ground.play(*cell, false))?);
            tick(1);
        }
        Ok(results)
    };
    std::fs::create_dir_all(dir.join("cells")).map_err(runtime)?;
    let played: Result<Vec<Vec<CellResult>>, Fault> = (0..seeds).into_par_iter().map(one).collect();
    let played = played?;
    let uncertainty = spread(experiment, &dir, (&cells[..], &played[..]), &|| tick(2))?;
    progress.on(&RunEvent::Finished { what: what.clone() });
    let report = result::Report::of(experiment, key, &cells, &played, uncertainty);
    write_json_atomic(&dir.join("result.json"), &report).map_err(runtime)?;
    crate::rundir::write_pages(&dir, &crate::report::render_policy(&report))?;
    let hash = crate::study::seal(&dir, file, study, start.elapsed().as_secs_f64())?;
    Ok((report, dir, hash))
}

/// Outcomes of none and of all measures at one drawn point on one seed: what a point's file holds.
type Ends = (Vec<f64>, Vec<f64>);

/// Plays none and all measures at every drawn point; none where nothing is drawn.
fn spread(
    experiment: &Experiment,
    dir: &Path,
    (cells, played): (&[Cell], &[Vec<CellResult>]),
    tick: &(dyn Fn() + Sync),
) -> Result<Option<uncertainty::Spread>, Fault> {
    let Some(section) = &experiment.file.uncertainty else { return Ok(None) };
    let all = (1_usize << experiment.file.measure.len()) - 1;
    let values =
        |result: &CellResult| -> Vec<f64> { result::OUTCOMES.iter().map(|(_, of)| of(result)).collect() };
    let jobs: Vec<(usize, u16)> = (0..experiment.drawn.len())
        .flat_map(|point| (0..section.seeds).map(move |seed| (point, seed)))
        .collect();
    let one = |(point, number): (usize, u16)| -> Result<Ends, Fault> {
        let path = dir.join("cells").join(format!("point-{point:04}-seed-{number:04}.json"));
        let ends = kept(&path, || {
            let file = &experiment.drawn[point].file;
            let world = file::world_of(file, &experiment.world).map_err(Fault::Config)?;
            let twin = cell::twin(&world, seed_of(experiment, number))?;
            let play = |on: usize| {
                let cell = Cell { point: 0, on, gap_days: 0 };
                cell::play(file, &world, &twin, cell, None, false).map(|result| values(&result))
            };
            Ok((play(0)?, play(all)?))
        })?;
        tick();
        Ok(ends)
    };
    let ends: Result<Vec<Ends>, Fault> = jobs.into_par_iter().map(one).collect();
    let ends = ends?;
    let place = |on: usize| cells.iter().position(|cell| cell.on == on && cell.gap_days == 0).unwrap_or(0);
    let outcome = |(at, (name, of)): (usize, &result::Outcome)| {
        let by_point: Vec<Ends> = ends
            .chunks(usize::from(section.seeds))
            .map(|seeds| {
                (seeds.iter().map(|one| one.0[at]).collect(), seeds.iter().map(|one| one.1[at]).collect())
            })
            .collect();
        let own = [place(0), place(all)].map(|cell| result::column(played, cell, of));
        let prevented = |of: &[Vec<f64>]| jackknife(of, &|m| (m[0] > 0.0).then(|| 1.0 - m[1] / m[0]));
        let shared = own.clone().map(|row| row[..usize::from(section.seeds)].to_vec());
        let at_the_file = [prevented(&own), prevented(&shared)];
        ((*name).to_owned(), uncertainty::spread(section, &experiment.drawn, &by_point, at_the_file))
    };
    Ok(Some(uncertainty::Spread {
        points: experiment.drawn.len(),
        seeds: section.seeds,
        outcomes: result::OUTCOMES.iter().enumerate().map(outcome).collect(),
    }))
}

/// Times one seed's cells on one thread: the first with everything simulated, and further ones.
fn time(experiment: &Experiment) -> Result<(), Fault> {
    let seed = seed_of(experiment, 0);
    let all = (1_usize << experiment.file.measure.len()) - 1;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().map_err(runtime)?;
    pool.install(|| {
        let timed = |what: &str, work: &mut dyn FnMut() -> Result<(), Fault>| {
            let before = crate::clock::processor_seconds();
            let result = work();
            let spent = crate::clock::processor_seconds() - before;
            words::say(&format!("{what:<58} {spent:8.2} s of processor time"));
            result
        };
        let mut ground = Ground { experiment, number: 0, world: None, scores: BTreeMap::new() };
        timed("build the world and what no measure touches", &mut || {
            ground.world = Some(cell::twin(&experiment.world, seed)?);
            Ok(())
        })?;
        for (what, on, full) in [
            ("no measure, everything simulated (the first cell)", 0, true),
            ("all measures, everything simulated again", all, true),
            ("no measure, what couples accounts alone", 0, false),
            ("all measures, what couples accounts alone (a further cell)", all, false),
        ] {
            timed(what, &mut || ground.play(Cell { point: 0, on, gap_days: 0 }, full).map(|_| ()))?;
        }
        Ok(())
    })
}
