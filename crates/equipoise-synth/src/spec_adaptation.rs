//! The optional part of a world file about what accounts with a simulated harmful pattern do after a measure met them, and
//! about adverse reactions towards the child. Bounded and parametric: fixed chances, each spent once; nothing looks for
//! a way around a measure, nothing reads a score, and no experiment may search over these keys. Without the section
//! nobody adapts, and the world's bytes are those of a world that never heard of it.

use crate::WorldError;
use crate::spec::{Number, Rate};
use crate::spec_harm::positive;
use serde::{Deserialize, Serialize};

/// How far harmful accounts adapt.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AdaptationSpec {
    /// Mean of every actor's own factor in [0, 1] on the chances below.
    pub willing: Rate,
    /// Chance, times that factor, that the person behind a closed account makes one new account on the platform.
    pub reregister: Rate,
    /// Median days until then.
    pub reregister_days: Number,
    /// Log-scale of that.
    pub reregister_sigma: Number,
    /// Chance, times that factor, that a refusal (the first) or a closing moves the actor to one other platform; the less
    /// that platform refuses, the likelier it.
    pub displace: Rate,
    /// Share, times that factor, by which an actor slows down once it was refused, held or closed.
    pub slow: Rate,
    /// Adverse reactions towards the child; without the section there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adverse: Option<AdverseSpec>,
}

/// What a measure or an answer may set off against the child. Abstract: one event of a stated weight, once a dyad.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AdverseSpec {
    /// Chance after a block or report by the child.
    pub after_block: Rate,
    /// Chance after the account was slowed down or may not ask for contacts any more.
    pub after_freeze: Rate,
    /// Chance after a warning on the child's device that was not gone on from.
    pub after_warning: Rate,
}

impl AdaptationSpec {
    /// Checks what types cannot.
    ///
    /// # Errors
    /// Names the first setting that cannot be simulated.
    pub fn validate(&self) -> Result<(), WorldError> {
        let sigma = self.reregister_sigma.get();
        if positive(self.reregister_days.get()) && sigma >= 0.0 && sigma.is_finite() {
            return Ok(());
        }
        Err(WorldError::Setting {
            what: "adaptation.reregister-days and reregister-sigma".into(),
            range: "positive, and not negative".into(),
        })
    }
}
