//! From scores to cases: each platform spends its review budget on the highest scores, a simulated review decides, and
//! only here do scores, truth and times come together.

use crate::config::Evaluation;
use crate::data::{CaseRows, WorldData, WorldMeta};
use equipoise_core::{AccountId, Budget, DAY, PlatformId, RiskScore, Seed, SimTime};
use equipoise_eval::{Case, ContactTimes};
use equipoise_policy::ReviewQueue;

/// One case a tested account, after all decisions.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub(crate) fn cases(world: &WorldData, scores: &[f32], evaluation: &Evaluation, seed: Seed) -> Vec<Case> {
    let (meta, test) = (&world.meta, &world.test);
    let mut cases = blank_cases(meta, &world.cases);
    rank(world, scores, &mut cases);
    let mut queues: Vec<ReviewQueue> = meta.platforms.iter().map(|_| ReviewQueue::new()).collect();
    let mut row = 0;
    for (decision, &now) in meta.decisions.iter().enumerate() {
        let mut scored: Vec<Vec<(AccountId, RiskScore)>> = vec![vec![]; meta.platforms.len()];
        let mut at: Vec<Vec<(AccountId, u32)>> = vec![vec![]; meta.platforms.len()];
        while row < test.decision.len() && usize::from(test.decision[row]) == decision {
            let case = test.case[row];
            let score = RiskScore::new(scores[row]);
            let entry = &cases[case as usize];
            let platform = entry.platform.index();
            scored[platform].push((entry.account, score));
            at[platform].push((entry.account, case));
            row += 1;
        }
        for (platform, queue) in queues.iter_mut().enumerate() {
            let budget = budget(
                meta.tested[platform],
                evaluation.review_budget.get(),
                now - meta.test_from,
                interval(meta, decision),
            );
            for account in queue.select(&scored[platform], budget) {
                if let Ok(found) = at[platform].binary_search_by_key(&account, |(account, _)| *account) {
                    let case = &mut cases[at[platform][found].1 as usize];
                    review(case, SimTime(now), SimTime(meta.test_until), evaluation, seed);
                }
            }
        }
    }
    cases
}

/// The tested accounts before any decision.
#[must_use]
pub(crate) fn blank_cases(meta: &WorldMeta, cases: &CaseRows) -> Vec<Case> {
    (0..cases.platform.len()).map(|at| blank(meta, cases, at)).collect()
}

/// Gives each case the highest score of its decisions: what ranking metrics sort by.
pub(crate) fn rank(world: &WorldData, scores: &[f32], cases: &mut [Case]) {
    for (case, score) in world.test.case.iter().zip(scores) {
        let entry = &mut cases[*case as usize];
        entry.score = entry.score.max(RiskScore::new(*score));
    }
}

/// Seconds from a decision to the next one, or to the end.
fn interval(meta: &WorldMeta, decision: usize) -> i32 {
    meta.decisions.get(decision + 1).copied().unwrap_or(meta.test_until) - meta.decisions[decision]
}

/// Whole reviews that fall due between a decision and the next: the daily share accrues, fractions carry over.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn budget(accounts: u32, daily: f64, elapsed: i32, interval: i32) -> Budget {
    let due =
        |seconds: i32| (f64::from(accounts) * daily * f64::from(seconds) / f64::from(DAY)).floor() as u32;
    Budget(due(elapsed + interval) - due(elapsed))
}

fn blank(meta: &WorldMeta, c: &CaseRows, at: usize) -> Case {
    let (platform, account) = (PlatformId(c.platform[at]), AccountId(c.account[at]));
    let (entered, left) = (c.entered[at], c.removed[at].min(meta.test_until));
    let contacts = c.contact_offsets[at] as usize..c.contact_offsets[at + 1] as usize;
    let contacts = contacts.map(|i| (c.contact_child[i], SimTime(c.contact_time[i])));
    let time = |value: i32| (value != i32::MAX).then_some(SimTime(value));
    #[allow(clippy::cast_precision_loss)]
    Case {
        platform,
        account,
        person: c.person[at],
        score: RiskScore::new(0.0),
        harmful: c.archetype[at] != 0,
        archetype: c.archetype[at],
        group: c.group[at],
        minor: c.minor[at],
        active_days: (left - entered).max(0) as f32 / DAY as f32,
        harm_start: time(c.harm_start[at]),
        identified: None,
        reviewed: None,
        wrongly_restricted_at: None,
        removed: time(c.removed[at]).filter(|at| at.0 < meta.test_until),
        contacts: ContactTimes::new(contacts),
        entered: SimTime(entered),
        left: SimTime(meta.test_until),
    }
}

/// One simulated review. The reviewer sees what has happened so far: an account whose harmful contact has not begun is
/// judged as a benign one.
fn review(case: &mut Case, now: SimTime, until: SimTime, evaluation: &Evaluation, seed: Seed) {
    case.reviewed = Some(now);
    let begun = case.harmful && case.harm_start.is_some_and(|start| start <= now);
    let address =
        seed.derive("review", case.platform.index() as u64).derive("account", case.account.index() as u64);
    let review = evaluation.reviewer.decide(begun, address);
    let at = now.plus(review.delay_seconds);
    let open = at < until && case.removed.is_none_or(|removed| at < removed);
    if review.upheld && open {
        if begun {
            case.identified = Some(at);
        } else if !case.harmful {
            case.wrongly_restricted_at = Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_of_a_review_carry_over() {
        let total: u32 = (0..10).map(|day| budget(30, 0.01, day * DAY, DAY).0).sum();
        assert_eq!(total, 3);
    }
}
