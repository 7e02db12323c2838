//! What a session keeps where a restart cannot lose it, by the name of the seat that keeps it.
//!
//! Where the bytes lie is the caller's business, because this library touches no files. A simulation holds all seats in one process
//! and keeps them in one folder; a deployment gives each seat a store of its own, whose `append` returns when the bytes are on stable
//! storage, and the secrets of holders a sealed one.

use super::error::FusionError;
use super::pseudonym::Pseudonym;
use super::record::{Journal, Opening};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Where a session's bytes lie. Names are plain: letters, digits, hyphens and dots.
pub trait SessionStore: Send + Sync + fmt::Debug {
    /// All bytes under a name, if there are any.
    ///
    /// # Errors
    /// Why they cannot be read.
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String>;
    /// Replaces what stands under a name, as a whole or not at all.
    ///
    /// # Errors
    /// Why they cannot be kept; the session then goes no further.
    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), String>;
    /// Adds bytes at the end of what stands under a name.
    ///
    /// # Errors
    /// As [`SessionStore::write`].
    fn append(&mut self, name: &str, bytes: &[u8]) -> Result<(), String>;
}

/// The do-nothing form: a session whose keys and records end with the process.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoStore;

impl SessionStore for NoStore {
    fn read(&self, _: &str) -> Result<Option<Vec<u8>>, String> {
        Ok(None)
    }
    fn write(&mut self, _: &str, _: &[u8]) -> Result<(), String> {
        Ok(())
    }
    fn append(&mut self, _: &str, _: &[u8]) -> Result<(), String> {
        Ok(())
    }
}

/// A store in memory, shared by its clones, that outlives a session but not the process.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryStore(..)")
    }
}

impl SessionStore for MemoryStore {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned())
    }
    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }
    fn append(&mut self, name: &str, bytes: &[u8]) -> Result<(), String> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(name.to_owned()).or_default().extend_from_slice(bytes);
        Ok(())
    }
}

/// Bytes of an entry of a record: account, rule, mask, chain.
const ENTRY: usize = 4 * 32;

/// A seat's record of openings under a name of a store.
pub(crate) struct StoredJournal<'a> {
    pub(crate) store: &'a mut dyn SessionStore,
    pub(crate) name: &'a str,
}

impl Journal for StoredJournal<'_> {
    fn append(&mut self, openings: &[Opening]) -> Result<(), String> {
        let bytes: Vec<u8> = openings
            .iter()
            .flat_map(|o| [*o.account.bytes(), o.rule, o.mask, o.chain].into_iter().flatten())
            .collect();
        self.store.append(self.name, &bytes)
    }
}

/// Reads a seat's record. A torn last entry was never answered for, because an answer waits for its entry: it is left out, and the
/// record is written back without it, so that the next entry follows the last whole one.
pub(crate) fn read_record(store: &mut dyn SessionStore, name: &str) -> Result<Vec<Opening>, FusionError> {
    let bytes = store.read(name).map_err(FusionError::Record)?.unwrap_or_default();
    let (entries, torn) = bytes.as_chunks::<ENTRY>();
    if !torn.is_empty() {
        store.write(name, entries.as_flattened()).map_err(FusionError::Journal)?;
    }
    let of = |entry: &[u8; ENTRY]| {
        let (parts, _) = entry.as_chunks::<32>();
        Opening { account: Pseudonym::new(parts[0]), rule: parts[1], mask: parts[2], chain: parts[3] }
    };
    Ok(entries.iter().map(of).collect())
}
