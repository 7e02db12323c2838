//! What befell the clients of an arm: counts of whatever was not a whole round's training, so that no average is silent about it.

use super::ArmResults;
use crate::data::WorldMeta;
use crate::report::data::OutcomeRow;
use equipoise_federated::{Outcome, RoundRecord};
use std::collections::BTreeMap;

/// Beyond this many clients, rows are summed over clients.
const NAMED: usize = 32;

pub(super) fn rows(arm: &ArmResults<'_>, metas: &[WorldMeta]) -> Vec<OutcomeRow> {
    let platforms = metas.first().map_or(&[][..], |meta| &meta.platforms);
    let natural = arm.plan.slice.federation.as_ref().is_none_or(|section| section.partition.is_natural());
    let mut counts: BTreeMap<(u32, &'static str), u64> = BTreeMap::new();
    let mut of = 0;
    for trial in arm.trials.iter().flatten() {
        let rounds = trial.rounds.len() as u64;
        of += if rounds == 0 { 1 } else { rounds };
        let alone = (0..).zip(&trial.record.outcomes).map(|(client, outcome)| (client, *outcome));
        for (client, outcome) in alone.filter(|(_, outcome)| *outcome != Outcome::Trained) {
            *counts.entry((client, outcome.name())).or_default() += 1;
        }
        for (client, what) in trial.rounds.iter().flat_map(befallen) {
            *counts.entry((client, what)).or_default() += 1;
        }
    }
    let clients = counts.keys().map(|(client, _)| client).collect::<std::collections::BTreeSet<_>>().len();
    if clients > NAMED {
        let mut summed: BTreeMap<(u32, &'static str), u64> = BTreeMap::new();
        counts.iter().for_each(|((_, what), rounds)| *summed.entry((0, what)).or_default() += rounds);
        counts = summed;
    }
    let name = |client: u32| match platforms.get(client as usize) {
        _ if clients > NAMED => format!("{clients} clients together"),
        Some(platform) if natural && arm_is_by_platform(arm) => platform.clone(),
        _ if natural => "all rows".to_owned(),
        _ => format!("client {client}"),
    };
    let row = |((client, what), rounds): (&(u32, &str), &u64)| OutcomeRow {
        arm: arm.plan.id.clone(),
        client: name(*client),
        what: (*what).to_owned(),
        rounds: *rounds,
        of: if clients > NAMED { of * clients as u64 } else { of },
    };
    counts.iter().map(row).chain(devices(arm, platforms)).collect()
}

/// The same for devices inside platforms, counted by device and inner round.
fn devices(arm: &ArmResults<'_>, platforms: &[String]) -> Vec<OutcomeRow> {
    let mut counts: BTreeMap<(u32, &'static str), u64> = BTreeMap::new();
    let mut asked: BTreeMap<u32, u64> = BTreeMap::new();
    for inside in arm.trials.iter().flatten().flat_map(|trial| &trial.rounds).flat_map(|round| &round.inside)
    {
        *asked.entry(inside.platform).or_default() += u64::from(inside.asked);
        let missing = inside.asked.saturating_sub(inside.answered);
        let ended = inside.outcomes.iter().map(|(outcome, count)| (outcome.name(), *count));
        for (what, count) in ended.chain([("dropped", missing)]).filter(|(_, count)| *count > 0) {
            *counts.entry((inside.platform, what)).or_default() += u64::from(count);
        }
    }
    let name = |platform: u32| platforms.get(platform as usize).map_or("?", String::as_str);
    let row = |((platform, what), rounds): (&(u32, &str), &u64)| OutcomeRow {
        arm: arm.plan.id.clone(),
        client: format!("devices of {}", name(*platform)),
        what: (*what).to_owned(),
        rounds: *rounds,
        of: asked.get(platform).copied().unwrap_or_default(),
    };
    counts.iter().map(row).collect()
}

/// Whether client numbers are platform numbers.
fn arm_is_by_platform(arm: &ArmResults<'_>) -> bool {
    use crate::config::ArmKind::{FederatedTrees, LocalOnly, LocalTrees};
    arm.plan.slice.arm.federates() || matches!(arm.plan.slice.arm, LocalOnly | LocalTrees | FederatedTrees)
}

/// Every client of a round with what befell it.
fn befallen(round: &RoundRecord) -> impl Iterator<Item = (u32, &'static str)> + '_ {
    let cohort = &round.cohort;
    let closed = if round.opened { &[][..] } else { &cohort.clients[..] };
    each(&cohort.dropped, "dropped")
        .chain(each(&cohort.away, "away"))
        .chain(each(&cohort.late, "late"))
        .chain(each(closed, "round-not-opened"))
        .chain(cohort.partial.iter().map(|(client, _)| (*client, "partial-work")))
        .chain(round.outcomes.iter().map(|(client, outcome)| (*client, outcome.name())))
}

fn each<'a>(clients: &'a [u32], what: &'static str) -> impl Iterator<Item = (u32, &'static str)> + 'a {
    clients.iter().map(move |client| (*client, what))
}
