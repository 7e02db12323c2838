//! The public sample of an account's contacts: the `m` of lowest priority, kept online.
//!
//! Bottom-k sampling (Cohen and Kaplan, PODC 2007) with a priority that is a hash of (public seed, own account, peer).
//! The priority never looks at the data, so a contact that is in the final sample has been in it since its first
//! event: the worst priority of a full sample only falls. Statistics of sampled contacts are therefore complete, and
//! an evicted contact never comes back. The sample also tells how many contacts there are (the k-minimum-values
//! estimate, Bar-Yossef et al., RANDOM 2002) without reading any more of them.
//!
//! All samples of a platform share one arena of slots; an account owns a contiguous chunk that doubles up to `m`.

use equipoise_core::{AccountId, Seed};

/// One account's place in the arena.
#[derive(Clone, Copy, Debug, Default)]
struct Chunk {
    offset: u32,
    length: u16,
    capacity: u16,
    /// Where in the chunk the worst priority sits; meaningful once the sample is full.
    worst_at: u16,
    worst: u64,
}

/// What became of a contact that was looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Sampled before; the slot of the arena.
    Known(usize),
    /// Just entered the sample; the slot is to be cleared by the caller.
    Entered(usize),
    /// Not in the sample, and never will be.
    Outside,
}

/// The samples of all accounts of a platform, over a caller's arenas that are indexed by slot.
#[derive(Debug)]
pub(crate) struct Samples {
    key: u64,
    limit: u16,
    /// The account of the first chunk.
    first: u32,
    chunks: Vec<Chunk>,
    peers: Vec<u32>,
    /// Freed chunks by the logarithm of their capacity.
    free: [Vec<u32>; 16],
    /// A chunk that moved in the latest `enter`: (from, to, length). The caller moves its arenas alike.
    moved: Option<(usize, usize, usize)>,
}

const SMALLEST: u16 = 4;

impl Samples {
    pub(crate) fn new(contact_seed: u64, limit: u16, accounts: usize) -> Self {
        let key = Seed::root(contact_seed).derive("contact-sample", 0).fingerprint();
        let chunks = vec![Chunk::default(); accounts];
        Self { key, limit, first: 0, chunks, peers: Vec::new(), free: Default::default(), moved: None }
    }

    /// The same samples for accounts from `first` on, none yet.
    pub(crate) fn starting_at(first: u32, contact_seed: u64, limit: u16) -> Self {
        Self { first, ..Self::new(contact_seed, limit, 0) }
    }

    #[inline]
    const fn place(&self, own: AccountId) -> usize {
        (own.0 - self.first) as usize
    }

    /// Makes room for `accounts` accounts.
    pub(crate) fn grow(&mut self, accounts: usize) {
        self.chunks.resize(accounts.max(self.chunks.len()), Chunk::default());
    }

    /// The rank of `peer` among the contacts of `own`: lower is kept. Distinct peers never tie.
    #[inline]
    pub(crate) fn priority(&self, own: AccountId, peer: AccountId) -> u64 {
        mix(mix(self.key ^ u64::from(own.0).wrapping_mul(0x9E37_79B9_7F4A_7C15)) ^ u64::from(peer.0))
    }

    /// The slot of `peer` in the sample of `own`, if it is in there.
    #[inline]
    pub(crate) fn find(&self, own: AccountId, peer: AccountId) -> Option<usize> {
        let chunk = &self.chunks[self.place(own)];
        let offset = chunk.offset as usize;
        let peers = &self.peers[offset..offset + usize::from(chunk.length)];
        position(peers, peer.0).map(|at| offset + at)
    }

    /// Looks `peer` up in the sample of `own` and lets it enter if it belongs there.
    #[inline]
    pub(crate) fn find_or_enter(&mut self, own: AccountId, peer: AccountId) -> Found {
        if let Some(slot) = self.find(own, peer) {
            return Found::Known(slot);
        }
        let chunk = self.chunks[self.place(own)];
        if chunk.length < self.limit {
            return Found::Entered(self.append(own, peer));
        }
        if self.priority(own, peer) > chunk.worst {
            return Found::Outside;
        }
        let slot = chunk.offset as usize + usize::from(chunk.worst_at);
        self.peers[slot] = peer.0;
        self.find_worst(own);
        Found::Entered(slot)
    }

    /// The move that the latest `Found::Entered` made necessary: (from, to, length), in slots.
    #[inline]
    pub(crate) fn take_move(&mut self) -> Option<(usize, usize, usize)> {
        self.moved.take()
    }

    /// How many slots the arena has.
    #[inline]
    pub(crate) const fn slots(&self) -> usize {
        self.peers.len()
    }

    /// Writes (peer, slot) of the sample of `own` into `out`, by peer: an order that no eviction can have touched.
    pub(crate) fn sorted_into(&self, own: AccountId, out: &mut Vec<(AccountId, usize)>) {
        out.clear();
        let chunk = &self.chunks[self.place(own)];
        let slots = chunk.offset as usize..chunk.offset as usize + usize::from(chunk.length);
        out.extend(slots.map(|slot| (AccountId(self.peers[slot]), slot)));
        out.sort_unstable();
    }

    /// How many contacts `own` has: exact while the sample is not full, then the k-minimum-values estimate, whose
    /// relative standard error is about `1 / sqrt(m - 2)`.
    #[allow(clippy::cast_precision_loss)] // 53 bits of a hash are plenty
    pub(crate) fn contacts(&self, own: AccountId) -> f64 {
        let chunk = &self.chunks[self.place(own)];
        let length = f64::from(chunk.length);
        if chunk.length < self.limit {
            return length;
        }
        let worst = (chunk.worst as f64 + 1.0) / 18_446_744_073_709_551_616.0;
        ((length - 1.0) / worst).max(length)
    }

    fn append(&mut self, own: AccountId, peer: AccountId) -> usize {
        let chunk = self.chunks[self.place(own)];
        if chunk.length == chunk.capacity {
            self.double(own);
        }
        let place = self.place(own);
        let chunk = &mut self.chunks[place];
        let slot = chunk.offset as usize + usize::from(chunk.length);
        chunk.length += 1;
        let full = chunk.length == self.limit;
        self.peers[slot] = peer.0;
        if full {
            self.find_worst(own);
        }
        slot
    }

    #[allow(clippy::cast_possible_truncation)] // four thousand million slots do not fit in memory
    fn double(&mut self, own: AccountId) {
        let old = self.chunks[self.place(own)];
        let capacity = if old.capacity == 0 { SMALLEST } else { old.capacity * 2 };
        let offset = self.free[class(capacity)].pop().unwrap_or_else(|| {
            let end = self.peers.len();
            self.peers.resize(end + usize::from(capacity), u32::MAX);
            end as u32
        });
        if old.capacity > 0 {
            let (from, to, length) = (old.offset as usize, offset as usize, usize::from(old.length));
            self.peers.copy_within(from..from + length, to);
            self.free[class(old.capacity)].push(old.offset);
            self.moved = Some((from, to, length));
        }
        let place = self.place(own);
        self.chunks[place] = Chunk { offset, capacity, ..old };
    }

    fn find_worst(&mut self, own: AccountId) {
        let chunk = self.chunks[self.place(own)];
        let offset = chunk.offset as usize;
        let peers = &self.peers[offset..offset + usize::from(chunk.length)];
        let ranked = (0_u16..).zip(peers).map(|(at, &peer)| (self.priority(own, AccountId(peer)), at));
        let (worst, worst_at) = ranked.max().expect("a full sample is not empty");
        let place = self.place(own);
        self.chunks[place] = Chunk { worst, worst_at, ..chunk };
    }
}

#[inline]
const fn class(capacity: u16) -> usize {
    capacity.trailing_zeros() as usize
}

/// The place of `wanted` in `peers`. Always looks at all of them: a vector loop without a branch to mispredict.
#[inline]
fn position(peers: &[u32], wanted: u32) -> Option<usize> {
    let mut found = 0_u32;
    for (place, &peer) in (1_u32..).zip(peers) {
        found = found.max(if peer == wanted { place } else { 0 });
    }
    (found > 0).then(|| found as usize - 1)
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): a bijection, so distinct peers get distinct ranks.
#[inline]
const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OWN: AccountId = AccountId(1);

    fn sample(samples: &Samples) -> Vec<AccountId> {
        let mut out = Vec::new();
        samples.sorted_into(OWN, &mut out);
        out.into_iter().map(|(peer, _)| peer).collect()
    }

    proptest! {
        #[test]
        fn the_sample_is_the_bottom_m_whatever_the_order(
            peers in proptest::collection::vec(2_u32..200, 0..400), m in 1_u16..40, seed in any::<u64>(),
        ) {
            let mut samples = Samples::new(seed, m, 2);
            let mut entered = std::collections::BTreeSet::new();
            for &peer in &peers {
                let first = entered.insert(peer);
                if let Found::Entered(_) = samples.find_or_enter(OWN, AccountId(peer)) {
                    prop_assert!(first, "a contact can enter at its first event only");
                }
            }
            let mut want: Vec<AccountId> = entered.into_iter().map(AccountId).collect();
            want.sort_by_key(|&peer| samples.priority(OWN, peer));
            want.truncate(usize::from(m));
            want.sort_unstable();
            prop_assert_eq!(sample(&samples), want);
        }
    }

    #[test]
    fn chunks_of_neighbours_do_not_touch() {
        let mut samples = Samples::new(3, 64, 8);
        for peer in 100..160 {
            for own in 0..8 {
                samples.find_or_enter(AccountId(own), AccountId(peer));
            }
        }
        let mut out = Vec::new();
        for own in 0..8 {
            samples.sorted_into(AccountId(own), &mut out);
            assert!(out.iter().map(|(peer, _)| peer.0).eq(100..160));
        }
    }

    /// Mean of 400 accounts with 1,000 contacts at m = 32: standard error 1000 / sqrt(30) / 20 = 9; five of them.
    #[test]
    fn a_full_sample_still_tells_how_many_contacts_there_are() {
        let mut samples = Samples::new(5, 32, 400);
        for own in 0..400 {
            for peer in 1000..2000 {
                samples.find_or_enter(AccountId(own), AccountId(peer));
            }
        }
        let mean = (0..400).map(|own| samples.contacts(AccountId(own))).sum::<f64>() / 400.0;
        assert!((mean - 1000.0).abs() < 46.0, "got {mean}");
    }
}
