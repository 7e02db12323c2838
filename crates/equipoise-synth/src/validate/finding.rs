//! What a check found: a value with its error, size and target, and whether it passes. One line of `VALIDATION.json`.
//!
//! Rules of judgement (design table 3): values are means over seeds and every test looks at the mean with three standard
//! errors on either side. A check that is too coarse to tell inside from outside is *not assessable*; it never passes by
//! being vague, and a failed finding is never dropped.

use super::stats::{mean, standard_error};
use serde::Serialize;

/// Whether a statistic is as it should be. In JSON `true`, `false`, or `null` where there is nothing to say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pass {
    /// Inside the target.
    Pass,
    /// Outside.
    Fail,
    /// Nothing to say: too little data, a missing part, or a statistic that is only reported.
    NotAssessable,
}

impl Serialize for Pass {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Pass => to.serialize_bool(true),
            Self::Fail => to.serialize_bool(false),
            Self::NotAssessable => to.serialize_none(),
        }
    }
}

/// What follows from a failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A failure makes the command fail.
    Gated,
    /// Printed beside its target; never decides.
    Reported,
    /// Must hold to the last byte; a single violation fails.
    Exact,
}

/// Where a statistic should lie.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Target {
    /// The mean lies inside; noise wider than the band is not assessable.
    Band(f64, f64),
    /// The mean and three standard errors stay at or below.
    AtMost(f64),
    /// The mean and three standard errors stay at or above.
    AtLeast(f64),
    /// The whole interval of three standard errors lies inside, on at least this many positives.
    Equivalent(f64, f64, u64),
    /// No violation.
    None,
    /// No target: the value is printed.
    Shown,
}

impl Target {
    /// The target in words.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Band(low, high) => format!("{} to {}", short(low), short(high)),
            Self::AtMost(high) => format!("at most {}", short(high)),
            Self::AtLeast(low) => format!("at least {}", short(low)),
            Self::Equivalent(low, high, positives) if low <= 0.0 => {
                format!("whole interval at most {}, {positives} positives", short(high))
            }
            Self::Equivalent(low, high, positives) => {
                format!("whole interval in {} to {}, {positives} positives", short(low), short(high))
            }
            Self::None => "exactly 0 violations".to_owned(),
            Self::Shown => "reported".to_owned(),
        }
    }
}

/// A bound to four decimals, without the dust of binary fractions.
fn short(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// One finding.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// The check, `V1` to `V22`.
    pub id: &'static str,
    /// What was measured.
    pub statistic: String,
    /// Its mean over seeds; absent where nothing could be measured.
    pub value: Option<f64>,
    /// Standard error of that mean.
    pub standard_error: Option<f64>,
    /// Independent worlds behind the value.
    pub seeds: usize,
    /// Units counted over all seeds (persons, dyads, edges, reports; the statistic says which).
    pub n: u64,
    /// The power of the test: the smallest departure from the target that it would see, three standard errors.
    pub detectable: Option<f64>,
    /// The target in words.
    pub target: String,
    /// Where the target comes from.
    pub source: &'static str,
    /// What a failure means.
    pub kind: Kind,
    /// The verdict.
    pub pass: Pass,
    /// What a reader must know beside the number.
    pub note: String,
}

/// What every finding of a check shares.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Header {
    /// The check.
    pub id: &'static str,
    /// What a failure means.
    pub kind: Kind,
    /// Where the target comes from.
    pub source: &'static str,
}

impl Header {
    /// Judges a statistic by its values, one a seed. `n` is the number of units over all seeds.
    #[must_use]
    pub fn judge(&self, statistic: impl Into<String>, values: &[f64], n: u64, target: Target) -> Finding {
        let finite = values.iter().all(|v| v.is_finite());
        self.judge_with(statistic, values, standard_error(values).filter(|_| finite), n, target)
    }

    /// The same with a standard error from elsewhere, for instance the binomial one of pooled counts.
    #[must_use]
    pub fn judge_with(
        &self,
        statistic: impl Into<String>,
        values: &[f64],
        error: Option<f64>,
        n: u64,
        target: Target,
    ) -> Finding {
        let finite: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
        let (pass, note) = if finite.is_empty() || finite.len() < values.len() {
            (Pass::NotAssessable, "a seed gave no value: too few units".to_owned())
        } else {
            verdict(mean(&finite), error, n, target)
        };
        let gated = if matches!(target, Target::Shown) { Kind::Reported } else { self.kind };
        Finding {
            id: self.id,
            statistic: statistic.into(),
            value: (!finite.is_empty()).then(|| mean(&finite)),
            standard_error: error,
            seeds: values.len(),
            n,
            detectable: error.map(|e| 3.0 * e),
            target: target.words(),
            source: self.source,
            kind: gated,
            pass,
            note,
        }
    }

    /// An exact statement: `violations` of it were met among `n` units.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn exact(
        &self,
        statistic: impl Into<String>,
        violations: u64,
        n: u64,
        seeds: usize,
        note: impl Into<String>,
    ) -> Finding {
        let pass = match (violations, n) {
            (0, 0) => Pass::NotAssessable,
            (0, _) => Pass::Pass,
            _ => Pass::Fail,
        };
        let mut finding = self.absent(statistic, Target::None, note);
        (finding.value, finding.seeds, finding.n) = (Some(violations as f64), seeds, n);
        (finding.kind, finding.pass) = (Kind::Exact, pass);
        finding
    }

    /// A statement that could not be tested, with the reason.
    #[must_use]
    pub fn absent(&self, statistic: impl Into<String>, target: Target, why: impl Into<String>) -> Finding {
        Finding {
            id: self.id,
            statistic: statistic.into(),
            value: None,
            standard_error: None,
            seeds: 0,
            n: 0,
            detectable: None,
            target: target.words(),
            source: self.source,
            kind: self.kind,
            pass: Pass::NotAssessable,
            note: why.into(),
        }
    }
}

impl Finding {
    /// Adds a sentence to the note.
    #[must_use]
    pub fn noting(mut self, text: impl AsRef<str>) -> Self {
        if !self.note.is_empty() {
            self.note.push_str("; ");
        }
        self.note.push_str(text.as_ref());
        self
    }

    /// Whether this finding makes the command fail.
    #[must_use]
    pub fn blocks(&self) -> bool {
        self.pass == Pass::Fail && self.kind != Kind::Reported
    }
}

/// The verdict on a mean with its standard error, and a remark.
fn verdict(value: f64, error: Option<f64>, n: u64, target: Target) -> (Pass, String) {
    let decide = |inside: bool| if inside { Pass::Pass } else { Pass::Fail };
    let Some(error) = error.filter(|e| e.is_finite()) else {
        return match target {
            Target::Shown => (Pass::NotAssessable, String::new()),
            _ => (Pass::NotAssessable, "one seed has no standard error".to_owned()),
        };
    };
    let (least, most) = (value - 3.0 * error, value + 3.0 * error);
    match target {
        Target::Shown => (Pass::NotAssessable, String::new()),
        Target::None => (Pass::NotAssessable, "a count of violations is judged by `exact`".to_owned()),
        Target::AtMost(high) if value <= high && most > high => {
            (Pass::NotAssessable, "the interval reaches over the bound".to_owned())
        }
        Target::AtMost(high) => (decide(most <= high), String::new()),
        Target::AtLeast(low) if value >= low && least < low => {
            (Pass::NotAssessable, "the interval reaches under the bound".to_owned())
        }
        Target::AtLeast(low) => (decide(least >= low), String::new()),
        Target::Equivalent(_, _, positives) if n < positives => {
            (Pass::NotAssessable, format!("{n} positives, {positives} are needed"))
        }
        Target::Equivalent(low, high, _) => {
            let outside = value < low || value > high;
            if least >= low && most <= high {
                (Pass::Pass, String::new())
            } else if most < low || least > high || (outside && 6.0 * error <= high - low) {
                (Pass::Fail, String::new())
            } else {
                (Pass::NotAssessable, "the interval reaches over the edge of the band".to_owned())
            }
        }
        Target::Band(low, high) => {
            let inside = value >= low && value <= high;
            if (least >= low && most <= high) || most < low || least > high {
                (decide(inside), String::new())
            } else if 6.0 * error <= high - low {
                (decide(inside), "the edge of the band lies within three standard errors".to_owned())
            } else {
                (Pass::NotAssessable, "three standard errors are wider than the band".to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header = Header { id: "V0", kind: Kind::Gated, source: "test" };

    fn pass(values: &[f64], n: u64, target: Target) -> Pass {
        HEADER.judge("x", values, n, target).pass
    }

    #[test]
    fn a_mean_inside_its_band_passes_and_one_outside_fails() {
        assert_eq!(pass(&[0.50, 0.51, 0.49], 9, Target::Band(0.4, 0.6)), Pass::Pass);
        assert_eq!(pass(&[0.70, 0.71, 0.69], 9, Target::Band(0.4, 0.6)), Pass::Fail);
    }

    #[test]
    fn noise_wider_than_the_band_is_not_assessable() {
        assert_eq!(pass(&[0.1, 0.5, 0.9], 9, Target::Band(0.45, 0.55)), Pass::NotAssessable);
        assert_eq!(pass(&[0.5], 9, Target::Band(0.4, 0.6)), Pass::NotAssessable);
    }

    #[test]
    fn an_equivalence_needs_the_whole_interval_and_the_positives() {
        let target = Target::Equivalent(0.45, 0.55, 200);
        assert_eq!(pass(&[0.50, 0.505, 0.495], 400, target), Pass::Pass);
        assert_eq!(pass(&[0.50, 0.505, 0.495], 100, target), Pass::NotAssessable);
        assert_eq!(pass(&[0.44, 0.50, 0.56], 400, target), Pass::NotAssessable);
        assert_eq!(pass(&[0.60, 0.61, 0.62], 400, target), Pass::Fail);
    }

    #[test]
    fn a_bound_counts_the_error_against_the_value() {
        assert_eq!(pass(&[0.80, 0.81, 0.79], 9, Target::AtMost(0.9)), Pass::Pass);
        assert_eq!(pass(&[0.89, 0.80, 0.92], 9, Target::AtMost(0.9)), Pass::NotAssessable);
        assert_eq!(pass(&[0.91, 0.90, 0.92], 9, Target::AtMost(0.9)), Pass::Fail);
    }

    #[test]
    fn a_single_violation_fails_and_no_unit_is_no_proof() {
        assert_eq!(HEADER.exact("x", 1, 1_000_000, 5, "").pass, Pass::Fail);
        assert_eq!(HEADER.exact("x", 0, 1_000_000, 5, "").pass, Pass::Pass);
        assert_eq!(HEADER.exact("x", 0, 0, 5, "").pass, Pass::NotAssessable);
    }
}
