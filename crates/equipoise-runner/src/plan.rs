//! The plan: the whole experiment frozen into content-addressed units before any work.
//!
//! A unit's id is the hash of its stage, the stage's code version, the slice of the configuration that it really reads
//! and the ids of the units that it needs. So a resume is "run again", arms that do not depend on a swept key are
//! computed once, and any scheduler can run the units. Threads, clocks and directories are not part of it.

mod build;
mod names;
mod slice;

pub(crate) use slice::slice;

use build::Builder;
use names::{name_apart, setting};

use crate::config::{
    AggregationSpec, ArmKind, Evaluation, Experiment, FederationSection, FusionSection, Loaded,
    PrivacySection, Protocol, Start,
};
use crate::fault::{Fault, runtime};
use crate::schema::SchemaSpec;
use equipoise_features::{FeatureSpec, UnitScale};
use equipoise_model::boosted::BoostedSpec;
use equipoise_model::calibration::CalibrationSpec;
use equipoise_model::{ModelSpec, TrainConfig};
use equipoise_synth::WorldSpec;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Raised when the bytes that a stage writes change for the same input; it keeps old caches from being read.
const CODE: [(Stage, u32); 3] = [(Stage::World, 5), (Stage::Tune, 6), (Stage::Trial, 7)];

/// What kind of work a unit is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Simulates a world and writes its rows. Shared between runs.
    World,
    /// Chooses an arm's learning rate on development worlds.
    Tune,
    /// Trains and scores one arm on one test world.
    Trial,
}

impl Stage {
    /// The name in paths.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::World => "world",
            Self::Tune => "tune",
            Self::Trial => "trial",
        }
    }
}

/// What a world unit reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct WorldSlice {
    /// The world file.
    pub world: WorldSpec,
    /// The features.
    pub features: FeatureSpec,
    /// The protocol of time.
    pub protocol: Protocol,
    /// The experiment's root seed.
    pub seed: u64,
    /// `test` or `development`.
    pub role: WorldRole,
    /// Which of them.
    pub index: u32,
    /// Whether event sequences are kept beside the rows. Left out where they are not, so that those worlds keep their address.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sequences: bool,
    /// Whether the accounts' noisy identifiers are kept, for arms that fuse scores. Left out where they are not, for the same reason.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tokens: bool,
    /// Whether what each contact adds to a row is kept, for arms that sum over contacts. Left out where it is not, for the same reason.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub contacts: bool,
}

/// What a world is for. The two have disjoint randomness.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorldRole {
    /// Arms are compared on it.
    Test,
    /// Learning rates are chosen on it.
    Development,
}

/// What an arm's training reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ArmSlice {
    /// Which arm.
    pub arm: ArmKind,
    /// Which columns it reads; all of them, or no choice for a reference arm, without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<SchemaSpec>,
    /// Its model; none for a reference arm.
    pub model: Option<ModelSpec>,
    /// Its trees, where it grows some.
    pub trees: Option<BoostedSpec>,
    /// Where each column's values may lie and who sees it, for a model that reads the unit interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<UnitScale>,
    /// How its scores become probabilities, where they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<CalibrationSpec>,
    /// What the model says before any training.
    pub start: Option<Start>,
    /// How a platform trains, where local epochs are run.
    pub training: Option<TrainConfig>,
    /// Passes in all, for arms without rounds.
    pub passes: Option<u32>,
    /// How platforms train together.
    pub federation: Option<FederationSection>,
    /// How updates become one.
    pub aggregation: Option<AggregationSpec>,
    /// How scores of one account become one value, where they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fusion: Option<FusionSection>,
    /// What is promised, where something is.
    pub privacy: Option<PrivacySection>,
    /// Candidates for the learning rate.
    pub learning_rates: Vec<f64>,
    /// The experiment's root seed.
    pub seed: u64,
}

/// What a unit does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(clippy::large_enum_variant)] // A plan has tens of units; a box would be noise in the file's types.
pub enum Work {
    /// Makes a world.
    World(WorldSlice),
    /// Tunes an arm.
    Tune(ArmSlice),
    /// Runs an arm on a test world.
    Trial {
        /// The arm.
        arm: ArmSlice,
        /// How safety is measured.
        evaluation: Evaluation,
    },
}

/// One idempotent piece of work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unit {
    /// Content address, 12 hex digits.
    pub id: String,
    /// What kind.
    pub stage: Stage,
    /// For people.
    pub label: String,
    /// Units that must be finished first: worlds, then a tuning unit where there is one.
    pub needs: Vec<String>,
    /// What to do.
    pub work: Work,
}

/// One arm of the report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArmPlan {
    /// Unique in the report, for instance `federated-eps-1`.
    pub id: String,
    /// For people.
    pub label: String,
    /// What it is.
    pub slice: ArmSlice,
    /// The tuning unit, where a model is trained.
    pub tune: Option<String>,
    /// One trial a test world, in order.
    pub trials: Vec<String>,
}

/// The frozen experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Hash of everything below.
    pub id: String,
    /// Name of the run.
    pub name: String,
    /// The file as given.
    pub text: String,
    /// Every point, resolved.
    pub points: Vec<Experiment>,
    /// The arms of the report.
    pub arms: Vec<ArmPlan>,
    /// The test worlds' units, in order.
    pub worlds: Vec<String>,
    /// The arm that an arm is compared with, where the sweep names a baseline.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub baseline: BTreeMap<String, String>,
    /// What was set on the command line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<String>,
    /// All units; each stands after what it needs.
    pub units: Vec<Unit>,
}

impl Plan {
    /// Freezes a checked experiment.
    ///
    /// # Errors
    /// If something cannot be hashed: a defect of the program.
    pub fn new(loaded: &Loaded) -> Result<Self, Fault> {
        let mut builder = Builder::default();
        let first = loaded.first();
        let worlds = builder.worlds(loaded, WorldRole::Test, first.experiment.seeds)?;
        let development = builder.worlds(loaded, WorldRole::Development, first.tuning.worlds)?;
        let mut arms: Vec<ArmPlan> = Vec::new();
        let mut settings = Vec::new();
        let mut pairs = Vec::new();
        for kind in &first.arms {
            for (index, point) in loaded.points.iter().enumerate() {
                let slice = slice(*kind, &point.experiment, &loaded.world);
                if arms.iter().any(|arm| arm.slice == slice) {
                    continue;
                }
                if let Some(base) = loaded.baseline.as_ref().map(|baseline| &loaded.points[baseline[index]]) {
                    pairs.push((slice.clone(), self::slice(*kind, &base.experiment, &loaded.world)));
                }
                arms.push(builder.arm(slice, &point.experiment, &worlds, &development)?);
                settings.push(setting(*kind, point, &loaded.points));
            }
        }
        name_apart(&mut arms, &settings);
        let id = |slice: &ArmSlice| arms.iter().find(|arm| arm.slice == *slice).map(|arm| arm.id.clone());
        let pairs = pairs.iter().filter(|(arm, base)| arm != base);
        let baseline: BTreeMap<String, String> =
            pairs.filter_map(|(arm, base)| Some((id(arm)?, id(base)?))).collect();
        let points: Vec<Experiment> = loaded.points.iter().map(|point| point.experiment.clone()).collect();
        let mut plan = Self {
            id: String::new(),
            name: first.experiment.name.clone(),
            text: loaded.text.clone(),
            points,
            arms,
            worlds,
            baseline,
            overrides: loaded.overrides.clone(),
            units: builder.units,
        };
        // Comments in the file may change without changing what is computed, so the text stays out of the hash.
        // How the points were set does not change it either; which of them is the baseline changes the report.
        let baseline: Vec<&str> = plan.baseline.iter().flat_map(|(arm, base)| [arm.as_str(), base]).collect();
        plan.id = hash("plan", 1, &(&plan.name, &plan.points, &plan.arms, &plan.units), &baseline)?;
        Ok(plan)
    }

    /// The first point: name, question, worlds and evaluation are the same at all of them.
    #[must_use]
    pub fn first(&self) -> &Experiment {
        &self.points[0]
    }

    /// Finds a unit by id, by the beginning of its id, or by its index.
    ///
    /// # Errors
    /// If there is none, or more than one.
    pub fn unit(&self, name: &str) -> Result<&Unit, Fault> {
        if let Some(unit) = name.parse::<usize>().ok().and_then(|index| self.units.get(index)) {
            return Ok(unit);
        }
        let found: Vec<&Unit> = self.units.iter().filter(|unit| unit.id.starts_with(name)).collect();
        match found.as_slice() {
            [unit] => Ok(unit),
            [] => Err(Fault::Config(format!(
                "there is no unit `{name}` in this plan; `equipoise plan` lists them"
            ))),
            _ => Err(Fault::Config(format!("`{name}` names {} units; give more digits", found.len()))),
        }
    }
}

/// The address of an arm's training on a world, with the tuning that it follows: everything that a trial reads but how it is measured.
///
/// # Errors
/// Never in practice: a slice is plain data.
pub(crate) fn training_key(arm: &ArmSlice, needs: &[String]) -> Result<String, Fault> {
    let version = CODE.iter().find(|(stage, _)| *stage == Stage::Trial).map_or(0, |(_, version)| *version);
    let inputs: Vec<&str> = needs.iter().map(String::as_str).collect();
    Ok(hash("trained", version, arm, &inputs)?[..12].to_owned())
}

fn hash<T: Serialize>(stage: &str, version: u32, slice: &T, inputs: &[&str]) -> Result<String, Fault> {
    equipoise_store::stage_key(stage, &version.to_string(), slice, inputs).map_err(runtime)
}
