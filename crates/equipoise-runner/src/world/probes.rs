//! Feature rows of the accounts that play a role, harmful or look-alike, beside the truth: what V12 to V14 and V17 probe.
//! This is the one place of the validator where features and truth lie side by side; nothing of it is written anywhere.
//!
//! The worlds are enlarged in prevalence and their patterns are made equally frequent, so that every archetype has the positives
//! that an equivalence test needs. Areas under the curve do not hang on prevalence; that crowding changes nothing else is
//! an assumption.

use crate::fault::{Fault, runtime};
use equipoise_core::{DAY, EventSink, Fraction, LabelStatus, Observer, Seed, SimTime};
use equipoise_features::{FeatureSpec, MultiStream, SnapshotPlan, dictionary};
use equipoise_synth::truth::HarmArchetype;
use equipoise_synth::{Outcome, World, WorldSpec};

/// How large the worlds of the probes are.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct ProbeSize {
    /// Persons.
    pub(super) persons: u32,
    /// Days.
    pub(super) days: u16,
    /// Harmful accounts as a share of ordinary ones.
    pub(super) prevalence: f64,
    /// Look-alikes for each harmful account.
    pub(super) lookalikes: f64,
}

/// What is known about one row.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct ProbeRow {
    /// Platform.
    pub(super) platform: u8,
    /// Account number over the number of accounts of the platform.
    pub(super) account: f32,
    /// Linkage token over its largest value.
    pub(super) token: f32,
    /// Seconds of the account's making within its day.
    pub(super) made: f32,
    /// What is dealt into folds whole: the team that it acts in, whose members begin together and share contacts, or the
    /// person behind it. A learner that trained on one member would know the others again, whatever the detectability.
    pub(super) group: u64,
    /// Pattern, or the pattern that it is a look-alike of.
    pub(super) archetype: HarmArchetype,
    /// Whether it carries the pattern.
    pub(super) harmful: bool,
    /// Whether a report about it was filed before the cut-off.
    pub(super) reported: bool,
}

/// Rows of one world.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct ProbeRows {
    /// Columns a row.
    pub(super) columns: usize,
    /// Whether a column lies next to the label.
    pub(super) label_adjacent: Vec<bool>,
    /// `[rows, columns]`.
    pub(super) values: Vec<f32>,
    /// What is known about each, in row order: by platform, then by account.
    pub(super) rows: Vec<ProbeRow>,
}

impl ProbeRows {
    /// One column of the rows that `keep` accepts, and which of these are harmful.
    #[must_use]
    pub(super) fn column(&self, column: usize, keep: impl Fn(&ProbeRow) -> bool) -> (Vec<f64>, Vec<bool>) {
        let kept = self.rows.iter().enumerate().filter(|(_, row)| keep(row));
        kept.map(|(at, row)| (f64::from(self.values[at * self.columns + column]), row.harmful)).unzip()
    }
}

/// Teams are numbered apart from persons.
const TEAMS: u64 = 1 << 32;

/// The features that the probes look at.
pub(super) const FEATURES: FeatureSpec =
    FeatureSpec { max_contacts: 64, contact_seed: 1, label_adjacent: true, sequence_length: 0 };

/// The specification of a probe world at a detectability.
///
/// # Errors
/// If the size cannot be simulated.
pub(super) fn dense(spec: &WorldSpec, size: &ProbeSize, detectability: f64) -> Result<WorldSpec, Fault> {
    let mut spec = spec.clone();
    (spec.persons, spec.days) = (size.persons, size.days);
    spec.harm.detectability = detectability;
    spec.harm.prevalence.value = Fraction::new(size.prevalence).map_err(runtime)?;
    spec.harm.lookalikes.value = size.lookalikes;
    let equal = Fraction::new(1.0 / spec.harm.archetype.len().max(1) as f64).map_err(runtime)?;
    spec.harm.archetype.iter_mut().for_each(|archetype| archetype.mixture.value = equal);
    spec.validate().map_err(runtime)?;
    Ok(spec)
}

/// The end of a tick at two thirds of the window: late enough for stages to show, early enough for events to follow.
pub(super) fn cutoff(spec: &WorldSpec) -> SimTime {
    SimTime(i32::from(spec.days) * 2 / 3 * DAY)
}

/// Runs a world up to the cut-off and takes the rows of its roles.
///
/// # Errors
/// If the world or the features cannot be made.
pub(super) fn probe(spec: &WorldSpec, seed: Seed, observer: &dyn Observer) -> Result<ProbeRows, Fault> {
    let at = cutoff(spec);
    let world = World::build(spec, seed).map_err(runtime)?;
    let plan = SnapshotPlan::new(vec![at]).map_err(runtime)?;
    let mut stream = MultiStream::new(world.views(), &FEATURES, plan).map_err(runtime)?;
    let mut simulation = world.start();
    let sink: &mut dyn EventSink = &mut stream;
    while simulation.now() < at && simulation.step(None, sink, observer).map_err(runtime)? {}
    let outcome = simulation.finish();
    let (blocks, _) = stream.finish().map_err(runtime)?;
    let definitions = dictionary(FEATURES.label_adjacent);
    let mut probe = ProbeRows {
        columns: definitions.len(),
        label_adjacent: definitions.iter().map(|def| def.label_adjacent).collect(),
        ..ProbeRows::default()
    };
    for block in &blocks {
        let known = Known::of(&outcome, block.platform.index(), at);
        let view = &world.views()[block.platform.index()];
        for (row, account) in block.accounts.iter().enumerate() {
            let truth = outcome.truth.account(block.platform, *account);
            let Some(archetype) = truth.harmful.or(truth.matched_for) else { continue };
            // An account that was closed is silent, and platforms close more harmful ones: silence is not a feature.
            if known.closed[account.index()] {
                continue;
            }
            let token = outcome.tokens[block.platform.index()][account.index()];
            probe.values.extend_from_slice(block.row(row));
            probe.rows.push(ProbeRow {
                platform: block.platform.0,
                account: account.index() as f32 / view.profiles.len() as f32,
                token: token as f32 / u64::MAX as f32,
                made: view.profiles[account.index()].created.second_of_day() as f32,
                group: truth.team.map_or(u64::from(truth.person.0), |team| TEAMS | u64::from(team)),
                archetype,
                harmful: truth.harmful.is_some(),
                reported: known.reported[account.index()],
            });
        }
    }
    Ok(probe)
}

/// What was known about accounts before the cut-off.
struct Known {
    closed: Vec<bool>,
    reported: Vec<bool>,
}

impl Known {
    fn of(outcome: &Outcome, platform: usize, at: SimTime) -> Self {
        let accounts = outcome.truth.platforms[platform].accounts.len();
        let mut known = Self { closed: vec![false; accounts], reported: vec![false; accounts] };
        for label in outcome.labels[platform].iter().filter(|label| label.known_at < at) {
            let account = label.account.index();
            match label.status {
                LabelStatus::Actioned => known.closed[account] = true,
                LabelStatus::Reported => known.reported[account] = true,
                _ => {}
            }
        }
        known
    }
}
