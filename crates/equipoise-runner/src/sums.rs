//! How the sums of an experiment are laid out: one place, so that the check before a run and the run itself agree.

use crate::config::{Experiment, NoiseSpec, PrivacySection};
use equipoise_core::ClipNorm;
use equipoise_federated::VectorSpec;
use equipoise_privacy::{DistributedNoise, DistributedNoiseSpec, Quantizer};
use std::num::NonZeroU32;

/// The vectors of the federated arm at this point.
///
/// # Errors
/// If noise that platforms add cannot be, beginning with the key that mends it.
pub fn vector_spec(e: &Experiment, clients: u32, columns: usize) -> Result<VectorSpec, String> {
    let (len, map) = (e.model.parameters(columns), e.federation.compression.map());
    if e.privacy.epsilon.is_finite() && e.privacy.local_steps().is_none() {
        let len = map.sent(len);
        let noise =
            noise_on_platforms(&e.privacy, e.privacy.clip_norm, e.federation.cohort.minimum, len, clients)?;
        let grid = noise.map_or_else(|| private_quantizer(&e.privacy), |(_, room)| room);
        Ok(private(len, clients, &grid))
    } else {
        let len = map.sent(len * e.federation.local.rule().sends());
        Ok(averaged(len, clients, e.federation.weight_levels, e.federation.quantizer))
    }
}

/// The noise that platforms add to sums of `len` coordinates, and the grid of their sum, with room for it; nothing where noise comes to
/// the opened sum. It is sized for the smallest cohort that is opened, less those that may collude, and for `clip_norm`, what a row is charged
/// with: its clip norm and the rounding of a sum over the largest platform's rows.
///
/// # Errors
/// If it cannot be, beginning with the key that mends it.
#[allow(clippy::cast_precision_loss)] // Counts of draws.
pub fn noise_on_platforms(
    privacy: &PrivacySection,
    clip_norm: ClipNorm,
    minimum: u32,
    len: usize,
    clients: u32,
) -> Result<Option<(DistributedNoise, Quantizer)>, String> {
    let Some((noise, tolerated)) = privacy.noise.and_then(NoiseSpec::on_platforms) else { return Ok(None) };
    let whole =
        |number: u32, key: &str| NonZeroU32::new(number).ok_or_else(|| format!("{key}: must be at least 1"));
    let grid = private_quantizer(privacy);
    let spec = DistributedNoiseSpec {
        noise,
        platforms: whole(minimum, "minimum")?,
        tolerated,
        dimension: whole(u32::try_from(len).unwrap_or(u32::MAX), "model")?,
        scale: 1.0 / grid.lsb(),
        clip_norm,
        rows_per_account: privacy.rows_per_account(),
        epsilon: privacy.epsilon,
        delta: privacy.delta,
        sums: whole(privacy.rounds, "rounds")?,
    };
    let noise = spec.build().map_err(|error| {
        let why = std::error::Error::source(&error).map_or_else(String::new, |why| format!(": {why}"));
        format!("noise: {error}{why}")
    })?;
    let draws = len as f64 * f64::from(clients) * f64::from(privacy.rounds);
    let room = noise
        .room(&grid, draws)
        .ok_or("bits: 32 bits have no room for this noise; lower `bits` for a coarser grid")?;
    Ok(Some((noise, room)))
}

/// Weighted local-epoch updates.
#[must_use]
pub const fn averaged(len: usize, clients: u32, levels: u32, quantizer: Quantizer) -> VectorSpec {
    VectorSpec { len, quantizer, max_weight: levels, max_clients: clients }
}

/// Sums of clipped rows: every platform has weight 1.
#[must_use]
pub fn private(len: usize, clients: u32, quantizer: &Quantizer) -> VectorSpec {
    VectorSpec { len, quantizer: *quantizer, max_weight: 1, max_clients: clients }
}

/// Rows of a platform in one coordinate rarely add up: 64 clip norms are room for batches of thousands. What lies beyond
/// is cut (which does not enlarge the sensitivity) and counted.
const CLIP_NORMS_OF_ROOM: f64 = 64.0;

/// The grid of sums of clipped rows.
#[must_use]
#[allow(clippy::cast_possible_truncation)]
pub fn private_quantizer(privacy: &PrivacySection) -> Quantizer {
    Quantizer { clip_abs: (privacy.clip_norm.get() * CLIP_NORMS_OF_ROOM) as f32, bits: privacy.bits }
}
