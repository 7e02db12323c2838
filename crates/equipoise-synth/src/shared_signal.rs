//! Signals between platforms: the linkage token of an account that was acted on or confirmed is matched elsewhere, and the
//! other platform verifies by a review of its own before it confirms (the rule of the Lantern programme). Tokens are
//! noisy, so that a signal can miss and can name somebody else. A signal is never passed on again.

use crate::simulation::Simulation;
use equipoise_core::{DAY, Draw, LabelSource, LabelStatus};
use std::sync::OnceLock;

/// Accounts of every platform by token, made when the first signal needs it.
#[derive(Clone, Debug, Default)]
pub(crate) struct TokenIndex(OnceLock<Vec<Vec<(u64, u32)>>>);

impl TokenIndex {
    /// Accounts of a platform that carry `token`.
    pub(crate) fn carriers<'a>(
        &'a self,
        tokens: &[Vec<u64>],
        platform: usize,
        token: u64,
    ) -> impl Iterator<Item = u32> + 'a {
        let index = self.0.get_or_init(|| {
            let sorted = |list: &Vec<u64>| {
                let mut pairs: Vec<(u64, u32)> = list.iter().copied().zip(0_u32..).collect();
                pairs.sort_unstable();
                pairs
            };
            tokens.iter().map(sorted).collect()
        });
        let first = index[platform].partition_point(|(other, _)| *other < token);
        index[platform][first..].iter().take_while(move |(other, _)| *other == token).map(|(_, at)| *at)
    }
}

impl Simulation<'_> {
    /// Sends the signal of an account to every other platform. The accounts there stay open, as after a confirmation by
    /// the police: what follows is not modelled.
    #[allow(clippy::cast_possible_truncation)]
    pub(crate) fn share(&mut self, platform: usize, account: u32, at: i32) {
        let world = self.world;
        let rules = &world.spec.moderation;
        let address =
            self.seeds.review.derive("signal", platform as u64).derive("account", u64::from(account));
        let mut rng = address.derive("at", u64::from(at.unsigned_abs())).rng();
        if !rng.chance(rules.share.p()) || at >= self.end {
            return;
        }
        let token = world.tokens()[platform][account as usize];
        for other in (0..world.sites.len()).filter(|other| *other != platform) {
            for carrier in world.token_index.carriers(world.tokens(), other, token) {
                let mut rng = address.derive("to", (other as u64) << 32 | u64::from(carrier)).rng();
                let found = &world.sites[other].accounts[carrier as usize];
                let verify = if found.harmful.is_some() { &rules.verify } else { &rules.verify_wrong };
                let status =
                    if rng.chance(verify.p()) { LabelStatus::Confirmed } else { LabelStatus::Cleared };
                let days = rng.log_normal(rules.share_days.get(), rules.share_sigma.get()).min(3_000.0);
                let known = at
                    .saturating_add((days * f64::from(DAY)) as i32)
                    .max(self.sites[other].created(carrier).saturating_add(1));
                let closed = self.sites[other].closed_at[carrier as usize];
                if known < closed {
                    self.learn(other, carrier, known, status, LabelSource::SharedSignal);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carriers_are_those_with_the_same_token() {
        let tokens = vec![vec![7, 3, 7], vec![3]];
        let index = TokenIndex::default();
        assert_eq!(index.carriers(&tokens, 0, 7).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(index.carriers(&tokens, 1, 3).collect::<Vec<_>>(), [0]);
        assert_eq!(index.carriers(&tokens, 1, 7).count(), 0);
    }
}
