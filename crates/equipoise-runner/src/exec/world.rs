//! The world stage: simulate, compute features online, meet the labels that the platforms knew, and write the rows.
//!
//! The split is by person and by time; households and the persons behind one team stay together. The person key is truth; it
//! decides the split here and leaves only as an opaque number beside the truth of tested accounts.

mod deal;
mod meta;
mod told;

pub(crate) use told::Told;

use crate::config::{Labels, Population};
use crate::contact_rows::{ContactRows, WorldContacts};
use crate::data::{CaseRows, Reads, SequenceRows, TestRows, TrainRows, WorldData, WorldSequences};
use crate::fault::{Fault, runtime};
use crate::plan::{WorldRole, WorldSlice};
use equipoise_core::{
    AccountId, AgeBand, DAY, Draw, KnownLabel, LabelStatus, Observer, PlatformView, Seed, SimTime,
};
use equipoise_features::{
    ContactBlock, MultiStream, RowBlock, RuleBlock, SequenceBlock, SnapshotPlan, contact_columns,
};
use equipoise_model::baselines::literal_rule_score;
use equipoise_synth::{Outcome, World, truth};

/// Everything that the rows are cut from.
struct Cut<'a> {
    slice: &'a WorldSlice,
    views: Vec<PlatformView>,
    outcome: Outcome,
    blocks: Vec<RowBlock>,
    rules: Vec<RuleBlock>,
    /// Beside the blocks, or none at all.
    sequences: Vec<SequenceBlock>,
    /// The same.
    contacts: Vec<ContactBlock>,
    /// When a positive label of an account became known, `i32::MAX` for never; by platform and account.
    known: Vec<Vec<i32>>,
    seed: Seed,
}

/// What is kept beside rows where an arm asks for it.
#[derive(Default)]
struct Beside {
    events: SequenceRows,
    contacts: ContactRows,
}

/// Makes a world and its rows.
///
/// # Errors
/// If the world or the features cannot be made from their specification.
pub(crate) fn make(slice: &WorldSlice, observer: &dyn Observer) -> Result<WorldData, Fault> {
    make_told(slice, observer).map(|(world, _)| world)
}

/// The same, with the truth about the accounts behind training rows: for attacks alone.
///
/// # Errors
/// As [`make`].
pub(crate) fn make_told(slice: &WorldSlice, observer: &dyn Observer) -> Result<(WorldData, Told), Fault> {
    let role = if slice.role == WorldRole::Test { "test" } else { "development" };
    let seed = Seed::root(slice.seed).derive(role, u64::from(slice.index));
    let world = World::build(&slice.world, seed.derive("world", 0)).map_err(runtime)?;
    let views = world.views().to_vec();
    let cutoffs: Vec<i32> = slice.protocol.train_cutoffs.iter().map(|&day| days(day)).collect();
    let decisions = decisions(slice);
    let mut all = cutoffs.clone();
    all.extend(&decisions);
    all.sort_unstable();
    all.dedup();
    let plan = SnapshotPlan::new(all.into_iter().map(SimTime).collect()).map_err(runtime)?;
    let mut stream = MultiStream::new(&views, &slice.features, plan).map_err(runtime)?;
    if slice.sequences {
        stream = stream.with_sequences();
    }
    if slice.contacts {
        stream = stream.with_contacts();
    }
    let outcome = world.run(None, &mut stream, observer).map_err(runtime)?;
    let (sequences, contacts) = (stream.take_sequences(), stream.take_contacts());
    let (blocks, rules) = stream.finish().map_err(runtime)?;
    let known = known_positives(&outcome.labels, &views);
    let cut = Cut { slice, views, outcome, blocks, rules, sequences, contacts, known, seed };
    let (train, reads, beside_train) = cut.train();
    let train_linked = cut.train_linked();
    let (cases, index) = cut.cases(*decisions.last().unwrap_or(&0));
    let (test, beside_test) = cut.test(&decisions, &cases, &index);
    let meta = cut.meta(&decisions, &train, &cases);
    let sequences = WorldSequences { train: beside_train.events, test: beside_test.events };
    let contacts = WorldContacts { train: beside_train.contacts, test: beside_test.contacts };
    let (sequences, contacts) = (slice.sequences.then_some(sequences), slice.contacts.then_some(contacts));
    let tokens = slice.tokens.then(|| cut.tokens(&cases));
    let told = Told::of(&cut, &train);
    Ok((WorldData { meta, train, train_linked, test, cases, sequences, reads, tokens, contacts }, told))
}

fn days(day: u32) -> i32 {
    i32::try_from(day).unwrap_or(i32::MAX / DAY).saturating_mul(DAY)
}

/// Decisions begin at the label cut-off and leave at least one interval to the end of the world.
fn decisions(slice: &WorldSlice) -> Vec<i32> {
    let end = u32::from(slice.world.days);
    (slice.protocol.label_cutoff..end).step_by(slice.protocol.decision_every as usize).map(days).collect()
}

fn known_positives(labels: &[Vec<KnownLabel>], views: &[PlatformView]) -> Vec<Vec<i32>> {
    let mut known: Vec<Vec<i32>> = views.iter().map(|view| vec![i32::MAX; view.profiles.len()]).collect();
    for (platform, labels) in labels.iter().enumerate() {
        for label in labels.iter().filter(|label| label.status.is_positive()) {
            let at = &mut known[platform][label.account.index()];
            *at = (*at).min(label.known_at.0);
        }
    }
    known
}

impl Cut<'_> {
    fn columns(&self) -> usize {
        self.blocks.first().map_or(0, |block| block.columns)
    }

    fn truth(&self) -> &truth::Truth {
        &self.outcome.truth
    }

    fn block(&self, platform: usize, cutoff: i32) -> Option<(&RowBlock, &RuleBlock)> {
        let found = self.at(platform, cutoff)?;
        Some((&self.blocks[found], &self.rules[found]))
    }

    /// Where a snapshot stands among the blocks.
    fn at(&self, platform: usize, cutoff: i32) -> Option<usize> {
        self.blocks.iter().position(|b| b.platform.index() == platform && b.cutoff.0 == cutoff)
    }

    /// Nothing beside any row yet.
    fn nothing_beside(&self) -> Beside {
        let columns = contact_columns(self.slice.features.label_adjacent).len();
        Beside { contacts: ContactRows { columns, ..ContactRows::default() }, ..Beside::default() }
    }

    /// Puts what stands beside row `row` of a snapshot behind the others, as far as it is kept.
    fn push_beside(&self, platform: usize, cutoff: i32, row: usize, into: &mut Beside) {
        let Some(at) = self.at(platform, cutoff) else { return };
        if let Some(block) = self.sequences.get(at) {
            into.events.push(block.sequence(row));
        }
        if let Some(block) = self.contacts.get(at) {
            let (contacts, values) = block.of(row);
            into.contacts.push(contacts.iter().map(|contact| contact.0), values);
        }
    }

    /// The row of an account at a cut-off; accounts of a block are ascending.
    fn row(&self, platform: usize, account: AccountId, cutoff: i32) -> Option<(&RowBlock, usize)> {
        let (block, _) = self.block(platform, cutoff)?;
        block.accounts.binary_search(&account).ok().map(|row| (block, row))
    }

    fn is_tested(&self, person: u32) -> bool {
        let share = self.slice.protocol.test_share.get();
        let unit = self.truth().persons[person as usize].unit;
        self.seed.derive("split", u64::from(unit)).rng().chance(share)
    }

    /// The fold of an account, the same for everybody of its household or team.
    fn fold(&self, platform: usize, account: usize) -> u8 {
        let person = self.truth().platforms[platform].accounts[account].person.0;
        let unit = self.truth().persons[person as usize].unit;
        u8::try_from(self.seed.derive("fold", u64::from(unit)).rng().below(256)).unwrap_or(u8::MAX)
    }

    fn label_cutoff(&self) -> i32 {
        days(self.slice.protocol.label_cutoff)
    }

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

    fn train(&self) -> (TrainRows, Reads, Beside) {
        let mut rows = TrainRows { columns: self.columns(), ..TrainRows::default() };
        let (mut reads, mut beside) = (Reads::default(), self.nothing_beside());
        self.each_train_account(
            |platform, account, known| {
                let Some((block, at)) = self
                    .cutoff(platform, account, known)
                    .and_then(|cutoff| self.row(platform, id(account), cutoff))
                else {
                    return;
                };
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
    fn train_linked(&self) -> TrainRows {
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
                let Some((block, at)) = self
                    .cutoff(platform, account, known)
                    .and_then(|cutoff| self.row(platform, id(account), cutoff))
                else {
                    return;
                };
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

    /// Whether a harmful contact of the account had happened by `cutoff`.
    fn began(&self, platform: usize, account: usize, cutoff: i32) -> bool {
        self.truth().platforms[platform].accounts[account].harm_start.is_some_and(|start| start.0 < cutoff)
    }

    /// The same for any account of its person.
    fn person_began(&self, platform: usize, account: usize, cutoff: i32) -> bool {
        let person = self.truth().platforms[platform].accounts[account].person;
        self.truth()
            .accounts_of(person)
            .any(|other| self.began(other.platform.index(), other.account.index(), cutoff))
    }

    /// The largest value of each feature over the person's other accounts at the same cut-off; zeros without any.
    fn push_linked(&self, platform: usize, account: AccountId, cutoff: i32, values: &mut Vec<f32>) {
        let start = values.len();
        values.resize(start + self.columns(), 0.0);
        let person = self.truth().platforms[platform].accounts[account.index()].person;
        for other in self.truth().accounts_of(person) {
            if other.platform.index() == platform && other.account == account {
                continue;
            }
            if let Some((block, at)) = self.row(other.platform.index(), other.account, cutoff) {
                for (value, theirs) in values[start..].iter_mut().zip(block.row(at)) {
                    *value = value.max(*theirs);
                }
            }
        }
    }

    /// Tested accounts, and where each stands by platform and account.
    fn cases(&self, last_decision: i32) -> (CaseRows, Vec<Vec<u32>>) {
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
    fn tokens(&self, cases: &CaseRows) -> Vec<u64> {
        let places = cases.platform.iter().zip(&cases.account);
        places
            .map(|(platform, account)| self.outcome.tokens[usize::from(*platform)][*account as usize])
            .collect()
    }

    fn test(&self, decisions: &[i32], cases: &CaseRows, index: &[Vec<u32>]) -> (TestRows, Beside) {
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

fn push(rows: &mut TrainRows, platform: usize, account: usize, cutoff: i32, positive: bool) {
    rows.platform.push(u8::try_from(platform).unwrap_or(u8::MAX));
    rows.account.push(number(account));
    rows.cutoff.push(cutoff);
    rows.label.push(f32::from(u8::from(positive)));
}

fn id(account: usize) -> AccountId {
    AccountId(number(account))
}

/// Counts inside a world fit into 32 bits: account ids do.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The kebab-case name that serde gives a code.
fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
