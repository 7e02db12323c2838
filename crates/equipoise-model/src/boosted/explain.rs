//! Exact Shapley values of trees against one reference row.
//!
//! A leaf is reached by those mixtures of row and reference in which some columns are the row's (`n` of them) and some are the
//! reference's (`m`), whatever the others are; its value is then shared as in a game of unanimity: each of the `n` gets
//! `(n-1)! m! / (n+m)!` of it and each of the `m` loses `n! (m-1)! / (n+m)!` (Lundberg et al. 2020, algorithm 3). One walk visits every
//! leaf that some mixture reaches.

use super::tree::{Forest, Node};
use crate::explain::Attribution;

/// Whose value of a column a walk has had to take.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Row,
    Reference,
}

/// The shares of `row` in the forest's logit, held against `reference`.
pub(super) fn explain(forest: &Forest, row: &[f32], reference: &[f32]) -> Attribution {
    let mut walk =
        Walk { row, reference, taken: vec![None; row.len()], path: vec![], shares: vec![0.0; row.len()] };
    forest.trees().for_each(|tree| walk.visit(tree, 0));
    Attribution { shares: walk.shares, difference: forest.logit(row) - forest.logit(reference) }
}

struct Walk<'a> {
    row: &'a [f32],
    reference: &'a [f32],
    /// What each column had to be on the way here.
    taken: Vec<Option<Side>>,
    /// The columns of `taken` that are not free, in the order of the way.
    path: Vec<usize>,
    shares: Vec<f64>,
}

impl Walk<'_> {
    fn visit(&mut self, tree: &[Node], at: usize) {
        let node = &tree[at];
        if node.left == 0 {
            return self.share(f64::from(node.number));
        }
        let column = usize::from(node.column);
        let child = |value: f32| node.left as usize + usize::from(!node.goes_left(value));
        let (own, other) = (child(self.row[column]), child(self.reference[column]));
        match self.taken[column] {
            _ if own == other => self.visit(tree, own),
            Some(Side::Row) => self.visit(tree, own),
            Some(Side::Reference) => self.visit(tree, other),
            None => {
                self.path.push(column);
                for (side, next) in [(Side::Row, own), (Side::Reference, other)] {
                    self.taken[column] = Some(side);
                    self.visit(tree, next);
                }
                self.taken[column] = None;
                self.path.pop();
            }
        }
    }

    #[allow(clippy::cast_precision_loss)] // A path has at most a few dozen columns.
    fn share(&mut self, value: f64) {
        let rows = self.path.iter().filter(|&&column| self.taken[column] == Some(Side::Row)).count();
        let others = self.path.len() - rows;
        // (n-1)! m! / (n+m)! = 1 / (n C(n+m, n)).
        let ways = binomial(self.path.len(), rows);
        for &column in &self.path {
            self.shares[column] += match self.taken[column] {
                Some(Side::Row) => value / (rows as f64 * ways),
                _ => -value / (others as f64 * ways),
            };
        }
    }
}

#[allow(clippy::cast_precision_loss)] // Small numbers.
fn binomial(n: usize, k: usize) -> f64 {
    (1..=k).fold(1.0, |product, i| product * (n - k + i) as f64 / i as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::{Draw, Seed};

    /// Full trees of depth `depth` over few columns, so that ways meet a column again.
    fn forest(columns: u16, depth: u32, trees: u32, seed: u64) -> Forest {
        let mut rng = Seed::root(seed).rng();
        let mut forest = Forest { columns, base: 0.3, sizes: vec![], nodes: vec![] };
        for _ in 0..trees {
            let inner = (1_u32 << depth) - 1;
            for at in 0..2 * inner + 1 {
                let number = rng.normal() as f32;
                forest.nodes.push(if at < inner {
                    let column = (rng.uniform() * f64::from(columns)) as u16;
                    Node { number, left: 2 * at + 1, column, missing_left: rng.uniform() < 0.5 }
                } else {
                    Node::leaf(number)
                });
            }
            forest.sizes.push(2 * inner + 1);
        }
        forest
    }

    /// The definition: the mean over all orders of what a column adds when it becomes the row's.
    fn slow(forest: &Forest, row: &[f32], reference: &[f32]) -> Vec<f64> {
        let columns = row.len();
        let value = |set: usize| {
            let mixed: Vec<f32> =
                (0..columns).map(|c| if set >> c & 1 == 1 { row[c] } else { reference[c] }).collect();
            forest.logit(&mixed)
        };
        let factorial = |n: usize| (1..=n).map(|i| i as f64).product::<f64>();
        let share = |column: usize| {
            (0..1_usize << columns)
                .filter(|set| set >> column & 1 == 0)
                .map(|set| {
                    let size = set.count_ones() as usize;
                    let weight = factorial(size) * factorial(columns - size - 1) / factorial(columns);
                    weight * (value(set | 1 << column) - value(set))
                })
                .sum()
        };
        (0..columns).map(share).collect()
    }

    #[test]
    fn shares_are_shapley_values() {
        for (columns, depth, seed) in [(1, 2, 1), (3, 4, 2), (5, 5, 3), (6, 3, 4)] {
            let forest = forest(columns, depth, 7, seed);
            let mut rng = Seed::root(seed).derive("rows", 0).rng();
            let mut draw = || -> Vec<f32> { (0..columns).map(|_| rng.normal() as f32).collect() };
            let (mut row, reference) = (draw(), draw());
            if columns > 2 {
                row[1] = f32::NAN;
            }
            let got = explain(&forest, &row, &reference);
            for (got, want) in got.shares.iter().zip(slow(&forest, &row, &reference)) {
                assert!((got - want).abs() < 1e-9, "{columns} {depth}: {got} {want}");
            }
            assert!(got.gap() < 1e-9);
        }
    }

    #[test]
    fn a_column_like_the_reference_s_has_no_share() {
        let forest = forest(4, 5, 5, 9);
        let (row, reference) = ([0.4, -1.0, 0.2, 2.0], [0.4, 1.0, -0.2, 2.0]);
        let got = explain(&forest, &row, &reference);
        assert_eq!((got.shares[0], got.shares[3]), (0.0, 0.0));
        assert!(got.shares[1].abs() > 0.0);
    }
}
