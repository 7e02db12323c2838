//! Noised sums over contacts, for arms whose guarantee hides who contacts whom: what such an arm's rows hold of other accounts, and what
//! that costs (`equipoise_privacy::{SumBound, AggregatedGaussian}`).
//!
//! Each contact that a row reads adds a short vector; vectors are clipped, an account adds to a bounded number of rows, and the sums are
//! noised before anything is trained. The ledger is debited before a number is drawn. Rows to decide on hold sums made the same way: in
//! the clear, as a platform reads its own accounts, or noised, once for every decision, which is charged as often.

use crate::config::{Aggregation, PrivacySection, Scoring};
use crate::contact_rows::ContactRows;
use crate::data::WorldData;
use crate::fault::{Fault, runtime};
use crate::plan::ArmSlice;
use equipoise_core::Seed;
use equipoise_privacy::{
    AggregatedGaussian, AggregatedGaussianSpec, ContactSums, Contributions, Ledger, Mechanism, NoiseSource,
    SumBound,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::num::NonZeroU32;

/// What noising sums over contacts did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SumsRecord {
    /// Accounts that added to training rows.
    pub accounts: u64,
    /// Those of them whose list of rows was full: for an oracle, nobody releases it.
    pub full: u64,
    /// What was debited.
    pub ledger: Ledger,
}

fn bound(aggregation: &Aggregation) -> Result<SumBound, Fault> {
    let rows_per_account = NonZeroU32::new(aggregation.rows)
        .ok_or_else(|| Fault::Config("rows: an account that adds to no row leaves no sums".into()))?;
    let seed = Seed::root(aggregation.seed).derive("contact-sums", 0);
    Ok(SumBound { clip: aggregation.contact_clip, rows_per_account, seed })
}

/// The mechanism of a section whose unit is an account while the graph is private; nothing for other units.
///
/// # Errors
/// If no noise gives its epsilon.
pub(crate) fn mechanism(
    privacy: &PrivacySection,
    decisions: usize,
) -> Result<Option<AggregatedGaussian>, Fault> {
    let Some(aggregation) = privacy.aggregation() else { return Ok(None) };
    let scored = if aggregation.scoring == Scoring::Noised { decisions } else { 0 };
    let releases = u32::try_from(1 + scored).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MAX);
    let spec = AggregatedGaussianSpec {
        clip_norm: privacy.clip_norm,
        sampling_rate: privacy.sampling_rate,
        epsilon: privacy.epsilon,
        delta: privacy.delta,
        steps: privacy.rounds,
        share: aggregation.share,
        releases,
        rows_per_account: bound(&aggregation)?.rows_per_account,
        contact_clip: aggregation.contact_clip,
    };
    spec.build().map(Some).map_err(|error| Fault::Config(format!("unit: {error}")))
}

/// The world with noised sums behind the columns of its rows, and what that cost; as it is for other arms. `stage` and world address the
/// noise, so that a resumed run has the same.
pub(super) fn with_sums<'a>(
    slice: &ArmSlice,
    world: Cow<'a, WorldData>,
    stage: &str,
) -> Result<(Cow<'a, WorldData>, Option<SumsRecord>), Fault> {
    let Some(privacy) = &slice.privacy else { return Ok((world, None)) };
    let decisions = world.meta.decisions.len();
    let seed = Seed::root(slice.seed).derive(stage, u64::from(world.meta.index)).derive("contact-sums", 0);
    let (Some(mechanism), Some(aggregation)) = (mechanism(privacy, decisions)?, privacy.aggregation()) else {
        return Ok((world, None));
    };
    let Some(contacts) = world.contacts.clone() else {
        return Err(Fault::Runtime("the world holds no contacts of its rows; make it anew".into()));
    };
    let mut ledger = Ledger::new(privacy.epsilon, privacy.delta);
    let sums = mechanism.before_steps().expect("sums are released before the first step");
    ledger.debit("noised sums over contacts", sums, None).map_err(runtime)?;
    let steps = mechanism.event().repeated(privacy.rounds);
    ledger.debit("global model, all planned rounds", steps, None).map_err(runtime)?;

    let bound = bound(&aggregation)?;
    let noise = |sums: &mut ContactSums, seed| {
        mechanism.noise_sums(&mut sums.values, &bound, NoiseSource::Replayable(seed)).map_err(runtime)
    };
    let mut own = world.into_owned();
    let train: Vec<u32> = (0..own.train.label.len()).map(number).collect();
    let mut summed = sums_of(&contacts.train, &train, &bound, |row| own.train.platform[row]);
    let record = SumsRecord { accounts: summed.accounts, full: summed.full, ledger };
    noise(&mut summed, seed.derive("train", 0))?;
    let columns = own.train.columns;
    let width = contacts.train.columns;
    own.train.values = widened(&own.train.values, columns, &scaled(&summed, &bound), width);
    own.train.columns += width;

    let mut tested = vec![0.0; own.test.case.len() * width];
    let platform = |row: usize| own.cases.platform[own.test.case[row] as usize];
    for decision in 0..decisions {
        let rows: Vec<u32> = (0..own.test.case.len())
            .filter(|&row| usize::from(own.test.decision[row]) == decision)
            .map(number)
            .collect();
        let mut summed = sums_of(&contacts.test, &rows, &bound, platform);
        if aggregation.scoring == Scoring::Noised {
            noise(&mut summed, seed.derive("decision", decision as u64))?;
        }
        for (&row, sums) in rows.iter().zip(scaled(&summed, &bound).chunks(width)) {
            tested[row as usize * width..(row as usize + 1) * width].copy_from_slice(sums);
        }
    }
    own.test.values = widened(&own.test.values, columns, &tested, width);
    let names = equipoise_features::contact_columns(width == equipoise_features::contact_columns(true).len());
    own.meta.columns.extend(names.into_iter().map(|name| format!("sum-{name}")));
    own.meta.seen.iter_mut().for_each(|seen| seen.extend(vec![true; width]));
    Ok((Cow::Owned(own), Some(record)))
}

/// Bounded sums of some rows, in their order.
fn sums_of(
    contacts: &ContactRows,
    rows: &[u32],
    bound: &SumBound,
    platform: impl Fn(usize) -> u8,
) -> ContactSums {
    let (mut row, mut account, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for (place, &at) in rows.iter().enumerate() {
        let (accounts, vectors) = contacts.of(at as usize);
        for &contact in accounts {
            row.push(number(place));
            account.push(super::bound::address(platform(at as usize), contact));
        }
        values.extend_from_slice(vectors);
    }
    let (columns, rows) = (contacts.columns, rows.len());
    bound.sums(&Contributions { rows, columns, row: &row, account: &account, values: &values })
}

/// Sums over what a full list could add to one column, held to what a model may read: public numbers both.
#[allow(clippy::cast_possible_truncation)] // Features are f32.
fn scaled(sums: &ContactSums, bound: &SumBound) -> Vec<f32> {
    let most = f64::from(bound.rows_per_account.get()) * bound.clip.get();
    sums.values.iter().map(|sum| (sum / most).clamp(-1.0, 1.0) as f32).collect()
}

/// Rows of `columns` numbers with `more` behind each.
fn widened(values: &[f32], columns: usize, more: &[f32], width: usize) -> Vec<f32> {
    let rows = values.chunks(columns).zip(more.chunks(width));
    rows.flat_map(|(own, more)| own.iter().chain(more)).copied().collect()
}

/// Counts inside a world fit into 32 bits.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::plan::{Plan, Work};
    use equipoise_privacy::PrivacyUnit;

    const UNIT: &str = "privacy.unit={ account-private-graph = { rows = 8, contact-clip = 1.5, share = 0.5, seed = 1, scoring = \"clear\" } }";

    fn smoke(unit: &str) -> (Plan, WorldData) {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../experiments/smoke/smoke.toml");
        let set = [unit, "schema={ own = {} }", "arms=[\"federated-logistic\"]"].map(str::to_owned);
        let plan = Plan::new(&config::load(file.as_ref(), &set).unwrap()).unwrap();
        let slice = plan.units.iter().find_map(|unit| match &unit.work {
            Work::World(slice) => Some(slice),
            _ => None,
        });
        let world = crate::exec::make_world(slice.unwrap(), &equipoise_core::Silent).unwrap();
        (plan, world)
    }

    fn private(plan: &Plan) -> ArmSlice {
        plan.arms.iter().find(|arm| arm.slice.privacy.is_some()).unwrap().slice.clone()
    }

    /// Own columns stay to the bit, sums stand behind them, noise stands on the trained rows and not on those to decide on.
    #[test]
    fn rows_hold_their_own_columns_and_noised_sums_and_nothing_else() {
        let (plan, world) = smoke(UNIT);
        let slice = private(&plan);
        let view = || slice.schema.unwrap_or_default().view(&world);
        let own = view().into_owned();
        let (columns, width) = (own.meta.columns.len(), 8);
        let (shown, record) = with_sums(&slice, view(), "trial").unwrap();
        assert_eq!(shown.train.columns, columns + width);
        assert_eq!(shown.meta.columns.len(), columns + width);
        let rows = shown.train.values.chunks(columns + width).zip(own.train.values.chunks(columns));
        assert!(rows.clone().count() > 100);
        rows.for_each(|(row, own)| assert_eq!(&row[..columns], own));
        let (again, _) = with_sums(&slice, view(), "trial").unwrap();
        let (other, _) = with_sums(&slice, view(), "tune").unwrap();
        assert_eq!(shown.train.values, again.train.values);
        assert_ne!(shown.train.values, other.train.values, "another stage has other noise");
        assert_eq!(shown.test.values, other.test.values, "scoring in the clear has none");
        let record = record.unwrap();
        assert!(record.accounts > 50 && record.full < record.accounts, "{record:?}");
        let entries = record.ledger.entries();
        assert!(entries.len() == 2 && entries[0].release.contains("noised sums"));
        let spent = record.ledger.spent().epsilon;
        assert!(spent <= 8.0 && spent > 7.9, "{spent}");
        let noised = UNIT.replace("clear", "noised");
        let slice = private(&smoke(&noised).0);
        let (shown, _) = with_sums(&slice, slice.schema.unwrap_or_default().view(&world), "trial").unwrap();
        assert_ne!(shown.test.values, again.test.values);
    }

    /// Takes every account away in turn, with what it added and was added to, and looks at what others' rows would hold without noise.
    #[test]
    fn no_account_of_a_world_moves_the_rows_of_others_by_more_than_is_charged() {
        let (plan, world) = smoke(UNIT);
        let bound = bound(&private(&plan).privacy.unwrap().aggregation().unwrap()).unwrap();
        let rows: Vec<u32> = (0..world.train.label.len()).map(number).collect();
        let contacts = &world.contacts.as_ref().unwrap().train;
        let platform = |row: usize| world.train.platform[row];
        let whole = sums_of(contacts, &rows, &bound, platform);
        let mut largest: f64 = 0.0;
        for out in (0..rows.len()).step_by(7) {
            let (account, at) = (world.train.account[out], world.train.platform[out]);
            let mut without = contacts.clone();
            for row in 0..rows.len() {
                let range = without.range(row);
                for entry in range {
                    let added = platform(row) == at && without.account[entry] == account;
                    if added || row == out {
                        without.values[entry * without.columns..(entry + 1) * without.columns].fill(0.0);
                    }
                }
            }
            let nulled = sums_of(&without, &rows, &bound, platform);
            let pairs = whole.values.chunks(contacts.columns).zip(nulled.values.chunks(contacts.columns));
            let others =
                pairs.enumerate().filter(|(row, _)| *row != out).flat_map(|(_, (a, b))| a.iter().zip(b));
            let moved = others.map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
            assert!(moved <= bound.sensitivity().value.get(), "account {account}: {moved}");
            largest = largest.max(moved);
        }
        assert!(largest > 1.0, "nothing moved, so nothing was shown: {largest}");
    }

    #[test]
    fn the_model_is_charged_for_the_account_and_beside_it_for_a_pair() {
        let (plan, world) = smoke(UNIT);
        let slice = private(&plan);
        let view = slice.schema.unwrap_or_default().view(&world);
        let (shown, _) = with_sums(&slice, view, "trial").unwrap();
        let setting = super::super::Setting {
            seed: Seed::root(1),
            learning_rate: 0.03,
            checkpoint: None,
            stopwatch: &equipoise_federated::Untimed,
        };
        let trained = super::super::train_arm(&slice, &shown, &setting).unwrap();
        let claim = trained.claim.unwrap();
        assert_eq!(claim.unit, PrivacyUnit::AccountPrivateGraph);
        assert!(claim.epsilon <= 8.0 && claim.epsilon > 7.9 && claim.sums.is_some(), "{claim}");
        let units: Vec<PrivacyUnit> = trained.also.iter().map(|claim| claim.unit).collect();
        assert_eq!(units, [PrivacyUnit::Pair]);
        assert!(trained.also[0].epsilon.is_finite());
    }
}
