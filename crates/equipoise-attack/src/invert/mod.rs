//! Update inversion: from a gradient that a seat was sent, back to the rows behind it.

mod network;

pub use network::SmallNetwork;
