//! The file of a policy experiment: which measures, on which world, with which reviews. Every key is written out; what is
//! absent is off.

use super::axis::{self, Point, Vary};
use super::score::{Recipe, ScoreSection};
use super::uncertainty::{self, Drawn, Uncertainty};
use crate::config::{parse, read};
use crate::fault::{Fault, config};
use equipoise_core::Fraction;
use equipoise_policy::tandem::half;
use equipoise_policy::{PolicySpec, ReviewRules};
use equipoise_synth::{AdaptationSpec, WorldSpec};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The largest factorial.
const MEASURES: usize = 6;

/// A whole file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct PolicyFile {
    pub(crate) experiment: About,
    pub(crate) world: WorldSection,
    /// What harmful accounts do after a measure met them; absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) adaptation: Option<AdaptationSpec>,
    pub(crate) review: ReviewRules,
    /// What orders the review queue; absent: the public rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) score: Option<ScoreSection>,
    /// The measures of the factorial; each may pool several.
    pub(crate) measure: Vec<Measure>,
    /// One key that takes several values beside the measures that are on or off; absent: none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) vary: Option<Vary>,
    /// Assumed rates that are drawn from their ranges; absent: they stay as they stand here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) uncertainty: Option<Uncertainty>,
}

/// What is asked.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct About {
    pub(crate) name: String,
    pub(crate) question: String,
    pub(crate) seed: u64,
    /// Paired worlds.
    pub(crate) seeds: u16,
    /// Days between one measure and the next in one more cell, in which all of them come one after the other; absent: no
    /// such cell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) staggered_days: Option<u16>,
    /// Which part of the factorial is played; absent: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) fraction: Option<Part>,
}

/// A part of the factorial.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Part {
    /// The half of six measures with an even number of them on.
    Half,
}

/// Which world.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct WorldSection {
    /// World file, beside this one.
    pub(crate) file: PathBuf,
    pub(crate) persons: u32,
    pub(crate) days: u16,
    /// Harmful accounts as a share of ordinary ones.
    pub(crate) prevalence: Fraction,
    /// Whether measures see true ages: the bound that age assurance cannot pass.
    pub(crate) true_ages: bool,
    /// Platforms, by name, on which no measure holds.
    pub(crate) abstain: Vec<String>,
}

/// One factor of the factorial.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Measure {
    pub(crate) name: String,
    /// The day from which it holds: 0 is by design, later is a retrofit.
    pub(crate) from_day: u16,
    /// The measures that are switched together.
    pub(crate) pools: Vec<PolicySpec>,
}

/// A file with its world, its points and what they are scored by.
#[derive(Clone, Debug)]
pub(crate) struct Experiment {
    pub(crate) file: PolicyFile,
    pub(crate) world: WorldSpec,
    /// The file at each value of its axis.
    pub(crate) points: Vec<Point>,
    /// How the score of each point is trained, where it is.
    pub(crate) recipes: Vec<Option<Recipe>>,
    /// The file at rates drawn from their ranges.
    pub(crate) drawn: Vec<Drawn>,
}

/// The world of a file, with what harmful accounts do in it.
///
/// # Errors
/// A fragment that says what is wrong.
pub(crate) fn world_of(file: &PolicyFile, base: &WorldSpec) -> Result<WorldSpec, String> {
    let mut world = base.clone();
    (world.persons, world.days) = (file.world.persons, file.world.days);
    world.harm.prevalence.value = file.world.prevalence;
    world.adaptation.clone_from(&file.adaptation);
    world.validate().map_err(|error| error.to_string())?;
    Ok(world)
}

/// Reads and checks a file and its world.
///
/// # Errors
/// Names the file and the key.
pub(crate) fn load(path: &Path) -> Result<Experiment, Fault> {
    let text = read(path, "policy experiment")?;
    let file: PolicyFile = parse(path, &text)?;
    let table: toml::Table = parse(path, &text)?;
    let bad = |why: String| config(format!("{}: {why}", path.display()));
    let beside = path.parent().unwrap_or_else(|| Path::new("."));
    let at = beside.join(&file.world.file);
    let base: WorldSpec = parse(&at, &read(&at, "world file")?)?;
    let world = world_of(&file, &base).map_err(bad)?;
    let points = axis::points(&file, &table).map_err(bad)?;
    let drawn = uncertainty::draw(&file, &table).map_err(bad)?;
    for one in points.iter().map(|point| &point.file).chain(drawn.iter().map(|point| &point.file)) {
        check(one, &world, &at).map_err(bad)?;
    }
    for point in &drawn {
        world_of(&point.file, &base).map_err(bad)?;
    }
    let recipe = |point: &Point| match &point.file.score {
        Some(ScoreSection::Model(model)) => Recipe::new(model, &point.file, (beside, &at), &world).map(Some),
        Some(ScoreSection::Rule {}) | None => Ok(None),
    };
    let recipes = points.iter().map(recipe).collect::<Result<_, Fault>>()?;
    if !drawn.is_empty() && matches!(&file.score, Some(ScoreSection::Model(_))) {
        return Err(bad("uncertainty: rates are drawn around the public rule; take [score] away".into()));
    }
    Ok(Experiment { file, world, points, recipes, drawn })
}

fn check(file: &PolicyFile, world: &WorldSpec, at: &Path) -> Result<(), String> {
    if file.measure.is_empty() || file.measure.len() > MEASURES {
        return Err(format!("measure: 1 to {MEASURES} of them, got {}", file.measure.len()));
    }
    for (at, measure) in file.measure.iter().enumerate() {
        if file.measure[..at].iter().any(|other| other.name == measure.name) {
            return Err(format!("measure: `{}` stands there twice", measure.name));
        }
    }
    if file.experiment.seeds < 3 {
        return Err("experiment.seeds: at least 3, or no interval can be given".into());
    }
    if file.experiment.fraction == Some(Part::Half) && file.measure.len() != half::MEASURES {
        return Err(format!(
            "experiment.fraction: the half is one of {} measures, got {}; take the key away to play all cells",
            half::MEASURES,
            file.measure.len()
        ));
    }
    for name in &file.world.abstain {
        if !world.platform.iter().any(|platform| platform.name == *name) {
            return Err(format!("world.abstain: there is no platform `{name}` in {}", at.display()));
        }
    }
    Ok(())
}
