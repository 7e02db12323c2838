//! V12, V13, V14 and V17: what a strong learner and single columns can tell about the truth, where they should not.
//! Areas are judged seed by seed with three standard errors: the larger of the spread between seeds and the probes' own.
//!
//! Public output of V13 is the maximum alone; the name of the column never leaves this file, since a list of telling columns
//! would serve evasion.

use super::probes::{ProbeRow, ProbeRows};
use equipoise_core::{Fraction, Seed};
use equipoise_model::Rows;
use equipoise_model::boosted::{Binning, BoostedSpec, auc_probe};
use equipoise_synth::truth::HarmArchetype;
use equipoise_synth::validate::{Check, Evidence, Finding, Kind, Target, stats};

/// Positives below which an equivalence says nothing.
const POSITIVES: u64 = 200;
/// Half-width of the band around chance: an area of .55 would lift average precision by little at any budget. Assumed.
const MARGIN: f64 = 0.05;

/// Rows at detectability 0 and at 1, one world a seed.
#[derive(Clone, Debug, Default)]
pub(super) struct ModelEvidence {
    /// Detectability 0.
    pub(super) null: Vec<ProbeRows>,
    /// Detectability 1.
    pub(super) full: Vec<ProbeRows>,
}

/// The checks over this evidence.
#[must_use]
pub(super) fn checks(evidence: &ModelEvidence) -> Vec<Box<dyn Check + '_>> {
    vec![
        Box::new(NullWorld(evidence)),
        Box::new(Giveaway(evidence)),
        Box::new(Shortcut(evidence)),
        Box::new(VictimLeak(evidence)),
    ]
}

/// A fixed learner, strong enough to find interactions and small enough to be trained two hundred times.
fn learner() -> BoostedSpec {
    let all = Fraction::new(1.0).expect("one is a fraction");
    BoostedSpec {
        rounds: 40,
        learning_rate: 0.1,
        max_leaves: 15,
        max_depth: 6,
        min_samples_leaf: 20,
        min_hessian: 1e-3,
        min_gain: 0.0,
        l2: 1.0,
        binning: Binning::Quantile { bins: 63 },
        row_share: all,
        column_share: all,
    }
}

/// The patterns that have rows.
fn archetypes(worlds: &[ProbeRows]) -> Vec<HarmArchetype> {
    let mut found: Vec<HarmArchetype> =
        worlds.iter().flat_map(|w| &w.rows).map(|row| row.archetype).collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn word(archetype: HarmArchetype) -> String {
    serde_json::to_value(archetype).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Areas of one question, one a seed.
#[derive(Default)]
struct Areas {
    values: Vec<f64>,
    errors: Vec<f64>,
    positives: u64,
    why: Option<String>,
}

impl Areas {
    /// The standard error of the mean: never below what the probes themselves say.
    fn error(&self) -> Option<f64> {
        let own = self.errors.iter().map(|e| e * e).sum::<f64>().sqrt() / self.errors.len() as f64;
        stats::standard_error(&self.values).map(|between| between.max(own))
    }

    fn judge(&self, check: &dyn Check, statistic: String, target: Target) -> Finding {
        match &self.why {
            Some(why) if self.values.is_empty() => check.header().absent(statistic, target, why.clone()),
            Some(why) => check
                .header()
                .judge_with(statistic, &self.values, self.error(), self.positives, target)
                .noting(why),
            None => check.header().judge_with(statistic, &self.values, self.error(), self.positives, target),
        }
    }
}

/// Out-of-fold areas of the learner over the rows that `keep` accepts, with the columns that `row_of` gives.
fn learn(
    worlds: &[ProbeRows],
    keep: impl Fn(&ProbeRow) -> bool,
    row_of: impl Fn(&ProbeRows, usize) -> Vec<f32>,
) -> Areas {
    let mut areas = Areas::default();
    for (seed, world) in (0_u64..).zip(worlds) {
        let kept: Vec<usize> = (0..world.rows.len()).filter(|at| keep(&world.rows[*at])).collect();
        let values: Vec<f32> = kept.iter().flat_map(|at| row_of(world, *at)).collect();
        let labels: Vec<f32> = kept.iter().map(|at| f32::from(u8::from(world.rows[*at].harmful))).collect();
        let groups: Vec<u64> = kept.iter().map(|at| world.rows[*at].group).collect();
        let weights = vec![1.0; kept.len()];
        let columns = values.len().checked_div(kept.len()).unwrap_or(0);
        let rows = Rows { columns, values: &values, labels: &labels, weights: &weights };
        match auc_probe(&rows, &groups, 5, &learner(), Seed::root(12).derive("probe", seed)) {
            Ok(probe) => {
                areas.values.push(probe.auc);
                areas.errors.push(probe.standard_error);
                areas.positives += probe.positives as u64;
            }
            Err(error) => areas.why = Some(format!("seed {seed}: {error}")),
        }
    }
    areas
}

fn features(world: &ProbeRows, at: usize) -> Vec<f32> {
    world.values[at * world.columns..(at + 1) * world.columns].to_vec()
}

/// V12.
struct NullWorld<'a>(&'a ModelEvidence);

impl Check for NullWorld<'_> {
    fn id(&self) -> &'static str {
        "V12"
    }
    fn statistic(&self) -> &'static str {
        "boosted trees on truth labels at detectability 0, each pattern against its look-alikes"
    }
    fn source(&self) -> &'static str {
        "by construction; margin of .05 assumed"
    }
    fn kind(&self) -> Kind {
        Kind::Gated
    }
    fn run(&self, _: &Evidence) -> Vec<Finding> {
        let target = Target::Equivalent(0.5 - MARGIN, 0.5 + MARGIN, POSITIVES);
        let found = archetypes(&self.0.null);
        if found.is_empty() {
            return vec![self.header().absent("area under the curve", target, "no world at detectability 0")];
        }
        found
            .into_iter()
            .map(|archetype| {
                let areas = learn(&self.0.null, |row| row.archetype == archetype, features);
                areas.judge(self, format!("{}: area under the curve", word(archetype)), target)
            })
            .collect()
    }
}

/// The largest one-column area over all columns of one world's pattern, and its standard error under no difference.
fn largest(world: &ProbeRows, archetype: HarmArchetype) -> Option<(f64, f64, u64)> {
    (0..world.columns)
        .filter_map(|column| {
            let (values, harmful) = world.column(column, |row| row.archetype == archetype);
            let positives = harmful.iter().filter(|h| **h).count() as u64;
            let (area, error) = stats::auc(&values, &harmful)?;
            Some((area.max(1.0 - area), error, positives))
        })
        .max_by(|a, b| a.0.total_cmp(&b.0))
}

/// V13.
struct Giveaway<'a>(&'a ModelEvidence);

impl Check for Giveaway<'_> {
    fn id(&self) -> &'static str {
        "V13"
    }
    fn statistic(&self) -> &'static str {
        "largest one-column area at detectability 1, each pattern against its look-alikes"
    }
    fn source(&self) -> &'static str {
        "design; bound .90, aim .85 (assumed)"
    }
    fn kind(&self) -> Kind {
        Kind::Gated
    }
    fn run(&self, _: &Evidence) -> Vec<Finding> {
        let found = archetypes(&self.0.full);
        if found.is_empty() {
            let target = Target::AtMost(0.90);
            return vec![self.header().absent("largest area", target, "no world at detectability 1")];
        }
        found
            .into_iter()
            .map(|archetype| {
                let mut areas = Areas::default();
                for (area, error, positives) in self.0.full.iter().filter_map(|w| largest(w, archetype)) {
                    areas.values.push(area);
                    areas.errors.push(error);
                    areas.positives += positives;
                }
                let target = Target::Equivalent(0.0, 0.90, POSITIVES);
                let name = format!("{}: largest one-column area", word(archetype));
                let finding = areas.judge(self, name, target);
                let warm = finding.value.is_some_and(|value| value > 0.85);
                if warm { finding.noting("above the aim of .85") } else { finding }
            })
            .collect()
    }
}

/// What lies about an account without being behaviour: number, place, token, hour of making, which columns are exactly 0, how
/// many low bits of its values are set, the platform.
fn incidental(world: &ProbeRows, at: usize) -> Vec<f32> {
    let row = &world.rows[at];
    let values = &world.values[at * world.columns..(at + 1) * world.columns];
    let low_bits: u32 = values.iter().map(|v| (v.to_bits() & 0xFFF).count_ones()).sum();
    let place = at as f32 / world.rows.len().max(1) as f32;
    let mut out = vec![row.account, place, row.token, row.made, f32::from(row.platform), low_bits as f32];
    out.extend(values.iter().map(|v| f32::from(u8::from(v.to_bits() << 1 == 0))));
    out
}

/// V14.
struct Shortcut<'a>(&'a ModelEvidence);

impl Check for Shortcut<'_> {
    fn id(&self) -> &'static str {
        "V14"
    }
    fn statistic(&self) -> &'static str {
        "what is not behaviour: numbers, order, tokens, hour of making, null pattern, precision, platform constants"
    }
    fn source(&self) -> &'static str {
        "by construction; margin of .05 assumed"
    }
    fn kind(&self) -> Kind {
        Kind::Gated
    }
    fn run(&self, _: &Evidence) -> Vec<Finding> {
        let target = Target::Equivalent(0.5 - MARGIN, 0.5 + MARGIN, POSITIVES);
        let name = "boosted trees on incidentals at detectability 0";
        if self.0.null.is_empty() {
            return vec![self.header().absent(name, target, "no world at detectability 0")];
        }
        let mut findings =
            vec![learn(&self.0.null, |_| true, incidental).judge(self, name.to_owned(), target)];
        // Numbers, order, tokens and hours must say nothing at any detectability.
        for (at, what) in
            ["account number", "row order", "linkage token", "hour of making"].iter().enumerate()
        {
            let mut areas = Areas::default();
            for world in self.0.null.iter().chain(&self.0.full) {
                let scores: Vec<f64> =
                    (0..world.rows.len()).map(|row| f64::from(incidental(world, row)[at])).collect();
                let harmful: Vec<bool> = world.rows.iter().map(|row| row.harmful).collect();
                if let Some((area, error)) = stats::auc(&scores, &harmful) {
                    areas.values.push(area);
                    areas.errors.push(error);
                    areas.positives += harmful.iter().filter(|h| **h).count() as u64;
                }
            }
            findings.push(areas.judge(self, format!("area of the {what} alone"), target));
        }
        findings
    }
}

/// V17.
struct VictimLeak<'a>(&'a ModelEvidence);

impl Check for VictimLeak<'_> {
    fn id(&self) -> &'static str {
        "V17"
    }
    fn statistic(&self) -> &'static str {
        "what targets did about an account (blocks, mutes), before the first report about it"
    }
    fn source(&self) -> &'static str {
        "design; bound .6 assumed"
    }
    fn kind(&self) -> Kind {
        Kind::Gated
    }
    fn run(&self, _: &Evidence) -> Vec<Finding> {
        let (name, target) = ("boosted trees on the targets' side alone", Target::AtMost(0.6));
        if self.0.full.is_empty() {
            return vec![self.header().absent(name, target, "no world at detectability 1")];
        }
        let of_targets = |world: &ProbeRows, at: usize| -> Vec<f32> {
            let row = features(world, at);
            row.into_iter()
                .zip(&world.label_adjacent)
                .filter(|(_, adjacent)| **adjacent)
                .map(|(v, _)| v)
                .collect()
        };
        vec![learn(&self.0.full, |row| !row.reported, of_targets).judge(self, name.to_owned(), target)]
    }
}
