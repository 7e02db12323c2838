//! Shamir's secret sharing of 32 bytes over the field of 2^61 - 1 elements: five limbs of seven bytes, one polynomial each.
//!
//! Any `threshold` shares give the secret by Lagrange interpolation at zero; fewer say nothing about it, whatever the
//! computing power. Points are client numbers plus one. Not constant-time.

use crate::entropy::CryptoSource;
use equipoise_federated::SumError;
use zeroize::Zeroizing;

const P: u64 = (1 << 61) - 1;
const LIMBS: usize = 5;
/// One party's share of a secret.
pub(crate) type Share = [u64; LIMBS];

fn add(a: u64, b: u64) -> u64 {
    let sum = a + b;
    if sum >= P { sum - P } else { sum }
}

#[allow(clippy::cast_possible_truncation, reason = "a residue of a 61-bit prime")]
fn mul(a: u64, b: u64) -> u64 {
    (u128::from(a) * u128::from(b) % u128::from(P)) as u64
}

/// The inverse of a number that is not zero, by Fermat.
fn invert(a: u64) -> u64 {
    let (mut result, mut base, mut exponent) = (1, a, P - 2);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = mul(result, base);
        }
        base = mul(base, base);
        exponent >>= 1;
    }
    result
}

/// Uniform field elements, by rejection of the one 61-bit word that is none.
fn draw(source: impl CryptoSource, count: usize) -> Result<Zeroizing<Vec<u64>>, SumError> {
    let mut bytes = Zeroizing::new(vec![0_u8; 8 * count]);
    for attempt in 0.. {
        source.at("attempt", attempt).fill(&mut bytes)?;
        let words = bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word) & P);
        let words: Zeroizing<Vec<u64>> = Zeroizing::new(words.collect());
        if words.iter().all(|word| *word < P) {
            return Ok(words);
        }
    }
    unreachable!("a source gives other words sooner or later")
}

fn limbs(secret: &[u8; 32]) -> Zeroizing<Share> {
    let mut limbs = Zeroizing::new([0; LIMBS]);
    for (limb, bytes) in limbs.iter_mut().zip(secret.chunks(7)) {
        *limb = bytes.iter().rev().fold(0, |high, byte| high << 8 | u64::from(*byte));
    }
    limbs
}

/// A share for each of `points`, any `threshold` of which give the secret.
pub(crate) fn split(
    secret: &[u8; 32],
    threshold: u32,
    points: &[u32],
    source: impl CryptoSource,
) -> Result<Vec<Share>, SumError> {
    let degree = threshold.max(1) as usize - 1;
    let secret = limbs(secret);
    let higher = draw(source, degree * LIMBS)?;
    let at = |point: u32| {
        let x = u64::from(point) + 1;
        std::array::from_fn(|limb| {
            let own = &higher[limb * degree..(limb + 1) * degree];
            let sum = own.iter().rev().fold(0, |sum, coefficient| mul(add(sum, *coefficient), x));
            add(sum, secret[limb])
        })
    };
    Ok(points.iter().map(|&point| at(point)).collect())
}

/// The secret of shares at distinct points, if there are enough of them; other bytes, or none, if there are not.
pub(crate) fn rebuild(shares: &[(u32, Share)]) -> Option<Zeroizing<[u8; 32]>> {
    let mut secret = Zeroizing::new([0_u64; LIMBS]);
    for (index, (point, share)) in shares.iter().enumerate() {
        let own = u64::from(*point) + 1;
        let (mut above, mut below) = (1, 1);
        for (_, (other, _)) in shares.iter().enumerate().filter(|(at, _)| *at != index) {
            let other = u64::from(*other) + 1;
            if other == own {
                return None;
            }
            above = mul(above, other);
            below = mul(below, add(other, P - own));
        }
        let factor = mul(above, invert(below));
        secret.iter_mut().zip(share).for_each(|(sum, limb)| *sum = add(*sum, mul(factor, limb % P)));
    }
    let mut bytes = Zeroizing::new([0; 32]);
    for (out, limb) in bytes.chunks_mut(7).zip(secret.iter()) {
        let whole = limb.to_le_bytes();
        if whole[out.len()..].iter().any(|byte| *byte != 0) {
            return None; // Not what was split: a limb has seven bytes, the last one four.
        }
        out.copy_from_slice(&whole[..out.len()]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemSource;

    fn shares(secret: &[u8; 32], threshold: u32) -> Vec<(u32, Share)> {
        let points = [0, 1, 4, 7, 49];
        points.into_iter().zip(split(secret, threshold, &points, SystemSource).unwrap()).collect()
    }

    #[test]
    fn a_line_through_two_points_by_hand() {
        // f(x) = 5 + 3x: f(1) = 8, f(2) = 11.
        let share = |value| [value, 0, 0, 0, 0];
        let secret = rebuild(&[(0, share(8)), (1, share(11))]).unwrap();
        assert_eq!((secret[0], secret[1..].iter().max()), (5, Some(&0)));
    }

    #[test]
    fn every_quorum_rebuilds_the_secret_and_one_share_less_does_not() {
        for secret in [[0xff; 32], [0; 32], std::array::from_fn(|at| u8::try_from(7 * at).unwrap())] {
            for threshold in 1..=5_u32 {
                let all = shares(&secret, threshold);
                for mask in 0..32_u32 {
                    let some: Vec<_> = (0..5).filter(|at| mask >> at & 1 == 1).map(|at| all[at]).collect();
                    let enough = mask.count_ones() >= threshold;
                    let right = rebuild(&some).is_some_and(|rebuilt| *rebuilt == secret);
                    // One share too few is right by chance with probability 2^-61; no share at all reads as zeros.
                    assert!(right == enough || (mask == 0 && secret == [0; 32]), "{mask:b} of {threshold}");
                }
            }
        }
    }

    #[test]
    fn field_arithmetic_at_its_edges() {
        assert_eq!((add(P - 1, 1), mul(P - 1, P - 1), mul(invert(7), 7)), (0, 1, 1));
        assert!(rebuild(&[(3, [1; 5]), (3, [1; 5])]).is_none());
    }
}
