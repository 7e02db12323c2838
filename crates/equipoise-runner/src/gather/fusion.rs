//! What fusing scores sent, opened and showed, in the report's words.

use super::ArmResults;
use crate::data::WorldMeta;
use crate::exec::FusionRecord;
use crate::report::data::FusionRow;

/// The row of an arm that fuses, over all its finished worlds.
#[allow(clippy::cast_precision_loss)] // Counts are far below 2^52.
pub(super) fn row(arm: &ArmResults<'_>, metas: &[WorldMeta]) -> Option<FusionRow> {
    let section = arm.plan.slice.fusion.as_ref()?;
    let records: Vec<&FusionRecord> =
        arm.trials.iter().flatten().filter_map(|trial| trial.record.fusion.as_ref()).collect();
    let first = records.first()?;
    let sum = |of: fn(&FusionRecord) -> u64| records.iter().map(|record| of(record)).sum::<u64>() as f64;
    let each = |total: f64, of: f64| if of > 0.0 { total / of } else { 0.0 };
    let (openings, sessions) = (sum(|r| r.openings), sum(|r| r.sessions));
    let most = records.iter().map(|record| record.most_openings).max().unwrap_or(0);
    Some(FusionRow {
        arm: arm.plan.id.clone(),
        design: first.design.clone(),
        matching: first.matching.clone(),
        sessions: sessions / records.len() as f64,
        accounts: each(openings, sessions),
        bits_per_account: most * u64::from(u32::BITS - (section.bands() - 1).leading_zeros()),
        raised: each(sum(|r| r.values.iter().skip(1).sum()), openings),
        bytes_per_score: each(sum(|r| r.cost.upload_bytes), sum(|r| r.scores)),
        bytes_per_opening: each(sum(|r| r.cost.server_bytes + r.cost.share_bytes), openings),
        bytes_per_match: each(sum(|r| r.matching_bytes), sum(|r| r.tokens)),
        rounds: first.cost.rounds,
        smudging_bits: first.smudging_bits,
        overlaps: overlaps(&records, metas),
    })
}

/// Mean sizes of the platforms' sets of pseudonyms and of their overlaps.
#[allow(clippy::cast_precision_loss)]
fn overlaps(records: &[&FusionRecord], metas: &[WorldMeta]) -> String {
    let names = metas.first().map_or(&[][..], |meta| meta.platforms.as_slice());
    let name = |platform: usize| names.get(platform).map_or("?", String::as_str);
    let mean = |of: &dyn Fn(&FusionRecord) -> u64| {
        format!("{:.0}", records.iter().map(|record| of(record)).sum::<u64>() as f64 / records.len() as f64)
    };
    let own = (0..records[0].accounts.len()).map(|p| format!("{} {}", name(p), mean(&|r| r.accounts[p])));
    let pairs = records[0].overlaps.iter().enumerate().map(|(at, (a, b, _))| {
        format!("{} and {} {}", name(*a as usize), name(*b as usize), mean(&|r| r.overlaps[at].2))
    });
    format!("{}; {}", own.collect::<Vec<_>>().join(", "), pairs.collect::<Vec<_>>().join(", "))
}
