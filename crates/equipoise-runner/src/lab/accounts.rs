//! `accounts-needed RUN...`: at how many accounts a guarantee would cost no more than so much, fitted over runs of one question on
//! worlds of several sizes.
//!
//! The cost is the arm without a guarantee less the arm with it, world by world. One law is fitted to the mean cost of each size,
//! `cost = a accounts^-b`, by weighted least squares with one variance for all worlds, and the interval is the bootstrap's over worlds within
//! sizes. The law is an assumption: where resamples do not fall with size (the exponent and its interval are said), or reach the target only beyond a million times the largest
//! size, the answer is that the fit does not determine it. Within the sizes that ran, the nearest that meets the target is said too.

use super::{Said, list, value};
use crate::fault::{Fault, config};
use equipoise_core::{Draw, Seed};
use equipoise_eval::stats::summarise;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

/// Resamples of the bootstrap.
const RESAMPLES: u64 = 2_000;
/// Beyond so many times the largest size, an answer is none.
const FARTHEST: f64 = 1e6;
/// Exponents that are tried: from a cost that grows with size to one that falls with its fourth power.
const EXPONENTS: (f64, f64, u32) = (-2.0, 4.0, 601);

/// What was asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct AccountsArgs {
    /// Run directories, or the beginnings of their names: one question on worlds of at least three sizes
    #[arg(required = true)]
    run: Vec<String>,
    /// The arm with the guarantee; the only one that has a baseline without this
    #[arg(long, value_name = "ID")]
    arm: Option<String>,
    /// The metric
    #[arg(long, default_value = "average-precision", value_name = "NAME")]
    metric: String,
    /// What the guarantee may cost
    #[arg(long, default_value_t = 0.03, value_name = "X")]
    within: f64,
}

/// The runs' worlds of one size.
#[derive(Clone, Debug)]
struct Size {
    persons: u64,
    /// Mean over worlds of accounts with a training row.
    accounts: f64,
    costs: Vec<f64>,
}

/// The fitted law.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Law {
    ln_a: f64,
    b: f64,
}

impl Law {
    /// Where the cost is `target`, if it falls to it within [`FARTHEST`].
    fn accounts(&self, target: f64, largest: f64) -> Option<f64> {
        let at = libm::exp((self.ln_a - libm::log(target)) / self.b);
        (self.b > 1e-9 && at.is_finite() && at <= FARTHEST * largest).then_some(at)
    }
}

pub(super) fn needed(args: &AccountsArgs, runs: &Path) -> Result<Said, Fault> {
    if args.within <= 0.0 || !args.within.is_finite() {
        return Err(config("--within: must be above 0"));
    }
    let mut arm = args.arm.clone();
    let mut sizes = Vec::new();
    for run in &args.run {
        sizes.push(size(&super::find(runs, run)?, runs, &args.metric, &mut arm)?);
    }
    sizes.sort_by(|a, b| a.accounts.total_cmp(&b.accounts));
    sizes.dedup_by_key(|size| size.persons);
    if sizes.len() < 3 {
        return Err(config(
            "accounts-needed: a law needs runs of at least three sizes (--set world.persons=N)",
        ));
    }
    let arm = arm.unwrap_or_default();
    let mut text = format!("{arm}: what the guarantee costs in {}, by accounts that trained\n", args.metric);
    let mut rows = Vec::new();
    for size in &sizes {
        let Some(cost) = summarise(&size.costs, 0.95) else {
            return Err(config("accounts-needed: each run needs at least two worlds"));
        };
        let _ = writeln!(
            text,
            "  {:>9} persons, {:>9.0} accounts: {:.4} [{:.4}, {:.4}] over {} worlds",
            size.persons, size.accounts, cost.mean, cost.low, cost.high, cost.n
        );
        rows.push(json!({ "persons": size.persons, "accounts": size.accounts, "mean": cost.mean, "low": cost.low, "high": cost.high, "worlds": cost.n }));
    }
    let answer = answer(&sizes, args.within, Seed::root(7));
    text.push_str(&answer.words(args.within));
    Ok(Said::new(
        text,
        json!({ "arm": arm, "metric": args.metric, "within": args.within, "sizes": rows, "answer": answer.json() }),
    ))
}

fn size(run: &Path, runs: &Path, metric: &str, arm: &mut Option<String>) -> Result<Size, Fault> {
    let (plan, metrics) = (value(&run.join("plan.json"))?, value(&run.join("metrics.json"))?);
    let wrong = |why: String| config(format!("{}: {why}", run.display()));
    let pairs = plan["baseline"].as_object().cloned().unwrap_or_default();
    let wanted = match (&*arm, pairs.len()) {
        (Some(arm), _) => arm.clone(),
        (None, 1) => pairs.keys().next().cloned().unwrap_or_default(),
        (None, n) => return Err(wrong(format!("{n} arms have a baseline; name one with --arm"))),
    };
    let base = pairs.get(&wanted).and_then(Value::as_str).ok_or_else(|| {
        let names: Vec<&String> = pairs.keys().collect();
        wrong(format!("`{wanted}` has no baseline there; arms that have one: {names:?}"))
    })?;
    let values = |id: &str| -> Vec<Option<f64>> {
        let arm = list(&metrics["arms"]).iter().find(|arm| arm["id"] == id);
        arm.map_or_else(Vec::new, |arm| list(&arm["per_seed"][metric]).iter().map(Value::as_f64).collect())
    };
    let pairs = values(base).into_iter().zip(values(&wanted));
    let costs: Vec<f64> = pairs.filter_map(|(without, with)| Some(without? - with?)).collect();
    if costs.is_empty() {
        return Err(wrong(format!("no world has `{metric}` of both arms")));
    }
    let mut accounts = Vec::new();
    for world in list(&plan["worlds"]) {
        let file = runs.join("cache/world").join(world.as_str().unwrap_or_default()).join("world.json");
        let rows = list(&value(&file)?["rows"]).iter().filter_map(Value::as_f64).sum::<f64>();
        accounts.push(rows);
    }
    *arm = Some(wanted);
    let persons = plan["points"][0]["world"]["persons"].as_u64().unwrap_or(0);
    let mean = accounts.iter().sum::<f64>() / accounts.len().max(1) as f64;
    Ok(Size { persons, accounts: mean, costs })
}

/// `a` and `b` that fit the means best, each weighted by its variance; none if no positive cost fits.
fn fit(points: &[(f64, f64, f64)]) -> Option<Law> {
    let (from, to, steps) = EXPONENTS;
    let centre = points.iter().map(|(n, _, _)| libm::log(*n)).sum::<f64>() / points.len() as f64;
    let at = |b: f64| {
        // Sizes relative to their geometric mean, so that nothing overflows.
        let (mut up, mut down) = (0.0, 0.0);
        for (n, cost, variance) in points {
            let shape = libm::exp(-b * (libm::log(*n) - centre));
            up += shape * cost / variance;
            down += shape * shape / variance;
        }
        let a = up / down;
        let miss = points.iter().map(|(n, cost, variance)| {
            let gap = cost - a * libm::exp(-b * (libm::log(*n) - centre));
            gap * gap / variance
        });
        (miss.sum::<f64>(), a, b)
    };
    let tried = (0..steps).map(|step| at(from + (to - from) * f64::from(step) / f64::from(steps - 1)));
    let (_, a, b) = tried.filter(|(_, a, _)| *a > 0.0).min_by(|x, y| x.0.total_cmp(&y.0))?;
    Some(Law { ln_a: libm::log(a) + b * centre, b })
}

/// Accounts, mean cost and the variance of that mean. The variance is pooled over sizes: five worlds do not tell one size's own.
fn points(sizes: &[Size], costs: &[Vec<f64>]) -> Vec<(f64, f64, f64)> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let square = |values: &Vec<f64>| {
        let mean = mean(values);
        values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>()
    };
    let freedom: usize = costs.iter().map(|values| values.len() - 1).sum();
    let pooled = (costs.iter().map(square).sum::<f64>() / freedom.max(1) as f64).max(1e-18);
    let of = |(size, values): (&Size, &Vec<f64>)| (size.accounts, mean(values), pooled / values.len() as f64);
    sizes.iter().zip(costs).map(of).collect()
}

/// What the fit says.
#[derive(Clone, Debug, PartialEq)]
struct Answer {
    law: Option<Law>,
    accounts: Option<f64>,
    /// Of the resamples that have an answer, those at 2.5 % and 97.5 % of *all* resamples; no answer counts as beyond everything.
    interval: (Option<f64>, Option<f64>),
    /// The exponents at 2.5 % and 97.5 % of all resamples; a resample without a law counts as one that does not fall.
    exponents: (f64, f64),
    /// Share of resamples without an answer.
    lost: f64,
    /// The smallest size that ran whose mean cost meets the target.
    met: Option<f64>,
    largest: f64,
}

fn answer(sizes: &[Size], target: f64, seed: Seed) -> Answer {
    let own: Vec<Vec<f64>> = sizes.iter().map(|size| size.costs.clone()).collect();
    let largest = sizes.last().map_or(1.0, |size| size.accounts);
    let law = fit(&points(sizes, &own));
    let (mut found, mut exponents): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    for resample in 0..RESAMPLES {
        let mut rng = seed.derive("accounts-needed", resample).rng();
        let drawn: Vec<Vec<f64>> =
            own.iter().map(|costs| costs.iter().map(|_| costs[rng.below(costs.len())]).collect()).collect();
        let drawn = fit(&points(sizes, &drawn));
        exponents.push(drawn.map_or(EXPONENTS.0, |law| law.b));
        found.push(drawn.and_then(|law| law.accounts(target, largest)).unwrap_or(f64::INFINITY));
    }
    found.sort_by(f64::total_cmp);
    exponents.sort_by(f64::total_cmp);
    let place = |p: f64| (p * (RESAMPLES - 1) as f64) as usize;
    let quantile = |p: f64| Some(found[place(p)]).filter(|at| at.is_finite());
    let lost = found.iter().filter(|at| at.is_infinite()).count() as f64 / RESAMPLES as f64;
    let meets = |size: &&Size| size.costs.iter().sum::<f64>() / size.costs.len() as f64 <= target;
    Answer {
        law,
        accounts: law.and_then(|law| law.accounts(target, largest)),
        interval: (quantile(0.025), quantile(0.975)),
        exponents: (exponents[place(0.025)], exponents[place(0.975)]),
        lost,
        met: sizes.iter().find(meets).map(|size| size.accounts),
        largest,
    }
}

impl Answer {
    fn words(&self, target: f64) -> String {
        let mut text = match self.law {
            Some(law) => format!(
                "fit: cost = {:.3e} x accounts^{:.2}; exponent of the fall {:.2} [{:.2}, {:.2}] (95 %, bootstrap over worlds)\n",
                libm::exp(law.ln_a),
                -law.b,
                law.b,
                self.exponents.0,
                self.exponents.1
            ),
            None => "fit: no law fits\n".to_owned(),
        };
        let falls = self.law.is_some_and(|law| law.b > 0.0);
        if !falls {
            text += "over the sizes that ran the cost does not fall with accounts, so no number of accounts follows from them\n";
        } else if self.exponents.0 <= 0.0 {
            text += "that interval holds zero: these runs do not show that the cost falls with accounts\n";
        }
        text += &match (self.accounts, self.interval) {
            (Some(at), (Some(low), Some(high))) if falls => format!(
                "the guarantee would cost {target} at {at:.0} accounts that train, between {low:.0} and {high:.0} (95 %, bootstrap over worlds)\n"
            ),
            (Some(at), (Some(low), None)) if falls => format!(
                "the guarantee would cost {target} at {at:.0} accounts that train, at least {low:.0}; the fit gives no upper end: {:.0} % of resamples never \
                 reach it\n",
                100.0 * self.lost
            ),
            _ => format!(
                "the fit does not determine the number of accounts at which the guarantee would cost {target}: {:.0} % of resamples never reach it\n",
                100.0 * self.lost
            ),
        };
        match self.met {
            Some(at) => {
                let _ = writeln!(
                    text,
                    "of the sizes that ran, {at:.0} accounts is the smallest whose mean cost is within {target}"
                );
            }
            None => {
                let _ = writeln!(
                    text,
                    "no size that ran is within {target}; the largest has {:.0} accounts",
                    self.largest
                );
            }
        }
        text
    }

    fn json(&self) -> Value {
        let law = self.law.map(|law| json!({ "ln-a": law.ln_a, "b": law.b }));
        json!({ "law": law, "accounts": self.accounts, "low": self.interval.0, "high": self.interval.1, "exponent": [self.exponents.0, self.exponents.1], "no-answer": self.lost, "met-at": self.met })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Costs `2 n^-1/2` with noise of `spread` in each of 6 worlds.
    fn sizes(spread: f64, b: f64) -> Vec<Size> {
        let mut rng = Seed::root(3).rng();
        let mut size = |accounts: f64| Size {
            persons: accounts as u64,
            accounts,
            costs: (0..6).map(|_| 2.0 * libm::pow(accounts, -b) + spread * rng.normal()).collect(),
        };
        [1e3, 2e3, 4e3, 8e3].map(&mut size).to_vec()
    }

    #[test]
    fn a_law_without_noise_is_found_exactly() {
        let answer = answer(&sizes(0.0, 0.5), 0.01, Seed::root(1));
        // 2 n^-1/2 = 0.01 at n = 40,000.
        assert!((answer.accounts.unwrap() / 40_000.0 - 1.0).abs() < 1e-6, "{answer:?}");
        assert!(answer.lost <= 0.0 && answer.met.is_none());
    }

    #[test]
    fn noise_widens_the_interval_around_the_truth() {
        let answer = answer(&sizes(0.002, 0.5), 0.01, Seed::root(1));
        let (low, high) = (answer.interval.0.unwrap(), answer.interval.1.unwrap());
        assert!(low < 40_000.0 && high > 40_000.0 && high / low > 1.1, "{answer:?}");
    }

    #[test]
    fn costs_that_do_not_fall_have_no_answer_and_it_says_so() {
        let flat = answer(&sizes(0.0005, 0.0), 0.01, Seed::root(1));
        assert!(flat.accounts.is_none() || flat.interval.1.is_none(), "{flat:?}");
        assert!(flat.lost > 0.2 && flat.words(0.01).contains("resamples never"), "{}", flat.words(0.01));
    }

    /// The means of runs at 5, 10 and 20 thousand persons, and worlds that differ by as much as those did.
    #[test]
    fn costs_that_rise_are_called_that_with_the_interval_and_no_number_is_given() {
        let spread = [-0.026, -0.012, 0.0, 0.012, 0.026];
        let size = |(accounts, mean): (f64, f64)| Size {
            persons: accounts as u64,
            accounts,
            costs: spread.iter().map(|off| mean + off).collect(),
        };
        let sizes: Vec<Size> = [(5_558.0, 0.039), (11_100.0, 0.042), (22_287.0, 0.049)].map(size).to_vec();
        let answer = answer(&sizes, 0.03, Seed::root(7));
        let words = answer.words(0.03);
        assert!(
            answer.law.unwrap().b < 0.0 && answer.exponents.0 < 0.0 && answer.exponents.1 > 0.0,
            "{answer:?}"
        );
        let interval = format!("[{:.2}, {:.2}]", answer.exponents.0, answer.exponents.1);
        assert!(words.contains("does not fall with accounts") && words.contains(&interval), "{words}");
        assert!(words.contains("does not determine") && !words.contains("would cost 0.03 at "), "{words}");
        // A cost that does fall is not called one that does not.
        let falls = answered(0.002, 0.5);
        assert!(falls.exponents.0 > 0.0 && !falls.words(0.01).contains("does not"), "{}", falls.words(0.01));
    }

    fn answered(spread: f64, b: f64) -> Answer {
        super::answer(&sizes(spread, b), 0.01, Seed::root(1))
    }

    #[test]
    fn a_size_that_meets_the_target_is_named() {
        let met = answer(&sizes(0.0, 0.5), 0.035, Seed::root(1));
        assert!(
            (met.met.unwrap() - 4e3).abs() < 1e-9
                && met.words(0.035).contains("4000 accounts is the smallest")
        );
    }
}
