//! The case: one account, or one person, over one test period, with what was scored, what was true and what was done.
//! Cases are not serialisable on purpose: score and truth of one account stay together in memory of the runner only.

use equipoise_core::{AccountId, DAY, PlatformId, RiskScore, SimTime};
use std::collections::BTreeMap;

/// The archetype code of an account without a simulated harmful pattern.
pub const NO_ARCHETYPE: u8 = 0;

/// First contact of each child, sorted by time. The child key is opaque and must mean the same child on every platform.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactTimes(Vec<(SimTime, u32)>);

impl ContactTimes {
    /// Keeps the first contact of each child out of `(child, time)` pairs in any order.
    #[must_use]
    pub fn new(contacts: impl IntoIterator<Item = (u32, SimTime)>) -> Self {
        let mut by_child: Vec<(u32, SimTime)> = contacts.into_iter().collect();
        by_child.sort_unstable();
        by_child.dedup_by_key(|contact| contact.0);
        let mut by_time: Vec<_> = by_child.into_iter().map(|(child, time)| (time, child)).collect();
        by_time.sort_unstable();
        Self(by_time)
    }

    /// Distinct children contacted up to and including `until`.
    #[must_use]
    pub fn until(&self, until: SimTime) -> usize {
        self.0.partition_point(|contact| contact.0 <= until)
    }

    /// `(child, first contact)` in order of time.
    pub fn iter(&self) -> impl Iterator<Item = (u32, SimTime)> + '_ {
        self.0.iter().map(|&(time, child)| (child, time))
    }

    /// Distinct children.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no child was contacted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One account (one person after [`per_person`]) over one test period.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The platform of the account.
    pub platform: PlatformId,
    /// The account on its platform.
    pub account: AccountId,
    /// Opaque grouping key that the runner gives: accounts of one person share it.
    pub person: u32,
    /// The score that ranking metrics sort by.
    pub score: RiskScore,
    /// Whether the account carries a simulated harmful pattern (truth).
    pub harmful: bool,
    /// Which pattern; [`NO_ARCHETYPE`] for none.
    pub archetype: u8,
    /// Code of the benign group, an index into the names that the runner gives.
    pub group: u8,
    /// Whether the holder is truly a minor.
    pub minor: bool,
    /// Account-days of observation in the test period.
    pub active_days: f32,
    /// The first harmful contact.
    pub harm_start: Option<SimTime>,
    /// When it was reviewed and rightly upheld.
    pub identified: Option<SimTime>,
    /// When it was first reviewed.
    pub reviewed: Option<SimTime>,
    /// When a benign account was restricted by an error of the review.
    pub wrongly_restricted_at: Option<SimTime>,
    /// When the platform's own moderation of user reports closed it: a competing risk.
    pub removed: Option<SimTime>,
    /// First contact of each child.
    pub contacts: ContactTimes,
    /// Observation begins.
    pub entered: SimTime,
    /// Observation ends by the calendar (not by identification or removal).
    pub left: SimTime,
}

impl Case {
    /// Distinct children contacted up to identification, or to the end of observation without one.
    #[must_use]
    pub fn children_before_identification(&self) -> usize {
        self.contacts.until(self.identified.map_or(self.left, |at| at.min(self.left)))
    }

    /// Days between a wrong restriction and the end of observation; 0 without one.
    #[must_use]
    pub fn wrongly_restricted_days(&self) -> f64 {
        match self.wrongly_restricted_at {
            Some(at) if !self.harmful => f64::from(self.left.since(at).max(0)) / f64::from(DAY),
            _ => 0.0,
        }
    }

    /// Whether a review came before any harmful contact: too early to be a success.
    #[must_use]
    pub fn reviewed_before_harm(&self) -> bool {
        self.reviewed.is_some_and(|at| self.harm_start.is_none_or(|start| at < start))
    }
}

/// The cases of one test period.
#[derive(Clone, Debug)]
pub struct CaseSet {
    /// One per account.
    pub cases: Vec<Case>,
    /// The test period, `[from, to)`.
    pub window: (SimTime, SimTime),
}

/// Joins the accounts of each person into one case, in order of the person key.
///
/// The highest score and the earliest review count, children are counted once, account-days add up. A person is removed
/// only when the last of their (harmful, if any is) accounts is. Names of platform and account are of the top account.
#[must_use]
pub fn per_person(cases: &[Case]) -> Vec<Case> {
    let mut order: Vec<&Case> = cases.iter().collect();
    order.sort_by_key(|case| (case.person, std::cmp::Reverse(case.score), case.platform, case.account));
    order.chunk_by(|a, b| a.person == b.person).map(join).collect()
}

/// One person's accounts, best score first, as one case.
fn join(accounts: &[&Case]) -> Case {
    let harmful = accounts.iter().any(|case| case.harmful);
    let lead = accounts.iter().find(|case| case.harmful == harmful).expect("a person has an account");
    let earliest = |time: fn(&Case) -> Option<SimTime>| accounts.iter().filter_map(|case| time(case)).min();
    let mut relevant = accounts.iter().filter(|case| case.harmful == harmful);
    let removed = relevant.try_fold(SimTime(i32::MIN), |last, case| case.removed.map(|at| at.max(last)));
    Case {
        platform: lead.platform,
        account: lead.account,
        person: lead.person,
        score: accounts.iter().map(|case| case.score).max().expect("a person has an account"),
        harmful,
        archetype: lead.archetype,
        group: lead.group,
        minor: accounts.iter().any(|case| case.minor),
        active_days: accounts.iter().map(|case| case.active_days).sum(),
        harm_start: earliest(|case| case.harm_start),
        identified: earliest(|case| case.identified),
        reviewed: earliest(|case| case.reviewed),
        wrongly_restricted_at: earliest(|case| case.wrongly_restricted_at),
        removed,
        contacts: ContactTimes::new(accounts.iter().flat_map(|case| case.contacts.iter())),
        entered: accounts.iter().map(|case| case.entered).min().expect("a person has an account"),
        left: accounts.iter().map(|case| case.left).max().expect("a person has an account"),
    }
}

/// The cases for which `keep` holds.
#[must_use]
pub fn slice(cases: &[Case], keep: impl Fn(&Case) -> bool) -> Vec<Case> {
    cases.iter().filter(|case| keep(case)).cloned().collect()
}

/// The cases by a key: platform, archetype, group.
#[must_use]
pub fn slices<K: Ord>(cases: &[Case], key: impl Fn(&Case) -> K) -> BTreeMap<K, Vec<Case>> {
    let mut parts: BTreeMap<K, Vec<Case>> = BTreeMap::new();
    for case in cases {
        parts.entry(key(case)).or_default().push(case.clone());
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::benign;

    fn day(days: i32) -> Option<SimTime> {
        Some(SimTime::from_days(days))
    }

    #[test]
    fn a_child_contacted_from_two_accounts_of_one_person_is_one_child() {
        let at = SimTime::from_days;
        let a = Case { contacts: ContactTimes::new([(5, at(3)), (6, at(9))]), ..benign(0, 1) };
        let b = Case { contacts: ContactTimes::new([(5, at(2)), (7, at(4)), (5, at(8))]), ..benign(1, 1) };
        let joined = per_person(&[a, b]);
        assert_eq!(joined.len(), 1);
        assert_eq!(joined[0].contacts.iter().collect::<Vec<_>>(), [(5, at(2)), (7, at(4)), (6, at(9))]);
    }

    #[test]
    fn a_person_takes_the_highest_score_and_the_earliest_times() {
        let a = Case { score: RiskScore::new(0.2), identified: day(9), reviewed: day(8), ..benign(0, 1) };
        let b = Case {
            score: RiskScore::new(0.7),
            identified: day(4),
            harmful: true,
            archetype: 3,
            ..benign(1, 1)
        };
        let other = benign(2, 2);
        let joined = per_person(&[other, a, b]);
        assert_eq!(joined.len(), 2);
        let person = &joined[0];
        assert_eq!((person.person, person.score, person.identified), (1, RiskScore::new(0.7), day(4)));
        assert_eq!((person.harmful, person.archetype, person.reviewed), (true, 3, day(8)));
        assert!((person.active_days - 60.0).abs() < 1e-6);
    }

    #[test]
    fn a_person_is_removed_only_with_the_last_harmful_account() {
        let harmful = |account, removed| Case { harmful: true, removed, ..benign(account, 1) };
        assert_eq!(per_person(&[harmful(0, day(3)), harmful(1, day(5)), benign(2, 1)])[0].removed, day(5));
        assert_eq!(per_person(&[harmful(0, day(3)), harmful(1, None)])[0].removed, None);
    }

    #[test]
    fn children_are_counted_to_identification_or_to_the_end() {
        let contacts = ContactTimes::new([
            (1, SimTime::from_days(2)),
            (2, SimTime::from_days(4)),
            (3, SimTime::from_days(40)),
        ]);
        let case = Case { contacts, harmful: true, ..benign(0, 0) };
        assert_eq!(case.children_before_identification(), 2, "the test period ends on day 30");
        let identified = |at| Case { identified: day(at), ..case.clone() }.children_before_identification();
        assert_eq!(identified(3), 1);
        assert_eq!(identified(4), 2, "a contact at the very instant still happened");
    }

    #[test]
    fn slices_by_platform_hold_every_case_once() {
        let cases = [benign(0, 0), Case { platform: PlatformId(1), ..benign(1, 1) }, benign(2, 2)];
        let parts = slices(&cases, |case| case.platform);
        assert_eq!(parts.values().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(slice(&cases, |case| case.person > 0).len(), 2);
    }
}
