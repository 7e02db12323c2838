//! Who learns what: the machine-readable row of the threat matrix (`encryption.md` 4) that every report prints.

use serde::{Deserialize, Serialize};

/// What one party, or coalition, reads during a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatView {
    /// Who.
    pub seat: String,
    /// What it reads, in plain words.
    pub learns: String,
    /// Whether that includes a single platform's update.
    pub reads_single_updates: bool,
}

/// What every seat learns under one aggregation scheme.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeakageProfile {
    /// The scheme.
    pub scheme: String,
    /// One sentence that must stand wherever the scheme's cost stands.
    pub headline: String,
    /// The seats.
    pub seats: Vec<SeatView>,
}

impl LeakageProfile {
    /// A profile from `(seat, learns, reads single updates)` rows.
    #[must_use]
    pub fn new(scheme: &str, headline: &str, seats: &[(&str, &str, bool)]) -> Self {
        let seats = seats
            .iter()
            .map(|&(seat, learns, reads)| SeatView {
                seat: seat.into(),
                learns: learns.into(),
                reads_single_updates: reads,
            })
            .collect();
        Self { scheme: scheme.into(), headline: headline.into(), seats }
    }

    /// Whether the server, alone, reads single updates.
    #[must_use]
    pub fn server_reads_single_updates(&self) -> bool {
        self.seats.iter().any(|view| view.seat == "server" && view.reads_single_updates)
    }
}
