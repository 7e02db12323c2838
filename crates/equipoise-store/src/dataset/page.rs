//! The pages that people read: the README of a host of datasets and the datasheet (Gebru et al., CACM 2021). The words lie in
//! `text/`, every figure is filled in from the facts; nothing is typed by hand twice.

use super::croissant::{cite_as, described, licence_url};
use super::{Cohort, DatasetFacts, NOTICE, TABLES};
use std::fmt::Write as _;

/// The README, with the header that dataset hosts read.
#[must_use]
pub fn readme(facts: &DatasetFacts) -> String {
    fill(include_str!("text/readme.md"), facts)
}

/// The datasheet.
#[must_use]
pub fn datasheet(facts: &DatasetFacts) -> String {
    fill(include_str!("text/datasheet.md"), facts)
}

/// Replaces `{{word}}` by what the facts say.
fn fill(text: &str, facts: &DatasetFacts) -> String {
    let words: [(&str, String); 24] = [
        ("notice", NOTICE.to_owned()),
        ("ethics", include_str!("text/ethics.md").trim_end().to_owned()),
        ("name", facts.name.clone()),
        ("title", facts.title.clone()),
        ("summary", facts.summary()),
        ("version", facts.version.clone()),
        ("published", facts.published.clone()),
        ("licence", facts.licence.clone()),
        ("licence-lower", facts.licence.to_lowercase()),
        ("licence-url", licence_url(&facts.licence)),
        ("generator", facts.generator.clone()),
        ("world", facts.world.clone()),
        ("seed", facts.seed.to_string()),
        ("persons", facts.persons.to_string()),
        ("days", facts.days.to_string()),
        ("hash", facts.hash.clone()),
        ("events", facts.events().to_string()),
        ("bytes", facts.bytes().to_string()),
        ("size-category", size_category(facts.events()).to_owned()),
        (
            "rates",
            format!("{} cite a public aggregate, {} are assumptions", facts.cited_rates, facts.assumed_rates),
        ),
        ("citations", list(&facts.citations)),
        ("platforms", platforms(facts)),
        ("tables", tables(facts)),
        ("subgroups", subgroups(facts)),
    ];
    let filled = words
        .iter()
        .fold(text.to_owned(), |text, (word, value)| text.replace(&format!("{{{{{word}}}}}"), value));
    filled.replace("{{cite}}", &cite_as(facts))
}

/// The classes that dataset hosts sort by.
const fn size_category(rows: u64) -> &'static str {
    match rows {
        0..1_000 => "n<1K",
        1_000..10_000 => "1K<n<10K",
        10_000..100_000 => "10K<n<100K",
        100_000..1_000_000 => "100K<n<1M",
        1_000_000..10_000_000 => "1M<n<10M",
        10_000_000..100_000_000 => "10M<n<100M",
        100_000_000..1_000_000_000 => "100M<n<1B",
        _ => "n>1B",
    }
}

fn list(items: &[String]) -> String {
    if items.is_empty() {
        return "- none".to_owned();
    }
    items.iter().map(|item| format!("- {item}")).collect::<Vec<_>>().join("\n")
}

fn platforms(facts: &DatasetFacts) -> String {
    let mut text = String::from(
        "| platform | design | bucket | would keep | does not see | accounts | contacts | events | labels |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for p in &facts.platforms {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| {} `{}` | {} | {} s | {} days | {} | {} | {} | {} | {} |",
            p.id.0,
            p.name,
            p.archetype,
            p.bucket_seconds,
            p.retention_days,
            if p.unseen.is_empty() { "-".to_owned() } else { p.unseen.join(", ") },
            p.rows_of("accounts"),
            p.rows_of("edges"),
            p.rows_of("events"),
            // Few accounts are labelled, so a number of labels is a number of accounts in a small group.
            Cohort::new(p.rows_of("labels")),
        );
    }
    text.trim_end().to_owned()
}

fn tables(facts: &DatasetFacts) -> String {
    let mut text = String::new();
    for table in &TABLES {
        let place = if table.name == "events" {
            "platform=<n>/table=events/block=<b>/week=<w>.parquet".to_owned()
        } else {
            table.place(equipoise_core::PlatformId(0)).replace("platform=0", "platform=<n>")
        };
        let _ = writeln!(text, "`{place}`: {}\n\n| column | what it says |\n|---|---|", table.about);
        for column in table.columns {
            let _ = writeln!(text, "| `{}` | {} |", column.name, described(facts, table, column));
        }
        text.push('\n');
    }
    text.trim_end().to_owned()
}

fn subgroups(facts: &DatasetFacts) -> String {
    let mut text = String::new();
    for (title, groups) in &facts.subgroups {
        let cells: Vec<String> = groups.iter().map(|(group, count)| format!("{group} {count}")).collect();
        let _ = writeln!(text, "- {title}: {}", cells.join(", "));
    }
    text.trim_end().to_owned()
}
