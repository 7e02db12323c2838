//! The noise and the epsilon of a Gaussian mechanism by the exact accountant, and by Renyi's where its transform would not fit.
//! (A delta below 1e-10, which the transform's own rounding reaches, is none that [`Delta`] takes.)
//!
//! Both are pure functions that take tenths of seconds, and an experiment asks the same question for every arm, candidate and
//! world. So answers are kept for the life of the process; nothing but time depends on it.

use crate::{
    AccountError, PrvError, SampledStep, calibrate_exactly, calibrate_step, prv_bracket, prv_estimate,
    rdp_epsilon,
};
use equipoise_core::{Delta, Epsilon, NoiseMultiplier};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Rate, rows, steps, delta, and noise or target.
type Asked = (u64, u32, u32, u64, u64);

static NOISE: Mutex<BTreeMap<Asked, NoiseMultiplier>> = Mutex::new(BTreeMap::new());
static EPSILON: Mutex<BTreeMap<Asked, Accounted>> = Mutex::new(BTreeMap::new());

/// What some steps cost.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Accounted {
    /// The bound for a claim.
    pub(super) epsilon: f64,
    /// What Renyi accounting says.
    pub(super) renyi: f64,
    /// Whether `epsilon` is the upper end of the exact accountant's bracket.
    exact: bool,
}

impl Accounted {
    /// How `epsilon` was found, as the beginning of a sentence's end.
    pub(super) const fn by(&self) -> &'static str {
        if self.exact { "exact accounting (the certified upper end)" } else { "Renyi accounting" }
    }
}

fn remembered<T: Copy, E>(
    memory: &Mutex<BTreeMap<Asked, T>>,
    asked: Asked,
    find: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    let known = |memory: &Mutex<BTreeMap<Asked, T>>| {
        memory.lock().unwrap_or_else(PoisonError::into_inner).get(&asked).copied()
    };
    if let Some(answer) = known(memory) {
        return Ok(answer);
    }
    // Not under the lock: two threads may find the same answer, and it is the same.
    let answer = find()?;
    memory.lock().unwrap_or_else(PoisonError::into_inner).insert(asked, answer);
    Ok(answer)
}

/// The noise at which `steps` steps like `step`, whose own noise is ignored, cost at most `target`.
pub(super) fn calibrate(
    target: Epsilon,
    delta: Delta,
    step: &SampledStep,
    steps: u32,
) -> Result<NoiseMultiplier, AccountError> {
    let asked = (step.rate().to_bits(), step.rows(), steps, delta.get().to_bits(), target.get().to_bits());
    remembered(&NOISE, asked, || match calibrate_exactly(target, delta, step, u64::from(steps)) {
        Ok(calibrated) => Ok(calibrated.noise_multiplier),
        Err(AccountError::TooFine(_)) => calibrate_step(target, delta, step, u64::from(steps)),
        Err(other) => Err(other),
    })
}

/// What `steps` steps like `step` cost.
pub(super) fn account(step: &SampledStep, steps: u32, delta: Delta) -> Accounted {
    let asked = (step.rate().to_bits(), step.rows(), steps, delta.get().to_bits(), step.noise().to_bits());
    let found: Result<_, std::convert::Infallible> = remembered(&EPSILON, asked, || {
        let mut curve = step.rdp_curve();
        curve.iter_mut().for_each(|bound| *bound *= f64::from(steps));
        let renyi = rdp_epsilon(&curve, delta.get()).epsilon;
        Ok(match upper(step, steps, delta).ok().filter(|upper| *upper <= renyi) {
            Some(epsilon) => Accounted { epsilon, renyi, exact: true },
            None => Accounted { epsilon: renyi, renyi, exact: false },
        })
    });
    let Ok(accounted) = found;
    accounted
}

/// The upper end of the tightest bracket that fits into memory. A twentieth of a small epsilon is what calibration allows itself.
fn upper(step: &SampledStep, steps: u32, delta: Delta) -> Result<f64, PrvError> {
    let steps = u64::from(steps);
    let fine = (0.05 * prv_estimate(step, steps, delta)?).clamp(1e-4, 0.01);
    let bracket = |error| prv_bracket(step, steps, delta, error).map(|bracket| bracket.upper);
    bracket(fine).or_else(|_| bracket(0.1)).or_else(|_| bracket(1.0))
}
