//! Update inversion: from a gradient that a seat was sent, back to the rows behind it.

mod judge;
mod network;
mod recover;

pub use judge::{Recovered, judge, marginal_guess, mean_guess};
pub use network::{SmallNetwork, Units};
pub use recover::{FirstLayer, GradientView, Invert, Matching};
