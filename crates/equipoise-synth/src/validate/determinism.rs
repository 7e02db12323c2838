//! V20: runs that must be equal are equal, to the last event, label, token and note of truth. (That equal events give equal
//! Parquet bytes is a test of the store.)

use super::check::check;
use super::evidence::Evidence;
use super::finding::{Finding, Header, Target};

check!(
    /// V20.
    Determinism, "V20", Exact, "equal runs for any number of threads; a policy switched off is a policy absent",
    "by construction", determinism
);

fn determinism(header: &Header, evidence: &Evidence) -> Vec<Finding> {
    let Some((first, others)) = evidence.twins.split_first().filter(|(_, others)| !others.is_empty()) else {
        return vec![header.absent("equal runs", Target::None, "no twins were run")];
    };
    others
        .iter()
        .map(|twin| {
            let note = format!("{} against {}", twin.digest.words(), first.digest.words());
            let name = format!("{}: differs from {}", twin.name, first.name);
            header.exact(name, u64::from(twin.digest != first.digest), 1, 2, note)
        })
        .collect()
}
