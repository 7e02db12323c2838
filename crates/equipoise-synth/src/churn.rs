//! Owners who delete their accounts. The rate is the same for everybody, whatever role an account plays; the log falls
//! silent and says nothing else, so that a silence alone never tells a closing from a leaving.

use crate::rhythm::below;
use crate::simulation::Simulation;
use equipoise_core::{DAY, Draw, SimTime};

impl Simulation<'_> {
    /// Draws who leaves during the day that begins after this tick.
    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn churn(&mut self) {
        let yearly = self.world.spec.drift.churn_per_year.p();
        let hazard = -libm::log(1.0 - yearly.min(1.0 - 1e-12)) / 365.0;
        let now = (self.tick + 1) * self.tick_seconds;
        for (platform, site) in self.world.sites.iter().enumerate() {
            let address = self.seeds.review.derive("churn", platform as u64);
            let mut rng = address.derive("day", u64::from((now / DAY).unsigned_abs())).rng();
            for _ in 0..rng.poisson(hazard * site.residents as f64) {
                let account = rng.below(site.residents);
                let live = &mut self.sites[platform];
                let at = live.queue.floor(now + below(&mut rng, DAY));
                if site.accounts[account].created < at && live.closed_at[account] == i32::MAX {
                    live.closed_at[account] = at;
                    self.truth.platforms[platform].accounts[account].left = Some(SimTime(at));
                }
            }
        }
    }
}
