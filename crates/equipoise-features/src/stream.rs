//! The online engine of one platform: events in, rows and sequences as of now out.

use crate::contact::{self, ContactBlock};
use crate::dictionary::{self, Feature};
use crate::sequence::{self, NO_PEER};
use crate::shard::{Batch, SHARD_BITS, Shard, sides};
use crate::summary::{Codes, Summary, UNKNOWN_AGE, UNKNOWN_REGION};
use crate::{FeatureError, FeatureSpec, LiteralRule, RowBlock, RuleBlock, SequenceBlock, Token};
use equipoise_core::{
    AccountId, AccountProfile, Event, EventKind, PlatformId, PlatformSchema, PlatformView, SimTime,
};
use rayon::prelude::*;

/// Batches below this many events are not worth handing to other threads.
const PARALLEL: usize = 2_048;
/// Rows of a snapshot that one task makes.
const ROWS_OF_A_TASK: usize = 256;

/// Turns the events of one platform into rows as of the latest [`observe`](Self::observe).
///
/// Laws: rows do not depend on how the stream was cut into batches; they depend on no event at or after the cut-off, and
/// on no account outside [`RowBlock::reads_of`], nor on the number of threads. Steady-state events allocate nothing.
#[derive(Debug)]
pub struct FeatureStream {
    platform: PlatformId,
    schema: PlatformSchema,
    spec: FeatureSpec,
    until: SimTime,
    codes: Vec<Codes>,
    shards: Vec<Shard>,
    columns: Vec<Column>,
}

/// A column of this platform's rows; `None` where the platform cannot see what the formula needs.
#[derive(Clone, Copy, Debug)]
struct Column(Option<&'static Feature>);

impl FeatureStream {
    /// An engine that has seen nothing yet.
    ///
    /// # Errors
    /// If the spec is out of its limits.
    pub fn new(view: &PlatformView, spec: &FeatureSpec) -> Result<Self, FeatureError> {
        spec.validate()?;
        let seen =
            |feature: &'static Feature| Column(feature.def.is_seen_by(&view.schema).then_some(feature));
        let mut stream = Self {
            platform: view.id,
            schema: view.schema,
            spec: *spec,
            until: SimTime(i32::MIN),
            codes: Vec::new(),
            shards: Vec::new(),
            columns: dictionary::features(spec.label_adjacent).map(seen).collect(),
        };
        stream.refresh(&view.profiles);
        Ok(stream)
    }

    /// Takes the platform's current profiles: new accounts are appended, changed ones are replaced.
    pub fn refresh(&mut self, profiles: &[AccountProfile]) {
        let schema = self.schema;
        self.codes.clear();
        self.codes.extend(profiles.iter().map(|profile| codes(profile, &schema)));
        let size = 1 << SHARD_BITS;
        #[allow(clippy::cast_possible_truncation)] // account ids are 32-bit
        self.shards.extend(
            (self.shards.len()..profiles.len().div_ceil(size))
                .map(|shard| Shard::new((shard * size) as u32, &self.spec)),
        );
        for (number, shard) in self.shards.iter_mut().enumerate() {
            shard.grow((profiles.len() - number * size).min(size));
        }
    }

    #[inline]
    fn shard(&self, account: AccountId) -> &Shard {
        &self.shards[account.index() >> SHARD_BITS]
    }

    /// Whose events these are.
    #[must_use]
    pub const fn platform(&self) -> PlatformId {
        self.platform
    }

    /// Rows are as of this instant: the end of the latest batch.
    #[must_use]
    pub const fn until(&self) -> SimTime {
        self.until
    }

    /// Columns of a row.
    #[must_use]
    pub const fn columns(&self) -> usize {
        self.columns.len()
    }

    /// The accounts that existed strictly before `cutoff`, by id.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // account ids are 32-bit
    pub fn existing(&self, cutoff: SimTime) -> Vec<AccountId> {
        let old = self.codes.iter().enumerate().filter(|(_, codes)| codes.created < cutoff);
        old.map(|(account, _)| AccountId(account as u32)).collect()
    }

    /// Takes the sorted events from the end of the batch before up to (not including) `until`.
    ///
    /// # Panics
    /// If the batch reaches outside these bounds or names an account without a profile: the log broke its law.
    pub fn observe(&mut self, until: SimTime, events: &[Event]) {
        if let (Some(first), Some(last)) = (events.first(), events.last()) {
            assert!(
                first.time >= self.until,
                "a batch overlaps the one before: {} < {}",
                first.time,
                self.until
            );
            assert!(last.time < until, "a batch reaches past its end: {} >= {until}", last.time);
        }
        debug_assert!(events.is_sorted(), "a batch is not sorted");
        #[allow(clippy::cast_possible_truncation)] // four thousand million events are no batch
        for (number, event) in events.iter().enumerate().filter(|(_, event)| self.schema.sees(event.kind)) {
            let (number, actor, peer) = (number as u32, event.actor, event.peer);
            match sides(event) {
                0 => {}
                1 => self.shards[actor.index() >> SHARD_BITS].note(number, actor, AccountId::NONE, 0),
                _ => {
                    self.shards[actor.index() >> SHARD_BITS].note(number, actor, peer, 0);
                    self.shards[peer.index() >> SHARD_BITS].note(number, peer, actor, 1);
                }
            }
        }
        let label_adjacent = self.spec.label_adjacent;
        let batch = Batch { events, schema: &self.schema, codes: &self.codes, label_adjacent };
        if events.len() < PARALLEL {
            self.shards.iter_mut().for_each(|shard| shard.take(&batch));
        } else {
            self.shards.par_iter_mut().for_each(|shard| shard.take(&batch));
        }
        self.until = until;
    }

    /// The rows of `accounts` as of [`until`](Self::until).
    ///
    /// # Panics
    /// If an account has no profile.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // scaled values; fewer than 2^32 reads a block
    pub fn snapshot(&self, accounts: &[AccountId]) -> RowBlock {
        let empty = RowBlock {
            platform: self.platform,
            cutoff: self.until,
            columns: self.columns(),
            values: Vec::new(),
            accounts: Vec::new(),
            reads: Vec::new(),
            read_offsets: vec![0],
        };
        let parts: Vec<RowBlock> = accounts
            .par_chunks(ROWS_OF_A_TASK)
            .map(|accounts| {
                let mut part = empty.clone();
                self.rows(accounts, &mut part);
                part
            })
            .collect();
        let mut block = empty;
        block.values.reserve_exact(accounts.len() * self.columns());
        block.accounts = accounts.to_vec();
        for part in parts {
            let before = block.reads.len() as u32;
            block.values.extend(part.values);
            block.reads.extend(part.reads);
            block.read_offsets.extend(part.read_offsets[1..].iter().map(|offset| before + offset));
        }
        block
    }

    #[allow(clippy::cast_possible_truncation)] // fewer than 2^32 reads a block
    fn rows(&self, accounts: &[AccountId], part: &mut RowBlock) {
        let mut summary = Summary::new(self.spec.max_contacts);
        let mut sampled = Vec::new();
        part.values.reserve_exact(accounts.len() * self.columns());
        for &account in accounts {
            self.shard(account).samples().sorted_into(account, &mut sampled);
            self.summarise(account, &sampled, &mut summary);
            part.values.extend(self.columns.iter().map(|column| column.value(&summary)));
            part.reads.push(account);
            part.reads.extend(sampled.iter().map(|&(peer, _)| peer));
            part.read_offsets.push(part.reads.len() as u32);
        }
    }

    fn summarise(&self, account: AccountId, sampled: &[(AccountId, usize)], summary: &mut Summary) {
        let shard = self.shard(account);
        let (codes, sees) = (self.codes[account.index()], self.schema.sees(EventKind::SessionOpen));
        summary.begin(codes, shard.own(account), self.until, sees);
        for &(peer, slot) in sampled {
            summary.add(self.codes[peer.index()], shard.dyad(slot));
        }
        summary.end(shard.samples().contacts(account));
    }

    /// The latest events of `account` before [`until`](Self::until), oldest first, at most `sequence-length`. Reads the
    /// same accounts as its row.
    ///
    /// # Panics
    /// If the account has no profile.
    #[must_use]
    pub fn sequence(&self, account: AccountId) -> Vec<Token> {
        let shard = self.shard(account);
        let mut sampled = Vec::new();
        shard.samples().sorted_into(account, &mut sampled);
        let mut held = Vec::new();
        let (own_rings, ring) = shard.own_ring(account);
        own_rings.read(ring, NO_PEER, &mut held);
        for (peer, slot) in sampled {
            shard.rings().read(slot, self.codes[peer.index()].age, &mut held);
        }
        sequence::merge(held, usize::from(self.spec.sequence_length))
    }

    /// The sequences of `accounts` as of [`until`](Self::until).
    ///
    /// # Panics
    /// If an account has no profile.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // fewer than 2^32 tokens a block
    pub fn sequence_block(&self, accounts: &[AccountId]) -> SequenceBlock {
        let parts: Vec<(Vec<u16>, Vec<u32>)> = accounts
            .par_chunks(ROWS_OF_A_TASK)
            .map(|accounts| {
                let (mut codes, mut lengths) = (Vec::new(), Vec::with_capacity(accounts.len()));
                for &account in accounts {
                    let tokens = self.sequence(account);
                    lengths.push(tokens.len() as u32);
                    codes.extend(tokens.iter().map(Token::code));
                }
                (codes, lengths)
            })
            .collect();
        let (mut codes, mut ends) = (Vec::new(), Vec::with_capacity(accounts.len()));
        for (part, lengths) in parts {
            codes.extend(part);
            ends.extend(lengths.iter().scan(ends.last().copied().unwrap_or(0), |end, length| {
                *end += length;
                Some(*end)
            }));
        }
        SequenceBlock {
            platform: self.platform,
            cutoff: self.until,
            accounts: accounts.to_vec(),
            codes,
            ends,
        }
    }

    /// What every sampled contact of `accounts` adds to their rows, as of [`until`](Self::until). Reads the same accounts as the rows.
    ///
    /// # Panics
    /// If an account has no profile.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // fewer than 2^32 contacts a block
    pub fn contact_block(&self, accounts: &[AccountId]) -> ContactBlock {
        let mut block = ContactBlock {
            platform: self.platform,
            cutoff: self.until,
            columns: contact::contact_columns(self.spec.label_adjacent).len(),
            accounts: accounts.to_vec(),
            contacts: Vec::new(),
            values: Vec::new(),
            ends: Vec::with_capacity(accounts.len()),
        };
        let mut sampled = Vec::new();
        for &account in accounts {
            let (shard, own) = (self.shard(account), self.codes[account.index()]);
            shard.samples().sorted_into(account, &mut sampled);
            for &(peer, slot) in &sampled {
                block.contacts.push(peer);
                let theirs = self.codes[peer.index()];
                contact::push(self.spec.label_adjacent, own, theirs, shard.dyad(slot), &mut block.values);
            }
            block.ends.push(block.contacts.len() as u32);
        }
        block
    }

    /// The literal rule's numbers of `account`. They count every contact: the bound on reads does not cover them.
    ///
    /// # Panics
    /// If the account has no profile.
    #[must_use]
    pub fn literal_rule(&self, account: AccountId) -> LiteralRule {
        self.shard(account).rule(account)
    }

    /// The literal rule's numbers of `accounts`.
    ///
    /// # Panics
    /// If an account has no profile.
    #[must_use]
    pub fn rule_block(&self, accounts: &[AccountId]) -> RuleBlock {
        let rules = accounts.iter().map(|&account| self.literal_rule(account)).collect();
        RuleBlock { platform: self.platform, cutoff: self.until, accounts: accounts.to_vec(), rules }
    }
}

impl Column {
    #[allow(clippy::cast_possible_truncation)] // values lie in -1..=1
    fn value(self, summary: &Summary) -> f32 {
        self.0.map_or(0.0, |feature| (feature.value)(summary) as f32)
    }
}

/// What the platform's schema lets it know of a profile.
pub(crate) fn codes(profile: &AccountProfile, schema: &PlatformSchema) -> Codes {
    let age = profile.declared_age.filter(|_| schema.sees_age);
    let region = profile.region.filter(|_| schema.sees_region);
    Codes {
        age: age.map_or(UNKNOWN_AGE, |age| age as u8),
        region: region.unwrap_or(UNKNOWN_REGION),
        created: profile.created,
    }
}
