//! Public masks from a seed: the BLAKE3 extendable output, one stream an upload.
//!
//! The stream is bound to everything that an upload's header says (parameters, session, round, client, weight) and to a
//! fresh 32-byte seed. Two uploads share a mask only if the operating system repeats 32 bytes *and* the header is the
//! same; a changed header or seed makes another mask, so that a tampered upload opens to noise and is refused.
//! Security: BLAKE3 as a random oracle. Nothing here is secret.

use crate::params::GlweParams;
use crate::roles::SessionId;
use blake3::{Hasher, OutputReader};

/// Bytes of a mask seed.
pub(crate) const SEED_BYTES: usize = 32;
/// Bytes turned into coefficients at a time; a multiple of the sixteen blocks that BLAKE3 makes at once.
const TILE_BYTES: usize = 4096;

/// The public header of an upload, to which its mask is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) session: SessionId,
    pub(crate) round: u32,
    pub(crate) client: u32,
    pub(crate) weight: u32,
    pub(crate) seed: [u8; SEED_BYTES],
}

/// All mask polynomials of one upload.
#[derive(Debug)]
pub(crate) struct MaskStream {
    stream: OutputReader,
    polynomial_size: usize,
}

impl MaskStream {
    pub(crate) fn new(params: &GlweParams, header: &Header) -> Self {
        let mut hasher = Hasher::new_derive_key("equipoise-encrypted 2026-11-23 glwe mask v1");
        hasher
            .update(&params.wire_id.to_le_bytes())
            .update(&header.session.0)
            .update(&header.round.to_le_bytes())
            .update(&header.client.to_le_bytes())
            .update(&header.weight.to_le_bytes())
            .update(&header.seed);
        Self { stream: hasher.finalize_xof(), polynomial_size: params.polynomial_size }
    }

    /// The common masks of a round, for schemes whose clients draw a fresh key a round and share them.
    pub(crate) fn of_round(params: &GlweParams, session: SessionId, round: u32) -> Self {
        let mut hasher = Hasher::new_derive_key("equipoise-encrypted 2026-11-27 round masks v1");
        hasher.update(&params.wire_id.to_le_bytes()).update(&session.0).update(&round.to_le_bytes());
        Self { stream: hasher.finalize_xof(), polynomial_size: params.polynomial_size }
    }

    /// Adds the mask polynomial `index` to `out`, coefficient by coefficient, modulo 2^64.
    pub(crate) fn add_polynomial(&self, index: usize, out: &mut [u64]) {
        let mut stream = self.stream.clone();
        stream.set_position(8 * (index * self.polynomial_size) as u64);
        let mut bytes = [0_u8; TILE_BYTES];
        for tile in out.chunks_mut(TILE_BYTES / 8) {
            let bytes = &mut bytes[..8 * tile.len()];
            stream.fill(bytes);
            let (words, _) = bytes.as_chunks::<8>();
            for (coefficient, word) in tile.iter_mut().zip(words) {
                *coefficient = coefficient.wrapping_add(u64::from_le_bytes(*word));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GLWE64_N4096;

    fn first(header: &Header, index: usize) -> u64 {
        let mut out = vec![0; GLWE64_N4096.polynomial_size];
        MaskStream::new(&GLWE64_N4096, header).add_polynomial(index, &mut out);
        out[0]
    }

    #[test]
    fn any_change_of_header_seed_or_index_makes_another_mask() {
        let base = Header { session: SessionId([1; 16]), round: 2, client: 3, weight: 4, seed: [5; 32] };
        let all = [
            first(&base, 0),
            first(&base, 1),
            first(&Header { session: SessionId([9; 16]), ..base }, 0),
            first(&Header { round: 9, ..base }, 0),
            first(&Header { client: 9, ..base }, 0),
            first(&Header { weight: 9, ..base }, 0),
            first(&Header { seed: [9; 32], ..base }, 0),
        ];
        let distinct: std::collections::BTreeSet<u64> = all.into_iter().collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn the_mask_of_a_fixed_header_is_a_golden_value() {
        // A changed expansion would make old uploads unreadable: bump the version when this moves.
        let base = Header { session: SessionId([1; 16]), round: 2, client: 3, weight: 4, seed: [5; 32] };
        assert_eq!((first(&base, 0), first(&base, 7)), (328_577_844_699_953_693, 5_195_598_606_676_788_369));
    }

    #[test]
    fn polynomials_are_consecutive_pieces_of_one_stream() {
        let base = Header { session: SessionId([1; 16]), round: 2, client: 3, weight: 4, seed: [5; 32] };
        let stream = MaskStream::new(&GLWE64_N4096, &base);
        let mut bytes = vec![0_u8; 8 * 4096 * 2];
        stream.stream.clone().fill(&mut bytes);
        let mut second = vec![0; 4096];
        stream.add_polynomial(1, &mut second);
        let expected: Vec<u64> =
            bytes[8 * 4096..].chunks(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect();
        assert_eq!(second, expected);
    }
}
