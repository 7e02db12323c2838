//! Main effects, interactions and Shapley shares of a full factorial.

use super::holm::holm;
use super::paired::{Estimate, jackknife};
use serde::{Deserialize, Serialize};

/// Outcomes of a full factorial. Cell `c` has measure `m` on if bit `m` of `c` is set; `values[cell][seed]`, not negative.
#[derive(Clone, PartialEq, Debug)]
pub struct Table {
    /// Names of the measures.
    pub measures: Vec<String>,
    /// Outcomes.
    pub values: Vec<Vec<f64>>,
}

/// What one measure does.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct MeasureEffect {
    /// Its name.
    pub measure: String,
    /// `eta` of the measure alone.
    pub alone: Option<Estimate>,
    /// The mean of what it adds to `eta` over all cells without it.
    pub main: Option<Estimate>,
    /// Its Shapley share of the prevented fraction of all measures together.
    pub share: Option<Estimate>,
    /// The main effect's probability after Holm's correction over all main effects and interactions.
    pub p_holm: Option<f64>,
}

/// What two measures do together beyond what each does.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Interaction {
    /// Their names.
    pub measures: [String; 2],
    /// `eta_AB - eta_A - eta_B` with nothing else on.
    pub alone: Option<Estimate>,
    /// The mean of the interaction over all cells with neither.
    pub mean: Option<Estimate>,
    /// The mean's probability after Holm's correction.
    pub p_holm: Option<f64>,
}

/// All of a table.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Effects {
    /// By measure.
    pub measures: Vec<MeasureEffect>,
    /// By pair of measures.
    pub interactions: Vec<Interaction>,
    /// The prevented fraction of all measures together.
    pub prevented: Option<Estimate>,
    /// What it would be if measures multiplied: one minus the product of what each alone leaves.
    pub prevented_if_independent: Option<Estimate>,
}

fn eta(means: &[f64], cell: usize) -> Option<f64> {
    (means[cell] > 0.0 && means[0] > 0.0).then(|| libm::log(means[cell] / means[0]))
}

/// The mean of `of(cell)` over the cells in which none of `bits` is set.
#[allow(clippy::cast_precision_loss, reason = "at most some thousand cells")]
fn mean_without(cells: usize, bits: usize, of: impl Fn(usize) -> Option<f64>) -> Option<f64> {
    let parts: Option<Vec<f64>> = (0..cells).filter(|cell| cell & bits == 0).map(of).collect();
    parts.map(|parts| parts.iter().sum::<f64>() / parts.len() as f64)
}

fn pair(means: &[f64], cell: usize, a: usize, b: usize) -> Option<f64> {
    Some(eta(means, cell | a | b)? - eta(means, cell | a)? - eta(means, cell | b)? + eta(means, cell)?)
}

/// The Shapley value of measure `bit` in the game of prevented fractions.
fn shapley(means: &[f64], measures: u32, bit: usize) -> Option<f64> {
    if means[0] <= 0.0 {
        return None;
    }
    let weight = |size: u32| {
        // size! (n - size - 1)! / n!, as a product of ratios.
        let mut value = 1.0 / f64::from(measures);
        for k in 1..=size {
            value *= f64::from(k) / f64::from(measures - k);
        }
        value
    };
    let cells = (0..means.len()).filter(|cell| cell & bit == 0);
    Some(cells.map(|cell| weight(cell.count_ones()) * (means[cell] - means[cell | bit]) / means[0]).sum())
}

impl Effects {
    /// Analyses a table; `None` if it is not a full factorial of its measures.
    #[must_use]
    pub fn of(table: &Table) -> Option<Self> {
        let count = table.measures.len();
        let (cells, values) = (1_usize.checked_shl(u32::try_from(count).ok()?)?, &table.values);
        if values.len() != cells || values.iter().any(|row| row.len() != values[0].len()) {
            return None;
        }
        let n = u32::try_from(count).ok()?;
        let mut measures: Vec<MeasureEffect> = (0..count)
            .map(|at| {
                let bit = 1 << at;
                let main =
                    |m: &[f64]| mean_without(cells, bit, |cell| Some(eta(m, cell | bit)? - eta(m, cell)?));
                MeasureEffect {
                    measure: table.measures[at].clone(),
                    alone: jackknife(values, &|m| eta(m, bit)),
                    main: jackknife(values, &main),
                    share: jackknife(values, &|m| shapley(m, n, bit)),
                    p_holm: None,
                }
            })
            .collect();
        let pairs = (0..count).flat_map(|a| (a + 1..count).map(move |b| (a, b)));
        let mut interactions: Vec<Interaction> = pairs
            .map(|(a, b)| {
                let bits = (1 << a, 1 << b);
                let mean =
                    |m: &[f64]| mean_without(cells, bits.0 | bits.1, |cell| pair(m, cell, bits.0, bits.1));
                Interaction {
                    measures: [a, b].map(|at| table.measures[at].clone()),
                    alone: jackknife(values, &|m| pair(m, 0, bits.0, bits.1)),
                    mean: jackknife(values, &mean),
                    p_holm: None,
                }
            })
            .collect();
        let mains = measures.iter().map(|one| one.main.map(|estimate| estimate.p));
        let family: Vec<Option<f64>> =
            mains.chain(interactions.iter().map(|one| one.mean.map(|estimate| estimate.p))).collect();
        let adjusted = holm(&family);
        let places = measures.iter_mut().map(|one| &mut one.p_holm);
        let places = places.chain(interactions.iter_mut().map(|one| &mut one.p_holm));
        places.zip(adjusted).for_each(|(place, p)| *place = p);
        let left = |m: &[f64], cell: usize| (m[0] > 0.0).then(|| m[cell] / m[0]);
        let product = |m: &[f64]| {
            let parts: Option<Vec<f64>> = (0..count).map(|at| left(m, 1 << at)).collect();
            parts.map(|parts| 1.0 - parts.iter().product::<f64>())
        };
        Some(Self {
            measures,
            interactions,
            prevented: jackknife(values, &|m| Some(1.0 - left(m, cells - 1)?)),
            prevented_if_independent: jackknife(values, &product),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(means: [f64; 4]) -> Table {
        // Seeds move all cells by one factor, so that ratios are exact.
        let values = means.map(|mean| [0.9, 1.0, 1.1].map(|factor| factor * mean).to_vec()).to_vec();
        Table { measures: vec!["a".into(), "b".into()], values }
    }

    #[test]
    fn measures_that_multiply_do_not_interact() {
        let effects = Effects::of(&table([100.0, 50.0, 80.0, 40.0])).unwrap();
        let a = &effects.measures[0];
        assert!((a.alone.unwrap().value - 0.5_f64.ln()).abs() < 1e-12);
        assert!((a.main.unwrap().value - 0.5_f64.ln()).abs() < 1e-12);
        assert!(effects.interactions[0].mean.unwrap().value.abs() < 1e-12);
        let (together, product) = (effects.prevented.unwrap(), effects.prevented_if_independent.unwrap());
        assert!((together.value - 0.6).abs() < 1e-12 && (product.value - 0.6).abs() < 1e-12);
    }

    #[test]
    fn redundant_measures_interact_above_zero_and_shares_add_up() {
        // Either alone leaves 50, both leave 50: ln 1/2 - 2 ln 1/2 = ln 2.
        let effects = Effects::of(&table([100.0, 50.0, 50.0, 50.0])).unwrap();
        assert!((effects.interactions[0].mean.unwrap().value - 2.0_f64.ln()).abs() < 1e-12);
        let shares: Vec<f64> = effects.measures.iter().map(|one| one.share.unwrap().value).collect();
        assert!((shares[0] - 0.25).abs() < 1e-12 && (shares[1] - 0.25).abs() < 1e-12, "{shares:?}");
    }

    #[test]
    fn shapley_shares_by_hand_over_three_measures() {
        // Prevented: a 30, b 10, c 0, ab 60, ac 30, bc 20, abc 70 of 100; a's value is
        // (2 * 30 + (60 - 10) + (30 - 0) + 2 * (70 - 20)) / 6 = 40.
        let left = [100.0, 70.0, 90.0, 40.0, 100.0, 70.0, 80.0, 30.0];
        assert!((shapley(&left, 3, 1).unwrap() - 0.4).abs() < 1e-12);
        let all: f64 = [1, 2, 4].iter().map(|bit| shapley(&left, 3, *bit).unwrap()).sum();
        assert!((all - 0.7).abs() < 1e-12);
    }

    #[test]
    fn a_cell_without_harm_has_no_logarithm_and_a_wrong_shape_no_effects() {
        let effects = Effects::of(&table([100.0, 0.0, 80.0, 0.0])).unwrap();
        assert!(effects.measures[0].alone.is_none() && effects.measures[0].share.is_some());
        let mut short = table([1.0, 1.0, 1.0, 1.0]);
        short.values.pop();
        assert!(Effects::of(&short).is_none());
    }
}
