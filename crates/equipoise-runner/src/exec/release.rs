//! How well an arm does, told with a guarantee for the tested accounts: whoever is tested is private too, and a metric is a release.
//!
//! Two counts are told, each with Gaussian noise: tested accounts with a simulated harmful pattern, and those of them that were reviewed.
//! Nulling one tested account (all its rows; it then ranks last) moves the first by at most one, and the second by at most one: the
//! reviewed accounts of a platform change by this account and at most one that comes up in its place (a test nulls every account). So
//! the pair moves by at most the root of two. *When* somebody is reviewed may change for many, so no count here looks at times: the
//! usual recall does, and is not told.
//!
//! One account is one row of the test here: that other tested rows read it as a contact is not hidden. Noise is idealised and replayable,
//! as everywhere in simulation.

use crate::config::EvaluationRelease;
use crate::fault::{Fault, runtime};
use equipoise_core::Seed;
use equipoise_eval::Case;
use equipoise_privacy::{
    Adversary, ClaimScope, NoiseSource, PrivacyUnit, Relation, gaussian_noise_multiplier,
};
use serde::{Deserialize, Serialize};

/// How far the two counts move together if one tested account is nulled.
const SENSITIVITY: f64 = std::f64::consts::SQRT_2;

/// What one arm told on one world.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ReleasedRecall {
    /// Accounts with a simulated harmful pattern, noised.
    pub harmful: f64,
    /// Those of them that were reviewed, noised.
    pub reviewed: f64,
    /// Deviation of either's noise.
    pub deviation: f64,
    /// What it cost.
    pub epsilon: f64,
    /// At this delta.
    pub delta: f64,
    /// The same share without noise: an oracle's, which only a simulation may print.
    pub oracle: Option<f64>,
}

impl ReleasedRecall {
    /// Between whom it holds, and against whom.
    pub const SCOPE: ClaimScope = ClaimScope {
        unit: PrivacyUnit::Row,
        relation: Relation::ZeroOut,
        adversary: Adversary::ReleasedModel,
    };

    /// The share that is told; none where the noised number of accounts is no more than its noise.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        (self.harmful > self.deviation).then(|| (self.reviewed / self.harmful).clamp(0.0, 1.0))
    }
}

fn counts(cases: &[Case]) -> (f64, f64) {
    let harmful = cases.iter().filter(|case| case.harmful);
    let reviewed = harmful.clone().filter(|case| case.reviewed.is_some());
    #[allow(clippy::cast_precision_loss)] // Counts of accounts.
    (harmful.count() as f64, reviewed.count() as f64)
}

/// Tells the counts.
///
/// # Errors
/// Never in simulation: a replayable source cannot fail.
pub(super) fn tell(spec: EvaluationRelease, cases: &[Case], seed: Seed) -> Result<ReleasedRecall, Fault> {
    let (harmful, reviewed) = counts(cases);
    let deviation = SENSITIVITY * gaussian_noise_multiplier(spec.epsilon, spec.delta).get();
    let mut told = [harmful, reviewed];
    NoiseSource::Replayable(seed).add_gaussian(&mut told, deviation).map_err(runtime)?;
    Ok(ReleasedRecall {
        harmful: told[0],
        reviewed: told[1],
        deviation,
        epsilon: spec.epsilon.get(),
        delta: spec.delta.get(),
        oracle: (harmful > 0.0).then(|| reviewed / harmful),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::exec::review;
    use crate::plan::{Plan, Work};

    /// Every tested account is nulled in turn: it scores nothing at any decision, and is no longer known to be harmful.
    #[test]
    fn nulling_any_tested_account_moves_the_counts_by_no_more_than_the_bound() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../experiments/smoke/smoke.toml");
        let plan = Plan::new(&config::load(file.as_ref(), &["world.persons=600".into()]).unwrap()).unwrap();
        let slice = plan.units.iter().find_map(|unit| match &unit.work {
            Work::World(slice) => Some(slice),
            _ => None,
        });
        let mut world = crate::exec::make_world(slice.unwrap(), &equipoise_core::Silent).unwrap();
        // A world so small has too few of them to show anything.
        world.cases.archetype.iter_mut().enumerate().for_each(|(at, code)| *code = u8::from(at % 7 == 0));
        // A tight budget, so that queues push back and forth.
        let mut evaluation = plan.first().evaluation.clone();
        evaluation.review_budget = equipoise_core::Fraction::new(0.02).unwrap();
        let mut scores: Vec<f32> =
            (0..world.test.case.len()).map(|row| ((row * 7919) % 1000) as f32 / 1500.0).collect();
        let seed = Seed::root(4);
        let whole = counts(&review::cases(&world, &scores, &evaluation, seed));
        assert!(whole.0 > 3.0 && whole.1 >= 1.0 && whole.1 < whole.0, "{whole:?}");
        let mut moved = 0;
        for account in 0..world.cases.platform.len() {
            let own: Vec<usize> =
                (0..scores.len()).filter(|&row| world.test.case[row] as usize == account).collect();
            let kept: Vec<f32> = own.iter().map(|&row| std::mem::replace(&mut scores[row], 0.0)).collect();
            let mut without = world.clone();
            without.cases.archetype[account] = 0;
            let nulled = counts(&review::cases(&without, &scores, &evaluation, seed));
            let gap = ((nulled.0 - whole.0).powi(2) + (nulled.1 - whole.1).powi(2)).sqrt();
            assert!(gap <= SENSITIVITY + 1e-12, "account {account}: {whole:?} {nulled:?}");
            moved += usize::from(gap > 0.0);
            own.iter().zip(kept).for_each(|(&row, score)| scores[row] = score);
        }
        assert!(moved > 3, "nothing moved, so nothing was shown");
    }

    #[test]
    fn noise_has_the_deviation_that_is_said_and_few_accounts_tell_no_share() {
        let spec = EvaluationRelease {
            epsilon: equipoise_core::Epsilon::new(1.0).unwrap(),
            delta: equipoise_core::Delta::new(1e-5).unwrap(),
        };
        let told: Vec<ReleasedRecall> =
            (0..2_000).map(|at| tell(spec, &[], Seed::root(at)).unwrap()).collect();
        let square = told.iter().map(|told| told.harmful * told.harmful).sum::<f64>() / 2_000.0;
        // The standard error of a deviation from 2,000 draws is 1.6 %.
        assert!((square.sqrt() / told[0].deviation - 1.0).abs() < 0.07);
        assert!(told[0].deviation > 5.0 && told[0].oracle.is_none());
        let few = ReleasedRecall { harmful: 2.0, reviewed: 1.0, deviation: 3.0, ..told[0] };
        assert!(few.share().is_none());
        let many = ReleasedRecall { harmful: 200.0, reviewed: -4.0, ..few };
        assert_eq!(many.share(), Some(0.0));
    }
}
