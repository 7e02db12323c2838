//! What is refused before the first round, with its reason, and why a federation stops after it.

use super::{Aggregation, Federation};
use crate::compression::{Compression, NoCompression};
use crate::schedule::ScheduleSpec;
use crate::secure_sum::SumError;
use crate::trainer::TrainError;
use equipoise_privacy::{DistributedNoiseError, DpEvent};

/// Why a federation stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FederationError {
    /// A client failed in a way that is not a dropout.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The sum failed.
    #[error("the sum of round {round} failed")]
    Sum {
        /// Round.
        round: u32,
        /// Why.
        #[source]
        source: SumError,
    },
    /// Noise was asked for, but nothing bounds what one unit did to the sum.
    #[error(
        "`{mechanism}` cannot noise the sum of round {round}: the trainer bounded no unit's contribution"
    )]
    Unbounded {
        /// The mechanism.
        mechanism: &'static str,
        /// Round.
        round: u32,
    },
    /// A platform could not add its share of the noise.
    #[error("client {client} could not add its share of the noise in round {round}")]
    Noise {
        /// Client.
        client: u32,
        /// Round.
        round: u32,
        /// Why.
        #[source]
        source: DistributedNoiseError,
    },
    /// A setting cannot be right.
    #[error("{0}")]
    Setting(String),
    /// The visible rule is not defined for so small a cohort.
    #[error("`{rule}` needs {need} clients in a round and the cohort floor allows {floor}: raise `minimum`")]
    CohortTooSmall {
        /// The rule.
        rule: &'static str,
        /// Its smallest cohort.
        need: usize,
        /// The configured floor.
        floor: u32,
    },
}

impl Federation<'_> {
    /// Checks what can be checked before the first round.
    ///
    /// # Errors
    /// If the visible rule needs larger cohorts than the floor guarantees, or the local rule or the faults hold what cannot be.
    pub fn check(&self) -> Result<(), FederationError> {
        let clients = self.trainers.clients();
        self.schedule.check(clients, &self.cohorts).map_err(FederationError::Setting)?;
        if self.schedule != (ScheduleSpec::Synchronous {}) && self.local.sends() > 1 {
            let why = format!("local: `{}` broadcasts what a stale client does not have", self.local.name());
            return Err(FederationError::Setting(why));
        }
        self.compression.check().map_err(FederationError::Setting)?;
        self.local.check(&self.trainers.layers()).map_err(FederationError::Setting)?;
        if let Some(faults) = &self.cohorts.faults {
            faults.check().map_err(FederationError::Setting)?;
            if faults.byzantine.get() > 0.0 && self.tamper.is_none() {
                let why = "byzantine: what these clients do is not said (`poison`)";
                return Err(FederationError::Setting(why.into()));
            }
        }
        self.check_choice().map_err(FederationError::Setting)?;
        self.check_noise().map_err(FederationError::Setting)?;
        match &self.aggregation {
            Aggregation::Visible(rule) | Aggregation::Chosen(rule, _)
                if rule.minimum_cohort() > self.cohorts.minimum as usize =>
            {
                Err(FederationError::CohortTooSmall {
                    rule: rule.name(),
                    need: rule.minimum_cohort(),
                    floor: self.cohorts.minimum,
                })
            }
            _ => Ok(()),
        }
    }

    /// What clients that choose their coordinates cannot be combined with.
    fn check_choice(&self) -> Result<(), String> {
        let Some(choice) = self.aggregation.sparsifier() else { return Ok(()) };
        choice.check()?;
        let name = choice.name();
        if self.mechanism.event() != DpEvent::None {
            return Err(format!(
                "compression: `{name}` sends what a memory of earlier rounds holds, and nothing bounds what one account did to it; \
                 a guarantee needs a linear map"
            ));
        }
        if self.compression.name() != (NoCompression {}).name() {
            return Err(format!("compression: `{name}` remembers coordinates, which another map renames"));
        }
        if self.local.sends() > 1 {
            let rule = self.local.name();
            return Err(format!("compression: `{name}` would delay the control variates of `{rule}`"));
        }
        Ok(())
    }

    /// What voids noise that platforms add: it is sized for a sum of at least so many shares, all of them honestly added.
    fn check_noise(&self) -> Result<(), String> {
        let Some(noise) = self.mechanism.on_platforms() else { return Ok(()) };
        let refuse = |why: &str| Err(format!("noise: {why}"));
        if !matches!(self.aggregation, Aggregation::Hidden(_)) {
            return refuse(
                "a share is sized for a sum, and a visible rule reads every update with its own share alone; use a hidden sum",
            );
        }
        if self.schedule != (ScheduleSpec::Synchronous {}) {
            return refuse(
                "a step of a buffered server does not say how many platforms it holds; use `synchronous`",
            );
        }
        let (needed, minimum) = (noise.platforms(), self.cohorts.minimum);
        if minimum < needed {
            return Err(format!(
                "minimum: the noise is sized for sums of at least {needed} platforms, and rounds of {minimum} would be opened"
            ));
        }
        if self.cohorts.faults.is_some_and(|faults| faults.byzantine.get() > 0.0) {
            return refuse(
                "byzantine clients leave their share out; count them as `colluding` and take `byzantine` away",
            );
        }
        Ok(())
    }
}
