//! What the scores of reviewed accounts rest on, over all worlds of an arm.

use super::ArmResults;
use crate::config::ArmKind;
use crate::data::WorldMeta;
use crate::exec::ExplanationRecord;
use crate::report::data::ExplanationRow;
use equipoise_features::{contact_columns, dictionary};

/// Fewer accounts than this are not described.
const FEWEST: u64 = 20;
/// Columns of an arm that are shown.
const SHOWN: usize = 6;

/// The rows of an arm, the largest share first; none for arms without a model over rows, or with too few reviewed accounts.
#[allow(clippy::cast_precision_loss)] // Counts of accounts.
pub(super) fn rows(arm: &ArmResults<'_>, metas: &[WorldMeta]) -> Vec<ExplanationRow> {
    let records: Vec<&ExplanationRecord> =
        arm.trials.iter().flatten().filter_map(|trial| trial.record.explanation.as_ref()).collect();
    let accounts: u64 = records.iter().map(|record| record.accounts).sum();
    let (Some(meta), Some(first)) = (metas.first(), records.first()) else { return Vec::new() };
    if accounts < FEWEST {
        return Vec::new();
    }
    let mean = |of: &dyn Fn(&ExplanationRecord) -> f64| {
        records.iter().map(|record| of(record)).sum::<f64>() / accounts as f64
    };
    let slice = &arm.plan.slice;
    let mut names = slice.schema.unwrap_or_default().columns(&meta.columns, &meta.seen);
    if slice.privacy.as_ref().is_some_and(crate::config::PrivacySection::sums_over_contacts) {
        let adjacent = meta.columns.len() == dictionary(true).len();
        names.extend(contact_columns(adjacent).into_iter().map(|name| format!("sum-{name}")));
    }
    let columns = first.shares.len();
    let sizes: Vec<f64> = (0..columns).map(|column| mean(&|record| record.shares[column].1)).collect();
    let all: f64 = sizes.iter().sum();
    let mut order: Vec<usize> = (0..columns).filter(|&column| sizes[column] > 0.0).collect();
    order.sort_by(|&a, &b| sizes[b].total_cmp(&sizes[a]).then(a.cmp(&b)));
    let row = |&column: &usize| ExplanationRow {
        arm: arm.plan.label.clone(),
        words: words(&names, column, arm.plan.slice.arm == ArmKind::PooledLinked),
        part: sizes[column] / all,
        mean: mean(&|record| record.shares[column].0),
        accounts,
        stable: mean(&|record| record.stable),
        gap: records.iter().map(|record| record.gap).fold(0.0, f64::max),
    };
    order.iter().take(SHOWN).map(row).collect()
}

/// The column in the dictionary's words.
fn words(names: &[String], column: usize, linked: bool) -> String {
    let own = names.len();
    let name = &names[column % own];
    let formula = dictionary(true).into_iter().find(|def| def.name == name).map(|def| def.formula);
    let whose = if linked && column >= own { " (the person's other accounts)" } else { "" };
    formula.map_or_else(|| format!("{name}{whose}"), |formula| format!("{name}{whose}: {formula}"))
}

#[cfg(test)]
mod tests {
    use equipoise_features::dictionary;

    #[test]
    fn a_column_is_named_in_the_arms_own_order() {
        let names = ["account-age", "sum-contact"].map(str::to_owned);
        assert!(super::words(&names, 0, false).starts_with("account-age: "));
        assert_eq!(super::words(&names, 3, true), "sum-contact (the person's other accounts)");
    }

    #[test]
    fn every_column_has_words() {
        assert!(dictionary(true).iter().all(|def| def.formula.len() > 5));
    }
}
