//! Which designs no other design beats, and how sure that is: membership of the front as the share of bootstrap worlds in
//! which a design is on it. A front of means alone hides that a neighbour may be as good.

use crate::Bootstrap;
use equipoise_core::{Draw, Seed};

/// Whether each point is on the front: no other point is at least as good on every axis and better on one. Equal points are on
/// it together; a point that holds what is no number is not on it.
///
/// # Panics
/// If a point has not one value for each axis.
#[must_use]
pub fn pareto_front(points: &[Vec<f64>], higher_is_better: &[bool]) -> Vec<bool> {
    let gain = |of: &[f64], over: &[f64], axis: usize| {
        if higher_is_better[axis] { of[axis] - over[axis] } else { over[axis] - of[axis] }
    };
    let axes = higher_is_better.len();
    let whole = |point: &Vec<f64>| {
        assert!(point.len() == axes, "a point has one value for each axis");
        point.iter().all(|value| !value.is_nan())
    };
    let beats = |other: &[f64], point: &[f64]| {
        (0..axes).all(|axis| gain(other, point, axis) >= 0.0 || other[axis].total_cmp(&point[axis]).is_eq())
            && (0..axes).any(|axis| gain(other, point, axis) > 0.0)
    };
    let valid: Vec<bool> = points.iter().map(whole).collect();
    let on = |(point, &ok): (&Vec<f64>, &bool)| {
        ok && !points.iter().zip(&valid).any(|(other, &valid)| valid && beats(other, point))
    };
    points.iter().zip(&valid).map(on).collect()
}

/// For each design the share of resamples of the seeds in which its means are on the front. `values[design][axis][seed]`;
/// seeds are drawn jointly for all designs and axes, because they share worlds. `None` unless all have the same seeds.
#[must_use]
#[allow(clippy::cast_precision_loss)] // Counts of seeds and resamples.
pub fn pareto_membership(
    values: &[Vec<Vec<f64>>],
    higher_is_better: &[bool],
    how: &Bootstrap,
    seed: Seed,
) -> Option<Vec<f64>> {
    let seeds = values.first()?.first()?.len();
    let fits = |design: &Vec<Vec<f64>>| {
        design.len() == higher_is_better.len() && design.iter().all(|axis| axis.len() == seeds)
    };
    if seeds == 0 || !values.iter().all(fits) {
        return None;
    }
    let mut times = vec![0_u32; values.len()];
    for resample in 0..how.resamples {
        let mut rng = seed.derive("pareto", u64::from(resample)).rng();
        let drawn: Vec<usize> = (0..seeds).map(|_| rng.below(seeds)).collect();
        let mean = |axis: &Vec<f64>| drawn.iter().map(|&at| axis[at]).sum::<f64>() / seeds as f64;
        let points: Vec<Vec<f64>> = values.iter().map(|design| design.iter().map(mean).collect()).collect();
        for (times, on) in times.iter_mut().zip(pareto_front(&points, higher_is_better)) {
            *times += u32::from(on);
        }
    }
    Some(times.into_iter().map(|times| f64::from(times) / f64::from(how.resamples)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recall up, epsilon down: (.8, 2) beats (.7, 2) and (.8, 4); (.9, 8) and (.8, 2) stay, and so does a copy of it.
    #[test]
    fn a_front_worked_by_hand() {
        let points = [[0.8, 2.0], [0.7, 2.0], [0.9, 8.0], [0.8, 4.0], [0.8, 2.0], [f64::NAN, 0.0]];
        let points: Vec<Vec<f64>> = points.iter().map(|point| point.to_vec()).collect();
        assert_eq!(pareto_front(&points, &[true, false]), [true, false, true, false, true, false]);
        let no_noise = [vec![0.5, f64::INFINITY], vec![0.6, f64::INFINITY]];
        assert_eq!(
            pareto_front(&no_noise, &[true, false]),
            [false, true],
            "two designs without a budget compare"
        );
    }

    /// Design b costs the same and is better by 1 in three of four worlds and worse by 2 in one: its mean wins unless that
    /// one is drawn too often. P(b strictly better) = P(X = 0 or 1 of 4 draws at 1/4) = 81/256 + 108/256; with X drawn times
    /// the sum is (4 - X) - 2X = 4 - 3X, never 0. 4,000 resamples have standard error .0073; the bound is four of them.
    #[test]
    fn membership_is_a_share_of_resamples() {
        let cost = vec![1.0; 4];
        let values = [vec![vec![0.0; 4], cost.clone()], vec![vec![1.0, 1.0, 1.0, -2.0], cost]];
        let how = Bootstrap::new(4000, 0.95).unwrap();
        let got = pareto_membership(&values, &[true, false], &how, Seed::root(8)).unwrap();
        assert!((got[1] - 189.0 / 256.0).abs() < 0.03, "{got:?}");
        assert!((got[0] + got[1] - 1.0).abs() < 1e-12, "never equal, so exactly one is on the front");
        assert_eq!(pareto_membership(&values[..1], &[true], &how, Seed::root(8)), None);
    }
}
