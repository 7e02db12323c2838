//! Laws that hold for every log.

use super::*;
use proptest::prelude::*;

fn log_of(rows: &[(u32, u32, i64)]) -> ContactLog {
    let src: Vec<u32> = rows.iter().map(|r| r.0).collect();
    let dst: Vec<u32> = rows.iter().map(|r| r.1).collect();
    let time: Vec<i64> = rows.iter().map(|r| r.2).collect();
    ContactLog::new(&src, &dst, &time).unwrap()
}

fn clique(n: u32) -> Vec<(u32, u32)> {
    (0..n).flat_map(|a| (0..a).map(move |b| (a, b))).collect()
}

fn close(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-6 * a.abs().max(1.0),
        (None, None) => true,
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_clique_is_fully_clustered_and_a_star_not_at_all(n in 3_u32..30) {
        let spec = ProfileSpec::standard(0).clustering;
        let full = Clustering::of(&StaticGraph::from_edges(n as usize, clique(n)), &spec);
        prop_assert!(close(full.transitivity, Some(1.0)) && close(full.mean_local, Some(1.0)));
        let n64 = u64::from(n);
        prop_assert_eq!(full.triangles, n64 * (n64 - 1) * (n64 - 2) / 6);
        let star = StaticGraph::from_edges(n as usize, (1..n).map(|leaf| (0, leaf)));
        let none = Clustering::of(&star, &spec);
        prop_assert!(close(none.transitivity, Some(0.0)) && none.triangles == 0);
        prop_assert!(close(degree_assortativity(&star), Some(-1.0)));
    }

    #[test]
    fn triangles_equal_the_slow_count(edges in prop::collection::vec((0_u32..14, 0_u32..14), 0..70)) {
        let graph = StaticGraph::from_edges(14, edges);
        let linked = |a: u32, b: u32| graph.neighbours(a).binary_search(&b).is_ok();
        let mut slow = 0;
        for a in 0..14 { for b in 0..a { for c in 0..b {
            slow += u64::from(linked(a, b) && linked(b, c) && linked(a, c));
        } } }
        prop_assert_eq!(Clustering::of(&graph, &ProfileSpec::standard(0).clustering).triangles, slow);
    }

    #[test]
    fn neither_names_nor_row_order_matter(
        rows in prop::collection::vec((0_u32..12, 0_u32..12, 0_i64..2_000_000), 1..300),
        shift in 1_u32..12,
    ) {
        let spec = ProfileSpec::standard(0);
        let renamed: Vec<(u32, u32, i64)> =
            rows.iter().rev().map(|&(a, b, t)| ((a * 5 + shift) % 12, (b * 5 + shift) % 12, t)).collect();
        let a = LogProfile::of(&log_of(&rows), &spec).statistics();
        let b = LogProfile::of(&log_of(&renamed), &spec).statistics();
        for (a, b) in a.iter().zip(&b) {
            prop_assert!(a.id == b.id && close(a.value, b.value), "{a:?} {b:?}");
        }
    }

    #[test]
    fn bucketing_twice_is_bucketing_once(rows in prop::collection::vec((0_u32..6, 0_u32..6, -5_000_i64..5_000), 0..80)) {
        let once = log_of(&rows).bucketed(300).unwrap();
        prop_assert_eq!(once.bucketed(300).unwrap(), once.clone());
        let messages = |log: &ContactLog| log.rows().iter().map(|r| u64::from(r.count)).sum::<u64>();
        prop_assert_eq!(messages(&once), messages(&log_of(&rows)));
    }

    #[test]
    fn answering_everything_makes_every_share_one(rows in prop::collection::vec((0_u32..8, 0_u32..8, 0_i64..1_000), 1..60)) {
        let both: Vec<(u32, u32, i64)> = rows.iter().flat_map(|&(a, b, t)| [(a, b, t), (b, a, t + 1)]).collect();
        let log = log_of(&both);
        prop_assume!(!log.rows().is_empty());
        let got = Reciprocity::of(&log, &Dyads::of(&log));
        prop_assert!(close(got.links, Some(1.0)) && close(got.dyads, Some(1.0)));
    }
}

#[test]
fn an_empty_log_has_a_profile_of_nothing() {
    let got = LogProfile::of(&log_of(&[]), &ProfileSpec::standard(0));
    assert_eq!((got.accounts, got.dyads, got.rows, got.rhythm), (0, 0, 0, None));
}
