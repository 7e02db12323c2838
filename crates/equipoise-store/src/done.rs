//! The `done` marker: a unit is finished exactly if its directory holds one, and it holds the hash of everything else there.
//! A crash, a full disk or a later change cannot leave a directory that looks finished and is not.

use crate::digest::{digest_files, list_files};
use crate::{StoreError, write_atomic};
use std::fs::{self, File};
use std::path::Path;

/// The name of the marker.
pub const DONE: &str = "done";

/// Makes every file in `directory` durable, then writes the marker; the digest that it holds.
///
/// # Errors
/// If something cannot be read or written; then there is no marker, or the one that was there before.
pub fn finish_dir(directory: &Path) -> Result<String, StoreError> {
    for name in list_files(directory, &[DONE])? {
        let path = directory.join(name);
        // The marker must not outlive the bytes that it vouches for.
        let file = File::open(&path).map_err(StoreError::io(&path, "open the file"))?;
        file.sync_all().map_err(StoreError::io(&path, "write the file to the disk"))?;
    }
    let digest = digest_files(directory, &[DONE])?;
    write_atomic(&directory.join(DONE), format!("{digest}\n").as_bytes())?;
    Ok(digest)
}

/// Whether `directory` holds a whole marker. Looks at nothing else: [`verify_dir`] does.
#[must_use]
pub fn is_done(directory: &Path) -> bool {
    recorded(directory).is_some()
}

/// Checks that the files of `directory` are those that its marker vouches for.
///
/// # Errors
/// If there is no whole marker, or if a file was changed, cut short, added or removed since.
pub fn verify_dir(directory: &Path) -> Result<(), StoreError> {
    let recorded =
        recorded(directory).ok_or_else(|| StoreError::NotDone { path: directory.to_path_buf() })?;
    if digest_files(directory, &[DONE])? == recorded {
        Ok(())
    } else {
        Err(StoreError::Changed { path: directory.to_path_buf(), what: "the content".to_owned() })
    }
}

fn recorded(directory: &Path) -> Option<String> {
    let text = fs::read_to_string(directory.join(DONE)).ok()?;
    let digest = text.strip_suffix('\n')?;
    (digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit())).then(|| digest.to_owned())
}
