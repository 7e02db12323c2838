//! Statistics of any directed contact log (who wrote to whom, when), with no truth in it: the same code measures a real
//! public log and a simulated one, so that the two can stand side by side.
//!
//! Pure: nothing here reads files, prints, or keeps an account's values beyond the call. [`LogProfile::of`] computes
//! everything at once; the parts ([`StaticGraph`], [`Clustering`], [`Burst`], [`TailReport`], ...) stand alone, for
//! instance over a graph of contacts instead of messages. [`Control`] gives the same log with its timing replaced: a
//! check that a Poisson control passes too says nothing about timing.
//!
//! Promises nothing about causes: two logs with equal statistics may have arisen in different ways.
//!
//! ```
//! use equipoise_synth::contact_log::{ContactLog, LogProfile, ProfileSpec};
//! let log = ContactLog::new(&[0, 1, 0], &[1, 0, 2], &[0, 400, 900])?.bucketed(300)?;
//! let profile = LogProfile::of(&log, &ProfileSpec::standard(0));
//! assert_eq!((profile.accounts, profile.dyads, profile.rows), (3, 2, 3));
//! // Of the three directed links 0->1, 1->0 and 0->2, two are answered.
//! assert!((profile.reciprocity.links.unwrap() - 2.0 / 3.0).abs() < 1e-12);
//! # Ok::<(), equipoise_synth::contact_log::ContactLogError>(())
//! ```

mod assortativity;
mod bursts;
mod clustering;
mod control;
mod dyads;
mod gaps;
mod log;
mod profile;
mod quantiles;
mod rhythm;
mod static_graph;
mod statistics;
pub mod tail;
mod train_sizes;
mod trains;

pub use assortativity::{categorical_assortativity, degree_assortativity, numeric_assortativity};
pub use bursts::{Burst, BurstSummary};
pub use clustering::{Clustering, ClusteringBin, ClusteringSpec};
pub use control::Control;
pub use dyads::{Dyads, Reciprocity};
pub use gaps::{GapProfile, GapTail};
pub use log::{Contact, ContactLog, ContactLogError};
pub use profile::{LogProfile, ProfileSpec, TimingProfile};
pub use quantiles::{Quantiles, Quartiles};
pub use rhythm::{Rhythm, distance};
pub use static_graph::StaticGraph;
pub use statistics::Statistic;
pub use tail::TailReport;
pub use train_sizes::TrainSizes;
pub use trains::Trains;

#[cfg(test)]
mod laws;
