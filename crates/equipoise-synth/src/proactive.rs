//! What a platform finds without a report: its own noisy detector, with a sensitivity and a false-positive rate as
//! parameters, blind to every model of this project. Also child-safety reports of ordinary accounts about ordinary
//! accounts: a review meets mostly such ones, and their number sets the share of reports that end in action.

use crate::contacts::Contacts;
use crate::ordinary::someone;
use crate::rhythm::below;
use crate::roles::Role;
use crate::simulation::Simulation;
use crate::spec::WorldSpec;
use crate::world::{NONE, Site};
use equipoise_core::{
    AccountId, CounterRng, DAY, Draw, Event, EventKind, LabelSource, LabelStatus, ReportCategory, SimTime,
};

/// A probability in 30 days as one of a day, at `factor` times the hazard.
fn daily(p: f64, factor: f64) -> f64 {
    1.0 - libm::pow(1.0 - p.min(1.0 - 1e-12), factor / 30.0)
}

/// By role: the probability of being flagged on a day, once it reached anybody.
pub(crate) fn flagged(spec: &WorldSpec, roles: &[Role]) -> Vec<f64> {
    let factors = &spec.moderation.proactive_platforms.value;
    let factor = |role: &Role| factors[spec.platform[usize::from(role.platform)].archetype as usize];
    roles.iter().map(|role| daily(role.theta.proactive, factor(role))).collect()
}

impl Simulation<'_> {
    /// Lets every platform's detector run once a day, over accounts with a role that came into contact and over the rest.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
    pub(crate) fn detect(&mut self) {
        let world = self.world;
        let rules = &world.spec.moderation;
        let now = (self.tick + 1) * self.tick_seconds;
        let address = self.seeds.review.derive("detector", u64::from(now.unsigned_abs()));
        let factors: Vec<f64> =
            self.sites.iter().map(|s| rules.proactive_platforms.value[s.archetype as usize]).collect();
        for (index, role) in (0_u64..).zip(&world.roles) {
            let met = self.actors[index as usize].met;
            if met && address.derive("role", index).rng().chance(world.flagged[index as usize]) {
                self.flagged(usize::from(role.platform), role.account, role.theta.action, now);
            }
        }
        for (platform, factor) in factors.iter().enumerate() {
            let site = &world.sites[platform];
            let mut rng = address.derive("platform", platform as u64).rng();
            let expected = daily(rules.proactive_ordinary.p(), *factor) * site.residents as f64;
            for _ in 0..rng.poisson(expected) {
                let account = rng.below(site.residents) as u32;
                if site.role_of[account as usize] == NONE {
                    self.flagged(platform, account, rules.action.value.matched.get(), now);
                }
            }
        }
    }

    /// A flag is reviewed as a report is, and leaves a label once decided.
    #[allow(clippy::cast_possible_truncation)]
    fn flagged(&mut self, platform: usize, account: u32, action: f64, now: i32) {
        let rules = &self.world.spec.moderation;
        let address = self.seeds.review.derive("flag", platform as u64).derive("account", u64::from(account));
        let mut rng = address.derive("at", u64::from(now.unsigned_abs())).rng();
        let minutes = rng.log_normal(rules.review_minutes.get(), rules.review_sigma.get()).min(60_000.0);
        let action = rng.chance(action);
        let decided = now + below(&mut rng, DAY) + (minutes * 60.0) as i32;
        let created = self.world.sites[platform].accounts[account as usize].created;
        if created > now || self.sites[platform].closed_at[account as usize] <= decided {
            return;
        }
        let status = if action { LabelStatus::Actioned } else { LabelStatus::Cleared };
        self.learn(platform, account, decided, status, LabelSource::Proactive);
        if action {
            self.close(platform, account, decided);
            self.share(platform, account, decided);
        }
    }

    /// Child-safety reports between ordinary accounts, for the next tick: all that there are, so that the share of reports
    /// with action does not depend on the base rate.
    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn benign_reports(&mut self) {
        let world = self.world;
        let (harm, responses) = (&world.spec.harm, &world.spec.responses);
        let now = (self.tick + 1) * self.tick_seconds;
        let days = f64::from(self.tick_seconds) / f64::from(DAY);
        let prevalence = harm.prevalence.p();
        let harmful = prevalence / (1.0 + prevalence * (1.0 + harm.lookalikes.get()));
        let rate = responses.benign_child_safety.get() / 100.0 * harmful * days;
        for (platform, site) in world.sites.iter().enumerate() {
            let address = self.seeds.respond.derive("benign", platform as u64);
            let mut rng = address.derive("at", u64::from(now.unsigned_abs())).rng();
            for _ in 0..rng.poisson(rate * site.residents as f64) {
                let time = now + below(&mut rng, self.tick_seconds);
                let live = &mut self.sites[platform];
                let pair = (0..20).find_map(|_| ordinary_pair(site, &live.contacts, &mut rng));
                let Some((by, about)) = pair else { continue };
                let mut event = Event::new(SimTime(time), AccountId(by), AccountId(about), EventKind::Report);
                event.detail = ReportCategory::ChildSafety as u8;
                live.queue.push(event);
            }
        }
    }
}

/// An account and one of its contacts, neither of them with a role.
#[allow(clippy::cast_possible_truncation)]
fn ordinary_pair(site: &Site, contacts: &Contacts, rng: &mut CounterRng) -> Option<(u32, u32)> {
    let by = rng.below(site.residents) as u32;
    let about = someone(contacts, by, rng)?;
    let ordinary = [by, about].iter().all(|account| site.role_of[*account as usize] == NONE);
    ordinary.then_some((by, about))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_days_of_the_daily_probability_give_the_monthly_one() {
        let day = daily(0.25, 1.0);
        assert!((1.0 - (1.0 - day).powi(30) - 0.25).abs() < 1e-12);
        assert!(daily(0.25, 0.0).abs() < 1e-15 && daily(0.0, 3.0).abs() < 1e-15);
    }
}
