//! V3 to V5: degree, clustering and mixing of the contact graph of a social network at the start of the window.
//! The anchors are Facebook 2011 (Ugander et al.; Backstrom et al.), MSN 2006 (Leskovec and Horvitz) and LDBC's datagen;
//! a platform here holds a thinned copy of the ties of a far smaller population, so the bands are wide and say so.

use super::check::check;
use super::evidence::{Evidence, SeedRun};
use super::facts::WorldFacts;
use super::finding::{Finding, Header, Target};
use super::stats::quantile;
use crate::contact_log::{
    Clustering, ClusteringBin, ProfileSpec, StaticGraph, TailReport, categorical_assortativity,
    degree_assortativity, numeric_assortativity,
};
use equipoise_core::Archetype;

check!(
    /// V3.
    Degree, "V3", Gated, "degrees of the social network",
    "Facebook 2011 (median 99, p99 about 1,000, not a power law), LDBC mean n^(0.512 - 0.028 log10 n); band assumed",
    degree
);

check!(
    /// V4.
    Clusters, "V4", Gated, "clustering of the social network",
    "Facebook 2011 (.14 at 100 contacts), MSN 2006 (slope -.4); bands assumed", clusters
);

check!(
    /// V5.
    Mixing, "V5", Gated, "likeness of contacts in the social network",
    "signs after Facebook 2011; numbers assumed", mixing
);

/// Accounts of about 100 contacts below which their mean says nothing.
const LEAST: usize = 20;

/// Clustering at the scales at which real logs are measured.
fn clustering(graph: &StaticGraph) -> Clustering {
    Clustering::of(graph, &ProfileSpec::standard(0).clustering)
}

/// The first social network of a world and its graph.
fn social(facts: &WorldFacts) -> Option<(usize, StaticGraph)> {
    let at = facts.views.iter().position(|view| view.archetype == Archetype::SocialNetwork)?;
    let bound = facts.accounts[at].len();
    Some((at, StaticGraph::from_edges(bound, facts.ties[at].iter().copied())))
}

/// A statistic of the social network, one value a seed; not a number where the graph cannot give one.
fn each(evidence: &Evidence, of: impl Fn(&SeedRun, usize, &StaticGraph) -> Option<f64>) -> Vec<f64> {
    evidence
        .runs
        .iter()
        .map(|run| social(&run.facts).and_then(|(at, graph)| of(run, at, &graph)).unwrap_or(f64::NAN))
        .collect()
}

fn edges(evidence: &Evidence) -> u64 {
    evidence.runs.iter().filter_map(|run| social(&run.facts)).map(|(_, graph)| graph.edges() as u64).sum()
}

#[allow(clippy::cast_precision_loss)]
fn floats(degrees: &[u64]) -> Vec<f64> {
    degrees.iter().map(|k| *k as f64).collect()
}

#[allow(clippy::cast_precision_loss)]
fn degree(header: &Header, evidence: &Evidence) -> Vec<Finding> {
    let spread = each(evidence, |_, _, graph| {
        let degrees = floats(&graph.degrees());
        Some(quantile(&degrees, 0.99) / quantile(&degrees, 0.5))
    });
    let size = each(evidence, |run, at, graph| {
        let n = run.facts.accounts[at].len() as f64;
        let want = libm::pow(n, 0.512 - 0.028 * libm::log10(n));
        Some(2.0 * graph.edges() as f64 / n / want)
    });
    let shape = each(evidence, |_, _, graph| {
        let tail = TailReport::of(&graph.degrees())?;
        // Both in units of a standard normal: Vuong's ratio, and the root of the nested one.
        let cutoff = libm::sqrt(-2.0 * tail.power_law_or_cutoff.log_ratio);
        Some(cutoff.max(tail.log_normal_over_power_law().unwrap_or(0.0)))
    });
    let n = edges(evidence);
    vec![
        header.judge("99th percentile of the degree over its median", &spread, n, Target::Band(4.0, 12.0)),
        header.judge("mean degree over the LDBC mean for as many accounts", &size, n, Target::Band(0.85, 1.15)),
        header
            .judge("evidence against a pure power law of the tail, standard normal units", &shape, n, Target::AtLeast(2.0))
            .noting("the larger of Vuong's ratio for a log-normal and the nested ratio for an exponential cut-off"),
    ]
}

fn clusters(header: &Header, evidence: &Evidence) -> Vec<Finding> {
    let near = each(evidence, |_, _, graph| {
        let found = clustering(graph);
        found.about_100.filter(|_| found.about_100_accounts >= LEAST)
    });
    let slope = each(evidence, |_, _, graph| clustering(graph).slope);
    let n = edges(evidence);
    vec![
        header.judge(
            "mean clustering of accounts with about 100 contacts",
            &near,
            n,
            Target::Band(0.10, 0.18),
        ),
        header.judge("slope of ln C(k) over ln k, 10 to 500 contacts", &slope, n, Target::Band(-0.6, -0.3)),
    ]
}

fn ages(facts: &WorldFacts, at: usize) -> Vec<f64> {
    facts.accounts[at].iter().map(|a| facts.persons[a.person as usize].age).collect()
}

fn mixing(header: &Header, evidence: &Evidence) -> Vec<Finding> {
    let age = each(evidence, |run, at, graph| numeric_assortativity(graph, &ages(&run.facts, at)));
    let degree = each(evidence, |_, _, graph| degree_assortativity(graph));
    let gender = each(evidence, |run, at, graph| {
        let girl = |account: u32| u32::from(run.facts.person(at, account).girl);
        let girls: Vec<Option<u32>> = (0_u32..).take(graph.bound()).map(|a| Some(girl(a))).collect();
        categorical_assortativity(graph, &girls)
    });
    let n = edges(evidence);
    vec![
        header.judge("correlation of ages over contacts", &age, n, Target::Band(0.5, 0.8)),
        header.judge("correlation of degrees over contacts", &degree, n, Target::Band(0.05, 0.25)),
        header.judge("assortativity by gender", &gender, n, Target::Band(-0.05, 0.05)),
    ]
}

/// What a page draws of one world's social network.
#[derive(Clone, PartialEq, Debug)]
pub struct GraphCurves {
    /// Degrees, ascending.
    pub degrees: Vec<u64>,
    /// `C(k)` by degree.
    pub clustering: Vec<ClusteringBin>,
    /// Names of the age groups of the mixing matrix.
    pub age_groups: Vec<String>,
    /// `[group][group]`: the share of a group's contacts that lies in each group; rows sum to 1.
    pub mixing: Vec<Vec<f64>>,
}

/// Upper ends of the age groups of the mixing matrix.
const AGE_ENDS: [f64; 8] = [11.0, 13.0, 16.0, 18.0, 25.0, 35.0, 50.0, 200.0];

/// The curves of one world; `None` without a social network.
#[must_use]
pub fn graph_curves(facts: &WorldFacts) -> Option<GraphCurves> {
    let (at, graph) = social(facts)?;
    let mut degrees = graph.degrees();
    degrees.sort_unstable();
    let group = |age: f64| AGE_ENDS.iter().position(|end| age < *end).unwrap_or(AGE_ENDS.len() - 1);
    let groups: Vec<usize> = ages(facts, at).into_iter().map(group).collect();
    let mut mixing = vec![vec![0.0; AGE_ENDS.len()]; AGE_ENDS.len()];
    for (a, b) in graph.pairs() {
        let (a, b) = (groups[a as usize], groups[b as usize]);
        mixing[a][b] += 1.0;
        mixing[b][a] += 1.0;
    }
    for row in &mut mixing {
        let total = row.iter().sum::<f64>().max(1.0);
        row.iter_mut().for_each(|cell| *cell /= total);
    }
    let mut age_groups = Vec::new();
    let mut from = 8.0;
    for end in AGE_ENDS {
        let last = AGE_ENDS[AGE_ENDS.len() - 1] <= end;
        age_groups.push(if last { format!("{from} up") } else { format!("{from} to {}", end - 1.0) });
        from = end;
    }
    Some(GraphCurves { degrees, clustering: clustering(&graph).by_degree, age_groups, mixing })
}
