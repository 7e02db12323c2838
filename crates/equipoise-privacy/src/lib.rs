//! The life of an update (local, clipped, quantised, outgoing), the mechanisms that noise it, and the accountants that say
//! what the noise buys.
//!
//! What this crate claims, it claims in a [`PrivacyClaim`]: a unit, a bound and an adversary. Its first mechanism noises
//! the *opened* sum, so the claim holds against the recipient of the released model and nobody closer.
//! What it does not do: account-level claims for rows whose contribution nobody bounded (they need the occurrence bound K), and
//! hardened floating point (that noise is an idealised real-valued Gaussian in `f64`).
#![forbid(unsafe_code)]
#![warn(clippy::cast_possible_truncation)]

mod accountant;
mod adaptive_clip;
mod claim;
mod contact_sums;
mod distributed;
mod event;
mod integer_noise;
pub mod laws;
mod ledger;
mod mechanism;
mod noise;
mod ownership;
mod plan;
mod poisson_count;
mod quantizer;
mod rounding;
mod sampler;
mod sensitivity;
mod update;

pub use accountant::{
    AccountError, Calibrated, DiscreteSum, EpsilonAt, EpsilonBracket, IntegerNoise, MOST_ROWS, PrvError,
    RdpAccountant, RoundedLength, SampledStep, TooManyRows, calibrate_discrete, calibrate_exactly,
    calibrate_noise_multiplier, calibrate_step, calibrate_zcdp, gaussian_delta, gaussian_epsilon,
    gaussian_noise_multiplier, log_normal_cdf, orders, prv_bracket, prv_estimate, rdp_curve, rdp_delta,
    rdp_epsilon, zcdp_epsilon, zcdp_epsilon_loose, zcdp_rho,
};
pub use adaptive_clip::{AdaptiveClip, AdaptiveClipError, AdaptiveClipSpec};
pub use claim::{
    Adversary, BoundedContribution, ClaimScope, IntegerShares, NoisedSums, PrivacyClaim, RoundsCharged,
};
pub use contact_sums::{ContactSums, Contributions, SumBound};
pub use distributed::{DistributedNoise, DistributedNoiseError, DistributedNoiseSpec};
pub use event::DpEvent;
pub use integer_noise::discrete_gaussian;

pub use ledger::{Ledger, LedgerEntry, LedgerError};
pub use mechanism::{
    AggregatedGaussian, AggregatedGaussianSpec, CentralGaussian, CentralGaussianSpec, LocalGaussian,
    LocalGaussianSpec, Mechanism, MechanismError, MechanismSpec, NoNoise, NoNoiseSpec, NoiseLevel,
};
pub use noise::{NoiseError, NoiseSource};
pub use ownership::{BoundedRows, Ownership, Survivors};
pub use plan::{PlanError, PlannedRun, Sampling};
pub use poisson_count::{poisson, skellam};
pub use quantizer::{Quantizer, QuantizerError};
pub use rounding::Rounding;
pub use sampler::PoissonSampler;
pub use sensitivity::{PrivacyUnit, PrivacyUnitError, Relation, Sensitivity};
pub use update::{ClippedUpdate, LocalUpdate, OutgoingUpdate, QuantizedUpdate};
