//! The platforms' side of a round: train, clip, quantise, and only then leave.

use crate::cohort::Cohort;
use crate::compression::sparse::keep_rounding;
use crate::compression::{Compression, Sparsifier};
use crate::levels::Inside;
use crate::local::{Broadcast, LocalRule};
use crate::plain::PlainSum;
use crate::rounds::{FederationError, FederationState};
use crate::schedule::Buffered;
use crate::secure_sum::{Seat, Stopwatch, VectorSpec, timed};
use crate::trainer::{Contribution, Drift, LocalTrainer, Outcome, RoundCtx, TrainError, TrainerFactory};
use equipoise_core::{ClipNorm, Seed};
use equipoise_privacy::{DistributedNoise, LocalUpdate, NoiseSource, OutgoingUpdate, Quantizer, Rounding};
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
    /// What each platform adds to its integers before they leave, where noise is made here.
    pub(crate) noise: Option<&'a DistributedNoise>,
    pub(crate) seed: Seed,
    /// Who is byzantine, ascending, and what they do.
    pub(crate) byzantine: &'a [u32],
    pub(crate) tamper: Option<Tamper<'a>>,
    /// Where each client began, if not from the model of this round.
    pub(crate) buffered: Option<Buffered<'a>>,
    /// What is summed, if the server reads every update and so may add each as it comes.
    pub(crate) clear: Option<&'a VectorSpec>,
    pub(crate) stopwatch: &'a dyn Stopwatch,
}

/// One worker's place: a trainer, memory that every client after the first finds warm, and its part of a readable sum.
struct Place<'a> {
    trainer: Box<dyn LocalTrainer + 'a>,
    update: Vec<f32>,
    integers: Vec<i64>,
    part: Option<PlainSum>,
}

impl Platforms<'_> {
    /// Trains the cohort, one task a client and the largest first, and returns what left in client order whatever the thread count.
    pub(crate) fn train(&self, state: &FederationState, cohort: &Cohort) -> Result<Trained, FederationError> {
        let idle: Mutex<Vec<Place<'_>>> = Mutex::new(Vec::new());
        let mut order = cohort.clients.clone();
        order.sort_by_key(|&client| (std::cmp::Reverse(self.trainers.size(client)), client));
        let mut sent = Vec::new();
        // Into one vector of known length: collecting results would allocate for each of them.
        order
            .par_iter()
            .with_max_len(1)
            .map(|&client| {
                let free = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let mut place = match free {
                    Some(place) => place,
                    None => self.place(client, cohort.round)?,
                };
                let sent = self.one(&mut place, state, cohort, client);
                idle.lock().unwrap_or_else(PoisonError::into_inner).push(place);
                sent
            })
            .collect_into_vec(&mut sent);
        let mut sent = sent.into_iter().collect::<Result<Vec<Sent>, FederationError>>()?;
        sent.sort_by_key(|sent| sent.client);
        let places = idle.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut parts = places.into_iter().filter_map(|place| place.part);
        let whole = parts.next().map(|first| {
            parts.try_fold(first, |mut sum, part| {
                timed(self.stopwatch, Seat::Server, || sum.join(&part))?;
                Ok(sum)
            })
        });
        let whole =
            whole.transpose().map_err(|source| FederationError::Sum { round: cohort.round, source })?;
        Ok(Trained::of(sent, whole))
    }

    fn place(&self, client: u32, round: u32) -> Result<Place<'_>, FederationError> {
        let trainer = self.trainers.worker().map_err(|error| TrainError { client, round, ..error })?;
        let part = self.clear.map(|spec| PlainSum::new(spec, round));
        Ok(Place { trainer, update: vec![], integers: vec![], part })
    }

    fn one(
        &self,
        place: &mut Place<'_>,
        state: &FederationState,
        cohort: &Cohort,
        client: u32,
    ) -> Result<Sent, FederationError> {
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
        let broadcast = Broadcast { global, beside: &state.beside.0 };
        let mut kept = state.kept.get(&client).cloned().unwrap_or_default();
        let mut update = std::mem::take(&mut place.update);
        update.clear();
        update.resize(self.local.sends() * global.len(), 0.0);
        let trainer = place.trainer.as_mut();
        let mut stats = self.local.train(trainer, broadcast, client, &ctx, &mut kept, &mut update)?;
        let update = LocalUpdate::new(update);
        if stats.outcome.takes_part() && !update.is_finite() {
            stats.outcome = Outcome::NotFinite;
        }
        let outcome = stats.outcome;
        let inside = place.trainer.inside().map(|inside| Inside { platform: client, ..inside });
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
            let (update, saturated, sensitivity) = self.outgoing(
                (round, client, weight, seed),
                update,
                stats.contribution,
                place,
                &mut sent.residual,
            )?;
            let byzantine = self.byzantine.binary_search(&client).is_ok();
            let update = match self.tamper {
                Some(tamper) if byzantine => tamper(update, seed.derive("byzantine", 0)),
                _ => update,
            };
            (sent.saturated, sent.sensitivity) = (saturated, Some(sensitivity));
            if let (Some(spec), Some(part)) = (self.clear, &mut place.part) {
                timed(self.stopwatch, Seat::Server, || part.add(spec, &update))
                    .map_err(|source| FederationError::Sum { round, source })?;
                place.integers = update.into_values();
            } else {
                sent.update = Some(update);
            }
        } else {
            place.update = update.discard();
        }
        Ok(sent)
    }

    /// On the platform: clip, quantise, add noise where it is made here, and only then leave. A redone round draws the same noise.
    fn outgoing(
        &self,
        (round, client, weight, seed): (u32, u32, u32, Seed),
        local: LocalUpdate,
        contribution: Contribution,
        place: &mut Place<'_>,
        residual: &mut Vec<f32>,
    ) -> Result<(OutgoingUpdate, u64, Option<f64>), FederationError> {
        let (clipped, weight) = match contribution {
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
        let room = std::mem::take(&mut place.integers);
        let address = seed.derive("rounding", 0);
        let (quantized, update) = clipped.round_into(self.rounding, &self.quantizer, weight, address, room);
        place.update = update;
        let saturated = quantized.saturated();
        let update = match self.noise {
            None => quantized.without_noise(round, client),
            Some(noise) => {
                let source = NoiseSource::Replayable(seed.derive("noise", 0));
                let noised = noise.on_platform(quantized, source, round, client);
                noised.map_err(|source| FederationError::Noise { client, round, source })?
            }
        };
        keep_rounding(residual, &chosen, &update, &self.quantizer);
        Ok((update, saturated, sensitivity))
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

/// What stays with each of some clients.
pub(crate) type Kept = Vec<(u32, Vec<f32>)>;

/// What left the cohort.
pub(crate) struct Trained {
    pub(crate) left: Left,
    pub(crate) saturated: u64,
    pub(crate) sensitivity: Option<f64>,
    /// Clients whose training did not end as it should.
    pub(crate) outcomes: Vec<(u32, Outcome)>,
    /// What stays on each platform, where a rule keeps something.
    pub(crate) kept: Kept,
    /// What compression left behind there.
    pub(crate) residual: Kept,
    /// What happened inside platforms that hold a federation of their own.
    pub(crate) inside: Vec<Inside>,
}

/// What the server has once everybody has answered.
pub(crate) enum Left {
    /// Every update, in client order.
    Updates(Vec<OutgoingUpdate>),
    /// Their sum, added as they came: the server could read each and kept none.
    Sum(PlainSum),
}

impl Trained {
    fn of(sent: Vec<Sent>, whole: Option<PlainSum>) -> Self {
        let saturated = sent.iter().map(|sent| sent.saturated).sum();
        // One unit lives on one platform, so the sum is as sensitive as its most sensitive part; one part without a
        // bound leaves the sum without one.
        let bounds = sent.iter().filter_map(|sent| sent.sensitivity);
        let sensitivity = bounds.reduce(|a, b| Some(a?.max(b?))).flatten();
        let (mut updates, mut outcomes, mut kept) = (vec![], vec![], vec![]);
        let (mut residual, mut inside) = (vec![], vec![]);
        for one in sent {
            if one.outcome != Outcome::Trained {
                outcomes.push((one.client, one.outcome));
            }
            if !one.kept.is_empty() {
                kept.push((one.client, one.kept));
            }
            if !one.residual.is_empty() {
                residual.push((one.client, one.residual));
            }
            inside.extend(one.inside);
            updates.extend(one.update);
        }
        let left = whole.map_or(Left::Updates(updates), Left::Sum);
        Self { left, saturated, sensitivity, outcomes, kept, residual, inside }
    }

    /// Clients whose updates stand.
    pub(crate) fn clients(&self) -> usize {
        match &self.left {
            Left::Updates(updates) => updates.len(),
            Left::Sum(sum) => sum.clients() as usize,
        }
    }
}
