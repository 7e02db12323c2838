//! What a run is judged by: metrics over (score, truth, time) cases, curves, intervals, fairness slices, statistics.
//!
//! A pure function crate: it is handed [`Case`]s by the runner, the only place that may hold scores and truth together,
//! and never sees the world. Every metric is counted per account and, after [`per_person`], per person; every interval
//! resamples persons; a cell with too few positives is [`Assessed::NotAssessable`], never a number.
#![forbid(unsafe_code)]

mod bootstrap;
mod burden;
mod case;
mod curve;
pub mod early;
pub mod harm;
pub mod laws;
pub mod metric;
pub mod stats;
pub mod survival;
pub mod table;

pub use bootstrap::{Assessed, Bootstrap, EvalError, assess, assess_all};
pub use burden::{BurdenGap, GroupBurden, MINIMUM_COHORT, burden_by_group, burden_gap};
pub use case::{Case, CaseSet, ContactTimes, NO_ARCHETYPE, per_person, slice, slices};
pub use curve::{ReliabilityBin, precision_at_prevalence, precision_recall_curve, reliability, roc_curve};
pub use metric::{About, MINIMUM_POSITIVES, Metric, MetricSpec, Sample, Unit, ranking};
pub use survival::{Ending, FollowUp, StepPoint, detection_curve, follow_ups};
