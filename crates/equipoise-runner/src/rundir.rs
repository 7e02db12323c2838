//! The run directory: where everything of a run lies, what its hash covers, and how runs are found again.

use crate::clock::Measured;
use crate::fault::{Fault, config, runtime};
use crate::plan::Plan;
use crate::report::Rendered;
use crate::report::data::ReportData;
use equipoise_store::dataset::{read_sums, sum_file};
use equipoise_store::{digest_files, read_json, write_atomic, write_json_atomic, write_sha256sums};
use std::path::{Path, PathBuf};

/// What stands outside the hash: clocks, hosts, and what is only on the way.
pub const OUTSIDE_HASH: [&str; 8] = [
    "provenance.json",
    "log.jsonl",
    "timings.json",
    "timings.html",
    "checkpoints",
    "done",
    "SHA256SUMS",
    "plan.json",
];

/// `runs/<name>-<first six digits of the plan's id>`.
#[must_use]
pub fn run_dir(runs: &Path, plan: &Plan) -> PathBuf {
    runs.join(format!("{}-{}", plan.name, &plan.id[..6]))
}

/// Makes the run directory and freezes the plan in it. Nothing else was written before this succeeds.
///
/// # Errors
/// If the directory cannot be made or written: known before work, so a [`Fault::Config`].
pub fn open(dir: &Path, plan: &Plan) -> Result<(), Fault> {
    std::fs::create_dir_all(dir).map_err(|error| {
        config(format!(
            "{}: the run directory cannot be made ({error}); choose another place with --runs",
            dir.display()
        ))
    })?;
    let unwritable = |error: equipoise_store::StoreError| {
        config(format!("{error}\n  mend: free space or choose another place with --runs"))
    };
    write_json_atomic(&dir.join("plan.json"), plan).map_err(unwritable)?;
    write_atomic(&dir.join("experiment.toml"), plan.text.as_bytes()).map_err(unwritable)?;
    for (index, point) in plan.points.iter().enumerate() {
        let name = if plan.points.len() == 1 {
            "resolved.toml".to_owned()
        } else {
            format!("resolved-{index}.toml")
        };
        let text = toml::to_string_pretty(point).map_err(runtime)?;
        write_atomic(&dir.join(name), text.as_bytes()).map_err(unwritable)?;
    }
    Ok(())
}

/// Reads a frozen plan back.
///
/// # Errors
/// If the file is missing or is not a plan.
pub fn read_plan(path: &Path) -> Result<Plan, Fault> {
    let path = if path.is_dir() { path.join("plan.json") } else { path.to_owned() };
    read_json(&path)
        .map_err(|error| config(format!("{error}\n  mend: make the plan with `equipoise plan FILE`")))
}

/// Writes everything that is drawn from the report's data.
///
/// # Errors
/// If the disk does not take it.
pub fn write_report(dir: &Path, data: &ReportData, rendered: &Rendered) -> Result<(), Fault> {
    write_json_atomic(&dir.join("metrics.json"), data).map_err(runtime)?;
    write_pages(dir, rendered)
}

/// Writes the texts of a report.
///
/// # Errors
/// If the disk does not take them.
pub(crate) fn write_pages(dir: &Path, rendered: &Rendered) -> Result<(), Fault> {
    for sub in ["figures", "tables"] {
        let sub = dir.join(sub);
        std::fs::create_dir_all(&sub).map_err(|error| {
            Fault::Runtime(format!("{}: {error}; free space and run again", sub.display()))
        })?;
    }
    let put = |folder: &str, name: &str, text: &str| {
        write_atomic(&dir.join(folder).join(name), text.as_bytes()).map_err(runtime)
    };
    for (name, text) in rendered.figures.iter().chain(&rendered.figure_data).chain(&rendered.vega) {
        put("figures", name, text)?;
    }
    for (name, text) in &rendered.tables {
        put("tables", name, text)?;
    }
    put(".", "report.md", &rendered.markdown)?;
    put(".", "report.html", &rendered.html)
}

/// Adds the ledger, the measured times, the checksums; gives the run's hash.
///
/// # Errors
/// If the disk does not take it.
pub fn seal(dir: &Path, data: &ReportData, measured: &Measured) -> Result<String, Fault> {
    write_json_atomic(&dir.join("ledger.json"), &data.ledger).map_err(runtime)?;
    let timings = dir.join("timings.json");
    // A resumed run keeps what was measured before it was interrupted.
    let mut all: Measured = read_json(&timings).unwrap_or_default();
    for (unit, seats) in &measured.seats {
        all.seats.insert(unit.clone(), seats.clone());
    }
    for (stage, seconds) in &measured.stages {
        *all.stages.entry(*stage).or_default() += seconds;
    }
    write_json_atomic(&timings, &all).map_err(runtime)?;
    write_sha256sums(dir, &OUTSIDE_HASH).map_err(runtime)?;
    digest_files(dir, &OUTSIDE_HASH).map_err(runtime)
}

/// What [`write_report`] draws; everything else of a run is measured.
const DRAWN: [&str; 4] = ["report.html", "report.md", "figures/", "tables/"];

/// Checks that what was measured lies there as it was sealed; what is drawn from it may be lost or old.
///
/// # Errors
/// If the run was never sealed, or a file that is not drawn differs or is missing: a [`Fault::Config`] that names it.
pub fn check_measured(dir: &Path) -> Result<(), Fault> {
    let sums = read_sums(dir).map_err(|error| {
        config(format!("{error}\n  mend: `equipoise run` finishes and seals the run first"))
    })?;
    for (recorded, name) in sums.iter().filter(|(_, name)| !DRAWN.iter().any(|drawn| name.starts_with(drawn)))
    {
        if sum_file(dir, name).ok().is_none_or(|sum| sum.sha256 != *recorded) {
            return Err(config(format!(
                "{}: is not what was sealed (SHA256SUMS)\n  mend: remove {} and run again; what is missing is computed anew",
                dir.join(name).display(),
                unit_of(dir, name).display()
            )));
        }
    }
    Ok(())
}

/// What must be removed for `name` to be made anew: the unit that it belongs to, or the file itself.
fn unit_of(dir: &Path, name: &str) -> PathBuf {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["units", unit, ..] => dir.join("units").join(unit),
        _ => dir.join(name),
    }
}

/// Draws the report of a run again from what was measured; gives what it shows and the run's hash.
///
/// # Errors
/// As [`check_measured`], if the run's metrics cannot be read, or if the disk does not take the report.
pub fn redraw(dir: &Path) -> Result<(ReportData, String), Fault> {
    check_measured(dir)?;
    let data: ReportData = read_json(&dir.join("metrics.json")).map_err(|error| {
        config(format!("{error}\n  mend: name a run directory that `equipoise ls` shows as reported"))
    })?;
    write_report(dir, &data, &crate::report::render(&data))?;
    write_sha256sums(dir, &OUTSIDE_HASH).map_err(runtime)?;
    let hash = hash(dir)?;
    Ok((data, hash))
}

/// The hash of a run as it lies on disk.
///
/// # Errors
/// If it cannot be read.
pub fn hash(dir: &Path) -> Result<String, Fault> {
    digest_files(dir, &OUTSIDE_HASH).map_err(runtime)
}

/// A run found below `runs`.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Found {
    /// Directory.
    pub path: PathBuf,
    /// Name in the experiment file.
    pub name: String,
    /// Units that are finished, of all units of the plan that lie in the run.
    pub finished: usize,
    /// Units of the plan that lie in the run.
    pub units: usize,
    /// Whether the report was written.
    pub reported: bool,
}

/// All runs below `runs`, by name.
///
/// # Errors
/// If the directory cannot be read. A directory without a readable plan is not a run.
pub fn list(runs: &Path) -> Result<Vec<Found>, Fault> {
    if !runs.exists() {
        return Ok(vec![]);
    }
    let entries = std::fs::read_dir(runs)
        .map_err(|error| config(format!("{}: {error}; check --runs", runs.display())))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.sort();
    let found = paths.into_iter().filter_map(|path| {
        let plan = read_json::<Plan>(&path.join("plan.json")).ok()?;
        let own: Vec<_> = plan.units.iter().filter(|unit| unit.stage != crate::plan::Stage::World).collect();
        let finished =
            own.iter().filter(|unit| equipoise_store::is_done(&path.join("units").join(&unit.id))).count();
        let reported = path.join("report.html").exists();
        Some(Found { name: plan.name, finished, units: own.len(), reported, path })
    });
    Ok(found.collect())
}
