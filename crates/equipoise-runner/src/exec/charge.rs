//! What a private federation is charged for: the rounds that happened, not the rounds that were planned.
//!
//! A row lies on one client, and so do all rows of an account where an account is promised something. Cohorts, dropouts and every other fault are drawn by address before the run and never look at data, and under
//! a guarantee an update stands whatever its training gave. So for fixed cohorts, which may be public: a round that was not opened
//! released nothing; a round without the row's client is the same with the row and without it; the others compose, each at the
//! sampler's rate. The largest count over clients holds for every row. No amplification is claimed for the drawing of cohorts.
//!
//! What it does not cover: faults that depend on data (a platform that drops out *because* its training went badly). The claim says so.

use equipoise_federated::RoundRecord;
use equipoise_privacy::{Mechanism, PrivacyClaim, PrivacyUnit, RoundsCharged};
use std::collections::BTreeMap;

/// The claim of a mechanism for `unit` over the rounds that took place of `planned` ones.
pub(super) fn charged(
    mechanism: &dyn Mechanism,
    unit: PrivacyUnit,
    planned: u32,
    history: &[RoundRecord],
) -> Option<PrivacyClaim> {
    let opened: Vec<&RoundRecord> = history.iter().filter(|round| round.opened).collect();
    let mut took_part = BTreeMap::<u32, u32>::new();
    for client in opened.iter().flat_map(|round| &round.cohort.clients) {
        *took_part.entry(*client).or_default() += 1;
    }
    let most = took_part.values().copied().max().unwrap_or(0);
    let rounds = RoundsCharged {
        planned,
        opened: u32::try_from(opened.len()).unwrap_or(u32::MAX),
        planned_epsilon: mechanism.claim(unit, planned)?.epsilon,
    };
    let claim = mechanism.claim(unit, most)?;
    Some(PrivacyClaim { rounds: Some(rounds), ..claim })
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_federated::{Cohort, WireCost};
    use equipoise_privacy::MechanismSpec;

    /// Rounds of these clients; an empty list is a round that was not opened although client 0 had answered.
    fn history(rounds: &[&[u32]]) -> Vec<RoundRecord> {
        let round = |(round, clients): (u32, &&[u32])| RoundRecord {
            cohort: Cohort {
                round,
                clients: if clients.is_empty() { vec![0] } else { clients.to_vec() },
                ..Cohort::default()
            },
            outcomes: vec![],
            staleness: vec![],
            opened: !clients.is_empty(),
            saturated: 0,
            wire: WireCost::default(),
            inside: vec![],
        };
        (0..).zip(rounds).map(round).collect()
    }

    fn noised() -> Box<dyn Mechanism> {
        MechanismSpec::examples().pop().unwrap().build().unwrap()
    }

    fn same(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12
    }

    #[test]
    fn the_most_rounds_of_any_platform_are_charged_and_no_others() {
        let mechanism = noised();
        let rounds: [&[u32]; 6] = [&[0, 1], &[], &[1, 2], &[0, 1], &[], &[1, 2]];
        let claim = charged(mechanism.as_ref(), PrivacyUnit::Row, 6, &history(&rounds)).unwrap();
        let of = |steps| mechanism.claim(PrivacyUnit::Row, steps).unwrap().epsilon;
        assert_eq!(claim.steps, 4, "platform 1 took part in every round that was opened");
        assert!(same(claim.epsilon, of(4)) && claim.epsilon < of(6));
        let charged = claim.rounds.unwrap();
        assert_eq!((charged.planned, charged.opened), (6, 4));
        assert!(same(charged.planned_epsilon, of(6)));
    }

    #[test]
    fn platforms_that_take_turns_are_charged_for_their_own_rounds() {
        let rounds: [&[u32]; 6] = [&[0, 1], &[2, 3], &[0, 2], &[1, 3], &[0, 3], &[1, 2]];
        let claim = charged(noised().as_ref(), PrivacyUnit::Row, 6, &history(&rounds)).unwrap();
        assert_eq!((claim.steps, claim.rounds.unwrap().opened), (3, 6));
    }

    #[test]
    fn without_faults_the_charge_is_the_plan() {
        let mechanism = noised();
        let rounds: Vec<&[u32]> = vec![&[0, 1, 2]; 9];
        let claim = charged(mechanism.as_ref(), PrivacyUnit::Row, 9, &history(&rounds)).unwrap();
        assert!(same(claim.epsilon, claim.rounds.unwrap().planned_epsilon));
    }

    #[test]
    fn a_federation_that_never_opened_a_sum_spent_nothing() {
        let claim = charged(noised().as_ref(), PrivacyUnit::Row, 2, &history(&[&[], &[]])).unwrap();
        assert!(claim.steps == 0 && claim.epsilon.abs() < 1e-12, "{}", claim.epsilon);
    }

    #[test]
    fn without_noise_nothing_is_claimed() {
        let silent = MechanismSpec::examples().remove(0).build().unwrap();
        assert!(charged(silent.as_ref(), PrivacyUnit::Row, 3, &history(&[&[0, 1]])).is_none());
    }
}
