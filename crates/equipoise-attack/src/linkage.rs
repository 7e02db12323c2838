//! Linkage: which pseudonym on one platform is which on another, from vectors that were released about both. Differential privacy of a
//! model does nothing against it; only what is released does.
//!
//! Half of the links are known to the attacker, who learns from them how much each column tells, and ranks candidates for the rest. A
//! report needs both controls: a shared hash without salt must be linked every time, and shuffled identities at one in N.

/// What somebody holds who was sent a vector for every account of two platforms, and knows some links.
#[derive(Clone, Copy, Debug)]
pub struct LinkageView<'a> {
    /// Vectors of the first platform.
    pub left: &'a [Vec<f64>],
    /// Vectors of the second.
    pub right: &'a [Vec<f64>],
    /// Links that are known, as places in both.
    pub known: &'a [(usize, usize)],
}

/// How well links were found, as shares of the accounts asked about.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Linked {
    /// The right account came first.
    pub first: f64,
    /// It was among the first ten.
    pub ten: f64,
    /// The mean of one over its rank.
    pub reciprocal_rank: f64,
}

impl LinkageView<'_> {
    /// How much each column tells: the inverse of its mean square within known pairs, relative to its spread over accounts. A column
    /// that always agrees is worth the most that a number may be.
    #[must_use]
    pub fn weights(&self) -> Vec<f64> {
        let width = self.left.first().map_or(0, Vec::len);
        let weight = |column: usize| {
            let within = self.known.iter().map(|&(a, b)| self.left[a][column] - self.right[b][column]);
            let within = within.map(|gap| gap * gap).sum::<f64>() / self.known.len().max(1) as f64;
            let n = self.left.len() as f64;
            let mean = self.left.iter().map(|row| row[column]).sum::<f64>() / n;
            let spread = self.left.iter().map(|row| (row[column] - mean).powi(2)).sum::<f64>() / n;
            // Two accounts that have nothing to do with each other lie twice the variance apart: no evidence, no weight.
            if spread <= 0.0 { 0.0 } else { (1.0 / within.max(1e-9 * spread) - 0.5 / spread).max(0.0) }
        };
        (0..width).map(weight).collect()
    }

    /// Every account of the second platform, the likeliest first, for one of the first. Equals stand in the order of their places.
    #[must_use]
    pub fn ranked(&self, account: usize, weights: &[f64]) -> Vec<usize> {
        let own = &self.left[account];
        let distance = |row: &Vec<f64>| -> f64 {
            row.iter().zip(own).zip(weights).map(|((a, b), weight)| weight * (a - b) * (a - b)).sum()
        };
        let mut far: Vec<(f64, usize)> = self.right.iter().map(distance).zip(0..).collect();
        far.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        far.into_iter().map(|(_, place)| place).collect()
    }
}

/// Ranks every account of `asked` and looks the right answers up. `asked` must hold no known link.
///
/// # Panics
/// If an answer is not an account of the second platform.
#[must_use]
pub fn link(seen: &LinkageView<'_>, asked: &[(usize, usize)]) -> Linked {
    let weights = seen.weights();
    let mut found = Linked { first: 0.0, ten: 0.0, reciprocal_rank: 0.0 };
    let n = asked.len().max(1) as f64;
    for &(account, answer) in asked {
        let ranked = seen.ranked(account, &weights);
        let rank = ranked.iter().position(|&place| place == answer).expect("an answer is an account") as f64;
        found.first += f64::from(u8::from(rank < 1.0)) / n;
        found.ten += f64::from(u8::from(rank < 10.0)) / n;
        found.reciprocal_rank += 1.0 / (rank + 1.0) / n;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::{Draw, Seed};

    const N: usize = 600;

    /// A hash of the identity as 32 coordinates of 0 and 1, or habits with noise of their own on each platform.
    fn vector(identity: usize, habits: Option<(f64, u64)>) -> Vec<f64> {
        let mut same = Seed::root(51).derive("identity", identity as u64).rng();
        match habits {
            None => (0..32).map(|_| f64::from(u8::from(same.chance(0.5)))).collect(),
            Some((noise, platform)) => {
                let mut own =
                    Seed::root(52).derive("platform", platform).derive("account", identity as u64).rng();
                (0..12).map(|_| same.normal() + noise * own.normal()).collect()
            }
        }
    }

    fn linked(left: Vec<Vec<f64>>, right_of: impl Fn(usize) -> Vec<f64>, believed: &[usize]) -> Linked {
        let mut order: Vec<usize> = (0..N).collect();
        Seed::root(53).rng().shuffle(&mut order);
        // `order[place]` is the identity that stands at a place of the second platform.
        let right: Vec<Vec<f64>> = order.iter().map(|&identity| right_of(identity)).collect();
        let mut place = vec![0; N];
        order.iter().enumerate().for_each(|(at, &identity)| place[identity] = at);
        let links: Vec<(usize, usize)> =
            (0..N).map(|identity| (identity, place[believed[identity]])).collect();
        let (known, asked) = links.split_at(N / 2);
        link(&LinkageView { left: &left, right: &right, known }, asked)
    }

    #[test]
    fn a_shared_hash_links_everybody_and_shuffled_identities_nobody() {
        let truth: Vec<usize> = (0..N).collect();
        let left = || (0..N).map(|identity| vector(identity, None)).collect::<Vec<_>>();
        assert!(linked(left(), |identity| vector(identity, None), &truth).first >= 1.0 - 1e-9);
        let mut shuffled = truth.clone();
        Seed::root(54).rng().shuffle(&mut shuffled);
        let by_chance = linked(left(), |identity| vector(identity, None), &shuffled);
        // 300 asked at 1/600: three or more with probability 1.4 %. The mean reciprocal rank by chance is H(600)/600 = 0.0116.
        assert!(by_chance.first < 3.0 / 300.0 && by_chance.reciprocal_rank < 0.03, "{by_chance:?}");
    }

    #[test]
    fn habits_link_and_noise_on_them_links_less() {
        let truth: Vec<usize> = (0..N).collect();
        let with = |noise| {
            let left = (0..N).map(|identity| vector(identity, Some((noise, 0)))).collect();
            linked(left, |identity| vector(identity, Some((noise, 1))), &truth)
        };
        let (clear, blurred) = (with(0.2), with(2.0));
        assert!(
            clear.first > 0.9 && blurred.first < 0.2 && blurred.first < clear.first,
            "{clear:?} {blurred:?}"
        );
    }
}
