//! Most dyads in most ticks say nothing, and a bound knows it before anything is computed.
//!
//! The number of a dyad's conversations in a tick is Poisson by inversion, its mean a rate times the day's own log-normal
//! factor. Of the three uniform draws behind it, the first two bound the factor from above (a table over equal cells), and
//! `e^-m >= 1 - m + m^2/2 - m^3/6`; a third draw below that is a zero, whatever the exact factor. Law (a test): a tick that the
//! bound calls silent is silent when it is drawn in full. The converse is not promised: at most one tick in twelve is
//! silent and drawn all the same.

use equipoise_core::{CounterRng, Draw};
use std::f64::consts::TAU;

/// Spread of a dyad's day around its rate, on the log scale.
pub(crate) const SIGMA: f64 = 0.6;
/// Cells of either draw.
const CELLS: usize = 64;
/// What rounding may add, many times over.
const MARGIN: f64 = 1.0 + 1e-9;

/// Upper bounds of the factor by the cells of its two draws.
#[derive(Clone, Debug)]
pub(crate) struct Lull(Vec<f32>);

#[allow(clippy::cast_precision_loss)]
fn edge(cell: usize) -> f64 {
    cell as f64 / CELLS as f64
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn cell(uniform: f64) -> usize {
    ((uniform * CELLS as f64) as usize).min(CELLS - 1)
}

impl Lull {
    pub(crate) fn new() -> Self {
        let radius = |u: f64| libm::sqrt(-2.0 * libm::log(u));
        let most = |(row, column): (usize, usize)| {
            // The radius falls with its draw; a cosine over less than a half-turn has its largest value at an end, but for
            // the cells beside the full turn, whose ends are there.
            let [far, near] = [radius(edge(row)), radius(edge(row + 1))];
            let cosine = libm::cos(TAU * edge(column)).max(libm::cos(TAU * edge(column + 1)));
            let factor = libm::exp(SIGMA * cosine * if cosine > 0.0 { far } else { near });
            #[allow(clippy::cast_possible_truncation, reason = "rounded up")]
            (factor as f32).next_up()
        };
        let all = (0..CELLS).flat_map(|row| (0..CELLS).map(move |column| (row, column)));
        Self(all.map(most).collect())
    }

    /// Whether a tick whose mean lies below `most` times the day's factor is silent for sure; `rng` stands before its draws.
    pub(crate) fn silent(&self, most: f64, rng: &CounterRng) -> bool {
        let mut ahead = rng.clone();
        let (radius, angle) = (ahead.uniform_open(), ahead.uniform());
        let mean = most * f64::from(self.0[CELLS * cell(radius) + cell(angle)]) * MARGIN;
        // A mean above 30 is another draw; below 2 the cubic is positive or nearly so.
        mean < 2.0 && ahead.uniform() < 1.0 - mean * (1.0 - mean * (0.5 - mean / 6.0)) - 1e-9
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::Seed;

    fn drawn(mean: f64, rng: &mut CounterRng) -> u32 {
        let today = rng.log_normal(1.0, SIGMA);
        rng.poisson(mean * today)
    }

    #[test]
    fn what_the_bound_calls_silent_is_silent_and_it_misses_few() {
        let (lull, seed) = (Lull::new(), Seed::root(8));
        for mean in [1e-4, 0.01, 0.1, 0.4, 1.0, 3.0] {
            let (mut silent, mut seen) = (0_u32, 0_u32);
            for index in 0..40_000 {
                let rng = seed.derive("dyad", index).rng();
                let none = drawn(mean, &mut rng.clone()) == 0;
                silent += u32::from(none);
                if lull.silent(mean, &rng) {
                    assert!(none, "mean {mean}, draw {index}");
                    seen += 1;
                }
            }
            let missed = f64::from(silent - seen) / 40_000.0;
            assert!(missed < 0.08, "at mean {mean} the bound misses {missed} of all ticks");
        }
    }

    /// The factor at the corners and middles of every cell lies below the bound.
    #[test]
    fn the_table_lies_above_the_factor() {
        let lull = Lull::new();
        for (place, most) in lull.0.iter().enumerate() {
            let (row, column) = (place / CELLS, place % CELLS);
            for (down, across) in [(1e-6, 1e-6), (1e-6, 1.0 - 1e-6), (1.0 - 1e-6, 1e-6), (0.5, 0.5)] {
                let at = |cell: usize, within: f64| edge(cell) + within / 64.0;
                let normal =
                    libm::sqrt(-2.0 * libm::log(at(row, down))) * libm::cos(TAU * at(column, across));
                assert!(libm::exp(SIGMA * normal) <= f64::from(*most), "cell {row} {column}");
            }
        }
    }
}
