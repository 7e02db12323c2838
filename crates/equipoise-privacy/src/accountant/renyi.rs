//! The Renyi accountant: adds up the curves of the events that were released.
//!
//! Valid under fully adaptive composition with a fixed list of orders. It gives an upper bound: the exact epsilon of the
//! same events is typically 5 to 20 % smaller, and much smaller for a single subsampled step.

use super::{EpsilonAt, SampledStep, orders, rdp_curve, rdp_delta, rdp_epsilon};
use crate::DpEvent;
use equipoise_core::{Delta, Fraction, NoiseMultiplier};

/// Adds up what events cost.
///
/// ```
/// use equipoise_core::Delta;
/// use equipoise_privacy::{DpEvent, RdpAccountant};
/// let mut accountant = RdpAccountant::new();
/// accountant.compose(&DpEvent::PoissonGaussian { sampling_rate: 0.01, noise_multiplier: 1.0 }, 10_000);
/// let epsilon = accountant.epsilon(Delta::new(1e-5)?).epsilon;
/// assert!((epsilon - 6.7127).abs() < 1e-4);
/// # Ok::<(), equipoise_core::UnitError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RdpAccountant {
    curve: Vec<f64>,
    /// The last elementary event and its curve.
    last: Option<(DpEvent, Vec<f64>)>,
}

/// The Renyi bounds of one elementary event.
fn one_step(event: &DpEvent) -> Vec<f64> {
    match *event {
        DpEvent::PoissonGaussian { sampling_rate, noise_multiplier } => {
            rdp_curve(sampling_rate, noise_multiplier)
        }
        DpEvent::PoissonGaussianRows { sampling_rate, noise_multiplier, rows } => {
            let rate = Fraction::new(sampling_rate).expect("a sampling rate was not checked");
            let noise = NoiseMultiplier::new(noise_multiplier).expect("a noise multiplier was not checked");
            // More rows than a bound allows are no bound.
            SampledStep::of_rows(rate, noise, rows).map_or_else(|_| unbounded(), |step| step.rdp_curve())
        }
        DpEvent::DiscreteSum(sum) => orders().iter().map(|&a| sum.rdp(a)).collect(),
        DpEvent::ZeroConcentrated { rho } if rho >= 0.0 => orders().iter().map(|a| rho * a).collect(),
        // A negative rho would pay budget back.
        DpEvent::ZeroConcentrated { .. } | DpEvent::None | DpEvent::Repeat { .. } | DpEvent::Compose(_) => {
            unbounded()
        }
    }
}

fn unbounded() -> Vec<f64> {
    vec![f64::INFINITY; orders().len()]
}

impl Default for RdpAccountant {
    fn default() -> Self {
        Self::new()
    }
}

impl RdpAccountant {
    /// An accountant that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self { curve: vec![0.0; orders().len()], last: None }
    }

    /// Adds `event`, `steps` times.
    ///
    /// # Panics
    /// If an event holds a sampling rate outside `[0, 1]` or a noise multiplier that is not positive.
    pub fn compose(&mut self, event: &DpEvent, steps: u32) {
        event.for_each(u64::from(steps), &mut |event, times| self.add(event, times));
    }

    #[allow(clippy::cast_precision_loss, reason = "counts of steps are far below 2^52")]
    fn add(&mut self, event: &DpEvent, times: u64) {
        // Training composes the same step again and again.
        if self.last.as_ref().is_none_or(|(last, _)| last != event) {
            self.last = Some((event.clone(), one_step(event)));
        }
        let step = self.last.iter().flat_map(|(_, curve)| curve);
        self.curve.iter_mut().zip(step).for_each(|(total, one)| *total += times as f64 * *one);
    }

    /// The smallest epsilon over the orders.
    #[must_use]
    pub fn epsilon(&self, delta: Delta) -> EpsilonAt {
        rdp_epsilon(&self.curve, delta.get())
    }

    /// The smallest delta over the orders; 1 if nothing is guaranteed.
    #[must_use]
    pub fn delta(&self, epsilon: f64) -> f64 {
        rdp_delta(&self.curve, epsilon)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::Epsilon;

    /// Events are read from files, where numbers are not checked.
    #[test]
    fn no_event_pays_budget_back() {
        let delta = Delta::new(1e-5).unwrap();
        for rho in [-0.1, f64::NAN, f64::NEG_INFINITY] {
            let mut accountant = RdpAccountant::new();
            accountant.compose(&DpEvent::ZeroConcentrated { rho: 0.2 }, 1);
            accountant.compose(&DpEvent::ZeroConcentrated { rho }, 1);
            assert!(accountant.epsilon(delta).epsilon.is_infinite(), "{rho}");
            let mut ledger = crate::Ledger::new(Epsilon::new(1.0).unwrap(), delta);
            assert!(ledger.debit("a refund", DpEvent::ZeroConcentrated { rho }, None).is_err());
        }
    }
}
