//! Scales and ticks, linear and logarithmic, in plain arithmetic: the platform's mathematics library is not asked, so
//! that a figure has the same bytes on every machine.

/// A mapping from values to positions.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    logarithmic: bool,
}

impl Scale {
    /// A linear scale that covers `extent` with round ends.
    pub(super) fn linear(extent: (f64, f64), from: f64, to: f64) -> Self {
        let (low, high) = widened(extent);
        let step = tick_step(low, high, 5).0;
        let (low, high) = ((low / step + 1e-9).floor() * step, (high / step - 1e-9).ceil() * step);
        Self { low, high, from, to, logarithmic: false }
    }

    /// A linear scale from one end of `extent` to the other.
    pub(super) fn exactly(extent: (f64, f64), from: f64, to: f64) -> Self {
        let (low, high) = widened(extent);
        Self { low, high, from, to, logarithmic: false }
    }

    /// A logarithmic scale that covers `extent`; both ends must be above 0, else they are lifted.
    pub(super) fn logarithmic(extent: (f64, f64), from: f64, to: f64) -> Self {
        let low = extent.0.max(1e-12);
        let high = extent.1.max(low * 1.000_1);
        Self { low, high, from, to, logarithmic: true }
    }

    /// The position of `value`.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = if self.logarithmic {
            let low = log10(self.low);
            (log10(value.max(1e-12)) - low) / (log10(self.high) - low)
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from + share * (self.to - self.from)
    }

    /// Whether `value` lies on the axis.
    pub(super) fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Ticks with their labels: about `target` round values, or the decades of a logarithmic scale.
    pub(super) fn ticks(&self, target: usize) -> Vec<(f64, String)> {
        if self.logarithmic {
            return self.decades();
        }
        let (step, places) = tick_step(self.low, self.high, target);
        let first = (self.low / step - 1e-9).ceil();
        let mut ticks = Vec::new();
        let mut index = first;
        while index * step <= self.high + step * 1e-9 && ticks.len() < 50 {
            ticks.push((index * step, super::numbers::fixed(index * step, places)));
            index += 1.0;
        }
        ticks
    }

    fn decades(&self) -> Vec<(f64, String)> {
        let mut ticks = Vec::new();
        for exponent in -12..=15 {
            let value = power_of_ten(exponent);
            if self.holds(value) {
                ticks.push((value, super::numbers::plain(value)));
            }
        }
        ticks
    }
}

/// The decades around `extent`.
pub(super) fn decade_ends(extent: (f64, f64)) -> (f64, f64) {
    let below = (-12..=15).rev().map(power_of_ten).find(|v| *v <= extent.0).unwrap_or(1e-12);
    let above = (-12..=15).map(power_of_ten).find(|v| *v >= extent.1).unwrap_or(1e15);
    (below, if above > below { above } else { below * 10.0 })
}

/// The smallest interval around all values; `None` where none is finite.
pub(super) fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|v| v.is_finite()).fold(None, |so_far, v| match so_far {
        None => Some((v, v)),
        Some((low, high)) => Some((low.min(v), high.max(v))),
    })
}

fn widened((low, high): (f64, f64)) -> (f64, f64) {
    let gap = high - low;
    if gap > 1e-12 * high.abs().max(low.abs()).max(1e-300) {
        return (low, high);
    }
    let room = (high.abs() * 0.1).max(0.05);
    (low - room, high + room)
}

/// A step of 1, 2 or 5 times a power of ten, and how many decimals its multiples need.
fn tick_step(low: f64, high: f64, target: usize) -> (f64, usize) {
    #[allow(clippy::cast_precision_loss, reason = "a handful of ticks")]
    let rough = (high - low) / target.max(1) as f64;
    for exponent in -12_i32..=15 {
        for factor in [1.0, 2.0, 5.0] {
            let step = factor * power_of_ten(exponent);
            if step >= rough * 0.999 {
                return (step, usize::try_from(-exponent).unwrap_or(0));
            }
        }
    }
    (1e15, 0)
}

fn power_of_ten(exponent: i32) -> f64 {
    let size = (0..exponent.unsigned_abs()).fold(1.0, |product, _| product * 10.0);
    if exponent < 0 { 1.0 / size } else { size }
}

/// The decimal logarithm of a positive number by its exponent and the series of the inverse hyperbolic tangent.
fn log10(value: f64) -> f64 {
    const LN_2: f64 = std::f64::consts::LN_2;
    let (mut mantissa, mut exponent) = (value, 0.0);
    while mantissa >= 1.5 {
        mantissa *= 0.5;
        exponent += 1.0;
    }
    while mantissa < 0.75 {
        mantissa *= 2.0;
        exponent -= 1.0;
    }
    let ratio = (mantissa - 1.0) / (mantissa + 1.0);
    let square = ratio * ratio;
    let (mut term, mut sum, mut odd) = (ratio, 0.0, 1.0);
    for _ in 0..20 {
        sum += term / odd;
        term *= square;
        odd += 2.0;
    }
    (2.0 * sum + exponent * LN_2) / std::f64::consts::LN_10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_logarithm_agrees_with_the_library() {
        for value in [1e-9, 0.02, 0.5, 0.75, 1.0, 1.49, 1.5, 2.0, 8.0, 1234.5, 9.9e11] {
            assert!((log10(value) - f64::log10(value)).abs() < 1e-12, "{value}");
        }
    }

    #[test]
    fn ticks_are_round_and_ends_are_covered() {
        let scale = Scale::linear((0.03, 0.47), 0.0, 100.0);
        let labels: Vec<String> = scale.ticks(5).into_iter().map(|t| t.1).collect();
        assert_eq!(labels, ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5"]);
        assert!((scale.at(0.0) - 0.0).abs() < 1e-9 && (scale.at(0.5) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn a_single_value_still_has_an_axis() {
        let scale = Scale::linear((0.3, 0.3), 0.0, 100.0);
        assert!(scale.at(0.3).is_finite() && scale.ticks(4).len() > 1);
    }

    #[test]
    fn a_logarithmic_scale_ticks_at_decades_only() {
        let (low, high) = decade_ends((0.5, 42.0));
        let scale = Scale::logarithmic((low, high), 0.0, 300.0);
        let labels: Vec<String> = scale.ticks(9).into_iter().map(|t| t.1).collect();
        assert_eq!(labels, ["0.1", "1", "10", "100"]);
        assert!((scale.at(1.0) - 100.0).abs() < 1e-9);
    }
}
