//! The harm-and-report block alone: accounts, dyads with children, and what of it the police record, without any benign
//! behaviour, until enough recorded offences with a known platform exist for a check (V7, V9). Shares of platforms are
//! separate marginals, not a partition: an offence may name several platforms, or one that no world models.
//!
//! It answers whether the world's targeting, platform mix and disclosure lead to the recorded shares. It says nothing
//! about how much is never recorded: that ratio is a parameter, to be swept from 1:3 to 1:20.

mod block;
mod counts;
mod spec;

pub use block::draw;
pub use counts::{Accounts, Children, Dyads, Offences, RecordedCounts, Spread};
pub use spec::{Naming, Platform, Reading, RecordedSpec};
