//! The file of a policy experiment: which measures, on which world, with which reviews. Every key is written out; what is
//! absent is off.

use crate::config::{parse, read};
use crate::fault::{Fault, config};
use equipoise_core::Fraction;
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
    /// The measures of the factorial; each may pool several.
    pub(crate) measure: Vec<Measure>,
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

/// A file with its world.
#[derive(Clone, Debug)]
pub(crate) struct Experiment {
    pub(crate) file: PolicyFile,
    pub(crate) world: WorldSpec,
}

/// Reads and checks a file and its world.
///
/// # Errors
/// Names the file and the key.
pub(crate) fn load(path: &Path) -> Result<Experiment, Fault> {
    let file: PolicyFile = parse(path, &read(path, "policy experiment")?)?;
    let bad = |why: String| config(format!("{}: {why}", path.display()));
    let at = path.parent().unwrap_or_else(|| Path::new(".")).join(&file.world.file);
    let mut world: WorldSpec = parse(&at, &read(&at, "world file")?)?;
    (world.persons, world.days) = (file.world.persons, file.world.days);
    world.harm.prevalence.value = file.world.prevalence;
    world.adaptation.clone_from(&file.adaptation);
    world.validate().map_err(|error| bad(error.to_string()))?;
    if file.measure.is_empty() || file.measure.len() > MEASURES {
        return Err(bad(format!("measure: 1 to {MEASURES} of them, got {}", file.measure.len())));
    }
    if file.experiment.seeds < 3 {
        return Err(bad("experiment.seeds: at least 3, or no interval can be given".into()));
    }
    for name in &file.world.abstain {
        if !world.platform.iter().any(|platform| platform.name == *name) {
            return Err(bad(format!("world.abstain: there is no platform `{name}` in {}", at.display())));
        }
    }
    Ok(Experiment { file, world })
}
