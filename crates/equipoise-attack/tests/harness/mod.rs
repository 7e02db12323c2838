//! A small mechanism for the gate, through the real types (sampler, clip norm, quantiser, mechanism, noise source), and the defects
//! that a build could have. Rows lie along one coordinate each, so that a canary owns its coordinate.

use equipoise_attack::audit::{Allowed, CanaryScores, Probe, canary_coins};
use equipoise_core::{ClipNorm, Delta, Fraction, NoiseMultiplier, Seed};
use equipoise_privacy::{
    CentralGaussianSpec, LocalUpdate, Mechanism, NoiseLevel, NoiseSource, PoissonSampler, PrivacyUnit,
    Quantizer, Relation, Sensitivity,
};

/// What is wrong with a build. `None` and `NoneShared` are right: noise at the server, and noise in shares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Defect {
    None,
    NoneShared,
    NoClip,
    ClipAfterAveraging,
    HalfNoise,
    ShareForEverybody,
    MeanNoiseOnSum,
    FixedBatches,
    NoiseReused,
    RowOutsideK,
}

pub(crate) const SABOTAGES: [Defect; 8] = [
    Defect::NoClip,
    Defect::ClipAfterAveraging,
    Defect::HalfNoise,
    Defect::ShareForEverybody,
    Defect::MeanNoiseOnSum,
    Defect::FixedBatches,
    Defect::NoiseReused,
    Defect::RowOutsideK,
];

pub(crate) const CANARIES: u32 = 4_000;
const CLIP: f64 = 1.0;
/// An honest trainer clips a canary's gradient from this length.
const LOUD: f64 = 10.0;
const PLATFORMS: u32 = 5;
/// Platforms that may collude or drop out, whose shares of the noise do not count.
const COLLUDING: u32 = 1;
/// Rows that one account may have, and the rows that each canary account has before its contribution is bounded.
const ROWS: u32 = 2;
const OWNED: u32 = 4;

/// The claim under test: full batches or Poisson samples, and the noise over the sensitivity of one account, `ROWS` rows.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) rate: f64,
    pub(crate) rounds: u32,
    pub(crate) noise_multiplier: f64,
    /// How many accounts there are, each with a coordinate of its own.
    pub(crate) canaries: u32,
}

struct Row {
    account: u32,
    value: f64,
}

/// Every release of one run, of which `present(round, account)` says who was there.
pub(crate) fn releases(
    defect: Defect,
    plan: Plan,
    present: &dyn Fn(u32, u32) -> bool,
    seed: Seed,
) -> Vec<Vec<f64>> {
    (0..plan.rounds)
        .map(|round| release(defect, plan, round, &|account| present(round, account), seed))
        .collect()
}

fn release(defect: Defect, plan: Plan, round: u32, present: &dyn Fn(u32) -> bool, seed: Seed) -> Vec<f64> {
    let at = seed.derive("round", u64::from(round));
    let kept = if defect == Defect::RowOutsideK { ROWS + 1 } else { ROWS };
    // Bounded contribution: the first rows of each account in a public order. A null row keeps its place and adds nothing.
    let accounts: Vec<u32> = if defect == Defect::FixedBatches {
        let batches = plan.rounds;
        (0..plan.canaries).filter(|account| account % batches == round).collect()
    } else {
        PoissonSampler::new(Fraction::new(plan.rate).unwrap()).sample(plan.canaries, at)
    };
    let rows: Vec<Row> = accounts
        .iter()
        .flat_map(|&account| {
            let value = if present(account) { LOUD } else { 0.0 };
            (0..OWNED.min(kept)).map(move |_| Row { account, value })
        })
        .collect();
    let sensitivity = Sensitivity {
        unit: PrivacyUnit::AccountFixedGraph,
        relation: Relation::ZeroOut,
        value: ClipNorm::new(f64::from(ROWS) * CLIP).unwrap(),
    };
    let grid = Quantizer { clip_abs: 64.0, bits: 24 };
    let mut integers = vec![0_i64; plan.canaries as usize];
    for platform in 0..PLATFORMS {
        let own = rows.iter().filter(|row| row.account % PLATFORMS == platform);
        let sent = LocalUpdate::new(clipped_sum(defect, plan.canaries, own))
            .bounded_by_trainer(sensitivity)
            .quantise(&grid, 1)
            .without_noise(round, platform);
        integers.iter_mut().zip(sent.values()).for_each(|(sum, value)| *sum += value);
    }
    let mut sum = grid.real_sum(&integers);
    let bound = grid.rounded_sensitivity(f64::from(ROWS) * CLIP, 1);
    noise(defect, plan, rows.len(), bound, &mut sum, if defect == Defect::NoiseReused { seed } else { at });
    sum
}

/// One platform's sum of rows, each clipped; or what a defect makes of it.
#[allow(clippy::cast_possible_truncation)]
fn clipped_sum<'a>(defect: Defect, canaries: u32, rows: impl Iterator<Item = &'a Row>) -> Vec<f32> {
    let mut sum = vec![0.0_f64; canaries as usize];
    let mut count = 0.0;
    for row in rows {
        let whole = matches!(defect, Defect::NoClip | Defect::ClipAfterAveraging);
        let factor = if whole { 1.0 } else { (CLIP / row.value.abs().max(1e-12)).min(1.0) };
        sum[row.account as usize] += row.value * factor;
        count += 1.0;
    }
    if defect == Defect::ClipAfterAveraging && count > 0.0 {
        let mean_norm = sum.iter().map(|value| value * value).sum::<f64>().sqrt() / count;
        let factor = (CLIP / mean_norm.max(1e-12)).min(1.0);
        sum.iter_mut().for_each(|value| *value *= factor);
    }
    sum.into_iter().map(|value| value as f32).collect()
}

fn noise(defect: Defect, plan: Plan, batch: usize, bound: f64, sum: &mut [f64], seed: Seed) {
    let shared = |holders: u32, sum: &mut [f64]| {
        // The colluders subtract their own shares, so only honest ones are drawn.
        for honest in COLLUDING..PLATFORMS {
            let source = NoiseSource::Replayable(seed.derive("share", u64::from(honest)));
            source.add_gaussian(sum, plan.noise_multiplier * bound / f64::from(holders).sqrt()).unwrap();
        }
    };
    let central = |factor: f64, sum: &mut [f64]| {
        let spec = CentralGaussianSpec {
            clip_norm: ClipNorm::new(bound).unwrap(),
            sampling_rate: Fraction::new(plan.rate).unwrap(),
            noise: NoiseLevel::NoiseMultiplier(NoiseMultiplier::new(plan.noise_multiplier * factor).unwrap()),
            delta: Delta::new(1e-5).unwrap(),
            steps: plan.rounds,
            rows_per_account: None,
        };
        spec.build().unwrap().on_server(sum, bound, seed);
    };
    match defect {
        Defect::NoneShared => shared(PLATFORMS - COLLUDING, sum),
        Defect::ShareForEverybody => shared(PLATFORMS, sum),
        Defect::HalfNoise => central(0.5, sum),
        Defect::MeanNoiseOnSum => central(1.0 / batch.max(1) as f64, sum),
        _ => central(1.0, sum),
    }
}

/// Each canary's coordinate over the bound of one account.
pub(crate) fn scores(released: &[f64]) -> Vec<f64> {
    released.iter().map(|value| value / (f64::from(ROWS) * CLIP)).collect()
}

/// The probes of one build: a run of two full batches with the canaries in the first, and a run of Poisson samples whose fixed
/// schedule, if it had one, the auditor would know.
pub(crate) fn probes(defect: Defect, seed: Seed) -> Vec<Probe> {
    let full = Plan { rate: 1.0, rounds: 2, noise_multiplier: 0.5, canaries: CANARIES };
    let coins = canary_coins(CANARIES as usize, seed.derive("full", 0));
    let seen = releases(
        defect,
        full,
        &|round, account| round == 0 && coins[account as usize],
        seed.derive("full", 1),
    );
    let sampled = Plan { rate: 0.1, rounds: 10, noise_multiplier: 0.5, canaries: CANARIES };
    let coins_sampled = canary_coins(CANARIES as usize, seed.derive("sampled", 0));
    let rounds =
        releases(defect, sampled, &|_, account| coins_sampled[account as usize], seed.derive("sampled", 1));
    let known: Vec<f64> = (0..CANARIES as usize).map(|account| rounds[account % 10][account]).collect();
    let difference: Vec<f64> = seen[0].iter().zip(&seen[1]).map(|(with, without)| with - without).collect();
    let probe = |name, released: &[f64], coins: &[bool], allowed| Probe {
        name,
        scores: CanaryScores::split(&scores(released), coins),
        threshold: 0.5,
        allowed,
    };
    let mu = Allowed::Gaussian { mu: 1.0 / full.noise_multiplier };
    let one_step = Allowed::Sampled { rate: sampled.rate, noise_multiplier: sampled.noise_multiplier };
    vec![
        probe("the round that the canary was in", &seen[0], &coins, mu),
        probe("that round less the next", &difference, &coins, mu),
        probe("the round of a fixed schedule", &known, &coins_sampled, one_step),
    ]
}
