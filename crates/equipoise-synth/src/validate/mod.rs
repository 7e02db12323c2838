//! Validation of a world (design table 3): is it what it says it is, does it look like the public numbers it is held
//! against, and does it give anything away? Every check states its target, the target's source, its n and its power; a
//! failed check stays failed.
//!
//! Follows the *printed statistics* of the sources named in each check; it cannot show that a world is realistic, only that
//! it is calibrated to these numbers. Adding a check is a file (or a function in a family's file) and a line in [`checks`].
//! V12 to V15 and V17 need features and a model; they stand in the runner behind the same [`Check`].

mod check;
mod determinism;
mod digest;
mod evidence;
mod facts;
mod finding;
mod graph;
mod hours;
mod invariants;
mod laws;
mod messages;
mod messaging;
mod population;
mod recorded;
mod reports;
mod sensitivity;
mod skew;
mod splits;
pub mod stats;
mod strangers;
mod timing;
mod watch;

pub use check::Check;
pub use digest::Digest;
pub use evidence::{Effort, Evidence, Mention, Part, RecordedOffences, SeedRun, Sensitivity, Split, Twin};
pub use facts::{AccountFacts, PersonFacts, WorldFacts};
pub use finding::{Finding, Header, Kind, Pass, Target};
pub use graph::{GraphCurves, graph_curves};
pub use hours::Hours;
pub use laws::{LAWS, Laws, Violation};
pub use messages::{Messages, Sampling};
pub use timing::{TimingCurves, timing_curves};
pub use watch::{Deed, Watch};

/// The checks of this crate, in the order of the table.
#[must_use]
pub fn checks() -> Vec<Box<dyn Check>> {
    vec![
        Box::new(population::Mix),
        Box::new(population::DeclaredAge),
        Box::new(graph::Degree),
        Box::new(graph::Clusters),
        Box::new(graph::Mixing),
        Box::new(messaging::Reciprocal),
        Box::new(recorded::PlatformShares),
        Box::new(strangers::StrangerContact),
        Box::new(recorded::Gender),
        Box::new(timing::Bursts),
        Box::new(timing::DailyRhythm),
        Box::new(splits::EntityLeak),
        Box::new(reports::ReportCalibration),
        Box::new(invariants::Invariants),
        Box::new(determinism::Determinism),
        Box::new(sensitivity::AssumedParameters),
        Box::new(skew::FederatedSkew),
    ]
}

/// Runs checks over evidence, in order.
#[must_use]
pub fn judge(checks: &[Box<dyn Check + '_>], evidence: &Evidence) -> Vec<Finding> {
    checks.iter().flat_map(|check| check.run(evidence)).collect()
}
