//! From scores to probabilities, after training: a map for each model, fitted to the held-out rows of those who use it. Queues and ranking
//! metrics read the score and never change; what a map is worth is the Brier score and the calibration error of the cases, before and after.

use super::arms::{self, Trained};
use super::view;
use crate::data::WorldData;
use crate::fault::Fault;
use crate::plan::ArmSlice;
use equipoise_core::RiskScore;
use equipoise_eval::metric::CalibrationError;
use equipoise_eval::{Case, MetricSpec};
use equipoise_model::calibration::{Calibrator, ScoreCounts};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What calibration did on one world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CalibrationRecord {
    /// One map, or one a platform where each has a model of its own.
    pub maps: Vec<Calibrator>,
    /// Held-out rows, and the positives among them.
    pub held_out: (u64, u64),
    /// Brier score and calibration error of the scores; none where they do not exist.
    pub before: BTreeMap<String, Option<f64>>,
    /// The same of the probabilities.
    pub after: BTreeMap<String, Option<f64>>,
}

impl CalibrationRecord {
    /// The map of a platform's scores.
    #[must_use]
    pub fn map(&self, platform: u8) -> &Calibrator {
        self.maps.get(usize::from(platform)).unwrap_or(&self.maps[0])
    }

    /// The maps in words.
    #[must_use]
    pub fn describe(&self) -> String {
        self.maps.iter().map(Calibrator::describe).collect::<Vec<_>>().join(", ")
    }
}

/// The metrics that a map may change.
pub(crate) const METRICS: [MetricSpec; 2] =
    [MetricSpec::Brier, MetricSpec::CalibrationError(CalibrationError { bins: 10 })];

/// Fits and judges the maps of a trained arm; none where the experiment asks for none.
pub(super) fn run(
    slice: &ArmSlice,
    world: &WorldData,
    trained: &Trained,
    cases: &[Case],
) -> Result<Option<CalibrationRecord>, Fault> {
    let Some(spec) = slice.calibration else { return Ok(None) };
    let models = trained.models.len().max(trained.trees.len());
    let mut counts = vec![ScoreCounts::default(); models.max(1)];
    if let Some((rows, labels)) = view::held_out(slice, world) {
        let scores = arms::score(slice, &rows, trained)?;
        for ((score, label), platform) in scores.iter().zip(labels).zip(&rows.cases.platform) {
            let model = if models > 1 { usize::from(*platform) } else { 0 };
            counts[model].add(*score, label > 0.5);
        }
    }
    let mut all = ScoreCounts::default();
    counts.iter().for_each(|part| all.merge(part));
    let mut record = CalibrationRecord {
        maps: counts.iter().map(|counts| spec.fit(counts)).collect(),
        held_out: (all.rows(), all.positives()),
        before: metrics(cases),
        after: BTreeMap::new(),
    };
    let probable = |case: &Case| {
        let map = record.map(u8::try_from(case.platform.index()).unwrap_or(u8::MAX));
        Case { score: RiskScore::new(map.apply(case.score.get())), ..case.clone() }
    };
    record.after = metrics(&cases.iter().map(probable).collect::<Vec<_>>());
    Ok(Some(record))
}

fn metrics(cases: &[Case]) -> BTreeMap<String, Option<f64>> {
    METRICS.map(MetricSpec::build).iter().map(|m| (m.name().to_owned(), m.compute(cases))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::{Draw, Seed};

    /// Even where somebody sorts by probability: shifts and temperatures keep every order, so no metric of a ranking moves; a staircase ties
    /// scores, and that is why queues are sorted by the score.
    #[test]
    fn ranking_metrics_do_not_move_under_a_temperature() {
        let mut rng = Seed::root(5).rng();
        #[allow(clippy::cast_possible_truncation)]
        let scores: Vec<(f32, bool)> =
            (0..1000).map(|_| (crowded(rng.uniform()) as f32, rng.chance(0.1))).collect();
        let cases = equipoise_eval::laws::scored(&scores);
        let ranked = |map: &Calibrator| {
            let mapped =
                |case: &Case| Case { score: RiskScore::new(map.apply(case.score.get())), ..case.clone() };
            let mapped: Vec<Case> = cases.iter().map(mapped).collect();
            [MetricSpec::AveragePrecision, MetricSpec::NormalisedAveragePrecision, MetricSpec::RocAuc]
                .map(|metric| metric.build().compute(&mapped).unwrap())
        };
        let plain = ranked(&Calibrator::Identity);
        for map in [
            Calibrator::Temperature { temperature: 3.0 },
            Calibrator::Temperature { temperature: 0.4 },
            Calibrator::Shift { by: -3.0 },
        ] {
            for (before, after) in plain.iter().zip(ranked(&map)) {
                assert!((before - after).abs() < 1e-6, "{map:?}: {before} {after}");
            }
        }
    }

    /// Scores crowd near 0, as those of rare events do.
    fn crowded(uniform: f64) -> f64 {
        uniform * uniform * uniform * 0.9
    }
}
