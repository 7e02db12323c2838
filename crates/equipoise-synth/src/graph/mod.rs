//! Who knows whom: two families of ties behind one trait, and what both share (households, families, callings).
//!
//! A model first says where people meet (groups) and then who is tied to whom, in the whole world or as the thinned copy
//! of one platform. The groups are the compact form: a few numbers per person. Ties are drawn from addresses and can be
//! made again, so the world keeps no graph of persons; a copy is made only for platforms and, on request, as [`Ties`].

mod circles;
mod groups;
mod kin;
mod latent;
mod new_ties;
mod ties;

use crate::generator::GraphFamily;
use crate::population::Person;
use crate::spec::WorldSpec;
use equipoise_core::{Archetype, Draw, Seed};
use rayon::prelude::*;

pub(crate) use groups::Groups;
pub(crate) use new_ties::{Way, circle_member};
pub use ties::Ties;

/// Why two persons know each other, the closest first: where two reasons exist, the closer one stays.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum TieKind {
    /// They live together.
    Household = 0,
    /// They belong to one wider family.
    Family = 1,
    /// They go to one class.
    Class = 2,
    /// They belong to one circle of friends.
    Friends = 3,
    /// They belong to one team.
    Team = 4,
    /// They go to one school and year.
    SchoolYear = 5,
    /// One of them teaches, coaches or advises the other.
    Calling = 6,
    /// They work together.
    Work = 7,
    /// They play together.
    Gaming = 8,
    /// They belong to one age-mixed circle.
    Club = 9,
    /// They are close in the hidden space.
    Near = 10,
    /// They are single acquaintances.
    Loose = 11,
}

impl TieKind {
    /// Every kind, closest first.
    pub const ALL: [Self; 12] = [
        Self::Household,
        Self::Family,
        Self::Class,
        Self::Friends,
        Self::Team,
        Self::SchoolYear,
        Self::Calling,
        Self::Work,
        Self::Gaming,
        Self::Club,
        Self::Near,
        Self::Loose,
    ];

    /// Added to a contact's random rank below 2^24, by which accounts choose whom to talk to.
    pub(crate) const fn distance(self) -> u32 {
        match self {
            Self::Household | Self::Family | Self::Class | Self::Friends | Self::Team => 0,
            Self::Calling | Self::Gaming | Self::Near => 0,
            Self::SchoolYear | Self::Work | Self::Club => 1 << 23,
            Self::Loose => 1 << 24,
        }
    }
}

/// An undirected tie, `a < b`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Edge {
    pub(crate) a: u32,
    pub(crate) b: u32,
    pub(crate) kind: TieKind,
}

impl Edge {
    pub(crate) const fn new(a: u32, b: u32, kind: TieKind) -> Self {
        if a < b { Self { a, b, kind } } else { Self { a: b, b: a, kind } }
    }
}

/// Two persons, the smaller first.
pub(crate) type Pair = (u32, u32);

/// The platform whose thinned copy is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) platform: usize,
    pub(crate) archetype: Archetype,
}

/// What a model draws from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Land<'a> {
    pub(crate) spec: &'a WorldSpec,
    pub(crate) people: &'a [Person],
    pub(crate) seed: Seed,
}

/// A family of graphs.
///
/// Laws, held over every implementation by `tests/graph.rs`: ties are undirected, unique, without ties to oneself; a
/// platform's ties are among those of the world; nothing depends on the number of threads.
pub(crate) trait TieModel: Sync {
    /// Where people meet.
    fn meet(&self, land: Land<'_>, groups: &mut Groups);
    /// What all copies are thinned from, if it is dear to make; held while a world is built.
    fn prepare(&self, _land: Land<'_>) -> Vec<Pair> {
        Vec::new()
    }
    /// The ties of the world, or of one platform; in any order, a pair as often as it has reasons.
    fn tie(&self, land: Land<'_>, groups: &Groups, pairs: &[Pair], on: Option<Place>) -> Vec<Edge>;
}

const fn model(family: GraphFamily) -> &'static dyn TieModel {
    match family {
        GraphFamily::Circles => &circles::Circles,
        GraphFamily::LatentSpace => &latent::LatentSpace,
    }
}

impl Land<'_> {
    fn model(&self) -> &'static dyn TieModel {
        model(self.spec.generator.graph_family())
    }

    fn inner(self) -> Self {
        Self { seed: self.seed.derive("graph", 0), ..self }
    }

    /// Where people meet.
    pub(crate) fn groups(self) -> Groups {
        let land = self.inner();
        let mut groups = Groups::default();
        land.model().meet(land, &mut groups);
        kin::meet(land, &mut groups);
        groups.index(land.people.len());
        groups
    }

    /// What [`Land::ties`] thins.
    pub(crate) fn prepare(self) -> Vec<Pair> {
        let land = self.inner();
        land.model().prepare(land)
    }

    /// Every tie once, sorted.
    pub(crate) fn ties(self, groups: &Groups, pairs: &[Pair], on: Option<Place>) -> Vec<Edge> {
        let land = self.inner();
        let mut edges = land.model().tie(land, groups, pairs, on);
        edges.append(&mut kin::tie(land, groups, on));
        // Equal edges are equal in every field, so an unstable sort has one result.
        edges.par_sort_unstable();
        edges.dedup_by_key(|edge| (edge.a, edge.b));
        edges.shrink_to_fit();
        edges
    }
}

/// Whether a group uses a platform; always, if none is named.
fn lives(seed: Seed, group: u32, on: Option<Place>, shares: &[f64; 4]) -> bool {
    let Some(place) = on else { return true };
    let address = seed.derive("lives", u64::from(group)).derive("platform", place.platform as u64);
    address.rng().chance(shares[place.archetype as usize])
}

/// How much larger a mean degree is in a world of `persons` than in one of 10,000: the mean degree of a social network
/// of n accounts is n^(0.512 - 0.028 log10 n) (LDBC SNB, after Facebook).
pub(crate) fn growth(persons: u32) -> f64 {
    let degree = |n: f64| libm::pow(n, 0.512 - 0.028 * libm::log10(n));
    degree(f64::from(persons)) / degree(10_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_degrees_grow_as_published() {
        assert!((growth(10_000) - 1.0).abs() < 1e-12);
        // 40 at 10^4, 72 at 10^5, 116 at 10^6.
        assert!((40.0 * growth(100_000) - 72.0).abs() < 1.0);
        assert!((40.0 * growth(1_000_000) - 116.0).abs() < 1.5);
    }
}
