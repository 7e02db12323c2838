//! Nothing is trained twice in one store. A finished unit of another run with the same address is taken over as it is; and what training
//! left is kept by the hash of what training reads, so that a run which only measures otherwise trains nothing.
//!
//! What is taken over was checked against its own sums, and is what computing it again would give: units are idempotent. A
//! training that cannot be read back (another version wrote it, a number in it is not finite) is done again. Not kept: trainings
//! whose clients hold more state than [`LARGEST`], because writing it would cost more than it saves.

use super::Context;
use super::arms::Trained;
use crate::fault::{Fault, runtime};
use crate::plan::{ArmSlice, Unit, training_key};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

/// The largest training that is kept.
const LARGEST: usize = 16 << 20;

/// Fills `dir` with a finished unit of another run, if there is one.
pub(super) fn taken_over(context: &Context<'_>, unit: &Unit, dir: &Path) -> Result<bool, Fault> {
    let own = context.dir(unit);
    let runs =
        context.run.parent().into_iter().flat_map(|runs| std::fs::read_dir(runs).into_iter().flatten());
    let mut found: Vec<PathBuf> = runs
        .flatten()
        .map(|entry| entry.path().join("units").join(&unit.id))
        .filter(|other| *other != own && equipoise_store::is_done(other))
        .filter(|other| equipoise_store::verify_dir(other).is_ok())
        .collect();
    found.sort();
    let Some(other) = found.first() else { return Ok(false) };
    let named = |path: &Path| path.file_name().map(std::ffi::OsStr::to_owned);
    for entry in std::fs::read_dir(other).map_err(|error| super::io(other, &error))? {
        let path = entry.map_err(|error| super::io(other, &error))?.path();
        // The marker is written when the copy is whole.
        if let Some(name) = named(&path).filter(|name| name != "done") {
            std::fs::copy(&path, dir.join(name)).map_err(|error| super::io(&path, &error))?;
        }
    }
    Ok(true)
}

/// The training of an arm on a unit's world: as it was kept, or done now by `train` and kept.
pub(super) fn trained(
    context: &Context<'_>,
    unit: &Unit,
    arm: &ArmSlice,
    train: impl FnOnce() -> Result<Trained, Fault>,
) -> Result<Trained, Fault> {
    // A rule that learns nothing leaves nothing to keep.
    if !arm.arm.trains() {
        return train();
    }
    let key = training_key(arm, &unit.needs)?;
    let place = context.cache.join("trained").join(format!("{key}.json"));
    // Two runs that measure one training otherwise wait for it instead of doing it twice.
    let _claim = super::claim::claim(&context.locks(), &format!("trained-{key}"))?;
    if let Ok(kept) = equipoise_store::read_json(&place) {
        return Ok(kept);
    }
    let trained = train()?;
    context.trained.fetch_add(1, Ordering::Relaxed);
    let bytes = serde_json::to_vec(&trained).map_err(runtime)?;
    if bytes.len() <= LARGEST {
        let parent = context.cache.join("trained");
        std::fs::create_dir_all(&parent).map_err(|error| super::io(&parent, &error))?;
        equipoise_store::write_atomic(&place, &bytes).map_err(runtime)?;
    }
    Ok(trained)
}
