//! The audit of a claim from one training run (Steinke, Nasr, Jagielski 2023): beside the world's own rows stand canaries, whose
//! presence coins decide. Each is a row (K rows, for an account) in a column of its own, so large that the trainer clips it to the
//! clip norm, and labelled in every round against what the model says, which an adversary that sees all rounds may do. The auditor
//! then reads each round's noised sum along the canary's column.
//!
//! Everything between a canary and what is read is the product's own: sampler, clip, quantiser, sum, noise, division. What this does
//! not show: that a claim is true. A lower bound below it is what a true claim, or a weak audit, gives.

use super::file::CanarySection;
use super::model::{Recipe, Watch};
use crate::data::TrainRows;
use crate::fault::Fault;
use crate::training::ClientRows;
use equipoise_attack::audit::{
    CanaryScores, GaussianForm, canary_coins, one_run_epsilon, one_run_epsilon_f_dp, repeated_log_ratio,
};
use equipoise_core::{Seed, all_finite};
use equipoise_federated::ServerSgd;
use serde::{Deserialize, Serialize};

/// The error of each bound, in one world.
pub(super) const SIGNIFICANCE: f64 = 0.05;
/// So long is a canary: far beyond any clip norm, so that almost all of a clipped canary lies in its own column.
const LONG: f32 = 1e3;

/// What one run's audit found.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct CanaryResult {
    /// Epsilon that was claimed.
    pub(crate) claimed: f64,
    /// Guesses and how many held.
    pub(crate) guesses: u32,
    pub(crate) correct: u32,
    /// Lower bound by counting: assumes nothing but the coins.
    pub(crate) counted: f64,
    /// Lower bound against the curve of a Gaussian mechanism, which many sampled steps are close to.
    pub(crate) curve: f64,
    /// Lower bound where scores are normal with one deviation, likewise.
    pub(crate) normal: f64,
    /// Rows of the world that were trained on beside the canaries.
    pub(crate) rows: u64,
}

struct Auditor {
    /// Features of the world's own rows; canaries have the columns behind them.
    own: usize,
    rows_each: u32,
    rate: f64,
    noise: f64,
    /// Which label a canary has this round: against the model.
    positive: Vec<bool>,
    scores: Vec<f64>,
    /// Where a canary's rows begin, by client.
    first: Vec<usize>,
    /// The canary of each of those rows.
    of: Vec<Vec<usize>>,
}

impl Watch for Auditor {
    fn before(&mut self, model: &[f32], clients: &mut [ClientRows]) {
        let bias = model[model.len() - 1];
        for (at, positive) in self.positive.iter_mut().enumerate() {
            // Without any other feature, the model's log-odds of a canary is its weight times its length, and the bias.
            *positive = model[self.own + at] * LONG + bias < 0.0;
        }
        for ((client, &first), of) in clients.iter_mut().zip(&self.first).zip(&self.of) {
            for (label, &canary) in client.labels[first..].iter_mut().zip(of) {
                *label = f32::from(u8::from(self.positive[canary]));
            }
        }
    }

    fn after(&mut self, sum: &[f64]) {
        for (at, score) in self.scores.iter_mut().enumerate() {
            let along = if self.positive[at] { sum[self.own + at] } else { -sum[self.own + at] };
            *score += repeated_log_ratio(along, self.rows_each, self.rate, self.noise);
        }
    }
}

/// Audits one claim on one world's rows. The model is a logistic regression, whatever the attacked one is: a canary's gradient must
/// have a direction of its own, and the claim does not depend on the model.
///
/// # Errors
/// If training fails.
pub(super) fn run(
    recipe: &Recipe<'_>,
    section: &CanarySection,
    rows: &TrainRows,
    (platforms, kept): (usize, &[bool]),
    seed: Seed,
) -> Result<Option<CanaryResult>, Fault> {
    let Some(claim) = recipe.claim(recipe.privacy.rounds) else { return Ok(None) };
    let coins = canary_coins(section.canaries, seed);
    let width = rows.columns + section.canaries;
    let mut auditor = Auditor {
        own: rows.columns,
        rows_each: claim.rows,
        rate: claim.sampling_rate.get(),
        noise: claim.noise_multiplier.get(),
        positive: vec![true; section.canaries],
        scores: vec![0.0; section.canaries],
        first: Vec::new(),
        of: vec![Vec::new(); platforms],
    };
    let mut clients = recipe.clients(rows, platforms, kept);
    for client in &mut clients {
        auditor.first.push(client.labels.len());
        let values = client.values.chunks_exact(rows.columns);
        client.values = values
            .flat_map(|row| row.iter().copied().chain(std::iter::repeat_n(0.0, section.canaries)))
            .collect();
        client.columns = width;
    }
    for (at, _) in coins.iter().enumerate().filter(|(_, is_in)| **is_in) {
        // An account lies on one platform, and so do all its rows.
        let home = at % platforms;
        for _ in 0..claim.rows {
            let client = &mut clients[home];
            let start = client.values.len();
            client.values.resize(start + width, 0.0);
            client.values[start + rows.columns + at] = LONG;
            client.labels.push(1.0);
            client.weights.push(1.0);
            auditor.of[home].push(at);
        }
    }
    let own = kept.iter().filter(|kept| **kept).count();
    let all = own + section.canaries * claim.rows as usize;
    let ignored = ServerSgd { learning_rate: 1.0, momentum: 0.0 };
    let params = recipe.guarded(&mut clients, all, &ignored, seed, Some(&mut auditor))?;
    if !all_finite(&params.0) {
        return Err(Fault::Runtime("an audited model is not finite; choose a smaller step size".into()));
    }
    let scores = CanaryScores::split(&auditor.scores, &coins);
    let guessed = scores.guess(section.guesses_each);
    let (m, made, correct) = (guessed.canaries, guessed.made, guessed.correct);
    let delta = claim.delta;
    Ok(Some(CanaryResult {
        claimed: claim.epsilon,
        guesses: made,
        correct,
        counted: one_run_epsilon(m, made, correct, SIGNIFICANCE, delta.get()),
        curve: one_run_epsilon_f_dp(m, made, correct, SIGNIFICANCE, delta),
        normal: GaussianForm::of(&scores, SIGNIFICANCE).epsilon(delta),
        rows: own as u64,
    }))
}
