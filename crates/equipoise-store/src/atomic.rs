//! Files and directories that are either wholly there or not there at all: temporary name, fsync, rename.
//!
//! Holds on a local POSIX file system. After a kill a temporary file may be left behind (its name starts with a dot and
//! contains `.tmp-`); nothing here ever reads one, and it may be deleted.

use crate::StoreError;
use crate::done::is_done;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What the name of a temporary entry contains.
const TEMPORARY: &str = ".tmp-";

/// Whether a file name is one of our temporary names.
pub(crate) fn is_temporary(name: &str) -> bool {
    name.starts_with('.') && name.contains(TEMPORARY)
}

/// A name beside `path` that no other writer uses: the process and a counter tell writers apart.
fn temporary_name(path: &Path) -> PathBuf {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!("{TEMPORARY}{}-{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed)));
    path.with_file_name(name)
}

/// A file under a temporary name; it gets its own name by [`Pending::commit`] and vanishes if that never comes.
pub(crate) struct Pending {
    target: PathBuf,
    temporary: Option<PathBuf>,
}

impl Pending {
    /// Creates the temporary file in the directory of `target`.
    pub(crate) fn create(target: &Path) -> Result<(Self, File), StoreError> {
        let temporary = temporary_name(target);
        let file = File::create_new(&temporary).map_err(StoreError::io(target, "create the file"))?;
        Ok((Self { target: target.to_path_buf(), temporary: Some(temporary) }, file))
    }

    /// The name that the file will get.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Makes the bytes of `file` durable and gives the file its name.
    pub(crate) fn commit(mut self, file: &File) -> Result<(), StoreError> {
        file.sync_all().map_err(StoreError::io(&self.target, "write the file to the disk"))?;
        if let Some(temporary) = &self.temporary {
            fs::rename(temporary, &self.target).map_err(StoreError::io(&self.target, "name the file"))?;
        }
        self.temporary = None;
        sync_parent(&self.target);
        Ok(())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // Nothing can be done about a failure here; the name marks the file as rubbish.
            let _ = fs::remove_file(temporary);
        }
    }
}

/// Makes a rename durable. Some file systems refuse to sync a directory; the rename is atomic all the same.
fn sync_parent(path: &Path) {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if let Ok(directory) = File::open(parent) {
        let _ = directory.sync_all();
    }
}

/// Writes `bytes` to `path`, replacing what was there. A reader sees the old bytes or the new ones, never a part.
///
/// # Errors
/// If the directory does not exist, cannot be written or is full; then nothing is left behind.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let (pending, mut file) = Pending::create(path)?;
    file.write_all(bytes).map_err(StoreError::io(path, "write the file"))?;
    pending.commit(&file)
}

/// Makes an empty directory beside `target`, to be filled and then handed to [`publish_dir`].
///
/// # Errors
/// If it cannot be made.
pub fn scratch_dir(target: &Path) -> Result<PathBuf, StoreError> {
    let temporary = temporary_name(target);
    fs::create_dir_all(&temporary).map_err(StoreError::io(&temporary, "make the directory"))?;
    Ok(temporary)
}

/// Who filled the final place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Published {
    /// This call did.
    Ours,
    /// Another writer was first; the temporary directory was removed.
    Theirs,
}

/// Gives the finished directory `temporary` its final name. Of two writers of one place the first wins and both succeed,
/// since a place is named by the hash of what fills it.
///
/// # Errors
/// If the rename fails, or if `temporary` carries a `done` marker and an unfinished directory holds the place.
pub fn publish_dir(temporary: &Path, target: &Path) -> Result<Published, StoreError> {
    match fs::rename(temporary, target) {
        Ok(()) => {
            sync_parent(target);
            Ok(Published::Ours)
        }
        Err(error) if matches!(error.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists) => {
            if is_done(temporary) && !is_done(target) {
                return Err(StoreError::Occupied { path: target.to_path_buf() });
            }
            fs::remove_dir_all(temporary)
                .map_err(StoreError::io(temporary, "remove the temporary directory"))?;
            Ok(Published::Theirs)
        }
        Err(error) => Err(StoreError::io(target, "name the directory")(error)),
    }
}
