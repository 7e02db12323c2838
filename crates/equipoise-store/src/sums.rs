//! `SHA256SUMS`: what a reader checks with `sha256sum -c`, without Equipoise.

use crate::digest::{feed, list_files};
use crate::{StoreError, write_atomic};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// The name of the list.
pub const SHA256SUMS: &str = "SHA256SUMS";

fn sum(path: &Path) -> Result<String, StoreError> {
    let mut hasher = Sha256::new();
    feed(path, |bytes| hasher.update(bytes))?;
    Ok(hex(&hasher.finalize()))
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// The sum and the name of one line of the list at `path`.
pub(crate) fn parse_line(path: &Path, line: &str) -> Result<(String, String), StoreError> {
    let strange =
        || StoreError::Strange { path: path.to_path_buf(), why: "a line is not `sum, two blanks, name`" };
    let (recorded, name) = line.split_once("  ").ok_or_else(strange)?;
    // A list from elsewhere must not make us read outside its own directory.
    if name.starts_with('/') || name.split('/').any(|part| part == "..") {
        return Err(strange());
    }
    Ok((recorded.to_owned(), name.to_owned()))
}

/// Writes the sums of all files below `directory`, sorted by name, to its `SHA256SUMS`. `exclude` as in
/// [`digest_files`](crate::digest_files); the list itself never enters.
///
/// # Errors
/// If something cannot be read or written, or a name cannot stand in the list.
pub fn write_sha256sums(directory: &Path, exclude: &[&str]) -> Result<(), StoreError> {
    let mut out = vec![SHA256SUMS];
    out.extend_from_slice(exclude);
    let mut list = String::new();
    for name in list_files(directory, &out)? {
        let _ = writeln!(list, "{}  {name}", sum(&directory.join(&name))?);
    }
    write_atomic(&directory.join(SHA256SUMS), list.as_bytes())
}

/// Checks every file that the list of `directory` names; how many there are.
///
/// # Errors
/// If there is no list, a line of it is not a sum and a name inside the directory, or a file differs or is missing.
pub fn check_sha256sums(directory: &Path) -> Result<usize, StoreError> {
    let path = directory.join(SHA256SUMS);
    let list = fs::read_to_string(&path).map_err(StoreError::io(&path, "read the list of sums"))?;
    for line in list.lines() {
        let (recorded, name) = parse_line(&path, line)?;
        if sum(&directory.join(&name))? != recorded {
            return Err(StoreError::Changed { path: directory.to_path_buf(), what: name });
        }
    }
    Ok(list.lines().count())
}
