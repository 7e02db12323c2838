//! `equipoise world validate`: gathers the evidence, runs every check, writes `VALIDATION.json` and `VALIDATION.html`, prints
//! what fails, and ends with exit code 1 if a gated check fails. Nothing is tuned and nothing is left out.

use super::checks_model::{self, ModelEvidence};
use super::checks_time::{TimeEvidence, TimeLeak};
use super::probes::{ProbeSize, dense, probe};
use super::recorded::recorded;
use super::{Manner, load, print_json, sensitivity};
use crate::fault::{Fault, config, runtime};
use crate::progress::Progress;
use crate::report::{ValidationPage, render_validation};
use clap::Args;
use equipoise_core::{Fraction, Observer, Seed};
use equipoise_store::{write_atomic, write_json_atomic};
use equipoise_synth::WorldSpec;
use equipoise_synth::validate::{
    Check, Effort, Evidence, Finding, Pass, SeedRun, checks, graph_curves, judge, timing_curves,
};
use std::path::PathBuf;

/// What to check, and how hard.
#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    /// World file
    file: PathBuf,
    /// Persons, instead of the file's
    #[arg(long, value_name = "N")]
    persons: Option<u32>,
    /// Days, instead of the file's
    #[arg(long, value_name = "D")]
    days: Option<u16>,
    /// Worlds to run
    #[arg(long, value_name = "N", default_value_t = 5)]
    seeds: u32,
    /// Seed from which all worlds are derived
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Directory for VALIDATION.json and VALIDATION.html [default: RUNS/validation/NAME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Published aggregates that recorded offences are held against (V7, V9) [default: calibration.toml beside the world file]
    #[arg(long, value_name = "FILE")]
    calibration: Option<PathBuf>,
    /// Also move every assumed parameter (V21); takes two worlds a parameter
    #[arg(long)]
    sensitivity: bool,
    /// Leave out the checks that train models (V12 to V15, V17); they are then printed as not assessable
    #[arg(long)]
    without_models: bool,
}

/// Validates and prints.
pub(super) fn validate(args: &ValidateArgs, manner: Manner<'_>) -> Result<(), Fault> {
    if args.seeds == 0 {
        return Err(config("--seeds: at least one world is needed, five for a verdict"));
    }
    let mut spec = load(&args.file)?;
    spec.persons = args.persons.unwrap_or(spec.persons);
    spec.days = args.days.unwrap_or(spec.days);
    spec.validate().map_err(|error| config(format!("{}: {error}", args.file.display())))?;
    let name =
        args.file.file_stem().map_or_else(|| "world".into(), |stem| stem.to_string_lossy().into_owned());
    let out = args.out.clone().unwrap_or_else(|| manner.runs.join("validation").join(&name));
    std::fs::create_dir_all(&out).map_err(|error| {
        config(format!("{}: cannot be made ({error}); choose another --out", out.display()))
    })?;
    let (findings, page) = examine(&spec, &name, args, &Progress::new(manner.quiet))?;
    write_json_atomic(&out.join("VALIDATION.json"), &findings).map_err(runtime)?;
    write_atomic(&out.join("VALIDATION.html"), page.as_bytes()).map_err(runtime)?;
    print(&findings, &out, manner)?;
    let failed = findings.iter().filter(|finding| finding.blocks()).count();
    if failed > 0 {
        return Err(Fault::Runtime(format!(
            "{failed} gated findings fail; they are kept in {}",
            out.display()
        )));
    }
    Ok(())
}

/// Everything but reading and writing.
fn examine(
    spec: &WorldSpec,
    name: &str,
    args: &ValidateArgs,
    observer: &dyn Observer,
) -> Result<(Vec<Finding>, String), Fault> {
    let effort = Effort {
        seed: args.seed,
        seeds: args.seeds,
        // Surveys need about 5,000 persons of an age frame for two points in a hundred, in a world of the size that is used.
        year_persons: spec.persons.min(10_000),
        enlarged_persons: spec.persons.min(10_000),
        twin: (spec.persons.min(1_500), spec.days.min(10)),
    };
    let mut evidence = Evidence::gather(spec, &effort, observer).map_err(runtime)?;
    // Small, and dense enough that some labels are known by half time.
    let mut small = WorldSpec { persons: spec.persons.min(2_000), days: spec.days.min(45), ..spec.clone() };
    small.harm.prevalence.value = Fraction::new(0.05).map_err(runtime)?;
    let mut time = TimeEvidence::default();
    let mut models = ModelEvidence::default();
    if !args.without_models {
        let (gathered, divided) = TimeEvidence::gather(&small, args.seed, observer)?;
        time = gathered;
        evidence.divided.push(divided);
        models = rows(spec, args, observer)?;
    }
    let calibration =
        args.calibration.clone().unwrap_or_else(|| args.file.with_file_name("calibration.toml"));
    evidence.recorded = recorded(spec, &calibration, args.seed)?;
    if args.sensitivity {
        evidence.sensitivity = Some(sensitivity::sensitivity(spec, args.seed, observer)?);
    }
    let findings = verdicts(&evidence, &models, &time);
    let first: &SeedRun = &evidence.runs[0];
    let page = render_validation(&ValidationPage {
        name: name.to_owned(),
        persons: spec.persons,
        days: spec.days,
        seeds: args.seeds,
        graph: graph_curves(&first.facts),
        timing: timing_curves(first),
        hours: [spec.behaviour.hours_adult_weekday.value, spec.behaviour.hours_weekend.value],
        findings: findings.clone(),
    });
    Ok((findings, page))
}

/// The rows of the probes, without and with detectability.
fn rows(spec: &WorldSpec, args: &ValidateArgs, observer: &dyn Observer) -> Result<ModelEvidence, Fault> {
    let size = ProbeSize {
        persons: spec.persons.min(10_000),
        days: spec.days.min(45),
        prevalence: 0.15,
        lookalikes: 2.0,
    };
    let mut models = ModelEvidence::default();
    for index in 0..u64::from(args.seeds) {
        let seed = Seed::root(args.seed).derive("probe", index);
        models.null.push(probe(&dense(spec, &size, 0.0)?, seed.derive("null", 0), observer)?);
        models.full.push(probe(&dense(spec, &size, 1.0)?, seed.derive("full", 0), observer)?);
    }
    Ok(models)
}

/// All checks, in the order of their numbers.
pub(super) fn verdicts(evidence: &Evidence, models: &ModelEvidence, time: &TimeEvidence) -> Vec<Finding> {
    let mut all: Vec<Box<dyn Check + '_>> =
        checks().into_iter().map(|check| check as Box<dyn Check>).collect();
    all.extend(checks_model::checks(models));
    all.push(Box::new(TimeLeak(time)));
    all.sort_by_key(|check| check.id()[1..].parse::<u32>().unwrap_or(u32::MAX));
    judge(&all, evidence)
}

fn print(findings: &[Finding], out: &std::path::Path, manner: Manner<'_>) -> Result<(), Fault> {
    if manner.json {
        return print_json(&findings);
    }
    super::say(&format!(
        "{:<5} {:<8} {:>10} {:>9} {:<34} statistic",
        "check", "", "value", "± 3 SE", "target"
    ));
    for finding in findings {
        let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.4}"));
        let word = match finding.pass {
            Pass::Pass => "pass",
            Pass::Fail => "FAIL",
            Pass::NotAssessable => "n/a",
        };
        super::say(&format!(
            "{:<5} {word:<8} {:>10} {:>9} {:<34} {}",
            finding.id,
            number(finding.value),
            number(finding.detectable),
            finding.target,
            finding.statistic
        ));
        if finding.pass != Pass::Pass && !finding.note.is_empty() {
            super::say(&format!("{:<14} {}", "", finding.note));
        }
    }
    let count = |pass: Pass| findings.iter().filter(|f| f.pass == pass).count();
    super::say(&format!(
        "{} pass, {} fail, {} not assessable or reported only",
        count(Pass::Pass),
        count(Pass::Fail),
        count(Pass::NotAssessable)
    ));
    super::say(&format!("{}", out.join("VALIDATION.html").display()));
    Ok(())
}
