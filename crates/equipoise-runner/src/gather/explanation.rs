//! What the scores of reviewed accounts rest on, over all worlds of an arm.

use super::ArmResults;
use crate::config::ArmKind;
use crate::data::WorldMeta;
use crate::exec::ExplanationRecord;
use crate::report::data::ExplanationRow;
use equipoise_features::dictionary;

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
    let columns = first.shares.len();
    let sizes: Vec<f64> = (0..columns).map(|column| mean(&|record| record.shares[column].1)).collect();
    let all: f64 = sizes.iter().sum();
    let mut order: Vec<usize> = (0..columns).filter(|&column| sizes[column] > 0.0).collect();
    order.sort_by(|&a, &b| sizes[b].total_cmp(&sizes[a]).then(a.cmp(&b)));
    let row = |&column: &usize| ExplanationRow {
        arm: arm.plan.label.clone(),
        words: words(meta, column, arm.plan.slice.arm == ArmKind::PooledLinked),
        part: sizes[column] / all,
        mean: mean(&|record| record.shares[column].0),
        accounts,
        stable: mean(&|record| record.stable),
        gap: records.iter().map(|record| record.gap).fold(0.0, f64::max),
    };
    order.iter().take(SHOWN).map(row).collect()
}

/// The column in the dictionary's words.
fn words(meta: &WorldMeta, column: usize, linked: bool) -> String {
    let own = meta.columns.len();
    let name = &meta.columns[column % own];
    let formula = dictionary(true).into_iter().find(|def| def.name == name).map(|def| def.formula);
    let whose = if linked && column >= own { " (the person's other accounts)" } else { "" };
    formula.map_or_else(|| format!("{name}{whose}"), |formula| format!("{name}{whose}: {formula}"))
}

#[cfg(test)]
mod tests {
    use equipoise_features::dictionary;

    #[test]
    fn every_column_has_words() {
        assert!(dictionary(true).iter().all(|def| def.formula.len() > 5));
    }
}
