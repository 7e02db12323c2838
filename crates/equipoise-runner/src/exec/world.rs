//! The world stage: simulate, compute features online, meet the labels that the platforms knew, and write the rows.
//!
//! The split is by person and by time; households and the persons behind one team stay together. The person key is truth; it
//! decides the split here and leaves only as an opaque number beside the truth of tested accounts.

mod deal;
mod meta;
mod test;
mod told;
mod train;

pub(crate) use told::Told;

use crate::contact_rows::{ContactRows, WorldContacts};
use crate::data::{SequenceRows, WorldData, WorldSequences};
use crate::fault::{Fault, runtime};
use crate::plan::{WorldRole, WorldSlice};
use equipoise_core::{AccountId, DAY, Draw, KnownLabel, Observer, PlatformView, Seed, SimTime};
use equipoise_features::{
    ContactBlock, MultiStream, RowBlock, RuleBlock, SequenceBlock, SnapshotPlan, contact_columns,
};
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
