//! The designs behind one trait: what an experiment or a benchmark names, with all parties in one process.
//!
//! Law, held over [`FusionDesign::examples`]: the opened value of every account is the rule at its weighted sum, to the
//! bit, whatever the design; an account that one platform alone scored is refused by all of them.

use super::error::FusionError;
use super::ggsw::GgswFusion;
use super::mpc::MpcFusion;
use super::params::FUSE_N2048;
use super::plan::{FusionKeys, FusionPlan, FusionSpec};
use super::pseudonym::Pseudonym;
use super::rule::FusionRule;
use super::store::{NoStore, SessionStore};
use equipoise_federated::{LeakageProfile, Seat, Stopwatch};
use serde::{Deserialize, Serialize};

/// One account's scores, one entry a platform; `None` where a platform does not have the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountScores {
    /// Its pseudonym.
    pub account: Pseudonym,
    /// The scores, in the order of the platforms.
    pub scores: Vec<Option<u32>>,
}

/// What a fusion sent. Time is measured by whoever may read a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FusionCost {
    /// Bytes from platforms.
    pub upload_bytes: u64,
    /// Bytes among servers, and from the server to those who open.
    pub server_bytes: u64,
    /// Bytes from those who open.
    pub share_bytes: u64,
    /// Messages that must wait for each other, from upload to value.
    pub rounds: u32,
}

/// The opened values, in the accounts' order, and what they cost on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fused {
    /// The rule's value for each account.
    pub values: Vec<u32>,
    /// Bytes and rounds.
    pub cost: FusionCost,
}

/// A fusion with all its parties. Steps run on behalf of a seat: platforms, the server (or servers), and key holders
/// together with the opener.
pub trait RiskFusion: Send {
    /// The design's name.
    fn name(&self) -> &'static str;
    /// What each seat learns.
    fn leakage(&self) -> LeakageProfile;
    /// From scores to opened values.
    ///
    /// # Errors
    /// If an account has fewer than two scores, a score or rule does not fit the plan, or an opening is refused.
    fn fuse(
        &mut self,
        rule: &FusionRule,
        accounts: &[AccountScores],
        stopwatch: &dyn Stopwatch,
    ) -> Result<Fused, FusionError>;
}

/// The designs that a file can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FusionDesign {
    /// Scores in the clear at the server: the oracle of the others, and what sharing costs in privacy.
    Plain {},
    /// GGSW exponents under one key of all platforms.
    GgswSecret {},
    /// GGSW exponents under the joint key of holders.
    GgswJoint {
        /// Two to five.
        holders: u32,
    },
    /// Secret-shared comparison among three servers.
    Mpc {},
    /// Leveled sums and a chain of programmable bootstraps on tfhe's shortint.
    #[cfg(feature = "high-level-fhe")]
    PbsChain {},
    /// tfhe's high-level `FheUint8`.
    #[cfg(feature = "high-level-fhe")]
    FheUint8 {},
}

impl FusionDesign {
    /// One of each; law tests and the reference page run over them.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        vec![
            Self::Plain {},
            Self::GgswSecret {},
            Self::GgswJoint { holders: 3 },
            Self::Mpc {},
            #[cfg(feature = "high-level-fhe")]
            Self::PbsChain {},
            #[cfg(feature = "high-level-fhe")]
            Self::FheUint8 {},
        ]
    }

    /// Plans, and makes all keys; they and the record of openings end with the process.
    ///
    /// # Errors
    /// If there is no plan, or the system gives no randomness.
    pub fn build(&self, spec: FusionSpec) -> Result<Box<dyn RiskFusion>, FusionError> {
        self.resume(spec, Box::new(NoStore))
    }

    /// The session of a store, with its keys and everything that was opened; a new one in an empty store. Designs that limit no openings
    /// keep nothing.
    ///
    /// # Errors
    /// If there is no plan, the system gives no randomness, or what the store holds was changed or is of another plan.
    pub fn resume(
        &self,
        spec: FusionSpec,
        store: Box<dyn SessionStore>,
    ) -> Result<Box<dyn RiskFusion>, FusionError> {
        let plan = |keys| FusionPlan::new(FUSE_N2048, keys, spec.clone());
        Ok(match *self {
            Self::Plain {} => Box::new(PlainFusion(plan(FusionKeys::Shared)?)),
            Self::GgswSecret {} => Box::new(GgswFusion::open(plan(FusionKeys::Shared)?, store)?),
            Self::GgswJoint { holders } => {
                Box::new(GgswFusion::open(plan(FusionKeys::Joint { holders })?, store)?)
            }
            Self::Mpc {} => Box::new(MpcFusion::new(plan(FusionKeys::Shared)?)?),
            #[cfg(feature = "high-level-fhe")]
            Self::PbsChain {} => Box::new(super::peers::PbsChain::new(plan(FusionKeys::Shared)?)?),
            #[cfg(feature = "high-level-fhe")]
            Self::FheUint8 {} => Box::new(super::peers::HighLevel::new(plan(FusionKeys::Shared)?)?),
        })
    }

    /// One sentence for the reference page, on what it costs to trust it.
    #[must_use]
    pub fn describe(&self) -> String {
        let profile = self.leakage();
        format!("`{}`: {}", profile.scheme, profile.headline)
    }
}

/// Checks that every account has a score a platform, two at least, and none beyond the plan.
pub(crate) fn check_accounts(plan: &FusionPlan, accounts: &[AccountScores]) -> Result<(), FusionError> {
    let (platforms, largest) = (plan.spec.weights.len(), plan.spec.max_score);
    for AccountScores { account, scores } in accounts {
        if scores.len() != platforms {
            let what = format!("account {account} has {} entries for {platforms} platforms", scores.len());
            return Err(FusionError::Mismatch(what));
        }
        if scores.iter().flatten().count() < 2 {
            let what = format!("account {account} has one score: a fusion of it would open that score");
            return Err(FusionError::Mismatch(what));
        }
        for (platform, score) in (0..).zip(scores) {
            if score.is_some_and(|score| score > largest) {
                return Err(FusionError::ScoreBeyondPlan { platform, largest });
            }
        }
    }
    Ok(())
}

/// The weighted sum in the clear.
pub(crate) fn weighted_sum(plan: &FusionPlan, scores: &[Option<u32>]) -> u32 {
    plan.spec.weights.iter().zip(scores).map(|(weight, score)| weight * score.unwrap_or(0)).sum()
}

/// Runs `work` for `seat`.
pub(crate) fn timed<T>(stopwatch: &dyn Stopwatch, seat: Seat, work: impl FnOnce() -> T) -> T {
    let (mut work, mut done) = (Some(work), None);
    stopwatch.run(seat, &mut || {
        if let Some(work) = work.take() {
            done = Some(work());
        }
    });
    done.expect("a stopwatch runs its work")
}

/// Scores in the clear.
struct PlainFusion(FusionPlan);

impl RiskFusion for PlainFusion {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn leakage(&self) -> LeakageProfile {
        FusionDesign::Plain {}.leakage()
    }

    fn fuse(
        &mut self,
        rule: &FusionRule,
        accounts: &[AccountScores],
        stopwatch: &dyn Stopwatch,
    ) -> Result<Fused, FusionError> {
        check_accounts(&self.0, accounts)?;
        let table = rule.table(&self.0)?;
        let values = timed(stopwatch, Seat::Server, || {
            accounts.iter().map(|account| table.apply(weighted_sum(&self.0, &account.scores))).collect()
        });
        let scores: usize = accounts.iter().map(|account| account.scores.iter().flatten().count()).sum();
        // A pseudonym and a byte of score each.
        Ok(Fused {
            values,
            cost: FusionCost { upload_bytes: 33 * scores as u64, rounds: 1, ..Default::default() },
        })
    }
}
