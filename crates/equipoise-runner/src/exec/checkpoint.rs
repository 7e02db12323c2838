//! A federation's state on disk, so that a killed run goes on near where it stood.

use crate::fault::{Fault, runtime};
use equipoise_federated::FederationState;
use std::path::Path;
use std::time::Instant;

/// Reads the last whole state, if there is one.
pub(super) fn read(path: Option<&Path>) -> Result<Option<FederationState>, Fault> {
    let Some(path) = path.filter(|path| path.exists()) else { return Ok(None) };
    equipoise_store::read_json(path).map(Some).map_err(runtime)
}

/// The part of the time of a federation that writing its state may take.
const SHARE: u32 = 100;

/// Writes a federation's state from time to time: after its first round, and then not before the rounds since the last time have taken a
/// hundred times as long as writing took. A kill costs the rounds since; the bytes at the end are the same.
pub(super) struct Keeper<'a> {
    path: Option<&'a Path>,
    next: Option<Instant>,
}

impl<'a> Keeper<'a> {
    pub(super) const fn new(path: Option<&'a Path>) -> Self {
        Self { path, next: None }
    }

    /// Replaces the state, if it is time. No fsync: a process that is killed leaves the old file or the new one, and after a power cut
    /// a round is computed again.
    pub(super) fn keep(&mut self, state: &FederationState) -> Result<(), Fault> {
        let Some(path) = self.path else { return Ok(()) };
        let begun = crate::clock::now();
        if self.next.is_some_and(|next| begun < next) {
            return Ok(());
        }
        write(path, state)?;
        let ended = crate::clock::now();
        self.next = Some(ended + SHARE * ended.duration_since(begun));
        Ok(())
    }
}

fn write(path: &Path, state: &FederationState) -> Result<(), Fault> {
    let io = |error: std::io::Error| {
        Fault::Runtime(format!(
            "{}: the checkpoint cannot be written: {error}; free space or choose --runs",
            path.display()
        ))
    };
    let bytes = serde_json::to_vec(state).map_err(runtime)?;
    let temporary = path.with_extension("tmp");
    std::fs::write(&temporary, bytes).map_err(io)?;
    std::fs::rename(&temporary, path).map_err(io)
}
