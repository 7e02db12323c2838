//! The registry of protective measures: what an experiment file can name.
//!
//! A new measure is one file (parameters, behaviour, hand-worked test) plus its lines here: variant, arms, `examples` entry.

use crate::privacy::{Privacy, Reads};
use crate::{
    ContactLimit, Location, MediaFilter, NoPolicy, QueueAction, Reporting, ReviewPolicy, ReviewQueueSpec,
    SafeDefaults, SearchRestriction, SignalSharing,
};
use equipoise_core::{Fraction, Policy};
use serde::{Deserialize, Serialize};

/// A protective measure as an experiment file names it, for instance `contact-limit = { per-day = 3, mutuals-exempt = true }`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicySpec {
    /// Permits everything and does nothing: the control arm.
    NoPolicy(NoPolicy),
    /// Warns before sensitive media on children's devices.
    MediaFilter(MediaFilter),
    /// Caps the contact requests from accounts that declared an adult age to accounts that declared an age under 18.
    ContactLimit(ContactLimit),
    /// Hides declared minors from searches of and recommendations to declared adults.
    SearchRestriction(SearchRestriction),
    /// Sets the accounts of declared minors to safe defaults.
    SafeDefaults(SafeDefaults),
    /// Asks for reports after blocks and shows safety notices.
    Reporting(Reporting),
    /// Spends the review budget on the highest scores.
    ReviewQueue(ReviewQueueSpec),
    /// Tells other platforms the hashed token of an upheld case.
    SignalSharing(SignalSharing),
}

impl PolicySpec {
    /// The measure, with nothing heard yet.
    #[must_use]
    pub fn build(&self) -> Box<dyn Policy> {
        match self {
            Self::NoPolicy(spec) => Box::new(*spec),
            Self::MediaFilter(spec) => Box::new(*spec),
            Self::ContactLimit(spec) => Box::new(spec.build()),
            Self::SearchRestriction(spec) => Box::new(*spec),
            Self::SafeDefaults(spec) => Box::new(*spec),
            Self::Reporting(spec) => Box::new(*spec),
            Self::ReviewQueue(spec) => Box::new(ReviewPolicy::new(*spec)),
            Self::SignalSharing(spec) => Box::new(*spec),
        }
    }

    /// The name under which an experiment file knows the measure.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NoPolicy(_) => "no-policy",
            Self::MediaFilter(_) => "media-filter",
            Self::ContactLimit(_) => "contact-limit",
            Self::SearchRestriction(_) => "search-restriction",
            Self::SafeDefaults(_) => "safe-defaults",
            Self::Reporting(_) => "reporting",
            Self::ReviewQueue(_) => "review-queue",
            Self::SignalSharing(_) => "signal-sharing",
        }
    }

    /// What the measure does, in one sentence with its parameters.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::NoPolicy(_) => "permits everything and reviews nobody: the control arm".to_owned(),
            Self::MediaFilter(spec) => spec.describe(),
            Self::ContactLimit(spec) => spec.describe(),
            Self::SearchRestriction(spec) => spec.describe(),
            Self::SafeDefaults(spec) => spec.describe(),
            Self::Reporting(spec) => spec.describe(),
            Self::ReviewQueue(spec) => spec.describe(),
            Self::SignalSharing(spec) => spec.describe(),
        }
    }

    /// Whose data the measure reads, which, and for how long.
    #[must_use]
    pub const fn privacy(&self) -> Privacy {
        let (reads, data, kept_days, leaves_platform): (_, &'static [&'static str], _, _) = match self {
            Self::NoPolicy(_) => (Reads::Nobody, &[], 0, false),
            Self::MediaFilter(_) => (Reads::OwnDevice, &["media on the child's own device"], 0, false),
            Self::ContactLimit(_) => {
                (Reads::Actors, &["declared ages", "requests of 24 hours", "shared contacts"], 1, false)
            }
            Self::SearchRestriction(_) => {
                (Reads::Actors, &["declared ages", "where a request began"], 0, false)
            }
            Self::SafeDefaults(_) => {
                (Reads::Actors, &["declared ages", "where a request began", "contacts"], 0, false)
            }
            Self::Reporting(_) => (Reads::Named, &["declared ages", "blocks", "reports"], 0, false),
            Self::ReviewQueue(_) => {
                (Reads::Everybody, &["all that the score reads", "what a reviewer is shown"], 180, false)
            }
            Self::SignalSharing(_) => (Reads::Named, &["hashed token of an upheld case"], 180, true),
        };
        Privacy { reads, data, kept_days, leaves_platform }
    }

    /// One of each measure, and more where a parameter changes its nature; law tests and the reference page run over them.
    ///
    /// # Panics
    /// Never: the numbers below are in range.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        let share = |value: f64| Fraction::new(value).expect("between 0 and 1");
        let filter = |proceed: f64| MediaFilter {
            true_positive: share(0.9),
            false_positive: share(0.01),
            proceed: share(proceed),
            opt_out: share(0.1),
        };
        vec![
            Self::NoPolicy(NoPolicy {}),
            Self::MediaFilter(filter(0.5)),
            Self::MediaFilter(filter(0.0)),
            Self::ContactLimit(ContactLimit { per_day: 3, mutuals_exempt: true }),
            Self::ContactLimit(ContactLimit { per_day: 0, mutuals_exempt: false }),
            Self::SearchRestriction(SearchRestriction { effectiveness: share(0.9) }),
            Self::SafeDefaults(SafeDefaults {
                not_suggested: true,
                no_suggestions: true,
                not_listed: true,
                lists_hidden: true,
                no_messages_from_strangers: true,
                location: Location::NotModelled,
                opt_out: share(0.2),
            }),
            Self::Reporting(Reporting::new(1.5, share(0.3)).expect("between 1 and 2")),
            Self::ReviewQueue(ReviewQueueSpec { action: QueueAction::Friction }),
            Self::ReviewQueue(ReviewQueueSpec { action: QueueAction::ContactFreeze }),
            Self::ReviewQueue(ReviewQueueSpec { action: QueueAction::Ban }),
            Self::SignalSharing(SignalSharing { action: QueueAction::ContactFreeze }),
        ]
    }
}
