//! The contact graph of one platform: a fixed part from the world's ties, which runs share, and a growing part of
//! accepted requests, which says of each contact since when it can be seen.

use crate::commit::pair;
use crate::stream::mix;
use equipoise_core::{AccountId, ContactView};
use std::sync::Arc;

/// What a contact is to those who talk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Bond {
    /// A tie, or somebody whom a tie of either knows.
    Known,
    /// Accepted without anybody in common, and spoken to.
    Stranger,
    /// Accepted without anybody in common, and never spoken to.
    Quiet,
}

/// A contact that was accepted during the run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Later {
    pub(crate) peer: u32,
    pub(crate) bond: Bond,
    /// The end of the tick in which it was accepted.
    pub(crate) since: i32,
}

/// Lists by account, twice: closest first (for choosing) and sorted (for looking up).
#[derive(Debug)]
struct Fixed {
    offsets: Vec<u32>,
    closest: Vec<u32>,
    sorted: Vec<u32>,
}

/// Accepted contacts by account.
#[derive(Clone, Debug)]
pub(crate) struct Contacts {
    fixed: Arc<Fixed>,
    later: Vec<Vec<Later>>,
    /// A bit for each pair in contact, at a place that the pair names: where it is not set, the lists need not be read.
    marks: Vec<u64>,
}

/// Bits of marks a fixed contact: one stranger in eight or fewer shares a bit with a pair, and the marks of a platform stay small.
const BITS_OF_A_PAIR: usize = 8;

impl Contacts {
    /// From pairs with a rank (smaller is closer); pairs are unique and undirected.
    pub(crate) fn new(accounts: usize, pairs: &[(u32, u32, u32)]) -> Self {
        let mut both: Vec<(u32, u32, u32)> =
            pairs.iter().flat_map(|(a, b, rank)| [(*a, *rank, *b), (*b, *rank, *a)]).collect();
        both.sort_unstable();
        let mut offsets = vec![0_u32; accounts + 1];
        for (a, _, _) in &both {
            offsets[*a as usize + 1] += 1;
        }
        for at in 0..accounts {
            offsets[at + 1] += offsets[at];
        }
        let closest: Vec<u32> = both.iter().map(|(_, _, b)| *b).collect();
        let mut sorted = closest.clone();
        for at in 0..accounts {
            sorted[offsets[at] as usize..offsets[at + 1] as usize].sort_unstable();
        }
        let fixed = Arc::new(Fixed { offsets, closest, sorted });
        let words = (pairs.len().max(accounts) * BITS_OF_A_PAIR / 64).next_power_of_two();
        let mut contacts = Self { fixed, later: vec![Vec::new(); accounts], marks: vec![0; words] };
        pairs.iter().for_each(|(a, b, _)| contacts.mark(*a, *b));
        contacts
    }

    /// Where the bit of a pair is: the same whichever side asks.
    #[allow(clippy::cast_possible_truncation)]
    const fn place(&self, a: u32, b: u32) -> (usize, u64) {
        let (low, high) = pair(a, b);
        let place = mix(((low as u64) << 32) | high as u64);
        ((place >> 6) as usize & (self.marks.len() - 1), 1 << (place & 63))
    }

    fn mark(&mut self, a: u32, b: u32) {
        let (word, bit) = self.place(a, b);
        self.marks[word] |= bit;
    }

    fn range(&self, account: u32) -> std::ops::Range<usize> {
        let offsets = &self.fixed.offsets;
        offsets[account as usize] as usize..offsets[account as usize + 1] as usize
    }

    /// Fixed contacts, closest first.
    pub(crate) fn closest(&self, account: u32) -> &[u32] {
        &self.fixed.closest[self.range(account)]
    }

    /// Fixed contacts, sorted.
    pub(crate) fn sorted(&self, account: u32) -> &[u32] {
        &self.fixed.sorted[self.range(account)]
    }

    /// Contacts accepted later, in order.
    pub(crate) fn extra(&self, account: u32) -> &[Later] {
        &self.later[account as usize]
    }

    /// Those of them that could be seen at `time`.
    pub(crate) fn extra_at(&self, account: u32, time: i32) -> &[Later] {
        let later = self.extra(account);
        let end = later.iter().rposition(|one| one.since <= time).map_or(0, |last| last + 1);
        &later[..end]
    }

    pub(crate) fn linked(&self, a: u32, b: u32) -> bool {
        let (word, bit) = self.place(a, b);
        self.marks[word] & bit != 0
            && (self.sorted(a).binary_search(&b).is_ok() || self.extra(a).iter().any(|one| one.peer == b))
    }

    /// A contact from before the window.
    pub(crate) fn add(&mut self, a: u32, b: u32) {
        self.add_at(a, b, i32::MIN, Bond::Known);
    }

    /// A contact that can be seen from `since` on; calls come in the order of time.
    pub(crate) fn add_at(&mut self, a: u32, b: u32, since: i32, bond: Bond) {
        if a != b && !self.linked(a, b) {
            self.mark(a, b);
            self.later[a as usize].push(Later { peer: b, bond, since });
            self.later[b as usize].push(Later { peer: a, bond, since });
        }
    }

    /// Whether both knew somebody in common before the window. Contacts accepted since do not count: else everybody would
    /// soon be an acquaintance of everybody, one request after another.
    pub(crate) fn acquainted(&self, a: u32, b: u32) -> bool {
        self.acquainted_by(None, a, b)
    }

    /// Whether two are acquainted, where somebody counted the fixed contacts that they share.
    pub(crate) fn acquainted_by(&self, tied: Option<bool>, a: u32, b: u32) -> bool {
        let known = |one: &&Later| one.since == i32::MIN;
        tied.unwrap_or_else(|| meet(self.sorted(a), self.sorted(b)))
            || self.extra(a).iter().filter(known).any(|one| self.knows(b, one.peer))
            || self.extra(b).iter().filter(known).any(|one| self.sorted(a).binary_search(&one.peer).is_ok())
    }

    fn knows(&self, a: u32, b: u32) -> bool {
        let later = |one: &Later| one.peer == b && one.since == i32::MIN;
        self.sorted(a).binary_search(&b).is_ok() || self.extra(a).iter().any(later)
    }

    /// Shared contacts, counted exactly.
    pub(crate) fn shared(&self, a: u32, b: u32) -> u32 {
        self.tied(a, b) + self.shared_later(a, b)
    }

    /// Shared contacts among the fixed ones.
    pub(crate) fn tied(&self, a: u32, b: u32) -> u32 {
        common(self.sorted(a), self.sorted(b))
    }

    /// Shared contacts of which at least one side accepted later.
    pub(crate) fn shared_later(&self, a: u32, b: u32) -> u32 {
        let mut count = 0;
        for one in self.extra(a) {
            count += u32::from(self.linked(b, one.peer));
        }
        for one in self.extra(b) {
            count += u32::from(self.sorted(a).binary_search(&one.peer).is_ok());
        }
        count
    }
}

/// Whether two sorted lists share a number.
fn meet(one: &[u32], other: &[u32]) -> bool {
    let (mut at, mut beside) = (0, 0);
    while let (Some(a), Some(b)) = (one.get(at), other.get(beside)) {
        if a == b {
            return true;
        }
        (at, beside) = (at + usize::from(a < b), beside + usize::from(b < a));
    }
    false
}

/// How many numbers two sorted lists share.
fn common(one: &[u32], other: &[u32]) -> u32 {
    // Which list goes on is arithmetic, not a branch: nobody could foretell it.
    let (mut at, mut beside, mut count) = (0, 0, 0);
    while let (Some(a), Some(b)) = (one.get(at), other.get(beside)) {
        count += u32::from(a == b);
        (at, beside) = (at + usize::from(a <= b), beside + usize::from(b <= a));
    }
    count
}

impl ContactView for Contacts {
    fn connected(&self, a: AccountId, b: AccountId) -> bool {
        self.linked(a.0, b.0)
    }

    fn mutuals(&self, a: AccountId, b: AccountId) -> u32 {
        self.shared(a.0, b.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn accepted_requests_join_the_fixed_ties() {
        // 0 knows 1 and 2; 3 knows 2.
        let mut contacts = Contacts::new(5, &[(0, 1, 9), (0, 2, 4), (2, 3, 1)]);
        assert_eq!(contacts.closest(0), [2, 1]);
        assert_eq!(contacts.shared(0, 3), 1);
        assert!(contacts.acquainted(0, 3) && !contacts.acquainted(4, 0) && !contacts.acquainted(3, 1));
        contacts.add_at(3, 1, 50, Bond::Known);
        contacts.add(1, 3);
        assert!(contacts.linked(1, 3) && !contacts.linked(0, 3) && !contacts.linked(4, 0));
        assert_eq!(contacts.extra(3), [Later { peer: 1, bond: Bond::Known, since: 50 }]);
        assert_eq!((contacts.extra_at(3, 49).len(), contacts.extra_at(3, 50).len()), (0, 1));
        assert_eq!(contacts.shared(0, 3), 2);
    }

    #[test]
    fn an_accepted_request_makes_no_acquaintances() {
        // 0 knows 1; 2 knows 3; 4 knows nobody.
        let mut contacts = Contacts::new(5, &[(0, 1, 0), (2, 3, 0)]);
        contacts.add_at(0, 2, 10, Bond::Stranger);
        assert!(contacts.shared(0, 3) == 1 && !contacts.acquainted(0, 3));
        contacts.add(4, 3);
        assert!(contacts.acquainted(4, 2) && contacts.acquainted(2, 4));
    }

    #[test]
    fn shared_contacts_are_the_intersection_of_the_two_lists() {
        use equipoise_core::{Draw, Seed};
        let mut rng = Seed::root(2).rng();
        let mut pairs: BTreeSet<(u32, u32)> = BTreeSet::new();
        for _ in 0..120 {
            let (a, b) = (rng.below(30) as u32, rng.below(30) as u32);
            if a < b {
                pairs.insert((a, b));
            }
        }
        let fixed: Vec<(u32, u32, u32)> = pairs.iter().step_by(2).map(|(a, b)| (*a, *b, 0)).collect();
        let mut contacts = Contacts::new(30, &fixed);
        for (a, b) in pairs.iter().skip(1).step_by(2) {
            contacts.add_at(*a, *b, 0, Bond::Known);
        }
        let of = |a: u32| -> BTreeSet<u32> {
            pairs.iter().filter_map(|(x, y)| (*x == a).then_some(*y).or((*y == a).then_some(*x))).collect()
        };
        for a in 0..30 {
            for b in 0..30 {
                assert_eq!(contacts.shared(a, b) as usize, of(a).intersection(&of(b)).count(), "{a} {b}");
            }
        }
    }
}
