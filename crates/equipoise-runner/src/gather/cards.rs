//! What each arm promises: a mechanism card for every unit, and its line of the ledger.

use super::ArmResults;
use crate::report::data::{LedgerRow, MechanismCard};
use equipoise_privacy::PrivacyClaim;

/// A card for each unit that an arm promises something, its own first.
pub(super) fn cards(arm: &ArmResults<'_>) -> Vec<MechanismCard> {
    arm.claim().into_iter().chain(arm.also()).filter_map(|claim| card(arm, claim)).collect()
}

fn card(arm: &ArmResults<'_>, claim: &PrivacyClaim) -> Option<MechanismCard> {
    let privacy = arm.plan.slice.privacy.as_ref()?;
    Some(MechanismCard {
        arm: arm.plan.id.clone(),
        sentence: claim.to_string(),
        unit: word(&claim.unit),
        relation: word(&claim.relation),
        epsilon: Some(claim.epsilon),
        delta: Some(claim.delta.get()),
        adversary: word(&claim.adversary),
        noise_multiplier: Some(claim.noise_multiplier.get()),
        sampling_rate: Some(claim.sampling_rate.get()),
        steps: Some(u64::from(claim.steps)),
        planned: claim.rounds.map(|rounds| u64::from(rounds.planned)),
        opened: claim.rounds.map(|rounds| u64::from(rounds.opened)),
        planned_epsilon: claim.rounds.map(|rounds| rounds.planned_epsilon),
        rows: Some(u64::from(claim.rows)),
        contacts: claim.contribution.map(|bound| u64::from(bound.contacts)),
        survivors: claim.contribution.map(|bound| (bound.kept, bound.of)),
        renyi_epsilon: claim.renyi,
        clip_norm: Some(privacy.clip_norm.get()),
        accountant: claim.accountant.clone(),
        not_protected: claim.not_protected.clone(),
    })
}

pub(super) fn ledger(arm: &ArmResults<'_>) -> Option<LedgerRow> {
    let trained = arm.plan.slice.arm.federates();
    let claim = arm.claim();
    trained.then(|| LedgerRow {
        release: format!("global model of `{}`, all rounds", arm.plan.id),
        epsilon: claim.map(|claim| claim.epsilon),
        delta: claim.map(|claim| claim.delta.get()),
        unit: claim.map_or_else(|| "none".to_owned(), |claim| word(&claim.unit)),
    })
}

/// The kebab-case word that serde gives an enum.
fn word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}
