//! The rate limit: what was opened of every account, in a chain that survives a restart.
//!
//! A threshold says one bit of a sum; a binary search over thresholds says the sum (the attack runs in `tests.rs`). So
//! whoever answers keeps a record, opens nothing twice (but for the same mask in the same words) and no more than the
//! planned number of rules an account, and writes the record *before* it answers. The limit counts openings, not honest names of rules: a server that lies about
//! the rule gets no more answers, so an account never gives away more than `FusionPlan::bits_per_account` bits.
//!
//! Entries are chained under a key that only the holder has; a changed, missing or foreign entry is refused on resuming.
//! Not promised: a record that was cut at its *end* looks like an older one. Keep it on storage that only grows.

use super::error::FusionError;
use super::messages::FlagMask;
use super::pseudonym::Pseudonym;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One opening, as it stands in the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// The account.
    pub account: Pseudonym,
    /// Fingerprint of the rule that the server named.
    pub rule: [u8; 32],
    /// Fingerprint of the flag's mask.
    pub mask: [u8; 32],
    /// The chain's value after this entry.
    pub chain: [u8; 32],
}

/// Where openings are written before they are answered. An error means that nothing is answered.
pub trait Journal {
    /// Appends entries, durably.
    ///
    /// # Errors
    /// If they are not on stable storage.
    fn append(&mut self, openings: &[Opening]) -> Result<(), String>;
}

/// The do-nothing form: kept in memory, gone with the process. For tests and simulations.
impl Journal for Vec<Opening> {
    fn append(&mut self, openings: &[Opening]) -> Result<(), String> {
        self.extend_from_slice(openings);
        Ok(())
    }
}

/// Enforces the limit. Lives with one secret.
pub(crate) struct RateLimit {
    key: [u8; 32],
    limit: usize,
    chain: [u8; 32],
    /// By account: every rule that was opened, and the mask that it was opened with.
    opened: BTreeMap<Pseudonym, Vec<([u8; 32], [u8; 32])>>,
    /// An append failed, so that memory and disk may differ.
    broken: bool,
}

impl RateLimit {
    /// An empty record. `secret` makes the chain's key; `name` is the session and the seat.
    pub(crate) fn new(limit: u32, secret: &[u8], name: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("equipoise-encrypted 2026-11-27 fusion record v1");
        hasher.update(secret);
        let key = *hasher.finalize().as_bytes();
        let chain = *blake3::keyed_hash(&key, name).as_bytes();
        Self { key, limit: limit as usize, chain, opened: BTreeMap::new(), broken: false }
    }

    /// Takes up a record that was written before.
    pub(crate) fn resume(&mut self, openings: &[Opening]) -> Result<(), FusionError> {
        for (at, opening) in openings.iter().enumerate() {
            let next = self.next(self.chain, opening.account, &opening.rule, &opening.mask);
            if next != opening.chain {
                let what = format!("entry {at} was changed, or an entry before it is missing");
                return Err(FusionError::Record(what));
            }
            self.chain = next;
            self.opened.entry(opening.account).or_default().push((opening.rule, opening.mask));
        }
        Ok(())
    }

    /// Checks all flags, writes the new ones down, and only then returns their fingerprints. A mask that stands in the record may be
    /// asked about again, because its answer is the same words (`smudge`): a server that lost an answer in a crash needs it.
    pub(crate) fn book(
        &mut self,
        flags: &[FlagMask],
        journal: &mut dyn Journal,
    ) -> Result<Vec<[u8; 32]>, FusionError> {
        if self.broken {
            return Err(FusionError::Journal(
                "an earlier entry failed: resume from what is on the disk".into(),
            ));
        }
        let mut asked: BTreeMap<Pseudonym, Vec<([u8; 32], [u8; 32])>> = BTreeMap::new();
        let mut chain = self.chain;
        let (mut entries, mut fingerprints) =
            (Vec::with_capacity(flags.len()), Vec::with_capacity(flags.len()));
        for flag in flags {
            let account = flag.account;
            let refuse = |reason: &str| Err(FusionError::Refused { account, reason: reason.into() });
            let before = self.opened.get(&account).map_or(&[][..], Vec::as_slice);
            let mask = flag.fingerprint();
            fingerprints.push(mask);
            if before.contains(&(flag.rule, mask)) {
                continue;
            }
            let now = asked.entry(account).or_default();
            if before.iter().chain(now.iter()).any(|(rule, _)| *rule == flag.rule) {
                return refuse("this rule was opened for it before");
            }
            if before.len() + now.len() >= self.limit {
                return refuse(
                    "no further rule may be opened for it: a search over thresholds would give the sum",
                );
            }
            now.push((flag.rule, mask));
            chain = self.next(chain, account, &flag.rule, &mask);
            entries.push(Opening { account, rule: flag.rule, mask, chain });
        }
        if !entries.is_empty()
            && let Err(reason) = journal.append(&entries)
        {
            // Part of it may be on the disk: only what stands there can say, after a restart.
            self.broken = true;
            return Err(FusionError::Journal(reason));
        }
        for (account, rules) in asked {
            self.opened.entry(account).or_default().extend(rules);
        }
        self.chain = chain;
        Ok(fingerprints)
    }

    /// The smudging word of a mask, which nobody without the secret can tell from a fresh one: two answers to one mask are equal, so that
    /// asking twice averages nothing out.
    pub(crate) fn smudge(&self, mask: &[u8; 32]) -> [u8; 8] {
        let mut word = [0; 8];
        blake3::Hasher::new_keyed(&self.key).update(b"smudge").update(mask).finalize_xof().fill(&mut word);
        word
    }

    fn next(&self, chain: [u8; 32], account: Pseudonym, rule: &[u8; 32], mask: &[u8; 32]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&chain).update(account.bytes()).update(rule).update(mask);
        *hasher.finalize().as_bytes()
    }
}

impl Drop for RateLimit {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.key);
    }
}

impl std::fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RateLimit").field("accounts", &self.opened.len()).finish_non_exhaustive()
    }
}
