//! Accountants: from what was released to (epsilon, delta).
//!
//! Renyi accounting of the Poisson-subsampled Gaussian, the exact distribution of its privacy loss by Fourier transform, both
//! for units in one row or in up to K, the analytic Gaussian, zero-concentrated privacy, sums of discrete noise, and
//! calibration for each.

mod calibrate;
mod cells;
mod compose;
mod convert;
mod discrete;
mod dominating;
mod fourier;
mod gaussian;
mod lattice;
mod moment;
mod prv;
mod renyi;
mod rounded;
mod sandwich;
mod single;
mod step;
mod subsampled;
#[cfg(test)]
mod two_levels;

pub(crate) use calibrate::calibrate_beside;
pub use calibrate::{
    AccountError, Calibrated, calibrate_discrete, calibrate_exactly, calibrate_noise_multiplier,
    calibrate_step, calibrate_zcdp,
};
pub use convert::{EpsilonAt, rdp_delta, rdp_epsilon, zcdp_epsilon, zcdp_epsilon_loose, zcdp_rho};
pub use discrete::{DiscreteSum, IntegerNoise, RoundedLength};
pub use gaussian::{gaussian_delta, gaussian_epsilon, gaussian_noise_multiplier, log_normal_cdf};
pub use prv::{EpsilonBracket, PrvError, prv_bracket, prv_estimate};
pub use renyi::RdpAccountant;
pub use step::{MOST_ROWS, SampledStep, TooManyRows};
pub use subsampled::{orders, rdp_curve};
