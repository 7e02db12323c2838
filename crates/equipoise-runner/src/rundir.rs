//! The run directory: where everything of a run lies, what its hash covers, and how runs are found again.

use crate::clock::Measured;
use crate::fault::{Fault, config, runtime};
use crate::plan::Plan;
use crate::report::Rendered;
use crate::report::data::ReportData;
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
