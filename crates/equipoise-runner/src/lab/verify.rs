//! `verify`: computes a sample of a run's units again, from the finished units that they need, and compares hashes.
//!
//! The sample is spread evenly over the plan, so that every stage is in it when it is large enough; asking twice checks the
//! same units. What this cannot see: a fault that the same code makes both times.

use super::Said;
use super::scratch::{Scratch, copy_dir};
use crate::exec::{Context, execute};
use crate::fault::{Fault, config};
use crate::plan::Unit;
use crate::progress::Progress;
use crate::rundir::OUTSIDE_HASH;
use equipoise_store::digest_files;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

pub(super) fn verify(run: &Path, count: usize, quiet: bool) -> Result<Said, Fault> {
    let plan = crate::rundir::read_plan(run)?;
    let runs = run.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let progress = Progress::new(quiet);
    let context = Context::new(&plan, runs, &progress);
    let ready = |unit: &&Unit| {
        let needs = unit.needs.iter().all(|need| context.unit(need).is_ok_and(|need| context.is_done(need)));
        context.is_done(unit) && needs
    };
    let done: Vec<&Unit> = plan.units.iter().filter(ready).collect();
    if done.is_empty() || count == 0 {
        return Err(config(format!("{}: no finished unit to verify; finish the run first", run.display())));
    }
    let scratch = Scratch::new(runs, "verify")?;
    let again = Context::new(&plan, &scratch.0, &progress);
    let (mut text, mut rows, mut wrong) = (String::new(), Vec::new(), Vec::new());
    for unit in sample(&done, count) {
        for need in &unit.needs {
            let need = context.unit(need)?;
            if !again.is_done(need) {
                copy_dir(&context.dir(need), &again.dir(need))?;
            }
        }
        // A unit that an earlier one needed was copied; it is computed here all the same.
        let dir = again.dir(unit);
        if dir.exists() {
            std::fs::remove_dir_all(&dir).map_err(crate::fault::runtime)?;
        }
        execute(&again, unit)?;
        let hash = |dir: &Path| digest_files(dir, &OUTSIDE_HASH).map_err(crate::fault::runtime);
        let (was, is) = (hash(&context.dir(unit))?, hash(&dir)?);
        let same = was == is;
        let verdict = if same { "PASS" } else { "FAIL" };
        let _ = writeln!(text, "{verdict}  {} {} ({})", unit.stage.name(), unit.id, unit.label);
        if !same {
            let files = differing(&context.dir(unit), &dir);
            wrong.push(format!("{} ({}): {}", unit.id, unit.label, files.join(", ")));
        }
        rows.push(
            json!({ "unit": unit.id, "label": unit.label, "recorded": was, "computed": is, "same": same }),
        );
    }
    let fault = (!wrong.is_empty()).then(|| {
        let why = "units do not have the content that computing them again gives";
        Fault::Mismatch(format!("{} of {} {why}\n  {}", wrong.len(), rows.len(), wrong.join("\n  ")))
    });
    Ok(Said { text, json: Value::from(rows), fault })
}

/// `count` of the units, spread evenly from the first to the last.
fn sample<'a>(units: &[&'a Unit], count: usize) -> Vec<&'a Unit> {
    let count = count.min(units.len());
    (0..count).map(|at| units[at * (units.len() - 1) / (count - 1).max(1)]).collect()
}

/// Names of files that differ between two unit directories.
fn differing(a: &Path, b: &Path) -> Vec<String> {
    let names = |dir: &Path| -> Vec<String> {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    };
    let mut all: Vec<String> = names(a).into_iter().chain(names(b)).collect();
    all.sort();
    all.dedup();
    all.retain(|name| std::fs::read(a.join(name)).ok() != std::fs::read(b.join(name)).ok() && name != "done");
    all
}
