//! Bulyan (El Mhamdi et al., "The hidden vulnerability of distributed learning in Byzantium", ICML 2018): Krum picks
//! `n - 2f` updates one after another, then each coordinate averages the `n - 4f` values closest to their median. Krum alone
//! lets one byzantine coordinate hide in a high dimension; the second step does not. Needs `n >= 4f + 3`.

use super::Aggregator;
use super::krum::ranked;
use super::units::{Units, middle};
use equipoise_privacy::OutgoingUpdate;
use serde::{Deserialize, Serialize};

/// Krum, then a trimmed mean around the median.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bulyan {
    /// Byzantine clients to withstand in a cohort.
    pub byzantine: u32,
}

impl Aggregator for Bulyan {
    fn name(&self) -> &'static str {
        "bulyan"
    }

    fn minimum_cohort(&self) -> usize {
        4 * self.byzantine as usize + 3
    }

    fn tolerates(&self, cohort: usize) -> usize {
        (self.byzantine as usize).min(cohort.saturating_sub(3) / 4)
    }

    #[allow(clippy::cast_precision_loss)] // Cohorts are small.
    fn aggregate(&self, updates: &[OutgoingUpdate]) -> Vec<f64> {
        let units = Units::of(updates);
        let byzantine = self.byzantine as usize;
        let mut left = units.all();
        let mut chosen = Vec::new();
        while chosen.len() + 2 * byzantine < units.count() {
            let Some(best) = ranked(&units, &left, byzantine).first().copied() else { break };
            left.retain(|row| *row != best);
            chosen.push(best);
        }
        let keep = units.count().saturating_sub(4 * byzantine).max(1);
        units.by_coordinate(&chosen, |column| {
            let centre = middle(column);
            column.sort_unstable_by(|a, b| {
                (a - centre).abs().total_cmp(&(b - centre).abs()).then(a.total_cmp(b))
            });
            column[..keep].iter().sum::<f64>() / keep as f64
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::outgoing;

    /// Of seven, five are chosen (the wild one never), and the three around their median are averaged.
    #[test]
    fn one_wild_client_of_seven_is_not_heard() {
        let updates = [1, 2, 3, 4, 5, 6, 900].map(|value| outgoing(value as u32, 1, &[value]));
        let got = Bulyan { byzantine: 1 }.aggregate(&updates)[0];
        assert!((2.0..=5.0).contains(&got), "{got}");
        let honest = [1, 2, 3, 4, 5, 6, 3].map(|value| value).into_iter().enumerate();
        let honest: Vec<_> = honest.map(|(client, value)| outgoing(client as u32, 1, &[value])).collect();
        assert!((Bulyan { byzantine: 1 }.aggregate(&honest)[0] - 3.0).abs() < 1.0);
    }

    #[test]
    fn without_byzantine_clients_it_is_the_mean() {
        let updates = [0, 3, 9].map(|value| outgoing(value as u32, 1, &[value]));
        assert_eq!(Bulyan { byzantine: 0 }.aggregate(&updates), vec![4.0]);
    }
}
