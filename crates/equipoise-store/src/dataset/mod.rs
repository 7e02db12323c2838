//! Published datasets: which tables, where they lie, how a log is written in parts and read back in the order of time,
//! what vouches for the files, and the pages that describe them.
//!
//! The world that fills a dataset is not known here; the runner brings rows and facts.

mod catalogue;
mod cohort;
mod croissant;
mod facts;
mod files;
mod layout;
mod merge;
mod page;
mod part;
mod rai;
mod replay;
mod tables;

pub use catalogue::{Column, Seat, TableSpec, table_at, table_spec, write_catalogued};
pub use cohort::{Cohort, MINIMUM_COHORT, cohorts};
pub use croissant::croissant;
pub use facts::{DatasetFacts, NOTICE, PlatformFacts};
pub use files::{FileSum, digest_of, files_in, read_sums, sum_file, write_sums};
pub use layout::{
    CARD, CONFIG, CROISSANT, DATA_PAGES, DATASHEET, FoundPart, OUTSIDE_HASH, README, SEED, VALIDATION,
    events_part, find_parts, table_dir,
};
pub use merge::tidy_log;
pub use page::{datasheet, readme};
pub use part::{encode_events_part, write_events_part};
pub use replay::{EventBatch, PlatformLog};
pub use tables::TABLES;
