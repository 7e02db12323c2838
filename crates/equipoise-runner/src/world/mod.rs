//! `equipoise world`: what can be done with a world besides running experiments on it.

mod checks_model;
mod checks_time;
mod compare;
mod describe;
mod hypercube;
mod make;
mod parameters;
#[cfg(test)]
mod planted;
mod probes;
mod recorded;
mod sensitivity;
mod validate;

use crate::config::{parse, read};
use crate::fault::{Fault, config, runtime};
use clap::Subcommand;
use equipoise_synth::WorldSpec;
use std::path::{Path, PathBuf};

pub(crate) use hypercube::{Drawn, draw};
use parameters::{Parameter, Tag, parameters};

/// Verbs about worlds.
#[derive(Debug, Subcommand)]
pub(crate) enum WorldVerb {
    /// Run a world and write its events, labels and truth as Parquet
    Make {
        /// World file
        file: PathBuf,
        /// Directory to write; must not exist
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Seed of the world
        #[arg(long, value_name = "N", default_value_t = 1)]
        seed: u64,
        /// Persons, instead of the file's
        #[arg(long, value_name = "N")]
        persons: Option<u32>,
        /// Days, instead of the file's
        #[arg(long, value_name = "D")]
        days: Option<u16>,
    },
    /// Hold a contact log against our world: aggregates side by side, nothing is stored
    Compare(Box<compare::CompareArgs>),
    /// Check a world against its targets (V1 to V22) on several seeds; exit code 1 if a gated check fails
    Validate(validate::ValidateArgs),
    /// List every parameter of a world with its source and the checks that hold it
    Describe {
        /// World file
        file: PathBuf,
        /// Also build the world of this seed and say how large its parts are
        #[arg(long, value_name = "N")]
        seed: Option<u64>,
    },
}

/// What every verb is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner<'a> {
    /// Print JSON.
    pub(crate) json: bool,
    /// Say nothing on the way.
    pub(crate) quiet: bool,
    /// Where results lie unless told otherwise.
    pub(crate) runs: &'a Path,
}

/// Does what was asked.
///
/// # Errors
/// If the file, the world or the disk refuse; for `validate` also if a gated check fails.
pub(crate) fn dispatch(verb: &WorldVerb, manner: Manner<'_>) -> Result<(), Fault> {
    match verb {
        WorldVerb::Make { file, out, seed, persons, days } => {
            let mut spec = load(file)?;
            (spec.persons, spec.days) = (persons.unwrap_or(spec.persons), days.unwrap_or(spec.days));
            spec.validate().map_err(|error| config(format!("{}: {error}", file.display())))?;
            make::make(&spec, out, *seed, manner)
        }
        WorldVerb::Compare(args) => compare::compare(args, manner.json),
        WorldVerb::Validate(args) => validate::validate(args, manner),
        WorldVerb::Describe { file, seed } => describe::describe(&load(file)?, *seed, manner),
    }
}

/// Reads and checks a world file, or the world of a dataset card with the card's persons and days.
fn load(file: &Path) -> Result<WorldSpec, Fault> {
    let text = read(file, "world file")?;
    let names_a_world = |table: toml::Table| table.get("world").is_some_and(toml::Value::is_str);
    if toml::from_str(&text).is_ok_and(names_a_world) {
        return Ok(crate::dataset::card::load(&file.to_string_lossy())?.world);
    }
    let spec: WorldSpec = parse(file, &text)?;
    spec.validate().map_err(|error| config(format!("{}: {error}", file.display())))?;
    Ok(spec)
}

/// Prints; a reader that went away (`| head`) is no error.
fn say(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn print_json<T: serde::Serialize>(value: &T) -> Result<(), Fault> {
    say(&serde_json::to_string_pretty(value).map_err(runtime)?);
    Ok(())
}
