//! The one-run bounds against the reference table (made with scipy and a published implementation; eight digits).
#![allow(clippy::unwrap_used)]

use equipoise_attack::audit::{one_run_epsilon, one_run_epsilon_f_dp};
use equipoise_core::Delta;

#[test]
fn one_run_bounds_agree_with_the_reference_table() {
    let text = include_str!("data/audit_one_run_reference.csv");
    let (mut counted, mut curves) = (0, 0);
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let count = |at: usize| cells[at].parse::<u32>().unwrap();
        let (m, r, v) = (count(0), count(1), count(2));
        let number = |at: usize| cells[at].parse::<f64>();
        let (significance, delta) = (number(3).unwrap(), number(4).unwrap());
        let got = one_run_epsilon(m, r, v, significance, delta);
        assert!((got - number(5).unwrap()).abs() < 2e-6, "{line}: {got}");
        counted += 1;
        // The table's epsilons are roots found to 1e-6.
        if let Ok(want) = number(6) {
            let got = one_run_epsilon_f_dp(m, r, v, significance, Delta::new(delta).unwrap());
            assert!((got - want).abs() < 4e-6, "f-DP, {line}: {got}");
            curves += 1;
        }
    }
    assert_eq!((counted, curves), (57, 38));
}
