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

/// What a reader may allocate beside what it was given: an error's words, and small change of the message that it makes.
const SMALL: u64 = 1024;

/// Reads `cases` changed forms of a message: one to four bytes set anew, most of them before the payload, and one in four cut or
/// lengthened. `read` writes back what it read. Whatever is still a message must be exactly the bytes that were given: one form a
/// message, and no panic on the way. What is refused allocates no more than the words of its error, whatever its fields say; what is
/// read, no more than itself twice over (read and written back; a vector may have grown to double).
pub(crate) fn fuzz<E>(bytes: &[u8], cases: u32, read: impl Fn(&[u8]) -> Result<Vec<u8>, E>) {
    fuzz_within(bytes, cases, 0, read);
}

/// [`fuzz`] of a reader that copies what it is given: `copies` of a refused message are allowed.
pub(crate) fn fuzz_within<E>(
    bytes: &[u8],
    cases: u32,
    copies: u64,
    read: impl Fn(&[u8]) -> Result<Vec<u8>, E>,
) {
    let mut rng = Seed::root(bytes.len() as u64).rng();
    let mut below = |limit: usize| usize::try_from(rng.next_u64() % limit.max(1) as u64).unwrap();
    let (mut noise, mut read_back) = (bytes.to_vec(), 0_u32);
    noise.resize(2 * bytes.len() + 64, 0);
    let front = bytes.len().min(96);
    for _ in 0..cases {
        let mut at = vec![];
        for _ in 0..=below(4) {
            let range = if below(4) == 0 { bytes.len() } else { front };
            at.push(below(range));
        }
        let mut length = bytes.len();
        for &at in &at {
            noise[at] = below(256).to_le_bytes()[0];
        }
        if below(4) == 0 {
            length = if below(2) == 0 { below(noise.len()) } else { (length + 8).saturating_sub(below(17)) };
        }
        let (mut again, given) = (None, length as u64);
        let spent = allocation_counter::measure(|| again = Some(read(&noise[..length]).ok()));
        let limit = SMALL + if again == Some(None) { copies * given } else { 4 * given };
        assert!(
            spent.bytes_max <= limit,
            "{} bytes allocated for {length}, {limit} allowed",
            spent.bytes_max
        );
        if let Some(Some(again)) = again {
            assert!(again == noise[..length], "a message of {} bytes was read from {length}", again.len());
            read_back += 1;
        }
        at.iter().for_each(|&at| noise[at] = bytes[at]);
    }
    assert!(
        read_back > 0 && read_back < cases,
        "{read_back} of {cases} were read: the changes are not what they should be"
    );
}
