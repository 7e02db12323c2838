//! The file of an attack: which experiment is attacked, on how many worlds, and how. Everything about worlds, features, models and
//! the federation is the experiment's own; what is absent here is not attacked.

use crate::config::{self, AggregationSpec, ArmKind, Loaded, UnitSpec, check_unit};
use crate::fault::{Fault, config as bad};
use crate::plan::{Plan, Work, WorldRole, WorldSlice};
use equipoise_attack::{InferSpec, PoisonSpec, RowPoisonSpec};
use equipoise_core::{ClipNorm, Epsilon, Fraction};
use equipoise_synth::WorldSpec;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A whole file: exactly one of the three questions.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct AuditFile {
    pub(crate) experiment: About,
    /// What a released model and its rounds give away, beside what was claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) audit: Option<AuditSection>,
    /// What rows can be read back from an update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) inversion: Option<InversionSection>,
    /// What platforms that do not follow the protocol do to the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) poisoning: Option<PoisoningSection>,
}

/// What is asked, of which experiment.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct About {
    pub(crate) name: String,
    pub(crate) question: String,
    /// The root of the attackers' randomness; the worlds' is the experiment's.
    pub(crate) seed: u64,
    /// Worlds, each attacked by itself: at least 2, or no interval can be given.
    pub(crate) worlds: u32,
    /// The experiment file whose worlds and models are attacked, beside this one.
    pub(crate) on: PathBuf,
    /// Keys of that file that are set otherwise, as with `--set`.
    pub(crate) set: Vec<String>,
    /// Which arm's model: `federated` or `federated-logistic`.
    pub(crate) arm: ArmKind,
    /// Step size of local training without a guarantee: chosen beforehand, not tuned.
    pub(crate) learning_rate: f64,
    /// Step size of the server under a guarantee, likewise.
    pub(crate) private_learning_rate: f64,
}

/// The attacks on released models.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct AuditSection {
    /// What is promised about each attacked model.
    pub(crate) claim: Vec<Promise>,
    pub(crate) canaries: CanarySection,
    pub(crate) membership: MembershipSection,
    pub(crate) property: PropertySection,
    pub(crate) linkage: LinkageSection,
}

/// One attacked model.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Promise {
    pub(crate) name: String,
    /// What is claimed; `"inf"` for nothing.
    pub(crate) epsilon: Epsilon,
    /// For whom; a row without this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unit: Option<UnitSpec>,
    /// Without a guarantee: train in one place, and pass over the rows this often, so that the model overfits. The positive control
    /// of the attacks on released models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) overfit_passes: Option<u16>,
    /// The share of the owed noise that is really added. Below 1 it is a broken build that the audit must catch: the positive control
    /// of the canaries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) noise_share: Option<f64>,
}

/// Rows of norm at the clip, one direction each, whose presence is decided by coins.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct CanarySection {
    pub(crate) canaries: usize,
    /// Guesses "in" and as many guesses "out", fixed before scores are seen.
    pub(crate) guesses_each: usize,
}

/// Who was in the training rows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct MembershipSection {
    /// Units whose presence is decided by coins, at most.
    pub(crate) candidates: usize,
    /// Share of them that gets the other label: what a model has to remember, and the worst case that an average over accounts hides
    /// (Aerni, Zhang, Tramer, arXiv 2404.17399). Judged apart.
    pub(crate) mislabelled: Fraction,
    /// Pairs of shadow models.
    pub(crate) shadow_pairs: usize,
    pub(crate) attacks: Vec<InferSpec>,
}

/// Which of two shares of minors a platform has, from one round's sum.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct PropertySection {
    /// Federations of each kind.
    pub(crate) federations: u32,
    pub(crate) low_share: Fraction,
    pub(crate) high_share: Fraction,
    /// Rows of the platform in each.
    pub(crate) rows: usize,
}

/// Which pseudonym is which on another platform.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct LinkageSection {
    /// Persons with accounts on both platforms, at most.
    pub(crate) persons: usize,
}

/// From updates back to rows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct InversionSection {
    pub(crate) batches: Vec<usize>,
    /// Attacked updates a world and cell.
    pub(crate) updates: u64,
    /// A column is recovered within so many of its deviations.
    pub(crate) tolerance: f64,
    /// Rows that the right one has to be told from.
    pub(crate) population: usize,
    /// Steps of gradient matching, and its starts.
    pub(crate) steps: u32,
    pub(crate) starts: u32,
    pub(crate) defence: Vec<Defence>,
}

/// What stands between the platform's raw sum and the seat that sees it.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub(crate) enum Defence {
    /// Nothing: the aggregator sees one platform's sum.
    Raw {},
    /// Each row's gradient is clipped.
    Clipped {},
    /// The seat sees the clipped sum of so many platforms.
    Aggregate { platforms: usize },
    /// The same, with noise for this epsilon of one step in which every row takes part.
    Noised { platforms: usize, epsilon: Epsilon },
    /// Nothing is sent: the attack's own baseline.
    Silent {},
}

/// Platforms that do not follow the protocol.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct PoisoningSection {
    /// Share of the platforms, rounded down.
    pub(crate) byzantine: Fraction,
    pub(crate) attack: Vec<Attack>,
    pub(crate) rule: Vec<Rule>,
}

/// One attack: on the update, or on the rows behind it.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) enum Attack {
    Update(PoisonSpec),
    Rows(RowPoisonSpec),
}

/// One way of combining updates.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) aggregation: AggregationSpec,
    /// Largest norm of a platform's update.
    pub(crate) update_clip: ClipNorm,
}

/// A file with the experiment that it attacks.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) file: AuditFile,
    pub(crate) plan: Plan,
    pub(crate) worlds: Vec<WorldSlice>,
}

/// Reads and checks a file and its experiment.
///
/// # Errors
/// Names the file and the key.
pub(crate) fn load(path: &Path) -> Result<Target, Fault> {
    let file: AuditFile = config::parse(path, &config::read(path, "audit file")?)?;
    let wrong = |why: String| bad(format!("{}: {why}", path.display()));
    let at = path.parent().unwrap_or_else(|| Path::new(".")).join(&file.experiment.on);
    let mut set = file.experiment.set.clone();
    set.push(format!("experiment.seeds={}", file.experiment.worlds));
    let loaded: Loaded = config::load(&at, &set)?;
    let plan = Plan::new(&loaded)?;
    let test = |work: &Work| match work {
        Work::World(slice) if slice.role == WorldRole::Test => Some(slice.clone()),
        _ => None,
    };
    let worlds: Vec<WorldSlice> = plan.units.iter().filter_map(|unit| test(&unit.work)).collect();
    check(&file, &plan, &loaded.world).map_err(wrong)?;
    Ok(Target { file, plan, worlds })
}

fn check(file: &AuditFile, plan: &Plan, world: &WorldSpec) -> Result<(), String> {
    let about = &file.experiment;
    let asked = [file.audit.is_some(), file.inversion.is_some(), file.poisoning.is_some()];
    if asked.iter().filter(|asked| **asked).count() != 1 {
        return Err("give exactly one of [audit], [inversion] and [poisoning]".into());
    }
    if about.worlds < 2 {
        return Err("experiment.worlds: at least 2, or no interval can be given".into());
    }
    if !matches!(about.arm, ArmKind::Federated | ArmKind::FederatedLogistic) {
        return Err("experiment.arm: `federated` or `federated-logistic`".into());
    }
    if plan.first().model.reads_sequences() {
        return Err("experiment.on: attacks read rows; its model reads sequences".into());
    }
    if let Some(audit) = &file.audit {
        audit.check(plan, world)?;
    }
    if let Some(inversion) = &file.inversion {
        let most = inversion.batches.iter().copied().max().unwrap_or(0);
        let platforms = |defence: &Defence| match *defence {
            Defence::Aggregate { platforms } | Defence::Noised { platforms, .. } => platforms.max(1),
            _ => 1,
        };
        let most = most * inversion.defence.iter().map(platforms).max().unwrap_or(1);
        if most == 0 || inversion.population < most {
            return Err(format!("inversion.population: at least the {most} rows behind the largest sum"));
        }
        if inversion
            .defence
            .iter()
            .any(|d| matches!(d, Defence::Noised { epsilon, .. } if !epsilon.is_finite()))
        {
            return Err(
                "inversion.defence.noised.epsilon: must be finite; `aggregate` is the sum without noise"
                    .into(),
            );
        }
    }
    if let Some(poisoning) = &file.poisoning {
        if !plan.first().federation.partition.is_natural() {
            return Err(
                "experiment.on: poisoned rows are a platform's, so its partition must be `platform`".into()
            );
        }
        if poisoning.attack.is_empty() || poisoning.rule.is_empty() {
            return Err("poisoning: at least one attack and one rule".into());
        }
    }
    Ok(())
}

impl AuditSection {
    fn check(&self, plan: &Plan, world: &WorldSpec) -> Result<(), String> {
        if self.claim.is_empty() {
            return Err("audit.claim: at least one".into());
        }
        if 2 * self.canaries.guesses_each > self.canaries.canaries || self.canaries.guesses_each == 0 {
            return Err("audit.canaries.guesses-each: at least 1, and at most half of the canaries".into());
        }
        for promise in &self.claim {
            let of = |why: &str| Err(format!("audit.claim `{}`: {why}", promise.name));
            if promise.epsilon.is_finite() && promise.overfit_passes.is_some() {
                return of("overfit-passes is for models without a guarantee");
            }
            if !promise.epsilon.is_finite() && (promise.noise_share.is_some() || promise.unit.is_some()) {
                return of("noise-share and unit need a finite epsilon");
            }
            if promise.noise_share.is_some_and(|share| !(share > 0.0 && share <= 1.0)) {
                return of("noise-share: above 0 and at most 1");
            }
            if !matches!(promise.unit, None | Some(UnitSpec::Row | UnitSpec::AccountFixedGraph(_))) {
                return of("unit: use `row` or `account-fixed-graph`");
            }
            // What an experiment with this promise would be refused for.
            let mut as_if = plan.first().clone();
            (as_if.privacy.epsilon, as_if.privacy.unit) = (promise.epsilon, promise.unit);
            check_unit(&as_if, world).or_else(|why| of(&why))?;
        }
        if self.property.low_share.get() >= self.property.high_share.get() {
            return Err("audit.property.low-share: must be below high-share".into());
        }
        Ok(())
    }
}
