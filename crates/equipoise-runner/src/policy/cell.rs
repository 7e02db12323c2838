//! One cell on one seed: the world under some of the measures, and what came of it. The counterfactual twin is the cell
//! without any: every draw has the same address, so the two differ only where a measure bites.
//!
//! What no measure and no score listens to is not simulated again: where all of them hear only what couples accounts, the
//! run is lean, and of the talk of roles only what a measure reaches is made (a test of the world holds that truth, labels and
//! reviews are those of the full run, byte for byte).

use super::file::Experiment;
use crate::fault::{Fault, runtime};
use equipoise_core::{
    AccountRef, DAY, EventKind, NullSink, PlatformView, Policy, Reach, ScoreSource, Seed, SimTime,
};
use equipoise_policy::{Desk, Ledger, RuleScore, Since, Together, run_closed_loop};
use equipoise_synth::harm_counts::HarmCounts;
use equipoise_synth::truth::{BenignGroup, Truth};
use equipoise_synth::{Agenda, Outcome, World};
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
    /// Harmless accounts by group, and those of children of the same.
    pub(crate) burden: BTreeMap<String, Burden>,
    pub(crate) harmful_accounts: u64,
}

/// The ledger, as it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Reviews {
    pub(crate) accounts_scored: u64,
    pub(crate) reviews: u64,
    pub(crate) signal_reviews: u64,
    pub(crate) signals: u64,
    pub(crate) upheld: u64,
    pub(crate) upheld_wrongly: u64,
    /// Of these: about accounts of children.
    pub(crate) upheld_children: u64,
    pub(crate) lifted: u64,
}

/// Which measures hold in a cell, and from when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    /// Bit `m`: measure `m` is on.
    pub(crate) on: usize,
    /// Days between one measure and the next, in the cell that introduces them one after the other.
    pub(crate) gap_days: u16,
}

/// One policy a platform.
fn policies(experiment: &Experiment, cell: Cell) -> Vec<Box<dyn Policy>> {
    let file = &experiment.file;
    let on = || file.measure.iter().enumerate().filter(|(at, _)| cell.on >> at & 1 == 1);
    let one = |name: &String| -> Box<dyn Policy> {
        let mut measures = Vec::new();
        for (place, (_, measure)) in (0_u16..).zip(on()).filter(|_| !file.world.abstain.contains(name)) {
            let day = measure.from_day.saturating_add(place.saturating_mul(cell.gap_days));
            measures.extend(measure.pools.iter().map(|spec| Since { day, policy: spec.build() }));
        }
        Box::new(Together::new(measures))
    };
    experiment.world.platform.iter().map(|platform| one(&platform.name)).collect()
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
pub(crate) fn twin(experiment: &Experiment, seed: Seed) -> Result<Twin, Fault> {
    let world = World::build(&experiment.world, seed).map_err(runtime)?;
    let agenda = world.agenda();
    Ok(Twin { world, agenda, seed })
}

/// Plays one cell. `full` simulates everything again, whoever listens.
pub(crate) fn play(experiment: &Experiment, twin: &Twin, cell: Cell, full: bool) -> CellResult {
    let Twin { world, agenda, seed } = twin;
    let mut policies = policies(experiment, cell);
    let mut score = RuleScore::new(policies.len());
    let flesh = |kind: &EventKind| {
        !kind.couples() && (score.hears(*kind) || policies.iter().any(|policy| policy.hears(*kind)))
    };
    let lean = !full && !EventKind::ALL.iter().any(flesh);
    let reach = policies.iter().map(|policy| policy.reach()).max().unwrap_or(Reach::Nothing);
    let mut simulation = if lean { world.start_lean_on(agenda).reached_by(reach) } else { world.start() };
    if experiment.file.world.true_ages {
        simulation = simulation.with_true_ages();
    }
    let roster = world.roster();
    let harmful = |account: AccountRef| roster[account.platform.index()][account.account.index()];
    let mut desk = Desk::new(experiment.file.review, seed.derive("desk", 0));
    let ledger =
        run_closed_loop(&mut simulation, &mut policies, &mut score, &mut desk, &mut NullSink, &harmful);
    let outcome = simulation.finish();
    let end = SimTime::from_days(i32::from(experiment.world.days));
    let harmful_accounts = harmful_accounts(world, &roster);
    let reviews = reviews(&ledger, &desk, &outcome.truth);
    CellResult {
        harm: HarmCounts::of(&outcome),
        reviews,
        burden: burden(&outcome, &desk, end),
        harmful_accounts,
    }
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

fn burden(outcome: &Outcome, desk: &Desk, end: SimTime) -> BTreeMap<String, Burden> {
    let mut groups: BTreeMap<String, Burden> = BTreeMap::new();
    let names: Vec<String> = BenignGroup::ALL.iter().map(|group| name(*group)).collect();
    for (platform, costs) in outcome.truth.platforms.iter().zip(&outcome.costs) {
        for (at, account) in platform.accounts.iter().enumerate().filter(|(_, a)| a.harmful.is_none()) {
            let group = groups.entry(names[account.benign_group as usize].clone()).or_default();
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
        let group = groups.entry(names[account.benign_group as usize].clone()).or_default();
        group.reviewed += 1;
        if case.upheld && case.decided_at < end {
            let until = case.lifted_at.unwrap_or(end).min(end);
            group.restricted += 1;
            group.restricted_days += f64::from(until.since(case.decided_at)) / f64::from(DAY);
        }
    }
    groups
}
