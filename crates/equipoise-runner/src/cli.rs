//! The command line: what can be asked, and what is printed. Everything printed by a verb comes from here.
#![allow(clippy::print_stdout, clippy::print_stderr)] // The runner is the one place that speaks to people.

use crate::estimate::Estimate as Cost;
use crate::exec::{Context, execute, execute_all};
use crate::fault::{Fault, config, runtime};
use crate::journal::Journal;
use crate::plan::{Plan, Stage};
use crate::progress::Progress;
use crate::report::data::{Estimate, ReportData};
use crate::{describe, gather, provenance, rundir};
use clap::{Args, Parser, Subcommand};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Prints a line. A reader that has gone away (`equipoise describe | head`) ends the command without a word.
macro_rules! say {
    ($($text:tt)*) => {
        if writeln!(std::io::stdout(), $($text)*).is_err() {
            std::process::exit(0);
        }
    };
}

/// Research into privacy-preserving, federated risk scoring for child protection, on synthetic metadata.
#[derive(Debug, Parser)]
#[command(name = "equipoise", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Common {
    /// Print JSON instead of words
    #[arg(long, global = true)]
    json: bool,
    /// Say nothing on the way
    #[arg(long, global = true)]
    quiet: bool,
    /// Threads to use; results do not depend on it
    #[arg(long, global = true, value_name = "N")]
    threads: Option<usize>,
    /// Where runs and cached worlds lie
    #[arg(long, global = true, value_name = "DIR", default_value = "runs")]
    runs: PathBuf,
}

#[derive(Debug, Args)]
struct Given {
    /// Experiment file
    file: PathBuf,
    /// Replace a value, for instance privacy.epsilon=2 (may be given several times)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Plan, execute and report; goes on where an interrupted run stopped
    Run(Given),
    /// Check a file and everything that it implies, without any work
    Check(Given),
    /// Freeze an experiment into units and list them
    Plan(Given),
    /// Execute one unit of a frozen plan
    Exec {
        /// Run directory or its plan.json
        plan: PathBuf,
        /// Unit: its id, the beginning of it, or its index
        unit: String,
    },
    /// Report what the finished units of a plan show
    Gather {
        /// Run directory or its plan.json
        plan: PathBuf,
    },
    /// Draw the report of a run again from its metrics.json
    Report {
        /// Run directory, or the beginning of its name
        run: PathBuf,
    },
    /// Build, check and list named datasets
    Dataset {
        #[command(subcommand)]
        verb: crate::dataset::DatasetVerb,
    },
    /// List every strategy with its parameters
    Describe,
    /// What noise buys and what a guarantee costs: epsilon from sigma, sigma from epsilon, or a whole table
    #[command(subcommand)]
    Accountant(crate::accountant::AccountantVerb),
    /// Make, check, compare and describe worlds
    #[command(subcommand)]
    World(crate::world::WorldVerb),
    /// Judge a table of scores and labels: precision, calibration, recall within a budget
    Metrics(crate::metrics::MetricsArgs),
    #[command(flatten)]
    Lab(crate::lab::Verb),
    /// Play protective measures alone and together
    #[command(subcommand)]
    Policy(crate::policy::PolicyVerb),
    /// Attack what an experiment would release, beside what was claimed
    #[command(subcommand)]
    Audit(crate::audit::AuditVerb),
}

impl Verb {
    /// Whether the same command goes on where it was interrupted.
    fn goes_on(&self) -> bool {
        match self {
            Self::Run(_)
            | Self::Exec { .. }
            | Self::Audit(crate::audit::AuditVerb::Run { .. })
            | Self::Policy(crate::policy::PolicyVerb::Run { .. }) => true,
            Self::Lab(verb) => verb.goes_on(),
            _ => false,
        }
    }
}

/// Runs one command; the exit code says how it went.
#[must_use]
pub fn main() -> u8 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { 2 } else { 0 };
        }
    };
    match dispatch(&cli) {
        Ok(()) => 0,
        Err(fault) => {
            eprintln!("error: {fault}");
            fault.exit_code()
        }
    }
}

fn dispatch(cli: &Cli) -> Result<(), Fault> {
    if let Some(threads) = cli.common.threads {
        if threads == 0 {
            return Err(config("--threads: at least one thread is needed"));
        }
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().map_err(runtime)?;
    }
    let common = &cli.common;
    if cli.verb.goes_on() {
        crate::interrupt::listen()?;
    }
    match &cli.verb {
        Verb::Run(given) => run(given, common),
        Verb::Check(given) => check(given, common),
        Verb::Plan(given) => plan(given, common),
        Verb::Exec { plan, unit } => exec(plan, unit, common),
        Verb::Gather { plan } => {
            let (plan, runs) = frozen(plan, common)?;
            let progress = Progress::new(common.quiet);
            let context = Context::new(&plan, &runs, &progress);
            finish(&context, &[], 0.0, common)
        }
        Verb::Report { run } => report(run, common),
        Verb::Dataset { verb } => {
            let (json, quiet, runs) = (common.json, common.quiet, common.runs.as_path());
            crate::dataset::run(verb, crate::dataset::Manner { json, quiet, runs })
        }
        Verb::Describe => describe_all(common),
        Verb::Accountant(verb) => crate::accountant::run(verb, common.json),
        Verb::World(verb) => {
            let (json, quiet, runs) = (common.json, common.quiet, common.runs.as_path());
            crate::world::dispatch(verb, crate::world::Manner { json, quiet, runs })
        }
        Verb::Metrics(args) => crate::metrics::metrics(args, common.json),
        Verb::Lab(verb) => {
            let (json, quiet, runs) = (common.json, common.quiet, common.runs.as_path());
            crate::lab::dispatch(verb, crate::lab::Manner { json, quiet, runs })
        }
        Verb::Policy(verb) => {
            let (json, quiet, runs) = (common.json, common.quiet, common.runs.as_path());
            crate::policy::dispatch(verb, crate::policy::Manner { json, quiet, runs })
        }
        Verb::Audit(verb) => {
            let (json, quiet, runs) = (common.json, common.quiet, common.runs.as_path());
            crate::audit::dispatch(verb, crate::audit::Manner { json, quiet, runs })
        }
    }
}

/// A plan that keeps within its budget, and what is left of it to pay.
fn load(given: &Given, common: &Common) -> Result<(Plan, Cost), Fault> {
    let loaded = crate::config::load(&given.file, &given.set)?;
    let plan = Plan::new(&loaded)?;
    let silent = Progress::new(true);
    let cost = crate::estimate::estimate(&Context::new(&plan, &common.runs, &silent));
    crate::estimate::within(&loaded.budget, &cost)?;
    Ok((plan, cost))
}

fn run(given: &Given, common: &Common) -> Result<(), Fault> {
    let start = crate::clock::now();
    let (plan, _) = load(given, common)?;
    let dir = rundir::run_dir(&common.runs, &plan);
    rundir::open(&dir, &plan)?;
    let progress = Progress::new(common.quiet);
    let journal = Journal::open(&dir, &progress)?;
    let context = Context::new(&plan, &common.runs, &journal);
    let failures = execute_all(&context);
    finish(&context, &failures, start.elapsed().as_secs_f64(), common)?;
    if failures.is_empty() {
        return Ok(());
    }
    let list: Vec<String> =
        failures.iter().map(|f| format!("  {} ({}): {}", f.unit, f.label, f.why)).collect();
    Err(Fault::Partial(format!(
        "{} of {} units failed; the others are kept\n{}",
        failures.len(),
        plan.units.len(),
        list.join("\n")
    )))
}

/// Gathers, draws, seals and prints.
fn finish(
    context: &Context<'_>,
    failures: &[crate::exec::Failure],
    seconds: f64,
    common: &Common,
) -> Result<(), Fault> {
    // Two runners that end together write one report after the other.
    let _claim = crate::exec::claim::claim(&context.locks(), &format!("report-{}", &context.plan.id[..12]))?;
    let data = gather::gather(context, failures)?;
    let dir = &context.run;
    rundir::write_report(dir, &data, &crate::report::render(&data))?;
    let hash = rundir::seal(dir, &data, &context.clock.measured())?;
    crate::timings::write(dir, &data, context.plan)?;
    provenance::write(dir, &context.plan.id, context.plan.first().experiment.seed, seconds)?;
    let count = |counter: &std::sync::atomic::AtomicU64| counter.load(std::sync::atomic::Ordering::Relaxed);
    let done = (count(&context.computed), count(&context.trained));
    print_result(&data, &dir.join("report.html"), &hash, done, common)
}

fn print_result(
    data: &ReportData,
    report: &Path,
    hash: &str,
    (computed, trained): (u64, u64),
    common: &Common,
) -> Result<(), Fault> {
    if common.json {
        let value = serde_json::json!({ "report": report, "hash": hash, "computed": computed, "trained": trained, "headline": headline(data) });
        say!("{}", serde_json::to_string_pretty(&value).map_err(runtime)?);
        return Ok(());
    }
    say!("{}", data.question);
    let width = data.arms.iter().map(|arm| arm.label.chars().count()).fold(28, usize::max);
    // The metric that decides, and beside it the one that needs no budget.
    let second = if data.primary == "average-precision" { "recall-at-budget" } else { "average-precision" };
    say!("{:<width$} {:>26} {:>26}", "arm", data.primary, second);
    for arm in &data.arms {
        let cell = |metric: &str| arm.summaries.get(metric).map_or_else(|| "-".to_owned(), words);
        say!("{:<width$} {:>26} {:>26}", arm.label, cell(&data.primary), cell(second));
    }
    let steps = || data.comparisons.iter().filter(|c| c.metric == data.primary && c.share.is_some());
    for comparison in steps() {
        let share = comparison.share.as_deref().unwrap_or_default();
        let said = match &comparison.difference {
            Estimate::NotAssessable { reason } => format!("not assessable ({reason})"),
            value => format!("{} ({})", words(value), crate::report::verdict_words(comparison)),
        };
        say!("{share}: {} minus {}: {said}", comparison.a, comparison.b);
    }
    for row in &data.coalitions {
        say!(
            "what {} adds: {} (lost if it alone abstains: {})",
            row.platform,
            words(&row.share),
            words(&row.missed)
        );
    }
    for row in data.closed.iter().filter(|row| row.metric == data.primary) {
        if let Estimate::Value { .. } = row.share {
            let arm = data.arms.iter().find(|arm| arm.id == row.arm).map_or(&row.arm, |arm| &arm.label);
            say!("share of the learning share that `{arm}` closes: {}", words(&row.share));
        }
    }
    // The headline's difference is one of the steps above, where there are any.
    if steps().next().is_none() {
        say!("{}", crate::report::headline(data));
    }
    let unsaid = |arm: &crate::report::data::ArmReport| {
        matches!(arm.summaries.get(&data.primary), Some(Estimate::NotAssessable { .. }))
    };
    if !data.arms.is_empty() && data.arms.iter().all(unsaid) {
        say!(
            "too few accounts with a simulated harmful pattern were tested to say anything: raise world.persons or experiment.seeds"
        );
    }
    // Who contacts whom is the most sensitive fact: what hides it stands beside every other promise.
    data.promises.iter().for_each(|line| say!("privacy: {line}"));
    say!(
        "Synthetic data; a risk score orders reviews and is never a verdict. Intervals: 95 %, over {} worlds.",
        data.seeds
    );
    say!("report: {}", report.display());
    say!("hash: {hash}");
    let name = report.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let store = if common.runs == Path::new("runs") {
        String::new()
    } else {
        format!(" --runs {}", common.runs.display())
    };
    say!(
        "next: open the report, or `equipoise export bundle {name} --out {name}.zip{store}`: all that a reader needs to make it again"
    );
    Ok(())
}

/// An estimate as it may be printed: never without its interval or the words "single run".
fn words(estimate: &Estimate) -> String {
    match estimate {
        Estimate::Value { mean, low, high, .. } => format!("{mean:.3} [{low:.3}, {high:.3}]"),
        Estimate::SingleRun { value } => format!("{value:.3} (single run)"),
        Estimate::NotAssessable { .. } => "not assessable".to_owned(),
    }
}

fn headline(data: &ReportData) -> serde_json::Value {
    let arms = data.arms.iter().map(|arm| {
        serde_json::json!({ "arm": arm.id, "epsilon": arm.epsilon, "primary": arm.summaries.get(&data.primary), "average-precision": arm.summaries.get("average-precision") })
    });
    serde_json::json!({ "primary": data.primary, "worlds": data.seeds, "arms": arms.collect::<Vec<_>>() })
}

fn check(given: &Given, common: &Common) -> Result<(), Fault> {
    let (plan, cost) = load(given, common)?;
    let (protocol, end) = (&plan.first().protocol, u32::from(plan.first().world.days));
    let decisions =
        end.saturating_sub(protocol.label_cutoff).div_ceil(protocol.decision_every.max(1)) as usize;
    let mechanisms = plan
        .arms
        .iter()
        .filter_map(|arm| Some((arm, arm.slice.privacy.as_ref()?)))
        .map(|(arm, privacy)| {
            let event = match privacy.noise.filter(|noise| noise.on_platforms().is_some()) {
                // Its size depends on the model's, which is known where worlds are.
                Some(noise) => serde_json::to_value(noise),
                None => serde_json::to_value(crate::exec::planned_event(privacy, decisions)?),
            };
            Ok((arm.label.clone(), event.map_err(runtime)?))
        })
        .collect::<Result<Vec<_>, Fault>>()?;
    if common.json {
        let value = serde_json::json!({ "plan": plan.id, "points": plan.points.len(), "arms": plan.arms.len(), "units": plan.units.len(), "mechanisms": mechanisms, "estimate": cost });
        say!("{}", serde_json::to_string_pretty(&value).map_err(runtime)?);
        return Ok(());
    }
    say!(
        "{}: {} points, {} arms, {} units ({} of them worlds, which runs share); plan {}",
        plan.name,
        plan.points.len(),
        plan.arms.len(),
        plan.units.len(),
        plan.units.iter().filter(|unit| unit.stage.name() == "world").count(),
        plan.id
    );
    say!("{}", cost_words(&cost));
    for (label, event) in mechanisms {
        say!("  {label}: {}", mechanism_words(&event));
    }
    Ok(())
}

/// A mechanism in a line: its kind and parameters, numbers to four digits; `--json` has them whole.
fn mechanism_words(event: &serde_json::Value) -> String {
    match event {
        serde_json::Value::Object(map) => {
            let part = |(key, value): (&String, &serde_json::Value)| {
                let key = key.replace(['_', '-'], " ");
                let said = mechanism_words(value);
                if value.is_object() { format!("{key} ({said})") } else { format!("{key} {said}") }
            };
            map.iter().map(part).collect::<Vec<_>>().join(", ")
        }
        serde_json::Value::Number(number) if !number.is_u64() => {
            number.as_f64().map_or_else(String::new, |value| format!("{}", (value * 1e4).round() / 1e4))
        }
        other => other.to_string(),
    }
}

fn plan(given: &Given, common: &Common) -> Result<(), Fault> {
    let (plan, cost) = load(given, common)?;
    let progress = Progress::new(true);
    let context = Context::new(&plan, &common.runs, &progress);
    rundir::open(&context.run, &plan)?;
    let rows: Vec<_> =
        plan.units.iter().enumerate().map(|(index, unit)| (index, unit, context.is_done(unit))).collect();
    if common.json {
        let units: Vec<_> = rows
            .iter()
            .map(|(index, unit, done)| serde_json::json!({ "index": index, "id": unit.id, "stage": unit.stage, "label": unit.label, "needs": unit.needs, "done": done }))
            .collect();
        let value = serde_json::json!({ "plan": context.run.join("plan.json"), "id": plan.id, "units": units, "estimate": cost });
        say!("{}", serde_json::to_string_pretty(&value).map_err(runtime)?);
        return Ok(());
    }
    for (index, unit, done) in rows {
        let mark = if done { "done" } else { "" };
        say!("{index:>4}  {}  {:<6} {:<5} {}", unit.id, unit.stage.name(), mark, unit.label);
    }
    say!("{}", cost_words(&cost));
    say!("plan: {}", context.run.join("plan.json").display());
    Ok(())
}

fn cost_words(cost: &Cost) -> String {
    format!(
        "left to do: about {:.1} minutes and {:.3} GB (rough); epsilon of all models of one world together: {}",
        cost.minutes, cost.disk_gb, cost.epsilon
    )
}

/// A frozen plan, and the directory that its runs lie in.
fn frozen(path: &Path, common: &Common) -> Result<(Plan, PathBuf), Fault> {
    let plan = rundir::read_plan(path)?;
    let dir = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
    // A plan that stands in its own run directory knows where its runs lie.
    let own = dir == rundir::run_dir(dir.parent().unwrap_or(dir), &plan);
    let runs = if own {
        dir.parent().map_or_else(|| common.runs.clone(), Path::to_owned)
    } else {
        common.runs.clone()
    };
    Ok((plan, runs))
}

fn exec(path: &Path, unit: &str, common: &Common) -> Result<(), Fault> {
    let (plan, runs) = frozen(path, common)?;
    let progress = Progress::new(common.quiet);
    let journal;
    let dir = rundir::run_dir(&runs, &plan);
    let observer: &dyn equipoise_core::Observer = if dir.is_dir() {
        journal = Journal::open(&dir, &progress)?;
        &journal
    } else {
        &progress
    };
    let context = Context::new(&plan, &runs, observer);
    let unit = plan.unit(unit)?;
    let worked = execute(&context, unit)?;
    if common.json {
        say!(
            "{}",
            serde_json::json!({ "unit": unit.id, "stage": unit.stage, "worked": worked, "dir": context.dir(unit) })
        );
    } else {
        say!("{} {} ({})", unit.id, if worked { "done" } else { "was done already" }, unit.label);
    }
    debug_assert!(matches!(unit.stage, Stage::World | Stage::Tune | Stage::Trial));
    Ok(())
}

fn report(run: &Path, common: &Common) -> Result<(), Fault> {
    // Named as for every other verb: by its directory or the beginning of its name.
    let found =
        if run.is_dir() { None } else { Some(crate::lab::find(&common.runs, &run.to_string_lossy())?) };
    let run = found.as_deref().unwrap_or(run);
    let (data, hash) = rundir::redraw(run)?;
    print_result(&data, &run.join("report.html"), &hash, (0, 0), common)
}

fn describe_all(common: &Common) -> Result<(), Fault> {
    let strategies = describe::strategies();
    if common.json {
        say!("{}", serde_json::to_string_pretty(&strategies).map_err(runtime)?);
        return Ok(());
    }
    let mut registry = "";
    for strategy in &strategies {
        if strategy.registry != registry {
            registry = strategy.registry;
            say!("{registry}");
        }
        let about = if strategy.about.is_empty() { String::new() } else { format!(": {}", strategy.about) };
        let example = if strategy.example.is_empty() || strategy.example == "{}" {
            String::new()
        } else {
            format!(" {}", strategy.example)
        };
        say!("  {}{about}{example}", strategy.name);
    }
    Ok(())
}
