//! Logistic regression by Newton's method, for attackers that learn from a handful of signals. Ridge keeps separable data finite.

/// A fitted model: one weight a column and a bias.
#[derive(Clone, PartialEq, Debug)]
pub struct Logistic {
    weights: Vec<f64>,
}

impl Logistic {
    /// Fits `labels` on `rows`; `ridge` is charged per row on every weight but the bias.
    ///
    /// # Panics
    /// If there is no row, or not one label a row.
    #[must_use]
    pub fn fit(rows: &[Vec<f64>], labels: &[bool], ridge: f64) -> Self {
        assert!(!rows.is_empty() && rows.len() == labels.len(), "one label a row, and some rows");
        let (width, n) = (rows[0].len() + 1, rows.len() as f64);
        let mut model = Self { weights: vec![0.0; width] };
        for _ in 0..25 {
            let mut gradient: Vec<f64> = model.weights.iter().map(|weight| -ridge * n * weight).collect();
            gradient[width - 1] = 0.0;
            let mut hessian = vec![vec![0.0; width]; width];
            for (at, row) in hessian.iter_mut().enumerate() {
                row[at] = if at + 1 < width { ridge * n } else { 1e-9 };
            }
            for (row, &label) in rows.iter().zip(labels) {
                let p = 1.0 / (1.0 + libm::exp(-model.logit(row)));
                let column = |at: usize| row.get(at).copied().unwrap_or(1.0);
                for i in 0..width {
                    gradient[i] += (f64::from(u8::from(label)) - p) * column(i);
                    for (j, value) in hessian[i].iter_mut().enumerate() {
                        *value += (p * (1.0 - p) + 1e-9) * column(i) * column(j);
                    }
                }
            }
            let step = solve(hessian, gradient);
            let longest = step.iter().fold(0.0_f64, |longest, value| longest.max(value.abs()));
            // Damped where the quadratic model is poor.
            let factor = (4.0 / longest.max(1e-300)).min(1.0);
            model.weights.iter_mut().zip(&step).for_each(|(weight, step)| *weight += factor * step);
            if longest < 1e-9 {
                break;
            }
        }
        model
    }

    /// The log-odds of a row.
    #[must_use]
    pub fn logit(&self, row: &[f64]) -> f64 {
        let bias = self.weights[self.weights.len() - 1];
        bias + row.iter().zip(&self.weights).map(|(value, weight)| value * weight).sum::<f64>()
    }
}

/// Gaussian elimination with row exchange.
fn solve(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Vec<f64> {
    let n = b.len();
    for at in 0..n {
        let pivot = (at..n).max_by(|&i, &j| a[i][at].abs().total_cmp(&a[j][at].abs())).unwrap_or(at);
        a.swap(at, pivot);
        b.swap(at, pivot);
        let lead = a[at].clone();
        for below in at + 1..n {
            let factor = a[below][at] / lead[at];
            a[below].iter_mut().zip(&lead).for_each(|(value, lead)| *value -= factor * lead);
            b[below] -= factor * b[at];
        }
    }
    for at in (0..n).rev() {
        let known: f64 = (at + 1..n).map(|j| a[at][j] * b[j]).sum();
        b[at] = (b[at] - known) / a[at][at];
    }
    b
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One binary column: odds are those of the table, 3 to 1 and 1 to 3.
    #[test]
    fn a_two_by_two_table_is_fitted_exactly() {
        let rows: Vec<Vec<f64>> = (0..8).map(|at| vec![f64::from(u8::from(at < 4))]).collect();
        let labels = [true, true, true, false, true, false, false, false];
        let model = Logistic::fit(&rows, &labels, 0.0);
        assert!((model.logit(&[1.0]) - 3.0_f64.ln()).abs() < 1e-6);
        assert!((model.logit(&[0.0]) + 3.0_f64.ln()).abs() < 1e-6);
    }

    #[test]
    fn separable_rows_stay_finite() {
        let rows: Vec<Vec<f64>> = (0..10).map(|at| vec![f64::from(at)]).collect();
        let labels: Vec<bool> = (0..10).map(|at| at > 4).collect();
        let model = Logistic::fit(&rows, &labels, 1e-3);
        assert!(model.logit(&[9.0]).is_finite() && model.logit(&[9.0]) > 0.0 && model.logit(&[0.0]) < 0.0);
    }
}
