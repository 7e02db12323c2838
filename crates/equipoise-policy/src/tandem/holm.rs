//! Holm's correction (1979): adjusted probabilities of a family of tests, without any assumption on how they hang together.

/// Adjusted p values in the order given; a missing one stays missing and does not count in the family.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "families are small")]
pub fn holm(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(f64, usize)> =
        p.iter().enumerate().filter_map(|(at, value)| value.map(|value| (value, at))).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let (mut adjusted, mut largest) = (vec![None; p.len()], 0.0_f64);
    for (rank, (value, at)) in order.iter().enumerate() {
        largest = largest.max((value * (order.len() - rank) as f64).min(1.0));
        adjusted[*at] = Some(largest);
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_tests_by_hand() {
        // Sorted .005, .01, .03, .04, times 4, 3, 2, 1: .02, .03, .06, then .04 is lifted to .06.
        let adjusted = holm(&[Some(0.01), Some(0.04), None, Some(0.03), Some(0.005)]);
        let wanted = [Some(0.03), Some(0.06), None, Some(0.06), Some(0.02)];
        for (got, want) in adjusted.iter().zip(wanted) {
            assert_eq!(got.is_some(), want.is_some());
            assert!((got.unwrap_or(0.0) - want.unwrap_or(0.0)).abs() < 1e-12, "{adjusted:?}");
        }
    }
}
