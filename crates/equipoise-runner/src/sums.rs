//! How the sums of an experiment are laid out: one place, so that the check before a run and the run itself agree.

use crate::config::Experiment;
use equipoise_federated::VectorSpec;
use equipoise_privacy::Quantizer;

/// The vectors of the federated arm at this point.
#[must_use]
pub fn vector_spec(e: &Experiment, clients: u32, columns: usize) -> VectorSpec {
    let (len, map) = (e.model.parameters(columns), e.federation.compression.map());
    if e.privacy.epsilon.is_finite() {
        private(map.sent(len), clients, &private_quantizer(&e.privacy))
    } else {
        let len = map.sent(len * e.federation.local.rule().sends());
        averaged(len, clients, e.federation.weight_levels, e.federation.quantizer)
    }
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
pub fn private_quantizer(privacy: &crate::config::PrivacySection) -> Quantizer {
    Quantizer { clip_abs: (privacy.clip_norm.get() * CLIP_NORMS_OF_ROOM) as f32, bits: privacy.bits }
}
