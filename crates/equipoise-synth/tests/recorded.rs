//! The calibration file, and the block of recorded offences held against it (V7, V9). Errors are those of clustered
//! counts: records of one account name the same platform.

#![allow(clippy::unwrap_used, clippy::cast_precision_loss)]

mod common;

use common::research;
use equipoise_core::Seed;
use equipoise_synth::calibration::{Calibration, Measure, Unit};
use equipoise_synth::recorded::{Offences, Platform, Reading, RecordedCounts, draw};
use equipoise_synth::{TargetingPreset, WorldSpec};

fn calibration() -> Calibration {
    toml::from_str(include_str!("../../../datasets/calibration.toml")).unwrap()
}

fn value(file: &Calibration, id: &str) -> f64 {
    file.anchor(id).unwrap().value
}

fn counts(spec: &WorldSpec, reading: Reading, seed: u64) -> RecordedCounts {
    let file = calibration();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let known = Offences(value(&file, "platform-known") as u64);
    draw(spec, &file.recorded, reading, known, Seed::root(seed)).unwrap()
}

#[test]
fn anchors_have_neutral_names_units_sources_and_limits() {
    let file = calibration();
    let mut ids: Vec<&str> = file.anchor.iter().map(|a| a.id.as_str()).collect();
    for anchor in &file.anchor {
        assert!(anchor.id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
        let share = anchor.measure == Measure::Share;
        assert!(anchor.value.is_finite() && anchor.value > 0.0 && (!share || anchor.value < 1.0));
        assert!(!anchor.frame.is_empty() && !anchor.source.is_empty() && !anchor.limit.is_empty());
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), file.anchor.len());
    assert_eq!(file.anchor("proactive-content").unwrap().unit, Unit::Content);
    assert_eq!(file.anchor("girls-recorded").unwrap().unit, Unit::Child);
    assert_eq!(file.anchor("platform-known").unwrap().unit, Unit::Offence);
}

#[test]
fn derived_anchors_follow_from_the_published_ones() {
    let file = calibration();
    let of = |id: &str| value(&file, id);
    assert!((of("platform-known") / of("recorded-latest-year") - of("platform-known-share")).abs() < 5e-5);
    assert!((118_307.0_f64 / 327_596.0 - of("action-given-report-us")).abs() < 5e-4);
    assert!((15_298.0_f64 / 34_605.0 - of("action-given-report-au")).abs() < 5e-4);
    assert!(((1.0 + of("growth-comparable-forces")).powf(1.0 / 7.0) - of("growth-per-year")).abs() < 1e-3);
    // The comparable forces' growth is not the series' own, and one force is neither.
    let series = of("recorded-latest-year") / of("recorded-2017-18") - 1.0;
    assert!((series - 0.948).abs() < 1e-3 && (of("west-midlands-latest") / of("west-midlands-before")) > 2.0);
}

/// V7 under both readings: six shares, each within 3.5 standard errors (false alarms below 0.3%).
#[test]
fn recorded_offences_name_platforms_as_published_under_both_readings() {
    let (file, spec) = (calibration(), research(12_000, 60));
    for reading in Reading::ALL {
        let counts = counts(&spec, reading, 11);
        for (got, error, id) in [
            (
                counts.mention(Platform::Ephemeral),
                counts.mention_error(Platform::Ephemeral),
                "mention-ephemeral",
            ),
            (
                counts.mention(Platform::EndToEnd),
                counts.mention_error(Platform::EndToEnd),
                "mention-end-to-end",
            ),
            (counts.social(reading), counts.social_error(reading), "mention-social"),
        ] {
            let want = value(&file, id);
            println!("{reading:?} {id}: {got:.3} ({error:.3}), published {want}, n {}", counts.known.0);
            assert!((got - want).abs() < 3.5 * error && error < 0.03, "{id}: {got} {error}");
        }
        let known = counts.platform_known();
        assert!((known - value(&file, "platform-known-share")).abs() < 0.03, "{known}");
        let named: u64 = counts.mentions.iter().map(|m| m.0).sum();
        assert!(named != counts.known.0, "marginals are no partition");
    }
}

/// V9: +- 2 percentage points under each parameterisation; 3.5 standard errors are about 2.
#[test]
fn four_of_five_recorded_children_are_girls_under_each_parameterisation() {
    let (file, mut spec) = (calibration(), research(12_000, 60));
    let mut approached = Vec::new();
    for preset in TargetingPreset::ALL {
        spec.harm.targeting.active = preset;
        let counts = counts(&spec, Reading::Joint, 12);
        let (got, error) = (counts.girls_share(), counts.girls_error());
        println!("{preset:?}: {got:.3} ({error:.3}), n {}", counts.girls.0 + counts.boys.0);
        assert!((got - value(&file, "girls-recorded")).abs() < 3.5 * error && error < 0.01, "{got} {error}");
        approached.push(spec.harm.targeting.in_force().girls.value.full.get());
    }
    assert!(approached[0] - approached[1] > 0.2, "the recorded share does not identify who is selected");
}

#[test]
fn a_shifted_platform_mix_or_targeting_is_seen() {
    let (file, mut spec) = (calibration(), research(12_000, 60));
    for pattern in &mut spec.harm.archetype {
        pattern.platforms.value[0] *= 0.5;
    }
    spec.harm.targeting.mixed.girls.value.full = equipoise_core::Fraction::new(0.5).unwrap();
    let counts = counts(&spec, Reading::Joint, 11);
    let gap = counts.mention(Platform::Ephemeral) - value(&file, "mention-ephemeral");
    assert!(gap.abs() > 3.5 * counts.mention_error(Platform::Ephemeral), "{gap}");
    let gap = counts.girls_share() - value(&file, "girls-recorded");
    assert!(gap.abs() > 3.5 * counts.girls_error(), "{gap}");
}

#[test]
fn what_is_recorded_follows_the_ratio_of_under_recording() {
    let spec = research(12_000, 60);
    let mut file = calibration();
    for ratio in [3.0, 6.0, 20.0] {
        file.recorded.under_recording.value = ratio;
        let counts = draw(&spec, &file.recorded, Reading::Joint, Offences(500), Seed::root(1)).unwrap();
        let children = counts.girls.0 + counts.boys.0;
        let got = counts.dyads_in_frame.0 as f64 / children as f64;
        assert!((got / ratio - 1.0).abs() < 0.12, "{got} for {ratio}");
        assert!(counts.offences.0 <= children && counts.dyads_in_frame < counts.dyads);
    }
    let again = draw(&spec, &file.recorded, Reading::Joint, Offences(50), Seed::root(1)).unwrap();
    assert_eq!(again, draw(&spec, &file.recorded, Reading::Joint, Offences(50), Seed::root(1)).unwrap());
}

#[test]
fn a_block_that_can_never_end_is_refused() {
    let mut file = calibration();
    file.recorded.joint.known.value = [0.0; 5];
    let error =
        draw(&research(500, 5), &file.recorded, Reading::Joint, Offences(1), Seed::root(1)).unwrap_err();
    assert!(error.to_string().contains("recorded.known"), "{error}");
}
