//! The simulated world: persons, accounts, ties, behaviour, simulated harmful patterns with their matched benign
//! look-alikes, reporting and moderation. Platform metadata only; nothing here is about anybody who exists.
//!
//! [`World::build`] makes everything that stands still, [`World::run`] steps it through time and hands events to an
//! [`equipoise_core::EventSink`]. Policies act on intents before they become events. Ground truth lives in [`truth`],
//! which only the runner and the benches may import.
#![forbid(unsafe_code)]

mod accounts;
mod actor;
mod adaptation;
mod agenda;
mod base_rates;
pub mod calibration;
mod cast;
mod churn;
mod commit;
pub mod contact_log;
mod contacts;
mod cost;
mod drift;
mod dyad;
mod engine;
mod error;
mod flesh;
mod generator;
mod graph;
pub mod harm_counts;
mod hawkes;
mod linkage;
mod logbook;
mod lull;
mod moderation;
mod ontology;
mod ordinary;
mod outcome;
mod population;
mod proactive;
mod queue;
pub mod recorded;
mod respond;
mod rhythm;
mod roles;
mod row;
mod schema;
mod screen;
mod seek;
mod session;
mod settle;
mod shared_signal;
mod simulation;
mod skeleton;
mod sourced;
mod spec;
mod spec_adaptation;
mod spec_drift;
mod spec_graph;
mod spec_harm;
mod spec_response;
mod spec_targeting;
mod stages;
mod steered;
mod stranger_watch;
mod stream;
mod talk;
mod targets;
mod team;
pub mod truth;
mod turns;
mod units;
pub mod validate;
mod world;

pub use agenda::Agenda;
pub use base_rates::BaseRates;
pub use cost::AccountCost;
pub use error::WorldError;
pub use generator::{Generator, GraphFamily, HarmProcess, Timing};
pub use graph::{TieKind, Ties};
pub use hawkes::HawkesSpec;
pub use ontology::{Entry, Sight, ontology, sight};
pub use outcome::Outcome;
pub use row::tidy;
pub use schema::{Retention, SchemaMode, held_from, schema_of};
pub use simulation::Simulation;
pub use skeleton::Skeleton;
pub use sourced::{Shift, Sourced};
pub use spec::{
    BehaviourSpec, HardNegativeSpec, LinkageSpec, MembershipSpec, Number, PlatformSpec, PopulationSpec, Rate,
    WorldSpec,
};
pub use spec_adaptation::{AdaptationSpec, AdverseSpec};
pub use spec_drift::{DriftSpec, LaunchSpec};
pub use spec_graph::{CircleSpec, CirclesSpec, GraphSpec, LatentSpaceSpec, NewTieSpec, Sorting};
pub use spec_harm::{
    ArchetypeSpec, Cover, HarmSpec, RateShift, ShareShift, StageRates, StageShares, TeamSpec,
};
pub use spec_response::{ModerationSpec, ResponseSpec};
pub use spec_targeting::{Targeting, TargetingPreset, TargetingSpec};
pub use stranger_watch::{COHORT, Counted, StrangerCounts, StrangerWatch};
pub use world::World;
