//! Who takes part in a round, and who falls out of it. Both are draws with an address, so a fault trace is data: it can
//! be printed before the run and is the same after any restart.

use crate::faults::FaultSpec;
use crate::roll::Roll;
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
    /// What else goes wrong; nothing without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faults: Option<FaultSpec>,
}

/// The clients of one round.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cohort {
    /// Round.
    pub round: u32,
    /// Clients that answered, ascending.
    pub clients: Vec<u32>,
    /// Clients that were asked and dropped out or crashed, ascending.
    pub dropped: Vec<u32>,
    /// Clients that were not there because of an earlier crash, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub away: Vec<u32>,
    /// Clients that came after the deadline or after enough others, ascending; what they sent is not used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub late: Vec<u32>,
    /// Clients of this round that sent partial work, and the share of their steps, ascending by client.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partial: Vec<(u32, f64)>,
    /// How long the server waited, in the time of a typical client; 0 without a clock.
    #[serde(default)]
    pub duration: f64,
}

impl Cohort {
    /// Everybody who was asked and there to hear it, ascending.
    #[must_use]
    pub fn asked(&self) -> Vec<u32> {
        let mut asked = [self.clients.as_slice(), &self.dropped, &self.late].concat();
        asked.sort_unstable();
        asked
    }

    /// The share of its steps that a client of this round has time for.
    #[must_use]
    pub fn effort(&self, client: u32) -> f64 {
        let at = self.partial.binary_search_by_key(&client, |(partial, _)| *partial);
        at.map_or(1.0, |at| self.partial[at].1)
    }
}

impl CohortSpec {
    /// The largest cohort that `clients` clients can give.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn size(&self, clients: u32) -> u32 {
        ((self.participation.get() * f64::from(clients)).ceil() as u32).min(clients)
    }

    /// The cohort of `round` in the run at `seed`.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn draw(&self, clients: u32, round: u32, seed: Seed) -> Cohort {
        let at = seed.derive("cohort", u64::from(round));
        let needed = self.size(clients);
        let ask = self.faults.map_or(needed, |faults| {
            ((faults.over_selection * f64::from(needed)).ceil() as u32).clamp(needed, clients)
        });
        let asked = Roll::draw(clients, ask, &mut at.rng());
        let drops = |client: &u32| at.derive("dropout", u64::from(*client)).rng().chance(self.dropout.get());
        let (dropped, clients) = asked.into_iter().partition(drops);
        let mut cohort = Cohort { round, clients, dropped, ..Cohort::default() };
        if let Some(faults) = &self.faults {
            faults.befall(&mut cohort, needed as usize, seed);
        }
        cohort
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(participation: f64, dropout: f64) -> CohortSpec {
        let fraction = |value| Fraction::new(value).unwrap();
        CohortSpec {
            participation: fraction(participation),
            dropout: fraction(dropout),
            minimum: 2,
            faults: None,
        }
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

    #[test]
    fn whoever_dropped_out_or_came_late_was_asked() {
        let cohort = Cohort {
            clients: vec![1, 4],
            dropped: vec![0],
            late: vec![3],
            away: vec![2],
            ..Cohort::default()
        };
        assert_eq!(cohort.asked(), [0, 1, 3, 4]);
    }

    /// 4,000 draws at 0.25: standard error 0.0068; the band is five of them.
    #[test]
    fn clients_drop_at_the_stated_rate() {
        let spec = spec(1.0, 0.25);
        let dropped: usize = (0..400).map(|r| spec.draw(10, r, Seed::root(3)).dropped.len()).sum();
        assert!((f64::from(u32::try_from(dropped).unwrap()) / 4000.0 - 0.25).abs() < 0.035);
    }
}
