//! Clustering: how often two contacts of an account are contacts of each other.
//!
//! The local coefficient of an account with `k >= 2` neighbours and `t` triangles is `2 t / (k (k - 1))` (Watts and
//! Strogatz 1998); `C(k)` is its mean over accounts of about that degree, as Ugander et al. (2011) and Leskovec and
//! Horvitz (2008) report it; transitivity is `3 triangles / wedges` (Newman, Strogatz and Watts 2001). Triangles are
//! exact, counted from the end of lower degree (Latapy 2008), in `O(edges^1.5)`.

use super::StaticGraph;
use rayon::prelude::*;
use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where `C(k)` is read off.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ClusteringSpec {
    /// Bins of degree in a factor of ten.
    pub bins_per_decade: u32,
    /// Degrees (from, up to and including) that count as "about 100".
    pub about_100: (u64, u64),
    /// Degrees over which the slope is fitted: bins whose middle lies inside.
    pub slope: (f64, f64),
    /// Accounts that a bin needs to take part in the slope.
    pub least_accounts: usize,
}

/// One bin of `C(k)`.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ClusteringBin {
    /// Geometric mean of the degrees in the bin.
    pub degree: f64,
    /// Accounts in the bin.
    pub accounts: usize,
    /// Mean local coefficient.
    pub clustering: f64,
}

/// Clustering of a graph.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Clustering {
    /// Triangles in all.
    pub triangles: u64,
    /// `3 triangles / wedges`.
    pub transitivity: Option<f64>,
    /// Mean local coefficient over accounts with at least two neighbours.
    pub mean_local: Option<f64>,
    /// `C(k)` by log-spaced degree, ascending, without empty bins.
    pub by_degree: Vec<ClusteringBin>,
    /// Mean local coefficient at degrees of about 100.
    pub about_100: Option<f64>,
    /// Accounts that this mean rests on.
    pub about_100_accounts: usize,
    /// Least-squares slope of `ln C(k)` on `ln k`, bins weighted alike; `None` with fewer than three usable bins.
    pub slope: Option<f64>,
    /// Bins that the slope rests on.
    pub slope_bins: usize,
}

impl Clustering {
    /// Counts triangles and summarises them.
    #[must_use]
    pub fn of(graph: &StaticGraph, spec: &ClusteringSpec) -> Self {
        let triangles = triangles(graph);
        let mut local: Vec<(u64, f64)> = Vec::new();
        let (mut closed, mut wedges) = (0_u64, 0_u64);
        for account in graph.accounts() {
            let k = graph.degree(account) as u64;
            let pairs = k * (k - 1) / 2;
            closed += triangles[account as usize];
            wedges += pairs;
            if pairs > 0 {
                local.push((k, triangles[account as usize] as f64 / pairs as f64));
            }
        }
        local.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let near = mean(
            local.iter().filter(|(k, _)| (spec.about_100.0..=spec.about_100.1).contains(k)).map(|p| p.1),
        );
        let by_degree = bins(&local, spec.bins_per_decade);
        let usable: Vec<(f64, f64)> = by_degree
            .iter()
            .filter(|bin| bin.accounts >= spec.least_accounts && bin.clustering > 0.0)
            .filter(|bin| (spec.slope.0..=spec.slope.1).contains(&bin.degree))
            .map(|bin| (libm::log(bin.degree), libm::log(bin.clustering)))
            .collect();
        Self {
            triangles: closed / 3,
            transitivity: (wedges > 0).then(|| closed as f64 / wedges as f64),
            mean_local: mean(local.iter().map(|p| p.1)).map(|(value, _)| value),
            about_100: near.map(|(value, _)| value),
            about_100_accounts: near.map_or(0, |(_, n)| n),
            slope: slope(&usable),
            slope_bins: usable.len(),
            by_degree,
        }
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<(f64, usize)> {
    let (sum, n) = values.fold((0.0, 0_usize), |(sum, n), value| (sum + value, n + 1));
    (n > 0).then(|| (sum / n as f64, n))
}

/// Triangles at each account.
fn triangles(graph: &StaticGraph) -> Vec<u64> {
    let rank = |v: u32| (graph.degree(v), v);
    let accounts: Vec<u32> = graph.accounts().collect();
    // Each edge is kept at its end of lower rank: no list is longer than the square root of twice the edges.
    let up: Vec<Vec<u32>> = (0..graph.bound() as u32)
        .into_par_iter()
        .map(|v| graph.neighbours(v).iter().copied().filter(|&w| rank(w) > rank(v)).collect())
        .collect();
    // Sums of integers: the order of threads leaves no trace.
    let counts: Vec<AtomicU64> = (0..graph.bound()).map(|_| AtomicU64::new(0)).collect();
    accounts.par_iter().for_each(|&v| {
        let mut own = 0;
        for &w in &up[v as usize] {
            let mut shared = 0;
            each_common(&up[v as usize], &up[w as usize], |x| {
                shared += 1;
                counts[x as usize].fetch_add(1, Ordering::Relaxed);
            });
            own += shared;
            counts[w as usize].fetch_add(shared, Ordering::Relaxed);
        }
        counts[v as usize].fetch_add(own, Ordering::Relaxed);
    });
    counts.into_iter().map(AtomicU64::into_inner).collect()
}

/// Calls `found` for every element of two ascending lists that both hold.
fn each_common(a: &[u32], b: &[u32], mut found: impl FnMut(u32)) {
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                found(a[i]);
                i += 1;
                j += 1;
            }
        }
    }
}

/// Log-spaced bins of (degree, local coefficient), sorted by degree.
fn bins(local: &[(u64, f64)], per_decade: u32) -> Vec<ClusteringBin> {
    let bin = |k: u64| libm::floor(libm::log10(k as f64) * f64::from(per_decade) + 1e-9) as i64;
    local
        .chunk_by(|a, b| bin(a.0) == bin(b.0))
        .map(|chunk| {
            let n = chunk.len() as f64;
            ClusteringBin {
                degree: libm::exp(chunk.iter().map(|p| libm::log(p.0 as f64)).sum::<f64>() / n),
                accounts: chunk.len(),
                clustering: chunk.iter().map(|p| p.1).sum::<f64>() / n,
            }
        })
        .collect()
}

/// Least squares of `y` on `x`; `None` with fewer than three points or no spread.
pub(crate) fn slope(points: &[(f64, f64)]) -> Option<f64> {
    if points.len() < 3 {
        return None;
    }
    let n = points.len() as f64;
    let (mx, my) = (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
    let xx: f64 = points.iter().map(|p| (p.0 - mx) * (p.0 - mx)).sum();
    let xy: f64 = points.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum();
    (xx > 0.0).then(|| xy / xx)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: ClusteringSpec =
        ClusteringSpec { bins_per_decade: 5, about_100: (80, 125), slope: (2.0, 1000.0), least_accounts: 1 };

    #[test]
    fn a_triangle_with_a_tail_worked_by_hand() {
        let graph = StaticGraph::from_edges(4, [(0, 1), (0, 2), (1, 2), (2, 3)]);
        let got = Clustering::of(&graph, &SPEC);
        // Local: 1, 1, 1/3; wedges 1 + 1 + 3.
        assert_eq!(got.triangles, 1);
        assert!((got.transitivity.unwrap() - 0.6).abs() < 1e-12);
        assert!((got.mean_local.unwrap() - 7.0 / 9.0).abs() < 1e-12);
        let bins: Vec<(usize, f64)> = got.by_degree.iter().map(|b| (b.accounts, b.clustering)).collect();
        assert_eq!(bins.len(), 2);
        assert!(bins[0].0 == 2 && (bins[0].1 - 1.0).abs() < 1e-12 && (bins[1].1 - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!((got.slope, got.slope_bins), (None, 2));
    }

    // Three "windmills": a hub in w triangles has k = 2 w neighbours and C = 1 / (k - 1).
    #[test]
    fn the_slope_of_windmills_is_that_of_one_over_k_minus_one() {
        let (mut edges, mut next) = (Vec::new(), 0);
        for blades in [4_u32, 20, 100] {
            let hub = next;
            for blade in 0..blades {
                let (a, b) = (hub + 1 + 2 * blade, hub + 2 + 2 * blade);
                edges.extend([(hub, a), (hub, b), (a, b)]);
            }
            next += 2 * blades + 1;
        }
        let graph = StaticGraph::from_edges(next as usize, edges);
        let spec = ClusteringSpec { slope: (5.0, 1000.0), ..SPEC };
        let got = Clustering::of(&graph, &spec);
        let points: Vec<(f64, f64)> =
            [8.0_f64, 40.0, 200.0].iter().map(|k| (k.ln(), -(k - 1.0).ln())).collect();
        assert!((got.slope.unwrap() - slope(&points).unwrap()).abs() < 1e-9, "{got:?}");
    }
}
