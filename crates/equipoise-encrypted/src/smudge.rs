//! How much noise a key holder adds to its answer, by formula, and what is left of a 128-bit coefficient.
//!
//! An answer `c1 s + smudge` carries the noise of the ciphertexts, which depends on secrets. A uniform smudge in
//! [-2^b, 2^b] hides a shift of v up to a statistical distance of |v| / 2^(b+1) a coefficient. We take v = 12 standard
//! deviations of the noise of a full sum (`encryption.md` 3.1):
//!
//! `var = s2 P (4 N H / 3 + 1)` with ternary secrets of H holders, P ciphertexts and `s2 = (2^(2 * 30 + 1) + 1) / 6`.
//!
//! `total` asks that the distances of *all* coefficients that a holder answers in all rounds of a key add up to at most
//! 2^-40; `per-coefficient` asks it of each coefficient alone, which is what most libraries state and claims less.
//! Decoding does not rest on any of this: the *largest* error that can occur, `2^30 P (2 N H + 1) + H 2^b`, is kept below
//! half a step, so that it cannot fail.

use crate::joint::JointParams;
use equipoise_federated::{PlanError, VectorSpec};
use serde::{Deserialize, Serialize};

/// The distance that smudging keeps to, as a power of two.
pub(crate) const DISTANCE_LOG2: i32 = -40;
const DEVIATIONS: f64 = 12.0;

/// What the distance of 2^-40 holds for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Smudging {
    /// Everything that a holder answers under one key, in at most `rounds` rounds; the holder refuses the next one.
    Total {
        /// Rounds under one key.
        rounds: u32,
    },
    /// Each coefficient alone: weaker, smaller.
    PerCoefficient {},
}

impl Smudging {
    /// Rounds that a holder answers under one key.
    #[must_use]
    pub fn rounds(&self) -> u32 {
        match self {
            Self::Total { rounds } => *rounds,
            Self::PerCoefficient {} => u32::MAX,
        }
    }

    /// What is claimed, in words.
    #[must_use]
    pub fn claim(&self) -> String {
        match self {
            Self::Total { rounds } => {
                format!("smudged to a total distance of 2^-40 over {rounds} rounds")
            }
            Self::PerCoefficient {} => "smudged to 2^-40 a coefficient only, the weaker variant".to_owned(),
        }
    }
}

/// Who adds noise to a sum of ciphertexts under the joint key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Crowd {
    pub(crate) clients: u32,
    pub(crate) holders: u32,
}

/// Standard deviation of the noise of a full sum, without smudging.
pub(crate) fn noise_deviation(params: &JointParams, crowd: Crowd) -> f64 {
    let one = (2.0 * f64::from(2_u32).powi(2 * params.noise_bound_log2.cast_signed()) + 1.0) / 6.0;
    let (clients, holders) = (f64::from(crowd.clients), f64::from(crowd.holders));
    #[allow(clippy::cast_precision_loss, reason = "a polynomial has a few thousand coefficients")]
    let size = params.polynomial_size as f64;
    libm::sqrt(one * clients * (4.0 * size * holders / 3.0 + 1.0))
}

/// The largest noise that a full sum can have, without smudging.
pub(crate) fn noise_bound(params: &JointParams, crowd: Crowd) -> u128 {
    let (clients, holders) = (u128::from(crowd.clients), u128::from(crowd.holders));
    (clients * (2 * params.polynomial_size as u128 * holders + 1)) << params.noise_bound_log2
}

/// The smallest smudge, as a power of two, when each holder answers `coefficients` in a round.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a power between 40 and 200")]
pub(crate) fn smudge_log2(
    params: &JointParams,
    crowd: Crowd,
    smudging: Smudging,
    coefficients: usize,
) -> u32 {
    let draws = match smudging {
        Smudging::Total { rounds } => coefficients as f64 * f64::from(rounds),
        Smudging::PerCoefficient {} => 1.0,
    };
    let shift = DEVIATIONS * noise_deviation(params, crowd) * draws;
    (libm::ceil(libm::log2(shift) - f64::from(DISTANCE_LOG2) - 1.0) as i32).max(1).cast_unsigned()
}

/// Refuses what no scheme on the joint key can plan for.
pub(crate) fn check_crowd(
    scheme: &'static str,
    spec: &VectorSpec,
    holders: u32,
    floor: u32,
) -> Result<(), PlanError> {
    if spec.len == 0 {
        return Err(PlanError::Empty);
    }
    if spec.sum_bits() > 63 {
        let (need_bits, clients, weight) = (spec.sum_bits(), spec.max_clients, spec.max_weight);
        return Err(PlanError::SlotOverflow { scheme, need_bits, have_bits: 63, clients, weight });
    }
    if !(2..=5).contains(&holders) {
        return Err(PlanError::KeyHolders { scheme, holders });
    }
    if spec.max_clients < floor {
        return Err(PlanError::CohortTooSmall { scheme, clients: spec.max_clients, floor });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::joint::JOINT128_N4096;

    const TOTAL: Smudging = Smudging::Total { rounds: 1000 };
    const EACH: Smudging = Smudging::PerCoefficient {};

    fn crowd(clients: u32, holders: u32) -> Crowd {
        Crowd { clients, holders }
    }

    #[test]
    fn the_formula_gives_the_figures_of_the_prototype() {
        // `encryption.md` 3.1, ternary: predicted 2^37.74 for five of five and 2^41.06 for fifty of fifty; smudges 81 and 84 then
        // hide a coefficient to 2^-40.7 and 2^-40.4.
        for (parties, noise, smudge) in [(5, 37.74, 81), (50, 41.06, 84)] {
            let deviation = noise_deviation(&JOINT128_N4096, crowd(parties, parties)).log2();
            assert!((deviation - noise).abs() < 0.01, "{deviation}");
            assert_eq!(smudge_log2(&JOINT128_N4096, crowd(parties, parties), EACH, 4096), smudge);
        }
    }

    /// Counts of `TUniform(b)` in units of 2^-(b+2), from -2^b.
    fn tuniform_counts(bound_log2: u32) -> Vec<i64> {
        let ends = 1_usize << (bound_log2 + 1);
        (0..=ends).map(|at| if at == 0 || at == ends { 1 } else { 2 }).collect()
    }

    #[test]
    fn a_uniform_smudge_hides_a_shift_up_to_its_share_of_the_range() {
        // The statistical distance of a smudge and the same smudge shifted by v, by counting: v / 2^(b+1), exactly.
        for bound_log2 in 2..8 {
            let counts = tuniform_counts(bound_log2);
            for shift in 1..=1_usize << bound_log2 {
                let at = |index: usize| counts.get(index).copied().unwrap_or(0);
                let shifted = |index: usize| index.checked_sub(shift).map_or(0, at);
                let gap: i64 = (0..counts.len() + shift).map(|i| (at(i) - shifted(i)).abs()).sum();
                // Half the gap over 2^(b+2) against shift / 2^(b+1).
                assert_eq!(gap, 4 * i64::try_from(shift).unwrap(), "b = {bound_log2}, shift {shift}");
            }
        }
    }

    #[test]
    fn a_total_claim_costs_the_bits_of_coefficients_and_rounds() {
        let each = smudge_log2(&JOINT128_N4096, crowd(50, 3), EACH, 2048);
        let total = smudge_log2(&JOINT128_N4096, crowd(50, 3), TOTAL, 2048);
        assert_eq!((each, total), (82, 103));
    }
}
