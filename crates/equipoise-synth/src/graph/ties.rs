//! The graph of persons in flat arrays, for statistics. It is truth: only the runner, the benches and tests read it.

use super::{Edge, TieKind};
use equipoise_core::PersonId;

/// Every tie of the world, from both sides; peers are sorted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ties {
    offsets: Vec<u32>,
    peers: Vec<u32>,
    kinds: Vec<TieKind>,
}

impl Ties {
    /// From sorted, unique edges.
    pub(crate) fn new(persons: usize, edges: &[Edge]) -> Self {
        let mut offsets = vec![0_u32; persons + 1];
        for edge in edges {
            offsets[edge.a as usize + 1] += 1;
            offsets[edge.b as usize + 1] += 1;
        }
        for at in 0..persons {
            offsets[at + 1] += offsets[at];
        }
        let mut next = offsets.clone();
        let mut peers = vec![0_u32; 2 * edges.len()];
        let mut kinds = vec![TieKind::Loose; 2 * edges.len()];
        // Sorted edges fill every row in ascending order: first the smaller peers (as `b`), then the larger (as `a`).
        let mut put = |at: u32, peer: u32, kind: TieKind| {
            let place = &mut next[at as usize];
            (peers[*place as usize], kinds[*place as usize]) = (peer, kind);
            *place += 1;
        };
        for edge in edges {
            put(edge.b, edge.a, edge.kind);
        }
        for edge in edges {
            put(edge.a, edge.b, edge.kind);
        }
        Self { offsets, peers, kinds }
    }

    fn range(&self, person: u32) -> std::ops::Range<usize> {
        self.offsets[person as usize] as usize..self.offsets[person as usize + 1] as usize
    }

    /// How many persons the world has.
    #[must_use]
    pub fn persons(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whom a person knows, sorted.
    #[must_use]
    pub fn of(&self, person: PersonId) -> &[u32] {
        &self.peers[self.range(person.0)]
    }

    /// Why, in the order of [`Ties::of`].
    #[must_use]
    pub fn kinds_of(&self, person: PersonId) -> &[TieKind] {
        &self.kinds[self.range(person.0)]
    }

    /// Why two persons know each other, if they do.
    #[must_use]
    pub fn between(&self, a: PersonId, b: PersonId) -> Option<TieKind> {
        let at = self.of(a).binary_search(&b.0).ok()?;
        Some(self.kinds_of(a)[at])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_symmetric() {
        let edges = [
            Edge::new(0, 2, TieKind::Class),
            Edge::new(0, 3, TieKind::Work),
            Edge::new(2, 1, TieKind::Club),
            Edge::new(2, 3, TieKind::Loose),
        ];
        let mut sorted = edges;
        sorted.sort_unstable();
        let ties = Ties::new(4, &sorted);
        assert_eq!(ties.of(PersonId(2)), [0, 1, 3]);
        assert_eq!(ties.kinds_of(PersonId(2)), [TieKind::Class, TieKind::Club, TieKind::Loose]);
        assert_eq!(ties.between(PersonId(3), PersonId(0)), Some(TieKind::Work));
        assert_eq!(ties.between(PersonId(1), PersonId(0)), None);
    }
}
