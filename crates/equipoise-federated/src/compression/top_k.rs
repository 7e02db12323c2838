//! Top-k with error feedback: Stich, Cordonnier, Jaggi, "Sparsified SGD with Memory", NeurIPS 2018, algorithm 1; the memory goes back to
//! Seide, Fu, Droppo, Li, Yu, "1-bit SGD", Interspeech 2014, and Karimireddy, Rebjock, Stich, Jaggi, "Error Feedback Fixes `SignSGD`",
//! ICML 2019, show that without it a biased choice need not converge.
//!
//! It is for platforms, which come back: an account that takes part once never sends what it kept, and a federation of accounts would
//! hold one vector for each of them.

use super::sparse::Sparsifier;
use serde::{Deserialize, Serialize};

/// Sends the largest coordinates of the update and of what earlier rounds left behind; the rest waits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopK {
    /// Share of the coordinates, above 0 and at most 1.
    pub share: f64,
}

impl Sparsifier for TopK {
    fn name(&self) -> &'static str {
        "top-k"
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    fn keeps(&self, len: usize) -> usize {
        ((self.share * len as f64).ceil() as usize).clamp(1, len.max(1))
    }

    fn check(&self) -> Result<(), String> {
        if self.share > 0.0 && self.share <= 1.0 {
            Ok(())
        } else {
            Err(format!("share: must be above 0 and at most 1, got {}", self.share))
        }
    }

    fn send(&self, mut update: Vec<f32>, behind: &mut Vec<f32>) -> Vec<f32> {
        behind.resize(update.len(), 0.0);
        update.iter_mut().zip(&*behind).for_each(|(value, waited)| *value += waited);
        let mut order: Vec<usize> = (0..update.len()).collect();
        let kept = self.keeps(update.len());
        if kept < order.len() {
            // Ties go to the coordinate that stands first, so that the choice is a function of the values.
            order.select_nth_unstable_by(kept, |&a, &b| {
                update[b].abs().total_cmp(&update[a].abs()).then(a.cmp(&b))
            });
        }
        let mut sent = vec![0.0; update.len()];
        for &at in order.iter().take(kept) {
            sent[at] = std::mem::take(&mut update[at]);
        }
        *behind = update;
        sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_of_five_leave_and_the_rest_waits_until_it_is_large() {
        let top = TopK { share: 0.4 };
        let mut behind = Vec::new();
        assert_eq!(top.send(vec![1.0, -3.0, 2.0, 0.0, -2.0], &mut behind), [0.0, -3.0, 2.0, 0.0, 0.0]);
        assert_eq!(behind, [1.0, 0.0, 0.0, 0.0, -2.0], "of two of one size the first leaves");
        assert_eq!(top.send(vec![1.5, 0.5, 0.0, 0.0, -1.0], &mut behind), [2.5, 0.0, 0.0, 0.0, -3.0]);
        assert_eq!(behind, [0.0, 0.5, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_share_that_is_none_is_named() {
        for share in [0.0, 1.1, f64::NAN] {
            assert!(TopK { share }.check().unwrap_err().starts_with("share"));
        }
        assert_eq!(TopK { share: 1.0 }.check(), Ok(()));
    }
}
