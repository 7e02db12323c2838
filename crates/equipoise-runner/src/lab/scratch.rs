//! A directory that is removed when it is no longer held, and copies that share bytes where the file system lets them.

use crate::fault::{Fault, runtime};
use std::path::{Path, PathBuf};

/// Removed on drop, whatever happened.
#[derive(Debug)]
pub(super) struct Scratch(pub(super) PathBuf);

impl Scratch {
    /// A new directory inside `parent`, with a name that no list of runs shows.
    pub(super) fn new(parent: &Path, what: &str) -> Result<Self, Fault> {
        std::fs::create_dir_all(parent).map_err(runtime)?;
        let target = parent.join(format!("{what}-{}", std::process::id()));
        equipoise_store::scratch_dir(&target).map(Self).map_err(runtime)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Copies a finished directory, by hard links where that is possible: nobody writes into finished units.
pub(super) fn copy_dir(from: &Path, to: &Path) -> Result<(), Fault> {
    std::fs::create_dir_all(to).map_err(runtime)?;
    for entry in std::fs::read_dir(from).map_err(runtime)? {
        let path = entry.map_err(runtime)?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_dir(&path, &target)?;
        } else if std::fs::hard_link(&path, &target).is_err() {
            std::fs::copy(&path, &target).map_err(runtime)?;
        }
    }
    Ok(())
}
