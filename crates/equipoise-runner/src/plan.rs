//! The plan: the whole experiment frozen into content-addressed units before any work.
//!
//! A unit's id is the hash of its stage, the stage's code version, the slice of the configuration that it really reads
//! and the ids of the units that it needs. So a resume is "run again", arms that do not depend on a swept key are
//! computed once, and any scheduler can run the units. Threads, clocks and directories are not part of it.

use crate::config::{
    AggregationSpec, ArmKind, Evaluation, Experiment, FederationSection, FusionSection, Loaded, Point,
    PrivacySection, Protocol, Start, Tuning,
};
use crate::fault::{Fault, runtime};
use crate::schema::SchemaSpec;
use equipoise_features::{FeatureSpec, UnitScale};
use equipoise_federated::{FedAvg, LocalSpec};
use equipoise_model::boosted::BoostedSpec;
use equipoise_model::calibration::CalibrationSpec;
use equipoise_model::{ModelSpec, TrainConfig};
use equipoise_synth::WorldSpec;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Raised when the bytes that a stage writes change for the same input; it keeps old caches from being read.
const CODE: [(Stage, u32); 3] = [(Stage::World, 5), (Stage::Tune, 5), (Stage::Trial, 5)];

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

#[derive(Default)]
struct Builder {
    units: Vec<Unit>,
    seen: BTreeMap<String, ()>,
}

impl Builder {
    fn add(&mut self, stage: Stage, label: String, needs: Vec<String>, work: Work) -> Result<String, Fault> {
        let version = CODE.iter().find(|(s, _)| *s == stage).map_or(0, |(_, version)| *version);
        let inputs: Vec<&str> = needs.iter().map(String::as_str).collect();
        let id = hash(stage.name(), version, &work, &inputs)?[..12].to_owned();
        if self.seen.insert(id.clone(), ()).is_none() {
            self.units.push(Unit { id: id.clone(), stage, label, needs, work });
        }
        Ok(id)
    }

    fn worlds(&mut self, loaded: &Loaded, role: WorldRole, count: u32) -> Result<Vec<String>, Fault> {
        let e = loaded.first();
        let networks = e.arms.iter().any(|arm| arm.trains() && !arm.grows_trees());
        let reads = loaded.points.iter().any(|point| point.experiment.model.reads_sequences());
        (0..count)
            .map(|index| {
                let slice = WorldSlice {
                    world: loaded.world.clone(),
                    features: e.features,
                    protocol: e.protocol.clone(),
                    seed: e.experiment.seed,
                    role,
                    index,
                    sequences: networks && reads,
                    tokens: e.arms.iter().any(|arm| arm.fuses()),
                };
                let what = if role == WorldRole::Test { "test world" } else { "development world" };
                self.add(Stage::World, format!("{what} {index}"), vec![], Work::World(slice))
            })
            .collect()
    }

    fn arm(
        &mut self,
        slice: ArmSlice,
        experiment: &Experiment,
        worlds: &[String],
        development: &[String],
    ) -> Result<ArmPlan, Fault> {
        let (id, label) = name(&slice);
        let tune = if slice.arm.trains() {
            Some(self.add(
                Stage::Tune,
                format!("tune {label}"),
                development.to_vec(),
                Work::Tune(slice.clone()),
            )?)
        } else {
            None
        };
        let trials = worlds
            .iter()
            .enumerate()
            .map(|(index, world)| {
                let needs = std::iter::once(world.clone()).chain(tune.clone()).collect();
                let work = Work::Trial { arm: slice.clone(), evaluation: experiment.evaluation.clone() };
                self.add(Stage::Trial, format!("{label}, world {index}"), needs, work)
            })
            .collect::<Result<_, _>>()?;
        Ok(ArmPlan { id, label, slice, tune, trials })
    }
}

/// The slice of an experiment that an arm reads. What is not in here cannot change the arm.
fn slice(arm: ArmKind, e: &Experiment, world: &WorldSpec) -> ArmSlice {
    let network = arm.trains() && !arm.grows_trees();
    let private = arm.federates() && e.privacy.epsilon.is_finite();
    let model = match arm {
        _ if !arm.trains() || arm.grows_trees() => None,
        ArmKind::FederatedLogistic => Some(ModelSpec::LogisticRegression {}),
        _ if arm.is_binned() => e.binned.map(|binned| ModelSpec::BinnedLogistic { bins: binned.bins }),
        _ => Some(e.model.clone()),
    };
    let schemas = || (0..world.platform.len()).map(|platform| world.schema(platform)).collect::<Vec<_>>();
    let scaled = model.as_ref().is_some_and(ModelSpec::reads_unit_interval);
    let Tuning { learning_rates, private_learning_rates, .. } = &e.tuning;
    let rates = if private { private_learning_rates } else { learning_rates };
    let mut federation = arm.federates().then(|| e.federation.clone());
    if let (ArmKind::FederatedBinned, Some(section)) = (arm, &mut federation) {
        // A baseline stays the same whatever rule is studied beside it, and it has one layer.
        section.local = LocalSpec::FedAvg(FedAvg {});
    }
    if let (true, Some(section)) = (private, &mut federation) {
        // One clipped step a round on the server's own optimiser: the local-epoch settings are not read.
        section.rounds = e.privacy.rounds;
        section.server = e.privacy.server.clone();
    }
    ArmSlice {
        arm,
        schema: e.schema.filter(|_| arm.trains()),
        model,
        trees: if arm.grows_trees() { e.trees.clone() } else { None },
        scale: scaled.then(|| UnitScale::new(e.features.label_adjacent, &schemas())),
        calibration: e.calibration.filter(|spec| arm.trains() && *spec != CalibrationSpec::None {}),
        start: network.then_some(e.start),
        training: network.then(|| e.training.clone()),
        passes: (network && (!arm.federates() || e.federation.partition.members().is_some()))
            .then_some(e.federation.rounds),
        federation,
        aggregation: arm.federates().then(|| e.aggregation.clone()),
        fusion: e.fusion.as_ref().filter(|_| arm.fuses()).map(|fusion| fusion.of(arm)),
        privacy: private.then(|| e.privacy.of_arm()),
        learning_rates: if arm.trains() { rates.clone() } else { vec![] },
        seed: e.experiment.seed,
    }
}

fn name(slice: &ArmSlice) -> (String, String) {
    let base = slice.arm.id();
    let plain = match slice.arm {
        ArmKind::ReportsOnly => "reports only",
        ArmKind::LiteralRule => "literal rule",
        ArmKind::LocalOnly => "local only",
        ArmKind::Federated => "federated",
        ArmKind::FederatedLogistic => "federated logistic",
        ArmKind::PooledUnlinked => "pooled, unlinked",
        ArmKind::PooledLinked => "pooled, linked",
        ArmKind::LocalTrees => "local trees",
        ArmKind::FederatedTrees => "federated trees",
        ArmKind::PooledTrees => "pooled trees",
        ArmKind::LocalBinned => "local binned",
        ArmKind::FederatedBinned => "federated binned",
        ArmKind::PooledBinned => "pooled binned",
        ArmKind::FusedPlain => "fused, plain",
        ArmKind::FusedEncrypted => "fused, encrypted",
    };
    match &slice.privacy {
        Some(privacy) => {
            let (id, label) =
                (format!("{base}-eps-{}", privacy.epsilon), format!("{plain}, ε = {}", privacy.epsilon));
            match privacy.rows_per_account() {
                Some(rows) => {
                    (format!("{id}-account-k{rows}"), format!("{label} for an account, K = {rows}"))
                }
                None => (id, label),
            }
        }
        None => (base.to_owned(), plain.to_owned()),
    }
}

/// What a point sets, besides epsilon, which is part of an arm's name anyway: short for ids and in full for people.
fn setting(arm: ArmKind, point: &Point, points: &[Point]) -> (String, String) {
    // A trainer that a model brings with it says nothing that the model does not.
    let brought = |key: &str| key == "training.trainer" && point.set.contains_key("model");
    // Scores in the clear are hidden by no design.
    let unread = |key: &str| key == "fusion.design" && arm == ArmKind::FusedPlain;
    let named = |key: &str| key != "privacy.epsilon" && !brought(key) && !unread(key);
    let pairs = point.set.iter().filter(|(key, _)| named(key));
    let (short, full): (Vec<String>, Vec<String>) = pairs
        .map(|(key, value)| {
            let others: Vec<&toml::Value> = points.iter().filter_map(|point| point.set.get(key)).collect();
            words(key, value, &others)
        })
        .unzip();
    (short.join(", "), full.join(", "))
}

/// A strategy is named by its key and its parameters follow; of a table of settings, those that the first point sets otherwise; another
/// value stands behind the last part of its key.
fn words(key: &str, value: &toml::Value, others: &[&toml::Value]) -> (String, String) {
    let (mut name, mut at) = (None, value);
    while let Some((inner, next)) = at.as_table().and_then(|table| table.iter().next()) {
        if !next.is_table() {
            break;
        }
        (name, at) = (Some(inner.clone()), next);
    }
    let last = key.rsplit('.').next().unwrap_or(key);
    let pair = |(key, value): (&String, &toml::Value)| format!("{key} = {value}");
    match (name, at.as_table()) {
        (Some(name), Some(table)) if !table.is_empty() => {
            let full = format!("{name} ({})", table.iter().map(pair).collect::<Vec<_>>().join(", "));
            (name, full)
        }
        (Some(name), _) => (name.clone(), name),
        (None, Some(table)) => {
            let first = others.first().copied();
            let differs = |key: &str, value| first.and_then(|first| first.get(key)) != Some(value);
            let own: Vec<String> =
                table.iter().filter(|(key, value)| differs(key.as_str(), *value)).map(pair).collect();
            let own = if own.is_empty() { "as at first".to_owned() } else { own.join(", ") };
            (last.to_owned(), format!("{last} ({own})"))
        }
        (None, None) => {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let word = format!("{last} = {value}");
            (word.clone(), word)
        }
    }
}

/// Arms of one name get what the sweep set to make them differ, and a number if that is not enough.
fn name_apart(arms: &mut [ArmPlan], settings: &[(String, String)]) {
    let names: Vec<String> = arms.iter().map(|arm| arm.id.clone()).collect();
    let mut taken: [BTreeMap<String, u32>; 2] = Default::default();
    for (arm, (short, full)) in arms.iter_mut().zip(settings) {
        if names.iter().filter(|name| **name == arm.id).count() > 1 && !short.is_empty() {
            let slug: String =
                short.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
            arm.id = format!("{}-{}", arm.id, slug.replace("---", "-"));
            arm.label = format!("{}, {full}", arm.label);
        }
        for (name, taken) in [&mut arm.id, &mut arm.label].into_iter().zip(&mut taken) {
            let seen = taken.entry(name.clone()).or_default();
            *seen += 1;
            if *seen > 1 {
                *name = format!("{name}-{seen}");
            }
        }
    }
}

fn hash<T: Serialize>(stage: &str, version: u32, slice: &T, inputs: &[&str]) -> Result<String, Fault> {
    equipoise_store::stage_key(stage, &version.to_string(), slice, inputs).map_err(runtime)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_strategy_is_named_by_its_key_and_a_number_by_its_own() {
        let words = |key: &str, value: &str| {
            let table: toml::Table = toml::from_str(&format!("v = {value}")).unwrap();
            super::words(key, &table["v"], &[&toml::from_str::<toml::Table>("a = 1\nb = 3").unwrap().into()])
        };
        let same = |word: &str| (word.to_owned(), word.to_owned());
        assert_eq!(words("aggregation", "{ hidden = { plain = {} } }"), same("plain"));
        assert_eq!(words("federation.cohort.dropout", "0.5"), same("dropout = 0.5"));
        let (short, full) = words("aggregation", "{ visible = { krum = { byzantine = 1 } } }");
        assert_eq!((short.as_str(), full.as_str()), ("krum", "krum (byzantine = 1)"));
        assert_eq!(words("faults", "{ a = 1, b = 2 }").1, "faults (b = 2)");
        assert_eq!(words("model", "{ mlp = { hidden = [32] } }").1, "mlp (hidden = [32])");
    }
}
