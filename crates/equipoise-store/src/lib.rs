//! Datasets and results on disk: fixed-width tables as Parquet, atomic files, `done` markers, checksums, cache keys.
//!
//! The only crate that names Parquet; no Parquet type appears in its public items. Text columns cannot be expressed:
//! [`ColumnData`] has no variant for them and a foreign file that holds one is refused, so that no content, name or
//! handle can be stored by accident. It does not decide *what* is stored or where a run lives; the runner does.
//!
//! ```
//! use equipoise_store::{ColumnData, Table, read_table, write_table};
//! let directory = tempfile::tempdir().unwrap();
//! let path = directory.path().join("scores.parquet");
//! let table = Table::new().with("account", ColumnData::U32(vec![3, 9])).unwrap();
//! write_table(&path, &table, &[("generator", "0.1.0")]).unwrap();
//! let (back, meta) = read_table(&path).unwrap();
//! assert_eq!(back.u32("account").unwrap(), [3, 9]);
//! assert_eq!(meta["synthetic"], "true");
//! ```
#![forbid(unsafe_code)]

mod atomic;
pub mod dataset;
mod digest;
mod done;
mod error;
mod events;
mod foreign;
mod hash;
mod json;
mod read;
mod schema;
mod sums;
mod table;
mod write;

pub use atomic::{Published, publish_dir, scratch_dir, write_atomic};
pub use digest::digest_files;
pub use done::{DONE, finish_dir, is_done, verify_dir};
pub use error::StoreError;
pub use events::{events_from_table, events_to_table};
pub use foreign::{ForeignColumns, ForeignValue, read_foreign};
pub use hash::{canonical_json, stage_key};
pub use json::{read_json, write_json_atomic};
pub use read::{TableReader, read_table};
pub use sums::{SHA256SUMS, check_sha256sums, write_sha256sums};
pub use table::{ColumnData, ColumnType, Table};
pub use write::{ROW_GROUP_ROWS, TableWriter, write_table};
