//! From models' scores to a fusion's input: levels on a public grid, and accounts grouped by pseudonym.
//!
//! A platform may hold several accounts under one pseudonym (a person's second account, or two persons whose noisy
//! identifiers collide); it sends the largest level of them, which it can do without anybody. Accounts that one platform
//! alone has are not fused: their fused value would be their own score.

use super::design::AccountScores;
use super::error::FusionError;
use super::pseudonym::Pseudonym;
use std::collections::BTreeMap;

/// A public grid of risk scores: a score's level is how many of the ascending cuts it reaches.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreGrid(Vec<f32>);

impl ScoreGrid {
    /// A grid with the given ascending cuts; 255 of them give eight-bit levels.
    ///
    /// # Errors
    /// If the cuts do not ascend or are no numbers.
    pub fn new(cuts: Vec<f32>) -> Result<Self, FusionError> {
        if cuts.is_sorted_by(|a, b| a < b) && cuts.iter().all(|cut| cut.is_finite()) {
            Ok(Self(cuts))
        } else {
            Err(FusionError::Rule("the cuts of a score grid must be numbers that ascend".into()))
        }
    }

    /// Cuts in equal steps of the logarithm of the share of `sample` above them, so that the rare high scores, which a
    /// review reads, are told apart: half of the levels lie in the upper `1 / sqrt(sample)` of it. The sample is public,
    /// for instance scores of a development world. Equal scores share a level, so that there may be fewer levels.
    ///
    /// # Errors
    /// If the sample is empty, holds something that is no number, or `levels` is below two.
    pub fn of_upper_tail(sample: &[f32], levels: u32) -> Result<Self, FusionError> {
        if sample.is_empty() || sample.iter().any(|score| !score.is_finite()) || levels < 2 {
            return Err(FusionError::Rule("a score grid needs numbers and two levels".into()));
        }
        let mut sorted = sample.to_vec();
        sorted.sort_by(f32::total_cmp);
        #[allow(clippy::cast_precision_loss, reason = "a sample's size is far below 2^52")]
        let size = sorted.len() as f64;
        let rank = |level: u32| {
            let above = libm::round(libm::pow(size, 1.0 - f64::from(level) / f64::from(levels)));
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a rank of the sample"
            )]
            let above = above as usize;
            sorted.len() - above.clamp(1, sorted.len())
        };
        let mut cuts: Vec<f32> = (1..levels).map(|level| sorted[rank(level)]).collect();
        cuts.dedup_by(|a, b| a.total_cmp(b).is_eq());
        Self::new(cuts)
    }

    /// The cuts, ascending.
    #[must_use]
    pub fn cuts(&self) -> &[f32] {
        &self.0
    }

    /// The level of a score, from 0 to the number of cuts.
    #[must_use]
    pub fn level(&self, score: f32) -> u32 {
        let reached = self.0.partition_point(|cut| *cut <= score);
        u32::try_from(reached).expect("a grid has few cuts")
    }
}

/// One pseudonym that two platforms or more have, and where: `[platform][accounts]`, as indices of what was passed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchedAccount {
    /// The pseudonym.
    pub account: Pseudonym,
    /// Indices of its accounts on each platform.
    pub places: Vec<Vec<usize>>,
}

/// Groups the platforms' accounts by pseudonym; those of one platform alone are left out.
#[must_use]
pub fn matched(platforms: &[Vec<Pseudonym>]) -> Vec<MatchedAccount> {
    let mut all: BTreeMap<Pseudonym, Vec<Vec<usize>>> = BTreeMap::new();
    for (platform, accounts) in platforms.iter().enumerate() {
        for (index, account) in accounts.iter().enumerate() {
            all.entry(*account).or_insert_with(|| vec![vec![]; platforms.len()])[platform].push(index);
        }
    }
    all.into_iter()
        .filter(|(_, places)| places.iter().filter(|accounts| !accounts.is_empty()).count() >= 2)
        .map(|(account, places)| MatchedAccount { account, places })
        .collect()
}

impl MatchedAccount {
    /// What the platforms seal: each its largest level of this pseudonym. `levels` is `[platform][account]`.
    #[must_use]
    pub fn scores(&self, levels: &[Vec<u32>]) -> AccountScores {
        let largest = |(places, levels): (&Vec<usize>, &Vec<u32>)| places.iter().map(|&at| levels[at]).max();
        AccountScores { account: self.account, scores: self.places.iter().zip(levels).map(largest).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fusion::plain_hash;

    #[test]
    fn a_level_is_the_number_of_cuts_that_a_score_reaches() {
        let grid = ScoreGrid::new(vec![0.1, 0.5, 0.9]).unwrap();
        let levels: Vec<u32> = [0.0, 0.1, 0.49, 0.5, 1.0].iter().map(|&score| grid.level(score)).collect();
        assert_eq!(levels, [0, 1, 1, 2, 3]);
        assert!(ScoreGrid::new(vec![0.5, 0.5]).is_err() && ScoreGrid::new(vec![f32::NAN]).is_err());
    }

    #[test]
    fn an_upper_tail_grid_tells_the_highest_scores_apart() {
        // 10,000 scores: levels one to seven begin at the 3,162nd, 1,000th, 316th, 100th, 32nd, 10th and 3rd from above.
        let sample: Vec<f32> = (0..10_000_u16).map(|at| f32::from(at) / 10_000.0).collect();
        let grid = ScoreGrid::of_upper_tail(&sample, 8).unwrap();
        let highest: Vec<u32> =
            [9999, 9990, 9900, 9000, 0].map(|at: u16| grid.level(f32::from(at) / 10_000.0)).into();
        assert_eq!(highest, [7, 6, 4, 2, 0]);
        assert!((0..10_000).is_sorted_by_key(|at| grid.level(sample[at])));
        let flat = ScoreGrid::of_upper_tail(&[0.5; 9], 256).unwrap();
        assert_eq!((flat.level(0.4), flat.level(0.5)), (0, 1));
        assert!(ScoreGrid::of_upper_tail(&[], 8).is_err() && ScoreGrid::of_upper_tail(&sample, 1).is_err());
    }

    #[test]
    fn accounts_of_one_platform_alone_are_not_fused_and_doubles_send_their_largest() {
        let [a, b, c] = [b"a", b"b", b"c"].map(|name| plain_hash(name));
        let groups = matched(&[vec![a, b, a], vec![c, c], vec![b, a]]);
        let mut found: Vec<(Pseudonym, Vec<Vec<usize>>)> =
            groups.iter().map(|group| (group.account, group.places.clone())).collect();
        found.sort();
        let mut want = vec![(a, vec![vec![0, 2], vec![], vec![1]]), (b, vec![vec![1], vec![], vec![0]])];
        want.sort();
        assert_eq!(found, want);
        let levels = [vec![3, 9, 5], vec![1, 1], vec![7, 2]];
        let of_a = groups.iter().find(|group| group.account == a).unwrap().scores(&levels);
        assert_eq!(of_a.scores, [Some(5), None, Some(2)]);
    }
}
