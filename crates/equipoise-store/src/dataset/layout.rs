//! Where things lie in a published dataset. The names are the ones that partition-aware readers understand.

use crate::StoreError;
use equipoise_core::PlatformId;
use std::fs;
use std::path::{Path, PathBuf};

/// What Croissant readers read.
pub const CROISSANT: &str = "croissant.json";
/// The datasheet (Gebru et al., "Datasheets for datasets", 2021).
pub const DATASHEET: &str = "DATASHEET.md";
/// The page that a host of datasets shows.
pub const README: &str = "README.md";
/// The resolved world, every rate with its source.
pub const CONFIG: &str = "config.toml";
/// The seed, one number.
pub const SEED: &str = "seed";
/// The card that the dataset was built from.
pub const CARD: &str = "card.toml";
/// The checks of the world, where they were run.
pub const VALIDATION: &str = "VALIDATION.json";

/// Files that describe the data and do not enter its hash: wording may improve without a new dataset.
pub const OUTSIDE_HASH: [&str; 7] =
    [CROISSANT, DATASHEET, README, CARD, VALIDATION, crate::SHA256SUMS, crate::DONE];

/// Files beside the tables.
pub const DATA_PAGES: [&str; 9] =
    [CROISSANT, DATASHEET, README, CARD, VALIDATION, CONFIG, SEED, crate::SHA256SUMS, crate::DONE];

/// The directory of one table of one platform.
#[must_use]
pub fn table_dir(platform: PlatformId, table: &str) -> String {
    format!("platform={}/table={table}", platform.0)
}

/// The part of a log: one platform, one block of accounts, one week.
#[must_use]
pub fn events_part(platform: PlatformId, block: u16, week: u32) -> String {
    format!("{}/block={block}/week={week}.parquet", table_dir(platform, "events"))
}

/// A part found on disk.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct FoundPart {
    /// Week from the start of the window.
    pub week: u32,
    /// Block of accounts.
    pub block: u16,
    /// The file.
    pub path: PathBuf,
}

/// The parts of a platform's log, by week and block.
///
/// # Errors
/// If the directory cannot be read or holds something that is not a part.
pub fn find_parts(dataset: &Path, platform: PlatformId) -> Result<Vec<FoundPart>, StoreError> {
    let root = dataset.join(table_dir(platform, "events"));
    let mut parts = Vec::new();
    for (block, place) in numbered(&root, "block=", "")? {
        for (week, path) in numbered(&place, "week=", ".parquet")? {
            let block = u16::try_from(block).map_err(|_| stranger(&place))?;
            parts.push(FoundPart { week, block, path });
        }
    }
    parts.sort_unstable();
    Ok(parts)
}

/// The platform, block and week that the name of a part says, if it is the name of a part.
pub(crate) fn part_of(name: &str) -> Option<(PlatformId, u16, u32)> {
    let rest = name.strip_prefix("platform=")?;
    let (platform, rest) = rest.split_once("/table=events/block=")?;
    let (block, week) = rest.split_once("/week=")?;
    let part = (
        PlatformId(platform.parse().ok()?),
        block.parse().ok()?,
        week.strip_suffix(".parquet")?.parse().ok()?,
    );
    // Only the plain spelling of the numbers.
    (events_part(part.0, part.1, part.2) == name).then_some(part)
}

/// Entries named `<before><number><after>`; temporary files that a kill left are passed over.
fn numbered(place: &Path, before: &str, after: &str) -> Result<Vec<(u32, PathBuf)>, StoreError> {
    let entries = fs::read_dir(place).map_err(StoreError::io(place, "list the directory"))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(StoreError::io(place, "list the directory"))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if crate::atomic::is_temporary(name) {
            continue;
        }
        let number = name.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
        // Only the plain spelling of a number: `007` beside `7` would be one part twice.
        let number = number.and_then(|n| n.parse::<u32>().ok().filter(|value| value.to_string() == n));
        found.push((number.ok_or_else(|| stranger(&path))?, path));
    }
    Ok(found)
}

fn stranger(path: &Path) -> StoreError {
    StoreError::Strange { path: path.to_path_buf(), why: "not a part of a log" }
}
