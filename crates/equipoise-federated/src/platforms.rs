//! The platforms' side of a round: train, clip, quantise, and only then leave.

use crate::cohort::Cohort;
use crate::compression::sparse::keep_rounding;
use crate::compression::{Compression, Sparsifier};
use crate::levels::Inside;
use crate::local::{Broadcast, LocalRule};
use crate::rounds::{FederationError, FederationState};
use crate::schedule::Buffered;
use crate::trainer::{
    Contribution, Drift, LocalTrainer, Outcome, RoundCtx, TrainError, TrainStats, TrainerFactory,
};
use equipoise_core::{ClipNorm, Seed};
use equipoise_privacy::{LocalUpdate, OutgoingUpdate, Quantizer, Rounding};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// What a byzantine client sends in place of its honest update.
pub type Tamper<'a> = &'a (dyn Fn(OutgoingUpdate, Seed) -> OutgoingUpdate + Sync);

/// What the platforms of a cohort share.
pub(crate) struct Platforms<'a> {
    pub(crate) trainers: &'a dyn TrainerFactory,
    pub(crate) local: &'a dyn LocalRule,
    pub(crate) layers: &'a [Range<usize>],
    pub(crate) compression: &'a dyn Compression,
    /// How each client chooses what it sends, where it does.
    pub(crate) sparsifier: Option<&'a dyn Sparsifier>,
    pub(crate) quantizer: Quantizer,
    pub(crate) rounding: Rounding,
    pub(crate) update_clip: ClipNorm,
    pub(crate) seed: Seed,
    /// Who is byzantine, ascending, and what they do.
    pub(crate) byzantine: &'a [u32],
    pub(crate) tamper: Option<Tamper<'a>>,
    /// Where each client began, if not from the model of this round.
    pub(crate) buffered: Option<Buffered<'a>>,
}

impl Platforms<'_> {
    /// Trains the cohort, one task a client and the largest first, and returns what left in client order whatever the thread count.
    pub(crate) fn train(&self, state: &FederationState, cohort: &Cohort) -> Result<Trained, FederationError> {
        let workers: Mutex<Vec<Box<dyn LocalTrainer + '_>>> = Mutex::new(Vec::new());
        let mut order = cohort.clients.clone();
        order.sort_by_key(|&client| (std::cmp::Reverse(self.trainers.size(client)), client));
        let trained: Result<Vec<Sent>, TrainError> = order
            .par_iter()
            .with_max_len(1)
            .map(|&client| {
                let idle = workers.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let mut worker = match idle {
                    Some(worker) => worker,
                    None => self.trainers.worker().map_err(|error| TrainError {
                        client,
                        round: cohort.round,
                        ..error
                    })?,
                };
                let sent = self.one(worker.as_mut(), state, cohort, client);
                workers.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
                sent
            })
            .collect();
        let mut sent = trained?;
        sent.sort_by_key(|sent| sent.client);
        Ok(Trained::of(sent))
    }

    fn one(
        &self,
        worker: &mut dyn LocalTrainer,
        state: &FederationState,
        cohort: &Cohort,
        client: u32,
    ) -> Result<Sent, TrainError> {
        let round = cohort.round;
        let seed = self.seed.derive("round", u64::from(round)).derive("client", u64::from(client));
        let ctx = RoundCtx {
            round,
            seed,
            drift: Drift::default(),
            effort: cohort.effort(client),
            layers: self.layers,
        };
        let fresh = self.trainers.weight(client);
        let (global, weight) = match &self.buffered {
            Some(buffered) => buffered.of(client, fresh),
            None => (state.params.0.as_slice(), fresh),
        };
        let sent = Broadcast { global, beside: &state.beside.0 };
        let mut kept = state.kept.get(&client).cloned().unwrap_or_default();
        let mut update = vec![0.0; self.local.sends() * sent.global.len()];
        let mut stats = self.local.train(worker, sent, client, &ctx, &mut kept, &mut update)?;
        if stats.outcome.takes_part() && !update.iter().all(|value| value.is_finite()) {
            stats.outcome = Outcome::NotFinite;
        }
        let outcome = stats.outcome;
        let inside = worker.inside().map(|inside| Inside { platform: client, ..inside });
        // Who takes part under a guarantee must not depend on data: such a sum stands, with what is not finite as zero.
        let stands = outcome.takes_part() || matches!(stats.contribution, Contribution::BoundedSum(_));
        let mut sent = Sent {
            client,
            outcome,
            update: None,
            saturated: 0,
            sensitivity: None,
            kept,
            residual: vec![],
            inside,
        };
        if stands {
            if self.sparsifier.is_some() {
                sent.residual = state.residual.get(&client).cloned().unwrap_or_default();
            }
            let (update, saturated, sensitivity) =
                self.outgoing((round, client, weight), update, stats, seed, &mut sent.residual);
            let byzantine = self.byzantine.binary_search(&client).is_ok();
            sent.update = Some(match self.tamper {
                Some(tamper) if byzantine => tamper(update, seed.derive("byzantine", 0)),
                _ => update,
            });
            (sent.saturated, sent.sensitivity) = (saturated, Some(sensitivity));
        }
        Ok(sent)
    }

    /// On the platform: clip, quantise, and only then leave.
    fn outgoing(
        &self,
        (round, client, weight): (u32, u32, u32),
        update: Vec<f32>,
        stats: TrainStats,
        seed: Seed,
        residual: &mut Vec<f32>,
    ) -> (OutgoingUpdate, u64, Option<f64>) {
        let local = LocalUpdate::new(update);
        let (clipped, weight) = match stats.contribution {
            Contribution::Delta => (local.clip_l2(self.update_clip), weight),
            // A sum over units carries its own weight; scaling it again would scale its sensitivity.
            Contribution::BoundedSum(sensitivity) => (local.bounded_by_trainer(sensitivity), 1),
        };
        let sensitivity = clipped.sensitivity().map(|bound| bound.value.get());
        let public = compression_seed(self.seed, round);
        let mut chosen = vec![];
        let clipped = match self.sparsifier {
            None => clipped.through(|values| self.compression.compress(values, public)),
            Some(choice) => clipped.with_memory(|values| {
                chosen = choice.send(values, residual);
                chosen.clone()
            }),
        };
        let quantized = clipped.round_by(self.rounding, &self.quantizer, weight, seed.derive("rounding", 0));
        let saturated = quantized.saturated();
        let update = quantized.without_noise(round, client);
        keep_rounding(residual, &chosen, &update, &self.quantizer);
        (update, saturated, sensitivity)
    }
}

/// The public address of a round's compression.
pub(crate) fn compression_seed(seed: Seed, round: u32) -> Seed {
    seed.derive("compression", u64::from(round))
}

/// What left one platform, what stays there, and what the simulation may count about it.
struct Sent {
    client: u32,
    outcome: Outcome,
    update: Option<OutgoingUpdate>,
    saturated: u64,
    /// The bound of an update that stands; none where the update does not.
    sensitivity: Option<Option<f64>>,
    kept: Vec<f32>,
    residual: Vec<f32>,
    inside: Option<Inside>,
}

/// What left the cohort.
pub(crate) struct Trained {
    pub(crate) updates: Vec<OutgoingUpdate>,
    pub(crate) saturated: u64,
    pub(crate) sensitivity: Option<f64>,
    /// Clients whose training did not end as it should.
    pub(crate) outcomes: Vec<(u32, Outcome)>,
    /// What stays on each platform, where a rule keeps something.
    pub(crate) kept: Vec<(u32, Vec<f32>)>,
    /// What compression left behind there.
    pub(crate) residual: Vec<(u32, Vec<f32>)>,
    /// What happened inside platforms that hold a federation of their own.
    pub(crate) inside: Vec<Inside>,
}

impl Trained {
    fn of(sent: Vec<Sent>) -> Self {
        let saturated = sent.iter().map(|sent| sent.saturated).sum();
        // One unit lives on one platform, so the sum is as sensitive as its most sensitive part; one part without a
        // bound leaves the sum without one.
        let bounds = sent.iter().filter_map(|sent| sent.sensitivity);
        let sensitivity = bounds.reduce(|a, b| Some(a?.max(b?))).flatten();
        let (updates, outcomes, kept, residual, inside) = (vec![], vec![], vec![], vec![], vec![]);
        let mut trained = Self { updates, saturated, sensitivity, outcomes, kept, residual, inside };
        for one in sent {
            if one.outcome != Outcome::Trained {
                trained.outcomes.push((one.client, one.outcome));
            }
            if !one.kept.is_empty() {
                trained.kept.push((one.client, one.kept));
            }
            if !one.residual.is_empty() {
                trained.residual.push((one.client, one.residual));
            }
            trained.inside.extend(one.inside);
            trained.updates.extend(one.update);
        }
        trained
    }
}
