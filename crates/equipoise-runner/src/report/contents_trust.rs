//! The tables about trust and what it costs: who saw what, what was released, what scores rest on, and the price of hiding.

use super::contents::yes;
use super::data::ReportData;
use super::numbers::{count, epsilon_words, estimate_words, fixed, optional, plain};
use super::tables::Table;
use super::words::arm_label;

/// Who saw what.
pub(super) fn seats(data: &ReportData) -> Table {
    let heads = ["Scheme", "Seat", "Learns", "Reads a single platform's update"];
    let mut table = Table::new("seats", "Who saw what", &heads);
    for row in &data.seats {
        table.push(vec![
            row.scheme.clone(),
            row.seat.clone(),
            row.learns.clone(),
            yes(row.reads_single_updates),
        ]);
    }
    table
}

/// What the releases spent.
pub(super) fn ledger(data: &ReportData) -> Table {
    let mut table =
        Table::new("ledger", "Privacy ledger", &["Release", "#Epsilon", "#Delta", "Unit of protection"]);
    for row in &data.ledger {
        table.push(vec![
            row.release.clone(),
            epsilon_words(row.epsilon),
            optional(row.delta),
            row.unit.clone(),
        ]);
    }
    table
}

/// What the scores of reviewed accounts rest on.
pub(super) fn explanations(data: &ReportData) -> Table {
    let heads = [
        "Arm",
        "Column",
        "#Part of all shares",
        "#Mean share, logits",
        "#Accounts",
        "#Stable",
        "#Largest gap",
    ];
    let mut table = Table::new("explanations", "What the scores of reviewed accounts rest on", &heads);
    for row in &data.explanations {
        table.push(vec![
            row.arm.clone(),
            row.words.clone(),
            plain(row.part),
            plain(row.mean),
            row.accounts.to_string(),
            plain(row.stable),
            plain(row.gap),
        ]);
    }
    table
}

/// What was told about tested accounts.
pub(super) fn released(data: &ReportData) -> Table {
    let heads = [
        "Arm",
        "#Told (noised)",
        "#Oracle (non-private)",
        "#Epsilon of telling",
        "#Delta",
        "#Noise, accounts",
        "#Worlds untold",
    ];
    let title =
        "Accounts with a simulated harmful pattern that were reviewed: what may be told of tested accounts";
    let mut table = Table::new("released", title, &heads);
    for row in &data.released {
        table.push(vec![
            row.arm.clone(),
            estimate_words(&row.told),
            estimate_words(&row.oracle),
            plain(row.epsilon),
            format!("{:e}", row.delta),
            plain(row.deviation),
            row.untold.to_string(),
        ]);
    }
    table
}

/// What uploads cost.
pub(super) fn costs(data: &ReportData) -> Table {
    let heads = [
        "Arm",
        "Scheme",
        "#Parameters",
        "#Rounds",
        "#Virtual time",
        "#Bytes per platform and round",
        "#Bytes per parameter",
        "#Slots",
        "#Slot bits",
        "#Headroom bits",
    ];
    let mut table =
        Table::new("costs", "Communication, counted from the message formats (no interval)", &heads);
    let dash = || "–".to_owned();
    for row in &data.costs {
        table.push(vec![
            arm_label(data, &row.arm).to_owned(),
            row.scheme.clone(),
            count(row.parameters),
            count(row.rounds),
            row.virtual_time.map_or_else(dash, |time| fixed(time, 1)),
            fixed(row.upload_bytes_per_platform_round, 0),
            plain(row.bytes_per_parameter),
            row.slots.map_or_else(dash, count),
            row.width_bits.map_or_else(dash, |v| v.to_string()),
            optional(row.noise_headroom_bits),
        ]);
    }
    table
}

/// What fusing scores sent, opened and showed.
pub(super) fn fusions(data: &ReportData) -> Table {
    let heads = [
        "Arm",
        "Design",
        "#Accounts opened in a period",
        "#Periods",
        "#Bits an account, at most",
        "#Share raised",
        "#Bytes a score",
        "#Bytes an opening",
        "#Bytes a match",
        "#Rounds",
        "#Smudging bits",
        "Matched by",
        "What the server counts",
    ];
    let title = "Fusing scores, counted from the message formats (mean over worlds, no interval)";
    let mut table = Table::new("fusions", title, &heads);
    for row in &data.fusions {
        table.push(vec![
            arm_label(data, &row.arm).to_owned(),
            row.design.clone(),
            fixed(row.accounts, 0),
            fixed(row.sessions, 0),
            count(row.bits_per_account),
            plain(row.raised),
            fixed(row.bytes_per_score, 0),
            fixed(row.bytes_per_opening, 0),
            fixed(row.bytes_per_match, 0),
            row.rounds.to_string(),
            row.smudging_bits.map_or_else(|| "–".to_owned(), |bits| bits.to_string()),
            row.matching.clone(),
            row.overlaps.clone(),
        ]);
    }
    table
}
