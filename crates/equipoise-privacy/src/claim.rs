//! A privacy claim: a unit, a bound, an adversary and what stays open, as data and as a sentence.

use crate::{IntegerNoise, PrivacyUnit, Relation};
use equipoise_core::{ClipNorm, Delta, Fraction, NoiseMultiplier};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::NonZeroU32;

/// Against whom a claim holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Adversary {
    /// A1: receives the released models and scores, nothing else.
    ReleasedModel,
    /// A2: the aggregator, which follows the protocol and sees every round's messages.
    HonestButCurious,
    /// A3: the aggregator together with some platforms, each of which knows its own share of the noise.
    Colluding {
        /// How many platforms collude.
        platforms: u32,
    },
    /// A4: an aggregator that sends models of its choice.
    MaliciousAggregator,
}

impl Adversary {
    /// What a claim against this adversary does not say, as a clause of a sentence.
    #[must_use]
    pub const fn leaves_open(self) -> &'static str {
        match self {
            Self::ReleasedModel => "whoever sees a round's sum before its noise",
            Self::HonestButCurious => "an aggregator that colludes with platforms or leaves the protocol",
            Self::Colluding { .. } => "an aggregator that leaves the protocol, or more colluders than these",
            Self::MaliciousAggregator => "nothing beyond noise that each platform adds in full by itself",
        }
    }

    /// One of each, in the order of the documentation.
    pub const EXAMPLES: [Self; 4] = [
        Self::ReleasedModel,
        Self::HonestButCurious,
        Self::Colluding { platforms: 1 },
        Self::MaliciousAggregator,
    ];
}

impl fmt::Display for Adversary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReleasedModel => f.write_str("a recipient of the released models (A1)"),
            Self::HonestButCurious => f.write_str("an honest-but-curious aggregator (A2)"),
            Self::Colluding { platforms } => {
                write!(f, "an honest-but-curious aggregator colluding with {platforms} platforms (A3)")
            }
            Self::MaliciousAggregator => f.write_str("an aggregator that chooses the models it sends (A4)"),
        }
    }
}

/// What a bare number leaves out: between which data sets and against whom it holds. Its `Display` goes wherever an epsilon is
/// printed outside a [`PrivacyClaim`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClaimScope {
    /// What may differ.
    pub unit: PrivacyUnit,
    /// How it may differ.
    pub relation: Relation,
    /// Against whom.
    pub adversary: Adversary,
}

impl fmt::Display for ClaimScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { unit, relation, adversary } = self;
        let (noun, protects, open) = (unit.noun(), unit.protects(), unit.does_not_protect());
        write!(
            f,
            "for any two data sets that differ by {relation} {noun}, against {adversary}. Protected: {protects}. Not protected: \
             {open}; {}",
            adversary.leaves_open()
        )
    }
}

/// How the steps that a claim charges came about, where cohorts and faults decide which rounds release something.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RoundsCharged {
    /// Rounds that were planned; the noise was calibrated to them.
    pub planned: u32,
    /// Rounds whose sum was opened: what was released.
    pub opened: u32,
    /// Epsilon if all planned rounds had taken in every platform.
    pub planned_epsilon: f64,
}

/// How contributions were bounded before training: what an account's claim rests on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BoundedContribution {
    /// Rows that an account stands in at most (K).
    pub rows_per_account: u32,
    /// Contacts that a row reads at most (m).
    pub contacts: u32,
    /// Rows that were kept.
    pub kept: u64,
    /// Of so many.
    pub of: u64,
}

/// Noise that platforms added as integers before their updates were sealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IntegerShares {
    /// Which noise.
    pub noise: IntegerNoise,
    /// Platforms whose shares are counted: those that are certain to have added theirs.
    pub honest: NonZeroU32,
    /// Platforms of a sum whose shares are not counted: they may collude with the aggregator.
    pub tolerated: u32,
}

/// Noised sums over contacts, released before training.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NoisedSums {
    /// Rows that an account adds to at most, besides its own.
    pub rows_per_account: u32,
    /// Largest L2 norm of what it adds to one row.
    pub clip: ClipNorm,
    /// Deviation of each release's noise over what an account can move.
    pub noise_multiplier: NoiseMultiplier,
    /// How often sums are released.
    pub releases: u32,
}

/// What a mechanism claims about the models released over all its steps. Its `Display` is the sentence to print.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PrivacyClaim {
    /// What may differ.
    pub unit: PrivacyUnit,
    /// How it may differ.
    pub relation: Relation,
    /// The bound; 0 if nothing was lost within delta.
    pub epsilon: f64,
    /// What Renyi accounting says of the same steps, beside another accountant's bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renyi: Option<f64>,
    /// The probability-like slack.
    pub delta: Delta,
    /// Against whom.
    pub adversary: Adversary,
    /// What the claim leaves open, each as a noun phrase.
    pub not_protected: Vec<String>,
    /// Steps accounted: the most that one unit could take part in.
    pub steps: u32,
    /// Noised local steps in each step of a platform, where it takes several by itself; `steps` counts them all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_steps: Option<u32>,
    /// How many were planned and released, where that differs from what one unit could take part in; the holder of the claim promises
    /// that who took part was decided without looking at data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounds: Option<RoundsCharged>,
    /// Rows that one unit reaches, each of which is sampled by itself.
    pub rows: u32,
    /// How the rows of an account were bounded, where they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contribution: Option<BoundedContribution>,
    /// Probability that a unit takes part in a step.
    pub sampling_rate: Fraction,
    /// Standard deviation of the noise over the sensitivity.
    pub noise_multiplier: NoiseMultiplier,
    /// How the noise came into the sum, where platforms added it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integer: Option<IntegerShares>,
    /// What rows hold of contacts, where that is noised sums and nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sums: Option<NoisedSums>,
    /// How epsilon was computed, and on which idealisation.
    pub accountant: String,
}

impl fmt::Display for PrivacyClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Rounded up: a printed bound must not be smaller than the computed one.
        let up = |epsilon: f64| libm::ceil(epsilon * 1e4) / 1e4;
        let epsilon = up(self.epsilon);
        let inside = self.local_steps.unwrap_or(1).max(1);
        let within =
            self.local_steps.map_or_else(String::new, |steps| format!(" of {steps} noised local steps each"));
        let charged = self.rounds.map_or_else(String::new, |rounds| {
            format!(
                " (charged: the {} of them that one platform took part in at most; {} were planned, at epsilon {}; who takes part is \
                 drawn without looking at data)",
                self.steps / inside,
                rounds.planned,
                up(rounds.planned_epsilon)
            )
        });
        let rows = match (self.contribution, self.rows) {
            (Some(bound), _) => format!(
                " (rows that read at most {} contacts; an account stands in at most {}; {} of {} rows were kept)",
                bound.contacts, bound.rows_per_account, bound.kept, bound.of
            ),
            (None, 1) => String::new(),
            (None, rows) => format!(" (an account stands in at most {rows})"),
        };
        let renyi = self
            .renyi
            .map_or_else(String::new, |renyi| format!(" (Renyi accounting would say {})", up(renyi)));
        let released = self.rounds.map_or(self.steps / inside, |rounds| rounds.opened);
        let noise = match self.integer {
            None => format!(
                "Gaussian noise of {} times the sensitivity on Poisson samples at rate {}",
                self.noise_multiplier, self.sampling_rate
            ),
            Some(shares) => format!(
                "{} of {} times the bound on a unit in every sum, added in shares by the platforms before sealing and counted for the {} \
                 that are certain to add theirs, {} may not",
                match shares.noise {
                    IntegerNoise::DiscreteGaussian => "discrete Gaussian noise",
                    IntegerNoise::Skellam => "Skellam noise",
                },
                self.noise_multiplier,
                shares.honest,
                shares.tolerated
            ),
        };
        let sums = self.sums.map_or_else(String::new, |sums| {
            format!(
                " on rows that hold noised sums over contacts, released {} with Gaussian noise of {} times what an account moves (at most {} \
                 other rows, {} each)",
                if sums.releases == 1 { "once".to_owned() } else { format!("{} times", sums.releases) },
                sums.noise_multiplier,
                sums.rows_per_account,
                sums.clip
            )
        });
        write!(
            f,
            "For any two data sets that differ by {} {}, the released models of {released} steps{within}{charged} are ({epsilon}, {:e})-close \
             to {}: {noise}{rows}{sums}, by {}{renyi}. \
             Protected: {}. Not protected: {}.",
            self.relation,
            self.unit.noun(),
            self.delta.get(),
            self.adversary,
            self.accountant,
            self.unit.protects(),
            self.not_protected.join("; "),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_against_every_adversary_says_what_stays_open() {
        for unit in PrivacyUnit::ALL {
            for adversary in Adversary::EXAMPLES {
                let text = ClaimScope { unit, relation: Relation::ZeroOut, adversary }.to_string();
                for part in [unit.noun(), unit.protects(), unit.does_not_protect(), adversary.leaves_open()] {
                    assert!(text.contains(part), "{part} is missing in: {text}");
                }
            }
        }
    }

    #[test]
    fn a_claim_reads_as_one_full_sentence_and_its_limits() {
        let claim = PrivacyClaim {
            unit: PrivacyUnit::Row,
            relation: Relation::ZeroOut,
            epsilon: 0.987_61,
            renyi: None,
            delta: Delta::new(1e-5).unwrap(),
            adversary: Adversary::ReleasedModel,
            not_protected: vec!["the contact graph".into(), "what scores reveal at inference".into()],
            steps: 500,
            local_steps: None,
            rounds: None,
            rows: 1,
            contribution: None,
            sampling_rate: Fraction::new(0.02).unwrap(),
            noise_multiplier: NoiseMultiplier::new(1.5).unwrap(),
            integer: None,
            sums: None,
            accountant: "Renyi accounting".into(),
        };
        assert_eq!(
            claim.to_string(),
            "For any two data sets that differ by nulling one training row, the released models of 500 steps are \
             (0.9877, 1e-5)-close to a recipient of the released models (A1): Gaussian noise of 1.5 times the \
             sensitivity on Poisson samples at rate 0.02, by Renyi accounting. Protected: the contents of one training \
             row (one account on one platform, as one row). Not protected: the contact graph; what scores reveal at \
             inference."
        );
        let rounds = RoundsCharged { planned: 600, opened: 550, planned_epsilon: 1.1 };
        let bound = BoundedContribution { rows_per_account: 2, contacts: 8, kept: 40, of: 100 };
        let unit = PrivacyUnit::AccountFixedGraph;
        let account =
            PrivacyClaim { unit, rows: 2, renyi: Some(1.2), contribution: Some(bound), ..claim.clone() };
        assert!(
            account.to_string().contains(
                "Poisson samples at rate 0.02 (rows that read at most 8 contacts; an account stands in at most 2; 40 of 100 rows were \
                 kept), by Renyi accounting (Renyi accounting would say 1.2). Protected: all attributes of one account"
            ),
            "{account}"
        );
        let charged = PrivacyClaim { rounds: Some(rounds), ..claim }.to_string();
        assert!(
            charged.contains(
                "the released models of 550 steps (charged: the 500 of them that one platform took part in at most; 600 were planned, \
                 at epsilon 1.1; who takes part is drawn without looking at data) are (0.9877, 1e-5)-close"
            ),
            "{charged}"
        );
    }
}
