//! A federation's state on disk after every round, so that a killed run goes on where it stood.

use crate::fault::{Fault, runtime};
use equipoise_federated::FederationState;
use std::path::Path;

/// Reads the last whole state, if there is one.
pub(super) fn read(path: Option<&Path>) -> Result<Option<FederationState>, Fault> {
    let Some(path) = path.filter(|path| path.exists()) else { return Ok(None) };
    equipoise_store::read_json(path).map(Some).map_err(runtime)
}

/// Replaces the state. No fsync: a process that is killed leaves the old file or the new one, and after a power cut a
/// round is computed again.
pub(super) fn write(path: Option<&Path>, state: &FederationState) -> Result<(), Fault> {
    let Some(path) = path else { return Ok(()) };
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
