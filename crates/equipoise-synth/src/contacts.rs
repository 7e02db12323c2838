//! The contact graph of one platform: a fixed part from the world's ties and a growing part of accepted requests.

use equipoise_core::{AccountId, ContactView};

/// Accepted contacts by account. Fixed lists exist twice: closest first (for choosing) and sorted (for looking up).
#[derive(Clone, Debug)]
pub(crate) struct Contacts {
    offsets: Vec<u32>,
    closest: Vec<u32>,
    sorted: Vec<u32>,
    extra: Vec<Vec<u32>>,
}

impl Contacts {
    /// From pairs with a rank (smaller is closer); pairs are unique and undirected.
    #[allow(clippy::cast_possible_truncation)]
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
        Self { offsets, closest, sorted, extra: vec![Vec::new(); accounts] }
    }

    fn range(&self, account: u32) -> std::ops::Range<usize> {
        self.offsets[account as usize] as usize..self.offsets[account as usize + 1] as usize
    }

    /// Fixed contacts, closest first.
    pub(crate) fn closest(&self, account: u32) -> &[u32] {
        &self.closest[self.range(account)]
    }

    /// Fixed contacts, sorted.
    pub(crate) fn sorted(&self, account: u32) -> &[u32] {
        &self.sorted[self.range(account)]
    }

    /// Contacts accepted later, in order.
    pub(crate) fn extra(&self, account: u32) -> &[u32] {
        &self.extra[account as usize]
    }

    pub(crate) fn degree(&self, account: u32) -> usize {
        self.range(account).len() + self.extra[account as usize].len()
    }

    pub(crate) fn linked(&self, a: u32, b: u32) -> bool {
        self.sorted[self.range(a)].binary_search(&b).is_ok() || self.extra[a as usize].contains(&b)
    }

    pub(crate) fn add(&mut self, a: u32, b: u32) {
        if a != b && !self.linked(a, b) {
            self.extra[a as usize].push(b);
            self.extra[b as usize].push(a);
        }
    }

    /// Shared contacts, counted exactly.
    #[allow(clippy::cast_possible_truncation)]
    pub(crate) fn shared(&self, a: u32, b: u32) -> u32 {
        let (a, b) = if self.degree(a) <= self.degree(b) { (a, b) } else { (b, a) };
        let mut count = 0;
        for other in self.sorted[self.range(a)].iter().chain(&self.extra[a as usize]) {
            count += u32::from(self.linked(b, *other));
        }
        count
    }
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

    #[test]
    fn accepted_requests_join_the_fixed_ties() {
        // 0 knows 1 and 2; 3 knows 2.
        let mut contacts = Contacts::new(5, &[(0, 1, 9), (0, 2, 4), (2, 3, 1)]);
        assert_eq!(contacts.closest(0), [2, 1]);
        assert_eq!(contacts.shared(0, 3), 1);
        contacts.add(3, 1);
        contacts.add(1, 3);
        assert!(contacts.linked(1, 3) && !contacts.linked(0, 3) && !contacts.linked(4, 0));
        assert_eq!(contacts.extra(3), [1]);
        assert_eq!(contacts.shared(0, 3), 2);
    }
}
