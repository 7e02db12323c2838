//! Trees over rows that stay where they are: platforms send histograms of integers, the server adds them and splits (SecureBoost,
//! Cheng et al., IEEE Intelligent Systems 2021, in its horizontal form; FATE's homogeneous boosting).
//!
//! Sums of integers are exact, so the forest is bit for bit the one that [`Boosted::fit`](super::Boosted::fit) grows over all rows in one
//! place on the same edges: federating costs nothing but what is sent. What is sent: each platform's smallest and largest value a
//! column (edges of equal width), its number of rows and positives, then one histogram for the root of each tree and one for the
//! smaller child of each split. The server broadcasts splits. Whoever adds the histograms in the clear reads them.

use super::bins::{Binned, Binner};
use super::gradient::{Gradients, Scale};
use super::histogram::{Histogram, Totals};
use super::split::{Rule, Split, best_split};
use super::tree::{Forest, Node};
use super::{Binning, Boosted, BoostedSpec, check, draw_columns, logit_of};
use crate::{ModelError, Rows};
use equipoise_core::Seed;
use serde::{Deserialize, Serialize};

/// One platform: its rows never leave this struct.
struct Part<'a> {
    rows: &'a Rows<'a>,
    binned: Binned,
    logits: Vec<f64>,
    gradients: Gradients,
    /// The open leaf of each row.
    leaf: Vec<u32>,
}

/// A leaf that may still be split, as the server sees it.
struct Open {
    node: u32,
    depth: u16,
    total: Totals,
    histogram: Histogram,
    split: Split,
}

/// What federated training sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Sent {
    /// Sums of histograms that were asked for.
    pub sums: u64,
    /// Words of 64 bits that one platform sent in all.
    pub words: u64,
}

impl Boosted {
    /// Trains over the rows of several platforms by summed histograms. `sum` adds what they send, one vector a platform, all of one
    /// length.
    ///
    /// # Errors
    /// If a setting, a length or a number does not fit, no platform has a row that carries weight, the edges are not of equal width or
    /// a share of rows is drawn (both would need a platform's rows), or the sum fails.
    pub fn fit_parts(
        parts: &[Rows<'_>],
        spec: &BoostedSpec,
        seed: Seed,
        sum: &mut dyn FnMut(Vec<Vec<i64>>) -> Result<Vec<i64>, ModelError>,
    ) -> Result<(Self, Sent), ModelError> {
        spec.check()?;
        if !matches!(spec.binning, Binning::UniformWidth { .. }) || spec.row_share.get() < 1.0 {
            return Err(ModelError::Spec(
                "trees over several platforms need `binning.uniform-width` and `row-share = 1`: quantiles and shares of all rows would \
                 need the rows",
            ));
        }
        let parts: Vec<&Rows<'_>> = parts.iter().filter(|rows| !rows.is_empty()).collect();
        parts.iter().try_for_each(|rows| check(rows))?;
        let columns = parts.first().map_or(0, |rows| rows.columns);
        let binner = agreed(&parts, columns, spec.binning)?;
        let largest = parts.iter().flat_map(|rows| rows.weights).copied().fold(0.0, f32::max);
        let base = logit_of(parts.iter().flat_map(|rows| rows.labels.iter().zip(rows.weights)));
        let scale = Scale::for_weights_up_to(largest)?;
        let mut parts = parts
            .into_iter()
            .map(|rows| {
                let logits = vec![base; rows.len()];
                let gradients = Gradients::at(&logits, rows, scale);
                Ok(Part {
                    rows,
                    binned: binner.encode(rows.values)?,
                    logits,
                    gradients,
                    leaf: vec![0; rows.len()],
                })
            })
            .collect::<Result<Vec<_>, ModelError>>()?;
        let mut server = Server {
            binner: &binner,
            spec,
            scale,
            rule: Rule::new(spec, scale),
            looked_at: vec![],
            sum,
            sent: Sent::default(),
        };
        let width = u16::try_from(columns).map_err(|_| ModelError::Spec("at most 65,535 columns"))?;
        let mut forest = Forest { columns: width, base, sizes: Vec::new(), nodes: Vec::new() };
        for round in 0..u64::from(spec.rounds) {
            let mut looked_at = vec![true; columns];
            draw_columns(&mut looked_at, spec.column_share.get(), seed.derive("round", round));
            server.looked_at = (0..width).filter(|&column| looked_at[usize::from(column)]).collect();
            let nodes = server.grow(&mut parts)?;
            for part in &mut parts {
                for (logit, leaf) in part.logits.iter_mut().zip(&part.leaf) {
                    *logit += f64::from(nodes[*leaf as usize].number);
                }
                part.gradients.update(&part.logits, part.rows);
            }
            forest.sizes.push(u32::try_from(nodes.len()).expect("a tree has at most 2047 nodes"));
            forest.nodes.extend(nodes);
        }
        Ok((Self(forest), server.sent))
    }
}

/// Edges of equal width between the smallest and the largest value that any platform has.
fn agreed(parts: &[&Rows<'_>], columns: usize, binning: Binning) -> Result<Binner, ModelError> {
    let mut ends = vec![f32::NAN; 2 * columns];
    let (low, high) = ends.split_at_mut(columns);
    for rows in parts {
        for (row, values) in rows.values.chunks_exact(columns.max(1)).enumerate() {
            if rows.weights[row] > 0.0 {
                // A number that is missing loses every comparison.
                low.iter_mut().zip(values).for_each(|(low, value)| *low = low.min(*value));
                high.iter_mut().zip(values).for_each(|(high, value)| *high = high.max(*value));
            }
        }
    }
    Binner::fit(&Rows { columns, values: &ends, labels: &[], weights: &[1.0; 2] }, binning)
}

/// The side that adds and splits.
struct Server<'a> {
    binner: &'a Binner,
    spec: &'a BoostedSpec,
    scale: Scale,
    rule: Rule,
    looked_at: Vec<u16>,
    sum: &'a mut dyn FnMut(Vec<Vec<i64>>) -> Result<Vec<i64>, ModelError>,
    sent: Sent,
}

impl Server<'_> {
    /// The summed histogram of the rows in leaf `node`.
    fn histogram(&mut self, parts: &[Part<'_>], node: u32) -> Result<Histogram, ModelError> {
        let of = |part: &Part<'_>| {
            let mut own = Histogram::zeros(self.binner);
            let weighs =
                |row: &u32| part.leaf[*row as usize] == node && part.rows.weights[*row as usize] > 0.0;
            let count = u32::try_from(part.leaf.len()).expect("checked by the binner");
            let rows: Vec<u32> = (0..count).filter(weighs).collect();
            own.accumulate(self.binner, &part.binned, &part.gradients, &rows);
            own.words().to_vec()
        };
        let words: Vec<Vec<i64>> = parts.iter().map(of).collect();
        self.sent.sums += 1;
        self.sent.words += words.first().map_or(0, |words| words.len() as u64);
        Histogram::from_words(self.binner, (self.sum)(words)?)
    }

    fn best(&self, histogram: &Histogram) -> Option<Split> {
        best_split(histogram, self.binner, self.scale, self.spec, &self.looked_at)
    }

    /// One tree, its best leaf first; leaves each row's `leaf` at the node that it ends in.
    fn grow(&mut self, parts: &mut [Part<'_>]) -> Result<Vec<Node>, ModelError> {
        parts.iter_mut().for_each(|part| part.leaf.fill(0));
        let root = self.histogram(parts, 0)?;
        // Where no row anywhere misses a column, later rows that do follow the larger side, as in the pooled learner.
        let ever_missing: Vec<bool> = (0..self.binner.columns())
            .map(|column| root.column(self.binner, column).last().is_some_and(|count| *count > 0))
            .collect();
        let total = Totals::sum(root.column(self.binner, 0));
        let mut nodes = vec![Node::leaf(self.rule.leaf(total))];
        let (mut open, mut leaves) = (Vec::new(), 1);
        if self.rule.divisible(total)
            && let Some(split) = self.best(&root)
        {
            open.push(Open { node: 0, depth: 0, total, histogram: root, split });
        }
        while leaves < usize::from(self.spec.max_leaves) && !open.is_empty() {
            let at = first(&open);
            let parent: Open = open.swap_remove(at);
            leaves += 1;
            let last = leaves >= usize::from(self.spec.max_leaves);
            let left = u32::try_from(nodes.len()).expect("a tree has at most 2047 nodes");
            let Open { node, depth, total, histogram, split } = parent;
            let column = usize::from(split.column);
            let missing_left =
                if ever_missing[column] { split.missing_left } else { 2 * split.left.count > total.count };
            let number = self.binner.upper(column, split.bin);
            nodes[node as usize] = Node { number, left, column: split.column, missing_left };
            let totals = [split.left, total - split.left];
            nodes.extend(totals.map(|total| Node::leaf(self.rule.leaf(total))));
            for part in &mut *parts {
                part.divide(node, column, number, missing_left, left);
            }
            let wanted =
                totals.map(|total| !last && depth + 1 < self.spec.max_depth && self.rule.divisible(total));
            if wanted == [false, false] {
                continue;
            }
            let small = usize::from(totals[1].count < totals[0].count);
            let child = self.histogram(parts, left + u32::from(small == 1))?;
            let mut sibling = histogram;
            sibling.subtract(&child);
            let mut both = [child, sibling];
            both.rotate_left(small);
            for (side, histogram) in both.into_iter().enumerate() {
                if wanted[side]
                    && let Some(split) = self.best(&histogram)
                {
                    let node = left + u32::from(side == 1);
                    open.push(Open { node, depth: depth + 1, total: totals[side], histogram, split });
                }
            }
        }
        Ok(nodes)
    }
}

impl Part<'_> {
    /// Moves the rows of `node` to its children.
    fn divide(&mut self, node: u32, column: usize, number: f32, missing_left: bool, left: u32) {
        for (leaf, row) in self.leaf.iter_mut().zip(self.rows.values.chunks_exact(self.rows.columns)) {
            if *leaf == node {
                let value = row[column];
                let goes_left = if value.is_nan() { missing_left } else { value <= number };
                *leaf = left + u32::from(!goes_left);
            }
        }
    }
}

/// The place of the largest gain; of equal ones the oldest node.
fn first(open: &[Open]) -> usize {
    let better = |a: &Open, b: &Open| a.split.gain.total_cmp(&b.split.gain).then(b.node.cmp(&a.node));
    (0..open.len()).max_by(|&a, &b| better(&open[a], &open[b])).expect("an open leaf")
}
