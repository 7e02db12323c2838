//! What the integration tests share: they use the public API and nothing else.

use equipoise_core::{ClipNorm, Seed};
use equipoise_encrypted::{KeyHolder, PlatformKey, Public, SharedKeyGlwe, Upload};
use equipoise_federated::{SecureSum, Setup, VectorSpec};
use equipoise_privacy::{LocalUpdate, OutgoingUpdate, Quantizer};
use rand::rand_core::Rng;

/// The scheme under test.
pub(crate) fn scheme() -> SharedKeyGlwe {
    SharedKeyGlwe::default()
}

/// What every test sums.
pub(crate) fn spec(len: usize, bits: u8, max_weight: u32, max_clients: u32) -> VectorSpec {
    VectorSpec { len, quantizer: Quantizer { clip_abs: 1.0, bits }, max_weight, max_clients }
}

/// All parties.
pub(crate) fn parties(spec: &VectorSpec) -> Setup<Public, PlatformKey, KeyHolder> {
    scheme().setup(spec).unwrap()
}

/// An outgoing update that holds exactly `values`.
pub(crate) fn outgoing(round: u32, client: u32, weight: u32, values: Vec<i64>) -> OutgoingUpdate {
    let zeros = LocalUpdate::new(vec![0.0; values.len()]).clip_l2(ClipNorm::new(1.0).unwrap());
    let grid = Quantizer { clip_abs: 1.0, bits: 2 };
    zeros.quantise(&grid, weight).without_noise(round, client).tampered(values)
}

/// Random integers of absolute value at most `most`, at an address.
pub(crate) fn integers(seed: Seed, len: usize, most: i64) -> Vec<i64> {
    let mut rng = seed.rng();
    (0..len).map(|_| (rng.next_u64() % (2 * most.unsigned_abs() + 1)).cast_signed() - most).collect()
}

/// Seals one update by the client that it names.
pub(crate) fn seal(parties: &mut Setup<Public, PlatformKey, KeyHolder>, update: &OutgoingUpdate) -> Upload {
    let client = &mut parties.clients[update.client() as usize];
    scheme().protect(&parties.public, client, update).unwrap()
}
