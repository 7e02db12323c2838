//! The laws of both seams, as functions: run over `examples()` and over wrong implementations that they must reject.

use crate::infer::{Infer, ReleasedModelView};
use crate::poison::Poison;
use equipoise_core::Seed;
use equipoise_federated::laws::{outgoing_integers, random_integers, unit_quantizer};

/// Finite; a function of the view; never calls the better fit less likely.
///
/// # Errors
/// Names the law that does not hold.
pub fn check_infer(attack: &dyn Infer) -> Result<(), String> {
    let name = attack.name();
    let mut last = f64::INFINITY;
    for loss in [0.0, 0.1, 0.7, 5.0, f32::MAX, f32::INFINITY] {
        let seen = ReleasedModelView { loss, score: 0.3 };
        let score = attack.score(&seen);
        if !score.is_finite() {
            return Err(format!("`{name}` gives a score that is not a number"));
        }
        if score.to_bits() != attack.score(&seen).to_bits() {
            return Err(format!("`{name}` is not a function of its view"));
        }
        if score > last {
            return Err(format!("`{name}` calls the worse fit more likely"));
        }
        last = score;
    }
    Ok(())
}

/// Keeps what the protocol checks, stays in range, is replayable.
///
/// # Errors
/// Names the law that does not hold.
pub fn check_poison(attack: &dyn Poison, seed: Seed) -> Result<(), String> {
    let name = attack.name();
    let honest = outgoing_integers(3, 1, 4, &random_integers(seed, 32));
    let sent = attack.tamper(honest.clone(), seed);
    let header = |update: &equipoise_privacy::OutgoingUpdate| {
        (update.round(), update.client(), update.weight(), update.values().len())
    };
    if header(&sent) != header(&honest) {
        return Err(format!("`{name}` changes what the protocol checks"));
    }
    let bound = 4 * unit_quantizer().max_integer();
    if sent.values().iter().any(|value| value.abs() > bound) {
        return Err(format!("`{name}` sends values that no honest client can send"));
    }
    if attack.tamper(honest, seed).values() != sent.values() {
        return Err(format!("`{name}` is not replayable"));
    }
    Ok(())
}
