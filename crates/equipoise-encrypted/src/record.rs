//! What a key holder remembers, kept where a restart cannot lose it.
//!
//! Two sums of one round over cohorts that differ in one platform give that platform's update away. A holder therefore
//! answers once a round and for one cohort, and writes the round down *before* it answers. The record is an append-only
//! file of a header and fixed-size entries, each chained to the one before; it names the key that it belongs to. A torn,
//! foreign or changed record is refused whole: the mend is a new key, never a shorter record. Where the bytes lie is the
//! caller's business ([`RecordStore`]), because this library touches no files. Not detected: an old copy of the whole
//! record put back; that needs a counter that cannot be turned back (a TPM), which is outside this crate.
//!
//! | bytes | field |
//! |---|---|
//! | 4, 2 | magic `EQRR`, version 1 |
//! | 32 | the key's name |
//! | 4, 32, 32 an entry | round, cohort hash, chain |

use crate::codec::Reader;
use equipoise_federated::SumError;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

const MAGIC: [u8; 4] = *b"EQRR";
const VERSION: u16 = 1;
const HEADER_BYTES: usize = 4 + 2 + 32;
const ENTRY_BYTES: usize = 4 + 32 + 32;

/// Where a record's bytes lie. `append` returns only when the bytes are safe.
pub trait RecordStore: Send + fmt::Debug {
    /// All bytes that were appended so far.
    ///
    /// # Errors
    /// Why they cannot be read.
    fn read(&self) -> Result<Vec<u8>, String>;
    /// Adds bytes at the end.
    ///
    /// # Errors
    /// Why they cannot be kept; the holder then does not answer.
    fn append(&mut self, bytes: &[u8]) -> Result<(), String>;
}

/// A record in memory, shared by its clones: for simulations, whose keys live as long as the process.
#[derive(Clone, Default)]
pub struct MemoryRecord(Arc<Mutex<Vec<u8>>>);

impl fmt::Debug for MemoryRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryRecord(..)")
    }
}

impl RecordStore for MemoryRecord {
    fn read(&self) -> Result<Vec<u8>, String> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(())
    }
}

/// The rounds that a holder has answered under one key.
pub(crate) struct RoundRecord {
    answered: BTreeMap<u32, [u8; 32]>,
    chain: [u8; 32],
    store: Box<dyn RecordStore>,
}

impl RoundRecord {
    /// Reads the record of `key`, or starts one in an empty store.
    pub(crate) fn open(key: [u8; 32], mut store: Box<dyn RecordStore>) -> Result<Self, SumError> {
        let damaged = |what: &str| {
            SumError::Record(format!("{what}; a holder without its record must not answer, make a new key"))
        };
        let bytes = store.read().map_err(|why| damaged(&format!("it cannot be read: {why}")))?;
        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.extend(MAGIC);
        header.extend(VERSION.to_le_bytes());
        header.extend(key);
        let chain: [u8; 32] = blake3::hash(&header).into();
        if bytes.is_empty() {
            store.append(&header).map_err(|why| damaged(&format!("it cannot be written: {why}")))?;
            return Ok(Self { answered: BTreeMap::new(), chain, store });
        }
        let Some(entries) = bytes.strip_prefix(header.as_slice()) else {
            return Err(damaged("it belongs to another key or version"));
        };
        if entries.len() % ENTRY_BYTES != 0 {
            return Err(damaged("its last entry is torn"));
        }
        let mut record = Self { answered: BTreeMap::new(), chain, store };
        for entry in entries.chunks_exact(ENTRY_BYTES) {
            let mut reader = Reader(entry);
            let (round, cohort) = (u32::from_le_bytes(reader.take()), reader.take());
            let next = record.next(round, &cohort);
            if reader.take() != next || record.answered.insert(round, cohort).is_some() {
                return Err(damaged("an entry was changed"));
            }
            record.chain = next;
        }
        Ok(record)
    }

    fn next(&self, round: u32, cohort: &[u8; 32]) -> [u8; 32] {
        blake3::Hasher::new_keyed(&self.chain).update(&round.to_le_bytes()).update(cohort).finalize().into()
    }

    /// Writes a round down, or says why it must not be answered. At most `limit` rounds.
    pub(crate) fn commit(&mut self, round: u32, cohort: [u8; 32], limit: u32) -> Result<(), SumError> {
        let refuse = |reason: &str| Err(SumError::Refused { round, reason: reason.into() });
        match self.answered.get(&round) {
            Some(answered) if *answered == cohort => return refuse("the round was opened before"),
            Some(_) => return refuse("the round was opened for another cohort"),
            None if self.answered.len() >= limit as usize => {
                return refuse(
                    "the smudging of this key is spent: set up new keys, or plan for more `rounds`",
                );
            }
            None => {}
        }
        let chain = self.next(round, &cohort);
        let mut entry = Vec::with_capacity(ENTRY_BYTES);
        entry.extend(round.to_le_bytes());
        entry.extend(cohort);
        entry.extend(chain);
        self.store
            .append(&entry)
            .map_err(|why| SumError::Record(format!("round {round} cannot be written down: {why}")))?;
        self.answered.insert(round, cohort);
        self.chain = chain;
        Ok(())
    }
}

impl fmt::Debug for RoundRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoundRecord").field("answered", &self.answered.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [3; 32];

    fn open(store: &MemoryRecord) -> Result<RoundRecord, SumError> {
        RoundRecord::open(KEY, Box::new(store.clone()))
    }

    fn reason(error: SumError) -> String {
        error.to_string()
    }

    #[test]
    fn a_record_outlives_its_holder() {
        let store = MemoryRecord::default();
        open(&store).unwrap().commit(4, [1; 32], 9).unwrap();
        let mut again = open(&store).unwrap();
        assert!(reason(again.commit(4, [1; 32], 9).unwrap_err()).contains("opened before"));
        assert!(reason(again.commit(4, [2; 32], 9).unwrap_err()).contains("another cohort"));
        again.commit(5, [2; 32], 9).unwrap();
        assert!(open(&store).unwrap().commit(5, [2; 32], 9).is_err());
    }

    #[test]
    fn the_limit_counts_rounds_across_restarts() {
        let store = MemoryRecord::default();
        open(&store).unwrap().commit(0, [1; 32], 2).unwrap();
        open(&store).unwrap().commit(1, [1; 32], 2).unwrap();
        assert!(reason(open(&store).unwrap().commit(2, [1; 32], 2).unwrap_err()).contains("spent"));
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_refused() {
        let store = MemoryRecord::default();
        let mut record = open(&store).unwrap();
        (0..3).for_each(|round| record.commit(round, [9; 32], 9).unwrap());
        let bytes = store.read().unwrap();
        for at in 0..bytes.len() {
            let mut changed = MemoryRecord::default();
            let mut copy = bytes.clone();
            copy[at] ^= 1;
            changed.append(&copy).unwrap();
            assert!(matches!(open(&changed), Err(SumError::Record(_))), "byte {at}");
        }
        for len in (1..bytes.len()).filter(|len| len.wrapping_sub(HEADER_BYTES) % ENTRY_BYTES != 0) {
            let mut cut = MemoryRecord::default();
            cut.append(&bytes[..len]).unwrap();
            assert!(matches!(open(&cut), Err(SumError::Record(_))), "cut to {len}");
        }
        let other = RoundRecord::open([4; 32], Box::new(store));
        assert!(matches!(other, Err(SumError::Record(_))));
    }

    #[derive(Debug)]
    struct Full;

    impl RecordStore for Full {
        fn read(&self) -> Result<Vec<u8>, String> {
            let store = MemoryRecord::default();
            RoundRecord::open(KEY, Box::new(store.clone())).unwrap();
            store.read()
        }
        fn append(&mut self, _bytes: &[u8]) -> Result<(), String> {
            Err("no space".into())
        }
    }

    #[test]
    fn a_round_that_cannot_be_written_down_is_not_answered() {
        let mut record = RoundRecord::open(KEY, Box::new(Full)).unwrap();
        assert!(matches!(record.commit(0, [0; 32], 9), Err(SumError::Record(_))));
        assert!(record.answered.is_empty());
    }
}
