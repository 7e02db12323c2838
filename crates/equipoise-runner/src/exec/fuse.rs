//! From the platforms' own scores to fused ones: match accounts by pseudonym, put scores on the grid, open a rule of each weighted sum.
//!
//! Every decision is a period with keys of its own. An account that one platform alone has is not fused: its platform applies the public
//! rule to its own level, which tells nobody anything. What a platform does with a value: accounts are reviewed by value, and by its own
//! score among equals. Both arms run this file; only what lies between levels and values differs, so equal values are a test.
//! `store` keeps sessions and pseudonyms for a trial that is killed.

mod store;

use crate::config::FusionSection;
use crate::data::WorldData;
use crate::fault::{Fault, runtime};
use equipoise_encrypted::fusion::{
    FusionCost, FusionDesign, FusionTable, Matcher, PendingMatch, Pseudonym, ScoreGrid, matched, overlaps,
    plain_hash,
};
use equipoise_federated::{Seat, Stopwatch};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

/// What a fusion did on one world, and what it cost on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FusionRecord {
    /// The design.
    pub design: String,
    /// How accounts were matched.
    pub matching: String,
    /// Periods, each with its own keys.
    pub sessions: u64,
    /// Pseudonyms, by platform: what the server counts.
    pub accounts: Vec<u64>,
    /// Pseudonyms that two platforms share, by pair: what the server learns from matching itself.
    pub overlaps: Vec<(u32, u32, u64)>,
    /// Openings, all periods.
    pub openings: u64,
    /// The most openings that one account had.
    pub most_openings: u64,
    /// Whole bits that smudging exceeds the error by; none where nothing is smudged.
    pub smudging_bits: Option<u32>,
    /// How many openings gave each value.
    pub values: Vec<u64>,
    /// Scores sent.
    pub scores: u64,
    /// Accounts that were matched or might have been, all platforms.
    pub tokens: u64,
    /// Bytes of matching, to the matcher and back.
    pub matching_bytes: u64,
    /// Bytes of fusing, all periods; rounds of one.
    pub cost: FusionCost,
    /// BLAKE3 of every row's value, in order: the same for every exact design.
    pub values_hash: String,
}

/// Fused scores of a world's test rows.
pub(super) struct FusedScores {
    /// What reviews are ordered by.
    pub scores: Vec<f32>,
    /// The rule's value of every row.
    pub values: Vec<u32>,
    /// What happened.
    pub record: FusionRecord,
}

/// Fuses the platforms' `own` scores of every test row. What must outlive a kill stands in the folder `keep`.
///
/// # Errors
/// If the world has no identifiers, the plan does not hold, or a seat refuses.
pub(super) fn run(
    section: &FusionSection,
    world: &WorldData,
    grids: &[ScoreGrid],
    own: &[f32],
    stopwatch: &dyn Stopwatch,
    keep: Option<&Path>,
) -> Result<FusedScores, Fault> {
    let platforms = world.meta.platforms.len();
    let (plan, table) = section.plan().map_err(Fault::Config)?;
    let names = Names::of(section.design, world, stopwatch, keep)?;
    let of = |row: usize| usize::from(world.cases.platform[world.test.case[row] as usize]);
    let level = |row: usize| section.sent(grids[of(row)].level(own[row]));
    let mut fused =
        Opened { values: vec![0; own.len()], counts: vec![0; section.bands() as usize], ..Opened::default() };
    let mut opened = vec![0_u64; world.cases.platform.len()];
    for (period, rows) in periods(world).enumerate() {
        let mut present: Vec<Vec<usize>> = vec![vec![]; platforms];
        rows.for_each(|row| {
            fused.values[row] = alone(section, &table, of(row), level(row));
            present[of(row)].push(row);
        });
        let name = |row: &usize| names.of_case[world.test.case[*row] as usize];
        let named: Vec<Vec<Pseudonym>> = present.iter().map(|rows| rows.iter().map(name).collect()).collect();
        let groups = matched(&named);
        let levels: Vec<Vec<u32>> =
            present.iter().map(|rows| rows.iter().map(|&row| level(row)).collect()).collect();
        let accounts: Vec<_> = groups.iter().map(|group| group.scores(&levels)).collect();
        let kept = store::of_period(keep, period);
        let mut session = section.design.resume(section.spec(), kept).map_err(runtime)?;
        let answer = session.fuse(&section.rule(), &accounts, stopwatch).map_err(runtime)?;
        fused.add(&answer.cost);
        for ((group, account), value) in groups.iter().zip(&accounts).zip(answer.values) {
            fused.scores += account.scores.iter().flatten().count() as u64;
            fused.counts[value as usize] += 1;
            for (places, rows) in group.places.iter().zip(&present) {
                for &place in places {
                    fused.values[rows[place]] = value;
                    opened[world.test.case[rows[place]] as usize] += 1;
                }
            }
        }
    }
    let mut hasher = blake3::Hasher::new();
    fused.values.iter().for_each(|value| {
        hasher.update(&value.to_le_bytes());
    });
    let profile = section.design.leakage();
    let record = FusionRecord {
        design: profile.scheme,
        matching: names.how.to_owned(),
        sessions: fused.sessions,
        accounts: names.sets.iter().map(|set| set.len() as u64).collect(),
        overlaps: overlaps(&names.sets)
            .into_iter()
            .map(|((a, b), shared)| (number(a), number(b), shared as u64))
            .collect(),
        openings: fused.counts.iter().sum(),
        most_openings: opened.into_iter().max().unwrap_or(0),
        smudging_bits: plan.smudging_bits().map(whole),
        values: fused.counts.clone(),
        scores: fused.scores,
        tokens: names.of_case.len() as u64,
        matching_bytes: names.bytes,
        cost: fused.cost,
        values_hash: hasher.finalize().to_hex().to_string(),
    };
    let scores = fused.values.iter().zip(own).map(|(value, own)| ordered(*value, *own, section)).collect();
    Ok(FusedScores { scores, values: fused.values, record })
}

/// Fused scores of one decision of the closed loop.
pub(crate) struct InLoop {
    /// What reviews are ordered by, row by row.
    pub(crate) scores: Vec<f32>,
    /// Values that were opened.
    pub(crate) openings: u64,
    /// Scores that were sent, hidden or not.
    pub(crate) sent: u64,
}

/// The same for a decision of the closed loop, with a session of its own that nothing outlives.
///
/// # Errors
/// As [`run`].
pub(crate) fn in_loop(
    section: &FusionSection,
    world: &WorldData,
    grids: &[ScoreGrid],
    own: &[f32],
    stopwatch: &dyn Stopwatch,
) -> Result<InLoop, Fault> {
    let fused = run(section, world, grids, own, stopwatch, None)?;
    Ok(InLoop { openings: fused.record.openings, sent: fused.record.scores, scores: fused.scores })
}

/// What the periods add up to.
#[derive(Default)]
struct Opened {
    values: Vec<u32>,
    counts: Vec<u64>,
    scores: u64,
    sessions: u64,
    cost: FusionCost,
}

impl Opened {
    fn add(&mut self, cost: &FusionCost) {
        self.sessions += 1;
        self.cost.upload_bytes += cost.upload_bytes;
        self.cost.server_bytes += cost.server_bytes;
        self.cost.share_bytes += cost.share_bytes;
        self.cost.rounds = self.cost.rounds.max(cost.rounds);
    }
}

/// The rows of each decision; rows stand in the order of decisions.
fn periods(world: &WorldData) -> impl Iterator<Item = Range<usize>> + '_ {
    let decisions = &world.test.decision;
    (0..world.meta.decisions.len()).map(|decision| {
        let before = |limit: usize| decisions.partition_point(|&at| usize::from(at) < limit);
        before(decision)..before(decision + 1)
    })
}

/// The value of an account that one platform alone has.
fn alone(section: &FusionSection, table: &FusionTable, platform: usize, sent: u32) -> u32 {
    table.apply(section.weights[platform] * sent)
}

/// A score that orders by value first and by the platform's own score among equals.
#[allow(clippy::cast_precision_loss)] // At most 64 values.
fn ordered(value: u32, own: f32, section: &FusionSection) -> f32 {
    (value as f32 + own.min(1.0 - f32::EPSILON)) / section.bands() as f32
}

/// The pseudonyms of the tested accounts.
struct Names {
    of_case: Vec<Pseudonym>,
    sets: Vec<BTreeSet<Pseudonym>>,
    how: &'static str,
    bytes: u64,
}

impl Names {
    /// Scores in the clear are matched in the clear; hidden ones by a keyed pseudonym that needs the matcher.
    fn of(
        design: FusionDesign,
        world: &WorldData,
        stopwatch: &dyn Stopwatch,
        keep: Option<&Path>,
    ) -> Result<Self, Fault> {
        let tokens = world.tokens.as_ref().ok_or_else(|| {
            Fault::Config("the world holds no identifiers to match accounts by; make the plan again".into())
        })?;
        let identifiers: Vec<[u8; 8]> = tokens.iter().map(|token| token.to_le_bytes()).collect();
        let (of_case, how, bytes) = if design == (FusionDesign::Plain {}) {
            let all = identifiers.iter().map(|identifier| plain_hash(identifier)).collect();
            (all, "plain hash: whoever can list identifiers undoes it", 32 * tokens.len() as u64)
        } else {
            // A matcher's key is fresh at every start; platforms that were named before keep their names.
            let (bytes, all) = match store::read_names(keep, identifiers.len())? {
                Some(known) => known,
                None => {
                    let (all, bytes) = keyed(&identifiers, &world.cases.platform, stopwatch)?;
                    store::write_names(keep, bytes, &all)?;
                    (bytes, all)
                }
            };
            (all, "keyed pseudonym (RFC 9497)", bytes)
        };
        let mut sets = vec![BTreeSet::new(); world.meta.platforms.len()];
        for (name, platform) in of_case.iter().zip(&world.cases.platform) {
            sets[usize::from(*platform)].insert(*name);
        }
        Ok(Self { of_case, sets, how, bytes })
    }
}

/// Identifiers that one request holds.
const REQUEST: usize = 4096;

/// Every platform asks the matcher about its own accounts. The matcher's time is charged to those who hold a key.
fn keyed(
    identifiers: &[[u8; 8]],
    platforms: &[u8],
    stopwatch: &dyn Stopwatch,
) -> Result<(Vec<Pseudonym>, u64), Fault> {
    let mut matcher = Matcher::new(identifiers.len() as u64).map_err(runtime)?;
    let (key, mut bytes) = (matcher.public_key(), 0);
    let mut names = vec![Pseudonym::new([0; 32]); identifiers.len()];
    let last = platforms.iter().max().map_or(0, |last| u32::from(*last) + 1);
    for platform in 0..last {
        let own: Vec<usize> = (0..names.len()).filter(|&at| u32::from(platforms[at]) == platform).collect();
        for request in own.chunks(REQUEST) {
            let asked = request.iter().map(|&at| identifiers[at].to_vec()).collect();
            let (pending, blinded) =
                timed(stopwatch, Seat::Platform, || PendingMatch::blind(asked)).map_err(runtime)?;
            let answer = timed(stopwatch, Seat::KeyHolder, || matcher.evaluate(platform, &blinded));
            let answer = answer.map_err(runtime)?;
            bytes += (blinded.len() + answer.len()) as u64;
            let found =
                timed(stopwatch, Seat::Platform, || pending.finish(&answer, &key)).map_err(runtime)?;
            request.iter().zip(found).for_each(|(&at, name)| names[at] = name);
        }
    }
    Ok((names, bytes))
}

fn timed<T>(stopwatch: &dyn Stopwatch, seat: Seat, work: impl FnOnce() -> T) -> T {
    let (mut work, mut done) = (Some(work), None);
    stopwatch.run(seat, &mut || done = work.take().map(|work| work()));
    done.expect("a stopwatch runs its work")
}

/// Bits are few, and a plan without any is refused.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(bits: f64) -> u32 {
    bits.floor() as u32
}

/// Platforms of a world are few.
fn number(platform: usize) -> u32 {
    u32::try_from(platform).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
