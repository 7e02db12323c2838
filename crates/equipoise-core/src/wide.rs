//! Loops over long flat arrays at the width that the machine has. The compiler lays a plain loop side by side at the width that
//! every machine of the target has (128 bits on x86-64); inside [`wide`] it compiles the loop for the wider ones as well
//! and chooses when the program runs. The bytes are the same: no sum is reordered and no product joined with a sum, since
//! neither the language nor this function permits it.

/// Runs `work`, compiled for each width, at the widest that this machine has. For loops of hundreds of numbers; `work` should be
/// one loop and call nothing that is not inlined.
#[inline]
pub fn wide<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}

#[cfg(test)]
mod tests {
    use super::wide;

    #[test]
    #[allow(clippy::float_cmp)]
    fn the_bytes_are_those_of_the_plain_loop() {
        let values: Vec<f32> = (0_u16..1003).map(|i| (f32::from(i) * 0.37).sin()).collect();
        let lanes = |values: &[f32]| {
            let mut lanes = [0.0_f64; 8];
            for eight in values.chunks_exact(8) {
                for (lane, &v) in lanes.iter_mut().zip(eight) {
                    *lane += f64::from(v) * f64::from(v);
                }
            }
            lanes
        };
        assert_eq!(wide(|| lanes(&values)), lanes(&values));
    }
}
