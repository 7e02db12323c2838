//! What is promised, a line each, so that a reader sees side by side what a guarantee says while the contact graph is public and while it
//! is private: who contacts whom is the most sensitive fact here. A line says its unit, relation, delta, adversary and what stays open.

use super::ArmResults;
use crate::report::data::{Fact, LedgerRow};
use equipoise_privacy::{PrivacyClaim, PrivacyUnit};

/// Rounded up: a printed bound must not be smaller than the computed one.
fn epsilon(claim: &PrivacyClaim) -> f64 {
    (claim.epsilon * 1e3).ceil() / 1e3
}

/// What a claim leaves open, each thing once: the unit's own words first.
fn open(claim: &PrivacyClaim) -> String {
    let unit = claim.unit.does_not_protect();
    let said = |part: &str| {
        (part == "the contact graph" && unit.contains("who contacts whom"))
            || (part == "the linked accounts of a person" && unit.contains("of the same person"))
    };
    let rest = claim.not_protected.iter().map(String::as_str).filter(|part| !said(part));
    std::iter::once(unit).chain(rest).collect::<Vec<_>>().join("; ")
}

fn line(claim: &PrivacyClaim) -> String {
    format!(
        "epsilon {} at delta {:e} for {} (unit {}; relation: {}; against {}). Not protected: {}.",
        epsilon(claim),
        claim.delta.get(),
        claim.unit.noun(),
        claim.unit.name(),
        claim.relation,
        claim.adversary,
        open(claim)
    )
}

/// What arms promise, a line each with the arms that do; and of all others with a guarantee, that they hide no graph.
pub(super) fn lines(arms: &[ArmResults<'_>]) -> Vec<String> {
    let (mut promised, mut open): (Vec<(String, Vec<&str>)>, Vec<&str>) = (Vec::new(), Vec::new());
    for arm in arms {
        let Some(own) = arm.claim() else { continue };
        let claims: Vec<&PrivacyClaim> = std::iter::once(own).chain(arm.also()).collect();
        let label = arm.plan.label.as_str();
        for words in claims.iter().map(|claim| line(claim)) {
            match promised.iter_mut().find(|(known, _)| *known == words) {
                Some((_, arms)) => arms.push(label),
                None => promised.push((words, vec![label])),
            }
        }
        if claims.iter().all(|claim| claim.unit != PrivacyUnit::AccountPrivateGraph) {
            open.push(label);
        }
    }
    let mut lines: Vec<String> =
        promised.iter().map(|(words, arms)| format!("{words} Arms: {}.", arms.join("; "))).collect();
    if !open.is_empty() {
        lines.push(format!(
            "no guarantee for {} (unit {}): who contacts whom is not hidden. Arms: {}.",
            PrivacyUnit::AccountPrivateGraph.noun(),
            PrivacyUnit::AccountPrivateGraph.name(),
            open.join("; ")
        ));
    }
    lines
}

/// What the noised sums cost alone, as the ledger has it; it is part of what the model's row says.
pub(super) fn sums(arm: &ArmResults<'_>) -> Option<LedgerRow> {
    let record = arm.trials.iter().flatten().find_map(|trial| trial.record.sums.as_ref())?;
    let first = record.ledger.entries().first()?;
    let mut alone = equipoise_privacy::RdpAccountant::new();
    alone.compose(&first.event, 1);
    Some(LedgerRow {
        release: format!("{} of `{}` (within what follows)", first.release, arm.plan.id),
        epsilon: Some(alone.epsilon(record.ledger.delta()).epsilon),
        delta: Some(record.ledger.delta().get()),
        unit: PrivacyUnit::AccountPrivateGraph.name().to_owned(),
    })
}

/// How many accounts' lists of rows were full: for them a place that somebody leaves stays empty by convention.
pub(super) fn full(arm: &ArmResults<'_>) -> Option<Fact> {
    let records: Vec<_> =
        arm.trials.iter().flatten().filter_map(|trial| trial.record.sums.as_ref()).collect();
    if records.is_empty() {
        return None;
    }
    let total =
        |of: fn(&crate::exec::SumsRecord) -> u64| records.iter().map(|record| of(record)).sum::<u64>();
    Some(Fact {
        name: format!("accounts of `{}` that add to as many rows as they may, all worlds", arm.plan.id),
        value: format!("{} of {}", total(|r| r.full), total(|r| r.accounts)),
    })
}
