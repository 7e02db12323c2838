//! Byzantine clients: what a platform that does not follow the protocol sends instead. To add one: a file here, its lines
//! below.

mod model_replacement;
mod none;
mod rows;
mod sign_flip;

pub use model_replacement::ModelReplacement;
pub use none::NoPoison;
pub use rows::RowPoisonSpec;
pub use sign_flip::SignFlip;

use equipoise_core::Seed;
use equipoise_privacy::{OutgoingUpdate, Quantizer};
use serde::{Deserialize, Serialize};

/// What a byzantine client does to its honest update. It holds only its own update, the public grid and its
/// own randomness.
///
/// Laws (see [`crate::laws::check_poison`]): round, client, weight and length stay as they are (the protocol checks
/// them); no value leaves the range that the honest protocol allows; the same seed gives the same update.
pub trait Poison: Send + Sync {
    /// The attack's name in files and reports.
    fn name(&self) -> &'static str;
    /// The update that is sent instead.
    fn tamper(&self, honest: OutgoingUpdate, grid: &Quantizer, seed: Seed) -> OutgoingUpdate;
}

/// The poisoning attacks by name.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PoisonSpec {
    /// No attack: the control arm.
    None(NoPoison),
    /// The flipped sign.
    SignFlip(SignFlip),
    /// The update, loud enough to replace the mean.
    ModelReplacement(ModelReplacement),
}

impl PoisonSpec {
    /// The attack itself.
    #[must_use]
    pub fn attack(&self) -> &dyn Poison {
        match self {
            Self::None(attack) => attack,
            Self::SignFlip(attack) => attack,
            Self::ModelReplacement(attack) => attack,
        }
    }

    /// One sentence for the reference page.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::None(_) => "an honest client".into(),
            Self::SignFlip(_) => "a byzantine client sends its update with the sign turned round".into(),
            Self::ModelReplacement(_) => {
                "a byzantine client multiplies its update, so that the mean becomes its model (Bagdasaryan et al., 2020)".into()
            }
        }
    }

    /// One of each, for law tests and the reference page.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        vec![
            Self::None(NoPoison {}),
            Self::SignFlip(SignFlip {}),
            Self::ModelReplacement(ModelReplacement { boost: 8 }),
        ]
    }
}
