//! From a stream of events to rows and sequences *as of a cut-off*, online and per platform.
//!
//! What this crate promises:
//! - a row depends only on events strictly before its cut-off;
//! - a row depends only on the accounts that it lists as read: the account itself and at most
//!   [`FeatureSpec::max_contacts`] of its contacts, chosen by a public seed that never looks at the data. This is what a
//!   bound on one account's contribution (privacy unit "account, fixed graph") can be built on;
//! - scaling uses public constants, never a statistic of the data.
//!
//! What it does not promise: *who contacts whom* is not hidden by the bound (the sample is a function of the contact
//! graph), and neither [`RuleBlock`] nor a count of mutual contacts is covered by it beyond that graph. The crate never
//! sees ground truth. The running statistics outlive the raw log: a platform's retention of events does not shorten them.
#![forbid(unsafe_code)]

mod account;
mod block;
mod contact;
mod dictionary;
mod dyad;
mod encode;
mod moment;
mod multi;
#[cfg(test)]
mod oracle;
mod rule;
mod sample;
mod sequence;
mod shard;
mod spec;
mod stream;
mod summary;
#[cfg(test)]
mod test_world;
mod unit;

pub use block::{RowBlock, RuleBlock, SequenceBlock};
pub use contact::{ContactBlock, contact_columns};
pub use dictionary::{FeatureDef, Group, Reads, Sight, dictionary, dictionary_markdown};
pub use multi::{MultiStream, SnapshotPlan};
pub use rule::LiteralRule;
pub use sequence::Token;
pub use spec::{FeatureError, FeatureSpec};
pub use stream::FeatureStream;
pub use unit::UnitScale;
