//! The vocabulary that every room of the house speaks: ids, events, time, seeds, units, labels, scores.
//!
//! No input or output, no maths library, no threads. Nothing in here can say *who somebody is*: an event has
//! no field for content, and a person id exists only so that ground truth can be keyed by it.
#![forbid(unsafe_code)]

mod draw;
mod event;
mod ids;
mod label;
mod observe;
mod params;
mod platform;
mod policy;
mod score;
mod seed;
pub mod special;
mod time;
mod units;
mod wide;

pub use draw::Draw;
pub use event::{Event, EventKind, EventSink, NullSink, ReportCategory, Surface};
pub use ids::{AccountId, AccountRef, PersonId, PlatformId};
pub use label::{KnownLabel, LabelSource, LabelStatus};
pub use observe::{Observer, RunEvent, Silent};
pub use params::{Params, all_finite, to_change};
pub use platform::{AccountProfile, AgeBand, Archetype, PlatformSchema, PlatformView, Region};
pub use policy::{
    Action, Budget, ContactView, FoundBy, Intent, Levers, MediaScreen, PlatformState, Policy, Reach,
    ReportingTools, ScoreSource, Steered, Verdict,
};
pub use score::RiskScore;
pub use seed::{CounterRng, Seed};
pub use time::{DAY, HOUR, MINUTE, SimTime, WEEK};
pub use units::{ClipNorm, Delta, Epsilon, Fraction, NoiseMultiplier, UnitError};
pub use wide::wide;
