//! The best split of a leaf, from its histogram alone.
//!
//! The gain is that of XGBoost (Chen and Guestrin, KDD 2016, eq. 7): with sums `G` and `H` of gradients and hessians left,
//! right and together, `1/2 [Gl²/(Hl + l2) + Gr²/(Hr + l2) - G²/(H + l2)]`. Missing values are tried on either side, the
//! sparsity-aware split of the same paper (algorithm 3). Of equal splits the lowest column wins, then missing
//! values to the right.

use super::bins::Binner;
use super::gradient::Scale;
use super::histogram::{Histogram, Totals, WORDS};
use super::spec::BoostedSpec;

/// A column cut in two.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Split {
    /// The column.
    pub column: u16,
    /// The last bin that goes left.
    pub bin: u8,
    /// Whether missing values go left.
    pub missing_left: bool,
    /// What the split lowers the loss by, to second order: a sum over rows, not a mean.
    pub gain: f64,
    /// The sums of what goes left.
    pub left: Totals,
}

/// What makes a split admissible and how it is valued.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    gradient: f64,
    hessian: f64,
    learning_rate: f64,
    l2: f64,
    min_gain: f64,
    min_hessian: f64,
    min_rows: i64,
}

impl Rule {
    pub(super) fn new(spec: &BoostedSpec, scale: Scale) -> Self {
        Self {
            gradient: scale.gradient(),
            hessian: scale.hessian(),
            learning_rate: spec.learning_rate,
            l2: spec.l2,
            min_gain: spec.min_gain,
            min_hessian: spec.min_hessian,
            min_rows: spec.min_samples_leaf.into(),
        }
    }

    #[allow(clippy::cast_precision_loss)] // Sums beyond 2^53 units are rounded, everywhere alike.
    fn reals(&self, totals: Totals) -> (f64, f64) {
        (totals.gradient as f64 * self.gradient, totals.hessian as f64 * self.hessian)
    }

    /// The value of a leaf: the Newton step, shrunk.
    #[allow(clippy::cast_possible_truncation)] // Leaves are f32.
    pub(super) fn leaf(&self, totals: Totals) -> f32 {
        let (gradient, hessian) = self.reals(totals);
        let curvature = hessian + self.l2;
        if curvature > 0.0 { (-self.learning_rate * gradient / curvature) as f32 } else { 0.0 }
    }

    /// Whether a leaf is large enough for two.
    pub(super) fn divisible(&self, totals: Totals) -> bool {
        totals.count >= 2 * self.min_rows && self.reals(totals).1 >= 2.0 * self.min_hessian
    }

    /// The better of `best` and the best split of `column`, whose histogram is `words`. Earlier columns win ties.
    pub(super) fn better(
        &self,
        best: Option<Split>,
        column: u16,
        words: &[i64],
        total: Totals,
    ) -> Option<Split> {
        let scan = Scan::of(self, words, total);
        let Some((bin, missing_left, left)) = scan.found else { return best };
        let (gradient, hessian) = self.reals(total);
        let gain = 0.5 * (scan.over / scan.under - gradient * gradient / (hessian + self.l2));
        if best.is_some_and(|best| best.gain >= gain) {
            return best;
        }
        Some(Split { column, bin, missing_left, gain, left })
    }
}

/// The best split of one column so far. Its value is kept as a fraction, so that a comparison multiplies and never divides.
struct Scan<'a> {
    rule: &'a Rule,
    total: Totals,
    reals: (f64, f64),
    over: f64,
    under: f64,
    found: Option<(u8, bool, Totals)>,
}

impl<'a> Scan<'a> {
    #[allow(clippy::cast_possible_truncation)] // At most 255 bins.
    fn of(rule: &'a Rule, words: &[i64], total: Totals) -> Self {
        let reals = rule.reals(total);
        let under = reals.1 + rule.l2;
        // A split has to beat the leaf as it is by twice the least gain (the gain is halved).
        let over = reals.0 * reals.0 + 2.0 * rule.min_gain * under;
        let mut scan = Self { rule, total, reals, over, under, found: None };
        let (present, missing) = words.split_at(words.len() - WORDS);
        let mut left = Totals::default();
        for (bin, words) in present.chunks_exact(WORDS).enumerate().filter(|(_, words)| words[2] > 0) {
            left += Totals::read(words);
            if total.count - left.count < rule.min_rows {
                break;
            }
            scan.offer(bin as u8, false, left);
        }
        if missing[2] > 0 {
            let mut right = Totals::default();
            for (bin, words) in
                present.chunks_exact(WORDS).enumerate().skip(1).rev().filter(|(_, w)| w[2] > 0)
            {
                right += Totals::read(words);
                if total.count - right.count < rule.min_rows {
                    break;
                }
                scan.offer((bin - 1) as u8, true, total - right);
            }
        }
        scan
    }

    #[inline]
    fn offer(&mut self, bin: u8, missing_left: bool, left: Totals) {
        let rule = self.rule;
        if left.count < rule.min_rows || self.total.count - left.count < rule.min_rows {
            return;
        }
        let (gradient, hessian) = rule.reals(left);
        let (other, rest) = (self.reals.0 - gradient, self.reals.1 - hessian);
        if hessian < rule.min_hessian || rest < rule.min_hessian {
            return;
        }
        let (a, b) = (hessian + rule.l2, rest + rule.l2);
        let (over, under) = (gradient * gradient * b + other * other * a, a * b);
        if over * self.under > self.over * under {
            (self.over, self.under, self.found) = (over, under, Some((bin, missing_left, left)));
        }
    }
}

/// The best admissible split of the rows summed in `histogram`, looking at `columns` in the order given; `None` if none gains
/// more than the least gain. What a server needs that sees the sum of several platforms' histograms and no rows.
///
/// # Panics
/// If `histogram` is not one of `binner`, or a column does not exist.
#[must_use]
pub fn best_split(
    histogram: &Histogram,
    binner: &Binner,
    scale: Scale,
    spec: &BoostedSpec,
    columns: &[u16],
) -> Option<Split> {
    let rule = Rule::new(spec, scale);
    let total = Totals::sum(histogram.column(binner, 0));
    columns
        .iter()
        .fold(None, |best, &column| rule.better(best, column, histogram.column(binner, column.into()), total))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rows;
    use crate::boosted::{Binning, Gradients};

    fn spec() -> BoostedSpec {
        BoostedSpec {
            learning_rate: 0.5,
            min_samples_leaf: 1,
            binning: Binning::Quantile { bins: 255 },
            ..BoostedSpec::examples().remove(0)
        }
    }

    fn split(values: &[f32], labels: &[f32], spec: &BoostedSpec) -> (Option<Split>, Rule) {
        let rows = Rows { columns: 1, values, labels, weights: &vec![1.0; labels.len()] };
        let scale = Scale::for_weights_up_to(1.0).unwrap();
        let binner = Binner::fit(&rows, spec.binning).unwrap();
        let binned = binner.encode(values).unwrap();
        let gradients = Gradients::at(&vec![0.0; labels.len()], &rows, scale);
        let mut histogram = Histogram::zeros(&binner);
        let all: Vec<u32> = (0..u32::try_from(labels.len()).unwrap()).collect();
        histogram.accumulate(&binner, &binned, &gradients, &all);
        (best_split(&histogram, &binner, scale, spec, &[0]), Rule::new(spec, scale))
    }

    /// Values 1, 2, 3, 4 with labels 0, 0, 1, 1 at p = 1/2: gradients 1/2, 1/2, -1/2, -1/2, hessians 1/4. With l2 = 1 the
    /// cut in the middle gains 1/2 [1 / 1.5 + 1 / 1.5 - 0] = 2/3; cut after the first row it gains
    /// 1/2 [(1/4) / 1.25 + (1/4) / 1.75] = 6/35. The left leaf is -0.5 x 1 / 1.5 = -1/3.
    #[test]
    fn four_rows_are_split_as_by_hand() {
        let (split, rule) = split(&[1.0, 2.0, 3.0, 4.0], &[0.0, 0.0, 1.0, 1.0], &spec());
        let split = split.unwrap();
        assert_eq!((split.bin, split.left.count), (1, 2));
        assert!((split.gain - 2.0 / 3.0).abs() < 1e-12, "{}", split.gain);
        assert!((rule.leaf(split.left) + 1.0 / 3.0).abs() < 1e-6);
    }

    #[test]
    fn a_gain_that_is_not_above_the_least_is_no_split() {
        let rows = (&[1.0, 2.0, 3.0, 4.0], &[0.0, 0.0, 1.0, 1.0]);
        let least = |min_gain| split(rows.0, rows.1, &BoostedSpec { min_gain, ..spec() }).0;
        assert!(least(0.66).is_some() && least(0.67).is_none());
        let whole = |change: fn(&mut BoostedSpec)| {
            let mut spec = spec();
            change(&mut spec);
            split(rows.0, rows.1, &spec).0
        };
        assert!(whole(|spec| spec.min_samples_leaf = 3).is_none());
        assert!(whole(|spec| spec.min_hessian = 0.51).is_none());
        assert!(whole(|spec| spec.min_hessian = 0.49).is_some());
    }

    /// The missing rows have the labels of the large values, then of the small ones, then labels of their own.
    #[test]
    fn missing_values_go_to_the_side_that_they_resemble() {
        let (nan, side) =
            (f32::NAN, |split: Option<Split>| split.map(|split| (split.bin, split.missing_left)));
        let values = [1.0, 2.0, 3.0, 4.0, nan, nan];
        assert_eq!(side(split(&values, &[0.0, 0.0, 1.0, 1.0, 1.0, 1.0], &spec()).0), Some((1, false)));
        assert_eq!(side(split(&values, &[0.0, 0.0, 1.0, 1.0, 0.0, 0.0], &spec()).0), Some((1, true)));
        assert_eq!(side(split(&values, &[0.0, 0.0, 0.0, 0.0, 1.0, 1.0], &spec()).0), Some((3, false)));
    }
}
