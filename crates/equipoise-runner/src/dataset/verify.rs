//! Checking a published dataset: every file against its sum, every table against the catalogue, the content hash against the
//! card that was published with it. Whatever is wrong is named.

use super::build::sums;
use super::card::Card;
use crate::config::{parse, read};
use crate::fault::{Fault, config, runtime};
use equipoise_store::dataset::{CARD, DATA_PAGES, FileSum, OUTSIDE_HASH, digest_of, read_sums, table_at};
use equipoise_store::{DONE, SHA256SUMS, TableReader};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// What was checked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Verified {
    /// Files whose sum was checked.
    pub files: usize,
    /// Tables whose columns were checked.
    pub tables: usize,
    /// The content hash.
    pub hash: String,
}

/// Checks the dataset in `dir`.
///
/// # Errors
/// If it is no dataset, or a file was edited, cut short, added or removed, or a table is not of the catalogue: each by name.
pub fn verify(dir: &Path) -> Result<Verified, Fault> {
    let Ok(recorded) = read_sums(dir) else {
        let why = "holds no readable SHA256SUMS; name the directory of a dataset that `equipoise dataset build` made";
        return Err(config(format!("{}: {why}", dir.display())));
    };
    let recorded: BTreeMap<String, String> = recorded.into_iter().map(|(sum, name)| (name, sum)).collect();
    let found = sums(dir, &[SHA256SUMS, DONE])?;
    let mut problems = compare(&recorded, &found);
    if problems.is_empty() {
        problems = found.par_iter().filter_map(|file| stranger(dir, &file.name)).collect();
    }
    let outside = |name: &str| OUTSIDE_HASH.contains(&name);
    let hash = digest_of(found.iter().filter(|file| !outside(&file.name)));
    if problems.is_empty() {
        let path = dir.join(CARD);
        let card: Card = parse(&path, &read(&path, "card")?)?;
        if card.hash.as_deref() != Some(&hash) {
            problems.push(format!(
                "{CARD}: pins another content hash than {hash}; the data are not the ones that were published"
            ));
        }
    }
    if problems.is_empty() {
        let tables = found.iter().filter(|file| table_at(&file.name).is_some()).count();
        return Ok(Verified { files: found.len(), tables, hash });
    }
    let list: Vec<String> = problems.iter().map(|problem| format!("  {problem}")).collect();
    Err(Fault::Runtime(format!("{}: do not use it; build it again\n{}", dir.display(), list.join("\n"))))
}

fn compare(recorded: &BTreeMap<String, String>, found: &[FileSum]) -> Vec<String> {
    let mut problems = Vec::new();
    let have: BTreeMap<&str, &str> =
        found.iter().map(|file| (file.name.as_str(), file.sha256.as_str())).collect();
    for (name, sum) in recorded {
        match have.get(name.as_str()) {
            None => problems.push(format!("{name}: is missing")),
            Some(now) if now != sum => {
                problems.push(format!("{name}: was edited or cut short (its sum differs)"))
            }
            Some(_) => {}
        }
    }
    let added = found.iter().filter(|file| !recorded.contains_key(&file.name));
    problems.extend(added.map(|file| format!("{}: was added; it is no part of the dataset", file.name)));
    problems
}

/// Why a file has no place in a dataset, whatever the list of sums says about it.
fn stranger(dir: &Path, name: &str) -> Option<String> {
    if DATA_PAGES.contains(&name) {
        return None;
    }
    let Some((spec, _)) = table_at(name) else {
        return Some(format!("{name}: no dataset holds such a file; remove it"));
    };
    match TableReader::open(&dir.join(name)).map_err(runtime) {
        Err(fault) => Some(format!("{name}: {fault}")),
        Ok(reader) if !spec.fits(reader.schema()) => {
            Some(format!("{name}: has other columns than the table `{}` of the catalogue", spec.name))
        }
        Ok(_) => None,
    }
}
