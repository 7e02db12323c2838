//! What the tests of this crate share.

use crate::roles::{KeyHolder, PlatformKey, Public};
use crate::{Accumulator, Layout, SharedKeyGlwe, Upload};
use equipoise_core::Seed;
use equipoise_federated::{CohortRecord, IntSum, SecureSum, Setup, SumError, VectorSpec};
use equipoise_privacy::Quantizer;
use rand::rand_core::Rng;

pub(crate) type Parties = Setup<Public, PlatformKey, KeyHolder>;

pub(crate) fn spec(len: usize, bits: u8, max_clients: u32) -> VectorSpec {
    VectorSpec { len, quantizer: Quantizer { clip_abs: 1.0, bits }, max_weight: 1, max_clients }
}

pub(crate) fn parties(spec: &VectorSpec) -> Parties {
    SharedKeyGlwe::default().setup(spec).unwrap()
}

pub(crate) fn on_layout(spec: &VectorSpec, layout: Layout) -> Parties {
    SharedKeyGlwe::default().setup_with(spec, layout).unwrap()
}

/// Integers of at most `bits` signed bits, at an address.
pub(crate) fn integers(seed: Seed, len: usize, bits: u8) -> Vec<i64> {
    let most = (1_i64 << (bits - 1)) - 1;
    let mut rng = seed.rng();
    (0..len).map(|_| (rng.next_u64() % (2 * most.unsigned_abs() + 1)).cast_signed() - most).collect()
}

/// Seals `values[i]` by client `i`, sums and opens.
pub(crate) fn round_trip(parties: &mut Parties, round: u32, values: &[Vec<i64>]) -> Result<IntSum, SumError> {
    let public = &parties.public;
    let uploads: Vec<Upload> = parties
        .clients
        .iter()
        .zip(values)
        .map(|(client, values)| client.seal(public, round, 1, values))
        .collect::<Result<_, _>>()?;
    let mut sum = Accumulator::new(public, round);
    sum.add_all(public, &uploads)?;
    let cohort = CohortRecord { round, clients: sum.clients() };
    let share = parties.holders[0].open_round(public, &sum, &cohort)?;
    SharedKeyGlwe::default().open(public, sum, &[share])
}
