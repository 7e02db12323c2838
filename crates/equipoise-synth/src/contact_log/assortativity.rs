//! Assortative mixing: do linked accounts resemble each other more than chance would have it?
//!
//! Numeric attributes and degree: Pearson's correlation over the two ends of each edge, each edge taken both ways
//! (Newman, "Assortative mixing in networks", PRL 89, 2002). Categories: `(tr e - ||e^2||) / (1 - ||e^2||)` with the
//! mixing matrix `e` (Newman, "Mixing patterns in networks", PRE 67, 2003). All are 0 for random mixing and 1 for
//! perfect likeness; none says why accounts resemble each other.

use super::StaticGraph;
use std::collections::BTreeMap;

/// The correlation of the degrees at the two ends of an edge; `None` if there is no edge or all degrees are equal.
#[must_use]
pub fn degree_assortativity(graph: &StaticGraph) -> Option<f64> {
    correlate(graph, |account| graph.degree(account) as f64)
}

/// The correlation of `values[account]` over edges whose two ends both have one (are not NaN), for instance ages.
///
/// # Panics
/// If there are fewer values than [`StaticGraph::bound`].
#[must_use]
pub fn numeric_assortativity(graph: &StaticGraph, values: &[f64]) -> Option<f64> {
    assert!(values.len() >= graph.bound(), "a value for every account");
    correlate(graph, |account| values[account as usize])
}

fn correlate(graph: &StaticGraph, value: impl Fn(u32) -> f64) -> Option<f64> {
    let known =
        || graph.pairs().map(|(a, b)| (value(a), value(b))).filter(|(x, y)| !(x.is_nan() || y.is_nan()));
    let (mut edges, mut sum) = (0.0, 0.0);
    for (x, y) in known() {
        edges += 1.0;
        sum += x + y;
    }
    // Two passes: the mean first, so that values far from 0 keep their digits.
    let mean = sum / (2.0 * edges);
    let (mut squares, mut products) = (0.0, 0.0);
    for (x, y) in known() {
        let (x, y) = (x - mean, y - mean);
        squares += (x * x + y * y) / 2.0;
        products += x * y;
    }
    (squares > 1e-12 * edges * mean.abs().max(1.0)).then(|| products / squares)
}

/// The modularity-like coefficient of `categories[account]` over edges whose two ends both have one; `None` without such
/// edges, or if all ends are of one category.
///
/// # Panics
/// If there are fewer values than [`StaticGraph::bound`].
#[must_use]
pub fn categorical_assortativity(graph: &StaticGraph, categories: &[Option<u32>]) -> Option<f64> {
    assert!(categories.len() >= graph.bound(), "a category or its absence for every account");
    let mut ends: BTreeMap<u32, f64> = BTreeMap::new();
    let (mut edges, mut alike) = (0.0, 0.0);
    for (a, b) in graph.pairs() {
        if let (Some(x), Some(y)) = (categories[a as usize], categories[b as usize]) {
            edges += 1.0;
            alike += f64::from(u8::from(x == y));
            *ends.entry(x).or_default() += 1.0;
            *ends.entry(y).or_default() += 1.0;
        }
    }
    if ends.len() < 2 {
        return None;
    }
    let expected: f64 = ends.values().map(|&n| (n / (2.0 * edges)) * (n / (2.0 * edges))).sum();
    Some((alike / edges - expected) / (1.0 - expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: Option<f64>, want: f64) {
        assert!((got.unwrap() - want).abs() < 1e-12, "{got:?} {want}");
    }

    #[test]
    fn degrees_of_a_path_and_a_star() {
        // Path of four: edges (1,2), (2,2), (2,1). Mean 5/3; products -2/9 + 1/9 - 2/9, squares 5/18 + 1/9 + 5/18.
        close(degree_assortativity(&StaticGraph::from_edges(4, [(0, 1), (1, 2), (2, 3)])), -0.5);
        close(degree_assortativity(&StaticGraph::from_edges(5, [(0, 1), (0, 2), (0, 3), (0, 4)])), -1.0);
        assert_eq!(degree_assortativity(&StaticGraph::from_edges(3, [(0, 1), (1, 2), (0, 2)])), None);
    }

    #[test]
    fn two_cliques_of_different_size_mix_by_degree_perfectly() {
        let edges = [(0, 1), (0, 2), (1, 2), (3, 4), (3, 5), (3, 6), (4, 5), (4, 6), (5, 6)];
        close(degree_assortativity(&StaticGraph::from_edges(7, edges)), 1.0);
    }

    #[test]
    fn ages_of_one_edge_pull_apart_and_a_missing_age_is_left_out() {
        let graph = StaticGraph::from_edges(4, [(0, 1), (2, 3)]);
        close(numeric_assortativity(&graph, &[10.0, 10.0, 30.0, 30.0]), 1.0);
        close(numeric_assortativity(&graph, &[10.0, 30.0, 30.0, 10.0]), -1.0);
        close(numeric_assortativity(&graph, &[10.0, 30.0, f64::NAN, 10.0]), -1.0);
    }

    #[test]
    fn categories_worked_by_hand() {
        // Three edges: alike, alike, mixed. Ends: a 3, b 3; expected 1/2; (2/3 - 1/2) / (1/2) = 1/3.
        let graph = StaticGraph::from_edges(6, [(0, 1), (2, 3), (4, 5)]);
        let categories = [Some(0), Some(0), Some(1), Some(1), Some(0), Some(1)];
        close(categorical_assortativity(&graph, &categories), 1.0 / 3.0);
        assert_eq!(categorical_assortativity(&graph, &[Some(0); 6]), None);
        assert_eq!(categorical_assortativity(&graph, &[None; 6]), None);
    }
}
