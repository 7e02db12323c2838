//! V21: does the order of simple methods hang on a number that somebody assumed? One parameter at a time moves by a
//! quarter (a screening after Morris 1991, with one trajectory a parameter; it sees no interactions). Reported, never gated.

use super::check::check;
use super::evidence::Evidence;
use super::finding::{Finding, Header, Target};

check!(
    /// V21.
    AssumedParameters, "V21", Reported, "rank of methods when assumed parameters move by a quarter",
    "Morris 1991; assumed rows of the world file", assumed
);

fn assumed(header: &Header, evidence: &Evidence) -> Vec<Finding> {
    let Some(sensitivity) = &evidence.sensitivity else {
        let why = "takes two worlds a parameter: ask for it with --sensitivity";
        return vec![header.absent("Kendall's tau of methods, smallest", Target::Shown, why)];
    };
    let taus: Vec<f64> = sensitivity.moves.iter().map(|(_, _, tau)| *tau).collect();
    let n = taus.len() as u64;
    let mut worst: Vec<&(String, String, f64)> = sensitivity.moves.iter().collect();
    worst.sort_by(|a, b| a.2.total_cmp(&b.2).then_with(|| a.0.cmp(&b.0)));
    let named: Vec<String> =
        worst.iter().take(5).map(|(key, by, tau)| format!("{key} {by}: {tau:.2}")).collect();
    let least = worst.first().map_or(f64::NAN, |(_, _, tau)| *tau);
    vec![
        header
            .judge(
                "Kendall's tau of the order of methods, smallest over parameters",
                &[least],
                n,
                Target::Shown,
            )
            .noting(format!("least agreement: {}", named.join(", "))),
        header.judge("the same, mean over parameters", &taus, n, Target::Shown),
        header
            .judge("the same between seeds of the unmoved world", &sensitivity.noise, n, Target::Shown)
            .noting(format!("methods: {}", sensitivity.methods.join(", "))),
    ]
}
