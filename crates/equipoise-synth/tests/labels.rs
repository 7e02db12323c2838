//! How platforms come to know: sources and their switches, the share and speed of action (V18), what stays unknown. Labels
//! are positive-unlabelled: the last test shows how little their absence means.

#![allow(clippy::unwrap_used, clippy::cast_precision_loss)]

mod common;

use common::{play, research};
use equipoise_core::{Fraction, KnownLabel, LabelSource, LabelStatus};
use equipoise_synth::{BaseRates, Outcome, WorldSpec};
use std::collections::BTreeMap;

fn share(p: f64) -> Fraction {
    Fraction::new(p).unwrap()
}

fn busy(persons: u32, days: u16) -> WorldSpec {
    let mut spec = research(persons, days);
    spec.harm.prevalence.value = share(0.04);
    spec.harm.lookalikes.value = 5.0;
    spec
}

fn labels(outcome: &Outcome, source: LabelSource) -> Vec<(bool, KnownLabel)> {
    let mut found = Vec::new();
    for (truth, labels) in outcome.truth.platforms.iter().zip(&outcome.labels) {
        for label in labels.iter().filter(|l| l.source == source) {
            found.push((truth.accounts[label.account.index()].harmful.is_some(), *label));
        }
    }
    found
}

#[test]
fn each_source_has_a_switch_and_comes_to_both_right_and_wrong_conclusions() {
    let mut spec = busy(1_500, 40);
    spec.moderation.police.value = share(0.8);
    spec.moderation.wrong_confirmation.value = share(0.05);
    spec.moderation.police_days.value = 3.0;
    spec.moderation.proactive_ordinary.value = share(0.02);
    spec.moderation.share.value = share(1.0);
    spec.moderation.verify_wrong.value = share(0.3);
    let (_, _, outcome) = play(&spec, 1);
    for source in
        [LabelSource::UserReport, LabelSource::Proactive, LabelSource::SharedSignal, LabelSource::Police]
    {
        let positive: Vec<bool> = labels(&outcome, source)
            .iter()
            .filter(|(_, label)| label.status.is_positive())
            .map(|(harmful, _)| *harmful)
            .collect();
        assert!(positive.contains(&true), "{source:?}");
        // Wrong ones are rare by design; all sources together must show some.
        let confirms = matches!(source, LabelSource::SharedSignal | LabelSource::Police);
        for (_, label) in labels(&outcome, source) {
            assert!(confirms || label.status != LabelStatus::Confirmed);
        }
    }
    let wrong = |o: &Outcome, s| labels(o, s).iter().any(|(h, l)| !h && l.status.is_positive());
    assert!(wrong(&outcome, LabelSource::UserReport) && wrong(&outcome, LabelSource::Police));
    spec.moderation.share.value = share(0.0);
    spec.moderation.police.value = share(0.0);
    spec.moderation.proactive_ordinary.value = share(0.0);
    spec.moderation.proactive.value.full = share(0.0);
    spec.moderation.proactive.value.matched = share(0.0);
    let (_, _, off) = play(&spec, 1);
    for source in [LabelSource::Proactive, LabelSource::SharedSignal, LabelSource::Police] {
        assert_eq!(labels(&off, source).len(), 0, "{source:?}");
    }
}

/// V18. About 250 decided reports: the standard error of the share is 0.03, so that the band of .36 to .44 is widened by
/// two and a half of them here; the validation report holds a larger world against the band itself.
#[test]
fn the_published_share_of_child_safety_reports_ends_in_action_within_minutes() {
    let (_, _, outcome) = play(&busy(2_000, 60), 2);
    let tally = outcome.truth.tally;
    let p = tally.child_safety_actions as f64 / tally.child_safety_reviews as f64;
    let mut minutes = Vec::new();
    for labels in &outcome.labels {
        let mut reported = BTreeMap::new();
        for label in labels.iter().filter(|l| l.source == LabelSource::UserReport) {
            match label.status {
                LabelStatus::Reported => _ = reported.insert(label.account, label.known_at.0),
                LabelStatus::Actioned => minutes.push((label.known_at.0 - reported[&label.account]) / 60),
                _ => {}
            }
        }
    }
    minutes.sort_unstable();
    let median = minutes[minutes.len() / 2];
    println!(
        "{p:.3} of {} reviews, median {median} minutes of {}",
        tally.child_safety_reviews,
        minutes.len()
    );
    assert!(tally.child_safety_reviews > 120 && (0.285..=0.515).contains(&p), "{tally:?}");
    assert!((5..=55).contains(&median), "{median}");
}

#[test]
fn at_detectability_zero_reviews_treat_harmful_accounts_as_their_matches() {
    let mut spec = busy(1_500, 30);
    spec.harm.detectability = 0.0;
    spec.moderation.police.value = share(0.0);
    spec.moderation.share.value = share(0.0);
    let (_, _, outcome) = play(&spec, 3);
    let mut rates = [(0_usize, 0_usize); 2];
    for (truth, labels) in outcome.truth.platforms.iter().zip(&outcome.labels) {
        for (id, account) in (0_u32..).zip(&truth.accounts) {
            if account.harmful.or(account.matched_for).is_some() {
                let cell = &mut rates[usize::from(account.harmful.is_some())];
                cell.0 += usize::from(labels.iter().any(|l| l.account.0 == id));
                cell.1 += 1;
            }
        }
    }
    let [(matched, n), (harmful, m)] = rates.map(|(hits, all)| (hits as f64, all as f64));
    let p = (matched + harmful) / (n + m);
    let error = (p * (1.0 - p) * (1.0 / n + 1.0 / m)).sqrt();
    assert!((matched / n - harmful / m).abs() < 3.7 * error, "{rates:?}");
}

#[test]
fn many_harmful_accounts_stay_unlabelled() {
    let (_, _, outcome) = play(&busy(1_500, 40), 4);
    let (mut active, mut known) = (0, 0);
    for (truth, labels) in outcome.truth.platforms.iter().zip(&outcome.labels) {
        for (id, _) in (0_u32..).zip(&truth.accounts).filter(|(_, a)| a.harm_start.is_some()) {
            active += 1;
            known += usize::from(labels.iter().any(|l| l.account.0 == id && l.status.is_positive()));
        }
    }
    println!("{known} of {active} active harmful accounts carry a positive label");
    assert!(active > 100 && known > 0 && 4 * known < 3 * active, "{known} of {active}");
}

#[test]
fn profiles_change_the_base_rate_and_nothing_else() {
    let rates: BaseRates = toml::from_str(include_str!("../../../datasets/profiles.toml")).unwrap();
    let plain = research(500, 5);
    for (rate, want) in
        [(&rates.balanced, 0.1), (&rates.research, 0.01), (&rates.realistic, 1e-3), (&rates.stress, 1e-4)]
    {
        let mut spec = plain.clone();
        rate.apply(&mut spec);
        assert!((spec.harm.prevalence.p() - want).abs() < 1e-12);
        spec.harm.prevalence = plain.harm.prevalence.clone();
        spec.harm.lookalikes = plain.harm.lookalikes.clone();
        assert_eq!(spec, plain);
    }
    // The published share of reports with action must not depend on the profile: benign reports follow the base rate.
    let mut spec = plain.clone();
    rates.balanced.apply(&mut spec);
    spec.persons = 3_000;
    let (_, _, outcome) = play(&spec, 5);
    let accounts: Vec<_> = outcome.truth.platforms.iter().flat_map(|p| &p.accounts).collect();
    let harmful = accounts.iter().filter(|a| a.harmful.is_some()).count() as f64;
    let ordinary = accounts.iter().filter(|a| a.harmful.or(a.matched_for).is_none()).count() as f64;
    assert!((harmful / ordinary - 0.1).abs() < 0.015, "{harmful} {ordinary}");
}
