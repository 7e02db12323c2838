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

/// Everything that a claim says beside its epsilon.
fn terms(claim: &PrivacyClaim) -> String {
    format!(
        "at delta {:e} for {} (unit {}; relation: {}; against {}). Not protected: {}.",
        claim.delta.get(),
        claim.unit.noun(),
        claim.unit.name(),
        claim.relation,
        claim.adversary,
        open(claim)
    )
}

/// Claims on the same terms, as one sentence: each epsilon with the arms that promise it.
struct Promise<'a> {
    terms: String,
    levels: Vec<(f64, Vec<&'a str>)>,
}

impl std::fmt::Display for Promise<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let level = |(epsilon, arms): &(f64, Vec<&str>)| format!("{epsilon} ({})", arms.join(", "));
        let levels: Vec<String> = self.levels.iter().map(level).collect();
        write!(f, "epsilon {} {}", levels.join(", "), self.terms)
    }
}

/// Puts what an arm claims beside what others claim on the same terms.
fn enter<'a>(promised: &mut Vec<Promise<'a>>, claim: &PrivacyClaim, arm: &'a str) {
    let (terms, epsilon) = (terms(claim), epsilon(claim));
    let at = promised.iter().position(|known| known.terms == terms).unwrap_or_else(|| {
        promised.push(Promise { terms, levels: Vec::new() });
        promised.len() - 1
    });
    let levels = &mut promised[at].levels;
    // Equal as printed is what counts: both were rounded up to three digits.
    #[allow(clippy::float_cmp)]
    match levels.iter_mut().find(|(known, _)| *known == epsilon) {
        Some((_, arms)) => arms.push(arm),
        None => levels.push((epsilon, vec![arm])),
    }
}

/// What arms promise, a line for all that promise it on the same terms; and of those with a guarantee that hide no graph, that they do not.
pub(super) fn lines(arms: &[ArmResults<'_>]) -> Vec<String> {
    let (mut promised, mut open, mut of) = (Vec::new(), Vec::new(), 0);
    for arm in arms {
        let Some(own) = arm.claim() else { continue };
        let claims: Vec<&PrivacyClaim> = std::iter::once(own).chain(arm.also()).collect();
        let id = arm.plan.id.as_str();
        claims.iter().for_each(|claim| enter(&mut promised, claim, id));
        of += 1;
        if claims.iter().all(|claim| claim.unit != PrivacyUnit::AccountPrivateGraph) {
            open.push(id);
        }
    }
    let mut lines: Vec<String> = promised.iter().map(ToString::to_string).collect();
    if !open.is_empty() {
        let who = if open.len() == of { "any arm".to_owned() } else { open.join(", ") };
        lines.push(format!(
            "no guarantee from {who} for {} (unit {}): who contacts whom is not hidden.",
            PrivacyUnit::AccountPrivateGraph.noun(),
            PrivacyUnit::AccountPrivateGraph.name(),
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
