//! A fusion's session as files of a folder beside the unit's checkpoint, so that a killed trial goes on with the keys, the records and
//! the pseudonyms that it had: a restart lifts no limit on openings.
//!
//! All seats of a simulation share the folder, secrets too; it is removed with the checkpoint when the trial is done. No fsync, as for
//! every checkpoint: it holds against a kill, not against a power cut.

use crate::fault::Fault;
use equipoise_encrypted::fusion::{NoStore, Pseudonym, SessionStore};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The store of one session.
#[derive(Debug)]
struct FileStore(PathBuf);

impl FileStore {
    fn said<T>(&self, name: &str, done: std::io::Result<T>) -> Result<T, String> {
        done.map_err(|error| format!("{}: {error}", self.0.join(name).display()))
    }
}

impl SessionStore for FileStore {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        match std::fs::read(self.0.join(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => self.said(name, Err(error)),
        }
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), String> {
        let (temporary, place) = (self.0.join(format!("{name}.tmp")), self.0.join(name));
        let write = || {
            std::fs::create_dir_all(&self.0)?;
            std::fs::write(&temporary, bytes)?;
            std::fs::rename(&temporary, &place)
        };
        self.said(name, write())
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> Result<(), String> {
        let append = || {
            std::fs::create_dir_all(&self.0)?;
            std::fs::OpenOptions::new().create(true).append(true).open(self.0.join(name))?.write_all(bytes)
        };
        self.said(name, append())
    }
}

/// The store of a period's session; none where nothing is kept.
pub(super) fn of_period(folder: Option<&Path>, period: usize) -> Box<dyn SessionStore> {
    match folder {
        Some(folder) => Box::new(FileStore(folder.join(format!("period-{period}")))),
        None => Box::new(NoStore),
    }
}

const NAMES: &str = "pseudonyms";

/// What platforms remember of matching, if they do: bytes that it took, and a pseudonym an account.
pub(super) fn read_names(
    folder: Option<&Path>,
    count: usize,
) -> Result<Option<(u64, Vec<Pseudonym>)>, Fault> {
    let Some(folder) = folder else { return Ok(None) };
    let Some(bytes) = FileStore(folder.into()).read(NAMES).map_err(Fault::Runtime)? else { return Ok(None) };
    let whole = bytes.split_first_chunk().map(|(sent, names)| (sent, names.as_chunks::<32>()));
    match whole {
        Some((sent, (names, []))) if names.len() == count => {
            Ok(Some((u64::from_le_bytes(*sent), names.iter().copied().map(Pseudonym::new).collect())))
        }
        _ => Err(Fault::Runtime(format!(
            "{}: not the pseudonyms of this world; remove the folder to begin the trial anew",
            folder.join(NAMES).display()
        ))),
    }
}

/// Writes down what [`read_names`] reads.
pub(super) fn write_names(folder: Option<&Path>, sent: u64, names: &[Pseudonym]) -> Result<(), Fault> {
    let Some(folder) = folder else { return Ok(()) };
    let mut bytes = sent.to_le_bytes().to_vec();
    names.iter().for_each(|name| bytes.extend(name.bytes()));
    FileStore(folder.into()).write(NAMES, &bytes).map_err(Fault::Runtime)
}
