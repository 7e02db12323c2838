//! `equipoise accountant`: the accountants for people, without an experiment.
//!
//! Every epsilon is printed with its unit, relation, delta and adversary, and with what stays open. Sampling is Poisson, noise is
//! a Gaussian on the sum of clipped rows; nothing here says that a training ran that way.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod table;

use crate::fault::{Fault, config, runtime};
use clap::{Args, Subcommand};
use equipoise_core::{Delta, Epsilon, Fraction, NoiseMultiplier};
use equipoise_privacy::{
    Adversary, ClaimScope, EpsilonAt, EpsilonBracket, PrivacyUnit, Relation, SampledStep, calibrate_exactly,
    calibrate_step, prv_bracket, rdp_epsilon,
};
use serde::Serialize;
use std::num::NonZeroU32;
use std::path::PathBuf;

/// The error of the certified bracket, and wider ones for losses that spread too far for it.
const ERRORS: [f64; 3] = [0.01, 0.1, 1.0];

/// What can be asked.
#[derive(Debug, Subcommand)]
pub(crate) enum AccountantVerb {
    /// Epsilon of a run with this noise
    Epsilon {
        /// Standard deviation of the noise over the clip norm
        #[arg(long, allow_negative_numbers = true)]
        sigma: f64,
        #[command(flatten)]
        run: Run,
    },
    /// The least noise that keeps a run within epsilon
    Sigma {
        /// The target
        #[arg(long, allow_negative_numbers = true)]
        epsilon: f64,
        #[command(flatten)]
        run: Run,
    },
    /// Epsilon of every row of a table: reads the columns q, sigma, T, delta (and K), appends eps_rdp, eps_prv_lo, eps_prv, eps_prv_up
    Table {
        /// A file of comma-separated values with a line of names
        file: PathBuf,
        /// Write here, at once and whole, instead of printing
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// What a run is, but for its noise.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Probability that a row takes part in a step
    #[arg(long, allow_negative_numbers = true)]
    q: f64,
    /// Number of steps
    #[arg(long)]
    steps: u64,
    /// The delta of the guarantee
    #[arg(long, allow_negative_numbers = true)]
    delta: f64,
    /// Rows that one unit touches at most
    #[arg(long, default_value_t = 1)]
    k: u32,
    /// Whose guarantee: row, account-fixed-graph, account-sender-owned, pair or linked-person [default: row, or account-fixed-graph if K > 1]
    #[arg(long)]
    unit: Option<String>,
}

/// Runs one of them.
pub(crate) fn run(verb: &AccountantVerb, json: bool) -> Result<(), Fault> {
    match verb {
        AccountantVerb::Epsilon { sigma, run } => {
            let sigma = NoiseMultiplier::new(*sigma).map_err(|e| config(format!("--sigma: {e}")))?;
            let asked = Asked::of(run, sigma)?;
            print(&asked.account(sigma.get(), None), json)
        }
        AccountantVerb::Sigma { epsilon, run } => {
            let target = Epsilon::new(*epsilon).ok().filter(|target| target.is_finite());
            let target = target.ok_or_else(|| {
                config(format!("--epsilon: a target must be positive and finite, got {epsilon}"))
            })?;
            let asked = Asked::of(run, NoiseMultiplier::new(1.0).expect("in range"))?;
            print(&asked.calibrate(target)?, json)
        }
        AccountantVerb::Table { file, out } => table::run(file, out.as_deref(), json),
    }
}

/// The checked question.
struct Asked {
    step: SampledStep,
    steps: u64,
    delta: f64,
    scope: ClaimScope,
}

/// The answer.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Answer {
    q: f64,
    sigma: f64,
    steps: u64,
    delta: f64,
    rows: u32,
    scope: ClaimScope,
    protected: &'static str,
    not_protected: [&'static str; 2],
    epsilon_rdp: EpsilonAt,
    epsilon_prv: Option<EpsilonBracket>,
    /// By the Renyi accountant alone, where noise was asked for.
    sigma_rdp: Option<f64>,
    notes: Vec<String>,
}

/// The unit that is meant, if it and the rows go together.
fn unit_of(run: &Run) -> Result<PrivacyUnit, Fault> {
    let Some(name) = &run.unit else {
        return Ok(if run.k > 1 { PrivacyUnit::AccountFixedGraph } else { PrivacyUnit::Row });
    };
    let unit: PrivacyUnit = name.parse().map_err(|error| config(format!("--unit: {error}")))?;
    let why = match unit {
        PrivacyUnit::AccountPrivateGraph => {
            "sampled rows earn nothing for a private graph, with any K; it takes noised aggregation of contacts"
        }
        PrivacyUnit::Row if run.k != 1 => "a row is one row; leave --k out, or ask for account-fixed-graph",
        PrivacyUnit::Pair if run.k != 2 => "the contact of a pair stands in the rows of the two; give --k 2",
        _ => return Ok(unit),
    };
    Err(config(format!("--unit {}: {why}", unit.name())))
}

/// `rows` as a bound on occurrences.
fn rows_of(rows: u32) -> Result<NonZeroU32, String> {
    NonZeroU32::new(rows)
        .ok_or_else(|| "an account in no row at all has nothing to protect; K must be at least 1".to_owned())
}

/// A delta, which the Renyi accountant takes at any size.
fn delta_of(delta: f64) -> Result<f64, String> {
    if delta > 0.0 && delta < 1.0 {
        Ok(delta)
    } else {
        Err(format!("delta must lie between 0 and 1, ends excluded, got {delta}"))
    }
}

impl Asked {
    fn of(run: &Run, sigma: NoiseMultiplier) -> Result<Self, Fault> {
        let rate = Fraction::new(run.q).map_err(|error| config(format!("--q: {error}")))?;
        let rows = rows_of(run.k).map_err(|why| config(format!("--k: {why}")))?;
        let step =
            SampledStep::of_rows(rate, sigma, rows).map_err(|error| config(format!("--k: {error}")))?;
        let delta = delta_of(run.delta).map_err(|why| config(format!("--delta: {why}")))?;
        let unit = unit_of(run)?;
        let scope = ClaimScope { unit, relation: Relation::ZeroOut, adversary: Adversary::ReleasedModel };
        Ok(Self { step, steps: run.steps, delta, scope })
    }

    fn account(&self, sigma: f64, sigma_rdp: Option<f64>) -> Answer {
        let noise = NoiseMultiplier::new(sigma).expect("checked or calibrated");
        let accounted = account(&self.step.with_noise(noise), self.steps, self.delta);
        let ClaimScope { unit, adversary, .. } = self.scope;
        Answer {
            q: self.step.rate(),
            sigma,
            steps: self.steps,
            delta: self.delta,
            rows: self.step.rows(),
            scope: self.scope,
            protected: unit.protects(),
            not_protected: [unit.does_not_protect(), adversary.leaves_open()],
            epsilon_rdp: accounted.rdp,
            epsilon_prv: accounted.prv,
            sigma_rdp,
            notes: accounted.notes,
        }
    }

    fn calibrate(&self, target: Epsilon) -> Result<Answer, Fault> {
        let refuse = |error: equipoise_privacy::AccountError| config(format!("no noise was found: {error}"));
        let delta = Delta::new(self.delta).map_err(|error| config(format!("--delta: {error}")))?;
        let by_rdp = calibrate_step(target, delta, &self.step, self.steps).map_err(refuse)?;
        let exact = calibrate_exactly(target, delta, &self.step, self.steps).map_err(refuse)?;
        Ok(self.account(exact.noise_multiplier.get(), Some(by_rdp.get())))
    }
}

/// Epsilon by both accountants.
struct Accounted {
    rdp: EpsilonAt,
    prv: Option<EpsilonBracket>,
    notes: Vec<String>,
}

#[allow(clippy::cast_precision_loss)]
fn account(step: &SampledStep, steps: u64, delta: f64) -> Accounted {
    let curve: Vec<f64> = step.rdp_curve().iter().map(|r| r * steps as f64).collect();
    let rdp = rdp_epsilon(&curve, delta);
    let mut notes = Vec::new();
    if rdp.at_grid_end {
        notes.push(format!(
            "the Renyi bound is best at order {}, an end of its grid: it holds, but is loose",
            rdp.order
        ));
    }
    let prv = match Delta::new(delta) {
        Err(_) => {
            notes.push(format!("delta {delta:e} is below 1e-10, where the exact accountant is not offered; the Renyi bound holds"));
            None
        }
        Ok(delta) => {
            let mut bracket = prv_bracket(step, steps, delta, ERRORS[0]);
            for error in &ERRORS[1..] {
                if let Err(refused) = &bracket {
                    notes.push(format!("{refused}; trying an error of {error}"));
                    bracket = prv_bracket(step, steps, delta, *error);
                }
            }
            bracket
                .map_err(|refused| notes.push(format!("no exact bracket: {refused}; the Renyi bound holds")))
                .ok()
        }
    };
    Accounted { rdp, prv, notes }
}

fn print(answer: &Answer, json: bool) -> Result<(), Fault> {
    if json {
        println!("{}", serde_json::to_string_pretty(answer).map_err(runtime)?);
        return Ok(());
    }
    // Rounded up: a printed bound must not be smaller than the computed one.
    let up = |epsilon: f64| (epsilon * 1e4).ceil() / 1e4;
    let rows = if answer.rows == 1 { "one row".to_owned() } else { format!("up to {} rows", answer.rows) };
    println!(
        "{} steps, Poisson sampling at {}, noise of {} clip norms, {rows} a unit, delta {:e}",
        answer.steps, answer.q, answer.sigma, answer.delta
    );
    match &answer.epsilon_prv {
        Some(bracket) => println!(
            "epsilon: {} (exact accountant, certified; estimate {:.4}, at least {:.4})",
            up(bracket.upper),
            bracket.estimate,
            bracket.lower
        ),
        None => println!("epsilon: {} (Renyi accountant)", up(answer.epsilon_rdp.epsilon)),
    }
    println!(
        "epsilon by the Renyi accountant: {} (order {})",
        up(answer.epsilon_rdp.epsilon),
        answer.epsilon_rdp.order
    );
    if let Some(sigma) = answer.sigma_rdp {
        println!("sigma: {} (exact accountant), {sigma} (Renyi accountant)", answer.sigma);
    }
    println!("holds {}.", answer.scope);
    for note in &answer.notes {
        println!("note: {note}");
    }
    Ok(())
}
