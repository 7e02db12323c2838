//! Half of a factorial of six measures: 32 cells instead of 64 (Box and Hunter, Technometrics 1961).
//!
//! Played are the cells with an even number of measures, none and all among them. With levels of -1 and +1 that is the fraction with
//! the defining relation I = ABCDEF, of resolution VI: what a measure does by itself (main effect) cannot be told from what the five
//! others do together beyond all smaller groups, and what two do together cannot be told from what the other four do. If five and
//! four together do nothing of their own, both are those of the whole factorial. What needs cells that are not played has no
//! number here: a measure alone, Shapley shares, the product of what each alone leaves.

use super::effects::{Effects, Interaction, MeasureEffect};
use super::holm::holm;
use super::paired::{Estimate, jackknife};
use serde::{Deserialize, Serialize};

/// The number of measures that the half is defined for.
pub const MEASURES: usize = 6;

/// The cells of the half in order: bit `m` of a cell is measure `m`.
#[must_use]
pub fn cells() -> Vec<usize> {
    (0..1_usize << MEASURES).filter(|cell| cell.count_ones().is_multiple_of(2)).collect()
}

/// What a fraction cannot tell apart.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Aliases {
    /// The defining relation, in the measures' names.
    pub relation: String,
    /// The length of its word.
    pub resolution: usize,
    /// Each main effect and interaction of two, with the group of measures whose own effect it holds as well.
    pub pairs: Vec<(String, String)>,
}

/// The aliases of six measures.
///
/// # Panics
/// If there are not six.
#[must_use]
pub fn aliases(measures: &[String]) -> Aliases {
    assert_eq!(measures.len(), MEASURES, "the half is one of six measures");
    let joined = |keep: &dyn Fn(usize) -> bool| {
        let kept: Vec<&str> =
            measures.iter().enumerate().filter(|(at, _)| keep(*at)).map(|(_, name)| name.as_str()).collect();
        kept.join(" x ")
    };
    let alone = (0..MEASURES).map(|a| (joined(&|at| at == a), joined(&|at| at != a)));
    let pairs = (0..MEASURES).flat_map(|a| (a + 1..MEASURES).map(move |b| (a, b)));
    let pairs = pairs.map(|(a, b)| (joined(&|at| at == a || at == b), joined(&move |at| at != a && at != b)));
    Aliases {
        relation: format!("I = {}", joined(&|_| true)),
        resolution: MEASURES,
        pairs: alone.chain(pairs).collect(),
    }
}

/// The contrast of `bits`: the sum of `eta` with the product of the levels of these measures as its sign, over the cells, each
/// effect scaled to what a measure adds (one bit) or to `eta_AB - eta_A - eta_B + eta` (two bits).
#[allow(clippy::cast_precision_loss, reason = "32 cells")]
fn contrast(cells: &[usize], means: &[f64], bits: usize) -> Option<f64> {
    let none = *means.first().filter(|mean| **mean > 0.0)?;
    let mut sum = 0.0;
    for (cell, mean) in cells.iter().zip(means) {
        if *mean <= 0.0 {
            return None;
        }
        let off = (bits & !cell).count_ones();
        let sign = if off.is_multiple_of(2) { 1.0 } else { -1.0 };
        sum += sign * libm::log(*mean / none);
    }
    Some(sum * f64::from(1 << bits.count_ones()) / cells.len() as f64)
}

/// Main effects and interactions from the half. `values[cell][seed]` in the order of [`cells`]; `None` if there are not six
/// measures or not these cells.
#[must_use]
pub fn effects(measures: &[String], values: &[Vec<f64>]) -> Option<Effects> {
    let cells = cells();
    if measures.len() != MEASURES || values.len() != cells.len() {
        return None;
    }
    if values.iter().any(|row| row.len() != values[0].len()) {
        return None;
    }
    let of = |bits: usize| jackknife(values, &|means| contrast(&cells, means, bits));
    let mains: Vec<Option<Estimate>> = (0..MEASURES).map(|at| of(1 << at)).collect();
    let pairs: Vec<(usize, usize)> =
        (0..MEASURES).flat_map(|a| (a + 1..MEASURES).map(move |b| (a, b))).collect();
    let both: Vec<Option<Estimate>> = pairs.iter().map(|(a, b)| of(1 << *a | 1 << *b)).collect();
    let family: Vec<Option<f64>> =
        mains.iter().chain(&both).map(|one| one.map(|estimate| estimate.p)).collect();
    let adjusted = holm(&family);
    let left = |m: &[f64]| (m[0] > 0.0).then(|| 1.0 - m[cells.len() - 1] / m[0]);
    Some(Effects {
        measures: (0..MEASURES)
            .map(|at| MeasureEffect {
                measure: measures[at].clone(),
                alone: None,
                main: mains[at],
                share: None,
                p_holm: adjusted[at],
            })
            .collect(),
        interactions: pairs
            .iter()
            .zip(&both)
            .enumerate()
            .map(|(at, ((a, b), mean))| Interaction {
                measures: [measures[*a].clone(), measures[*b].clone()],
                alone: None,
                mean: *mean,
                p_holm: adjusted[MEASURES + at],
            })
            .collect(),
        prevented: jackknife(values, &left),
        prevented_if_independent: None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::effects::Table;
    use super::*;

    fn names() -> Vec<String> {
        ["a", "b", "c", "d", "e", "f"].map(str::to_owned).to_vec()
    }

    /// Outcomes of all 64 cells: 100 exp(eta), eta made of main effects, one interaction of two and, if asked for, one of four.
    fn whole(of_four: f64) -> Vec<Vec<f64>> {
        let main = [-0.1, -0.2, -0.05, -0.3, 0.02, -0.4];
        let level = |cell: usize, at: usize| if cell >> at & 1 == 1 { 1.0 } else { -1.0 };
        let eta = |cell: usize| {
            let mains: f64 = (0..6).filter(|at| cell >> at & 1 == 1).map(|at| main[at]).sum();
            let two = if cell & 0b11 == 0b11 { 0.15 } else { 0.0 };
            mains + two + of_four * (2..6).map(|at| level(cell, at)).product::<f64>()
        };
        (0..64)
            .map(|cell| [0.9, 1.0, 1.1].map(|factor| factor * 100.0 * f64::exp(eta(cell))).to_vec())
            .collect()
    }

    fn half(of: &[Vec<f64>]) -> Effects {
        effects(&names(), &cells().iter().map(|cell| of[*cell].clone()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn half_of_the_cells_hold_none_and_all_and_every_pair_of_levels_equally() {
        let cells = cells();
        assert_eq!((cells.len(), cells[0], cells[31]), (32, 0, 63));
        for (a, b) in (0..6).flat_map(|a| (a + 1..6).map(move |b| (a, b))) {
            for levels in 0..4 {
                let fits = |cell: &&usize| (*cell >> a & 1) | (*cell >> b & 1) << 1 == levels;
                assert_eq!(cells.iter().filter(fits).count(), 8);
            }
        }
    }

    #[test]
    fn without_groups_of_four_and_five_the_half_says_what_the_whole_says() {
        let all = whole(0.0);
        let (of_half, of_all) =
            (half(&all), Effects::of(&Table { measures: names(), values: all.clone() }).unwrap());
        for (one, other) in of_half.measures.iter().zip(&of_all.measures) {
            assert!((one.main.unwrap().value - other.main.unwrap().value).abs() < 1e-12, "{}", one.measure);
            assert!(one.alone.is_none() && one.share.is_none());
        }
        for (one, other) in of_half.interactions.iter().zip(&of_all.interactions) {
            assert!((one.mean.unwrap().value - other.mean.unwrap().value).abs() < 1e-12);
        }
        assert!((of_half.interactions[0].mean.unwrap().value - 0.15).abs() < 1e-12, "a x b");
        assert!((of_half.prevented.unwrap().value - of_all.prevented.unwrap().value).abs() < 1e-12);
    }

    /// The levels' product of c, d, e and f is that of a and b wherever the product of all six is 1.
    #[test]
    fn what_four_do_together_is_read_as_what_the_other_two_do() {
        let (plain, with) = (half(&whole(0.0)), half(&whole(0.03)));
        for (one, other) in with.interactions.iter().zip(&plain.interactions) {
            let moved = one.mean.unwrap().value - other.mean.unwrap().value;
            let want = if one.measures == ["a", "b"] { 4.0 * 0.03 } else { 0.0 };
            assert!((moved - want).abs() < 1e-12, "{:?}: {moved}", one.measures);
        }
        let aliases = aliases(&names());
        assert_eq!((aliases.relation.as_str(), aliases.resolution), ("I = a x b x c x d x e x f", 6));
        assert!(aliases.pairs.contains(&("a x b".into(), "c x d x e x f".into())));
        assert!(aliases.pairs.contains(&("a".into(), "b x c x d x e x f".into())));
        assert_eq!(aliases.pairs.len(), 6 + 15);
    }

    #[test]
    fn other_shapes_have_no_effects() {
        assert!(effects(&names()[..5], &vec![vec![1.0; 3]; 32]).is_none());
        assert!(effects(&names(), &vec![vec![1.0; 3]; 64]).is_none());
    }
}
