//! Inference attacks: from what a seat was sent to a guess about one target. To add one: a file here, its lines below.

mod loss_threshold;
mod none;

pub use loss_threshold::LossThreshold;
pub use none::NoInference;

use serde::{Deserialize, Serialize};

/// What a recipient of the released model (adversary A1) can compute about one row that it holds itself: nothing else
/// was sent to this seat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReleasedModelView {
    /// Cross-entropy of the row under the released model.
    pub loss: f32,
    /// Score that the released model gives the row, in `[0, 1]`.
    pub score: f32,
}

/// An attack from the seat of the model's recipient.
///
/// Laws (see [`crate::laws::check_infer`]): a score is finite; the same view gives the same score; a row that fits the
/// model better is not called *less* likely to be a member.
pub trait Infer: Send + Sync {
    /// The attack's name in files and reports.
    fn name(&self) -> &'static str;
    /// How strongly the view speaks for "the target was in the training rows"; higher is more.
    fn score(&self, seen: &ReleasedModelView) -> f64;
}

/// The inference attacks by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum InferSpec {
    /// No attack: the control arm.
    None(NoInference),
    /// The loss threshold.
    LossThreshold(LossThreshold),
}

impl InferSpec {
    /// The attack itself.
    #[must_use]
    pub fn attack(&self) -> &dyn Infer {
        match self {
            Self::None(attack) => attack,
            Self::LossThreshold(attack) => attack,
        }
    }

    /// One sentence for the reference page.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::None(_) => "no attack; every target looks alike".into(),
            Self::LossThreshold(_) => {
                "membership by loss: rows that fit well are called members (Yeom et al., 2018)".into()
            }
        }
    }

    /// One of each, for law tests and the reference page.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        vec![Self::None(NoInference {}), Self::LossThreshold(LossThreshold {})]
    }
}
