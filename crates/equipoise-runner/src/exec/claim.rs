//! A unit is claimed before it is computed, so that two runners on one store do not compute it twice.
//!
//! A claim is a lock file that its holder keeps locked by the operating system (`flock`), with the holder's process and host
//! inside for whoever looks. The lock ends with the process, however it ends: a SIGKILL leaves a file that nobody holds, and
//! the next runner takes it over at once, without guessing from a process number that may belong to another process by now.
//! What is not promised: where a file system knows no locks, units are computed without a claim. That costs time, never a
//! result: units are idempotent and the first to publish wins.

use crate::fault::Fault;
use std::fs::{File, TryLockError};
use std::io::{Seek, Write};
use std::path::Path;

/// A claim; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    /// None where the file system knows no locks.
    _file: Option<File>,
}

/// Claims `name`, or says that another runner holds it (`None`).
///
/// # Errors
/// If the lock file cannot be made.
pub(crate) fn try_claim(locks: &Path, name: &str) -> Result<Option<Claim>, Fault> {
    let file = open(locks, name)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(signed(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(_)) => Ok(Some(Claim { _file: None })),
    }
}

/// Claims `name`, waiting for whoever holds it.
///
/// # Errors
/// If the lock file cannot be made.
pub(crate) fn claim(locks: &Path, name: &str) -> Result<Claim, Fault> {
    let file = open(locks, name)?;
    if file.lock().is_err() {
        return Ok(Claim { _file: None });
    }
    Ok(signed(file))
}

fn open(locks: &Path, name: &str) -> Result<File, Fault> {
    std::fs::create_dir_all(locks).map_err(|error| super::io(locks, &error))?;
    let path = locks.join(name);
    // The file stays when the claim ends: removing it would let two runners hold two files of one name.
    let file = File::options().create(true).truncate(false).read(true).write(true).open(&path);
    file.map_err(|error| super::io(&path, &error))
}

fn signed(mut file: File) -> Claim {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    // For people; a full disk does not make a claim invalid.
    let _ = file.set_len(0).and_then(|()| file.rewind());
    let _ = file.write_all(format!("{} {}\n", std::process::id(), host.trim()).as_bytes());
    Claim { _file: Some(file) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_excludes_others_until_it_ends_and_a_left_file_is_taken_over() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("u"), "4194304 elsewhere\n").unwrap(); // A runner that was killed.
        let first = try_claim(dir.path(), "u").unwrap();
        assert!(first.is_some(), "a lock file without a holder is not a claim");
        assert!(try_claim(dir.path(), "u").unwrap().is_none());
        assert!(try_claim(dir.path(), "v").unwrap().is_some(), "another unit is free");
        let text = std::fs::read_to_string(dir.path().join("u")).unwrap();
        assert!(text.starts_with(&format!("{} ", std::process::id())), "{text}");
        drop(first);
        assert!(try_claim(dir.path(), "u").unwrap().is_some());
    }
}
