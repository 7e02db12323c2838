//! What `policy run` and `audit run` leave beside their result, so that it can be read, checked and made again as a run can: the files that
//! were read, word for word and placed as they were to each other (`inputs/`), what they came down to (`study.json`), where it was made
//! (`provenance.json`), and the sums of all that is no clock's.

use crate::config::{parse, read};
use crate::fault::{Fault, config, runtime};
use crate::{provenance, rundir};
use equipoise_store::{digest_files, write_atomic, write_json_atomic, write_sha256sums};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The description of a study in its directory.
pub(crate) const STUDY: &str = "study.json";
/// Where its files lie.
pub(crate) const INPUTS: &str = "inputs";
/// Results by cell: on the way to the result, and more of them where a run of more worlds went before.
const CELLS: &str = "cells";
/// Keys by which a file of ours names another, beside it.
const NAMES: [&[&str]; 4] =
    [&["world", "file"], &["world", "dataset"], &["experiment", "on"], &["score", "model", "on"]];

/// Which verb made it, and makes it again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// `equipoise policy run`
    Policy,
    /// `equipoise audit run`
    Audit,
}

impl Kind {
    /// Of which kind a file is: measures are what policies have.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn of(file: &Path) -> Result<Self, Fault> {
        let table: toml::Table = parse(file, &read(file, "study")?)?;
        Ok(if table.contains_key("measure") { Self::Policy } else { Self::Audit })
    }

    /// The verb.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Audit => "audit",
        }
    }
}

/// A study: what was asked, and of what.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Study {
    pub(crate) kind: Kind,
    /// The hash of everything that its cells read.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) question: String,
    pub(crate) seed: u64,
    /// Paired worlds, or worlds.
    pub(crate) worlds: u32,
    /// What was read, as parsed: the file and what it names.
    pub(crate) resolved: Value,
}

/// What is written down of a study.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    /// Its file, below `inputs/`.
    pub(crate) file: String,
    #[serde(rename = "study")]
    pub(crate) about: Study,
}

/// The file and those that it names, by the keys of [`NAMES`], each once.
///
/// # Errors
/// If one cannot be read.
pub(crate) fn sources(file: &Path) -> Result<Vec<PathBuf>, Fault> {
    let (mut found, mut open) = (Vec::new(), vec![file.to_path_buf()]);
    while let Some(path) = open.pop() {
        let real = std::fs::canonicalize(&path)
            .map_err(|error| config(format!("{}: {error}; check the path", path.display())))?;
        if found.contains(&real) {
            continue;
        }
        let table: toml::Table = parse(&path, &read(&path, "file")?)?;
        let beside = path.parent().unwrap_or_else(|| Path::new("."));
        let named = |keys: &&[&str]| {
            let (last, tables) = keys.split_last()?;
            let inner = tables.iter().try_fold(&table, |table, key| table.get(*key)?.as_table())?;
            Some(beside.join(inner.get(*last)?.as_str()?))
        };
        open.extend(NAMES.iter().filter_map(named));
        found.push(real);
    }
    Ok(found)
}

/// Each file's place below `inputs/`: as they lie to each other, from the folder that holds them all.
fn places(files: &[PathBuf]) -> Vec<String> {
    let mut root = files.first().and_then(|file| file.parent()).unwrap_or_else(|| Path::new("/"));
    while !files.iter().all(|file| file.starts_with(root)) {
        root = root.parent().unwrap_or_else(|| Path::new("/"));
    }
    let place = |file: &PathBuf| {
        let parts = file.strip_prefix(root).unwrap_or(file).components();
        parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
    };
    files.iter().map(place).collect()
}

/// Writes everything beside the result and seals the directory; gives its hash.
///
/// # Errors
/// If the disk does not take it, or one of the files went away.
pub(crate) fn seal(dir: &Path, file: &Path, study: Study, seconds: f64) -> Result<String, Fault> {
    let files = sources(file)?;
    let places = places(&files);
    for (from, place) in files.iter().zip(&places) {
        let to = dir.join(INPUTS).join(place);
        std::fs::create_dir_all(to.parent().unwrap_or(dir)).map_err(runtime)?;
        write_atomic(&to, read(from, "file")?.as_bytes()).map_err(runtime)?;
    }
    let kept = Kept { file: places.into_iter().next().unwrap_or_default(), about: study };
    write_json_atomic(&dir.join(STUDY), &kept).map_err(runtime)?;
    provenance::write(dir, &kept.about.id, kept.about.seed, seconds)?;
    write_sha256sums(dir, &outside()).map_err(runtime)?;
    hash(dir)
}

/// What stands outside a study's hash.
fn outside() -> Vec<&'static str> {
    rundir::OUTSIDE_HASH.into_iter().chain([CELLS]).collect()
}

/// The hash of a study as it lies on disk.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn hash(dir: &Path) -> Result<String, Fault> {
    digest_files(dir, &outside()).map_err(runtime)
}

/// The studies of a store, by name.
pub(crate) fn list(runs: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(runs).into_iter().flatten();
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.join(STUDY).is_file())
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A study's file, the experiment that it is about and that one's world, each named from the other: all are found, once, and keep their
    /// places to each other.
    #[test]
    fn files_are_followed_and_keep_their_places() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            path
        };
        put("worlds/a.toml", "x = 1\n");
        put("b/on.toml", "[world]\ndataset = \"../worlds/a.toml\"\n");
        let file = put(
            "b/c/study.toml",
            "[world]\nfile = \"../../worlds/a.toml\"\n[score.model]\non = \"../on.toml\"\n",
        );
        let found = sources(&file).unwrap();
        let mut places = places(&found);
        assert_eq!(places.remove(0), "b/c/study.toml");
        places.sort();
        assert_eq!(places, ["b/on.toml", "worlds/a.toml"]);
        std::fs::remove_file(dir.path().join("worlds/a.toml")).unwrap();
        assert!(sources(&file).unwrap_err().to_string().contains("worlds/a.toml"));
    }
}
