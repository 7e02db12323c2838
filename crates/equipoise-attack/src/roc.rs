//! How well scores tell members from others: the area under the curve, and the true-positive rate at low false-positive rates with its
//! exact interval (Carlini et al., S&P 2022, on why the low end is what matters).

use crate::stats::Rate;

/// The result of an attack on one target model. Ties count against the attacker at a threshold and half in the area.
#[derive(Clone, PartialEq, Debug)]
pub struct Roc {
    /// Members' scores, highest first.
    members: Vec<f64>,
    /// Others' scores, highest first.
    others: Vec<f64>,
}

impl Roc {
    /// Sorts the scores; `None` if either side is empty or a score is not a number.
    #[must_use]
    pub fn new(members: &[f64], others: &[f64]) -> Option<Self> {
        let sorted = |scores: &[f64]| {
            // Adding 0 makes -0 equal to 0 under the total order.
            let mut scores: Vec<f64> = scores.iter().map(|score| score + 0.0).collect();
            scores.sort_by(|a, b| b.total_cmp(a));
            scores
        };
        let odd = members.iter().chain(others).any(|score| score.is_nan());
        (!odd && !members.is_empty() && !others.is_empty())
            .then(|| Self { members: sorted(members), others: sorted(others) })
    }

    /// [`Roc::new`] from scores and a mask of members.
    #[must_use]
    pub fn split(scores: &[f64], inside: &[bool]) -> Option<Self> {
        let of = |want: bool| {
            let kept = scores.iter().zip(inside).filter(|&(_, &is_in)| is_in == want);
            kept.map(|(&score, _)| score).collect::<Vec<_>>()
        };
        Self::new(&of(true), &of(false))
    }

    /// The chance that a member scores above another, ties counting half.
    #[must_use]
    pub fn auc(&self) -> f64 {
        let mut won = 0_u64;
        for &member in &self.members {
            let above = self.others.partition_point(|&other| other > member);
            let level = self.others.partition_point(|&other| other >= member);
            won += 2 * (self.others.len() - level) as u64 + (level - above) as u64;
        }
        won as f64 / (2.0 * self.members.len() as f64 * self.others.len() as f64)
    }

    /// The deviation of the area if scores said nothing (Mann-Whitney).
    #[must_use]
    pub fn deviation_by_chance(&self) -> f64 {
        let (n, m) = (self.members.len() as f64, self.others.len() as f64);
        libm::sqrt((n + m + 1.0) / (12.0 * n * m))
    }

    /// Members above the lowest threshold at which at most a share `false_positive` of the others stands above it, with the exact
    /// interval of 95 %. (Where a non-member ranks first, a rate below one in all others is 0, not 1.)
    #[must_use]
    pub fn true_positive_at(&self, false_positive: f64) -> Rate {
        let may = (false_positive * self.others.len() as f64 + 1e-9) as usize;
        let hits = match self.others.get(may) {
            // Strictly above the first of the others that must stay below.
            Some(&limit) => self.members.partition_point(|&member| member > limit),
            None => self.members.len(),
        };
        Rate::new(hits as u32, self.members.len() as u32, 0.025)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: pairs won are 3 of 4 for 0.9, and so on.
    #[test]
    fn the_area_of_a_hand_made_ranking() {
        let roc = Roc::new(&[0.9, 0.5, 0.5], &[0.5, 0.1]).unwrap();
        // 0.9 wins both; each 0.5 ties one and wins one: (2 + 1.5 + 1.5) / 6.
        assert!((roc.auc() - 5.0 / 6.0).abs() < 1e-12);
        assert!(Roc::new(&[], &[1.0]).is_none() && Roc::new(&[f64::NAN], &[1.0]).is_none());
    }

    /// The trap of the design notes: a non-member ranked first.
    #[test]
    fn a_non_member_ranked_first_leaves_nothing_below_its_rate() {
        let mut others = vec![0.0; 999];
        others.push(9.0);
        let roc = Roc::new(&[5.0; 10], &others).unwrap();
        assert_eq!(roc.true_positive_at(0.0005).hits, 0);
        assert_eq!(roc.true_positive_at(0.001).hits, 10);
    }

    #[test]
    fn ties_at_the_threshold_count_against_the_attacker() {
        let roc = Roc::new(&[1.0, 1.0, 2.0], &[1.0, 0.0]).unwrap();
        assert_eq!(roc.true_positive_at(0.0).hits, 1);
        assert_eq!(roc.true_positive_at(0.5).hits, 3);
        assert_eq!(roc.true_positive_at(1.0).hits, 3);
    }
}
