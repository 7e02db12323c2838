//! Linear maps between an update and what is sent: the same public map for every client of a round, so that sums of what was sent are
//! what would be sent of the sum, hidden or not. A choice that depends on the update (top-k) is no such map: its indices differ from client
//! to client and say what the update is about. It is a [`Sparsifier`], for visible rules alone. To add one: a file here, its lines below.

mod none;
mod rotation;
pub(crate) mod sparse;
mod subset;
mod top_k;

pub use none::NoCompression;
pub use rotation::Rotation;
pub use sparse::Sparsifier;
pub use subset::Subset;
pub use top_k::TopK;

use equipoise_core::Seed;
use serde::{Deserialize, Serialize};

/// A public linear map of a round.
///
/// Laws (see [`crate::laws::check_compression`]): linear; never lengthens a vector in L2, so that a sensitivity that held before it
/// holds after it; [`Compression::expand`] undoes it on average over rounds; the same seed gives the same map.
pub trait Compression: Send + Sync {
    /// The map's name in files and reports.
    fn name(&self) -> &'static str;
    /// How many numbers are sent for a vector of `len`.
    fn sent(&self, len: usize) -> usize;
    /// What cannot be right about it.
    ///
    /// # Errors
    /// Begins with the key that mends it.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
    /// On the platform: what is quantised and sent for `values`. `seed` is public and of the round.
    fn compress(&self, values: Vec<f32>, seed: Seed) -> Vec<f32>;
    /// On the server: a vector of `len` for a sum of what was sent.
    fn expand(&self, sum: Vec<f64>, len: usize, seed: Seed) -> Vec<f64>;
}

/// The maps by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum CompressionSpec {
    /// Everything is sent as it is.
    None(NoCompression),
    /// A random rotation, for quantisers of few bits.
    Rotation(Rotation),
    /// A random share of the coordinates, another one each round.
    Subset(Subset),
    /// Each client's largest coordinates; the rest waits on the client.
    TopK(TopK),
}

impl CompressionSpec {
    /// The linear map itself; the one that changes nothing where each client chooses for itself.
    #[must_use]
    pub fn map(&self) -> &dyn Compression {
        match self {
            Self::None(map) => map,
            Self::Rotation(map) => map,
            Self::Subset(map) => map,
            Self::TopK(_) => &NoCompression {},
        }
    }

    /// How each client chooses what it sends, where it does.
    #[must_use]
    pub fn sparsifier(&self) -> Option<&dyn Sparsifier> {
        if let Self::TopK(choice) = self { Some(choice) } else { None }
    }

    /// What cannot be right about it.
    ///
    /// # Errors
    /// Begins with the key that mends it.
    pub fn check(&self) -> Result<(), String> {
        self.sparsifier().map_or_else(|| self.map().check(), Sparsifier::check)
    }

    /// One sentence for the reference page.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::None(_) => "updates are sent whole".into(),
            Self::Rotation(_) => {
                "a random rotation evens the coordinates out, so that a grid of few bits holds them (Suresh et al., ICML 2017)".into()
            }
            Self::Subset(_) => {
                "a random share of the coordinates, the same for all clients of a round (Konečný et al. 2016, random mask)".into()
            }
            Self::TopK(_) => {
                "each client's largest coordinates, the rest waits on the client; visible rules only (Stich et al., NeurIPS 2018)".into()
            }
        }
    }

    /// One of each, for law tests and the reference page.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        vec![
            Self::None(NoCompression {}),
            Self::Rotation(Rotation {}),
            Self::Subset(Subset { share: 0.25 }),
            Self::TopK(TopK { share: 0.25 }),
        ]
    }
}
