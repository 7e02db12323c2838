//! Accountants: from what was released to (epsilon, delta).
//!
//! Renyi accounting of the Poisson-subsampled Gaussian, its calibration, the exact analytic Gaussian, and zCDP helpers.
//! Accountants of privacy-loss distributions and of accounts in K rows are not here yet.

mod calibrate;
mod convert;
mod gaussian;
mod renyi;
mod subsampled;

pub use calibrate::{AccountError, calibrate_noise_multiplier};
pub use convert::{EpsilonAt, rdp_delta, rdp_epsilon, zcdp_epsilon, zcdp_epsilon_loose, zcdp_rho};
pub use gaussian::{gaussian_delta, gaussian_epsilon, gaussian_noise_multiplier, log_normal_cdf};
pub use renyi::RdpAccountant;
pub use subsampled::{orders, rdp_curve};
