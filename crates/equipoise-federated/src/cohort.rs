//! Who takes part in a round, and who falls out of it. Both are draws with an address, so a fault trace is data: it can
//! be printed before the run and is the same after any restart.

use equipoise_core::{Draw, Fraction, Seed};
use serde::{Deserialize, Serialize};

/// How cohorts are made.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CohortSpec {
    /// Share of the clients that is asked in each round (rounded up, without replacement).
    pub participation: Fraction,
    /// Probability that a client which was asked never answers.
    pub dropout: Fraction,
    /// A round with fewer answers than this is not opened and changes nothing.
    pub minimum: u32,
}

/// The clients of one round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cohort {
    /// Round.
    pub round: u32,
    /// Clients that answered, ascending.
    pub clients: Vec<u32>,
    /// Clients that were asked and dropped out, ascending.
    pub dropped: Vec<u32>,
}

impl CohortSpec {
    /// The largest cohort that `clients` clients can give.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn size(&self, clients: u32) -> u32 {
        ((self.participation.get() * f64::from(clients)).ceil() as u32).min(clients)
    }

    /// The cohort of `round`.
    #[must_use]
    pub fn draw(&self, clients: u32, round: u32, seed: Seed) -> Cohort {
        let seed = seed.derive("cohort", u64::from(round));
        let mut asked: Vec<u32> = (0..clients).collect();
        let size = self.size(clients);
        if size < clients {
            seed.rng().shuffle(&mut asked);
            asked.truncate(size as usize);
            asked.sort_unstable();
        }
        let drops =
            |client: &u32| seed.derive("dropout", u64::from(*client)).rng().chance(self.dropout.get());
        let (dropped, clients) = asked.into_iter().partition(drops);
        Cohort { round, clients, dropped }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(participation: f64, dropout: f64) -> CohortSpec {
        let fraction = |value| Fraction::new(value).unwrap();
        CohortSpec { participation: fraction(participation), dropout: fraction(dropout), minimum: 2 }
    }

    #[test]
    fn half_of_five_is_three() {
        assert_eq!(spec(0.5, 0.0).draw(5, 1, Seed::root(1)).clients.len(), 3);
    }

    #[test]
    fn whoever_was_asked_answered_or_dropped() {
        for round in 0..50 {
            let cohort = spec(0.8, 0.3).draw(10, round, Seed::root(2));
            assert_eq!(cohort.clients.len() + cohort.dropped.len(), 8);
        }
    }

    /// 4,000 draws at 0.25: standard error 0.0068; the band is five of them.
    #[test]
    fn clients_drop_at_the_stated_rate() {
        let spec = spec(1.0, 0.25);
        let dropped: usize = (0..400).map(|r| spec.draw(10, r, Seed::root(3)).dropped.len()).sum();
        assert!((f64::from(u32::try_from(dropped).unwrap()) / 4000.0 - 0.25).abs() < 0.035);
    }
}
