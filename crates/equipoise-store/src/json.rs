//! JSON files: pretty, with a last newline, floats that come back bit for bit, errors that name the line.
//!
//! JSON has no infinity and no "not a number": `serde_json` writes both as `null`. A type that may hold one says so with a
//! word of its own, as `Epsilon` does.

use crate::{StoreError, write_atomic};
use serde::{Serialize, de::DeserializeOwned};
use std::fs;
use std::path::Path;

/// Writes `value` to `path` as pretty JSON, atomically.
///
/// # Errors
/// If JSON cannot say the value, or the file cannot be written.
pub fn write_json_atomic<T: Serialize + ?Sized>(path: &Path, value: &T) -> Result<(), StoreError> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|error| StoreError::NotJson { what: path.display().to_string(), why: error.to_string() })?;
    bytes.push(b'\n');
    write_atomic(path, &bytes)
}

/// Reads a value back.
///
/// # Errors
/// If the file cannot be read, or its text is not the JSON of a `T`: then with its line and column.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, StoreError> {
    let bytes = fs::read(path).map_err(StoreError::io(path, "read the file"))?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        // The place is a field of its own.
        let why = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text).to_owned();
        StoreError::Json { path: path.to_path_buf(), line, column, why }
    })
}
