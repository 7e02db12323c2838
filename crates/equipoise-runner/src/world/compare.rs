//! `equipoise world compare FILE`: the same statistics of a contact log and of our world, side by side, with bands that
//! were stated beforehand.
//!
//! The one place where a real log may be read. It is read into memory, reduced to aggregates over at least twenty accounts
//! or trains, printed and forgotten: nothing is stored, nothing is trained, no value belongs to an account, and a file
//! with text or with more than a source, a destination, a time and a count is refused.
//!
//! Being inside the bands does not make the world realistic: two logs can agree on all of these numbers and differ in
//! everything else.

mod bands;
mod edges;
mod ours;
mod parquet;
mod print;
mod table;
#[cfg(test)]
mod tests;

use crate::fault::{Fault, config, runtime};
use clap::{Args, ValueEnum};
use equipoise_core::Seed;
use equipoise_synth::contact_log::{ContactLog, Control, ProfileSpec};
use std::path::{Path, PathBuf};
use table::{Comparison, Side};

/// Fewest accounts of a log, and fewest trains under a printed median: a smaller aggregate could be about somebody.
pub(super) const COHORT: usize = 20;

/// What to compare with what.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// Edge list with one `src dst time` a line (spaces, tabs or commas; gzip too), or Parquet of our events
    file: PathBuf,
    /// World file of our side
    #[arg(long, value_name = "FILE", default_value = "datasets/research.toml")]
    world: PathBuf,
    /// Built dataset as our side instead of a world made on the spot
    #[arg(long, value_name = "DIR", conflicts_with_all = ["world", "persons", "days", "seed"])]
    dataset: Option<PathBuf>,
    /// Platform of our side; without it the first social network
    #[arg(long, value_name = "NAME")]
    platform: Option<String>,
    /// Persons of our world
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    persons: u32,
    /// Days of our world; without it as many as the log covers
    #[arg(long, value_name = "D")]
    days: Option<u16>,
    /// Seed of our world and of the controls
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Seconds of a bucket through which both logs are seen
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    bucket: u32,
    /// Order of the columns of an edge list, from src, dst, time and count
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Vec<String>,
    /// Seconds in one unit of the file's time, for instance 0.001 for milliseconds
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0)]
    time_unit: f64,
    /// Hours that local time is ahead of the file's clock
    #[arg(long, value_name = "HOURS", default_value_t = 0.0, allow_negative_numbers = true)]
    utc_offset: f64,
    /// Put a copy of the log with replaced timing in place of our world: the comparison must notice
    #[arg(long, value_name = "CONTROL", conflicts_with_all = ["dataset", "platform"])]
    planted: Option<Planted>,
    /// Print Markdown instead of columns
    #[arg(long)]
    markdown: bool,
}

/// A control that stands in for our world.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Planted {
    /// Uniform times
    Poisson,
    /// Times drawn by the log's hours of the week
    Rhythm,
    /// The log's own times, permuted
    Shuffled,
}

impl Planted {
    const fn control(self) -> Control {
        match self {
            Self::Poisson => Control::Poisson,
            Self::Rhythm => Control::Rhythm,
            Self::Shuffled => Control::Shuffled,
        }
    }
}

/// A log with its clock and what to call it.
pub(super) struct Named {
    log: ContactLog,
    /// A Monday's midnight on the log's clock.
    monday: i64,
    /// What it is, without a path.
    name: String,
}

/// Compares and prints.
///
/// # Errors
/// If the file, the world or an option cannot be used; nothing was written in any case.
pub(crate) fn compare(args: &CompareArgs, json: bool) -> Result<(), Fault> {
    let comparison = measure(args)?;
    if json {
        print::json(&comparison)
    } else if args.markdown {
        print::markdown(&comparison);
        Ok(())
    } else {
        print::text(&comparison);
        Ok(())
    }
}

/// Everything but the printing.
fn measure(args: &CompareArgs) -> Result<Comparison, Fault> {
    if args.bucket == 0 {
        return Err(config("--bucket 0: give at least 1 second; 300 is what our platforms see"));
    }
    let theirs = theirs(args)?;
    let seen = theirs.log.bucketed(args.bucket).map_err(runtime)?;
    let days = seen.span().map_or(0.0, |(first, last)| (last - first) as f64 / 86_400.0);
    let seed = Seed::root(args.seed).derive("compare", 0);
    let ours = match (args.planted, &args.dataset) {
        (Some(planted), _) => {
            let control = planted.control();
            let log = control.apply(&seen, theirs.monday, seed.derive("planted", 0));
            let name = format!("planted: the log itself with {} timing", control.name());
            Named { log, monday: theirs.monday, name }
        }
        (None, Some(dataset)) => ours::from_dataset(dataset, args.platform.as_deref(), args.bucket)?,
        (None, None) => {
            let days = args.days.unwrap_or(days.ceil().clamp(1.0, 400.0) as u16);
            ours::simulated(
                &args.world,
                args.persons,
                days,
                args.seed,
                args.platform.as_deref(),
                args.bucket,
            )?
        }
    };
    let ours_seen = ours.log.bucketed(args.bucket).map_err(runtime)?;
    let side = |named: &Named, log: ContactLog, index| {
        Side::of(&named.name, &log, &ProfileSpec::standard(named.monday), seed.derive("side", index))
    };
    let sides = (side(&theirs, seen, 0), side(&ours, ours_seen, 1));
    Ok(Comparison::of(sides.0, sides.1, args.bucket))
}

/// Reads the file that was given, of whatever kind.
fn theirs(args: &CompareArgs) -> Result<Named, Fault> {
    let path = &args.file;
    if !args.time_unit.is_finite() || args.time_unit <= 0.0 || !args.utc_offset.is_finite() {
        return Err(config("--time-unit must be positive and --utc-offset a number of hours"));
    }
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let named = if parquet::is_parquet(path)? {
        Named { log: parquet::events(std::slice::from_ref(path))?, monday: 0, name }
    } else {
        let log = edges::read(path, &args.columns, args.time_unit)?;
        let offset = (args.utc_offset * 3_600.0) as i64;
        Named { monday: monday(&log, offset), log, name }
    };
    check(path, &named.log)?;
    Ok(named)
}

/// Small numbers are seconds since the log's own start, which is then taken for a Monday's midnight; others Unix time.
fn monday(log: &ContactLog, offset: i64) -> i64 {
    const THREE_YEARS: i64 = 100_000_000;
    match log.span() {
        Some((_, last)) if last.abs() < THREE_YEARS => -offset,
        _ => ProfileSpec::unix_monday(offset),
    }
}

fn check(path: &Path, log: &ContactLog) -> Result<(), Fault> {
    let mut accounts = vec![false; log.bound()];
    for row in log.rows() {
        accounts[row.src as usize] = true;
        accounts[row.dst as usize] = true;
    }
    let accounts = accounts.iter().filter(|&&seen| seen).count();
    if accounts < COHORT {
        return Err(config(format!(
            "{}: {accounts} accounts; aggregates of fewer than {COHORT} could be about somebody: give a larger log",
            path.display()
        )));
    }
    match log.span() {
        Some((first, last)) if last > first => Ok(()),
        _ => Err(config(format!(
            "{}: all rows have one time, so nothing can be said about timing; check the order of the columns with --columns",
            path.display()
        ))),
    }
}
