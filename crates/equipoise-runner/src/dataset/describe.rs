//! What the pages of a dataset will say: counted from its tables, read from its card and world, never typed.

use super::card::Loaded;
use super::source::Source;
use super::tables::{Rows, SPLITS};
use equipoise_core::{
    AgeBand, EventKind, LabelSource, LabelStatus, PlatformId, PlatformView, ReportCategory, Surface,
};
use equipoise_store::dataset::{Cohort, DatasetFacts, FileSum, PlatformFacts, cohorts};
use equipoise_synth::truth::{BenignGroup, HarmArchetype, Truth};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The facts of a dataset whose data files are written.
pub(crate) fn facts(
    loaded: &Loaded,
    source: &Source,
    truth: &Truth,
    rows: &Rows,
    files: Vec<FileSum>,
    hash: String,
) -> DatasetFacts {
    let card = &loaded.card;
    let rates = Rates::of(&loaded.world);
    DatasetFacts {
        name: card.name.clone(),
        title: card.title.clone(),
        version: card.version.clone(),
        published: card.published.clone(),
        licence: card.licence.spdx().to_owned(),
        // Croissant demands an address; until there is a host it is this directory's own page.
        url: card.url.clone().unwrap_or_else(|| equipoise_store::dataset::README.to_owned()),
        generator: generator(),
        world: std::path::Path::new(&card.world)
            .file_name()
            .map_or_else(|| card.world.clone(), |name| name.to_string_lossy().into_owned()),
        seed: card.seed,
        persons: card.persons,
        days: card.days,
        blocks: card.blocks,
        hash,
        cited_rates: rates.cited,
        assumed_rates: rates.assumed,
        citations: rates.citations.into_iter().collect(),
        platforms: source.views().iter().map(|view| platform(view, rows)).collect(),
        codes: codes(),
        subgroups: subgroups(truth),
        rows: rows
            .iter()
            .filter(|((table, _), _)| table.starts_with("truth") || *table == "split_times")
            .map(|((table, _), rows)| ((*table).to_owned(), *rows))
            .collect(),
        files,
    }
}

/// Program and version, as they stand in every file.
pub(crate) fn generator() -> String {
    concat!("equipoise ", env!("CARGO_PKG_VERSION")).to_owned()
}

fn platform(view: &PlatformView, rows: &Rows) -> PlatformFacts {
    let schema = view.schema;
    let unseen = [
        (schema.sees_age, "declared age"),
        (schema.sees_region, "region"),
        (schema.sees_media, "media"),
        (schema.sees_mutuals, "mutual contacts"),
    ];
    PlatformFacts {
        id: view.id,
        name: view.name.clone(),
        archetype: word(&view.archetype),
        bucket_seconds: schema.bucket_seconds,
        retention_days: schema.retention_days,
        kinds: EventKind::ALL.iter().filter(|kind| schema.sees(**kind)).map(word).collect(),
        unseen: unseen.iter().filter(|(sees, _)| !sees).map(|(_, what)| (*what).to_owned()).collect(),
        rows: rows
            .iter()
            .filter(|((table, id), _)| {
                *id == view.id && !table.starts_with("truth") && *table != "split_times"
            })
            .map(|((table, _), rows)| ((*table).to_owned(), *rows))
            .collect(),
    }
}

/// The name that a value has in files.
fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn named<T: Serialize>(values: &[T], code: impl Fn(&T) -> u8) -> Vec<(u8, String)> {
    values.iter().map(|value| (code(value), word(value))).collect()
}

/// The names of every column of codes.
fn codes() -> Vec<(String, Vec<(u8, String)>)> {
    let mut patterns = vec![(0, "none".to_owned())];
    patterns.extend(named(&HarmArchetype::ALL, |kind| 1 + *kind as u8));
    let mut ages = named(&AgeBand::ALL, |band| *band as u8);
    let true_ages = ages.clone();
    ages.push((255, "unseen".to_owned()));
    let statuses =
        [LabelStatus::Reported, LabelStatus::Cleared, LabelStatus::Actioned, LabelStatus::Confirmed];
    let sources =
        [LabelSource::UserReport, LabelSource::Proactive, LabelSource::SharedSignal, LabelSource::Police];
    let sides = (0_u8..).zip(SPLITS).map(|(code, name)| (code, name.to_owned())).collect();
    [
        ("kind", named(&EventKind::ALL, |kind| kind.code())),
        ("surface", named(&[Surface::Direct, Surface::Group, Surface::Lobby], |surface| *surface as u8)),
        ("detail", named(&[ReportCategory::Other, ReportCategory::ChildSafety], |category| *category as u8)),
        ("declared_age", ages),
        ("age_band", true_ages),
        ("status", statuses.iter().map(|status| (*status as u8, word(status))).collect()),
        ("labels/source", sources.iter().map(|source| (*source as u8, word(source))).collect()),
        ("harmful", patterns.clone()),
        ("matched_for", patterns),
        ("benign_group", named(&BenignGroup::ALL, |group| *group as u8)),
        ("split", sides),
    ]
    .map(|(name, list)| (name.to_owned(), list))
    .into()
}

/// Counts by subgroup, small groups hidden.
fn subgroups(truth: &Truth) -> Vec<(String, Vec<(String, Cohort)>)> {
    let accounts = || truth.platforms.iter().flat_map(|site| &site.accounts);
    let mut ages: BTreeMap<u8, u64> = AgeBand::ALL.iter().map(|band| (*band as u8, 0)).collect();
    for person in &truth.persons {
        *ages.entry(person.band as u8).or_default() += 1;
    }
    let mut groups: BTreeMap<u8, u64> = BenignGroup::ALL.iter().map(|group| (*group as u8, 0)).collect();
    for account in accounts().filter(|account| account.harmful.is_none()) {
        *groups.entry(account.benign_group as u8).or_default() += 1;
    }
    let mut patterns: BTreeMap<u8, u64> = HarmArchetype::ALL.iter().map(|kind| (*kind as u8, 0)).collect();
    for kind in accounts().filter_map(|account| account.harmful) {
        *patterns.entry(kind as u8).or_default() += 1;
    }
    let shown = |counts: &BTreeMap<u8, u64>, names: &[(u8, String)]| {
        let hidden = cohorts(counts);
        names.iter().filter_map(|(code, name)| Some((name.clone(), *hidden.get(code)?))).collect::<Vec<_>>()
    };
    vec![
        ("persons by true age band".to_owned(), shown(&ages, &named(&AgeBand::ALL, |band| *band as u8))),
        (
            "accounts without a simulated harmful pattern, by role".to_owned(),
            shown(&groups, &named(&BenignGroup::ALL, |group| *group as u8)),
        ),
        (
            "accounts with a simulated harmful pattern, by pattern".to_owned(),
            shown(&patterns, &named(&HarmArchetype::ALL, |kind| *kind as u8)),
        ),
    ]
}

/// How many rates of a world cite something.
#[derive(Default)]
struct Rates {
    cited: usize,
    assumed: usize,
    citations: BTreeSet<String>,
}

impl Rates {
    fn of<T: Serialize>(world: &T) -> Self {
        let mut rates = Self::default();
        if let Ok(value) = serde_json::to_value(world) {
            rates.visit(&value);
        }
        rates
    }

    fn visit(&mut self, value: &serde_json::Value) {
        match value {
            serde_json::Value::Object(map) => match map.get("source").and_then(|source| source.as_str()) {
                Some(source) if map.contains_key("value") => self.note(source),
                _ => map.values().for_each(|inner| self.visit(inner)),
            },
            serde_json::Value::Array(items) => items.iter().for_each(|item| self.visit(item)),
            _ => {}
        }
    }

    fn note(&mut self, source: &str) {
        if source.starts_with("assumed") || source.starts_with("own experiment") {
            self.assumed += 1;
        } else {
            self.cited += 1;
            self.citations.insert(source.to_owned());
        }
    }
}

/// Rows of a platform's log, for [`Rows`].
pub(crate) fn count_events(rows: &mut Rows, platform: PlatformId, events: u64) {
    rows.insert(("events", platform), events);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_counts_as_cited_only_if_its_source_is_not_an_assumption() {
        let world = serde_json::json!({
            "a": { "value": 0.1, "source": "assumed; sweep it" },
            "b": { "inner": [{ "value": 0.2, "source": "Thorn 2021" }, { "value": 1, "source": "Thorn 2021" }] },
            "c": { "source": "a key of that name without a value is no rate" },
        });
        let rates = Rates::of(&world);
        assert_eq!((rates.cited, rates.assumed, rates.citations.len()), (2, 1, 1));
    }

    #[test]
    fn every_code_has_one_name() {
        for (column, list) in codes() {
            let codes: BTreeSet<u8> = list.iter().map(|(code, _)| *code).collect();
            assert_eq!(codes.len(), list.len(), "{column}");
            assert!(list.iter().all(|(_, name)| !name.is_empty()), "{column}");
        }
    }
}
