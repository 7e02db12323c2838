//! The attacked model, trained by the same trainers, round loop, quantiser, sum and mechanism as an experiment's arms. What differs is
//! that the attacker decides which rows are in, may watch the sum that each round opens, and that step sizes are the file's.

use super::file::{Promise, Target};
use crate::config::{ArmKind, PrivacySection};
use crate::data::TrainRows;
use crate::exec;
use crate::fault::{Fault, runtime};
use crate::sums;
use crate::training::{ClientRows, ClippedSums, LocalEpochs};
use equipoise_core::{NoiseMultiplier, Params, Seed};
use equipoise_encrypted::SchemeSpec;
use equipoise_federated::{
    Aggregation, Divisor, Federation, FederationState, ServerOptimizer, ServerSgd, TrainerFactory, Untimed,
    VectorSpec,
};
use equipoise_model::{ModelSpec, Trainer};
use equipoise_privacy::{
    CentralGaussianSpec, Mechanism, MechanismSpec, NoNoiseSpec, NoiseLevel, PoissonSampler, PrivacyClaim,
    Quantizer,
};

/// How one promise's models are trained.
#[derive(Debug)]
pub(super) struct Recipe<'a> {
    target: &'a Target,
    promise: &'a Promise,
    /// The model.
    pub(super) model: ModelSpec,
    /// With the promise's epsilon and unit.
    pub(super) privacy: PrivacySection,
    /// What is claimed, and what is really done: the same, but for a broken control.
    guard: Option<(Box<dyn Mechanism>, Box<dyn Mechanism>)>,
}

/// Somebody who sees what the aggregator sees: every model that is broadcast, and every noised sum.
pub(super) trait Watch {
    /// Before a round. The watcher's own rows (its canaries) may be set against the model.
    fn before(&mut self, model: &[f32], clients: &mut [ClientRows]);
    /// After it: the noised sum of clipped rows, in clip norms.
    fn after(&mut self, sum: &[f64]);
}

/// What one round loop is made of, besides rows.
struct Loop<'a> {
    trainers: &'a dyn TrainerFactory,
    spec: VectorSpec,
    mechanism: &'a dyn Mechanism,
    divisor: Divisor,
    quantizer: Quantizer,
    server: &'a dyn ServerOptimizer,
}

impl<'a> Recipe<'a> {
    /// # Errors
    /// If no noise gives the epsilon.
    pub(super) fn new(target: &'a Target, promise: &'a Promise) -> Result<Self, Fault> {
        let e = target.plan.first();
        let privacy = PrivacySection { epsilon: promise.epsilon, unit: promise.unit, ..e.privacy.clone() };
        let guard = if promise.epsilon.is_finite() {
            let claimed = exec::mechanism(&privacy)?;
            let done = match promise.noise_share {
                None => exec::mechanism(&privacy)?,
                Some(share) => weaker(&privacy, claimed.as_ref(), share)?,
            };
            Some((claimed, done))
        } else {
            None
        };
        let model = match target.file.experiment.arm {
            ArmKind::FederatedLogistic => ModelSpec::LogisticRegression {},
            _ => e.model.clone(),
        };
        Ok(Self { target, promise, model, privacy, guard })
    }

    /// The claim of so many rounds, all of which every platform took part in.
    pub(super) fn claim(&self, rounds: u32) -> Option<PrivacyClaim> {
        self.guard.as_ref().and_then(|(claimed, _)| claimed.claim(self.privacy.promised(), rounds))
    }

    /// The mechanism that really runs.
    pub(super) fn mechanism(&self) -> Option<&dyn Mechanism> {
        self.guard.as_ref().map(|(_, done)| done.as_ref())
    }

    /// Rows by platform; `inside` says which are trained on.
    #[allow(clippy::cast_possible_truncation)] // A loss weight is an f32 in the model.
    pub(super) fn clients(&self, rows: &TrainRows, platforms: usize, inside: &[bool]) -> Vec<ClientRows> {
        let dealt = rows.platform.iter().zip(inside);
        let dealt = dealt.map(|(&platform, &is_in)| if is_in { u32::from(platform) } else { u32::MAX });
        let weight = self.target.plan.first().training.positive_weight as f32;
        ClientRows::dealt(rows, dealt, platforms, if self.guard.is_some() { weight } else { 1.0 })
    }

    /// The model before any training.
    fn start(&self, columns: usize, seed: Seed) -> Params {
        self.model.init(columns, self.target.plan.first().start.prior, seed.derive("init", 0))
    }

    /// Trains on the rows that `inside` marks.
    ///
    /// # Errors
    /// If training fails.
    pub(super) fn train(
        &self,
        rows: &TrainRows,
        platforms: usize,
        inside: &[bool],
        seed: Seed,
    ) -> Result<Params, Fault> {
        let (e, about) = (self.target.plan.first(), &self.target.file.experiment);
        if self.guard.is_some() {
            let mut clients = self.clients(rows, platforms, inside);
            let server = e.privacy.server.with_learning_rate(about.private_learning_rate);
            return self.guarded(&mut clients, inside.len(), server.optimizer(), seed, None);
        }
        let mut config = e.training.clone();
        config.learning_rate = about.learning_rate;
        let start = self.start(rows.columns, seed);
        if let Some(passes) = self.promise.overfit_passes {
            config.epochs = passes;
            config.weight_decay = 0.0;
            let pool = ClientRows::pooled(&rows.keep(|row| inside[row]));
            let mut trainer = Trainer::with(&self.model, rows.columns, config.trainer).map_err(runtime)?;
            let mut params = start;
            trainer
                .train(&mut params.0, pool.examples(), &config, seed.derive("pool", 0))
                .map_err(runtime)?;
            return Ok(params);
        }
        let (clients, section) = (self.clients(rows, platforms, inside), &e.federation);
        let quiet = MechanismSpec::NoNoise(NoNoiseSpec {}).build().map_err(runtime)?;
        let parts = Loop {
            trainers: &LocalEpochs::new(&self.model, config, &clients, section.weight_levels),
            spec: sums::averaged(start.len(), count(clients.len()), section.weight_levels, section.quantizer),
            mechanism: quiet.as_ref(),
            divisor: Divisor::Weights,
            quantizer: section.quantizer,
            server: section.server.optimizer(),
        };
        let mut state = FederationState::new(start);
        for _ in 0..section.rounds {
            state = self.round(&parts, state, seed)?;
        }
        Ok(state.params)
    }

    /// Rounds of clipped sums under the promise's mechanism. `rows` is public: under nulling, a row that is not there contributes
    /// zero and the divisor stays.
    pub(super) fn guarded(
        &self,
        clients: &mut [ClientRows],
        rows: usize,
        server: &dyn ServerOptimizer,
        seed: Seed,
        mut watch: Option<&mut dyn Watch>,
    ) -> Result<Params, Fault> {
        let mechanism = self.mechanism().ok_or_else(|| Fault::Config("nothing is promised here".into()))?;
        let columns = clients.first().map_or(0, |client| client.columns);
        let sampler = PoissonSampler::new(self.privacy.sampling_rate);
        let expected = sampler.expected(count(rows)).max(1.0);
        let quantizer = sums::private_quantizer(&self.privacy);
        let mut state = FederationState::new(self.start(columns, seed));
        // A watcher reads the sum off the model, so the server's step must be the mean itself.
        let plain =
            ServerSgd { learning_rate: self.target.file.experiment.private_learning_rate, momentum: 0.0 };
        let server: &dyn ServerOptimizer = if watch.is_some() { &plain } else { server };
        for _ in 0..self.privacy.rounds {
            if let Some(watch) = &mut watch {
                watch.before(&state.params.0, clients);
            }
            let clip = self.privacy.clip_norm;
            let parts = Loop {
                trainers: &ClippedSums { spec: &self.model, clients, clip, sampler },
                spec: sums::private(state.params.len(), count(clients.len()), &quantizer),
                mechanism,
                divisor: Divisor::Fixed(expected),
                quantizer,
                server,
            };
            let before = state.params.clone();
            state = self.round(&parts, state, seed)?;
            if let Some(watch) = &mut watch {
                let unit = expected / (plain.learning_rate * clip.get());
                let moved = state.params.0.iter().zip(&before.0);
                let sum: Vec<f64> = moved.map(|(after, before)| f64::from(after - before) * unit).collect();
                watch.after(&sum);
            }
        }
        Ok(state.params)
    }

    fn round(&self, parts: &Loop<'_>, state: FederationState, seed: Seed) -> Result<FederationState, Fault> {
        let section = &self.target.plan.first().federation;
        let scheme = SchemeSpec::Plain {}.build();
        let mut federation = Federation {
            trainers: parts.trainers,
            local: section.local.rule(),
            compression: section.compression.map(),
            schedule: section.schedule,
            tamper: None,
            cohorts: section.cohort,
            quantizer: parts.quantizer,
            rounding: section.rounding.unwrap_or_default(),
            update_clip: section.update_clip,
            aggregation: Aggregation::Hidden(scheme.session(&parts.spec).map_err(runtime)?),
            mechanism: parts.mechanism,
            divisor: parts.divisor,
            server: parts.server,
            seed: seed.derive("federation", 0),
            stopwatch: &Untimed,
        };
        federation.step(state).map_err(runtime)
    }
}

/// The same mechanism with a share of the noise that it claims.
fn weaker(
    privacy: &PrivacySection,
    claimed: &dyn Mechanism,
    share: f64,
) -> Result<Box<dyn Mechanism>, Fault> {
    let noise = claimed
        .claim(privacy.promised(), privacy.rounds)
        .map(|claim| claim.noise_multiplier.get() * share)
        .ok_or_else(|| Fault::Config("noise-share: nothing is claimed".into()))?;
    let spec = CentralGaussianSpec {
        clip_norm: privacy.clip_norm,
        sampling_rate: privacy.sampling_rate,
        noise: NoiseLevel::NoiseMultiplier(NoiseMultiplier::new(noise).map_err(runtime)?),
        delta: privacy.delta,
        steps: privacy.rounds,
        rows_per_account: privacy.rows_per_account(),
    };
    MechanismSpec::CentralGaussian(spec).build().map_err(runtime)
}

fn count(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}

/// The model's log-odds of each row, and the cross-entropy of its own label.
///
/// # Errors
/// If the model does not fit the rows.
pub(super) fn judged(
    model: &ModelSpec,
    params: &Params,
    columns: usize,
    values: &[f32],
    labels: &[f32],
) -> Result<Vec<(f64, f32)>, Fault> {
    let mut trainer = Trainer::new(model, columns).map_err(runtime)?;
    let scores = trainer.score(&params.0, columns, values).map_err(runtime)?;
    let one = |(&score, &label): (&f32, &f32)| {
        let odds = log_odds(score);
        // -ln of the probability of the row's own label: ln(1 + e^-z) for a positive one.
        let signed = if label > 0.5 { -odds } else { odds };
        #[allow(clippy::cast_possible_truncation)] // A loss is an f32 in the attacks.
        (odds, (signed.max(0.0) + libm::log1p(libm::exp(-signed.abs()))) as f32)
    };
    Ok(scores.iter().zip(labels).map(one).collect())
}

/// The log-odds of a score, within what single precision resolves.
pub(super) fn log_odds(score: f32) -> f64 {
    let p = f64::from(score).clamp(1e-9, 1.0 - 1e-7);
    libm::log(p) - libm::log1p(-p)
}
