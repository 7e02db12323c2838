//! One cell on one seed: the world under some of the measures, and what came of it. The counterfactual twin is the cell
//! without any: every draw has the same address, so the two differ only where a measure bites.
//!
//! What no measure and no score listens to is not simulated again: where all of them hear only what couples accounts, the
//! run is lean, and of the talk of roles only what a measure reaches is made (a test of the world holds that truth, labels and
//! reviews are those of the full run, byte for byte).

use super::detection::{Detected, TopScores, Watched, detected};
use super::file::PolicyFile;
use super::score::{ModelSource, Prepared, Recipe, Revealed};
use crate::fault::{Fault, runtime};
use equipoise_core::{
    AccountRef, DAY, EventKind, NullSink, PlatformView, Policy, Reach, ScoreSource, Seed, SimTime,
};
use equipoise_policy::{Desk, Ledger, PolicySpec, RuleScore, Since, Together, run_closed_loop};
use equipoise_synth::harm_counts::HarmCounts;
use equipoise_synth::truth::{AccountTruth, BenignGroup, Truth};
use equipoise_synth::{Agenda, Outcome, World, WorldSpec};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The smallest group whose burden is told.
pub(crate) const COHORT: u64 = 20;

/// What measures cost the harmless accounts of one group. Counts over the window.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Burden {
    pub(crate) accounts: u64,
    pub(crate) refused: u64,
    pub(crate) warned: u64,
    pub(crate) held: u64,
    pub(crate) false_alarms: u64,
    pub(crate) prompted_reports: u64,
    /// Accounts that a review looked at.
    pub(crate) reviewed: u64,
    /// Accounts that were acted on, all of them wrongly.
    pub(crate) restricted: u64,
    pub(crate) restricted_days: f64,
}

/// What one cell showed on one seed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct CellResult {
    pub(crate) harm: HarmCounts,
    pub(crate) reviews: Reviews,
    /// Harmless accounts by group: by role, by whether their holder is a child, by gender.
    pub(crate) burden: BTreeMap<String, Burden>,
    pub(crate) burden_by_age: BTreeMap<String, Burden>,
    pub(crate) burden_by_gender: BTreeMap<String, Burden>,
    pub(crate) harmful_accounts: u64,
    /// Of the accounts with a harmful pattern, how each was met.
    pub(crate) detected: Vec<Detected>,
    /// The highest score that accounts had, in bins.
    pub(crate) scores: TopScores,
    pub(crate) revealed: Revealed,
}

/// The ledger, as it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Reviews {
    pub(crate) accounts_scored: u64,
    pub(crate) reviews: u64,
    pub(crate) signal_reviews: u64,
    pub(crate) signals: u64,
    pub(crate) signals_wrongly: u64,
    pub(crate) upheld: u64,
    pub(crate) upheld_wrongly: u64,
    /// Of these: about accounts of children.
    pub(crate) upheld_children: u64,
    pub(crate) lifted: u64,
}

/// Which measures hold in a cell, from when, and at which value of the axis.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Cell {
    /// Place of the axis' value.
    pub(crate) point: usize,
    /// Bit `m`: measure `m` is on.
    pub(crate) on: usize,
    /// Days between one measure and the next, in the cell that introduces them one after the other.
    pub(crate) gap_days: u16,
}

impl Cell {
    /// The measures that hold, each from its day.
    fn measures(self, file: &PolicyFile) -> Vec<(u16, &PolicySpec)> {
        let mut measures = Vec::new();
        let on = file.measure.iter().enumerate().filter(|(at, _)| self.on >> at & 1 == 1);
        for (place, (_, measure)) in (0_u16..).zip(on) {
            let day = measure.from_day.saturating_add(place.saturating_mul(self.gap_days));
            measures.extend(measure.pools.iter().map(|spec| (day, spec)));
        }
        measures
    }

    /// Whether a score is asked for.
    pub(crate) fn reviews(self, file: &PolicyFile) -> bool {
        self.measures(file).iter().any(|(_, spec)| matches!(spec, PolicySpec::ReviewQueue(_)))
    }

    /// Everything that a cell reads and another cell of the same world may read otherwise. Cells with equal addresses are one cell.
    pub(crate) fn address(self, file: &PolicyFile) -> String {
        let asks = self.reviews(file).then_some((&file.review, &file.score));
        serde_json::to_string(&(self.measures(file), asks)).unwrap_or_default()
    }
}

/// One policy a platform.
fn policies(file: &PolicyFile, spec: &WorldSpec, cell: Cell) -> Vec<Box<dyn Policy>> {
    let one = |name: &String| -> Box<dyn Policy> {
        let stands = !file.world.abstain.contains(name);
        let measures = cell.measures(file).into_iter().filter(|_| stands);
        Box::new(Together::new(measures.map(|(day, spec)| Since { day, policy: spec.build() }).collect()))
    };
    spec.platform.iter().map(|platform| one(&platform.name)).collect()
}

/// What the cells of one seed share.
pub(crate) struct Twin {
    world: World,
    agenda: Agenda,
    seed: Seed,
}

/// Builds the world of a seed, and what no measure can touch in it.
///
/// # Errors
/// If the specification cannot be simulated.
pub(crate) fn twin(spec: &WorldSpec, seed: Seed) -> Result<Twin, Fault> {
    let world = World::build(spec, seed).map_err(runtime)?;
    let agenda = world.agenda();
    Ok(Twin { world, agenda, seed })
}

/// Plays one cell under `file`, scored by what `scored` says or by the public rule. `full` simulates everything again, whoever listens.
///
/// # Errors
/// If a trained score fails on the way.
pub(crate) fn play(
    file: &PolicyFile,
    spec: &WorldSpec,
    twin: &Twin,
    cell: Cell,
    scored: Option<(&Recipe, &Prepared)>,
    full: bool,
) -> Result<CellResult, Fault> {
    let Twin { world, agenda, seed } = twin;
    let roster = world.roster();
    let mut policies = policies(file, spec, cell);
    let (mut rule, mut model) = (RuleScore::new(policies.len()), None);
    if let Some(scored) = scored.filter(|_| cell.reviews(file)) {
        model = Some(ModelSource::new(scored, world.views(), world.tokens(), &roster)?);
    }
    let (outcome, ledger, desk, scores) = {
        let inner: &mut dyn ScoreSource = match &mut model {
            Some(model) => model,
            None => &mut rule,
        };
        let mut score = Watched::new(inner, cell.reviews(file));
        let flesh = |kind: &EventKind| {
            !kind.couples() && (score.hears(*kind) || policies.iter().any(|policy| policy.hears(*kind)))
        };
        let lean = !full && !EventKind::ALL.iter().any(flesh);
        let reach = policies.iter().map(|policy| policy.reach()).max().unwrap_or(Reach::Nothing);
        let mut simulation = if lean { world.start_lean_on(agenda).reached_by(reach) } else { world.start() };
        if file.world.true_ages {
            simulation = simulation.with_true_ages();
        }
        let harmful = |account: AccountRef| roster[account.platform.index()][account.account.index()];
        let mut desk = Desk::new(file.review, seed.derive("desk", 0));
        let ledger =
            run_closed_loop(&mut simulation, &mut policies, &mut score, &mut desk, &mut NullSink, &harmful);
        (simulation.finish(), ledger, desk, score.top(&harmful))
    };
    let revealed = model.map(ModelSource::finish).transpose()?.unwrap_or_default();
    let end = SimTime::from_days(i32::from(spec.days));
    let group = |account: &AccountTruth| account.benign_group;
    let age = |account: &AccountTruth| account.true_age_band.is_minor();
    let gender = |account: &AccountTruth| account.girl;
    let child = |child: bool| if child { "children" } else { "adults" }.to_owned();
    let female = |girl: bool| if girl { "girls and women" } else { "boys and men" }.to_owned();
    Ok(CellResult {
        harm: HarmCounts::of(&outcome),
        reviews: reviews(&ledger, &desk, &outcome.truth),
        burden: burden(&outcome, &desk, end, group, name),
        burden_by_age: burden(&outcome, &desk, end, age, child),
        burden_by_gender: burden(&outcome, &desk, end, gender, female),
        harmful_accounts: harmful_accounts(world, &roster),
        detected: detected(world, &outcome, &desk, end),
        scores,
        revealed,
    })
}

/// Accounts with a simulated harmful pattern that there are from the start: spares, which may never be made, do not count.
fn harmful_accounts(world: &World, roster: &[Vec<bool>]) -> u64 {
    let there = |(view, harmful): (&PlatformView, &Vec<bool>)| {
        let accounts = view.profiles.iter().zip(harmful);
        accounts.filter(|(profile, harmful)| **harmful && profile.created.0 != i32::MAX).count() as u64
    };
    world.views().iter().zip(roster).map(there).sum()
}

fn reviews(ledger: &Ledger, desk: &Desk, truth: &Truth) -> Reviews {
    let child = |case: &&equipoise_policy::Case| {
        let account = truth.account(case.account.platform, case.account.account);
        case.upheld && account.harmful.is_none() && account.true_age_band.is_minor()
    };
    Reviews {
        accounts_scored: ledger.accounts_scored,
        reviews: ledger.reviews,
        signal_reviews: ledger.signal_reviews,
        signals: ledger.signals,
        signals_wrongly: ledger.signals_wrongly,
        upheld: ledger.upheld,
        upheld_wrongly: ledger.upheld_wrongly,
        upheld_children: desk.cases().iter().filter(child).count() as u64,
        lifted: ledger.lifted,
    }
}

/// The name of a group in results, as the world's files spell it.
fn name(group: BenignGroup) -> String {
    serde_json::to_value(group).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// What measures cost harmless accounts, by the group that `of` finds and `called` names.
fn burden<G: Ord>(
    outcome: &Outcome,
    desk: &Desk,
    end: SimTime,
    of: impl Fn(&AccountTruth) -> G,
    called: impl Fn(G) -> String,
) -> BTreeMap<String, Burden> {
    let mut groups: BTreeMap<G, Burden> = BTreeMap::new();
    for (platform, costs) in outcome.truth.platforms.iter().zip(&outcome.costs) {
        for (at, account) in platform.accounts.iter().enumerate().filter(|(_, a)| a.harmful.is_none()) {
            let group = groups.entry(of(account)).or_default();
            group.accounts += 1;
            let Some(cost) = costs.get(at) else { continue };
            group.refused += u64::from(cost.refused);
            group.warned += u64::from(cost.warned);
            group.held += u64::from(cost.held);
            group.false_alarms += u64::from(cost.false_alarms);
            group.prompted_reports += u64::from(cost.prompted_reports);
        }
    }
    for case in desk.cases() {
        let account = outcome.truth.account(case.account.platform, case.account.account);
        if account.harmful.is_some() {
            continue;
        }
        let group = groups.entry(of(account)).or_default();
        group.reviewed += 1;
        if case.upheld && case.decided_at < end {
            let until = case.lifted_at.unwrap_or(end).min(end);
            group.restricted += 1;
            group.restricted_days += f64::from(until.since(case.decided_at)) / f64::from(DAY);
        }
    }
    groups.into_iter().map(|(group, burden)| (called(group), burden)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::file::load;
    use super::*;
    use std::path::PathBuf;

    fn file(name: &str) -> PolicyFile {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../experiments/policy").join(name);
        load(&path).unwrap().file
    }

    fn cell(on: usize, gap_days: u16) -> Cell {
        Cell { point: 0, on, gap_days }
    }

    #[test]
    fn measures_that_come_one_after_the_other_are_counted_by_place_and_not_by_bit() {
        let file = file("in-tandem.toml");
        let days = |cell: Cell| cell.measures(&file).iter().map(|(day, _)| *day).collect::<Vec<_>>();
        // The fourth measure pools two.
        assert_eq!(days(cell(0b11111, 30)), [0, 30, 60, 90, 90, 120]);
        assert_eq!(days(cell(0b10101, 30)), [0, 30, 60]);
        assert_eq!(days(cell(0b11111, 0)), [0; 6]);
        let later = super::super::file::PolicyFile {
            measure: file
                .measure
                .iter()
                .map(|m| super::super::file::Measure { from_day: 60, ..m.clone() })
                .collect(),
            ..file.clone()
        };
        assert_eq!(cell(0b11, 7).measures(&later).iter().map(|(day, _)| *day).collect::<Vec<_>>(), [60, 67]);
    }

    /// What reviews are like does not matter to a cell without any, and everything about its own measures does.
    #[test]
    fn cells_have_one_address_exactly_if_they_read_the_same() {
        let file = file("in-tandem.toml");
        let mut slower = file.clone();
        slower.review.capacity += 1;
        let review = 0b10000;
        for on in 0..32 {
            let same = cell(on, 0).address(&file) == cell(on, 0).address(&slower);
            assert_eq!(same, on & review == 0, "{on:b}");
            assert_eq!(cell(on, 0).reviews(&file), on & review != 0);
        }
        let all: std::collections::BTreeSet<String> = (0..32).map(|on| cell(on, 0).address(&file)).collect();
        assert_eq!(all.len(), 32);
        assert_ne!(cell(3, 0).address(&file), cell(3, 30).address(&file));
    }
}
