//! Training again on the way: which labels the loop's own history gives, and the rows that they stand for.
//!
//! Labels from own reviews are biased by enforcement: who is reviewed is whom the model ranked high, and whom it never ranks high
//! stays a negative for ever. Beside them stand labels that do not come from the model's queue (the platform's moderation of
//! reports, police), and the truth, an oracle that nobody has.
//!
//! A positive account's row is the last that was kept before its case was opened or its label known, so that the measure's effect on
//! the account is not what is learned; any other account's row is a public draw among those kept, so that the length of the
//! observed past says nothing about the label.

use crate::config::Experiment;
use crate::data::TrainRows;
use equipoise_core::{AccountRef, DAY, Draw, KnownLabel, PlatformId, Seed, SimTime};
use equipoise_features::RowBlock;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whether and on what a score is trained again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) enum Retrain {
    /// The model that the loop began with stays.
    Never {},
    /// From the start again at the first decision after so many days.
    Every { days: u16, labels: Labels },
}

/// Which accounts are positives.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Labels {
    /// Those that the loop's own reviews upheld.
    Reviewed,
    /// Those that the platform knows without the model: its moderation of reports, police.
    Known,
    /// Both.
    Both,
    /// All with a simulated harmful pattern: an oracle.
    Truth,
}

/// Days between rows that are kept.
const KEPT_EVERY: i32 = 7;

impl Retrain {
    /// # Errors
    /// If the experiment's model cannot be trained so.
    pub(super) fn check(self, experiment: &Experiment) -> Result<(), String> {
        match self {
            Self::Never {} => Ok(()),
            Self::Every { days: 0, .. } => Err("days: at least 1".into()),
            Self::Every { .. } if experiment.privacy.epsilon.is_finite() => {
                Err("each training would be charged again; set privacy.epsilon to \"inf\"".into())
            }
            Self::Every { .. } => Ok(()),
        }
    }
}

/// What was learned about accounts so far.
pub(crate) struct Learner {
    days: u16,
    labels: Labels,
    seed: Seed,
    trainings: u64,
    last: SimTime,
    /// Snapshots of all platforms, oldest first.
    kept: Vec<Vec<RowBlock>>,
    /// When the first upheld case of an account was opened.
    upheld: BTreeMap<AccountRef, SimTime>,
    /// When a positive label of an account was first known.
    known: BTreeMap<AccountRef, SimTime>,
    /// By platform and account; empty without the oracle.
    harmful: Vec<Vec<bool>>,
}

impl Learner {
    /// None for a score that stays.
    pub(crate) fn new(retrain: Retrain, seed: Seed, harmful: &[Vec<bool>]) -> Option<Self> {
        let Retrain::Every { days, labels } = retrain else { return None };
        Some(Self {
            days,
            labels,
            seed: seed.derive("retrain", 0),
            trainings: 0,
            last: SimTime(0),
            kept: Vec::new(),
            upheld: BTreeMap::new(),
            known: BTreeMap::new(),
            harmful: if labels == Labels::Truth { harmful.to_vec() } else { Vec::new() },
        })
    }

    /// The address of the latest training's draws.
    pub(crate) fn seed(&self) -> Seed {
        self.seed.derive("training", self.trainings)
    }

    pub(crate) fn knows(&mut self, platform: PlatformId, labels: &[KnownLabel], now: SimTime) {
        for label in labels.iter().filter(|label| label.status.is_positive() && label.known_at <= now) {
            let first =
                self.known.entry(AccountRef { platform, account: label.account }).or_insert(label.known_at);
            *first = (*first).min(label.known_at);
        }
    }

    pub(crate) fn decided(&mut self, account: AccountRef, upheld: bool, opened_at: SimTime) {
        if upheld {
            let first = self.upheld.entry(account).or_insert(opened_at);
            *first = (*first).min(opened_at);
        }
    }

    /// Keeps rows, and gives those to train on if training is due and there is a positive among them.
    pub(crate) fn due(&mut self, blocks: &[RowBlock], now: SimTime) -> Option<TrainRows> {
        let latest = self.kept.last().and_then(|blocks| blocks.first()).map(|block| block.cutoff);
        if latest.is_none_or(|latest| now.since(latest) >= KEPT_EVERY * DAY) {
            self.kept.push(blocks.to_vec());
        }
        if now.since(self.last) < i32::from(self.days) * DAY {
            return None;
        }
        let rows = self.rows();
        if !rows.label.iter().any(|label| *label > 0.5) {
            return None;
        }
        (self.last, self.trainings) = (now, self.trainings + 1);
        Some(rows)
    }

    /// When an account became a positive: at its label's time, or at no time of its own.
    fn positive(&self, account: AccountRef) -> Option<Option<SimTime>> {
        let (upheld, known) = (self.upheld.get(&account).copied(), self.known.get(&account).copied());
        match self.labels {
            Labels::Reviewed => upheld.map(Some),
            Labels::Known => known.map(Some),
            Labels::Both => [upheld, known].into_iter().flatten().min().map(Some),
            Labels::Truth => {
                let harmful = &self.harmful[account.platform.index()];
                harmful.get(account.account.index()).copied().unwrap_or(false).then_some(upheld)
            }
        }
    }

    fn rows(&self) -> TrainRows {
        let mut rows = TrainRows::default();
        let Some(last) = self.kept.last() else { return rows };
        for (platform, newest) in (0_u8..).zip(last) {
            rows.columns = newest.columns;
            for account in &newest.accounts {
                let of = AccountRef { platform: PlatformId(platform), account: *account };
                let positive = self.positive(of);
                let found = |blocks: &Vec<RowBlock>| {
                    let block = &blocks[usize::from(platform)];
                    let at = block.accounts.binary_search(account).ok()?;
                    Some((block.cutoff, block.row(at).to_vec()))
                };
                let mut held: Vec<(SimTime, Vec<f32>)> = self.kept.iter().filter_map(found).collect();
                let row = match positive.flatten() {
                    Some(time) => held.into_iter().rev().find(|(cutoff, _)| *cutoff <= time),
                    None => {
                        let address = self
                            .seed
                            .derive("cutoff", u64::from(platform))
                            .derive("account", u64::from(account.0));
                        let drawn = address.rng().below(held.len());
                        Some(held.swap_remove(drawn))
                    }
                };
                let Some((cutoff, values)) = row else { continue };
                rows.platform.push(platform);
                rows.account.push(account.0);
                rows.cutoff.push(cutoff.0);
                rows.label.push(f32::from(u8::from(positive.is_some())));
                rows.fold.push(0);
                rows.values.extend(values);
            }
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::{AccountId, LabelSource, LabelStatus};

    /// Accounts 0 to 3 of one platform; the only feature of a row is the week it is of.
    fn week(number: i32) -> Vec<RowBlock> {
        let accounts: Vec<AccountId> = (0..4).map(AccountId).collect();
        vec![RowBlock {
            platform: PlatformId(0),
            cutoff: SimTime::from_days(7 * number),
            columns: 1,
            values: vec![f32::from(i8::try_from(number).unwrap()); 4],
            reads: accounts.clone(),
            read_offsets: (0..=4).collect(),
            accounts,
        }]
    }

    fn account(number: u32) -> AccountRef {
        AccountRef { platform: PlatformId(0), account: AccountId(number) }
    }

    /// Account 1 is upheld in week 3 (opened then), account 2 is known since the day after week 2, account 3 is harmful and unknown.
    fn trained(labels: Labels) -> TrainRows {
        let retrain = Retrain::Every { days: 28, labels };
        let mut learner = Learner::new(retrain, Seed::root(5), &[vec![false, true, true, true]]).unwrap();
        for number in 1..4 {
            assert!(learner.due(&week(number), SimTime::from_days(7 * number)).is_none(), "not yet");
        }
        learner.decided(account(1), true, SimTime::from_days(21));
        learner.decided(account(0), false, SimTime::from_days(14));
        let label = KnownLabel {
            account: AccountId(2),
            known_at: SimTime::from_days(15),
            status: LabelStatus::Actioned,
            source: LabelSource::UserReport,
        };
        let (reported, later) = (
            KnownLabel { account: AccountId(0), status: LabelStatus::Reported, ..label },
            KnownLabel { account: AccountId(3), known_at: SimTime::from_days(40), ..label },
        );
        learner.knows(PlatformId(0), &[label, reported, later], SimTime::from_days(28));
        learner.due(&week(4), SimTime::from_days(28)).unwrap()
    }

    #[test]
    fn each_source_of_labels_marks_its_own_accounts() {
        for (labels, want) in [
            (Labels::Reviewed, [0.0, 1.0, 0.0, 0.0]),
            (Labels::Known, [0.0, 0.0, 1.0, 0.0]),
            (Labels::Both, [0.0, 1.0, 1.0, 0.0]),
            (Labels::Truth, [0.0, 1.0, 1.0, 1.0]),
        ] {
            assert_eq!(trained(labels).label, want, "{labels:?}");
        }
    }

    #[test]
    fn a_positive_row_is_of_the_time_before_its_case_or_label() {
        let rows = trained(Labels::Both);
        assert_eq!((rows.cutoff[1], rows.values[1]), (21 * DAY, 3.0));
        assert_eq!((rows.cutoff[2], rows.values[2]), (14 * DAY, 2.0));
    }

    #[test]
    fn nothing_is_trained_without_a_positive_or_before_it_is_due() {
        let retrain = Retrain::Every { days: 7, labels: Labels::Reviewed };
        let mut learner = Learner::new(retrain, Seed::root(5), &[]).unwrap();
        assert!(learner.due(&week(1), SimTime::from_days(7)).is_none());
        learner.decided(account(3), true, SimTime::from_days(7));
        assert!(learner.due(&week(2), SimTime::from_days(14)).is_some());
        assert!(learner.due(&week(2), SimTime::from_days(15)).is_none());
        assert!(Learner::new(Retrain::Never {}, Seed::root(5), &[]).is_none());
    }
}
