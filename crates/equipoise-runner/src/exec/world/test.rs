//! Tested accounts, the rows that decisions are made on, and what users had reported by then.

use super::{Beside, Cut, days, number};
use crate::config::Population;
use crate::data::{CaseRows, TestRows};
use equipoise_core::{AccountId, AgeBand, LabelStatus};
use equipoise_features::RuleBlock;
use equipoise_model::baselines::literal_rule_score;

impl Cut<'_> {
    /// Tested accounts, and where each stands by platform and account.
    pub(super) fn cases(&self, last_decision: i32) -> (CaseRows, Vec<Vec<u32>>) {
        let mut cases = CaseRows { contact_offsets: vec![0], ..CaseRows::default() };
        let mut index: Vec<Vec<u32>> =
            self.views.iter().map(|view| vec![u32::MAX; view.profiles.len()]).collect();
        let (from, until) = (self.label_cutoff(), days(u32::from(self.slice.world.days)));
        for (platform, truth) in self.truth().platforms.iter().enumerate() {
            for (account, about) in truth.accounts.iter().enumerate() {
                let created = self.views[platform].profiles[account].created.0;
                let removed = self.known[platform][account];
                let start = about.harm_start.map_or(i32::MAX, |start| start.0);
                // An account with a harmful pattern that never came to a harmful contact is neither a case nor a control.
                let undecided = about.harmful.is_some() && start >= until;
                let outside = self.slice.protocol.population == Population::Matched
                    && about.harmful.is_none()
                    && about.matched_for.is_none();
                if !self.is_tested(about.person.0)
                    || created >= last_decision
                    || removed <= from
                    || undecided
                    || outside
                {
                    continue;
                }
                index[platform][account] = number(cases.platform.len());
                cases.platform.push(u8::try_from(platform).unwrap_or(u8::MAX));
                cases.account.push(number(account));
                cases.person.push(about.person.0);
                cases.archetype.push(about.harmful.map_or(0, |archetype| 1 + archetype as u8));
                cases.group.push(about.benign_group as u8);
                cases.minor.push(about.true_age_band.is_minor());
                cases.harm_start.push(start);
                cases.removed.push(removed);
                cases.entered.push(created.max(from));
                for (time, child) in about.contacts.iter().filter(|(time, _)| time.0 < until) {
                    cases.contact_child.push(child.0);
                    cases.contact_time.push(time.0);
                }
                cases.contact_offsets.push(number(cases.contact_time.len()));
            }
        }
        self.deal_cases(&mut cases);
        (cases, index)
    }

    /// The identifiers that the platforms hold of tested accounts, one a case.
    pub(super) fn tokens(&self, cases: &CaseRows) -> Vec<u64> {
        let places = cases.platform.iter().zip(&cases.account);
        places
            .map(|(platform, account)| self.outcome.tokens[usize::from(*platform)][*account as usize])
            .collect()
    }

    pub(super) fn test(&self, decisions: &[i32], cases: &CaseRows, index: &[Vec<u32>]) -> (TestRows, Beside) {
        let (mut rows, mut beside) = (TestRows::default(), self.nothing_beside());
        let reports = self.reports();
        for (decision, &cutoff) in decisions.iter().enumerate() {
            for platform in 0..self.views.len() {
                let Some((block, rules)) = self.block(platform, cutoff) else { continue };
                for (at, account) in block.accounts.iter().enumerate() {
                    let case = index[platform][account.index()];
                    if case == u32::MAX || cases.removed[case as usize] <= cutoff {
                        continue;
                    }
                    rows.decision.push(u16::try_from(decision).unwrap_or(u16::MAX));
                    rows.case.push(case);
                    rows.values.extend_from_slice(block.row(at));
                    self.push_linked(platform, *account, cutoff, &mut rows.linked);
                    let filed = &reports[platform][account.index()];
                    let known = filed.partition_point(|&time| time < cutoff);
                    rows.reports.push(u16::try_from(known).unwrap_or(u16::MAX));
                    rows.rule.push(self.rule_score(platform, *account, rules, at));
                    self.push_beside(platform, cutoff, at, &mut beside);
                }
            }
        }
        (rows, beside)
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    fn rule_score(&self, platform: usize, account: AccountId, rules: &RuleBlock, at: usize) -> f32 {
        let rule = rules.rules[at];
        let adult = self.views[platform].profiles[account.index()].declared_age == Some(AgeBand::Adult);
        let rate = rule.accept_rate().unwrap_or(1.0) as f32;
        literal_rule_score(rule.max_new_minor_contacts as f32, rate, adult).get()
    }

    /// Times of reports, ascending, by platform and account.
    fn reports(&self) -> Vec<Vec<Vec<i32>>> {
        let mut reports: Vec<Vec<Vec<i32>>> =
            self.views.iter().map(|view| vec![vec![]; view.profiles.len()]).collect();
        for (platform, labels) in self.outcome.labels.iter().enumerate() {
            for label in labels.iter().filter(|label| label.status == LabelStatus::Reported) {
                reports[platform][label.account.index()].push(label.known_at.0);
            }
        }
        reports
    }
}
