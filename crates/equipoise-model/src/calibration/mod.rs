//! From a score that ranks to a probability that means what it says. A calibrator is a map of one score, fitted on held-out rows of the
//! training side; it never changes who is reviewed first (queues are sorted by the score itself).
//!
//! What a platform knows is late and incomplete, so a map that is fitted to known labels gives the probability of a *known label*. Where the
//! share of harm is known better than its labels, [`CalibrationSpec::PriorShift`] moves the odds and reads no rows at all.
//!
//! Fitting reads [`ScoreCounts`] only: whole numbers by public bins of the logit, which platforms may add (and hide in a sum).

mod counts;
mod isotonic;
mod prior;
mod temperature;

pub use counts::ScoreCounts;

use crate::ModelError;
use crate::config::demand;
use equipoise_core::Fraction;
use isotonic::Steps;
use serde::{Deserialize, Serialize};

/// How scores become probabilities. In a file: `calibration.temperature = { held-out = 0.2 }`.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum CalibrationSpec {
    /// Scores as the model gives them.
    None {},
    /// Odds of a training prior become odds of another one; no rows are read.
    PriorShift {
        /// Share of positives that training amounts to; a positive weight `w` multiplies its odds by `w`.
        from: Fraction,
        /// Share of positives where the score is used.
        to: Fraction,
    },
    /// Logits are divided by one number.
    Temperature {
        /// Share of the persons on the training side whose rows fit the map and train nothing.
        held_out: Fraction,
    },
    /// A rising staircase.
    Isotonic {
        /// Share of the persons on the training side whose rows fit the map and train nothing.
        held_out: Fraction,
    },
}

impl CalibrationSpec {
    /// One of each, for laws and the reference page.
    ///
    /// # Panics
    /// Never: the fractions are constants.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        let share = |share| Fraction::new(share).expect("a constant fraction");
        vec![
            Self::None {},
            Self::PriorShift { from: share(0.05), to: share(0.005) },
            Self::Temperature { held_out: share(0.2) },
            Self::Isotonic { held_out: share(0.2) },
        ]
    }

    /// One sentence for the reference page.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::None {} => "scores as the model gives them".into(),
            Self::PriorShift { .. } => "odds moved from one prior to another (Saerens et al., 2002)".into(),
            Self::Temperature { .. } => "logits divided by one fitted number (Guo et al., ICML 2017)".into(),
            Self::Isotonic { .. } => {
                "a rising staircase, pool-adjacent-violators (Zadrozny and Elkan, KDD 2002)".into()
            }
        }
    }

    /// The share of persons that fit the map.
    #[must_use]
    pub const fn held_out(&self) -> Option<Fraction> {
        match self {
            Self::None {} | Self::PriorShift { .. } => None,
            Self::Temperature { held_out } | Self::Isotonic { held_out } => Some(*held_out),
        }
    }

    /// Checks what the types do not.
    ///
    /// # Errors
    /// Names the key that is outside its range.
    pub fn check(&self) -> Result<(), ModelError> {
        let inside = |what, share: Fraction| {
            demand(what, "strictly between 0 and 1", share.get(), share.get() > 0.0 && share.get() < 1.0)
        };
        match self {
            Self::None {} => Ok(()),
            Self::PriorShift { from, to } => inside("from", *from).and_then(|()| inside("to", *to)),
            Self::Temperature { held_out } | Self::Isotonic { held_out } => inside("held-out", *held_out),
        }
    }

    /// The map. Rows of one class, or no rows, fit nothing: scores stay as they are.
    #[must_use]
    pub fn fit(&self, counts: &ScoreCounts) -> Calibrator {
        match self {
            Self::PriorShift { from, to } => Calibrator::Shift { by: prior::shift(from.get(), to.get()) },
            Self::Temperature { .. } if counts.has_both_classes() => {
                Calibrator::Temperature { temperature: temperature::fit(counts) }
            }
            Self::Isotonic { .. } if counts.has_both_classes() => Calibrator::Steps(isotonic::fit(counts)),
            _ => Calibrator::Identity,
        }
    }
}

/// A fitted map from score to probability.
///
/// **Laws**: a probability lies in `[0, 1]`; a higher score never gets a lower one; only a staircase makes equal what was not (shifts and
/// temperatures do so by rounding alone, between neighbours).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Calibrator {
    /// Nothing was fitted, or nothing could be.
    Identity,
    /// Added to the logit.
    Shift {
        /// How much.
        by: f64,
    },
    /// The logit's divisor.
    Temperature {
        /// Above 1 makes scores less sure.
        temperature: f64,
    },
    /// A rising staircase over logits.
    Steps(Steps),
}

impl Calibrator {
    /// The probability of a score.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // A probability is stored as a score is.
    pub fn apply(&self, score: f32) -> f32 {
        match self {
            Self::Identity => score,
            Self::Shift { by } => counts::sigmoid(counts::logit(score) + by) as f32,
            Self::Temperature { temperature } => counts::sigmoid(counts::logit(score) / temperature) as f32,
            Self::Steps(steps) => steps.at(score) as f32,
        }
    }

    /// The map in words, for a report and a model card.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Identity => "scores as the model gives them".into(),
            Self::Shift { by } => format!("logit {by:+.3}"),
            Self::Temperature { temperature } => format!("logit / {temperature:.3}"),
            Self::Steps(steps) => format!("{} steps", steps.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::{Draw, Seed};

    /// Scores whose logits are twice too sure and whose positives are drawn from the true probability.
    fn overconfident(rows: usize, seed: u64) -> Vec<(f32, bool)> {
        let mut rng = Seed::root(seed).rng();
        (0..rows)
            .map(|_| {
                let logit = rng.normal() * 1.5 - 1.0;
                (counts::sigmoid(2.0 * logit) as f32, rng.chance(counts::sigmoid(logit)))
            })
            .collect()
    }

    fn counted(rows: &[(f32, bool)]) -> ScoreCounts {
        let mut counts = ScoreCounts::default();
        rows.iter().for_each(|&(score, positive)| counts.add(score, positive));
        counts
    }

    fn brier(rows: &[(f32, bool)], map: &Calibrator) -> f64 {
        let error = |&(score, positive): &(f32, bool)| {
            let gap = f64::from(map.apply(score)) - f64::from(u8::from(positive));
            gap * gap
        };
        rows.iter().map(error).sum::<f64>() / rows.len() as f64
    }

    #[test]
    fn every_map_gives_probabilities_and_keeps_the_order() {
        let counts = counted(&overconfident(2000, 1));
        let scores: Vec<f32> = (0..=4000_u16).map(|at| f32::from(at) / 4000.0).collect();
        for spec in CalibrationSpec::examples() {
            let map = spec.fit(&counts);
            let out: Vec<f32> = scores.iter().map(|&score| map.apply(score)).collect();
            assert!(out.iter().all(|p| (0.0..=1.0).contains(p)), "{spec:?}");
            assert!(out.is_sorted(), "{spec:?} turns scores round");
            let strict = out.windows(2).all(|pair| pair[0] < pair[1]);
            assert_eq!(strict, !matches!(spec, CalibrationSpec::Isotonic { .. }), "{spec:?} ties scores");
        }
    }

    /// Fitted on some rows, better on others; the two fitted maps find the true temperature of 2 and its curve.
    #[test]
    fn fitted_maps_mend_scores_that_are_too_sure() {
        let (fit, test) = (counted(&overconfident(20_000, 1)), overconfident(20_000, 2));
        let before = brier(&test, &Calibrator::Identity);
        for spec in [CalibrationSpec::examples()[2], CalibrationSpec::examples()[3]] {
            let map = spec.fit(&fit);
            let after = brier(&test, &map);
            let truth = Calibrator::Temperature { temperature: 2.0 };
            assert!(after < before - 0.005, "{spec:?}: {before} {after}");
            assert!(after < brier(&test, &truth) + 0.001, "{spec:?} is worse than the truth");
        }
    }

    #[test]
    fn rows_of_one_class_fit_nothing() {
        let mut counts = ScoreCounts::default();
        (0..50_u8).for_each(|at| counts.add(f32::from(at) / 50.0, false));
        for spec in [CalibrationSpec::examples()[2], CalibrationSpec::examples()[3]] {
            assert_eq!(spec.fit(&counts), Calibrator::Identity);
            assert_eq!(spec.fit(&ScoreCounts::default()), Calibrator::Identity);
        }
    }

    /// Sums of platforms' counts are the counts of all rows, so who adds them learns no row and the map is the same.
    #[test]
    fn counts_of_parts_add_up_to_the_counts_of_the_whole() {
        let rows = overconfident(500, 3);
        let mut sum = counted(&rows[..120]);
        sum.merge(&counted(&rows[120..]));
        assert_eq!(sum, counted(&rows));
    }

    #[test]
    fn files_name_maps_in_kebab_case_and_hold_no_other_key() {
        for (spec, text) in CalibrationSpec::examples().into_iter().zip([
            "none = {}",
            "prior-shift = { from = 0.05, to = 0.005 }",
            "temperature = { held-out = 0.2 }",
            "isotonic = { held-out = 0.2 }",
        ]) {
            assert_eq!(toml::from_str::<CalibrationSpec>(text).unwrap(), spec);
            assert!(toml::from_str::<CalibrationSpec>(&text.replace("}", ", bins = 3 }")).is_err());
        }
    }

    #[test]
    fn maps_survive_text_and_shares_outside_their_range_are_named() {
        let map = CalibrationSpec::examples()[3].fit(&counted(&overconfident(300, 4)));
        let text = serde_json::to_string(&map).unwrap();
        assert_eq!(serde_json::from_str::<Calibrator>(&text).unwrap(), map);
        let none = Fraction::new(0.0).unwrap();
        let message = |spec: CalibrationSpec| spec.check().unwrap_err().to_string();
        assert!(message(CalibrationSpec::Temperature { held_out: none }).starts_with("held-out"));
        assert!(message(CalibrationSpec::PriorShift { from: none, to: none }).starts_with("from"));
    }
}
