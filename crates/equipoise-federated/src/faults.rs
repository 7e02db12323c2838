//! Faults as data: who is slow, late, away or byzantine is a draw with an address, so a trace can be printed before the run and is
//! the same after any restart. Time is virtual: 1 is what a typical client needs for a round.

use crate::cohort::Cohort;
use crate::roll::Roll;
use equipoise_core::{Draw, Fraction, Seed};
use serde::{Deserialize, Serialize};

/// What goes wrong, and what the server does about it. A federation without this table has no clock: everybody who does not drop
/// out is in time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FaultSpec {
    /// Clients asked for each one that is needed, at least 1; the first to finish are taken (Bonawitz et al., `MLSys` 2019).
    pub over_selection: f64,
    /// When the server stops waiting, in the time of a typical client.
    pub deadline: f64,
    /// Log standard deviation of the clients' own speeds, drawn once for a run.
    pub speed_sigma: f64,
    /// Log standard deviation of one round's time around a client's own.
    pub round_sigma: f64,
    /// What a client does that will not be done by the deadline.
    pub stragglers: Stragglers,
    /// Probability in each round that a client which was asked crashes.
    pub crash: Fraction,
    /// Rounds for which it then stays away.
    pub away_rounds: u32,
    /// Share of the clients (rounded down) that are byzantine, the same ones for the whole run.
    pub byzantine: Fraction,
}

/// What a client does that will not be done by the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stragglers {
    /// Its work is lost.
    Late,
    /// It sends what it has by then: a share of its local steps (Li et al., "`FedProx`", `MLSys` 2020, definition 2).
    PartialWork,
}

impl FaultSpec {
    /// Checks every number against its range.
    ///
    /// # Errors
    /// Begins with the first key outside it.
    pub fn check(&self) -> Result<(), String> {
        let need = |key: &str, range: &str, value: f64, ok: bool| {
            if ok && value.is_finite() { Ok(()) } else { Err(format!("{key}: must be {range}, got {value}")) }
        };
        need("over-selection", "at least 1", self.over_selection, self.over_selection >= 1.0)?;
        need("deadline", "above 0", self.deadline, self.deadline > 0.0)?;
        need("speed-sigma", "not negative", self.speed_sigma, self.speed_sigma >= 0.0)?;
        need("round-sigma", "not negative", self.round_sigma, self.round_sigma >= 0.0)
    }

    /// Who is byzantine in a run of `clients`, ascending.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // A share of a u32.
    pub fn byzantine(&self, clients: u32, seed: Seed) -> Vec<u32> {
        let count = (self.byzantine.get() * f64::from(clients)) as u32;
        Roll::draw(clients, count, &mut seed.derive("byzantine", 0).rng())
    }

    /// The time that `client` needs for a whole round.
    #[must_use]
    pub fn duration(&self, client: u32, round: u32, seed: Seed) -> f64 {
        let at = seed.derive("duration", u64::from(client));
        let own = self.speed_sigma * at.rng().normal();
        let this = self.round_sigma * at.derive("round", u64::from(round)).rng().normal();
        libm::exp(own + this)
    }

    /// Whether `client` crashes in `round`, if it is asked.
    fn crashes(&self, client: u32, round: u32, seed: Seed) -> bool {
        let at = seed.derive("crash", u64::from(round)).derive("client", u64::from(client));
        at.rng().chance(self.crash.get())
    }

    /// Sorts the clients of a cohort that did not drop out: `needed` of them take part, the others are away, crashed or late.
    pub(crate) fn befall(&self, cohort: &mut Cohort, needed: usize, seed: Seed) {
        let round = cohort.round;
        let asked = std::mem::take(&mut cohort.clients);
        let recently = |client: &u32| {
            (round.saturating_sub(self.away_rounds)..round).any(|before| self.crashes(*client, before, seed))
        };
        let (away, asked): (Vec<u32>, Vec<u32>) = asked.into_iter().partition(recently);
        let (crashed, asked): (Vec<u32>, Vec<u32>) =
            asked.into_iter().partition(|client| self.crashes(*client, round, seed));
        cohort.away = away;
        cohort.dropped.extend(crashed);
        cohort.dropped.sort_unstable();
        let mut timed: Vec<(f64, u32)> =
            asked.into_iter().map(|client| (self.duration(client, round, seed), client)).collect();
        timed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for (rank, (duration, client)) in timed.into_iter().enumerate() {
            let in_time = duration <= self.deadline;
            if rank >= needed || (!in_time && self.stragglers == Stragglers::Late) {
                cohort.late.push(client);
                continue;
            }
            if !in_time {
                cohort.partial.push((client, self.deadline / duration));
            }
            cohort.clients.push(client);
            cohort.duration = duration.min(self.deadline);
        }
        if cohort.clients.len() < needed {
            cohort.duration = self.deadline;
        }
        [&mut cohort.clients, &mut cohort.late].into_iter().for_each(|list| list.sort_unstable());
        cohort.partial.sort_by_key(|(client, _)| *client);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CohortSpec;

    fn none() -> Fraction {
        Fraction::new(0.0).unwrap()
    }

    fn faults() -> FaultSpec {
        FaultSpec {
            over_selection: 1.0,
            deadline: 1.0,
            speed_sigma: 0.5,
            round_sigma: 0.3,
            stragglers: Stragglers::Late,
            crash: none(),
            away_rounds: 0,
            byzantine: none(),
        }
    }

    fn cohorts(faults: FaultSpec, participation: f64) -> impl Iterator<Item = Cohort> {
        let participation = Fraction::new(participation).unwrap();
        let spec = CohortSpec { participation, dropout: none(), minimum: 1, faults: Some(faults) };
        (0..200).map(move |round| spec.draw(40, round, Seed::root(7)))
    }

    /// The median of a log-normal time is 1, so half of the clients miss a deadline of 1: 8,000 draws that are not independent
    /// (own speeds), so the band is wide.
    #[test]
    fn half_of_the_clients_miss_a_deadline_at_the_typical_time() {
        let late: usize = cohorts(faults(), 1.0).map(|cohort| cohort.late.len()).sum();
        assert!((0.3..0.7).contains(&(late as f64 / 8_000.0)), "{late}");
    }

    #[test]
    fn partial_work_takes_everybody_with_the_share_that_the_deadline_allows() {
        for cohort in cohorts(FaultSpec { stragglers: Stragglers::PartialWork, ..faults() }, 1.0) {
            assert_eq!((cohort.clients.len(), cohort.late.len()), (40, 0));
            assert!(!cohort.partial.is_empty());
            assert!(cohort.partial.iter().all(|(_, effort)| (0.0..1.0).contains(effort)));
            assert!(
                cohort.clients.iter().filter(|client| cohort.effort(**client) < 1.0).count()
                    == cohort.partial.len()
            );
        }
    }

    #[test]
    fn over_selection_asks_more_and_takes_the_fastest() {
        let spec = FaultSpec { over_selection: 1.5, deadline: 1e9, ..faults() };
        for cohort in cohorts(spec, 0.5) {
            assert_eq!((cohort.clients.len(), cohort.late.len()), (20, 10));
            let time = |client: &u32| spec.duration(*client, cohort.round, Seed::root(7));
            let slowest = cohort.clients.iter().map(time).fold(0.0, f64::max);
            assert!((slowest - cohort.duration).abs() < 1e-12);
            assert!(cohort.late.iter().map(time).all(|late| late >= slowest));
        }
    }

    #[test]
    fn a_crashed_client_stays_away_and_comes_back() {
        let spec =
            FaultSpec { crash: Fraction::new(0.1).unwrap(), away_rounds: 3, deadline: 1e9, ..faults() };
        let cohorts: Vec<Cohort> = cohorts(spec, 1.0).collect();
        for rounds in cohorts.windows(4) {
            let (before, now) = (&rounds[..3], &rounds[3]);
            for client in before.iter().flat_map(|cohort| &cohort.dropped) {
                assert!(now.away.contains(client), "{client} in {}", now.round);
            }
        }
        let returned =
            |five: &[Cohort]| five[0].dropped.iter().any(|client| five[4].clients.contains(client));
        let back = cohorts.windows(5).any(returned);
        assert!(back, "somebody crashes in one of 200 rounds and returns");
    }

    #[test]
    fn byzantine_clients_are_the_same_all_run_and_as_many_as_asked() {
        let spec = FaultSpec { byzantine: Fraction::new(0.25).unwrap(), ..faults() };
        assert_eq!(spec.byzantine(10, Seed::root(1)).len(), 2);
        assert_eq!(spec.byzantine(10, Seed::root(1)), spec.byzantine(10, Seed::root(1)));
    }

    #[test]
    fn numbers_outside_their_range_are_named() {
        assert!(
            FaultSpec { over_selection: 0.9, ..faults() }.check().unwrap_err().starts_with("over-selection")
        );
        assert!(FaultSpec { deadline: f64::NAN, ..faults() }.check().unwrap_err().starts_with("deadline"));
        assert_eq!(faults().check(), Ok(()));
    }
}
