//! `gc`: removes what no run needs: cached worlds and trainings that no plan names, scratch directories of processes that are gone, lock
//! files that nobody holds, checkpoints of finished units. Runs themselves are never removed.

use super::Said;
use crate::exec::claim::try_claim;
use crate::fault::{Fault, runtime};
use crate::plan::{Plan, Work, training_key};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

pub(super) fn gc(runs: &Path, dry: bool) -> Result<Said, Fault> {
    let mut needed = BTreeSet::new();
    let mut waste: Vec<PathBuf> = Vec::new();
    for run in crate::rundir::list(runs)? {
        let plan: Plan = crate::rundir::read_plan(&run.path)?;
        needed.extend(plan.units.iter().map(|unit| unit.id.clone()));
        for unit in &plan.units {
            if let Work::Trial { arm, .. } = &unit.work {
                needed.insert(training_key(arm, &unit.needs)?);
            }
        }
        for file in entries(&run.path.join("checkpoints")) {
            let unit = stem(&file);
            if equipoise_store::is_done(&run.path.join("units").join(unit)) {
                waste.push(file);
            }
        }
        waste.extend(entries(&run.path.join("units")).into_iter().filter(|path| abandoned(path)));
    }
    let worlds = runs.join("cache/world");
    waste.extend(entries(runs).into_iter().filter(|path| abandoned(path)));
    let trained = entries(&runs.join("cache/trained"));
    waste.extend(trained.into_iter().filter(|path| !needed.contains(&stem(path))));
    let locks = runs.join("cache/locks");
    let mut held = Vec::new();
    for path in entries(&worlds) {
        if abandoned(&path) || (!name(&path).starts_with('.') && !needed.contains(&name(&path))) {
            // A world that a runner is at is not waste, even if its plan is not written yet.
            if locks.join(name(&path)).exists() {
                match try_claim(&locks, &name(&path))? {
                    Some(claim) => held.push(claim),
                    None => continue,
                }
            }
            waste.push(path);
        }
    }
    drop(held);
    for path in entries(&locks) {
        if try_claim(&locks, &name(&path))?.is_some() {
            waste.push(path);
        }
    }
    let (mut text, mut freed, mut rows, mut unheld) = (String::new(), 0, Vec::new(), 0);
    for path in waste {
        let bytes = size(&path);
        freed += bytes;
        if !dry {
            let removed =
                if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            removed.map_err(runtime)?;
        }
        // A store has hundreds of locks of a few bytes: a reader wants to know of the rest.
        if path.starts_with(&locks) {
            unheld += 1;
        } else {
            let _ = writeln!(text, "{bytes:>12}  {}", path.display());
        }
        rows.push(json!({ "path": path, "bytes": bytes }));
    }
    if unheld > 0 {
        let _ = writeln!(text, "{unheld} locks that nobody holds in {}", locks.display());
    }
    let what = if dry { "would be freed" } else { "freed" };
    let _ = writeln!(text, "{freed} bytes {what}");
    Ok(Said::new(text, json!({ "removed": Value::from(rows), "bytes": freed, "dry-run": dry })))
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    found.sort();
    found
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A scratch name (`.unit.tmp-PROCESS-COUNT`) whose process is gone from this machine. Where processes cannot be seen, a
/// scratch directory is kept.
fn abandoned(path: &Path) -> bool {
    let name = name(path);
    let process = name.rsplit_once(".tmp-").and_then(|(_, rest)| rest.split('-').next()?.parse::<u32>().ok());
    let seen = Path::new("/proc/self").exists();
    name.starts_with('.')
        && seen
        && process.is_some_and(|process| !Path::new(&format!("/proc/{process}")).exists())
}

fn size(path: &Path) -> u64 {
    if path.is_dir() {
        entries(path).iter().map(|path| size(path)).sum()
    } else {
        std::fs::metadata(path).map_or(0, |meta| meta.len())
    }
}
