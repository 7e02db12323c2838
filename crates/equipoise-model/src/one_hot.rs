//! Features as one-hot vectors over public bins: what turns a linear layer into a logistic regression on binned features, the model that
//! beat the networks under differential privacy in the PETs Prize Challenge (PPMLHuskies: 0.94 against 0.78 AUPRC at epsilon 1).
//!
//! A column is read on the unit interval, where its documented range was mapped to, and picks one of `bins + 2` weights: one for what a
//! platform does not see (below 0), one for exactly 0 (nothing happened is not little happened), and bins of equal width up to 1. The edges
//! are constants, never a statistic of data, so choosing them costs no privacy. A row has exactly as many ones as columns, so the norm of
//! its gradient is its slope times `sqrt(columns + 1)`: clipping is exact and known beforehand.
//!
//! No row is ever written out: the fused path keeps where the ones stand, adds weights up and scatters slopes. [`Bins::write_out`] does it for
//! the reference only.

/// Cuts the unit interval; public.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Bins(pub(crate) u16);

impl Bins {
    /// Weights of a column.
    pub(crate) const fn width(self) -> usize {
        self.0 as usize + 2
    }

    /// The weight that a value picks. A value that is no number picks any; [`OneHot::take`] keeps that it was none.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // The float is in [0, bins], and a NaN becomes 0.
    pub(crate) fn of(self, value: f32) -> usize {
        if value > 0.0 {
            2 + ((value.min(1.0) * f32::from(self.0)) as usize).min(usize::from(self.0) - 1)
        } else {
            usize::from(value >= 0.0)
        }
    }

    /// Rows `[rows, columns]` as `[rows, columns * width]`: the slow, obvious version.
    pub(crate) fn write_out(self, values: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; values.len() * self.width()];
        for (column, &value) in out.chunks_exact_mut(self.width()).zip(values) {
            column[self.of(value)] = one(value);
        }
        out
    }
}

/// The entry that stands where a column's one stands: a row with a number that is none has to stay one, so that clipping leaves it out.
const fn one(value: f32) -> f32 {
    if value.is_finite() { 1.0 } else { f32::NAN }
}

/// Where the ones of a batch stand.
#[derive(Debug)]
pub(crate) struct OneHot {
    bins: Bins,
    columns: usize,
    /// Index into the weight, `[rows, columns]`.
    at: Vec<u32>,
}

impl OneHot {
    pub(crate) const fn new(bins: Bins, columns: usize) -> Self {
        Self { bins, columns, at: Vec::new() }
    }

    /// Notes where the ones of rows `[rows, columns]` stand and leaves the ones.
    #[allow(clippy::cast_possible_truncation)] // Weights are counted in 32 bits: `ModelSpec::check`.
    pub(crate) fn take(&mut self, values: &mut [f32]) {
        self.at.clear();
        for row in values.chunks_exact_mut(self.columns) {
            for (column, value) in row.iter_mut().enumerate() {
                self.at.push((column * self.bins.width() + self.bins.of(*value)) as u32);
                *value = one(*value);
            }
        }
    }

    /// Logits of rows whose ones are `ones`; the bias is the last parameter.
    pub(crate) fn forward(&self, ones: &[f32], weights: &[f32], logits: &mut Vec<f32>) {
        let bias = weights[weights.len() - 1];
        logits.clear();
        let rows = ones.chunks_exact(self.columns).zip(self.at.chunks_exact(self.columns));
        logits.extend(rows.map(|(ones, at)| {
            ones.iter().zip(at).map(|(one, &at)| one * weights[at as usize]).sum::<f32>() + bias
        }));
    }

    /// The gradient of the sum over rows, from the slope of each.
    pub(crate) fn gradient(&self, ones: &[f32], slopes: &[f32], out: &mut [f32]) {
        out.fill(0.0);
        let last = out.len() - 1;
        let rows = ones.chunks_exact(self.columns).zip(self.at.chunks_exact(self.columns));
        for ((ones, at), slope) in rows.zip(slopes) {
            ones.iter().zip(at).for_each(|(one, &at)| out[at as usize] += slope * one);
            out[last] += slope;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_picks_the_bin_that_holds_it() {
        let bins = Bins(4);
        let picked = [-1.0, -0.0, 0.0, 1e-30, 0.2, 0.25, 0.74, 0.75, 1.0, 7.0].map(|value| bins.of(value));
        assert_eq!(picked, [0, 1, 1, 2, 2, 3, 4, 5, 5, 5]);
        assert_eq!((bins.width(), bins.of(f32::INFINITY), bins.of(f32::NEG_INFINITY)), (6, 5, 0));
    }

    #[test]
    fn a_row_is_one_one_a_column() {
        let mut values = [0.3, -1.0, 1.0, 0.0];
        assert_eq!(Bins(2).write_out(&values[..2]), [0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        let mut one_hot = OneHot::new(Bins(2), 2);
        one_hot.take(&mut values);
        assert_eq!((one_hot.at.as_slice(), values), (&[2, 4, 3, 5][..], [1.0; 4]));
    }

    /// Two rows of one column, slopes 2 and 3 on the same bin: both add up there and in the bias.
    #[test]
    fn slopes_are_scattered_by_hand() {
        let mut one_hot = OneHot::new(Bins(2), 1);
        one_hot.take(&mut [0.9, 0.8]);
        let (mut logits, mut out) = (Vec::new(), [9.0; 5]);
        one_hot.forward(&[1.0; 2], &[1.0, 2.0, 3.0, 4.0, 0.5], &mut logits);
        one_hot.gradient(&[1.0; 2], &[2.0, 3.0], &mut out);
        assert_eq!((logits.as_slice(), out), (&[4.5, 4.5][..], [0.0, 0.0, 0.0, 5.0, 5.0]));
    }
}
