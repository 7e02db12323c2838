//! What of a world an arm is shown: the training rows that it may train on, in the form that its model takes, and the rows that only its
//! calibration reads. Held-out rows are chosen by person, household or team, so that nobody stands on both sides.

use crate::config::ArmKind;
use crate::data::{CaseRows, Reads, SequenceRows, TestRows, TrainRows, WorldData, WorldSequences};
use crate::plan::ArmSlice;
use equipoise_core::Fraction;
use std::borrow::Cow;

/// Whether a fold of 256 belongs to a held-out share.
fn is_held_out(fold: u8, share: Fraction) -> bool {
    f64::from(fold) < 256.0 * share.get()
}

/// The world with the training rows that the arm trains on, and nothing else where that is not all of it.
pub(super) fn to_train<'a>(slice: &ArmSlice, world: &'a WorldData) -> Cow<'a, WorldData> {
    let share = slice.calibration.and_then(|spec| spec.held_out());
    if slice.scale.is_none() && share.is_none() {
        return Cow::Borrowed(world);
    }
    let trained =
        |rows: &TrainRows, row: usize| !share.is_some_and(|share| is_held_out(rows.fold[row], share));
    let shown = |rows: &TrainRows| {
        let mut kept = rows.keep(|row| trained(rows, row));
        scale(slice, kept.columns, &mut kept.values, |row| kept.platform[row]);
        kept
    };
    Cow::Owned(WorldData {
        meta: world.meta.clone(),
        train: shown(&world.train),
        train_linked: shown(&world.train_linked),
        test: TestRows::default(),
        cases: CaseRows::default(),
        sequences: world.sequences.as_ref().map(|all| WorldSequences {
            train: all.train.keep(|row| trained(&world.train, row)),
            test: SequenceRows::default(),
        }),
        reads: world.reads.clone(),
        tokens: None,
        contacts: None,
    })
}

/// The world with the rows to decide on as the arm's model takes them.
pub(super) fn to_score<'a>(slice: &ArmSlice, world: &'a WorldData) -> Cow<'a, WorldData> {
    if slice.scale.is_none() {
        return Cow::Borrowed(world);
    }
    let platform = |row: usize| world.cases.platform[world.test.case[row] as usize];
    let (mut test, columns) = (world.test.clone(), world.meta.columns.len());
    let mut joined = vec![0.0; 2 * columns];
    for row in 0..test.case.len() {
        let of = row * columns..(row + 1) * columns;
        joined[..columns].copy_from_slice(&test.values[of.clone()]);
        joined[columns..].copy_from_slice(&test.linked[of.clone()]);
        scale(slice, 2 * columns, &mut joined, |_| platform(row));
        test.values[of.clone()].copy_from_slice(&joined[..columns]);
        test.linked[of].copy_from_slice(&joined[columns..]);
    }
    Cow::Owned(WorldData {
        meta: world.meta.clone(),
        train: TrainRows::default(),
        train_linked: TrainRows::default(),
        test,
        cases: world.cases.clone(),
        sequences: world.sequences.clone(),
        reads: Reads::default(),
        tokens: None,
        contacts: None,
    })
}

/// The held-out training rows as rows to decide on, one case each, and their labels; none where nothing is held out.
pub(super) fn held_out(slice: &ArmSlice, world: &WorldData) -> Option<(WorldData, Vec<f32>)> {
    let share = slice.calibration.and_then(|spec| spec.held_out())?;
    let linked = slice.arm == ArmKind::PooledLinked;
    let all = if linked { &world.train_linked } else { &world.train };
    let rows = all.keep(|row| is_held_out(all.fold[row], share));
    let (columns, count) = (world.meta.columns.len(), rows.label.len());
    let part = |from: usize| -> Vec<f32> {
        let own = rows.values.chunks_exact(rows.columns);
        own.flat_map(|row| row.iter().skip(from).take(columns)).copied().collect()
    };
    let test = TestRows {
        decision: vec![0; count],
        case: (0..u32::try_from(count).unwrap_or(u32::MAX)).collect(),
        values: part(0),
        linked: if linked { part(columns) } else { vec![0.0; count * columns] },
        reports: vec![0; count],
        rule: vec![0.0; count],
    };
    let cases = CaseRows { platform: rows.platform.clone(), ..CaseRows::default() };
    let world = WorldData {
        meta: world.meta.clone(),
        train: TrainRows::default(),
        train_linked: TrainRows::default(),
        test,
        cases,
        sequences: world.sequences.as_ref().map(|sequences| WorldSequences {
            train: SequenceRows::default(),
            test: sequences.train.keep(|row| is_held_out(all.fold[row], share)),
        }),
        reads: Reads::default(),
        tokens: None,
        contacts: None,
    };
    Some((world, rows.label))
}

fn scale(slice: &ArmSlice, columns: usize, values: &mut [f32], platform: impl Fn(usize) -> u8) {
    let Some(scale) = &slice.scale else { return };
    for (row, values) in values.chunks_exact_mut(columns).enumerate() {
        scale.apply(usize::from(platform(row)), values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::plan::{Plan, Work, WorldSlice};
    use equipoise_core::Seed;
    use equipoise_model::calibration::CalibrationSpec;
    use std::collections::BTreeMap;

    fn smoke() -> (WorldSlice, ArmSlice) {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../experiments/smoke/smoke.toml");
        let plan = Plan::new(&config::load(file.as_ref(), &[]).unwrap()).unwrap();
        let world = plan.units.iter().find_map(|unit| match &unit.work {
            Work::World(slice) => Some(slice.clone()),
            _ => None,
        });
        let arm = plan.arms.iter().find(|arm| arm.slice.arm == ArmKind::FederatedBinned).unwrap();
        (world.unwrap(), arm.slice.clone())
    }

    /// Everybody of a household or team draws one fold, on every platform; a share of the rows is held out and the rest is trained on.
    #[test]
    fn nobody_stands_on_both_sides_of_a_calibration() {
        let (slice, mut arm) = smoke();
        let world = crate::exec::make_world(&slice, &equipoise_core::Silent).unwrap();
        let seed = Seed::root(slice.seed).derive("test", u64::from(slice.index));
        let simulated = equipoise_synth::World::build(&slice.world, seed.derive("world", 0)).unwrap();
        let truth =
            simulated.run(None, &mut equipoise_core::NullSink, &equipoise_core::Silent).unwrap().truth;
        let mut folds: BTreeMap<u64, u8> = BTreeMap::new();
        let mut together = 0;
        for rows in [&world.train, &world.train_linked] {
            for row in 0..rows.label.len() {
                let about =
                    &truth.platforms[usize::from(rows.platform[row])].accounts[rows.account[row] as usize];
                let unit = u64::from(truth.persons[about.person.0 as usize].unit);
                let fold = *folds.entry(unit).or_insert(rows.fold[row]);
                assert_eq!(fold, rows.fold[row], "a unit stands on both sides");
                together += 1;
            }
        }
        assert!(together > folds.len() * 2, "no unit has several rows, so nothing was shown");
        let held = Fraction::new(0.25).unwrap();
        arm.calibration = Some(CalibrationSpec::Temperature { held_out: held });
        let (kept, out) = (to_train(&arm, &world).train.label.len(), held_out(&arm, &world).unwrap().1.len());
        assert_eq!(kept + out, world.train.label.len());
        let share = out as f64 / world.train.label.len() as f64;
        assert!((share - 0.25).abs() < 0.05, "{share}");
    }

    #[test]
    fn a_binned_arm_is_shown_the_unit_interval_and_what_is_not_seen_below_it() {
        let (slice, arm) = smoke();
        let world = crate::exec::make_world(&slice, &equipoise_core::Silent).unwrap();
        let scale = arm.scale.as_ref().unwrap();
        let columns = world.meta.columns.len();
        let (train, test) = (to_train(&arm, &world), to_score(&arm, &world));
        let rows = train.train.values.chunks(columns).zip(train.train.platform.iter().copied());
        let of = |case: &u32| world.cases.platform[*case as usize];
        let tested = test.test.values.chunks(columns).zip(test.test.case.iter().map(of));
        let mut unseen = 0;
        for (row, platform) in rows.chain(tested) {
            for (column, value) in (0..).zip(row) {
                let blind = scale.unseen[usize::from(platform)].contains(&column);
                assert_eq!(*value < 0.0, blind, "column {column} of platform {platform}: {value}");
                assert!(*value <= 1.0);
                unseen += u32::from(blind);
            }
        }
        assert!(unseen > 0, "every platform sees everything, so nothing was shown");
        assert!(matches!(to_train(&ArmSlice { scale: None, ..arm }, &world), Cow::Borrowed(_)));
    }
}
