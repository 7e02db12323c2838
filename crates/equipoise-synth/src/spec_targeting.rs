//! Whom simulated patterns turn to, in three knobs: selection x acceptance x disclosure. The recorded 80% girls among
//! cases with a known gender is the product of the three and identifies none of them, so the world file publishes three
//! parameterisations that all give it, and a conclusion must hold under each. Direction of the knobs: girls receive more
//! requests, boys accept more often (RAYUELA); boys report less (O'Leary and Barber 2008). Sizes are assumed.

use crate::spec_harm::{RateShift, ShareShift, positive};
use crate::{Shift, Sourced, WorldError};
use serde::{Deserialize, Serialize};

/// Which parameterisation is in force.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetingPreset {
    /// The whole difference lies in who is selected.
    WeightDriven,
    /// The whole difference lies in who accepts and who tells.
    DisclosureDriven,
    /// Some of it in each.
    Mixed,
}

impl TargetingPreset {
    /// Every preset.
    pub const ALL: [Self; 3] = [Self::WeightDriven, Self::DisclosureDriven, Self::Mixed];
}

/// The three parameterisations and the age profile.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TargetingSpec {
    /// The parameterisation that this world uses.
    pub active: TargetingPreset,
    /// Relative weight of an account among minor targets by true age: under 13, 13 to 15, 16 and 17. To be swept.
    pub ages: Sourced<Shift<[f64; 3]>>,
    /// First parameterisation.
    pub weight_driven: Targeting,
    /// Second parameterisation.
    pub disclosure_driven: Targeting,
    /// Third parameterisation.
    pub mixed: Targeting,
}

/// One parameterisation.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Targeting {
    /// Selection: share of girls among minor targets.
    pub girls: ShareShift,
    /// Acceptance: ratio of a girl's probability of accepting to a boy's, the mean of both unchanged.
    pub accept_girls: RateShift,
    /// Disclosure: ratio of a girl's probability of reporting, or of being recorded, to a boy's, mean unchanged.
    pub disclose_girls: RateShift,
}

impl TargetingSpec {
    /// The parameterisation of a preset.
    #[must_use]
    pub const fn of(&self, preset: TargetingPreset) -> &Targeting {
        match preset {
            TargetingPreset::WeightDriven => &self.weight_driven,
            TargetingPreset::DisclosureDriven => &self.disclosure_driven,
            TargetingPreset::Mixed => &self.mixed,
        }
    }

    /// The parameterisation in force.
    #[must_use]
    pub const fn in_force(&self) -> &Targeting {
        self.of(self.active)
    }

    /// Checks signs.
    ///
    /// # Errors
    /// Names the first setting that cannot be simulated.
    pub fn validate(&self) -> Result<(), WorldError> {
        let bad =
            |what: &str, range: &str| Err(WorldError::Setting { what: what.into(), range: range.into() });
        let ages = self.ages.value.matched.iter().chain(&self.ages.value.full);
        if !ages.copied().all(positive) {
            return bad("harm.targeting.ages", "three positive weights on each side");
        }
        let ratios = TargetingPreset::ALL.map(|p| self.of(p)).map(|t| [&t.accept_girls, &t.disclose_girls]);
        let all = ratios.iter().flatten().flat_map(|r| [r.value.matched, r.value.full]);
        if !all.into_iter().all(|r| (0.05..=20.0).contains(&r)) {
            return bad("harm.targeting ratios", "between 0.05 and 20");
        }
        Ok(())
    }
}

/// A girl's and a boy's probability whose mean is `p` and whose ratio is `ratio`; the larger one is cut at 0.98.
pub(crate) fn by_gender(p: f64, ratio: f64, girl: bool) -> f64 {
    let share = if girl { ratio } else { 1.0 };
    (2.0 * p * share / (1.0 + ratio)).min(0.98)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_of_three_splits_a_fifth_into_three_tenths_and_one_tenth() {
        assert!((by_gender(0.2, 3.0, true) - 0.3).abs() < 1e-12);
        assert!((by_gender(0.2, 3.0, false) - 0.1).abs() < 1e-12);
        assert!((by_gender(0.2, 1.0, true) - 0.2).abs() < 1e-12);
    }
}
