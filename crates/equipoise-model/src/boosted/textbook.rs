//! The slow, obvious grower: every leaf summed afresh from its rows and searched by [`best_split`]. Tests hold the fast one
//! equal to it, node by node.

use super::bins::{Binned, Binner};
use super::gradient::Gradients;
use super::histogram::{Histogram, Totals};
use super::spec::BoostedSpec;
use super::split::{Rule, Split, best_split};
use super::tree::Node;

struct Leaf {
    node: usize,
    depth: u16,
    rows: Vec<u32>,
    total: Totals,
    split: Option<Split>,
}

pub(super) fn grow(
    binner: &Binner,
    binned: &Binned,
    gradients: &Gradients,
    spec: &BoostedSpec,
    rows: Vec<u32>,
    columns: &[u16],
) -> Vec<Node> {
    let rule = Rule::new(spec, gradients.scale);
    let leaf = |node, depth, rows: Vec<u32>| {
        let mut histogram = Histogram::zeros(binner);
        histogram.accumulate(binner, binned, gradients, &rows);
        let total = Totals::sum(histogram.column(binner, 0));
        let may = depth < spec.max_depth && rule.divisible(total);
        let split = may.then(|| best_split(&histogram, binner, gradients.scale, spec, columns)).flatten();
        Leaf { node, depth, rows, total, split }
    };
    let mut nodes = vec![Node::leaf(0.0)];
    let mut leaves = vec![leaf(0, 0, rows)];
    while leaves.len() < usize::from(spec.max_leaves) {
        let gain = |at: usize| leaves[at].split.map_or(f64::NEG_INFINITY, |split| split.gain);
        let node = |at: usize| leaves[at].node;
        let best = (0..leaves.len())
            .max_by(|&a, &b| gain(a).total_cmp(&gain(b)).then(node(b).cmp(&node(a))))
            .unwrap();
        let Some(split) = leaves[best].split else { break };
        let parent = leaves.swap_remove(best);
        let column = usize::from(split.column);
        let bin = |row: u32| binned.block(column / 8)[row as usize][column % 8];
        let missing = binner.missing(column);
        let (left, right): (Vec<u32>, Vec<u32>) = parent
            .rows
            .iter()
            .partition(|&&row| if bin(row) == missing { split.missing_left } else { bin(row) <= split.bin });
        let first = nodes.len();
        nodes[parent.node] = Node {
            number: binner.upper(column, split.bin),
            left: u32::try_from(first).unwrap(),
            column: split.column,
            missing_left: if binned.any_missing(column) {
                split.missing_left
            } else {
                left.len() > right.len()
            },
        };
        nodes.extend([Node::leaf(0.0); 2]);
        leaves.push(leaf(first, parent.depth + 1, left));
        leaves.push(leaf(first + 1, parent.depth + 1, right));
    }
    leaves.iter().for_each(|leaf| nodes[leaf.node] = Node::leaf(rule.leaf(leaf.total)));
    nodes
}

mod tests {
    use crate::Rows;
    use crate::boosted::grow::Grower;
    use crate::boosted::{Binner, Binning, BoostedSpec, Gradients, Scale};
    use equipoise_core::{Draw, Seed};

    /// 19 columns (two blocks and a part): normals, a tenth of them missing, some rounded to a few values, one constant.
    #[allow(clippy::cast_possible_truncation)] // Features are f32.
    fn table(rows: usize) -> Vec<f32> {
        let mut rng = Seed::root(8).rng();
        (0..rows * 19)
            .map(|at| match (rng.normal(), at % 19) {
                (_, 18) => 1.0,
                (_, column) if column % 3 == 0 && rng.chance(0.1) => f32::NAN,
                (x, column) if column % 2 == 0 => libm::round(2.0 * x) as f32,
                (x, _) => x as f32,
            })
            .collect()
    }

    #[test]
    fn the_fast_grower_grows_the_obvious_tree() {
        let n = 3000;
        let values = table(n);
        let noise = |row: usize| Seed::root(9).derive("noise", row as u64).rng().uniform();
        let labels: Vec<f32> = (0..n)
            .map(|row| {
                let (a, b) = (values[row * 19 + 1], values[row * 19 + 3]);
                f32::from(u8::from(noise(row) < if a * b > 0.0 || b.is_nan() { 0.8 } else { 0.3 }))
            })
            .collect();
        let weights: Vec<f32> = (0..n).map(|row| if row % 5 == 0 { 2.5 } else { 1.0 }).collect();
        let rows = Rows { columns: 19, values: &values, labels: &labels, weights: &weights };
        let gradients = Gradients::at(&vec![0.1; n], &rows, Scale::for_weights_up_to(2.5).unwrap());
        for (max_leaves, max_depth, bins, columns) in
            [(31, 99, 255, 19), (64, 4, 16, 19), (2, 99, 255, 19), (20, 1, 32, 19), (31, 99, 255, 9)]
        {
            let binning = Binning::Quantile { bins };
            let spec = BoostedSpec { max_leaves, max_depth, binning, ..BoostedSpec::examples().remove(0) };
            let binner = Binner::fit(&rows, binning).unwrap();
            let binned = binner.encode(&values).unwrap();
            let mut grower = Grower::new(&binner, &binned, &gradients, &spec);
            grower.looked_at.iter_mut().skip(columns).for_each(|looked_at| *looked_at = false);
            let order: Vec<u32> = (0..3000).filter(|row| row % 7 != 0).collect();
            let columns: Vec<u16> = (0..u16::try_from(columns).unwrap()).collect();
            let obvious = super::grow(&binner, &binned, &gradients, &spec, order.clone(), &columns);
            // Twice, so that the second tree meets the histograms that the first has left.
            for _ in 0..2 {
                grower.order.clone_from(&order);
                let grown = grower.grow(&gradients);
                assert_eq!(grown.nodes, obvious, "{max_leaves} leaves, depth {max_depth}");
                let mut sorted = grower.order.clone();
                sorted.sort_unstable();
                assert_eq!(sorted, order);
                assert_eq!(grown.leaves.iter().map(|(_, rows)| rows.len()).sum::<usize>(), order.len());
            }
        }
    }
}
