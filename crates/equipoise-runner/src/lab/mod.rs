//! The laboratory's verbs: finding runs again, holding them against each other, checking them, handing them on.
//!
//! Each verb returns what it `Said`; it is printed in one place, as words or as JSON.
#![allow(clippy::print_stdout)] // The runner is the one place that speaks to people.

mod accounts;
mod benchmark;
mod bundle;
mod claims;
mod compare;
mod doctor;
mod gc;
mod keys;
mod long;
mod mlflow;
mod query;
mod redo;
mod reproduce;
mod runs;
mod scratch;
mod show;
mod stability;
mod study;
mod submission;
mod template;
mod verify;
pub mod zip;

use crate::fault::{Fault, config, runtime};
use crate::study::STUDY;
use clap::{CommandFactory, Subcommand};
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What a verb has to say.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// For people; lines.
    pub(crate) text: String,
    /// For programs.
    pub(crate) json: Value,
    /// What is wrong, where something is; printed after the rest.
    pub(crate) fault: Option<Fault>,
}

impl Said {
    fn new(text: String, json: Value) -> Self {
        Self { text, json, fault: None }
    }
}

/// How to speak, and where runs lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner<'a> {
    pub(crate) json: bool,
    pub(crate) quiet: bool,
    pub(crate) runs: &'a Path,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List runs
    Ls {
        /// Only runs with an arm for which this holds, for instance "eps<2 and recall-at-budget>=0.05"
        #[arg(long = "where", value_name = "CONDITION")]
        condition: Option<String>,
    },
    /// Show a run: its question, arms, ledger, and where it came from
    Show {
        /// Run directory, or the beginning of its name
        run: String,
    },
    /// What differs between two runs: configuration, and each metric paired by world
    Compare {
        /// Run directory, or the beginning of its name
        a: String,
        /// The one it is compared with
        b: String,
    },
    /// At how many accounts a guarantee would cost no more than so much: a fit over runs of several sizes, with its interval
    AccountsNeeded(accounts::AccountsArgs),
    /// Compute a sample of units again and compare hashes
    Verify {
        /// Run directory, or the beginning of its name
        run: String,
        /// How many units
        #[arg(long, default_value_t = 3, value_name = "N")]
        units: usize,
    },
    /// Remove cached worlds that no run needs, and what interrupted runs left behind
    Gc {
        /// Only say what would be removed
        #[arg(long)]
        dry_run: bool,
    },
    /// Hand a run on
    #[command(subcommand)]
    Export(Export),
    /// Run a bundle or a published claim again: PASS or FAIL, number by number
    Reproduce {
        /// Bundle (.zip) or claim, for instance C1
        what: String,
        /// The registry of claims
        #[arg(long, default_value = "experiments/claims.toml", value_name = "FILE")]
        claims: PathBuf,
    },
    /// Run a published claim on worlds drawn around its own: in how many does it hold?
    Stability(stability::StabilityArgs),
    /// Run a versioned set of tasks and rank the methods
    Benchmark {
        /// Suite, for instance small, or its file
        suite: String,
        /// Bundles of other methods, run on the suite's tasks, to be ranked beside it
        #[arg(long, value_name = "FILE.zip")]
        with: Vec<PathBuf>,
        /// Where leaderboard.csv is written
        #[arg(long, value_name = "DIR", default_value = "benchmark")]
        out: PathBuf,
    },
    /// Write a commented experiment file to start from
    New {
        /// Template, for instance quickstart
        template: String,
        /// The file; experiments/<TEMPLATE>-new.toml without it
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Print the JSON Schema of experiment files, for editors
    Schema,
    /// What of this machine matters for a run, and what is wrong with it
    Doctor,
    /// Print the manual page, for instance into /usr/local/share/man/man1/equipoise.1
    Man,
    /// Print the completions of a shell
    Completions {
        /// Shell
        shell: clap_complete::Shell,
    },
}

/// Formats.
#[derive(Debug, Subcommand)]
pub(crate) enum Export {
    /// One archive with everything that reproduces the run (RO-Crate 1.1)
    Bundle {
        /// Run directory, or the beginning of its name
        run: String,
        /// The archive
        #[arg(long, value_name = "FILE.zip")]
        out: PathBuf,
    },
    /// A file store for MLflow: one run an arm
    Mlflow {
        /// Run directory, or the beginning of its name
        run: String,
        /// Where `mlruns` is written
        dir: PathBuf,
        /// Where artifacts will be found, if not in this place
        #[arg(long, value_name = "URI")]
        artifact_root: Option<String>,
    },
    /// Every value of every arm, metric and world, one a row
    Csv {
        /// Run directory, or the beginning of its name
        run: String,
        /// The file
        #[arg(long, value_name = "FILE.csv")]
        out: PathBuf,
    },
    /// method, task, seed, metric, error: what ranking engines read
    Leaderboard {
        /// Run directories, or the beginnings of their names
        #[arg(required = true)]
        run: Vec<String>,
        /// The file
        #[arg(long, value_name = "FILE.csv")]
        out: PathBuf,
    },
}

impl Verb {
    /// Whether the same command goes on where it was interrupted. A bundle is reproduced from nothing each time.
    pub(crate) fn goes_on(&self) -> bool {
        match self {
            Self::Reproduce { what, .. } => !what.ends_with(".zip"),
            Self::Stability(_) | Self::Benchmark { .. } => true,
            _ => false,
        }
    }
}

pub(crate) fn dispatch(verb: &Verb, manner: Manner<'_>) -> Result<(), Fault> {
    let runs = manner.runs;
    let said = match verb {
        Verb::Ls { condition } => runs::ls(runs, condition.as_deref())?,
        Verb::Show { run } => {
            let run = find_any(runs, run)?;
            if run.join(STUDY).is_file() { study::show(&run)? } else { show::show(&run)? }
        }
        Verb::Compare { a, b } => compare::compare(&find(runs, a)?, &find(runs, b)?)?,
        Verb::AccountsNeeded(args) => accounts::needed(args, runs)?,
        Verb::Verify { run, units } => verify::verify(&find(runs, run)?, *units, manner.quiet)?,
        Verb::Gc { dry_run } => gc::gc(runs, *dry_run)?,
        Verb::Export(Export::Bundle { run, out }) => bundle::export(&find_any(runs, run)?, out)?,
        Verb::Export(Export::Mlflow { run, dir, artifact_root }) => {
            mlflow::export(&find(runs, run)?, dir, artifact_root.as_deref())?
        }
        Verb::Export(Export::Csv { run, out }) => long::csv(&find(runs, run)?, out)?,
        Verb::Export(Export::Leaderboard { run, out }) => {
            let named = |run: &String| {
                let metrics = value(&find(runs, run)?.join("metrics.json"))?;
                Ok((metrics["name"].as_str().unwrap_or_default().to_owned(), metrics))
            };
            let tasks: Vec<(String, Value)> = run.iter().map(named).collect::<Result<_, Fault>>()?;
            long::write(out, &long::leaderboard(&tasks))?
        }
        Verb::Stability(args) => stability::stability(args, runs, manner.quiet)?,
        Verb::Benchmark { suite, with, out } => {
            let named = || PathBuf::from(format!("experiments/benchmark/{suite}.toml"));
            let file = if Path::new(suite).is_file() { PathBuf::from(suite) } else { named() };
            benchmark::run(&file, with, out, runs, manner.quiet)?
        }
        Verb::New { template, out } => {
            let name = template.rsplit('/').next().unwrap_or(template);
            // Beside our own experiments, where paths to worlds hold; elsewhere where the caller stands.
            let beside = Path::new("experiments");
            let default =
                || if beside.is_dir() { beside } else { Path::new("") }.join(format!("{name}-new.toml"));
            template::new(template, &out.clone().unwrap_or_else(default))?
        }
        Verb::Schema => {
            let schema = keys::schema();
            Said::new(format!("{}\n", serde_json::to_string_pretty(&schema).map_err(runtime)?), schema)
        }
        Verb::Doctor => doctor::doctor(runs),
        Verb::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(crate::cli::Cli::command()).render(&mut page).map_err(runtime)?;
            let page = String::from_utf8_lossy(&page).into_owned();
            Said::new(page.clone(), page.into())
        }
        Verb::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut crate::cli::Cli::command(), "equipoise", &mut script);
            let script = String::from_utf8_lossy(&script).into_owned();
            Said::new(script.clone(), script.into())
        }
        Verb::Reproduce { what, claims } => {
            if what.ends_with(".zip") {
                reproduce::bundle(Path::new(what), runs, manner.quiet)?
            } else {
                claims::reproduce(claims, what, runs, manner.quiet)?
            }
        }
    };
    let text = if manner.json {
        format!("{}\n", serde_json::to_string_pretty(&said.json).map_err(runtime)?)
    } else {
        said.text
    };
    // A reader that has gone away (`equipoise ls | head`) ends the command without a word.
    let _ = std::io::stdout().write_all(text.as_bytes());
    said.fault.map_or(Ok(()), Err)
}

/// The name of one of our experiments by its text.
pub(crate) fn file_of(text: &str) -> Option<&'static str> {
    template::TEMPLATES.iter().find(|(_, known)| *known == text).map(|(name, _)| *name)
}

/// A run by its directory, its name, or the beginning of its name.
pub(crate) fn find(runs: &Path, name: &str) -> Result<PathBuf, Fault> {
    for path in [PathBuf::from(name), runs.join(name)] {
        if path.join("plan.json").is_file() {
            return Ok(path);
        }
    }
    let names: Vec<PathBuf> = crate::rundir::list(runs)?.into_iter().map(|run| run.path).collect();
    let found = pick(runs, &names, name);
    match study(runs, name)? {
        Some(path) if found.is_err() => Err(config(format!(
            "{}: a study of measures or attacks, and this verb is about runs of arms\n  mend: `show`, `export bundle` and `reproduce` take it; its own verb \
             (`policy run`, `audit run`) draws it again",
            path.display()
        ))),
        _ => found,
    }
}

/// The same among runs and studies.
fn find_any(runs: &Path, name: &str) -> Result<PathBuf, Fault> {
    study(runs, name)?.map_or_else(|| find(runs, name), Ok)
}

/// A study by its directory, its name, or the beginning of its name; none where none is called so.
fn study(runs: &Path, name: &str) -> Result<Option<PathBuf>, Fault> {
    let direct = [PathBuf::from(name), runs.join(name)].into_iter().find(|path| path.join(STUDY).is_file());
    if direct.is_some() {
        return Ok(direct);
    }
    let studies = crate::study::list(runs);
    let begins = |path: &PathBuf| path.file_name().is_some_and(|own| own.to_string_lossy().starts_with(name));
    if studies.iter().any(begins) { pick(runs, &studies, name).map(Some) } else { Ok(None) }
}

/// The one of these directories whose name begins so.
fn pick(runs: &Path, names: &[PathBuf], name: &str) -> Result<PathBuf, Fault> {
    let last =
        |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let found: Vec<&PathBuf> = names.iter().filter(|path| last(path).starts_with(name)).collect();
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            Err(config(format!("there is no run `{name}` in {}; `equipoise ls` lists them", runs.display())))
        }
        many => {
            let names: Vec<String> = many.iter().map(|path| last(path)).collect();
            Err(config(format!(
                "`{name}` names {} runs: {}; give more of the name",
                many.len(),
                names.join(", ")
            )))
        }
    }
}

/// A JSON file as it stands.
fn value(path: &Path) -> Result<Value, Fault> {
    equipoise_store::read_json(path).map_err(|error| {
        config(format!("{error}\n  mend: finish the run with `equipoise run` or `equipoise gather`"))
    })
}

/// An estimate of `metrics.json` as its mean, if it has one.
fn mean(estimate: &Value) -> Option<f64> {
    estimate["value"]["mean"].as_f64().or_else(|| estimate["single-run"]["value"].as_f64())
}

/// An estimate in words: never without its interval or the words "single run".
fn words(estimate: &Value) -> String {
    let v = &estimate["value"];
    match (v["mean"].as_f64(), v["low"].as_f64(), v["high"].as_f64()) {
        (Some(mean), Some(low), Some(high)) => format!("{mean:.3} [{low:.3}, {high:.3}]"),
        _ => {
            mean(estimate).map_or_else(|| "not assessable".into(), |value| format!("{value:.3} (single run)"))
        }
    }
}

/// Elements of an array; none of anything else.
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
