//! Statistics of the graphs that a world builds (checks V3 to V5), of persons and of every platform, for both families:
//! `cargo run --release -p equipoise-synth --example graph -- datasets/research.toml 10000 40000`.
//!
//! Mean degree, p50 and p99 are over everybody, ties or not. C(k near 100) is the mean local clustering of degrees 80 to
//! 125; the slope is a least-squares line through ln C against ln k over bins a quarter of an octave wide, from degree 10
//! up, of at least 30 nodes. "LDBC" is n^(0.512 - 0.028 log10 n) for the n nodes of that graph.
#![allow(clippy::print_stdout, clippy::disallowed_methods, clippy::unwrap_used, clippy::cast_precision_loss)]

use equipoise_core::{AccountId, PersonId, Seed};
use equipoise_synth::{Generator, TieKind, World, WorldSpec};
use std::time::Instant;

/// Rows of neighbours, with the person behind each node.
struct Graph<'a> {
    rows: Vec<&'a [u32]>,
    person: Vec<usize>,
}

struct Traits {
    age: Vec<f64>,
    girl: Vec<bool>,
}

fn main() {
    let mut args = std::env::args().skip(1);
    let path = args.next().unwrap_or_else(|| "datasets/research.toml".into());
    let sizes: Vec<u32> = args.map(|size| size.parse().unwrap()).collect();
    for persons in if sizes.is_empty() { vec![10_000] } else { sizes } {
        for generator in [Generator::A, Generator::B] {
            let mut spec: WorldSpec = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            (spec.persons, spec.generator) = (persons, generator);
            world(&spec);
        }
    }
}

fn world(spec: &WorldSpec) {
    let begin = Instant::now();
    let world = World::build(spec, Seed::root(1)).unwrap();
    let built = begin.elapsed().as_secs_f64();
    let begin = Instant::now();
    let ties = world.ties();
    println!(
        "\n{} persons, {:?}: built in {built:.2} s, ties of persons in {:.2} s",
        spec.persons,
        spec.generator.graph_family(),
        begin.elapsed().as_secs_f64()
    );
    println!(
        "graph          nodes   mean  LDBC  p50  p90  p99 p99/p50  C(100)    C  slope  r_deg  r_age r_girl child-adult"
    );
    let truth = world.start().finish().truth;
    let traits = Traits { age: world.ages().collect(), girl: truth.persons.iter().map(|p| p.girl).collect() };
    let persons: Vec<usize> = (0..ties.persons()).collect();
    let rows = persons.iter().map(|p| ties.of(PersonId(u32::try_from(*p).unwrap()))).collect();
    describe("persons", &Graph { rows, person: persons.clone() }, &traits);
    for view in world.views() {
        let accounts = &truth.platforms[view.id.index()].accounts;
        let ids = (0_u32..).zip(accounts).map(|(id, _)| AccountId(id));
        let rows = ids.map(|id| world.contacts(view.id, id)).collect();
        let person = accounts.iter().map(|account| account.person.index()).collect();
        describe(&view.name, &Graph { rows, person }, &traits);
    }
    let mut kinds = [0_usize; TieKind::ALL.len()];
    for person in &persons {
        for kind in ties.kinds_of(PersonId(u32::try_from(*person).unwrap())) {
            kinds[*kind as usize] += 1;
        }
    }
    let all: usize = kinds.iter().sum();
    let share = |kind: TieKind| format!("{kind:?} {:.1}%", 100.0 * kinds[kind as usize] as f64 / all as f64);
    println!("{}", TieKind::ALL.map(share).join(", "));
}

fn describe(name: &str, graph: &Graph<'_>, traits: &Traits) {
    let n = graph.rows.len() as f64;
    let mut degrees: Vec<usize> = graph.rows.iter().map(|row| row.len()).collect();
    degrees.sort_unstable();
    let at = |share: f64| degrees[((n - 1.0) * share) as usize] as f64;
    let mean = degrees.iter().sum::<usize>() as f64 / n;
    let ldbc = n.powf(0.512 - 0.028 * n.log10());
    let local = clustering(graph);
    let (near_100, all, slope) = curve(graph, &local);
    let ages = |node: usize| traits.age[graph.person[node]];
    let girl = |node: usize| f64::from(u8::from(traits.girl[graph.person[node]]));
    let degree = |node: usize| graph.rows[node].len() as f64;
    let minor = |node: usize| traits.age[graph.person[node]] < 18.0;
    let (mut mixed, mut ends) = (0.0, 0.0);
    for (node, row) in graph.rows.iter().enumerate() {
        ends += row.len() as f64;
        mixed += row.iter().filter(|peer| minor(node) != minor(**peer as usize)).count() as f64;
    }
    println!(
        "{name:13} {n:6} {mean:6.1} {ldbc:5.1} {:4} {:4} {:4} {:7.2} {near_100:7.3} {all:4.2} {slope:6.2} {:6.3} {:6.3} {:6.3} {:10.1}%",
        at(0.5),
        at(0.9),
        at(0.99),
        at(0.99) / at(0.5),
        assortativity(graph, degree),
        assortativity(graph, ages),
        assortativity(graph, girl),
        100.0 * mixed / ends
    );
}

/// Local clustering by node; `None` below degree 2. Beyond 40,000 nodes every tenth is looked at.
fn clustering(graph: &Graph<'_>) -> Vec<Option<f64>> {
    let step = if graph.rows.len() > 40_000 { 10 } else { 1 };
    let mut marked = vec![false; graph.rows.len()];
    let mut one = |node: usize, row: &[u32]| {
        if row.len() < 2 || !node.is_multiple_of(step) {
            return None;
        }
        row.iter().for_each(|peer| marked[*peer as usize] = true);
        let closed: usize = row
            .iter()
            .map(|peer| graph.rows[*peer as usize].iter().filter(|third| marked[**third as usize]).count())
            .sum();
        row.iter().for_each(|peer| marked[*peer as usize] = false);
        Some(closed as f64 / (row.len() * (row.len() - 1)) as f64)
    };
    graph.rows.iter().enumerate().map(|(node, row)| one(node, row)).collect()
}

fn curve(graph: &Graph<'_>, local: &[Option<f64>]) -> (f64, f64, f64) {
    let mut bins = vec![(0.0, 0.0, 0.0); 80];
    let (mut near, mut all) = ((0.0, 0.0), (0.0, 0.0));
    for (row, c) in graph.rows.iter().zip(local) {
        let (k, Some(c)) = (row.len() as f64, *c) else { continue };
        all = (all.0 + c, all.1 + 1.0);
        if (80.0..=125.0).contains(&k) {
            near = (near.0 + c, near.1 + 1.0);
        }
        if k >= 10.0 {
            let bin = &mut bins[(4.0 * (k / 10.0).log2()) as usize];
            *bin = (bin.0 + 1.0, bin.1 + k.ln(), bin.2 + c);
        }
    }
    let points: Vec<(f64, f64)> =
        bins.iter().filter(|b| b.0 >= 30.0).map(|b| (b.1 / b.0, (b.2 / b.0).max(1e-6).ln())).collect();
    let m = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |s, p| (s.0 + p.0 / m, s.1 + p.1 / m));
    let slope = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>()
        / points.iter().map(|p| (p.0 - x) * (p.0 - x)).sum::<f64>();
    (near.0 / near.1, all.0 / all.1, slope)
}

/// Correlation of a trait over the two ends of ties.
fn assortativity(graph: &Graph<'_>, of: impl Fn(usize) -> f64) -> f64 {
    let (mut n, mut sum, mut square, mut product) = (0.0, 0.0, 0.0, 0.0);
    for (node, row) in graph.rows.iter().enumerate() {
        let own = of(node);
        for peer in *row {
            n += 1.0;
            sum += own;
            square += own * own;
            product += own * of(*peer as usize);
        }
    }
    let mean = sum / n;
    (product / n - mean * mean) / (square / n - mean * mean)
}
