//! Small statistics of the checks, in plain arithmetic and `libm`, so that every machine gives the same verdict.

/// The mean; not a number of nothing.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The standard error of the mean; `None` below two values.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn standard_error(values: &[f64]) -> Option<f64> {
    let (n, middle) = (values.len() as f64, mean(values));
    let squares: f64 = values.iter().map(|v| (v - middle) * (v - middle)).sum();
    (values.len() > 1).then(|| libm::sqrt(squares / (n - 1.0) / n))
}

/// The value below which the share `p` of the values lies (nearest rank); not a number of nothing.
#[must_use]
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub fn quantile(values: &[f64], p: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = libm::ceil(p * sorted.len() as f64).max(1.0) as usize;
    sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
}

/// The probability that chi-square with `degrees` of freedom exceeds `value`: the upper regularised incomplete gamma
/// function by its series below and its continued fraction above (Press et al., Numerical Recipes, 6.2).
#[must_use]
pub fn chi_square_tail(value: f64, degrees: f64) -> f64 {
    let (a, x) = (degrees / 2.0, value / 2.0);
    if x <= 0.0 {
        return 1.0;
    }
    let front = libm::exp(a * libm::log(x) - x - libm::lgamma(a));
    if x < a + 1.0 {
        let (mut term, mut sum, mut k) = (1.0 / a, 1.0 / a, a);
        for _ in 0..1_000 {
            k += 1.0;
            term *= x / k;
            sum += term;
        }
        return (1.0 - front * sum).clamp(0.0, 1.0);
    }
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (1e300, 1.0 / b);
    let mut h = d;
    for i in 1..1_000 {
        let i = f64::from(i);
        let an = -i * (i - a);
        b += 2.0;
        d = 1.0 / nonzero(an * d + b);
        c = nonzero(b + an / c);
        h *= d * c;
    }
    (front * h).clamp(0.0, 1.0)
}

fn nonzero(value: f64) -> f64 {
    if value.abs() < 1e-300 { 1e-300 } else { value }
}

/// The Jensen-Shannon divergence of two lists of counts, in bits: 0 for equal shares, 1 for disjoint ones.
#[must_use]
pub fn jensen_shannon(a: &[f64], b: &[f64]) -> f64 {
    let (total_a, total_b) = (a.iter().sum::<f64>(), b.iter().sum::<f64>());
    let part = |p: f64, m: f64| if p > 0.0 { p * libm::log2(p / m) } else { 0.0 };
    a.iter()
        .zip(b)
        .map(|(x, y)| {
            let (p, q) = (x / total_a, y / total_b);
            0.5 * (part(p, f64::midpoint(p, q)) + part(q, f64::midpoint(p, q)))
        })
        .sum()
}

/// Kendall's tau-b of two rankings of the same things; 1 where the order is the same.
#[must_use]
pub fn kendall(a: &[f64], b: &[f64]) -> f64 {
    let (mut agree, mut ties) = (0.0, [0.0, 0.0]);
    let mut pairs = 0.0;
    for i in 0..a.len() {
        for j in 0..i {
            let (x, y) = (sign(a[i] - a[j]), sign(b[i] - b[j]));
            pairs += 1.0;
            agree += x * y;
            ties[0] += 1.0 - x * x;
            ties[1] += 1.0 - y * y;
        }
    }
    agree / libm::sqrt((pairs - ties[0]) * (pairs - ties[1]))
}

fn sign(x: f64) -> f64 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else {
        0.0
    }
}

/// The area under the ROC curve by ranks, ties counted half, and its standard error under no difference
/// (Mann and Whitney 1947). `None` without both classes.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn auc(scores: &[f64], positive: &[bool]) -> Option<(f64, f64)> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    let n = positive.iter().filter(|p| **p).count() as f64;
    let m = positive.len() as f64 - n;
    let (mut ranks, mut at) = (0.0, 0);
    while at < order.len() {
        let value = scores[order[at]];
        let tied = order[at..].iter().take_while(|i| scores[**i].total_cmp(&value).is_eq()).count();
        let rank = at as f64 + (tied as f64 + 1.0) / 2.0;
        ranks += rank * order[at..at + tied].iter().filter(|i| positive[**i]).count() as f64;
        at += tied;
    }
    let area = (ranks - n * (n + 1.0) / 2.0) / (n * m);
    (n > 0.0 && m > 0.0).then(|| (area, libm::sqrt((n + m + 1.0) / (12.0 * n * m))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, want: f64, tolerance: f64) {
        assert!((got - want).abs() <= tolerance, "got {got}, want {want}");
    }

    // Tables of chi-square: 3.841 at one degree is .05, 11.345 at three is .01, .352 at three is .95.
    #[test]
    fn the_chi_square_tail_agrees_with_the_tables() {
        close(chi_square_tail(3.841, 1.0), 0.05, 1e-4);
        close(chi_square_tail(11.345, 3.0), 0.01, 1e-5);
        close(chi_square_tail(0.352, 3.0), 0.95, 1e-3);
    }

    #[test]
    fn the_area_counts_ties_half() {
        let (area, _) = auc(&[1.0, 2.0, 2.0, 3.0], &[false, false, true, true]).unwrap();
        close(area, 0.875, 1e-12);
        assert!(auc(&[1.0], &[true]).is_none());
    }

    #[test]
    fn kendall_sees_order() {
        close(kendall(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), -1.0, 1e-12);
        close(kendall(&[1.0, 2.0, 3.0, 4.0], &[1.0, 2.0, 4.0, 3.0]), 2.0 / 3.0, 1e-12);
    }

    #[test]
    fn divergences_and_quantiles_by_hand() {
        close(jensen_shannon(&[1.0, 0.0], &[0.0, 1.0]), 1.0, 1e-12);
        close(jensen_shannon(&[2.0, 2.0], &[1.0, 1.0]), 0.0, 1e-12);
        close(quantile(&[3.0, 1.0, 2.0, 4.0], 0.5), 2.0, 0.0);
        close(standard_error(&[1.0, 2.0, 3.0]).unwrap(), (1.0_f64 / 3.0).sqrt(), 1e-12);
    }
}
