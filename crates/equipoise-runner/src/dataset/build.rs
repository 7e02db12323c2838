//! Building a dataset: into a scratch directory beside its place, then one rename. A killed build is taken up where it stopped,
//! part by part, by the same program with the same card; anything else finds nothing.

use super::card::Loaded;
use super::describe::{count_events, facts, generator};
use super::parts::{Counts, write_parts};
use super::source::Source;
use super::tables::Writer;
use crate::fault::{Fault, config, runtime};
use equipoise_core::{Observer, RunEvent};
use equipoise_store::dataset::{
    CARD, CONFIG, CROISSANT, DATASHEET, FileSum, OUTSIDE_HASH, PlatformLog, README, SEED, VALIDATION,
    croissant, datasheet, digest_of, files_in, readme, sum_file, write_sums,
};
use equipoise_store::{
    DONE, SHA256SUMS, finish_dir, is_done, publish_dir, stage_key, write_atomic, write_json_atomic,
};
use equipoise_synth::Outcome;
use rayon::prelude::*;
use serde::Serialize;
use std::fs::{self, File};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// What a build left behind.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Built {
    /// The directory.
    pub path: PathBuf,
    /// Content hash of the data files.
    pub hash: String,
    /// Whether the card pins that hash.
    pub pinned: bool,
    /// Whether it was there before.
    pub was_there: bool,
    /// Rows of all logs.
    pub events: u64,
    /// Bytes of all data files.
    pub bytes: u64,
    /// Parts of logs that were written now.
    pub parts_written: usize,
    /// Parts of logs that an interrupted build had left.
    pub parts_found: usize,
}

/// What may be asked of a build.
#[derive(Clone, Copy, Debug)]
pub struct Wishes<'a> {
    /// The final directory.
    pub target: &'a Path,
    /// Accept a hash that is not the card's.
    pub repin: bool,
    /// A file of checks to publish with the data.
    pub validation: Option<&'a Path>,
}

/// Builds the dataset of a card, or finds it built.
///
/// # Errors
/// If the place is taken or somebody else builds there, the world cannot be run, the disk does not take it, or the content
/// hash is not the one that the card pins.
pub fn build(loaded: &Loaded, wishes: Wishes<'_>, observer: &dyn Observer) -> Result<Built, Fault> {
    let target = wishes.target;
    if target.exists() {
        return found(loaded, target, wishes.repin);
    }
    let validation = wishes.validation.map(read_validation).transpose()?;
    let _lock = lock(target)?;
    let scratch = scratch(loaded, target)?;
    let (built, outcome) = data(loaded, &scratch, observer)?;
    check_pin(loaded, &built.hash, wishes.repin, &format!("the parts are kept in {}; ", scratch.display()))?;
    pages(loaded, &scratch, &built, &outcome, validation.as_deref())?;
    finish_dir(&scratch).map_err(runtime)?;
    publish_dir(&scratch, target).map_err(runtime)?;
    Ok(Built {
        path: target.to_owned(),
        pinned: loaded.card.hash.as_ref() == Some(&built.hash),
        was_there: false,
        events: built.events,
        bytes: built.files.iter().map(|file| file.bytes).sum(),
        parts_written: built.parts.written,
        parts_found: built.parts.found,
        hash: built.hash,
    })
}

/// Parts of some blocks, made apart.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct BuiltBlocks {
    /// The scratch directory that they lie in.
    pub path: PathBuf,
    /// Parts of logs that were written now.
    pub parts_written: usize,
    /// Parts of logs that lay there.
    pub parts_found: usize,
}

/// Writes the parts of some blocks and publishes nothing: the same program builds the others, elsewhere if need be, and a build
/// of the whole takes up whatever lies in the scratch directory.
///
/// # Errors
/// If there are no such blocks, the dataset is there already, the world cannot be run or the disk does not take it.
pub fn build_blocks(
    loaded: &Loaded,
    target: &Path,
    blocks: &Range<u16>,
    observer: &dyn Observer,
) -> Result<BuiltBlocks, Fault> {
    let card = &loaded.card;
    if blocks.is_empty() || blocks.end > card.blocks {
        let (all, path) = (card.blocks, loaded.path.display());
        return Err(config(format!("--blocks: {path} has blocks 0..{all}; give a part of them, as in 0..1")));
    }
    if target.exists() {
        return Err(config(format!("{}: is there already; choose another --out", target.display())));
    }
    let _lock = lock(target)?;
    let path = scratch(loaded, target)?;
    let source = Source::new(&loaded.world, card.seed, card.blocks)?;
    let (generator, config_hash) = (generator(), config_hash(loaded)?);
    let (_, counts) = write_parts(&source, blocks, &path, &meta(&generator, &config_hash), observer)?;
    Ok(BuiltBlocks { path, parts_written: counts.written, parts_found: counts.found })
}

/// What every part says about itself.
fn meta<'a>(generator: &'a str, config_hash: &'a str) -> [(&'a str, &'a str); 2] {
    [("generator", generator), ("config", config_hash)]
}

fn config_hash(loaded: &Loaded) -> Result<String, Fault> {
    let text = toml::to_string(&loaded.world).map_err(runtime)?;
    Ok(blake3::hash(text.as_bytes()).to_hex().to_string())
}

/// A finished dataset. A hash to pin is never read from one: it may be of a world that has changed since.
fn found(loaded: &Loaded, target: &Path, repin: bool) -> Result<Built, Fault> {
    if repin {
        return Err(config(format!(
            "{}: is there already, and --repin takes no hash from an old build; remove it, or choose another --out",
            target.display()
        )));
    }
    if !is_done(target) {
        return Err(config(format!(
            "{}: is no finished dataset; choose another --out, or remove it",
            target.display()
        )));
    }
    let files = sums(target, &OUTSIDE_HASH)?;
    let hash = digest_of(&files);
    check_pin(loaded, &hash, false, &format!("{} holds it; ", target.display()))?;
    Ok(Built {
        path: target.to_owned(),
        pinned: loaded.card.hash.as_ref() == Some(&hash),
        hash,
        was_there: true,
        events: loaded
            .world
            .platform
            .iter()
            .enumerate()
            .try_fold(0, |sum, (at, _)| Ok(sum + log(target, at)?.rows()))?,
        bytes: files.iter().map(|file| file.bytes).sum(),
        parts_written: 0,
        parts_found: 0,
    })
}

fn log(root: &Path, platform: usize) -> Result<PlatformLog, Fault> {
    let platform = equipoise_core::PlatformId(u8::try_from(platform).unwrap_or(u8::MAX));
    PlatformLog::open(root, platform).map_err(runtime)
}

fn check_pin(loaded: &Loaded, hash: &str, repin: bool, kept: &str) -> Result<(), Fault> {
    let wanted = loaded.card.hash.as_deref();
    if repin || wanted == Some(hash) {
        return Ok(());
    }
    let why = wanted.map_or("pins no hash".to_owned(), |wanted| format!("pins {wanted}"));
    Err(Fault::Runtime(format!(
        "{}: the content hash is {hash}, the card {why}; {kept}if the world was meant to change, build with --repin and put \
         the new hash and a new version into the card",
        loaded.path.display()
    )))
}

fn read_validation(path: &Path) -> Result<Vec<u8>, Fault> {
    let bytes =
        fs::read(path).map_err(|error| config(format!("{}: {error}; check the path", path.display())))?;
    serde_json::from_slice::<serde_json::Value>(&bytes).map_err(|error| {
        config(format!(
            "{}: is not JSON ({error}); give what `equipoise world validate` wrote",
            path.display()
        ))
    })?;
    Ok(bytes)
}

/// Holds the place against a second build; the system lets go of it when this process ends, however it ends.
fn lock(target: &Path) -> Result<File, Fault> {
    let parent = parent(target);
    fs::create_dir_all(&parent)
        .map_err(|error| Fault::Runtime(format!("{}: {error}; choose another --out", parent.display())))?;
    let path = parent.join(format!(".{}.tmp-lock", name(target)?));
    let file = File::create(&path)
        .map_err(|error| Fault::Runtime(format!("{}: {error}; choose another --out", path.display())))?;
    file.try_lock().map_err(|error| {
        Fault::Runtime(format!("{}: another build works on it ({error}); wait for it", target.display()))
    })?;
    Ok(file)
}

fn parent(target: &Path) -> PathBuf {
    target
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .map_or_else(|| PathBuf::from("."), Path::to_owned)
}

fn name(target: &Path) -> Result<String, Fault> {
    target
        .file_name()
        .and_then(|name| name.to_str())
        .map(str::to_owned)
        .ok_or_else(|| config(format!("{}: is no place for a dataset; name a directory", target.display())))
}

/// The directory of an interrupted build of the same program and card, or a new one; others are removed.
fn scratch(loaded: &Loaded, target: &Path) -> Result<PathBuf, Fault> {
    let program = std::env::current_exe().and_then(fs::read).map_err(runtime)?;
    let program = blake3::hash(&program).to_hex().to_string();
    let card = (&loaded.world, loaded.card.seed, loaded.card.blocks, loaded.card.split);
    let key = stage_key("dataset", env!("CARGO_PKG_VERSION"), &card, &[&program]).map_err(runtime)?;
    let before = format!(".{}.tmp-build-", name(target)?);
    let own = parent(target).join(format!("{before}{}", &key[..16]));
    for entry in fs::read_dir(parent(target)).map_err(runtime)? {
        let path = entry.map_err(runtime)?.path();
        let stale =
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&before)) && path != own;
        if stale {
            fs::remove_dir_all(&path).map_err(runtime)?;
        }
    }
    fs::create_dir_all(&own).map_err(runtime)?;
    Ok(own)
}

/// The data files of a dataset.
struct Data {
    source: Source,
    rows: super::tables::Rows,
    files: Vec<FileSum>,
    hash: String,
    events: u64,
    parts: Counts,
}

fn data(loaded: &Loaded, root: &Path, observer: &dyn Observer) -> Result<(Data, Outcome), Fault> {
    let card = &loaded.card;
    let source = Source::new(&loaded.world, card.seed, card.blocks)?;
    let config_text = toml::to_string(&loaded.world).map_err(runtime)?;
    let (generator, config_hash) = (generator(), config_hash(loaded)?);
    let meta = meta(&generator, &config_hash);
    write_atomic(&root.join(CONFIG), config_text.as_bytes()).map_err(runtime)?;
    write_atomic(&root.join(SEED), format!("{}\n", card.seed).as_bytes()).map_err(runtime)?;
    let what = "simulated days".to_owned();
    observer.on(&RunEvent::Started { what: what.clone(), total: u64::from(card.days) });
    let (outcome, parts) = write_parts(&source, &(0..card.blocks), root, &meta, observer)?;
    observer.on(&RunEvent::Finished { what });
    let mut rows = Writer::new(root, &meta).all(&source, &outcome, &card.split, card.days, card.seed)?;
    let mut events = 0;
    for (at, view) in source.views().iter().enumerate() {
        let found = log(root, at)?.rows();
        count_events(&mut rows, view.id, found);
        events += found;
    }
    let files = sums(root, &OUTSIDE_HASH)?;
    let hash = digest_of(&files);
    Ok((Data { source, rows, files, hash, events, parts }, outcome))
}

/// Sums every file of a directory, on all threads, in byte order of names.
pub(crate) fn sums(root: &Path, exclude: &[&str]) -> Result<Vec<FileSum>, Fault> {
    files_in(root, exclude)
        .map_err(runtime)?
        .par_iter()
        .map(|name| sum_file(root, name).map_err(runtime))
        .collect()
}

/// Everything that describes the data.
fn pages(
    loaded: &Loaded,
    root: &Path,
    data: &Data,
    outcome: &Outcome,
    validation: Option<&[u8]>,
) -> Result<(), Fault> {
    let facts =
        facts(loaded, &data.source, &outcome.truth, &data.rows, data.files.clone(), data.hash.clone());
    let mut card = loaded.card.clone();
    card.hash = Some(data.hash.clone());
    // The resolved world lies beside it, so the published card builds the dataset again by itself.
    CONFIG.clone_into(&mut card.world);
    let card = toml::to_string(&card).map_err(runtime)?;
    let put = |name: &str, bytes: &[u8]| write_atomic(&root.join(name), bytes).map_err(runtime);
    put(CARD, card.as_bytes())?;
    put(README, readme(&facts).as_bytes())?;
    put(DATASHEET, datasheet(&facts).as_bytes())?;
    if let Some(bytes) = validation {
        put(VALIDATION, bytes)?;
    }
    write_json_atomic(&root.join(CROISSANT), &croissant(&facts)).map_err(runtime)?;
    let sums = sums(root, &[SHA256SUMS, DONE])?;
    write_sums(root, &sums).map_err(runtime)
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::Silent;
    use equipoise_store::digest_files;

    fn source() -> Source {
        let mut spec: equipoise_synth::WorldSpec =
            toml::from_str(include_str!("../../../../datasets/research.toml")).unwrap();
        (spec.persons, spec.days) = (150, 9);
        Source::new(&spec, 3, 3).unwrap()
    }

    #[test]
    fn blocks_built_apart_in_any_order_are_the_whole() {
        let (source, whole, apart) = (source(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (_, all) = write_parts(&source, &(0..3), whole.path(), &[], &Silent).unwrap();
        for blocks in [2..3, 0..1, 1..2] {
            write_parts(&source, &blocks, apart.path(), &[], &Silent).unwrap();
        }
        assert_eq!(digest_files(whole.path(), &[]).unwrap(), digest_files(apart.path(), &[]).unwrap());
        let (_, again) = write_parts(&source, &(0..3), apart.path(), &[], &Silent).unwrap();
        assert!(all.written > 12 && again == Counts { written: 0, found: all.written }, "{all:?} {again:?}");
    }

    #[test]
    fn a_disk_that_refuses_a_part_ends_the_build_with_its_name() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("platform=1"), "in the way").unwrap();
        let fault = write_parts(&source(), &(0..3), place.path(), &[], &Silent).unwrap_err();
        assert!(fault.exit_code() == 1 && fault.to_string().contains("platform=1"), "{fault}");
    }

    #[test]
    fn a_second_build_of_one_place_waits_for_the_first() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("probe");
        let held = lock(&target).unwrap();
        let error = lock(&target).unwrap_err().to_string();
        assert!(error.contains("another build works on it"), "{error}");
        drop(held);
        lock(&target).unwrap();
    }
}
