//! The life of an update: local, clipped, quantised, outgoing. Each step consumes the one before and is the only way to
//! make the next, so that a platform cannot send what it did not clip and quantise.
//!
//! Only [`OutgoingUpdate`] can be serialised; `Debug` of every step hides the numbers. A local update cannot be sent:
//! ```compile_fail
//! fn send<T: serde::Serialize>(_: T) {}
//! send(equipoise_privacy::LocalUpdate::new(vec![1.0]));
//! ```
//! An outgoing one can:
//! ```
//! fn send<T: serde::Serialize>(_: T) {}
//! use equipoise_core::ClipNorm;
//! use equipoise_privacy::{LocalUpdate, Quantizer};
//! let grid = Quantizer { clip_abs: 1.0, bits: 8 };
//! let clipped = LocalUpdate::new(vec![0.5, -2.0]).clip_l2(ClipNorm::new(1.0)?);
//! send(clipped.quantise(&grid, 1).without_noise(0, 3));
//! # Ok::<(), equipoise_core::UnitError>(())
//! ```

use crate::{Quantizer, Rounding, Sensitivity};
use equipoise_core::{ClipNorm, Seed, wide};
use serde::{Deserialize, Serialize};
use std::cell::OnceCell;
use std::fmt;

/// What training on one platform gave: real numbers that must not leave it.
pub struct LocalUpdate {
    values: Vec<f32>,
    /// The L2 norm, once somebody has asked for it.
    norm: OnceCell<f64>,
}

/// An update whose size, or whose units' contributions, are bounded. Still real numbers that must not leave.
pub struct ClippedUpdate {
    values: Vec<f32>,
    sensitivity: Option<Sensitivity>,
}

/// A bounded update on the integer grid, before any integer noise.
pub struct QuantizedUpdate {
    values: Vec<i64>,
    weight: u32,
    saturated: u64,
    sensitivity: Option<Sensitivity>,
}

/// What a platform sends, into the secure sum or in the clear: integers and public numbers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OutgoingUpdate {
    round: u32,
    client: u32,
    weight: u32,
    values: Vec<i64>,
}

/// The L2 norm, summed in `f64` in eight lanes that are added in order: the same bytes on every machine.
fn l2_norm(values: &[f32]) -> f64 {
    let mut lanes = [0.0_f64; 8];
    let eights = values.chunks_exact(8);
    let rest: f64 = eights.remainder().iter().map(|&v| f64::from(v) * f64::from(v)).sum();
    wide(|| {
        for eight in eights {
            for (lane, &v) in lanes.iter_mut().zip(eight) {
                *lane += f64::from(v) * f64::from(v);
            }
        }
    });
    libm::sqrt(lanes.iter().sum::<f64>() + rest)
}

impl LocalUpdate {
    /// Takes the trainer's flat vector.
    #[must_use]
    pub const fn new(values: Vec<f32>) -> Self {
        Self { values, norm: OnceCell::new() }
    }

    /// Whether every number is finite: whether the norm is, which clipping needs anyway. The squares of `f32` do not leave `f64`.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        self.norm().is_finite()
    }

    fn norm(&self) -> f64 {
        *self.norm.get_or_init(|| l2_norm(&self.values))
    }

    /// The memory, for another update, where this one is not sent.
    #[must_use]
    pub fn discard(mut self) -> Vec<f32> {
        self.values.clear();
        self.values
    }

    /// Scales the whole vector to an L2 norm of at most `bound`. This is robustness against one platform, **not privacy**:
    /// one account can still turn the whole vector, so no [`Sensitivity`] comes of it. A vector with a norm that is not
    /// finite becomes zero.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "an update is f32")]
    pub fn clip_l2(mut self, bound: ClipNorm) -> ClippedUpdate {
        let norm = self.norm();
        if !norm.is_finite() {
            self.values.fill(0.0);
        } else if norm > bound.get() {
            let scale = bound.get() / norm;
            self.values.iter_mut().for_each(|value| *value = (f64::from(*value) * scale) as f32);
        }
        ClippedUpdate { values: self.values, sensitivity: None }
    }

    /// Takes the trainer's word that it bounded each unit's contribution, as the `sensitivity` says. The proof obligation
    /// is the trainer's: dropping one unit must move the vector by at most `sensitivity.value` in L2.
    #[must_use]
    pub fn bounded_by_trainer(self, sensitivity: Sensitivity) -> ClippedUpdate {
        ClippedUpdate { values: self.values, sensitivity: Some(sensitivity) }
    }
}

impl ClippedUpdate {
    /// The bound on one unit's contribution, if the trainer made one.
    #[must_use]
    pub const fn sensitivity(&self) -> Option<&Sensitivity> {
        self.sensitivity.as_ref()
    }

    /// The L2 norm of the whole vector. Private: to log it is a release.
    #[must_use]
    pub fn norm(&self) -> f64 {
        l2_norm(&self.values)
    }

    /// Number of coordinates.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The update behind a public linear map that lengthens no vector in L2: whatever bounded it still does. That the map is one is
    /// the proof obligation of whoever gives it (`equipoise_federated::laws::check_compression`).
    #[must_use]
    pub fn through(self, map: impl FnOnce(Vec<f32>) -> Vec<f32>) -> Self {
        Self { values: map(self.values), sensitivity: self.sensitivity }
    }

    /// The update with what earlier rounds left behind in it, as a client with a memory sends it. Nothing bounds what one unit did to
    /// that memory over the rounds, so no [`Sensitivity`] comes out: a mechanism that needs one refuses.
    #[must_use]
    pub fn with_memory(self, send: impl FnOnce(Vec<f32>) -> Vec<f32>) -> Self {
        Self { values: send(self.values), sensitivity: None }
    }

    /// Each coordinate as `weight * round(clamp(x) / lsb)`. For a private sum, `weight` is 1: a weight scales the
    /// sensitivity by itself.
    #[must_use]
    pub fn quantise(self, quantizer: &Quantizer, weight: u32) -> QuantizedUpdate {
        self.quantise_into(quantizer, weight, Vec::new()).0
    }

    /// [`ClippedUpdate::quantise`] into memory that some other update has left. Gives back this one's, emptied, so that a worker
    /// needs no fresh memory for each client.
    #[must_use]
    pub fn quantise_into(
        mut self,
        quantizer: &Quantizer,
        weight: u32,
        room: Vec<i64>,
    ) -> (QuantizedUpdate, Vec<f32>) {
        let (of_one, inside) = (quantizer.encoder(), quantizer.encoder_inside());
        let (mut values, mut saturated) = (room, 0);
        values.clear();
        values.reserve_exact(self.values.len());
        // Blocks that stay in the nearest cache for both passes; counted in a narrow type, of which more fit side by side.
        let all = &self.values;
        wide(|| {
            for block in all.chunks(1024) {
                let cut: u32 = block.iter().map(|&value| u32::from(quantizer.cuts(value))).sum();
                match i64::from(weight) {
                    // Most updates weigh 1 and stay on the grid: neither a product of 64 bits nor a comparison for any value.
                    1 if cut == 0 => values.extend(block.iter().map(|&value| inside(value))),
                    1 => values.extend(block.iter().map(|&value| of_one(value))),
                    weight => values.extend(block.iter().map(|&value| weight * of_one(value))),
                }
                saturated += u64::from(cut);
            }
        });
        self.values.clear();
        (QuantizedUpdate { values, weight, saturated, sensitivity: self.sensitivity }, self.values)
    }
}

impl ClippedUpdate {
    /// [`ClippedUpdate::quantise_into`] with a choice of rounding; `seed` addresses the platform's draws for this update.
    #[must_use]
    pub fn round_into(
        mut self,
        rounding: Rounding,
        quantizer: &Quantizer,
        weight: u32,
        seed: Seed,
        room: Vec<i64>,
    ) -> (QuantizedUpdate, Vec<f32>) {
        if rounding == (Rounding::Nearest {}) {
            return self.quantise_into(quantizer, weight, room);
        }
        let mut values = rounding.encode(quantizer, &self.values, seed);
        values.iter_mut().for_each(|value| *value *= i64::from(weight));
        let saturated = self.values.iter().map(|&value| u64::from(quantizer.cuts(value))).sum();
        self.values.clear();
        (QuantizedUpdate { values, weight, saturated, sensitivity: self.sensitivity }, self.values)
    }
}

impl QuantizedUpdate {
    /// How many coordinates were cut to the grid's range. Private: to log it is a release.
    #[must_use]
    pub const fn saturated(&self) -> u64 {
        self.saturated
    }

    /// The public weight, already multiplied into the values.
    #[must_use]
    pub const fn weight(&self) -> u32 {
        self.weight
    }

    /// The bound on one unit's contribution *before* weight and rounding, if the trainer made one.
    #[must_use]
    pub const fn sensitivity(&self) -> Option<&Sensitivity> {
        self.sensitivity.as_ref()
    }

    /// Number of coordinates.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Sends the integers with a share of integer noise on each.
    pub(crate) fn with_noise(mut self, noise: &[i64], round: u32, client: u32) -> OutgoingUpdate {
        self.values.iter_mut().zip(noise).for_each(|(value, noise)| *value += noise);
        self.without_noise(round, client)
    }

    /// Sends the integers as they are. Whoever sees them unsummed sees the update: only a secure sum, or a claim that
    /// names its adversary, makes this private.
    #[must_use]
    pub fn without_noise(self, round: u32, client: u32) -> OutgoingUpdate {
        OutgoingUpdate { round, client, weight: self.weight, values: self.values }
    }
}

impl OutgoingUpdate {
    /// The round that it belongs to.
    #[must_use]
    pub const fn round(&self) -> u32 {
        self.round
    }

    /// The platform or device that sent it.
    #[must_use]
    pub const fn client(&self) -> u32 {
        self.client
    }

    /// The public weight, already multiplied into the values.
    #[must_use]
    pub const fn weight(&self) -> u32 {
        self.weight
    }

    /// The integers, in the order of the model's layout.
    #[must_use]
    pub fn values(&self) -> &[i64] {
        &self.values
    }

    /// The integers, taken out: what is left of a message that has been read.
    #[must_use]
    pub fn into_values(self) -> Vec<i64> {
        self.values
    }

    /// What a platform that breaks the protocol sends in place of its honest update. Nothing downstream may trust these
    /// values to be clipped; honest platforms' guarantees do not rest on them.
    #[must_use]
    pub fn tampered(self, values: Vec<i64>) -> Self {
        Self { values, ..self }
    }
}

macro_rules! hidden_debug {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}
hidden_debug!(LocalUpdate, ClippedUpdate, QuantizedUpdate);

impl fmt::Debug for OutgoingUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutgoingUpdate")
            .field("round", &self.round)
            .field("client", &self.client)
            .field("weight", &self.weight)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PrivacyUnit, Relation};
    use proptest::prelude::*;

    const GRID: Quantizer = Quantizer { clip_abs: 7.0, bits: 4 };

    fn bound(value: f64) -> ClipNorm {
        ClipNorm::new(value).unwrap()
    }

    #[test]
    fn a_three_four_five_vector_is_scaled_to_the_bound() {
        let clipped = LocalUpdate::new(vec![3.0, 4.0]).clip_l2(bound(2.5));
        assert!((clipped.norm() - 2.5).abs() < 1e-7);
        assert_eq!(clipped.quantise(&GRID, 1).without_noise(0, 0).values(), [2, 2]);
    }

    #[test]
    fn clipping_a_whole_vector_gives_no_privacy_bound() {
        assert!(LocalUpdate::new(vec![3.0]).clip_l2(bound(1.0)).sensitivity().is_none());
        let row = Sensitivity { unit: PrivacyUnit::Row, relation: Relation::ZeroOut, value: bound(1.0) };
        let quantised = LocalUpdate::new(vec![3.0]).bounded_by_trainer(row).quantise(&GRID, 1);
        assert_eq!(quantised.sensitivity(), Some(&row));
    }

    #[test]
    fn a_vector_that_is_not_finite_is_dropped() {
        for broken in [f32::NAN, f32::INFINITY] {
            let clipped = LocalUpdate::new(vec![1.0, broken]).clip_l2(bound(1.0));
            assert_eq!(clipped.quantise(&GRID, 1).without_noise(0, 0).values(), [0, 0]);
        }
    }

    #[test]
    fn the_weight_is_multiplied_in_and_cut_coordinates_are_counted() {
        let row = Sensitivity { unit: PrivacyUnit::Row, relation: Relation::ZeroOut, value: bound(1.0) };
        let quantised = LocalUpdate::new(vec![1.4, 9.0, -2.6]).bounded_by_trainer(row).quantise(&GRID, 3);
        assert_eq!(quantised.saturated(), 1);
        let sent = quantised.without_noise(5, 2);
        assert_eq!((sent.round(), sent.client(), sent.weight()), (5, 2, 3));
        assert_eq!(sent.values(), [3, 21, -9]);
    }

    #[test]
    fn memory_that_is_used_again_holds_nothing_of_the_last_update() {
        let clipped = || LocalUpdate::new(vec![1.0, -2.0, 9.0]).clip_l2(bound(100.0));
        let (first, update) = clipped().quantise_into(&GRID, 1, vec![5; 50]);
        assert!(update.is_empty() && update.capacity() >= 3);
        assert_eq!(first.saturated(), 1);
        let room = first.without_noise(0, 0).into_values();
        let (again, _) = clipped().quantise_into(&GRID, 2, room);
        assert_eq!(again.without_noise(0, 1), clipped().quantise(&GRID, 2).without_noise(0, 1));
    }

    #[test]
    fn a_memory_takes_the_bound_away() {
        let row = Sensitivity { unit: PrivacyUnit::Row, relation: Relation::ZeroOut, value: bound(1.0) };
        let sent = LocalUpdate::new(vec![1.0]).bounded_by_trainer(row).with_memory(|values| values);
        assert!(sent.sensitivity().is_none());
    }

    #[test]
    fn drawn_rounding_multiplies_the_weight_in_after_the_draw() {
        let clipped = LocalUpdate::new(vec![1.5; 400]).clip_l2(bound(100.0));
        let drawn = clipped
            .round_into(Rounding::Stochastic {}, &GRID, 3, Seed::root(1), vec![])
            .0
            .without_noise(0, 0);
        assert!(drawn.values().iter().all(|value| [3, 6].contains(value)), "{:?}", drawn.values());
        assert!([3, 6].iter().all(|value| drawn.values().contains(value)));
    }

    #[test]
    fn blocks_that_stay_inside_and_blocks_that_do_not_are_encoded_alike() {
        let grid = Quantizer { clip_abs: 1.5, bits: 20 };
        // The second block is cut once, the third holds a number that is none.
        let mut values: Vec<f32> = (0..3_500_u16).map(|i| (f32::from(i) * 0.37) % 3.0 - 1.5).collect();
        (values[1_100], values[2_500]) = (1.6, f32::NAN);
        let want: Vec<i64> = values.iter().map(|&value| grid.encode(value).0).collect();
        let sum = Sensitivity { unit: PrivacyUnit::Row, relation: Relation::ZeroOut, value: bound(1.0) };
        let sent = LocalUpdate::new(values).bounded_by_trainer(sum).quantise(&grid, 1);
        assert_eq!(sent.saturated(), 2);
        assert_eq!(sent.without_noise(0, 0).values(), want);
    }

    #[test]
    fn debug_hides_the_numbers_of_every_step() {
        let local = LocalUpdate::new(vec![0.123]);
        assert_eq!(format!("{local:?}"), "LocalUpdate { .. }");
        let clipped = local.clip_l2(bound(1.0));
        assert_eq!(format!("{clipped:?}"), "ClippedUpdate { .. }");
        let quantised = clipped.quantise(&GRID, 1);
        assert_eq!(format!("{quantised:?}"), "QuantizedUpdate { .. }");
        let sent = quantised.without_noise(1, 2);
        assert_eq!(format!("{sent:?}"), "OutgoingUpdate { round: 1, client: 2, weight: 1, .. }");
    }

    #[test]
    fn an_outgoing_update_survives_the_wire() {
        let sent =
            LocalUpdate::new(vec![1.0, -1.0]).clip_l2(bound(9.0)).quantise(&GRID, 1).without_noise(1, 2);
        let text = serde_json::to_string(&sent).unwrap();
        assert_eq!(text, r#"{"round":1,"client":2,"weight":1,"values":[1,-1]}"#);
        assert_eq!(serde_json::from_str::<OutgoingUpdate>(&text).unwrap(), sent);
    }

    proptest! {
        #[test]
        fn a_clipped_vector_never_exceeds_its_bound(
            values in prop::collection::vec(-1e6_f32..1e6, 0..50), limit in 1e-3_f64..1e4,
        ) {
            let clipped = LocalUpdate::new(values).clip_l2(bound(limit));
            prop_assert!(clipped.norm() <= limit * (1.0 + 1e-6));
        }
    }
}
