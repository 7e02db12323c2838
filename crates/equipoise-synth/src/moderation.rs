//! Reports, reviews, the police: how a platform comes to know something, late, in part and sometimes wrongly.

use crate::dyad::Dyad;
use crate::roles::Role;
use crate::simulation::{Filed, Simulation};
use equipoise_core::{
    AccountId, CounterRng, DAY, Draw, KnownLabel, LabelSource, LabelStatus, ReportCategory, SimTime,
};

impl Simulation<'_> {
    fn learn(&mut self, platform: usize, account: u32, at: i32, status: LabelStatus, source: LabelSource) {
        if at < self.end {
            let account = AccountId(account);
            self.labels[platform].push(KnownLabel { account, known_at: SimTime(at), status, source });
        }
    }

    /// Notes a report and decides it, with delay; an actioned account is closed from the decision on.
    pub(crate) fn review(&mut self, platform: usize, report: Filed) {
        let world = self.world;
        let (by, about, at) = (report.by, report.about, report.time);
        self.learn(platform, about, at, LabelStatus::Reported, LabelSource::UserReport);
        let address = self.seeds.review.derive("platform", platform as u64);
        let pair = (u64::from(by) << 32) | u64::from(about);
        let mut rng = address.derive("pair", pair).derive("at", u64::from(at.unsigned_abs())).rng();
        let rules = &world.spec.moderation;
        let minutes = rng.log_normal(rules.review_minutes.get(), rules.review_sigma.get()).min(60_000.0);
        #[allow(clippy::cast_possible_truncation)]
        let decided = (self.tick + 1) * self.tick_seconds + (minutes * 60.0) as i32;
        if self.sites[platform].closed_at[about as usize] <= decided {
            return;
        }
        let p = if report.detail == ReportCategory::ChildSafety as u8 {
            match world.sites[platform].role_of[about as usize] {
                crate::world::NONE => rules.action.value.matched.get(),
                role => world.roles[role as usize].theta.action,
            }
        } else {
            rules.action_other.p()
        };
        let action = rng.chance(p);
        let status = if action { LabelStatus::Actioned } else { LabelStatus::Cleared };
        self.learn(platform, about, decided, status, LabelSource::UserReport);
        if action {
            self.close(platform, about, decided);
        }
    }

    /// Closes an account: nothing of it from `at` on.
    pub(crate) fn close(&mut self, platform: usize, account: u32, at: i32) {
        let live = &mut self.sites[platform];
        let closed = &mut live.closed_at[account as usize];
        if at < self.end && *closed == i32::MAX {
            self.bans += 1;
        }
        *closed = (*closed).min(live.queue.floor(at));
    }

    /// A harmful dyad with a child may be confirmed from outside, much later. The account stays open: what follows a
    /// confirmation is not modelled, so that the silence afterwards tells nothing.
    pub(crate) fn police(&mut self, role: &Role, dyad: &Dyad, at: i32, rng: &mut CounterRng) {
        let world = self.world;
        let rules = &world.spec.moderation;
        let platform = usize::from(role.platform);
        let site = &world.sites[platform];
        let child = world.people[site.accounts[dyad.target as usize].person as usize].band.is_minor();
        let confirmed = rng.chance(rules.police.p());
        let wrong = rng.chance(rules.wrong_confirmation.p());
        let days = rng.log_normal(rules.police_days.get(), rules.police_sigma.get()).min(3_000.0);
        let other = rng.below(site.accounts.len());
        if !(role.harmful && child && dyad.contacted.is_some() && confirmed) {
            return;
        }
        #[allow(clippy::cast_possible_truncation)]
        let known =
            at.max((self.tick + 1) * self.tick_seconds).saturating_add((days * f64::from(DAY)) as i32);
        #[allow(clippy::cast_possible_truncation)]
        let about = if wrong && site.accounts[other].harmful.is_none() { other as u32 } else { role.account };
        self.learn(platform, about, known, LabelStatus::Confirmed, LabelSource::Police);
    }
}
