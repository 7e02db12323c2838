//! Protective measures: what a platform refuses, and which accounts it looks at first.
//!
//! The trait [`Policy`] and its neighbours live in `equipoise-core`, so that the world and the measures never import each
//! other: a measure sees what its platform sees, never the truth. Here are its do-nothing form, the measures, the simulated
//! human [`Reviewer`], and the [`laws`] that every measure obeys.
//!
//! A measure here answers a research question about simulated people. None of it is advice for a real service.
//!
//! ```
//! use equipoise_core::{AccountId, Budget, RiskScore};
//! use equipoise_policy::ReviewQueue;
//! let mut queue = ReviewQueue::new();
//! let scores = [(AccountId(4), RiskScore::new(0.2)), (AccountId(7), RiskScore::new(0.9))];
//! assert_eq!(queue.select(&scores, Budget(1)), [AccountId(7)]);
//! assert_eq!(queue.select(&scores, Budget(1)), [AccountId(4)]); // each account is reviewed once
//! ```
#![forbid(unsafe_code)]

mod ages;
mod closed_loop;
mod contact_limit;
mod desk;
pub mod laws;
mod media_filter;
mod no_policy;
mod privacy;
mod reporting;
mod review_queue;
mod reviewer;
mod rule_score;
mod safe_defaults;
mod search_restriction;
mod share;
mod signal_sharing;
mod spec;
pub mod tandem;
mod together;

#[doc(no_inline)]
pub use equipoise_core::Policy;

pub use closed_loop::{Ledger, run_closed_loop};
pub use contact_limit::{ContactLimit, ContactLimitPolicy};
pub use desk::{Appeal, Case, Desk, Opened, ReviewRules};
pub use media_filter::MediaFilter;
pub use no_policy::NoPolicy;
pub use privacy::{Privacy, Reads};
pub use reporting::{NoticeError, Reporting};
pub use review_queue::{QueueAction, ReviewPolicy, ReviewQueue, ReviewQueueSpec};
pub use reviewer::{Review, Reviewer, ReviewerError};
pub use rule_score::RuleScore;
pub use safe_defaults::{Location, SafeDefaults};
pub use search_restriction::SearchRestriction;
pub use signal_sharing::SignalSharing;
pub use spec::PolicySpec;
pub use together::{Since, Together};
