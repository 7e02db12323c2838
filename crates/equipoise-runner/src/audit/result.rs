//! From cells to what a report says: means over worlds with their intervals, each beside the claim that it is about.

use super::canaries::{CanaryResult, SIGNIFICANCE};
use super::cell::{AuditCell, CellResult, Work};
use super::facts::FactResult;
use super::file::{Defence, Target};
use super::inversion::InversionResult;
use super::linking::LinkResult;
use super::membership::{MembershipResult, RATES};
use super::poisoning::{self, PoisoningResult};
use crate::report::Estimate;
use equipoise_eval::stats::summarise;
use equipoise_privacy::PrivacyClaim;
use serde::Serialize;

/// Said wherever a number is printed.
pub(crate) const NOTICE: &str = "Synthetic data; research only. A lower bound below a claim does not show that the claim is true, and an attack \
                                 that fails shows nothing: a stronger one may not.";

/// Everything that a report shows.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct AuditReport {
    pub(crate) name: String,
    pub(crate) question: String,
    pub(crate) id: String,
    pub(crate) notice: &'static str,
    pub(crate) worlds: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) claims: Vec<ClaimRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) canaries: Vec<CanaryRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) membership: Vec<MembershipRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) facts: Vec<FactRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) linkage: Vec<LinkRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) inversion: Vec<InversionRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) poisoning: Vec<PoisoningRow>,
}

/// One promise: what is claimed, in full.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct ClaimRow {
    pub(crate) promise: String,
    /// None where nothing is claimed.
    pub(crate) claim: Option<PrivacyClaim>,
    /// Below 1: a build that is broken on purpose.
    pub(crate) noise_share: Option<f64>,
    /// Epsilon after so many rounds.
    pub(crate) ledger: Vec<(u32, f64)>,
    /// Rows trained on, and rows that there were, in each world.
    pub(crate) rows: Vec<(u64, u64)>,
}

impl ClaimRow {
    pub(crate) fn epsilon(&self) -> Option<f64> {
        self.claim.as_ref().map(|claim| claim.epsilon)
    }
}

/// What canaries showed of one claim by one bound.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct CanaryRow {
    pub(crate) promise: String,
    pub(crate) bound: &'static str,
    pub(crate) claimed: f64,
    pub(crate) audited: Estimate,
    /// The largest over worlds.
    pub(crate) most: f64,
    /// Worlds whose bound exceeds the claim: by chance 5 % of them.
    pub(crate) above: usize,
    pub(crate) worlds: usize,
    /// Whether so many would come by chance with a probability below 1 %.
    pub(crate) refuted: bool,
}

/// What one membership attack achieved under one claim.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct MembershipRow {
    pub(crate) promise: String,
    pub(crate) epsilon: Option<f64>,
    pub(crate) attack: String,
    /// Accounts with the other label, or accounts as they are.
    pub(crate) mislabelled: bool,
    /// Members and others, over all worlds.
    pub(crate) members: u64,
    pub(crate) others: u64,
    pub(crate) auc: Estimate,
    /// False-positive rate, and the mean true-positive rate there; only rates that one world's others resolve.
    pub(crate) curve: Vec<(f64, f64)>,
    /// At a false-positive rate of 1 %.
    pub(crate) at_one_percent: Estimate,
}

/// What the release added to a guess.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct FactRow {
    pub(crate) promise: String,
    pub(crate) epsilon: Option<f64>,
    pub(crate) fact: String,
    pub(crate) about: String,
    pub(crate) cases: u64,
    pub(crate) without: Estimate,
    pub(crate) with: Estimate,
    pub(crate) gain: Estimate,
}

/// How well accounts were linked.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct LinkRow {
    pub(crate) promise: String,
    pub(crate) epsilon: Option<f64>,
    pub(crate) released: String,
    pub(crate) asked: u64,
    /// One over it is chance.
    pub(crate) among: u64,
    pub(crate) first: Estimate,
    pub(crate) ten: Estimate,
}

/// What was read back.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct InversionRow {
    pub(crate) defence: String,
    pub(crate) batch: usize,
    pub(crate) attack: String,
    pub(crate) updates: u64,
    pub(crate) exact: Estimate,
    pub(crate) columns: Estimate,
    pub(crate) identified: Estimate,
}

/// What became of a model.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct PoisoningRow {
    pub(crate) rule: String,
    pub(crate) hidden: bool,
    pub(crate) attack: String,
    pub(crate) average_precision: Estimate,
    /// The same less what the rule gives without an attack, world by world.
    pub(crate) change: Estimate,
    pub(crate) recall_at_budget: Estimate,
    pub(crate) triggered: Estimate,
    /// Worlds in which some platform's training gave no finite numbers.
    pub(crate) not_finite: usize,
}

/// A mean over worlds with its interval.
fn estimate(values: &[f64]) -> Estimate {
    match (summarise(values, 0.95), values) {
        (Some(s), _) => Estimate::Value { mean: s.mean, low: s.low, high: s.high, seeds: values.len() },
        (None, [value]) => Estimate::SingleRun { value: *value },
        (None, _) => Estimate::NotAssessable { reason: "no world has it".into() },
    }
}

/// The defence in words.
fn defence(defence: Defence) -> String {
    match defence {
        Defence::Raw {} => "one platform's sum".into(),
        Defence::Clipped {} => "one platform's sum of clipped rows".into(),
        Defence::Aggregate { platforms } => format!("the clipped sum of {platforms} platforms"),
        Defence::Noised { platforms, epsilon } => {
            format!("the same of {platforms} platforms, noised (row, one step, ε = {})", epsilon.get())
        }
        Defence::Silent {} => "nothing was sent".into(),
    }
}

/// One of a run's lower bounds.
type Bound = fn(&CanaryResult) -> f64;

impl AuditReport {
    /// Analyses results, `[world][cell]`.
    pub(crate) fn of(
        target: &Target,
        id: String,
        claims: Vec<ClaimRow>,
        cells: &[Work],
        played: &[Vec<CellResult>],
    ) -> Self {
        let about = &target.file.experiment;
        let mut report = Self {
            name: about.name.clone(),
            question: about.question.clone(),
            id,
            notice: NOTICE,
            worlds: played.len(),
            claims,
            canaries: vec![],
            membership: vec![],
            facts: vec![],
            linkage: vec![],
            inversion: vec![],
            poisoning: vec![],
        };
        for (at, cell) in cells.iter().enumerate() {
            let of = || played.iter().map(|world| &world[at]);
            match *cell {
                Work::Audit(claim) => {
                    let all: Vec<&AuditCell> = of().filter_map(CellResult::audit).collect();
                    report.claims[claim].rows = all.iter().map(|cell| cell.rows).collect();
                    report.audited(claim, &all);
                }
                Work::Inversion(kind, batch) => {
                    let all: Vec<&Vec<InversionResult>> = of().filter_map(CellResult::inversion).collect();
                    report.inverted(&defence(kind), batch, &all);
                }
                Work::Poisoning(attack, rule) => {
                    let Some(section) = &target.file.poisoning else { continue };
                    let honest = cells.iter().position(|cell| {
                        matches!(*cell, Work::Poisoning(a, r) if r == rule && poisoning::name(&section.attack[a]) == "none")
                    });
                    let all: Vec<&PoisoningResult> = of().filter_map(CellResult::poisoning).collect();
                    let honest: Vec<&PoisoningResult> = honest.map_or_else(Vec::new, |at| {
                        played.iter().filter_map(|world| world[at].poisoning()).collect()
                    });
                    let (attack, rule) = (&section.attack[attack], &section.rule[rule]);
                    let hidden = matches!(rule.aggregation, crate::config::AggregationSpec::Hidden(_));
                    report.poisoning.push(poisoned(
                        poisoning::name(attack),
                        (&rule.name, hidden),
                        &all,
                        &honest,
                    ));
                }
            }
        }
        report
    }

    fn audited(&mut self, claim: usize, all: &[&AuditCell]) {
        let (promise, epsilon) = (self.claims[claim].promise.clone(), self.claims[claim].epsilon());
        let bounds: [(&'static str, Bound); 3] =
            [("counting", |r| r.counted), ("Gaussian curve", |r| r.curve), ("normal scores", |r| r.normal)];
        let found: Vec<&CanaryResult> = all.iter().filter_map(|cell| cell.canaries.as_ref()).collect();
        for (bound, of) in bounds.into_iter().filter(|_| !found.is_empty()) {
            let values: Vec<f64> = found.iter().map(|result| of(result)).collect();
            let claimed = found[0].claimed;
            let above = values.iter().filter(|value| **value > claimed).count();
            self.canaries.push(CanaryRow {
                promise: promise.clone(),
                bound,
                claimed,
                audited: estimate(&values),
                most: values.iter().copied().fold(0.0, f64::max),
                above,
                worlds: values.len(),
                refuted: at_least(above, values.len(), SIGNIFICANCE) < 0.01,
            });
        }
        for at in 0..all.first().map_or(0, |cell| cell.membership.len()) {
            let of: Vec<&MembershipResult> = all.iter().filter_map(|cell| cell.membership.get(at)).collect();
            self.membership.push(member(&promise, epsilon, &of));
        }
        // A world may lack a fact (too few targets), so they are found by name.
        let mut names: Vec<(String, String)> = Vec::new();
        for fact in all.iter().flat_map(|cell| &cell.facts) {
            let name = (fact.fact.clone(), fact.about.clone());
            if !names.contains(&name) {
                names.push(name);
            }
        }
        for (fact, about) in names {
            let of: Vec<&FactResult> = all
                .iter()
                .flat_map(|cell| &cell.facts)
                .filter(|f| f.fact == fact && f.about == about)
                .collect();
            let column = |get: fn(&FactResult) -> f64| of.iter().map(|f| get(f)).collect::<Vec<f64>>();
            self.facts.push(FactRow {
                promise: promise.clone(),
                epsilon,
                fact,
                about,
                cases: of.iter().map(|f| f.cases).sum(),
                without: estimate(&column(|f| f.without)),
                with: estimate(&column(|f| f.with)),
                gain: estimate(&column(|f| f.with - f.without)),
            });
        }
        for at in 0..all.first().map_or(0, |cell| cell.linkage.len()) {
            let of: Vec<&LinkResult> = all.iter().filter_map(|cell| cell.linkage.get(at)).collect();
            let column = |get: fn(&LinkResult) -> f64| of.iter().map(|l| get(l)).collect::<Vec<f64>>();
            self.linkage.push(LinkRow {
                promise: promise.clone(),
                epsilon,
                released: of[0].released.clone(),
                asked: of.iter().map(|l| l.asked).sum(),
                among: of.iter().map(|l| l.among).max().unwrap_or(0),
                first: estimate(&column(|l| l.first)),
                ten: estimate(&column(|l| l.ten)),
            });
        }
    }

    fn inverted(&mut self, defence: &str, batch: usize, all: &[&Vec<InversionResult>]) {
        for at in 0..all.first().map_or(0, |cell| cell.len()) {
            let of: Vec<&InversionResult> = all.iter().filter_map(|cell| cell.get(at)).collect();
            let column = |get: fn(&InversionResult) -> f64| of.iter().map(|r| get(r)).collect::<Vec<f64>>();
            self.inversion.push(InversionRow {
                defence: defence.to_owned(),
                batch,
                attack: of[0].attack.clone(),
                updates: of.iter().map(|r| r.updates).sum(),
                exact: estimate(&column(|r| r.exact)),
                columns: estimate(&column(|r| r.columns)),
                identified: estimate(&column(|r| r.identified)),
            });
        }
    }
}

fn member(promise: &str, epsilon: Option<f64>, of: &[&MembershipResult]) -> MembershipRow {
    let fewest = of.iter().map(|r| r.others).min().unwrap_or(0) as f64;
    let at = |rate: usize| of.iter().map(|r| r.true_positive[rate]).collect::<Vec<f64>>();
    let resolved = RATES.iter().enumerate().filter(|(_, rate)| **rate * fewest >= 1.0 - 1e-9);
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let one_percent = RATES.iter().position(|rate| (rate - 0.01).abs() < 1e-12);
    MembershipRow {
        promise: promise.to_owned(),
        epsilon,
        attack: of[0].attack.clone(),
        mislabelled: of[0].mislabelled,
        members: of.iter().map(|r| r.members).sum(),
        others: of.iter().map(|r| r.others).sum(),
        auc: estimate(&of.iter().map(|r| r.auc).collect::<Vec<f64>>()),
        curve: resolved.map(|(index, &rate)| (rate, mean(at(index)))).collect(),
        at_one_percent: one_percent.map_or_else(|| estimate(&[]), |index| estimate(&at(index))),
    }
}

fn poisoned(
    attack: &str,
    (rule, hidden): (&str, bool),
    all: &[&PoisoningResult],
    honest: &[&PoisoningResult],
) -> PoisoningRow {
    let column =
        |of: fn(&PoisoningResult) -> Option<f64>| all.iter().filter_map(|r| of(r)).collect::<Vec<f64>>();
    let change =
        all.iter().zip(honest).filter_map(|(a, b)| Some(a.average_precision? - b.average_precision?));
    PoisoningRow {
        rule: rule.to_owned(),
        hidden,
        attack: attack.to_owned(),
        average_precision: estimate(&column(|r| r.average_precision)),
        change: estimate(&change.collect::<Vec<f64>>()),
        recall_at_budget: estimate(&column(|r| r.recall_at_budget)),
        triggered: estimate(&column(|r| Some(r.triggered))),
        not_finite: all.iter().filter(|r| !r.finite).count(),
    }
}

/// The probability of at least `hits` in `trials` at `rate` each.
fn at_least(hits: usize, trials: usize, rate: f64) -> f64 {
    let trials = u32::try_from(trials).unwrap_or(u32::MAX);
    equipoise_attack::stats::binomial_tails(trials, rate)[hits]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_world_above_in_five_is_chance_and_three_are_not() {
        // 1 - .95^5 = .226; P(Bin(5, .05) >= 3) = .00116.
        assert!((at_least(1, 5, 0.05) - 0.226_22).abs() < 1e-4);
        assert!((at_least(3, 5, 0.05) - 0.001_158).abs() < 1e-5);
        assert!((at_least(0, 5, 0.05) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn rates_that_a_worlds_others_do_not_resolve_are_not_drawn() {
        let one = MembershipResult {
            attack: "a".into(),
            mislabelled: false,
            members: 100,
            others: 100,
            auc: 0.6,
            deviation_by_chance: 0.04,
            true_positive: RATES.to_vec(),
        };
        let row = member("p", None, &[&one, &one]);
        assert!((row.curve[0].0 - 0.01).abs() < 1e-12, "{:?}", row.curve);
        assert_eq!((row.members, row.others), (200, 200));
    }
}
