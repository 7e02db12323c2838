//! Inference attacks: from what a seat was sent to a guess about targets. To add one: a file here, its lines below.

mod lira;
mod loss_threshold;
mod none;
mod rmia;
mod shadow;
mod stacked;

pub use lira::{LiraOffline, LiraOnline};
pub use loss_threshold::LossThreshold;
pub use none::NoInference;
pub use rmia::Rmia;
pub use shadow::{Loss, ShadowTrainer, Shadows, logit_of_loss};
pub use stacked::Stacked;

use serde::{Deserialize, Serialize};

/// What a recipient of the released model (adversary A1) can compute about candidate rows that it holds itself: nothing else was sent
/// to this seat. Shadow models are its own work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReleasedModelView<'a> {
    /// Cross-entropy of each candidate under the released model.
    pub losses: &'a [Loss],
    /// Models that the recipient trained on halves of the candidates.
    pub shadows: &'a Shadows,
}

/// An attack from the seat of the model's recipient.
///
/// Laws (see [`crate::laws::check_infer`]): scores are finite, one a candidate; the same view gives the same scores, in whatever order
/// candidates come; membership that shows is found, unless the attack is the do-nothing form; membership that does not show is not.
pub trait Infer: Send + Sync {
    /// The attack's name in files and reports.
    fn name(&self) -> &'static str;
    /// How strongly the view speaks for "this candidate was in the training rows"; higher is more.
    fn scores(&self, seen: &ReleasedModelView<'_>) -> Vec<f64>;
}

/// The inference attacks by name.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum InferSpec {
    /// No attack: the control arm.
    None(NoInference),
    /// The loss threshold.
    LossThreshold(LossThreshold),
    /// The likelihood ratio of both sides.
    LiraOnline(LiraOnline),
    /// The likelihood of the outer side.
    LiraOffline(LiraOffline),
    /// The robust ratio test.
    Rmia(Rmia),
    /// A learned attacker over all of them.
    Stacked(Stacked),
}

impl InferSpec {
    /// The attack itself.
    #[must_use]
    pub fn attack(&self) -> &dyn Infer {
        match self {
            Self::None(attack) => attack,
            Self::LossThreshold(attack) => attack,
            Self::LiraOnline(attack) => attack,
            Self::LiraOffline(attack) => attack,
            Self::Rmia(attack) => attack,
            Self::Stacked(attack) => attack,
        }
    }

    /// One sentence for the reference page.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::None(_) => "no attack; every target looks alike",
            Self::LossThreshold(_) => {
                "membership by loss: rows that fit well are called members (Yeom et al., 2018)"
            }
            Self::LiraOnline(_) => {
                "membership by the likelihood ratio of shadow models that the row was in and out of (Carlini et al., 2022)"
            }
            Self::LiraOffline(_) => {
                "membership by shadow models that the row was out of alone (Carlini et al., 2022)"
            }
            Self::Rmia(_) => {
                "membership by a row's probability over its average, against other rows (Zarifzadeh et al., 2024)"
            }
            Self::Stacked(_) => {
                "membership by a logistic regression over the other attacks, rehearsed on shadow models"
            }
        }
        .into()
    }

    /// One of each, for law tests and the reference page.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        vec![
            Self::None(NoInference {}),
            Self::LossThreshold(LossThreshold {}),
            Self::LiraOnline(LiraOnline {}),
            Self::LiraOffline(LiraOffline {}),
            Self::Rmia(Rmia { gamma: 1.0, offline_a: 0.3 }),
            Self::Stacked(Stacked { rehearsals: 4 }),
        ]
    }
}
