//! Family "b": ties by distance in a hidden space, with heterogeneous activity (the S1 model: Serrano, Krioukov and
//! Boguna, "Self-similarity of complex networks and hidden metric spaces", PRL 2008).
//!
//! Chosen because nothing in it is a group: clustering comes from the triangle inequality of the space, hubs from a power
//! law of activity, where family "a" has both from circles. Persons lie on a ring, region after region, young to old and
//! back, so that neighbours share region and age. A pair at distance d (in ranks) is tied with probability
//! `1 / (1 + (d / (mu k_a k_b))^decay)`. Sampled in near-linear time by layers of activity and shells of distance, skipping
//! geometrically (after Bringmann, Keusch and Lengler, "Geometric inhomogeneous random graphs", 2019). Thinning is per tie,
//! not per circle. It promises the mean degree of its table and nothing else about family "a".

use super::{Edge, Groups, Land, Pair, Place, TieKind, TieModel, growth};
use equipoise_core::{CounterRng, Draw};
use rayon::prelude::*;
use std::f64::consts::PI;

/// Size of the neighbourhoods in which the new-tie process looks.
const NEIGHBOURHOOD: usize = 30;
/// Largest activity in units of the mean.
const LARGEST: f64 = 12.0;

pub(crate) struct LatentSpace;

impl TieModel for LatentSpace {
    fn meet(&self, land: Land<'_>, groups: &mut Groups) {
        for block in ring(land).chunks(NEIGHBOURHOOD) {
            groups.push(TieKind::Near, block.iter().copied());
        }
    }

    fn prepare(&self, land: Land<'_>) -> Vec<Pair> {
        let space = Space::new(land);
        (0..space.ring.len())
            .into_par_iter()
            .flat_map_iter(|rank| {
                let mut pairs = Vec::new();
                space.ties_of(land, rank, &mut pairs);
                pairs
            })
            .collect()
    }

    fn tie(&self, land: Land<'_>, _groups: &Groups, pairs: &[Pair], on: Option<Place>) -> Vec<Edge> {
        let keep = land.seed.derive("keep", on.map_or(0, |place| place.platform as u64));
        pairs
            .par_iter()
            .map(|(a, b)| Edge::new(*a, *b, TieKind::Near))
            .filter(|edge| {
                on.is_none_or(|place| {
                    let share = share(land, edge)[place.archetype as usize];
                    let pair = (u64::from(edge.a) << 32) | u64::from(edge.b);
                    keep.derive("pair", pair).rng().chance(share)
                })
            })
            .collect()
    }
}

fn share<'a>(land: Land<'a>, edge: &Edge) -> &'a [f64; 4] {
    let latent = &land.spec.graph.latent_space;
    let minors = [edge.a, edge.b].into_iter().filter(|p| land.people[*p as usize].band.is_minor()).count();
    match minors {
        0 => &latent.adults_on_platform.value,
        1 => &latent.mixed_on_platform.value,
        _ => &latent.minors_on_platform.value,
    }
}

/// Everybody in the order of the ring.
fn ring(land: Land<'_>) -> Vec<u32> {
    let latent = &land.spec.graph.latent_space;
    let seed = land.seed.derive("position", 0);
    let mut order: Vec<(u8, u64, u32)> = land
        .people
        .par_iter()
        .enumerate()
        .map(|(index, person)| {
            let years = latent.years.get() + latent.growth.get() * (person.age - 18.0).max(0.0);
            let age = person.age + years * seed.derive("person", index as u64).rng().normal();
            // Every other region runs from old to young, so that ages meet at the borders.
            let along = if person.region.is_multiple_of(2) { 1_000.0 + age } else { 1_000.0 - age };
            // Positive numbers sort like their bits.
            #[allow(clippy::cast_possible_truncation)]
            (person.region, along.max(0.0).to_bits(), index as u32)
        })
        .collect();
    order.par_sort_unstable();
    order.into_iter().map(|(_, _, person)| person).collect()
}

struct Space {
    ring: Vec<u32>,
    /// By rank: activity, the expected degree.
    activity: Vec<f64>,
    /// By rank: layer, the whole part of the binary logarithm of activity over the least.
    layer: Vec<u8>,
    /// By layer: its ranks, sorted, twice: as they are and one turn on.
    turns: Vec<Vec<u32>>,
    least: f64,
    mu: f64,
    decay: f64,
}

impl Space {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    fn new(land: Land<'_>) -> Self {
        let latent = &land.spec.graph.latent_space;
        let ring = ring(land);
        let decay = latent.decay.get();
        let mean = latent.degree.get() * growth(land.spec.persons);
        let exponent = latent.exponent.get();
        let least = mean * (exponent - 2.0) / (exponent - 1.0);
        let draw = |person: &u32| {
            let own = land.seed.derive("activity", u64::from(*person)).rng().uniform_open();
            let factor = land.people[*person as usize].role.circles(&land.spec.hard_negatives);
            (factor * least * libm::pow(own, -1.0 / (exponent - 1.0))).min(LARGEST * mean)
        };
        let activity: Vec<f64> = ring.iter().map(draw).collect();
        let realised = activity.iter().sum::<f64>() / activity.len() as f64;
        let layer: Vec<u8> =
            activity.iter().map(|k| libm::floor(libm::log2((k / least).max(1.0))) as u8).collect();
        let n = ring.len() as u32;
        let layers = layer.iter().max().map_or(0, |top| usize::from(*top) + 1);
        let mut turns = vec![Vec::new(); layers];
        for turn in 0..2 {
            for (rank, own) in (0_u32..).zip(&layer) {
                turns[usize::from(*own)].push(rank + turn * n);
            }
        }
        // The integral of the tie probability over all distances is 2 mu k k' (pi / decay) / sin(pi / decay); `mean` of
        // those sums to the expected degree k * mean / realised, so a truncated tail does not lower the mean degree.
        let mu = decay * libm::sin(PI / decay) * mean / (2.0 * PI * realised * realised);
        Self { ring, activity, layer, turns, least, mu, decay }
    }

    fn probability(&self, distance: f64, weight: f64) -> f64 {
        1.0 / (1.0 + libm::pow(distance / weight, self.decay))
    }

    /// The ties that this rank owns: to layers above its own, and within its own to the half ring ahead.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss)]
    fn ties_of(&self, land: Land<'_>, rank: usize, pairs: &mut Vec<Pair>) {
        let n = self.ring.len() as u32;
        let half = n.div_ceil(2);
        let own = self.ring[rank];
        let mut rng = land.seed.derive("near", u64::from(own)).rng();
        for layer in usize::from(self.layer[rank])..self.turns.len() {
            let top = self.least * libm::exp2(layer as f64 + 1.0);
            let bound = self.mu * self.activity[rank] * top;
            // Shells: [1, near), then four times as far each.
            let (mut from, mut to) = (1_u32, (bound.max(1.0) as u32).saturating_add(1).min(half));
            while from < half {
                let most = if from == 1 { 1.0 } else { self.probability(f64::from(from), bound) };
                let here = rank as u32;
                self.shell(rank, layer, here + from, here + to, most, &mut rng, pairs);
                if layer > usize::from(self.layer[rank]) {
                    self.shell(rank, layer, here + n + 1 - to, here + n + 1 - from, most, &mut rng, pairs);
                }
                (from, to) = (to, to.saturating_mul(4).min(half));
                if from == to {
                    break;
                }
            }
        }
    }

    /// Ties to the ranks of a layer in `from..to` (counted over two turns), none of them likelier than `most`.
    #[allow(clippy::too_many_arguments)]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    fn shell(
        &self,
        rank: usize,
        layer: usize,
        from: u32,
        to: u32,
        most: f64,
        rng: &mut CounterRng,
        pairs: &mut Vec<Pair>,
    ) {
        let turns = &self.turns[layer];
        let candidates = &turns[turns.partition_point(|r| *r < from)..turns.partition_point(|r| *r < to)];
        let n = self.ring.len();
        let skip = libm::log1p(-most.min(1.0 - 1e-12));
        let mut at = 0_usize;
        while at < candidates.len() {
            if most < 1.0 {
                let jump = libm::floor(libm::log(rng.uniform_open()) / skip);
                if jump >= (candidates.len() - at) as f64 {
                    return;
                }
                at += jump as usize;
            }
            let other = candidates[at] as usize % n;
            let apart = other.abs_diff(rank);
            let distance = apart.min(n - apart) as f64;
            let p = self.probability(distance, self.mu * self.activity[rank] * self.activity[other]);
            if rng.chance(p / most) {
                let (a, b) = (self.ring[rank], self.ring[other]);
                pairs.push((a.min(b), a.max(b)));
            }
            at += 1;
        }
    }
}
