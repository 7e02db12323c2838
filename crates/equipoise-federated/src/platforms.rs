//! The platforms' side of a round: train, clip, quantise, and only then leave.

use crate::cohort::Cohort;
use crate::rounds::FederationError;
use crate::trainer::{Contribution, RoundCtx, TrainError, TrainStats, TrainerFactory};
use equipoise_core::{ClipNorm, Params, Seed};
use equipoise_privacy::{LocalUpdate, OutgoingUpdate, Quantizer};
use rayon::prelude::*;

/// What the platforms of a cohort share.
pub(crate) struct Platforms<'a> {
    pub(crate) trainers: &'a dyn TrainerFactory,
    pub(crate) quantizer: Quantizer,
    pub(crate) update_clip: ClipNorm,
    pub(crate) seed: Seed,
}

impl Platforms<'_> {
    /// Trains the cohort, one task a client, and returns the updates in client order whatever the thread count.
    pub(crate) fn train(&self, global: &Params, cohort: &Cohort) -> Result<Trained, FederationError> {
        let trained: Result<Vec<Sent>, TrainError> = cohort
            .clients
            .par_iter()
            .map_init(
                || self.trainers.worker(),
                |worker, &client| {
                    let worker = worker.as_mut().map_err(|error| TrainError {
                        client,
                        round: cohort.round,
                        reason: error.reason.clone(),
                    })?;
                    let seed = self
                        .seed
                        .derive("round", u64::from(cohort.round))
                        .derive("client", u64::from(client));
                    let mut update = vec![0.0; global.len()];
                    let ctx = RoundCtx { round: cohort.round, seed };
                    let stats = worker.train(&global.0, client, &ctx, &mut update)?;
                    Ok(self.outgoing(cohort.round, client, update, stats))
                },
            )
            .collect();
        let sent = trained?;
        let saturated = sent.iter().map(|sent| sent.saturated).sum();
        // One unit lives on one platform, so the sum is as sensitive as its most sensitive part; one part without a
        // bound leaves the sum without one.
        let sensitivity = sent.iter().map(|sent| sent.sensitivity).reduce(|a, b| Some(a?.max(b?))).flatten();
        Ok(Trained { updates: sent.into_iter().map(|sent| sent.update).collect(), saturated, sensitivity })
    }

    /// On the platform: clip, quantise, and only then leave.
    fn outgoing(&self, round: u32, client: u32, update: Vec<f32>, stats: TrainStats) -> Sent {
        let local = LocalUpdate::new(update);
        let (clipped, weight) = match stats.contribution {
            Contribution::Delta => (local.clip_l2(self.update_clip), self.trainers.weight(client)),
            // A sum over units carries its own weight; scaling it again would scale its sensitivity.
            Contribution::BoundedSum(sensitivity) => (local.bounded_by_trainer(sensitivity), 1),
        };
        let sensitivity = clipped.sensitivity().map(|bound| bound.value.get());
        let quantized = clipped.quantise(&self.quantizer, weight);
        let saturated = quantized.saturated();
        Sent { update: quantized.without_noise(round, client), saturated, sensitivity }
    }
}

/// What left one platform, and what the simulation may count about it.
struct Sent {
    update: OutgoingUpdate,
    saturated: u64,
    sensitivity: Option<f64>,
}

/// What left the cohort.
pub(crate) struct Trained {
    pub(crate) updates: Vec<OutgoingUpdate>,
    pub(crate) saturated: u64,
    pub(crate) sensitivity: Option<f64>,
}
