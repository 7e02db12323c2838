//! How a platform comes to know something, late, in part and sometimes wrongly: reviews of reports, the police. The
//! labels are positive-unlabelled by construction: no label means that nobody has found anything, never that an account
//! is benign; an action is a platform's decision, not the truth. Truth lives in another type and another place.

use crate::dyad::Dyad;
use crate::roles::Role;
use crate::simulation::{Filed, Live, Simulation};
use crate::spec_targeting::by_gender;
use crate::world::{NONE, World};
use equipoise_core::{
    AccountId, CounterRng, DAY, Draw, KnownLabel, LabelSource, LabelStatus, ReportCategory, Seed, SimTime,
};

/// The outcome of one review.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decision {
    label: KnownLabel,
    child_safety: bool,
}

impl Live {
    /// Decides a report at once, to take effect after the delay of the review: whoever acts later in the same tick
    /// already meets a closed account. The decision falls into a bucket of its own, after all that came before it: it is later
    /// than its report by at least a second, and holds from the first bucket that begins with it or after it.
    #[allow(clippy::cast_possible_truncation)]
    pub(crate) fn decide(&mut self, world: &World, seed: Seed, platform: usize, report: Filed) {
        let (about, at) = (AccountId(report.about), report.time);
        let source = LabelSource::UserReport;
        let child_safety = report.detail == ReportCategory::ChildSafety as u8;
        let mut push = |known_at: i32, status| {
            let label = KnownLabel { account: about, known_at: SimTime(known_at), status, source };
            self.decisions.push(Decision { label, child_safety });
        };
        push(at, LabelStatus::Reported);
        let pair = (u64::from(report.by) << 32) | u64::from(report.about);
        let address = seed.derive("platform", platform as u64).derive("pair", pair);
        let mut rng = address.derive("at", u64::from(at.unsigned_abs())).rng();
        let rules = &world.spec.moderation;
        let minutes = rng.log_normal(rules.review_minutes.get(), rules.review_sigma.get()).min(60_000.0);
        let decided = at + 1 + (minutes * 60.0) as i32;
        let p = match (child_safety, world.sites[platform].role_of[about.index()]) {
            (false, _) => rules.action_other.p(),
            (true, NONE) => rules.action.value.matched.get(),
            (true, role) => world.roles[role as usize].theta.action,
        };
        if self.closed_at[about.index()] <= decided {
            return;
        }
        let action = rng.chance(p);
        push(decided, if action { LabelStatus::Actioned } else { LabelStatus::Cleared });
        if action {
            self.closed_at[about.index()] = self.queue.ceil(decided);
        }
    }
}

impl Simulation<'_> {
    /// Notes what a platform learns; nothing beyond the window.
    pub(crate) fn learn(
        &mut self,
        platform: usize,
        account: u32,
        at: i32,
        status: LabelStatus,
        source: LabelSource,
    ) {
        if at < self.end {
            let account = AccountId(account);
            self.labels[platform].push(KnownLabel { account, known_at: SimTime(at), status, source });
        }
    }

    /// Files this tick's decisions of a platform.
    pub(crate) fn file_decisions(&mut self, platform: usize) {
        let decisions = std::mem::take(&mut self.sites[platform].decisions);
        for Decision { label, child_safety } in &decisions {
            let KnownLabel { account, known_at, status, source } = *label;
            self.learn(platform, account.0, known_at.0, status, source);
            let action = status == LabelStatus::Actioned;
            if *child_safety && status != LabelStatus::Reported {
                self.truth.tally.child_safety_reviews += 1;
                self.truth.tally.child_safety_actions += u64::from(action);
            }
            if action && known_at.0 < self.end {
                self.bans += 1;
                if *child_safety {
                    self.share(platform, account.0, known_at.0);
                }
            }
        }
        self.sites[platform].decisions = decisions;
        self.sites[platform].decisions.clear();
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
        let child = &world.people[site.accounts[dyad.target as usize].person as usize];
        let told = by_gender(rules.police.p(), role.theta.disclose_girls, child.girl);
        let confirmed = rng.chance(told * world.answers.tells(child.band));
        let wrong = rng.chance(rules.wrong_confirmation.p());
        let days = rng.log_normal(rules.police_days.get(), rules.police_sigma.get()).min(3_000.0);
        let other = rng.below(site.residents);
        if !(role.harmful && child.band.is_minor() && dyad.contacted.is_some() && confirmed) {
            return;
        }
        #[allow(clippy::cast_possible_truncation)]
        let known =
            at.max((self.tick + 1) * self.tick_seconds).saturating_add((days * f64::from(DAY)) as i32);
        #[allow(clippy::cast_possible_truncation)]
        let about = if wrong && site.accounts[other].harmful.is_none() { other as u32 } else { role.account };
        self.learn(platform, about, known, LabelStatus::Confirmed, LabelSource::Police);
        self.share(platform, about, known);
    }
}
