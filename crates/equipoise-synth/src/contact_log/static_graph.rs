//! The undirected graph behind a log: two accounts are linked if either ever wrote to the other.

use super::{ContactLog, Dyads};
use rayon::prelude::*;

/// A simple undirected graph over accounts `0..bound`, neighbours sorted. Accounts without a neighbour are not part of
/// any statistic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StaticGraph {
    starts: Vec<usize>,
    neighbours: Vec<u32>,
}

impl StaticGraph {
    /// The graph of a log.
    #[must_use]
    pub fn of(log: &ContactLog) -> Self {
        Self::of_dyads(&Dyads::of(log), log.bound())
    }

    /// The graph of dyads that were grouped already.
    #[must_use]
    pub fn of_dyads(dyads: &Dyads, bound: usize) -> Self {
        Self::build(bound, dyads.pairs())
    }

    /// A graph of given edges, for instance of contacts instead of messages. Directions, repetitions and loops are
    /// forgotten.
    ///
    /// # Panics
    /// If an edge names an account at or above `bound`.
    #[must_use]
    pub fn from_edges(bound: usize, edges: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let mut pairs: Vec<(u32, u32)> =
            edges.into_iter().filter(|(a, b)| a != b).map(|(a, b)| (a.min(b), a.max(b))).collect();
        pairs.par_sort_unstable();
        pairs.dedup();
        Self::build(bound, &pairs)
    }

    /// From pairs (low, high), sorted and distinct.
    fn build(bound: usize, pairs: &[(u32, u32)]) -> Self {
        let mut starts = vec![0_usize; bound + 1];
        for &(a, b) in pairs {
            starts[a as usize + 1] += 1;
            starts[b as usize + 1] += 1;
        }
        for v in 0..bound {
            starts[v + 1] += starts[v];
        }
        let mut next = starts.clone();
        let mut neighbours = vec![0_u32; 2 * pairs.len()];
        // Lower neighbours first: pairs are sorted by (low, high), so that both passes fill in ascending order.
        for &(a, b) in pairs {
            neighbours[next[b as usize]] = a;
            next[b as usize] += 1;
        }
        for &(a, b) in pairs {
            neighbours[next[a as usize]] = b;
            next[a as usize] += 1;
        }
        Self { starts, neighbours }
    }

    /// Length of arrays by account.
    #[must_use]
    pub fn bound(&self) -> usize {
        self.starts.len() - 1
    }

    /// How many linked pairs there are.
    #[must_use]
    pub fn edges(&self) -> usize {
        self.neighbours.len() / 2
    }

    /// The accounts that `account` is linked to, ascending.
    #[must_use]
    pub fn neighbours(&self, account: u32) -> &[u32] {
        &self.neighbours[self.starts[account as usize]..self.starts[account as usize + 1]]
    }

    /// How many accounts `account` is linked to.
    #[must_use]
    pub fn degree(&self, account: u32) -> usize {
        self.neighbours(account).len()
    }

    /// Every account that has a neighbour, ascending.
    pub fn accounts(&self) -> impl Iterator<Item = u32> + '_ {
        (0_u32..)
            .zip(self.starts.windows(2))
            .filter(|(_, span)| span[0] < span[1])
            .map(|(account, _)| account)
    }

    /// Every linked pair once, as (low, high), ascending.
    pub fn pairs(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.accounts().flat_map(|low| {
            self.neighbours(low).iter().filter(move |&&high| high > low).map(move |&high| (low, high))
        })
    }

    /// The degrees of [`StaticGraph::accounts`], in its order.
    #[must_use]
    pub fn degrees(&self) -> Vec<u64> {
        self.accounts().map(|account| self.degree(account) as u64).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_directions_and_loops_are_forgotten() {
        let graph = StaticGraph::from_edges(6, [(3, 1), (1, 3), (2, 2), (1, 4), (0, 1)]);
        assert_eq!(graph.neighbours(1), [0, 3, 4]);
        assert_eq!(graph.pairs().collect::<Vec<_>>(), [(0, 1), (1, 3), (1, 4)]);
        assert_eq!(graph.accounts().collect::<Vec<_>>(), [0, 1, 3, 4]);
        assert_eq!((graph.edges(), graph.degrees()), (3, vec![1, 3, 1, 1]));
    }
}
