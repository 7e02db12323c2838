//! Student's t and the normal distribution, by the incomplete beta function (continued fraction of Lentz; DLMF 8.17.22)
//! and by bisection for quantiles: slow and sure, for a handful of intervals in a report or an audit. One copy for every crate
//! that judges: an interval in a table of metrics and one in an audit cannot disagree.

/// Regularised incomplete beta function `I_x(a, b)` for positive `a`, `b` and `x` in `[0, 1]`.
#[must_use]
pub fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The fraction converges fast only below the mean; above it the symmetric one does.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(b, a, 1.0 - x);
    }
    let log_front =
        libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * libm::log(x) + b * libm::log1p(-x);
    libm::exp(log_front) / (a * fraction(a, b, x))
}

/// The continued fraction of the incomplete beta function.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let keep = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let (mut value, mut c, mut d) = (1.0, 1.0, 0.0);
    for step in 1..2000_u32 {
        let m = f64::from(step / 2);
        let term = if step % 2 == 0 {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        d = 1.0 / keep(1.0 + term * d);
        c = keep(1.0 + term / c);
        value *= c * d;
        if (c * d - 1.0).abs() < 1e-15 {
            break;
        }
    }
    value
}

/// P(T <= `t`) for Student's t with `freedom` degrees of freedom.
#[must_use]
pub fn t_cdf(t: f64, freedom: f64) -> f64 {
    let tail = incomplete_beta(freedom / 2.0, 0.5, freedom / (freedom + t * t)) / 2.0;
    if t > 0.0 { 1.0 - tail } else { tail }
}

/// The `p`-quantile of Student's t with `freedom` degrees of freedom, `p` inside (0, 1).
#[must_use]
pub fn t_quantile(p: f64, freedom: f64) -> f64 {
    quantile_of(p, |t| t_cdf(t, freedom))
}

/// P(Z <= `z`) for the standard normal distribution.
#[must_use]
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
}

/// The `p`-quantile of the standard normal distribution; infinite at 0 and 1.
#[must_use]
pub fn normal_quantile(p: f64) -> f64 {
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 1.0 {
        return f64::INFINITY;
    }
    quantile_of(p, normal_cdf)
}

/// Bisects a distribution that is symmetric about 0, in the lower tail, where the function keeps its digits.
fn quantile_of(p: f64, cdf: impl Fn(f64) -> f64) -> f64 {
    if p > 0.5 {
        return -quantile_of(1.0 - p, cdf);
    }
    let mut low = -1.0;
    while cdf(low) > p && low > -1e300 {
        low *= 2.0;
    }
    let mut high = 0.0;
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if cdf(middle) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, want: f64) {
        assert!((got - want).abs() <= 1e-9 * (1.0 + want.abs()), "got {got}, want {want}");
    }

    /// scipy 1.17.1: stats.t.ppf(p, df) for p = 0.95, 0.975, 0.995.
    const T: [(f64, [f64; 3]); 7] = [
        (1.0, [6.313_751_514_675_037, 12.706_204_736_174_694, 63.656_741_162_871_526]),
        (2.0, [2.919_985_580_353_724_2, 4.302_652_729_749_462, 9.924_843_200_918_287]),
        (4.0, [2.131_846_786_326_649_5, 2.776_445_105_197_793_4, 4.604_094_871_349_992]),
        (5.0, [2.015_048_373_333_023_3, 2.570_581_835_636_314_6, 4.032_142_983_555_228]),
        (9.0, [1.833_112_932_656_237, 2.262_157_162_798_205, 3.249_835_541_592_126]),
        (29.0, [1.699_127_026_533_497_2, 2.045_229_642_132_703, 2.756_385_903_670_605]),
        (100.0, [1.660_234_326_085_339_2, 1.983_971_518_523_551_8, 2.625_890_521_438_017_3]),
    ];

    #[test]
    fn t_quantiles_agree_with_scipy() {
        for (freedom, row) in T {
            for (p, want) in [0.95, 0.975, 0.995].into_iter().zip(row) {
                close(t_quantile(p, freedom), want);
                close(t_quantile(1.0 - p, freedom), -want);
            }
        }
    }

    /// scipy 1.17.1: stats.t.cdf, special.betainc, stats.norm.ppf.
    #[test]
    fn distribution_functions_agree_with_scipy() {
        close(t_cdf(0.5, 3.0), 0.674_276_017_575_924_5);
        close(t_cdf(2.0, 7.0), 0.957_190_335_718_512);
        close(t_cdf(-1.3, 12.0), 0.109_008_585_544_757_06);
        close(t_cdf(4.5, 2.0), 0.976_999_046_002_862);
        close(incomplete_beta(2.0, 3.0, 0.4), 0.5248);
        close(incomplete_beta(0.5, 0.5, 0.2), 0.295_167_235_300_866_5);
        close(incomplete_beta(10.0, 1.5, 0.9), 0.540_197_006_501_854_6);
        close(incomplete_beta(30.0, 40.0, 0.5), 0.885_799_887_323_351_5);
        close(normal_quantile(0.975), 1.959_963_984_540_054);
        close(normal_quantile(0.001), -3.090_232_306_167_813);
        // Of thousands of trials, as audits have them: scipy 1.17.1, special.betainc(2000, 8001, 0.2).
        close(incomplete_beta(2000.0, 8001.0, 0.2), 0.5039893679420488);
    }

    #[test]
    fn the_normal_quantile_inverts_the_distribution_and_ends_at_infinity() {
        assert!(normal_quantile(0.0) < -1e300 && normal_quantile(1.0) > 1e300);
        for z in [-6.0, -0.3, 0.0, 2.0] {
            close(normal_quantile(normal_cdf(z)), z);
        }
    }
}
