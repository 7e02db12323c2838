//! A finished model: flat arrays of nodes, checked when they are read back.

use crate::ModelError;
use serde::{Deserialize, Serialize};

/// A place in a tree. Children stand after their parent and side by side, so that no walk can turn back.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Node {
    /// Threshold of a split (at most it goes left), or value of a leaf.
    pub(super) number: f32,
    /// Place of the left child in the tree, the right one follows it; 0 marks a leaf.
    pub(super) left: u32,
    /// Column of a split.
    pub(super) column: u16,
    /// Whether missing values go left.
    pub(super) missing_left: bool,
}

impl Node {
    pub(super) const fn leaf(number: f32) -> Self {
        Self { number, left: 0, column: 0, missing_left: false }
    }

    /// Whether a row with this value of the split's column goes left.
    #[inline]
    pub(super) fn goes_left(&self, value: f32) -> bool {
        if value.is_nan() { self.missing_left } else { value <= self.number }
    }
}

/// The value of the leaf of `tree` that the row falls into.
#[inline]
pub(super) fn leaf_value(tree: &[Node], row: &[f32]) -> f32 {
    let mut node = &tree[0];
    while node.left != 0 {
        let left = node.goes_left(row[usize::from(node.column)]);
        node = &tree[node.left as usize + usize::from(!left)];
    }
    node.number
}

/// The form of a model on disk: one array a field of [`Node`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Stored {
    columns: u16,
    base: f64,
    /// Nodes of each tree.
    sizes: Vec<u32>,
    number: Vec<f32>,
    left: Vec<u32>,
    column: Vec<u16>,
    missing_left: Vec<bool>,
}

/// Trees over rows of `columns` numbers; `base` is the logit of no tree.
#[derive(Clone, PartialEq)]
pub(super) struct Forest {
    pub(super) columns: u16,
    pub(super) base: f64,
    pub(super) sizes: Vec<u32>,
    pub(super) nodes: Vec<Node>,
}

impl Forest {
    /// The trees, one slice each.
    pub(super) fn trees(&self) -> impl Iterator<Item = &[Node]> {
        let mut rest = self.nodes.as_slice();
        self.sizes.iter().map(move |&size| {
            let (tree, after) = rest.split_at(size as usize);
            rest = after;
            tree
        })
    }

    /// The sum of the base and a leaf of each tree, in the order of trees.
    pub(super) fn logit(&self, row: &[f32]) -> f64 {
        self.trees().fold(self.base, |logit, tree| logit + f64::from(leaf_value(tree, row)))
    }
}

impl From<Forest> for Stored {
    fn from(forest: Forest) -> Self {
        let nodes = &forest.nodes;
        Self {
            columns: forest.columns,
            base: forest.base,
            number: nodes.iter().map(|node| node.number).collect(),
            left: nodes.iter().map(|node| node.left).collect(),
            column: nodes.iter().map(|node| node.column).collect(),
            missing_left: nodes.iter().map(|node| node.missing_left).collect(),
            sizes: forest.sizes,
        }
    }
}

impl TryFrom<Stored> for Forest {
    type Error = ModelError;

    fn try_from(stored: Stored) -> Result<Self, ModelError> {
        let fail = |what| Err(ModelError::Spec(what));
        let n = stored.number.len();
        if [stored.left.len(), stored.column.len(), stored.missing_left.len()] != [n; 3]
            || stored.sizes.iter().map(|&size| u64::from(size)).sum::<u64>() != n as u64
            || stored.sizes.contains(&0)
        {
            return fail("the arrays of stored trees differ in length; the file is damaged");
        }
        if !stored.base.is_finite() || stored.number.iter().any(|number| !number.is_finite()) {
            return fail("a number of the stored trees is not finite; the file is damaged");
        }
        let nodes = (0..n).map(|at| Node {
            number: stored.number[at],
            left: stored.left[at],
            column: stored.column[at],
            missing_left: stored.missing_left[at],
        });
        let forest =
            Self { columns: stored.columns, base: stored.base, nodes: nodes.collect(), sizes: stored.sizes };
        let sound = |(at, node): (usize, &Node), size: usize| {
            node.left == 0
                || (node.left as usize > at
                    && (node.left as usize) < size - 1
                    && node.column < forest.columns)
        };
        if forest.trees().any(|tree| !tree.iter().enumerate().all(|node| sound(node, tree.len()))) {
            return fail("a stored tree names a child or column that does not exist; the file is damaged");
        }
        Ok(forest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stump() -> Stored {
        Stored {
            columns: 2,
            base: 0.25,
            sizes: vec![3, 1],
            number: vec![0.5, -1.0, 2.0, 8.0],
            left: vec![1, 0, 0, 0],
            column: vec![1, 0, 0, 0],
            missing_left: vec![true, false, false, false],
        }
    }

    #[test]
    fn a_row_falls_to_its_leaf_and_the_leaves_add_up() {
        let forest = Forest::try_from(stump()).unwrap();
        let logits = [[9.0, 0.5], [9.0, 0.6], [9.0, f32::NAN]].map(|row| forest.logit(&row).to_bits());
        assert_eq!(logits, [7.25, 10.25, 7.25].map(f64::to_bits));
    }

    #[test]
    fn damaged_trees_are_refused() {
        let refused = |change: fn(&mut Stored)| {
            let mut stored = stump();
            change(&mut stored);
            Forest::try_from(stored).is_err()
        };
        assert!(!refused(|_| ()));
        assert!(refused(|stored| stored.left[0] = 2));
        assert!(refused(|stored| stored.left[1] = 1));
        assert!(refused(|stored| stored.column[0] = 2));
        assert!(refused(|stored| stored.sizes[0] = 2));
        assert!(refused(|stored| stored.number[1] = f32::NAN));
        assert!(refused(|stored| stored.column.truncate(3)));
    }
}
