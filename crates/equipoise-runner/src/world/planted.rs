//! Leaks planted into feature rows must fail at V12 to V15 and V17, and the rows without them must not fail there. The other
//! defects are planted in `equipoise-synth/tests/planted.rs`. Worlds are small, so that some findings are not assessable; each
//! test asks that a leak turns a finding that did not fail into one that does.

use super::checks_model::{ModelEvidence, checks};
use super::checks_time::{Kept, TimeEvidence, TimeLeak, Trained, rows};
use super::probes::{ProbeRows, ProbeSize, cutoff, dense, probe};
use equipoise_core::{Draw, Seed, Silent};
use equipoise_synth::validate::{Check, Evidence, Finding, Pass};
use equipoise_synth::{World, WorldSpec};
use std::sync::OnceLock;

fn research() -> WorldSpec {
    toml::from_str(include_str!("../../../../datasets/research.toml")).unwrap()
}

fn sound() -> &'static ModelEvidence {
    static SOUND: OnceLock<ModelEvidence> = OnceLock::new();
    SOUND.get_or_init(|| {
        let size = ProbeSize { persons: 1_500, days: 18, prevalence: 0.15, lookalikes: 2.0 };
        let mut sound = ModelEvidence::default();
        for index in 0..3 {
            let world = |delta: f64| {
                probe(&dense(&research(), &size, delta).unwrap(), Seed::root(index), &Silent).unwrap()
            };
            sound.null.push(world(0.0));
            sound.full.push(world(1.0));
        }
        sound
    })
}

fn of(id: &str, evidence: &ModelEvidence) -> Vec<Finding> {
    checks(evidence).iter().filter(|c| c.id() == id).flat_map(|c| c.run(&Evidence::default())).collect()
}

fn fails(id: &str, planted: &ModelEvidence) {
    let (before, after) = (of(id, sound()), of(id, planted));
    assert_eq!(before.len(), after.len());
    let caught = before.iter().zip(&after).any(|(b, a)| b.pass != Pass::Fail && a.pass == Pass::Fail);
    assert!(caught, "{id} does not see it\nbefore: {before:#?}\nafter: {after:#?}");
}

/// Changes one column of every row: `change(value, harmful, draw)`.
fn with_column(worlds: &mut [ProbeRows], column: usize, change: impl Fn(f32, bool, f64) -> f32) {
    let mut rng = Seed::root(99).rng();
    for world in worlds {
        for (at, row) in world.rows.iter().enumerate() {
            let value = &mut world.values[at * world.columns + column];
            *value = change(*value, row.harmful, rng.uniform());
        }
    }
}

#[test]
fn v12_harm_that_shows_at_detectability_zero_is_seen() {
    let mut planted = sound().clone();
    with_column(
        &mut planted.null,
        12,
        |_, harmful, draw| {
            if harmful { 0.3 + 0.7 * draw as f32 } else { 0.7 * draw as f32 }
        },
    );
    fails("V12", &planted);
}

#[test]
fn v13_a_giveaway_constant_is_seen() {
    let mut planted = sound().clone();
    with_column(&mut planted.full, 5, |value, harmful, _| if harmful { 0.123 } else { value.max(0.2) });
    fails("V13", &planted);
}

#[test]
fn v14_truth_coloured_nulls_are_seen() {
    let mut planted = sound().clone();
    with_column(
        &mut planted.null,
        7,
        |value, harmful, draw| {
            if harmful && draw < 0.5 { 0.0 } else { value.max(0.01) }
        },
    );
    fails("V14", &planted);
}

#[test]
fn v14_numbers_in_the_order_of_labels_are_seen() {
    let mut planted = sound().clone();
    for world in planted.null.iter_mut().chain(&mut planted.full) {
        world.rows.iter_mut().filter(|row| row.harmful).for_each(|row| row.account *= 0.5);
    }
    fails("V14", &planted);
}

#[test]
fn v17_targets_that_tell_before_the_first_report_are_seen() {
    let mut planted = sound().clone();
    let column = planted.full[0].label_adjacent.iter().position(|adjacent| *adjacent).unwrap();
    with_column(
        &mut planted.full,
        column,
        |value, harmful, draw| {
            if harmful && draw < 0.6 { 1.0 } else { value }
        },
    );
    fails("V17", &planted);
}

fn time() -> &'static TimeEvidence {
    static TIME: OnceLock<TimeEvidence> = OnceLock::new();
    TIME.get_or_init(|| {
        let spec = WorldSpec { persons: 800, days: 15, ..research() };
        TimeEvidence::gather(&spec, 3, &Silent).unwrap().0
    })
}

#[test]
fn v15_holds_for_the_rows_of_this_program() {
    let found = TimeLeak(time()).run(&Evidence::default());
    assert!(found.iter().all(|f| f.pass != Pass::Fail), "{found:#?}");
    assert!(found.iter().filter(|f| f.pass == Pass::Pass).count() >= 2, "{found:#?}");
}

#[test]
fn v15_rows_that_read_later_reports_are_seen() {
    let spec = WorldSpec { persons: 800, days: 15, ..research() };
    let world = World::build(&spec, Seed::root(3).derive("time", 0)).unwrap();
    let mut log = Kept::default();
    world.run(None, &mut log, &Silent).unwrap();
    let mut planted = time().clone();
    // Rows that claim one cut-off and were taken two days later.
    let late = rows(world.views(), &log, cutoff(&spec).plus(2 * 86_400)).unwrap();
    planted.whole = late;
    assert!(TimeLeak(&planted).run(&Evidence::default())[0].pass == Pass::Fail);
}

#[test]
fn v15_a_row_cut_after_its_label_was_known_is_seen() {
    let mut planted = time().clone();
    planted.trained.push(Trained { cutoff: 86_400, known: 86_400, positive: true });
    let found = TimeLeak(&planted).run(&Evidence::default());
    assert!(
        found.iter().any(|f| f.pass == Pass::Fail && f.statistic.contains("cut at or after")),
        "{found:#?}"
    );
}

#[test]
fn v13_never_names_a_column() {
    let names: Vec<&str> = equipoise_features::dictionary(true).iter().map(|def| def.name).collect();
    for finding in of("V13", sound()) {
        let words = format!("{} {}", finding.statistic, finding.note);
        assert!(names.iter().all(|name| !words.contains(name)), "{words}");
    }
}
