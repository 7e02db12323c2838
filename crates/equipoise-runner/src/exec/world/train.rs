//! Training rows: when an account's is cut, what it is labelled with, and the same as a party would have them that could link accounts.

use super::{Beside, Cut, days, id, number};
use crate::config::Labels;
use crate::data::{Reads, TrainRows};
use equipoise_core::Draw;
use equipoise_features::RowBlock;

impl Cut<'_> {
    /// The cut-off of an account's training row: the last one strictly before its label was known, or a public draw
    /// for the others, so that the length of the observed past says nothing about the label.
    fn cutoff(&self, platform: usize, account: usize, known: i32) -> Option<i32> {
        let created = self.views[platform].profiles[account].created.0;
        let mut open =
            self.slice.protocol.train_cutoffs.iter().map(|&day| days(day)).filter(|&at| at > created);
        if known <= self.label_cutoff() {
            return open.rfind(|&at| at < known);
        }
        let open: Vec<i32> = open.collect();
        let address = self.seed.derive("cutoff", platform as u64).derive("account", account as u64);
        (!open.is_empty()).then(|| open[address.rng().below(open.len())])
    }

    /// The training row of an account whose label was known at `known`.
    fn row_known(&self, platform: usize, account: usize, known: i32) -> Option<(&RowBlock, usize)> {
        self.row(platform, id(account), self.cutoff(platform, account, known)?)
    }

    pub(super) fn train(&self) -> (TrainRows, Reads, Beside) {
        let mut rows = TrainRows { columns: self.columns(), ..TrainRows::default() };
        let (mut reads, mut beside) = (Reads::default(), self.nothing_beside());
        self.each_train_account(
            |platform, account, known| {
                let Some((block, at)) = self.row_known(platform, account, known) else { return };
                let row = number(rows.label.len());
                for read in block.reads_of(at) {
                    reads.row.push(row);
                    reads.account.push(read.0);
                }
                let cutoff = block.cutoff.0;
                let label = match self.slice.protocol.labels {
                    Labels::PlatformKnown | Labels::Permuted => known <= self.label_cutoff(),
                    Labels::Truth => self.began(platform, account, cutoff),
                };
                push(&mut rows, platform, account, cutoff, label);
                rows.fold.push(self.fold(platform, account));
                rows.values.extend_from_slice(block.row(at));
                self.push_beside(platform, cutoff, at, &mut beside);
            },
            |platform, account| self.known[platform][account],
        );
        self.deal_labels("labels", &mut rows);
        (rows, reads, beside)
    }

    /// Rows as a party would have them that could link a person's accounts: labels of one are labels of all.
    pub(super) fn train_linked(&self) -> TrainRows {
        let mut rows = TrainRows { columns: 2 * self.columns(), ..TrainRows::default() };
        let person_known = |platform: usize, account: usize| {
            let person = self.truth().platforms[platform].accounts[account].person;
            self.truth()
                .accounts_of(person)
                .map(|other| self.known[other.platform.index()][other.account.index()])
                .min()
                .unwrap_or(i32::MAX)
        };
        self.each_train_account(
            |platform, account, known| {
                let Some((block, at)) = self.row_known(platform, account, known) else { return };
                let label = match self.slice.protocol.labels {
                    Labels::PlatformKnown | Labels::Permuted => known <= self.label_cutoff(),
                    Labels::Truth => self.person_began(platform, account, block.cutoff.0),
                };
                push(&mut rows, platform, account, block.cutoff.0, label);
                rows.fold.push(self.fold(platform, account));
                rows.values.extend_from_slice(block.row(at));
                self.push_linked(platform, id(account), block.cutoff.0, &mut rows.values);
            },
            person_known,
        );
        self.deal_labels("linked-labels", &mut rows);
        rows
    }

    fn each_train_account(
        &self,
        mut visit: impl FnMut(usize, usize, i32),
        known: impl Fn(usize, usize) -> i32,
    ) {
        for (platform, truth) in self.truth().platforms.iter().enumerate() {
            for (account, about) in truth.accounts.iter().enumerate() {
                if !self.is_tested(about.person.0) {
                    visit(platform, account, known(platform, account));
                }
            }
        }
    }
}

fn push(rows: &mut TrainRows, platform: usize, account: usize, cutoff: i32, positive: bool) {
    rows.platform.push(u8::try_from(platform).unwrap_or(u8::MAX));
    rows.account.push(number(account));
    rows.cutoff.push(cutoff);
    rows.label.push(f32::from(u8::from(positive)));
}
