//! `equipoise dataset`: named worlds as published files. Cards in `datasets/*.toml` say which; `build` makes one byte for byte,
//! `verify` checks one, `ls` shows what there is.
//!
//! Nothing here reads a log of people: the rows come from a [`source::Source`] that simulates them.
#![allow(clippy::print_stdout)] // The verb speaks to people, as the other verbs do.

mod build;
pub mod card;
mod describe;
mod list;
mod parts;
pub mod source;
mod tables;
mod verify;

pub use build::{Built, BuiltBlocks, Wishes, build, build_blocks};
pub use verify::{Verified, verify};

use crate::fault::{Fault, runtime};
use crate::progress::Progress;
use clap::Subcommand;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// What can be asked about datasets.
#[derive(Debug, Subcommand)]
pub enum DatasetVerb {
    /// Build a named dataset; takes up an interrupted build, refuses a hash that the card does not pin
    Build {
        /// Name below datasets/, or a card file
        card: String,
        /// Directory of the dataset [default: RUNS/datasets/NAME-VERSION]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Accept a hash that differs from the card's, and print it
        #[arg(long)]
        repin: bool,
        /// Checks of the world to publish with it (what `equipoise world validate` wrote)
        #[arg(long, value_name = "FILE")]
        validation: Option<PathBuf>,
        /// Write the parts of these blocks only, as in 0..4, and publish nothing; builds of the other blocks add theirs
        #[arg(long, value_name = "FROM..TO", value_parser = blocks, conflicts_with_all = ["repin", "validation"])]
        blocks: Option<Range<u16>>,
    },
    /// Check every file of a built dataset
    Verify {
        /// Directory of the dataset, or the name of a card
        dataset: String,
    },
    /// List the cards, or the tables of one built dataset
    Ls {
        /// Directory of the dataset, or the name of a card
        dataset: Option<String>,
    },
}

/// What every verb is told.
#[derive(Clone, Copy, Debug)]
pub struct Manner<'a> {
    /// Print JSON.
    pub json: bool,
    /// Say nothing on the way.
    pub quiet: bool,
    /// Where datasets lie unless told otherwise.
    pub runs: &'a Path,
}

/// Runs a verb.
///
/// # Errors
/// As the verb.
pub fn run(verb: &DatasetVerb, manner: Manner<'_>) -> Result<(), Fault> {
    match verb {
        DatasetVerb::Build { card, out, repin, validation, blocks } => {
            let start = crate::clock::now();
            let loaded = card::load(card)?;
            let target = out.clone().unwrap_or_else(|| usual_place(manner.runs, &loaded.card));
            if let Some(blocks) = blocks {
                let built = build_blocks(&loaded, &target, blocks, &Progress::new(manner.quiet))?;
                return print_blocks(&built, manner.json);
            }
            let wishes = Wishes { target: &target, repin: *repin, validation: validation.as_deref() };
            let built = build(&loaded, wishes, &Progress::new(manner.quiet))?;
            print_built(&built, start.elapsed().as_secs_f64(), manner.json)
        }
        DatasetVerb::Verify { dataset } => {
            let dir = place_of(manner.runs, dataset)?;
            let verified = verify(&dir)?;
            if manner.json {
                return print_json(&verified);
            }
            println!("{}: {} files and {} tables are whole", dir.display(), verified.files, verified.tables);
            println!("hash: {}", verified.hash);
            Ok(())
        }
        DatasetVerb::Ls { dataset: None } => list::cards(manner),
        DatasetVerb::Ls { dataset: Some(dataset) } => {
            list::tables(&place_of(manner.runs, dataset)?, manner.json)
        }
    }
}

/// Where a dataset lies unless told otherwise.
fn usual_place(runs: &Path, card: &card::Card) -> PathBuf {
    runs.join("datasets").join(format!("{}-{}", card.name, card.version))
}

/// A directory, or the usual place of a named card.
fn place_of(runs: &Path, given: &str) -> Result<PathBuf, Fault> {
    let own = PathBuf::from(given);
    if own.is_dir() {
        return Ok(own);
    }
    Ok(usual_place(runs, &card::load(given)?.card))
}

fn print_json<T: serde::Serialize>(value: &T) -> Result<(), Fault> {
    println!("{}", serde_json::to_string_pretty(value).map_err(runtime)?);
    Ok(())
}

/// Reads `FROM..TO`.
fn blocks(text: &str) -> Result<Range<u16>, String> {
    let ends = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    ends.ok_or_else(|| "give the first block and the one after the last, as in 0..4".to_owned())
}

fn print_blocks(built: &BuiltBlocks, json: bool) -> Result<(), Fault> {
    if json {
        return print_json(built);
    }
    println!(
        "{}: {} parts written, {} were there",
        built.path.display(),
        built.parts_written,
        built.parts_found
    );
    println!("bring the parts of the other blocks there, then build without --blocks");
    Ok(())
}

fn print_built(built: &Built, seconds: f64, json: bool) -> Result<(), Fault> {
    if json {
        let mut value = serde_json::to_value(built).map_err(runtime)?;
        value["seconds"] = serde_json::json!(seconds);
        return print_json(&value);
    }
    let how = if built.was_there { "was there already" } else { "built" };
    println!("{}: {how}; {} events, {} bytes of data", built.path.display(), built.events, built.bytes);
    println!(
        "{} parts written, {} taken up from an interrupted build; {seconds:.1} s",
        built.parts_written, built.parts_found
    );
    println!("{}", equipoise_store::dataset::NOTICE);
    println!("hash: {}", built.hash);
    if !built.pinned {
        println!("pin: put `hash = \"{}\"` into the card", built.hash);
    }
    Ok(())
}
