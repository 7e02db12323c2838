//! The registry of protective measures: what an experiment file can name.
//!
//! A new measure is one file (parameters, behaviour, hand-worked test) plus its lines here: variant, arms, `examples` entry.

use crate::{ContactLimit, NoPolicy, QueueAction, ReviewPolicy, ReviewQueueSpec};
use equipoise_core::Policy;
use serde::{Deserialize, Serialize};

/// A protective measure as an experiment file names it, for instance `contact-limit = { per-day = 3, mutuals-exempt = true }`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicySpec {
    /// Permits everything and does nothing: the control arm.
    NoPolicy(NoPolicy),
    /// Caps the contact requests from accounts that declared an adult age to accounts that declared an age under 18.
    ContactLimit(ContactLimit),
    /// Spends the review budget on the highest scores.
    ReviewQueue(ReviewQueueSpec),
}

impl PolicySpec {
    /// The measure, with nothing heard yet.
    #[must_use]
    pub fn build(&self) -> Box<dyn Policy> {
        match self {
            Self::NoPolicy(spec) => Box::new(*spec),
            Self::ContactLimit(spec) => Box::new(spec.build()),
            Self::ReviewQueue(spec) => Box::new(ReviewPolicy::new(*spec)),
        }
    }

    /// The name under which an experiment file knows the measure.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NoPolicy(_) => "no-policy",
            Self::ContactLimit(_) => "contact-limit",
            Self::ReviewQueue(_) => "review-queue",
        }
    }

    /// What the measure does, in one sentence with its parameters.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::NoPolicy(_) => "permits everything and reviews nobody: the control arm".to_owned(),
            Self::ContactLimit(spec) => spec.describe(),
            Self::ReviewQueue(spec) => spec.describe(),
        }
    }

    /// One of each measure, and more where a parameter changes its nature; law tests and the reference page run over them.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        vec![
            Self::NoPolicy(NoPolicy {}),
            Self::ContactLimit(ContactLimit { per_day: 3, mutuals_exempt: true }),
            Self::ContactLimit(ContactLimit { per_day: 0, mutuals_exempt: false }),
            Self::ReviewQueue(ReviewQueueSpec { action: QueueAction::Friction }),
            Self::ReviewQueue(ReviewQueueSpec { action: QueueAction::ContactFreeze }),
            Self::ReviewQueue(ReviewQueueSpec { action: QueueAction::Ban }),
        ]
    }
}
