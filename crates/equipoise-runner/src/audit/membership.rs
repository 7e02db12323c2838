//! Who was in the training rows, asked of the released model (adversary A1): the attacked model is trained on the candidates that fair
//! coins put in, and the attacker trains shadow models on halves of its own choosing.
//!
//! The attack's unit is the claim's: a row, or an account with all rows that it stands in (under nulling they go together). Candidates
//! of an account's claim share no row, so that each coin decides its own rows alone. That an attack fails shows nothing.

use super::file::MembershipSection;
use super::model::{Recipe, judged};
use crate::data::{Reads, TrainRows};
use crate::fault::Fault;
use equipoise_attack::audit::canary_coins;
use equipoise_attack::{Loss, ReleasedModelView, Roc, ShadowTrainer, Shadows};
use equipoise_core::{Draw, Params, Seed};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// False-positive rates at which true positives are counted.
pub(super) const RATES: [f64; 13] =
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0];

/// What one attack achieved on one model.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct MembershipResult {
    pub(crate) attack: String,
    /// Whether these are the mislabelled candidates, or the others.
    pub(crate) mislabelled: bool,
    pub(crate) members: u64,
    pub(crate) others: u64,
    pub(crate) auc: f64,
    /// The area's deviation if scores said nothing.
    pub(crate) deviation_by_chance: f64,
    /// True-positive rates at [`RATES`]; 0 where one false positive would be too many.
    pub(crate) true_positive: Vec<f64>,
}

/// Candidates: the rows that each one's coin decides.
pub(super) fn candidates(
    rows: &TrainRows,
    reads: &Reads,
    (kept, by_account): (&[bool], bool),
    most: usize,
    seed: Seed,
) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..kept.len()).filter(|&row| kept[row]).collect();
    seed.derive("candidates", 0).rng().shuffle(&mut order);
    if !by_account {
        order.truncate(most);
        return order.into_iter().map(|row| vec![row]).collect();
    }
    let mut of: BTreeMap<(u8, u32), Vec<usize>> = BTreeMap::new();
    let owned = (0..kept.len()).map(|row| (row, rows.account[row]));
    let read = reads.row.iter().zip(&reads.account).map(|(&row, &account)| (row as usize, account));
    for (row, account) in owned.chain(read).filter(|(row, _)| kept[*row]) {
        let stands = of.entry((rows.platform[row], account)).or_default();
        if !stands.contains(&row) {
            stands.push(row);
        }
    }
    let mut taken = vec![false; kept.len()];
    let mut chosen = Vec::new();
    for row in order {
        let stands = &of[&(rows.platform[row], rows.account[row])];
        if chosen.len() < most && stands.iter().all(|&row| !taken[row]) {
            stands.iter().for_each(|&row| taken[row] = true);
            chosen.push(stands.clone());
        }
    }
    chosen
}

/// An attacked model with its members.
#[derive(Clone, Debug)]
pub(super) struct Attacked {
    pub(super) params: Params,
    pub(super) candidates: Vec<Vec<usize>>,
    /// Of each candidate, whether it was in.
    pub(super) coins: Vec<bool>,
}

struct Trained<'a> {
    recipe: &'a Recipe<'a>,
    rows: &'a TrainRows,
    platforms: usize,
    kept: &'a [bool],
    candidates: &'a [Vec<usize>],
    /// A shadow that could not be trained; the trait has no way to say so.
    lost: Mutex<Option<Fault>>,
}

impl Trained<'_> {
    fn inside(&self, coins: &[bool]) -> Vec<bool> {
        let mut inside = self.kept.to_vec();
        for (rows, _) in self.candidates.iter().zip(coins).filter(|(_, is_in)| !**is_in) {
            rows.iter().for_each(|&row| inside[row] = false);
        }
        inside
    }

    fn train(&self, coins: &[bool], seed: Seed) -> Result<Params, Fault> {
        self.recipe.train(self.rows, self.platforms, &self.inside(coins), seed)
    }

    /// Each candidate's mean loss over its rows.
    fn of(&self, params: &Params) -> Result<Vec<Loss>, Fault> {
        let (columns, mut values, mut labels) = (self.rows.columns, Vec::new(), Vec::new());
        for &row in self.candidates.iter().flatten() {
            values.extend_from_slice(&self.rows.values[row * columns..(row + 1) * columns]);
            labels.push(self.rows.label[row]);
        }
        let losses = judged(&self.recipe.model, params, columns, &values, &labels)?;
        let mut next = losses.into_iter().map(|(_, loss)| loss);
        #[allow(clippy::cast_precision_loss)] // A handful of rows.
        let mean = |rows: &Vec<usize>| next.by_ref().take(rows.len()).sum::<f32>() / rows.len() as f32;
        Ok(self.candidates.iter().map(mean).collect())
    }
}

impl ShadowTrainer for Trained<'_> {
    fn losses(&self, inside: &[bool], seed: Seed) -> Vec<Loss> {
        self.train(inside, seed).and_then(|params| self.of(&params)).unwrap_or_else(|fault| {
            *self.lost.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(fault);
            vec![0.0; inside.len()]
        })
    }
}

/// Trains the attacked model and its shadows, and runs every attack.
///
/// # Errors
/// If a model cannot be trained, or coins left nobody out.
pub(super) fn run(
    recipe: &Recipe<'_>,
    section: &MembershipSection,
    (rows, reads): (&TrainRows, &Reads),
    (platforms, kept): (usize, &[bool]),
    seed: Seed,
) -> Result<(Attacked, Vec<MembershipResult>), Fault> {
    let by_account = recipe.privacy.contribution().is_some();
    // The same candidates and coins for every claim on one world.
    let candidates = candidates(rows, reads, (kept, by_account), section.candidates, seed);
    // Candidates come in an order that says nothing, so the first of them are as good as any.
    let wrong = libm::round(section.mislabelled.get() * candidates.len() as f64) as usize;
    let mut told = rows.clone();
    candidates[..wrong].iter().flatten().for_each(|&row| told.label[row] = 1.0 - told.label[row]);
    let rows = &told;
    let coins = canary_coins(candidates.len(), seed.derive("members", 0));
    let trained = Trained { recipe, rows, platforms, kept, candidates: &candidates, lost: Mutex::new(None) };
    let params = trained.train(&coins, seed.derive("target", 0))?;
    let losses = trained.of(&params)?;
    let shadows = Shadows::train(&trained, candidates.len(), section.shadow_pairs, seed.derive("shadows", 0));
    if let Some(fault) = trained.lost.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        return Err(fault);
    }
    let seen = ReleasedModelView { losses: &losses, shadows: &shadows };
    let mut results = Vec::new();
    for spec in &section.attacks {
        let scores = spec.attack().scores(&seen);
        for (mislabelled, part) in [(false, wrong..scores.len()), (true, 0..wrong)] {
            if part.is_empty() {
                continue;
            }
            let (scores, coins) = (&scores[part.clone()], &coins[part]);
            let roc = Roc::split(scores, coins).ok_or_else(|| {
                Fault::Config(
                    "audit.membership.candidates: coins left nobody in or nobody out; take more".into(),
                )
            })?;
            results.push(MembershipResult {
                attack: spec.attack().name().to_owned(),
                mislabelled,
                members: coins.iter().filter(|is_in| **is_in).count() as u64,
                others: coins.iter().filter(|is_in| !**is_in).count() as u64,
                auc: roc.auc(),
                deviation_by_chance: roc.deviation_by_chance(),
                true_positive: RATES.iter().map(|&rate| roc.true_positive_at(rate).share()).collect(),
            });
        }
    }
    Ok((Attacked { params, candidates, coins }, results))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_of_an_accounts_claim_share_no_row_and_take_all_rows_of_theirs() {
        // Accounts 0 to 3 own a row each; rows 1 and 2 also read account 0.
        let rows = TrainRows {
            platform: vec![0; 4],
            account: vec![0, 1, 2, 3],
            label: vec![0.0; 4],
            ..TrainRows::default()
        };
        let reads = Reads { row: vec![0, 1, 1, 2, 2, 3], account: vec![0, 1, 0, 2, 0, 3] };
        for seed in 0..20 {
            let chosen = candidates(&rows, &reads, (&[true; 4], true), 9, Seed::root(seed));
            let mut all: Vec<usize> = chosen.iter().flatten().copied().collect();
            all.sort_unstable();
            let count = all.len();
            all.dedup();
            assert_eq!(all.len(), count, "a row belongs to two candidates: {chosen:?}");
            // Whoever takes account 0 takes the three rows that it stands in.
            assert!(chosen.iter().all(|rows| !rows.contains(&0) || rows.len() == 3), "{chosen:?}");
            assert!(chosen.contains(&vec![3]));
        }
        let of_rows = candidates(&rows, &reads, (&[true, false, true, true], false), 2, Seed::root(1));
        assert!(of_rows.len() == 2 && !of_rows.concat().contains(&1));
    }
}
