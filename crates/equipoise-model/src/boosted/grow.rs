//! One tree, leaf by leaf: the leaf with the largest gain is split first (LightGBM, Ke et al., NeurIPS 2017).
//!
//! Each split walks the rows of its smaller child once; the larger child's sums are the parent's less the smaller's, and
//! both are searched while the block of columns is in the cache. [`best_split`](super::best_split) over
//! [`Histogram::accumulate`] is the obvious version of the same; a test holds the two equal.

use super::bins::{Binned, Binner, LANES};
use super::gradient::Gradients;
use super::histogram::{Histogram, Totals, WORDS, sum_block};
use super::spec::BoostedSpec;
use super::split::{Rule, Split};
use super::tree::Node;
use rayon::prelude::*;
use std::ops::Range;

/// Bin visits below which a pass runs on one thread: handing out work costs about as much.
const PARALLEL_WORK: usize = 30_000;

/// A leaf that may still be split.
struct Open {
    node: u32,
    depth: u16,
    rows: Range<usize>,
    total: Totals,
    histogram: Histogram,
    split: Split,
}

/// What a tree leaves behind: its nodes, and for each leaf its value and the range of `order` that fell into it.
pub(super) struct Grown {
    pub(super) nodes: Vec<Node>,
    pub(super) leaves: Vec<(f32, Range<usize>)>,
}

/// Grows trees over one binned table; its buffers live as long as the training.
pub(super) struct Grower<'a> {
    binner: &'a Binner,
    binned: &'a Binned,
    rule: Rule,
    max_leaves: usize,
    max_depth: u16,
    /// Rows of the round, those of a leaf side by side and in ascending order.
    pub(super) order: Vec<u32>,
    moved: Vec<u32>,
    spare: Vec<Histogram>,
    /// Whether the round looks at a column.
    pub(super) looked_at: Vec<bool>,
}

/// One block of columns of two siblings: `small` is to be summed, `large` holds the parent and becomes the other child.
struct Task<'h> {
    block: usize,
    small: &'h mut [i64],
    large: Option<&'h mut [i64]>,
}

impl<'a> Grower<'a> {
    pub(super) fn new(
        binner: &'a Binner,
        binned: &'a Binned,
        gradients: &Gradients,
        spec: &BoostedSpec,
    ) -> Self {
        Self {
            binner,
            binned,
            rule: Rule::new(spec, gradients.scale),
            max_leaves: usize::from(spec.max_leaves),
            max_depth: spec.max_depth,
            order: Vec::new(),
            moved: vec![0; binned.len()],
            spare: Vec::new(),
            looked_at: vec![true; binner.columns()],
        }
    }

    /// Grows a tree over the rows of `order`.
    pub(super) fn grow(&mut self, gradients: &Gradients) -> Grown {
        let mut total = Totals::default();
        for &row in &self.order {
            let [gradient, hessian] = gradients.pairs[row as usize].map(i64::from);
            total += Totals { gradient, hessian, count: 1 };
        }
        let mut grown = Grown { nodes: vec![Node::leaf(0.0)], leaves: Vec::new() };
        let mut open = Vec::new();
        let root = 0..self.order.len();
        let searched = self.rule.divisible(total).then(|| {
            let mut histogram = self.histogram();
            let [split, _] = self.search(gradients, root.clone(), (&mut histogram, Some(total)), None);
            (histogram, split)
        });
        self.settle(&mut grown, &mut open, (0, 0), root, total, searched);
        while !open.is_empty() {
            let parent = open.swap_remove(best(&open));
            let last = grown.leaves.len() + open.len() + 2 >= self.max_leaves;
            self.divide(&mut grown, &mut open, parent, gradients, last);
            if last {
                for leaf in open.drain(..) {
                    self.close(&mut grown, leaf.node, leaf.rows, leaf.total);
                    self.spare.push(leaf.histogram);
                }
            }
        }
        grown
    }

    /// Splits `parent` into two leaves; after the `last` split nothing is searched.
    fn divide(
        &mut self,
        grown: &mut Grown,
        open: &mut Vec<Open>,
        parent: Open,
        gradients: &Gradients,
        last: bool,
    ) {
        let Open { node, depth, rows, total, histogram, split } = parent;
        let left = u32::try_from(grown.nodes.len()).expect("a tree has at most 2047 nodes");
        let column = usize::from(split.column);
        let number = self.binner.upper(column, split.bin);
        // Where no row ever misses the column, later ones that do follow the larger side.
        let missing_left = if self.binned.any_missing(column) {
            split.missing_left
        } else {
            2 * split.left.count > total.count
        };
        grown.nodes[node as usize] = Node { number, left, column: split.column, missing_left };
        grown.nodes.extend([Node::leaf(0.0); 2]);
        let middle = self.partition(rows.clone(), column, split);
        let ranges = [rows.start..middle, middle..rows.end];
        let totals = [split.left, total - split.left];
        let wanted = totals.map(|total| !last && depth + 1 < self.max_depth && self.rule.divisible(total));
        let mut searched = [None, None];
        if wanted == [false, false] {
            self.spare.push(histogram);
        } else {
            let small = usize::from(ranges[1].len() < ranges[0].len());
            let (mut child, mut sibling) = (self.histogram(), histogram);
            let goal = |at: usize| wanted[at].then_some(totals[at]);
            let [a, b] = self.search(
                gradients,
                ranges[small].clone(),
                (&mut child, goal(small)),
                Some((&mut sibling, goal(1 - small))),
            );
            searched[small] = Some((child, a));
            searched[1 - small] = Some((sibling, b));
        }
        for (side, (range, searched)) in ranges.into_iter().zip(searched).enumerate() {
            let node = left + u32::from(side == 1);
            self.settle(grown, open, (node, depth + 1), range, totals[side], searched);
        }
    }

    /// Puts a leaf among the open ones, or closes it where no split was found.
    fn settle(
        &mut self,
        grown: &mut Grown,
        open: &mut Vec<Open>,
        (node, depth): (u32, u16),
        rows: Range<usize>,
        total: Totals,
        searched: Option<(Histogram, Option<Split>)>,
    ) {
        match searched {
            Some((histogram, Some(split))) => {
                open.push(Open { node, depth, rows, total, histogram, split });
                return;
            }
            Some((histogram, None)) => self.spare.push(histogram),
            None => (),
        }
        self.close(grown, node, rows, total);
    }

    fn close(&self, grown: &mut Grown, node: u32, rows: Range<usize>, total: Totals) {
        let value = self.rule.leaf(total);
        grown.nodes[node as usize] = Node::leaf(value);
        grown.leaves.push((value, rows));
    }

    fn histogram(&mut self) -> Histogram {
        self.spare.pop().unwrap_or_else(|| Histogram::zeros(self.binner))
    }

    /// Sums `rows` into `small`, takes them away from `large`, and searches each whose totals are given.
    fn search(
        &self,
        gradients: &Gradients,
        rows: Range<usize>,
        (small, small_total): (&mut Histogram, Option<Totals>),
        large: Option<(&mut Histogram, Option<Totals>)>,
    ) -> [Option<Split>; 2] {
        let work = rows.len() * self.binner.columns() + 4 * self.binner.slot(self.binner.columns());
        let rows = &self.order[rows];
        let (large, large_total) =
            large.map_or((None, None), |(large, total)| (Some(large.blocks_mut(self.binner)), total));
        let mut larges = large.into_iter().flatten();
        let tasks: Vec<Task<'_>> = small
            .blocks_mut(self.binner)
            .into_iter()
            .enumerate()
            .map(|(block, small)| Task { block, small, large: larges.next() })
            .filter(|task| self.binner.block(task.block).any(|column| self.looked_at[column]))
            .collect();
        let pass = |task| self.pass(gradients, rows, task, [small_total, large_total]);
        let found: Vec<[Option<Split>; 2]> = if work < PARALLEL_WORK {
            tasks.into_iter().map(pass).collect()
        } else {
            tasks.into_par_iter().map(pass).collect()
        };
        // Blocks come in the order of columns, so that the lowest column wins ties on any number of threads.
        found.into_iter().fold([None, None], |[a, b], [c, d]| [larger(a, c), larger(b, d)])
    }

    /// The work of [`Grower::search`] on one block of columns.
    fn pass(
        &self,
        gradients: &Gradients,
        rows: &[u32],
        task: Task<'_>,
        totals: [Option<Totals>; 2],
    ) -> [Option<Split>; 2] {
        let Task { block, small, mut large } = task;
        let cells: &[[u8; LANES]] = self.binned.block(block);
        let mut at = 0;
        sum_block(self.binner, block, cells, &gradients.pairs, rows, |slot| {
            small[at..at + WORDS].copy_from_slice(&slot);
            if let Some(large) = &mut large {
                large[at..at + WORDS].iter_mut().zip(slot).for_each(|(word, child)| *word -= child);
            }
            at += WORDS;
        });
        [(Some(small), totals[0]), (large, totals[1])].map(|(words, total)| {
            let (words, total) = (words?, total?);
            let columns = self.binner.block(block);
            let first = self.binner.slot(columns.start);
            columns.filter(|&column| self.looked_at[column]).fold(None, |best, column| {
                let (from, to) = (self.binner.slot(column) - first, self.binner.slot(column + 1) - first);
                let name = u16::try_from(column).expect("a binner has at most 65,535 columns");
                self.rule.better(best, name, &words[from * WORDS..to * WORDS], total)
            })
        })
    }

    /// Puts the rows that go left before those that go right, each in ascending order, and gives the border.
    fn partition(&mut self, rows: Range<usize>, column: usize, split: Split) -> usize {
        let (cells, lane) = (self.binned.block(column / LANES), column % LANES);
        let missing = self.binner.missing(column);
        let order = &mut self.order[rows.clone()];
        let (mut lefts, mut rights) = (0, 0);
        for at in 0..order.len() {
            let row = order[at];
            let bin = cells[row as usize][lane];
            let left = if bin == missing { split.missing_left } else { bin <= split.bin };
            order[lefts] = row;
            self.moved[rights] = row;
            lefts += usize::from(left);
            rights += usize::from(!left);
        }
        order[lefts..].copy_from_slice(&self.moved[..rights]);
        rows.start + lefts
    }
}

/// The place of the largest gain; of equal ones the oldest node.
fn best(open: &[Open]) -> usize {
    let better = |a: &Open, b: &Open| a.split.gain.total_cmp(&b.split.gain).then(b.node.cmp(&a.node));
    (0..open.len()).max_by(|&a, &b| better(&open[a], &open[b])).expect("an open leaf")
}

fn larger(first: Option<Split>, second: Option<Split>) -> Option<Split> {
    match (first, second) {
        (Some(a), Some(b)) => Some(if b.gain > a.gain { b } else { a }),
        (a, b) => a.or(b),
    }
}
