//! Two levels: devices inside platforms (Liu, Zhang, Song, Letaief, "Client-Edge-Cloud Hierarchical Federated Learning", ICC 2020; called
//! `HierFAVG` there).
//!
//! A platform's local training is a federation of its own: it asks a cohort of its devices, adds up their integers, steps a model of its
//! own by their mean, a few times over, and what that model moved is the platform's update. Everything above sees platforms alone, so a
//! hidden sum between platforms, faults of platforms and rules that rank platforms are what they are without devices. With full
//! participation, one inner round and platforms weighted by their devices, the two levels are the one-level federation of all
//! devices to rounding (a law: [`crate::laws::check_levels`]).
//!
//! What is not promised: anything against the platform. It reads the updates of its own devices, whose rows are about accounts it
//! serves. Devices keep nothing between rounds. A round costs memory for a cohort, never for the devices that were not asked (but for a
//! number each while the cohort is drawn).

use crate::cohort::{Cohort, CohortSpec};
use crate::trainer::{Contribution, LocalTrainer, Outcome, RoundCtx, TrainError, TrainStats, TrainerFactory};
use equipoise_core::{ClipNorm, Fraction, Seed};
use equipoise_privacy::{LocalUpdate, Quantizer, Rounding};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Devices that one task trains before it may be split further.
const DEVICES_OF_A_TASK: usize = 8;

/// How a platform asks its devices.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DevicesSpec {
    /// Share of its devices that a platform asks in each inner round (rounded up, without replacement).
    pub participation: Fraction,
    /// Probability that a device which was asked never answers.
    pub dropout: Fraction,
    /// An inner round with fewer answers than this moves nothing; a platform whose inner rounds all failed sits the round out.
    pub minimum: u32,
    /// Inner rounds for each one of the server.
    pub rounds: u32,
    /// Public weights of devices are whole numbers from 1 to this, by rows.
    pub weight_levels: u32,
}

impl DevicesSpec {
    /// What cannot be right about it.
    ///
    /// # Errors
    /// Begins with the key that mends it.
    pub fn check(&self) -> Result<(), String> {
        if self.rounds == 0 {
            return Err("rounds: a platform needs at least one inner round".into());
        }
        if self.weight_levels == 0 {
            return Err("weight-levels: at least 1".into());
        }
        if self.participation.get() <= 0.0 {
            return Err("participation: no device would ever be asked".into());
        }
        Ok(())
    }
}

/// What happened inside one platform in one round.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inside {
    /// The platform.
    pub platform: u32,
    /// Devices asked, over its inner rounds.
    pub asked: u32,
    /// Devices that answered.
    pub answered: u32,
    /// Inner rounds with answers enough to move the platform's model.
    pub opened: u32,
    /// Bytes from its devices to the platform.
    pub upload_bytes: u64,
    /// Coordinates that devices had to cut to the grid's range.
    pub saturated: u64,
    /// Devices whose training did not end as it should, by how it ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outcomes: Vec<(Outcome, u32)>,
}

/// Platforms as clients, each of them a federation of devices.
pub struct Devices<'a> {
    trainers: &'a dyn TrainerFactory,
    platforms: Vec<Range<u32>>,
    spec: DevicesSpec,
    quantizer: Quantizer,
    rounding: Rounding,
    update_clip: ClipNorm,
    weights: Vec<u32>,
}

impl std::fmt::Debug for Devices<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Devices").field("platforms", &self.platforms).finish_non_exhaustive()
    }
}

impl<'a> Devices<'a> {
    /// `platforms[p]` are the clients of `trainers` that are devices of platform `p`. A platform's public weight is the sum of its
    /// devices', scaled so that the heaviest weighs `levels`; one that equals that sum keeps the proportions exact. `update_clip` holds for a
    /// device's update; `quantizer` and `rounding` say how it becomes integers.
    #[must_use]
    pub fn new(
        trainers: &'a dyn TrainerFactory,
        platforms: Vec<Range<u32>>,
        spec: DevicesSpec,
        levels: u32,
        (quantizer, rounding, update_clip): (Quantizer, Rounding, ClipNorm),
    ) -> Self {
        let sum =
            |devices: &Range<u32>| devices.clone().map(|id| u64::from(trainers.weight(id))).sum::<u64>();
        let sums: Vec<u64> = platforms.iter().map(sum).collect();
        let most = sums.iter().copied().max().unwrap_or(1).max(1);
        let weight = |sum: &u64| {
            let scaled = (u128::from(*sum) * u128::from(levels) + u128::from(most) / 2) / u128::from(most);
            u32::try_from(scaled).unwrap_or(levels).clamp(1, levels.max(1))
        };
        let weights = sums.iter().map(weight).collect();
        Self { trainers, platforms, spec, quantizer, rounding, update_clip, weights }
    }

    /// The devices of a platform that take part in an inner round, as clients of the devices' factory. `seed` is the platform's in that
    /// round of the server, so a trace can be printed before the run.
    #[must_use]
    pub fn cohort(&self, platform: u32, inner: u32, seed: Seed) -> Cohort {
        let DevicesSpec { participation, dropout, minimum, .. } = self.spec;
        let cohorts = CohortSpec { participation, dropout, minimum, faults: None };
        let own = &self.platforms[platform as usize];
        let mut cohort = cohorts.draw(own.end - own.start, inner, seed.derive("devices", 0));
        let shift = |ids: &mut Vec<u32>| ids.iter_mut().for_each(|id| *id += own.start);
        shift(&mut cohort.clients);
        shift(&mut cohort.dropped);
        cohort
    }
}

/// Some devices' sum: integers, so that any order of adding gives the same.
struct Sum {
    values: Vec<i64>,
    weight: u64,
    inside: Inside,
    outcomes: BTreeMap<Outcome, u32>,
    rows: u64,
}

impl Sum {
    fn of_nothing(len: usize) -> Self {
        Self {
            values: vec![0; len],
            weight: 0,
            inside: Inside::default(),
            outcomes: BTreeMap::new(),
            rows: 0,
        }
    }

    fn and(mut self, other: Self) -> Self {
        self.values.iter_mut().zip(other.values).for_each(|(sum, value)| *sum += value);
        self.weight += other.weight;
        self.rows += other.rows;
        self.inside.answered += other.inside.answered;
        self.inside.upload_bytes += other.inside.upload_bytes;
        self.inside.saturated += other.inside.saturated;
        other
            .outcomes
            .into_iter()
            .for_each(|(outcome, count)| *self.outcomes.entry(outcome).or_default() += count);
        self
    }
}

struct Platform<'a> {
    of: &'a Devices<'a>,
    workers: Mutex<Vec<Box<dyn LocalTrainer + 'a>>>,
    inside: Option<Inside>,
}

impl<'a> Platform<'a> {
    /// A device's round, added to `sum` and forgotten.
    fn device(
        &self,
        mut sum: Sum,
        model: &[f32],
        device: u32,
        ctx: &RoundCtx<'_>,
    ) -> Result<Sum, TrainError> {
        let idle = self.workers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut worker: Box<dyn LocalTrainer + 'a> = match idle {
            Some(worker) => worker,
            None => self.of.trainers.worker()?,
        };
        let ctx = RoundCtx { seed: ctx.seed.derive("device", u64::from(device)), ..*ctx };
        let mut update = vec![0.0; model.len()];
        let stats = worker.train(model, device, &ctx, &mut update);
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
        let TrainStats { rows, mut outcome, contribution, .. } = stats?;
        if contribution != Contribution::Delta {
            return Err(refused(
                device,
                ctx.round,
                "a sum of clipped rows is one sum, on devices or not: account for it on platforms",
            ));
        }
        let update = LocalUpdate::new(update);
        if outcome.takes_part() && !update.is_finite() {
            outcome = Outcome::NotFinite;
        }
        sum.inside.answered += 1;
        if outcome != Outcome::Trained {
            *sum.outcomes.entry(outcome).or_default() += 1;
        }
        if outcome.takes_part() {
            let weight = self.of.trainers.weight(device);
            let clipped = update.clip_l2(self.of.update_clip);
            let seed = ctx.seed.derive("rounding", 0);
            let quantized = clipped.round_into(self.of.rounding, &self.of.quantizer, weight, seed, vec![]).0;
            sum.inside.saturated += quantized.saturated();
            let sent = quantized.without_noise(ctx.round, device);
            sum.inside.upload_bytes +=
                crate::compression::sparse::visible_bytes(&sent, self.of.quantizer.bits, false);
            sum.values.iter_mut().zip(sent.values()).for_each(|(sum, value)| *sum += value);
            (sum.weight, sum.rows) = (sum.weight + u64::from(weight), sum.rows + u64::from(rows));
        }
        Ok(sum)
    }
}

impl LocalTrainer for Platform<'_> {
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // Sums stay below 2^53; parameters are f32.
    fn train(
        &mut self,
        from: &[f32],
        platform: u32,
        ctx: &RoundCtx<'_>,
        update: &mut [f32],
    ) -> Result<TrainStats, TrainError> {
        if ctx.drift.each_step.is_some() {
            return Err(refused(
                platform,
                ctx.round,
                "a platform's control is no device's: its steps are other steps",
            ));
        }
        let mut model = from.to_vec();
        let mut inside = self.inside.take().unwrap_or_default();
        let (mut rows, mut opened) = (0_u64, 0);
        for inner in 0..self.of.spec.rounds {
            let cohort = self.of.cohort(platform, inner, ctx.seed);
            inside.asked += count(cohort.clients.len() + cohort.dropped.len());
            if cohort.clients.len() < (self.of.spec.minimum as usize).max(1) {
                continue;
            }
            let inner = RoundCtx { seed: ctx.seed.derive("inner", u64::from(inner)), ..*ctx };
            let (this, model_now) = (&*self, &model);
            let sum = cohort
                .clients
                .par_iter()
                .with_min_len(DEVICES_OF_A_TASK)
                .try_fold(
                    || Sum::of_nothing(from.len()),
                    |sum, &device| this.device(sum, model_now, device, &inner),
                )
                .try_reduce(|| Sum::of_nothing(from.len()), |a, b| Ok(a.and(b)))?;
            inside.answered += sum.inside.answered;
            inside.upload_bytes += sum.inside.upload_bytes;
            inside.saturated += sum.inside.saturated;
            for (outcome, more) in sum.outcomes {
                match inside.outcomes.binary_search_by_key(&outcome, |(known, _)| *known) {
                    Ok(at) => inside.outcomes[at].1 += more,
                    Err(at) => inside.outcomes.insert(at, (outcome, more)),
                }
            }
            let took_part = sum.weight > 0;
            if took_part {
                let unit = self.of.quantizer.lsb() / sum.weight as f64;
                for (weight, value) in model.iter_mut().zip(&sum.values) {
                    *weight = (f64::from(*weight) + *value as f64 * unit) as f32;
                }
                (rows, opened) = (rows + sum.rows, opened + 1);
            }
        }
        for ((update, after), before) in update.iter_mut().zip(&model).zip(from) {
            *update = after - before;
        }
        inside.opened += opened;
        self.inside = Some(inside);
        Ok(TrainStats {
            rows: u32::try_from(rows).unwrap_or(u32::MAX),
            steps: opened,
            outcome: if opened > 0 { Outcome::Trained } else { Outcome::NoRows },
            contribution: Contribution::Delta,
        })
    }

    fn inside(&mut self) -> Option<Inside> {
        self.inside.take()
    }
}

impl TrainerFactory for Devices<'_> {
    fn worker(&self) -> Result<Box<dyn LocalTrainer + '_>, TrainError> {
        Ok(Box::new(Platform { of: self, workers: Mutex::new(Vec::new()), inside: None }))
    }

    fn clients(&self) -> u32 {
        count(self.platforms.len())
    }

    fn layers(&self) -> Vec<Range<usize>> {
        self.trainers.layers()
    }

    fn size(&self, platform: u32) -> u64 {
        let own = &self.platforms[platform as usize];
        u64::from(own.end - own.start)
    }

    fn weight(&self, platform: u32) -> u32 {
        self.weights[platform as usize]
    }
}

fn refused(client: u32, round: u32, reason: &str) -> TrainError {
    TrainError { client, round, reason: reason.to_owned() }
}

/// Clients of a federation are numbered in 32 bits.
fn count(clients: usize) -> u32 {
    u32::try_from(clients).unwrap_or(u32::MAX)
}
