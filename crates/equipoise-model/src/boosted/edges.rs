//! Where a column is cut.
//!
//! Quantile edges follow the rule of scikit-learn 1.9's `_BinMapper`: midpoints between distinct values while these fit
//! into the bins, else weighted quantiles at equal steps (averaged inverse of the distribution, Hyndman and Fan 1996,
//! definition 2), here over all rows.

use super::spec::Binning;
use crate::Rows;

/// The edges of `column`: finite, strictly rising, fewer than the bins.
pub(super) fn column_edges(rows: &Rows<'_>, column: usize, binning: Binning) -> Vec<f32> {
    let sorted = Sorted::column(rows, column);
    match binning {
        Binning::Quantile { bins } => quantile_edges(&sorted, usize::from(bins)),
        Binning::UniformWidth { bins } => uniform_edges(&sorted.values, bins),
    }
}

/// The values of a column in ascending order, and the weight of each value and all before it.
struct Sorted {
    values: Vec<f32>,
    weights: Vec<f64>,
}

impl Sorted {
    fn column(rows: &Rows<'_>, column: usize) -> Self {
        // One integer a row, a value above its weight: sorts fast, and the order of summation is a function of the rows.
        let cell = |(row, &weight): (usize, &f32)| {
            let value = rows.values[row * rows.columns + column];
            (weight > 0.0 && !value.is_nan())
                .then(|| u64::from(ascending(value)) << 32 | u64::from(weight.to_bits()))
        };
        let mut keys: Vec<u64> = rows.weights.iter().enumerate().filter_map(cell).collect();
        keys.sort_unstable();
        let mut total = 0.0;
        let weights = keys.iter().map(|&key| {
            total += f64::from(f32::from_bits((key & u64::from(u32::MAX)) as u32));
            total
        });
        Self {
            weights: weights.collect(),
            values: keys.iter().map(|&key| ascended((key >> 32) as u32)).collect(),
        }
    }
}

/// A number of the same order as `value`.
const fn ascending(value: f32) -> u32 {
    let bits = value.to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

/// The value that [`ascending`] was given.
const fn ascended(key: u32) -> f32 {
    f32::from_bits(if key >> 31 == 1 { key & !(1 << 31) } else { !key })
}

/// Midpoints between distinct values while they fit, else weighted quantiles at equal steps.
#[allow(clippy::cast_precision_loss, clippy::float_cmp)] // At most 255 bins; a step that meets a sum meets it exactly.
fn quantile_edges(sorted: &Sorted, bins: usize) -> Vec<f32> {
    let mut distinct = sorted.values.clone();
    distinct.dedup();
    if distinct.len() <= bins {
        return distinct.windows(2).map(|pair| between(pair[0], pair[1])).collect();
    }
    let last = sorted.values.len() - 1;
    let total = sorted.weights[last];
    let edge = |k: usize| {
        let step = k as f64 * total / bins as f64;
        let at = sorted.weights.partition_point(|&weight| weight < step).min(last);
        let next = if sorted.weights[at] == step { last.min(at + 1) } else { at };
        between(sorted.values[at], sorted.values[next])
    };
    tidy((1..bins).map(edge).collect(), &sorted.values)
}

/// Equal widths between the smallest and the largest value.
#[allow(clippy::cast_possible_truncation)] // Edges are f32.
fn uniform_edges(sorted: &[f32], bins: u8) -> Vec<f32> {
    let (Some(&low), Some(&high)) = (sorted.first(), sorted.last()) else { return Vec::new() };
    let (low, width) = (f64::from(low), f64::from(high) - f64::from(low));
    let edge = |k: u8| (low + width * f64::from(k) / f64::from(bins)) as f32;
    tidy((1..bins).map(edge).collect(), sorted)
}

/// Leaves out equal edges, and edges that nothing lies above.
fn tidy(mut edges: Vec<f32>, sorted: &[f32]) -> Vec<f32> {
    edges.dedup();
    edges.retain(|edge| sorted.last().is_some_and(|largest| edge < largest));
    edges
}

/// The middle of `low` and `high`, or `low` where no number lies between: an edge is never `high` itself.
#[allow(clippy::cast_possible_truncation)] // Edges are f32.
fn between(low: f32, high: f32) -> f32 {
    let middle = f64::midpoint(f64::from(low), f64::from(high)) as f32;
    if middle < high { middle } else { low }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_numbers_sort_below_positive_ones() {
        let values = [1.0, -2.0, 0.0, -0.5, f32::MIN, f32::MAX, -0.0];
        let mut sorted = values;
        sorted.sort_by(f32::total_cmp);
        let mut keys = values.map(ascending);
        keys.sort_unstable();
        assert_eq!(keys.map(|key| ascended(key).to_bits()), sorted.map(f32::to_bits));
    }
}
