//! Published aggregates as data (`datasets/calibration.toml`), each with its unit, frame, source and limit. Nothing here is
//! about a person. A world is "calibrated to these public numbers" and nothing more; numbers of different units or frames
//! are never pooled. Names of firms stand in `source` only.

use crate::recorded::RecordedSpec;
use serde::{Deserialize, Serialize};

/// What an anchor counts. Four different things in the same sentence of a newspaper.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// An offence as the police record it: one may name several children and several platforms.
    Offence,
    /// An account on a platform.
    Account,
    /// A pair of one account and one child.
    Dyad,
    /// A child.
    Child,
    /// An adult asked in a survey.
    Adult,
    /// A report to a platform.
    Report,
    /// A piece of content that a platform removed.
    Content,
    /// A recommendation that a platform made.
    Recommendation,
}

/// How an anchor's value is to be read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// A number of units.
    Count,
    /// A share of units.
    Share,
    /// A ratio of two numbers of the same unit.
    Ratio,
    /// Minutes.
    Minutes,
}

/// One published number.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Anchor {
    /// A neutral name.
    pub id: String,
    /// The number.
    pub value: f64,
    /// How to read it.
    pub measure: Measure,
    /// What it counts.
    pub unit: Unit,
    /// Of whom, where, when.
    pub frame: String,
    /// Where it was published.
    pub source: String,
    /// What it does not say.
    pub limit: String,
}

/// The calibration file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Calibration {
    /// Parameters of the block of recorded offences.
    pub recorded: RecordedSpec,
    /// The numbers.
    pub anchor: Vec<Anchor>,
}

impl Calibration {
    /// The anchor of a name.
    #[must_use]
    pub fn anchor(&self, id: &str) -> Option<&Anchor> {
        self.anchor.iter().find(|anchor| anchor.id == id)
    }
}
