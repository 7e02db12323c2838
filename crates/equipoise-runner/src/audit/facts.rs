//! What the released model tells about single accounts and pairs, beyond what whoever asks holds anyway: is the holder a minor, had the
//! holder been contacted by an account with a simulated harmful pattern, were two accounts in contact. And about a platform: which of
//! two shares of minors it has, from one round's opened sum.
//!
//! The asker holds the accounts' rows. What counts is the gain over a guess from those alone, and, for a leak of *training data*, the
//! gain about members less that about others: the rest is a model doing inference, which no guarantee for training rows forbids.

use super::file::PropertySection;
use super::membership::Attacked;
use super::model::{Recipe, judged};
use crate::data::{Reads, TrainRows};
use crate::exec::Told;
use crate::fault::{Fault, runtime};
use crate::sums;
use crate::training::ClientRows;
use equipoise_attack::{Advantage, Fact, FactView, infer_fact};
use equipoise_core::{ClipNorm, Draw, Seed};
use equipoise_model::Trainer;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Most pairs and accounts that are asked about: enough for an area's deviation of about 0.01.
const MOST: usize = 4_000;

/// What the release added to one guess.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct FactResult {
    /// `minor`, `target`, `contact` or `share-of-minors`.
    pub(crate) fact: String,
    /// `members`, `others` or `all`.
    pub(crate) about: String,
    /// Cases asked about, half of them to learn from.
    pub(crate) cases: u64,
    /// Area without and with the release.
    pub(crate) without: f64,
    pub(crate) with: f64,
    pub(crate) deviation_by_chance: f64,
}

impl FactResult {
    fn of(fact: &str, about: &str, cases: usize, found: &Advantage) -> Self {
        Self {
            fact: fact.into(),
            about: about.into(),
            cases: cases as u64,
            without: found.without,
            with: found.with,
            deviation_by_chance: found.deviation_by_chance,
        }
    }
}

/// Every other case is learned from: cases come in an order that says nothing.
fn learned(cases: usize) -> Vec<bool> {
    (0..cases).map(|case| case % 2 == 0).collect()
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// Facts about accounts and pairs, from the attacked model.
///
/// # Errors
/// If the model does not fit the rows.
pub(super) fn run(
    recipe: &Recipe<'_>,
    attacked: &Attacked,
    (rows, reads, told): (&TrainRows, &Reads, &Told),
    seed: Seed,
) -> Result<Vec<FactResult>, Fault> {
    let columns = rows.columns;
    let judged = judged(&recipe.model, &attacked.params, columns, &rows.values, &rows.label)?;
    let row = |at: usize| &rows.values[at * columns..(at + 1) * columns];
    let mut results = Vec::new();
    for (about, want) in [("members", true), ("others", false)] {
        let of = attacked.candidates.iter().zip(&attacked.coins).filter(|(_, is_in)| **is_in == want);
        // The first row of a candidate is a row of its own account, or one that reads it; either way it is about one account.
        let cases: Vec<usize> = of.map(|(rows, _)| rows[0]).collect();
        let known: Vec<Vec<f64>> = cases.iter().map(|&at| wide(row(at))).collect();
        let released: Vec<Vec<f64>> = cases.iter().map(|&at| vec![judged[at].0]).collect();
        for (name, fact, truth) in
            [("minor", Fact::Attribute, &told.minor), ("target", Fact::Target, &told.target)]
        {
            let truth: Vec<bool> = cases.iter().map(|&at| truth[at]).collect();
            let seen = FactView { known: &known, released: &released };
            if let Some(found) =
                learnable(&truth).then(|| infer_fact(fact, &seen, &truth, &learned(cases.len())))
            {
                results.extend(found.map(|found| FactResult::of(name, about, cases.len(), &found)));
            }
        }
    }
    let pairs = pairs(rows, reads, seed);
    let gap = |a: usize, b: usize| -> Vec<f64> {
        row(a).iter().zip(row(b)).map(|(x, y)| f64::from((x - y).abs())).collect()
    };
    let known: Vec<Vec<f64>> = pairs.iter().map(|&(a, b, _)| gap(a, b)).collect();
    let released: Vec<Vec<f64>> = pairs
        .iter()
        .map(|&(a, b, _)| {
            let (x, y) = (judged[a].0, judged[b].0);
            vec![(x - y).abs(), x * y, x + y]
        })
        .collect();
    let truth: Vec<bool> = pairs.iter().map(|&(_, _, met)| met).collect();
    if learnable(&truth) {
        let seen = FactView { known: &known, released: &released };
        let found = infer_fact(Fact::Contact, &seen, &truth, &learned(truth.len()));
        results.extend(found.map(|found| FactResult::of("contact", "all", truth.len(), &found)));
    }
    Ok(results)
}

/// Whether both answers stand among those to learn from.
fn learnable(truth: &[bool]) -> bool {
    let of = |want: bool| truth.iter().step_by(2).filter(|is| **is == want).count() >= 5;
    of(true) && of(false)
}

/// Pairs of accounts with rows of their own on one platform: as many that were in contact (one's row read the other) as that were not.
fn pairs(rows: &TrainRows, reads: &Reads, seed: Seed) -> Vec<(usize, usize, bool)> {
    let own: std::collections::BTreeMap<(u8, u32), usize> =
        (0..rows.label.len()).map(|row| ((rows.platform[row], rows.account[row]), row)).collect();
    let mut met: Vec<(usize, usize)> = Vec::new();
    for (&row, account) in reads.row.iter().zip(&reads.account) {
        let a = row as usize;
        if let Some(&b) = own.get(&(rows.platform[a], *account)).filter(|&&b| b != a) {
            met.push((a.min(b), a.max(b)));
        }
    }
    met.sort_unstable();
    met.dedup();
    let known: BTreeSet<(usize, usize)> = met.iter().copied().collect();
    let mut rng = seed.derive("pairs", 0).rng();
    rng.shuffle(&mut met);
    met.truncate(MOST / 2);
    let mut pairs = Vec::with_capacity(2 * met.len());
    for &(a, b) in &met {
        pairs.push((a, b, true));
        // A stranger of the same account, so that how much an account does tells nothing by itself.
        let stranger = (0..50).map(|_| rng.below(rows.label.len())).find(|&c| {
            c != a && rows.platform[c] == rows.platform[a] && !known.contains(&(a.min(c), a.max(c)))
        });
        pairs.extend(stranger.map(|c| (a, c, false)));
    }
    // Learning and asking alternate, so the two answers must not.
    rng.shuffle(&mut pairs);
    pairs
}

/// Which share of minors the first platform has, from the opened sum of one round over all platforms (the aggregator's seat, A2).
///
/// # Errors
/// If a sum cannot be computed.
pub(super) fn property(
    recipe: &Recipe<'_>,
    section: &PropertySection,
    (rows, told): (&TrainRows, &Told),
    (platforms, kept): (usize, &[bool]),
    seed: Seed,
) -> Result<Option<FactResult>, Fault> {
    let of = |minor: bool| -> Vec<usize> {
        let all = 0..rows.label.len();
        all.filter(|&row| kept[row] && rows.platform[row] == 0 && told.minor[row] == minor).collect()
    };
    let (minors, adults) = (of(true), of(false));
    let part = |share: f64| {
        let young = libm::round(share * section.rows as f64) as usize;
        (young, section.rows - young)
    };
    let (most, least) = (part(section.high_share.get()), part(section.low_share.get()));
    if minors.len() < most.0 || adults.len() < least.1 {
        return Ok(None);
    }
    let start = recipe.model.init(rows.columns, equipoise_core::Fraction::new(0.01).map_err(runtime)?, seed);
    let mut sums = Vec::new();
    let mut truth = Vec::new();
    for federation in 0..2 * section.federations {
        let at = seed.derive("property", u64::from(federation));
        let high = federation % 2 == 1;
        let (young, old) = if high { most } else { least };
        let mut rng = at.rng();
        let mut draw = |from: &[usize], count: usize| {
            let mut from = from.to_vec();
            rng.shuffle(&mut from);
            from.truncate(count);
            from
        };
        let mut inside: Vec<bool> = (0..kept.len()).map(|row| kept[row] && rows.platform[row] != 0).collect();
        draw(&minors, young).into_iter().chain(draw(&adults, old)).for_each(|row| inside[row] = true);
        sums.push(one_sum(recipe, &recipe.clients(rows, platforms, &inside), &start.0, at)?);
        truth.push(high);
    }
    // Facts alternate with federations, so the halves are blocks of two.
    let learn: Vec<bool> = (0..truth.len()).map(|case| case % 4 < 2).collect();
    let released = along_the_difference(&sums, &truth, &learn);
    let known = vec![Vec::new(); truth.len()];
    let seen = FactView { known: &known, released: &released };
    let found = infer_fact(Fact::Property, &seen, &truth, &learn);
    Ok(found.map(|found| FactResult::of("share-of-minors", "all", truth.len(), &found)))
}

/// The opened sum of one round at the start: clipped and sampled, and noised where something is promised.
fn one_sum(
    recipe: &Recipe<'_>,
    clients: &[ClientRows],
    start: &[f32],
    seed: Seed,
) -> Result<Vec<f64>, Fault> {
    let (privacy, columns) = (&recipe.privacy, clients[0].columns);
    let mut trainer = Trainer::new(&recipe.model, columns).map_err(runtime)?;
    let (mut sum, mut part) = (vec![0.0; start.len()], vec![0.0_f32; start.len()]);
    let guarded = recipe.mechanism();
    let rate = if guarded.is_some() {
        privacy.sampling_rate
    } else {
        equipoise_core::Fraction::new(1.0).map_err(runtime)?
    };
    let clip = if guarded.is_some() { privacy.clip_norm } else { ClipNorm::new(1e6).map_err(runtime)? };
    for (at, client) in (0_u64..).zip(clients) {
        let sampler = equipoise_privacy::PoissonSampler::new(rate);
        let batch = sampler.sample(client.len(), seed.derive("client", at));
        trainer.clipped_gradient_sum(start, client.examples(), &batch, clip, &mut part).map_err(runtime)?;
        sum.iter_mut().zip(&part).for_each(|(sum, part)| *sum += f64::from(*part));
    }
    if let Some(mechanism) = guarded {
        let bound = sums::private_quantizer(privacy).rounded_sensitivity(clip.get(), start.len());
        mechanism.on_server(&mut sum, bound, seed.derive("noise", 0));
    }
    Ok(sum)
}

/// One column: each sum along the standardised difference of the two kinds, learned from those that `learn` marks.
fn along_the_difference(sums: &[Vec<f64>], truth: &[bool], learn: &[bool]) -> Vec<Vec<f64>> {
    let width = sums.first().map_or(0, Vec::len);
    let mean = |want: bool, at: usize| {
        let of = sums.iter().zip(truth).zip(learn).filter(|((_, is), learn)| **learn && **is == want);
        let (total, n) = of.fold((0.0, 0.0), |(sum, n), ((row, _), _)| (sum + row[at], n + 1.0));
        total / f64::max(n, 1.0)
    };
    let mut direction = Vec::with_capacity(width);
    for at in 0..width {
        let (low, high) = (mean(false, at), mean(true, at));
        let of = sums.iter().zip(truth).zip(learn).filter(|(_, learn)| **learn);
        let (square, n) = of.fold((0.0, 0.0), |(sum, n), ((row, is), _)| {
            let own = row[at] - if *is { high } else { low };
            (sum + own * own, n + 1.0)
        });
        let variance: f64 = square / f64::max(n - 2.0, 1.0);
        direction.push(if variance > 0.0 { (high - low) / variance } else { 0.0 });
    }
    sums.iter().map(|row| vec![row.iter().zip(&direction).map(|(a, b)| a * b).sum::<f64>()]).collect()
}
