//! The simulated world: persons, accounts, ties, behaviour, simulated harmful patterns with their matched benign
//! look-alikes, reporting and moderation. Platform metadata only; nothing here is about anybody who exists.
//!
//! [`World::build`] makes everything that stands still, [`World::run`] steps it through time and hands events to an
//! [`equipoise_core::EventSink`]. Policies act on intents before they become events. Ground truth lives in [`truth`],
//! which only the runner and the benches may import.
#![forbid(unsafe_code)]

mod accounts;
mod cast;
mod commit;
pub mod contact_log;
mod contacts;
mod dyad;
mod error;
mod generator;
mod graph;
mod linkage;
mod logbook;
mod moderation;
mod ontology;
mod outcome;
mod population;
mod queue;
mod rhythm;
mod roles;
mod schema;
mod session;
mod simulation;
mod sourced;
mod spec;
mod spec_graph;
mod spec_harm;
mod stranger_watch;
pub mod truth;
mod world;

pub use error::WorldError;
pub use generator::{Generator, GraphFamily, HarmProcess, Timing};
pub use graph::{TieKind, Ties};
pub use ontology::{Entry, Sight, ontology, sight};
pub use outcome::Outcome;
pub use schema::{Retention, SchemaMode, held_from, schema_of};
pub use simulation::Simulation;
pub use sourced::{Shift, Sourced};
pub use spec::{
    BehaviourSpec, HardNegativeSpec, LinkageSpec, MembershipSpec, Number, PlatformSpec, PopulationSpec, Rate,
    WorldSpec,
};
pub use spec_graph::{CircleSpec, CirclesSpec, GraphSpec, LatentSpaceSpec, NewTieSpec, Sorting};
pub use spec_harm::{
    ArchetypeSpec, Cover, HarmSpec, ModerationSpec, RateShift, ResponseSpec, ShareShift, StageRates,
    StageShares,
};
pub use stranger_watch::{COHORT, Counted, StrangerCounts, StrangerWatch};
pub use world::World;
