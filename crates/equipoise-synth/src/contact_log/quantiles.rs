//! Quantiles with linear interpolation between order statistics (type 7 of Hyndman and Fan 1996).

use serde::Serialize;

/// The quantile `q` in 0..=1 of sorted values, or `None` without any.
pub(crate) fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = q * last as f64;
    let below = libm::floor(at);
    let (low, high) = (sorted[below as usize], sorted[(below as usize + 1).min(last)]);
    Some(low + (at - below) * (high - low))
}

/// Where a heavy-tailed quantity lies.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Quantiles {
    /// Mean.
    pub mean: f64,
    /// 10th percentile.
    pub p10: f64,
    /// Median.
    pub p50: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 99th percentile.
    pub p99: f64,
    /// Largest value.
    pub max: f64,
}

impl Quantiles {
    /// Quantiles of the values, in any order; `None` without any.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let at = |q| quantile(&values, q);
        Some(Self { mean, p10: at(0.1)?, p50: at(0.5)?, p90: at(0.9)?, p99: at(0.99)?, max: at(1.0)? })
    }
}

/// Median and quartiles.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Quartiles {
    /// 25th percentile.
    pub p25: f64,
    /// Median.
    pub p50: f64,
    /// 75th percentile.
    pub p75: f64,
}

impl Quartiles {
    /// Quartiles of the values, in any order; `None` without any.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let at = |q| quantile(&values, q);
        Some(Self { p25: at(0.25)?, p50: at(0.5)?, p75: at(0.75)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_between_order_statistics() {
        let got = Quantiles::of(vec![4.0, 1.0, 3.0, 2.0]).unwrap();
        for (value, want) in [(got.mean, 2.5), (got.p10, 1.3), (got.p50, 2.5), (got.p90, 3.7), (got.max, 4.0)]
        {
            assert!((value - want).abs() < 1e-12, "{value} {want}");
        }
        assert!(Quantiles::of(Vec::new()).is_none() && Quartiles::of(Vec::new()).is_none());
    }
}
