//! Sending a few coordinates of an update and remembering the others: the seam of compressions that look at the data.
//!
//! Which coordinates leave says what an update is about, and they differ from client to client. So such a choice stands beside a visible
//! rule ([`crate::Aggregation::Chosen`]) and nowhere else: a hidden sum would have to add all coordinates anyway or tell the server which
//! ones came from whom, and no guarantee of differential privacy bounds what one account did to a memory that spans rounds.

use equipoise_privacy::{OutgoingUpdate, Quantizer};

/// Chooses, on each client for itself, which coordinates of an update leave.
///
/// Laws (see [`crate::laws::check_sparsifier`]): at most [`Sparsifier::keeps`] coordinates leave; what leaves and what stays are together
/// the update and what had stayed before, to the bit; what stays is shorter than the whole by at least the share that may leave
/// (`|rest|^2 <= (1 - k / d) |whole|^2`, the contraction that the convergence proofs of error feedback ask for); the same input gives
/// the same output.
pub trait Sparsifier: Send + Sync {
    /// The name in files and reports.
    fn name(&self) -> &'static str;
    /// How many coordinates of `len` may leave.
    fn keeps(&self, len: usize) -> usize;
    /// What cannot be right about it.
    ///
    /// # Errors
    /// Begins with the key that mends it.
    fn check(&self) -> Result<(), String>;
    /// Runs on the platform: what leaves of `update` and of what earlier rounds left `behind` (empty before the first), as long as the
    /// update and zero where nothing leaves. `behind` becomes what stays.
    fn send(&self, update: Vec<f32>, behind: &mut Vec<f32>) -> Vec<f32>;
}

/// On the platform: what the grid rounded away or cut off of `chosen` stays behind too, so that nothing is lost but by the last bit.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // What stays behind is f32 by definition.
pub(crate) fn keep_rounding(
    behind: &mut [f32],
    chosen: &[f32],
    sent: &OutgoingUpdate,
    quantizer: &Quantizer,
) {
    let unit = quantizer.lsb() / f64::from(sent.weight().max(1));
    for ((behind, chosen), sent) in behind.iter_mut().zip(chosen).zip(sent.values()) {
        *behind = (f64::from(*behind) + f64::from(*chosen) - *sent as f64 * unit) as f32;
    }
}

/// Bytes of an update that a server may read: a header of twelve, then its integers side by side at the grid's bits; of a sparse one, an
/// index of as few bits as the length needs before each integer that is not zero.
pub(crate) fn visible_bytes(update: &OutgoingUpdate, bits: u8, sparse: bool) -> u64 {
    let len = update.values().len();
    let (count, index) = if sparse {
        let index = usize::BITS - len.saturating_sub(1).leading_zeros();
        (update.values().iter().filter(|value| **value != 0).count(), u64::from(index))
    } else {
        (len, 0)
    };
    12 + (count as u64 * (u64::from(bits) + index)).div_ceil(8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::outgoing;

    #[test]
    fn bytes_are_those_of_packed_integers_and_of_pairs() {
        let update = outgoing(1, 1, &[0, 3, 0, 0, -2, 0, 0, 0, 0]);
        assert_eq!(visible_bytes(&update, 12, false), 12 + 14, "nine of twelve bits are 108 bits");
        assert_eq!(visible_bytes(&update, 12, true), 12 + 4, "two of twelve bits and four of index");
    }

    #[test]
    fn what_the_grid_cut_stays_behind() {
        let grid = Quantizer { clip_abs: 2047.0, bits: 12 };
        let (mut behind, chosen) = (vec![0.5, 0.0], [3.0, 0.0]);
        keep_rounding(&mut behind, &chosen, &outgoing(0, 2, &[2, 0]), &grid);
        assert_eq!(behind, [1.5, 0.0]);
    }
}
