//! The logistic functions, from `libm`, so that every machine computes the same bytes.

/// The logistic function, without overflow at either end.
#[inline]
pub(crate) fn sigmoid(logit: f32) -> f32 {
    let e = libm::expf(-logit.abs());
    if logit >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
}

/// Binary cross-entropy of a logit against `label`, and its derivative by the logit.
#[inline]
pub(crate) fn cross_entropy(logit: f32, label: f32) -> (f32, f32) {
    let e = libm::expf(-logit.abs());
    let probability = if logit >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) };
    (logit.max(0.0) - logit * label + libm::log1pf(e), probability - label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logistic_function_saturates_without_overflow() {
        assert_eq!((sigmoid(0.0), sigmoid(200.0), sigmoid(-200.0)), (0.5, 1.0, 0.0));
        assert!(sigmoid(f32::NAN).is_nan());
        assert_eq!((sigmoid(f32::INFINITY), sigmoid(f32::NEG_INFINITY)), (1.0, 0.0));
    }

    #[test]
    fn the_loss_of_a_coin_is_the_logarithm_of_two() {
        let (loss, slope) = cross_entropy(0.0, 1.0);
        assert!((loss - std::f32::consts::LN_2).abs() < 1e-7);
        assert!((slope + 0.5).abs() < 1e-7);
        assert!((cross_entropy(-100.0, 1.0).0 - 100.0).abs() < 1e-4);
    }
}
