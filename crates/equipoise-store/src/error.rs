//! What can go wrong with a file, each with the file, the reason and what to do about it.

use crate::ColumnType;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// A file or table that could not be written, read or trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The operating system refused.
    #[error("{}: could not {doing}: {source}; {}", path.display(), mend(source.kind()))]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was being done to it, for instance `write the file`.
        doing: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// The bytes are not a whole Parquet file.
    #[error("{}: not a whole Parquet file ({why}); it was cut short, changed or is of another kind: delete it and run again", path.display())]
    NotParquet {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        why: String,
    },
    /// A file of somebody else's that cannot be used; it is named, never touched.
    #[error("{}: {why}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Why, and what to do about it.
        why: String,
    },
    /// The Parquet encoder refused for a reason that is not the disk's.
    #[error("{}: could not encode the table ({why}); this is a defect of equipoise-store, please report it", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// What the writer said.
        why: String,
    },
    /// A column of a type that no Equipoise table may hold.
    #[error("{}: column `{column}` is {found}; a table holds only required fixed-width integers, floats and bools, never text: drop or recode the column", path.display())]
    Forbidden {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// What it is.
        found: String,
    },
    /// A file that does not say that its people are simulated.
    #[error("{}: the file does not say synthetic=true; Equipoise reads simulated people only: use a file that Equipoise wrote", path.display())]
    NotSynthetic {
        /// The file.
        path: PathBuf,
    },
    /// A metadata key given twice, or a `synthetic` that is not `true`.
    #[error("metadata key `{key}` is given twice or may not be set; leave it out")]
    Metadata {
        /// The key.
        key: String,
    },
    /// A column name outside `[a-z0-9_]+`.
    #[error("column name `{name}` is not made of a-z, 0-9 and _; rename the column")]
    Name {
        /// The name.
        name: String,
    },
    /// Two columns of one name.
    #[error("column `{name}` is given twice; rename one of them")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// A column that is longer or shorter than the table.
    #[error("column `{name}` has {rows} rows, the table has {expected}; give every column one value a row")]
    Length {
        /// The column.
        name: String,
        /// Its rows.
        rows: usize,
        /// The rows of the table.
        expected: usize,
    },
    /// A column that the table does not have.
    #[error("no column `{name}`; the table has: {have}")]
    NoColumn {
        /// The column asked for.
        name: String,
        /// The columns there are.
        have: String,
    },
    /// A column of another type than asked for.
    #[error(
        "column `{name}` is {found}, not {wanted}; the file was written by another version or is another table"
    )]
    WrongType {
        /// The column.
        name: String,
        /// What was asked for.
        wanted: ColumnType,
        /// What it is.
        found: ColumnType,
    },
    /// A table whose columns are not the ones the writer was opened with.
    #[error("{}: the table has columns {found}, the file was opened for {expected}", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// The columns of the table.
        found: String,
        /// The columns of the file.
        expected: String,
    },
    /// A code that no version of the vocabulary knows.
    #[error(
        "column `{column}`, row {row}: {code} is not a known code; the log is damaged or of a newer version"
    )]
    Code {
        /// The column.
        column: &'static str,
        /// The row, from 0.
        row: usize,
        /// The code.
        code: u8,
    },
    /// JSON that does not parse or does not fit.
    #[error("{}, line {line}, column {column}: {why}; mend the line, or delete the file and run again", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What the parser said.
        why: String,
    },
    /// A value that JSON cannot say.
    #[error("{what} cannot be written as JSON: {why}; map keys must be texts or numbers")]
    NotJson {
        /// The file or stage.
        what: String,
        /// What the serialiser said.
        why: String,
    },
    /// A directory without a whole `done` marker.
    #[error("{}: the unit is not finished (no whole `done` marker); run it again", path.display())]
    NotDone {
        /// The directory.
        path: PathBuf,
    },
    /// Files that are no longer what the marker or the list of sums says.
    #[error("{}: {what} does not match its recorded sum; a file was changed, cut short, added or removed since: delete the unit and run it again", path.display())]
    Changed {
        /// The directory.
        path: PathBuf,
        /// The file, or `the content`.
        what: String,
    },
    /// Something in a directory that has no bytes of its own to vouch for, or a name that a list of sums cannot hold.
    #[error("{}: {why}; move it elsewhere", path.display())]
    Strange {
        /// The entry.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The final place is taken by a directory that nobody finished.
    #[error("{}: the place is taken by an unfinished directory; delete it and run again", path.display())]
    Occupied {
        /// The directory.
        path: PathBuf,
    },
}

impl StoreError {
    /// Wraps what the operating system said; for `map_err`.
    pub(crate) fn io(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { path, doing, source }
    }
}

/// What the user can do about an error of the operating system.
fn mend(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space, or choose another directory",
        ErrorKind::FileTooLarge => "raise the limit on file sizes (ulimit -f), or choose another directory",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "choose a directory that this user may write, or change its permissions"
        }
        ErrorKind::NotFound => "check the path; it, or the directory it lies in, does not exist",
        ErrorKind::NotADirectory => "check the path; something on the way to it is a file",
        ErrorKind::IsADirectory => "check the path; it is a directory",
        _ => "check the disk, then run again",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_full_disk_is_named_with_its_mend() {
        let path = Path::new("/dev/full");
        let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
        let error = file.write_all(b"x").map_err(StoreError::io(path, "write the file")).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("/dev/full: could not write the file: "), "{text}");
        assert!(text.ends_with("free some space, or choose another directory"), "{text}");
    }
}
