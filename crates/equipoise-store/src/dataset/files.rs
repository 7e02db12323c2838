//! What vouches for the files of a dataset: one pass over each gives its length, its SHA-256 (for everybody) and its BLAKE3
//! (for the content hash). Callers may sum files on several threads and put the results together in the order of names.

use crate::digest::{fold_digest, list_files};
use crate::sums::hex;
use crate::{SHA256SUMS, StoreError, write_atomic};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// What one pass over a file says.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct FileSum {
    /// Relative name with `/`.
    pub name: String,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256, 64 hexadecimal digits.
    pub sha256: String,
    /// BLAKE3.
    pub blake3: [u8; 32],
}

/// The files below `directory` in byte order, without temporary ones and those that `exclude` names, as in
/// [`digest_files`](crate::digest_files).
///
/// # Errors
/// If the directory cannot be read, or something in it is neither a file nor a directory.
pub fn files_in(directory: &Path, exclude: &[&str]) -> Result<Vec<String>, StoreError> {
    list_files(directory, exclude)
}

/// Sums one file.
///
/// # Errors
/// If it cannot be read.
pub fn sum_file(directory: &Path, name: &str) -> Result<FileSum, StoreError> {
    let (mut sha, mut blake) = (Sha256::new(), blake3::Hasher::new());
    let bytes = crate::digest::feed(&directory.join(name), |bytes| {
        sha.update(bytes);
        blake.update(bytes);
    })?;
    Ok(FileSum {
        name: name.to_owned(),
        bytes,
        sha256: hex(&sha.finalize()),
        blake3: *blake.finalize().as_bytes(),
    })
}

/// The content hash of summed files, in the order given: what [`digest_files`](crate::digest_files) says of a directory
/// that holds just these.
#[must_use]
pub fn digest_of<'a>(sums: impl IntoIterator<Item = &'a FileSum>) -> String {
    fold_digest(sums.into_iter().map(|sum| (sum.name.as_str(), sum.bytes, sum.blake3)))
}

/// Writes summed files, in the order given, to the list of sums of `directory`.
///
/// # Errors
/// If the list cannot be written.
pub fn write_sums(directory: &Path, sums: &[FileSum]) -> Result<(), StoreError> {
    let mut list = String::new();
    for sum in sums {
        // Writing to a String cannot fail.
        let _ = writeln!(list, "{}  {}", sum.sha256, sum.name);
    }
    write_atomic(&directory.join(SHA256SUMS), list.as_bytes())
}

/// The list of sums of `directory`: (SHA-256, name).
///
/// # Errors
/// If there is no list, or a line of it is not a sum and a name inside the directory.
pub fn read_sums(directory: &Path) -> Result<Vec<(String, String)>, StoreError> {
    let path = directory.join(SHA256SUMS);
    let list = fs::read_to_string(&path).map_err(StoreError::io(&path, "read the list of sums"))?;
    list.lines().map(|line| crate::sums::parse_line(&path, line)).collect()
}
