//! Published logs: parts in, the world's order out; any order of generation gives the same rows; damage is named.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use equipoise_core::{AccountId, DAY, Draw, Event, EventKind, EventSink, PlatformId, Seed, SimTime, WEEK};
use equipoise_store::dataset::{
    DatasetFacts, NOTICE, OUTSIDE_HASH, PlatformFacts, PlatformLog, TABLES, croissant, datasheet, digest_of,
    events_part, files_in, find_parts, read_sums, readme, sum_file, tidy_log, write_events_part, write_sums,
};
use equipoise_store::{
    StoreError, Table, check_sha256sums, digest_files, events_to_table, read_table, write_table,
};
use std::fs;
use std::path::Path;

const PLATFORM: PlatformId = PlatformId(1);

/// Rows of three weeks among 9 accounts, many of them with equal keys.
fn rows(count: usize) -> Vec<Event> {
    let mut rng = Seed::root(5).rng();
    (0..count)
        .map(|_| {
            let time = SimTime(3_600 * i32::try_from(rng.below(21 * 24)).unwrap());
            let id = |rng: &mut equipoise_core::CounterRng| AccountId(u32::try_from(rng.below(9)).unwrap());
            let kind = if rng.chance(0.8) { EventKind::Message } else { EventKind::Call };
            let (actor, peer) = (id(&mut rng), id(&mut rng));
            Event { count: 1 + u16::try_from(rng.below(5)).unwrap(), ..Event::new(time, actor, peer, kind) }
        })
        .collect()
}

/// Files rows by week and by the block that `block` names.
fn publish(root: &Path, rows: &[Event], blocks: u16, block: impl Fn(&Event) -> u16) {
    for week in 0..3_u32 {
        for at in 0..blocks {
            let inside = |e: &&Event| e.time.0 / WEEK == i32::try_from(week).unwrap() && block(e) == at;
            let mut part: Vec<Event> = rows.iter().filter(inside).copied().collect();
            let path = root.join(events_part(PLATFORM, at, week));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            write_events_part(&path, &mut part, &[]).unwrap();
        }
    }
}

#[derive(Default)]
struct Gather {
    events: Vec<Event>,
    until: i32,
}

impl EventSink for Gather {
    fn on_events(&mut self, platform: PlatformId, until: SimTime, events: &[Event]) {
        assert_eq!(platform, PLATFORM);
        assert!(until.0 > self.until, "batches overlap");
        assert!(
            events.iter().all(|e| (self.until..until.0).contains(&e.time.0)),
            "an event lies outside its batch"
        );
        self.until = until.0;
        self.events.extend_from_slice(events);
    }
}

fn replayed(root: &Path, most_rows: usize) -> Vec<Event> {
    let mut gather = Gather::default();
    PlatformLog::open(root, PLATFORM).unwrap().replay(most_rows, &mut gather).unwrap();
    gather.events
}

#[test]
fn a_log_comes_back_as_the_world_emitted_it_whatever_the_blocks_and_the_memory() {
    let mut rows = rows(4_000);
    let mut wanted = rows.clone();
    tidy_log(&mut wanted);
    assert!(wanted.len() < rows.len(), "some keys are equal");
    for (turn, blocks, most_rows) in [(0, 1, 1 << 20), (1_000, 3, 1 << 20), (2_500, 3, 97), (7, 2, 1)] {
        let place = tempfile::tempdir().unwrap();
        rows.rotate_left(turn);
        // The owner of a dyad writes both directions: rows of one actor land in several blocks.
        publish(place.path(), &rows, blocks, |e| u16::try_from(e.actor.0.min(e.peer.0)).unwrap() % blocks);
        assert_eq!(replayed(place.path(), most_rows), wanted, "{blocks} blocks, {most_rows} rows");
    }
}

#[test]
fn rows_of_one_key_in_two_blocks_become_one_row() {
    let place = tempfile::tempdir().unwrap();
    let one = Event {
        count: 3,
        media: 1,
        ..Event::new(SimTime(600), AccountId(1), AccountId(2), EventKind::Message)
    };
    for block in 0..2 {
        let path = place.path().join(events_part(PLATFORM, block, 0));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        write_events_part(&path, &mut vec![one], &[]).unwrap();
    }
    assert_eq!(replayed(place.path(), 100), [Event { count: 6, media: 2, ..one }]);
}

#[test]
fn a_part_is_sorted_by_account_and_its_bytes_do_not_depend_on_the_order_of_rows() {
    let place = tempfile::tempdir().unwrap();
    let (one, other) = (place.path().join("a.parquet"), place.path().join("b.parquet"));
    let mut rows = rows(1_000);
    write_events_part(&one, &mut rows.clone(), &[]).unwrap();
    rows.reverse();
    write_events_part(&other, &mut rows, &[]).unwrap();
    assert_eq!(fs::read(&one).unwrap(), fs::read(&other).unwrap());
    let (table, _) = read_table(&one).unwrap();
    let pairs: Vec<(u32, i32)> =
        table.u32("actor").unwrap().iter().copied().zip(table.i32("time").unwrap().iter().copied()).collect();
    assert!(pairs.is_sorted());
}

#[test]
fn the_packing_of_a_part_changes_no_value() {
    let place = tempfile::tempdir().unwrap();
    let (part, general) = (place.path().join("part.parquet"), place.path().join("general.parquet"));
    let mut rows: Vec<Event> = rows(6_000).into_iter().filter(|e| e.time.0 < WEEK).collect();
    write_events_part(&part, &mut rows, &[("k", "v")]).unwrap();
    write_table(&general, &events_to_table(&rows), &[("k", "v")]).unwrap();
    assert_eq!(read_table(&part).unwrap(), read_table(&general).unwrap());
    assert_ne!(fs::read(&part).unwrap(), fs::read(&general).unwrap(), "a part is packed in its own way");
}

#[test]
fn a_row_outside_its_week_is_refused_with_the_name_of_the_part() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join(events_part(PLATFORM, 0, 1));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let stray = Event::new(SimTime(DAY), AccountId(1), AccountId(2), EventKind::Message);
    write_events_part(&path, &mut vec![stray], &[]).unwrap();
    let log = PlatformLog::open(place.path(), PLATFORM).unwrap();
    let error = log.batches(10).find_map(Result::err).unwrap().to_string();
    assert!(error.contains("week=1.parquet") && error.contains("outside the week"), "{error}");
}

#[test]
fn an_unknown_kind_of_event_in_a_part_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join(events_part(PLATFORM, 0, 0));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let good = events_to_table(&[Event::new(SimTime(0), AccountId(1), AccountId(2), EventKind::Message)]);
    let bad = good.columns().fold(Table::new(), |table, (name, data)| {
        let data = if name == "kind" { vec![77_u8].into() } else { data.clone() };
        table.with(name, data).unwrap()
    });
    write_table(&path, &bad, &[]).unwrap();
    let log = PlatformLog::open(place.path(), PLATFORM).unwrap();
    let error = log.batches(10).find_map(Result::err).unwrap();
    assert!(matches!(error, StoreError::Code { column: "kind", code: 77, .. }), "{error}");
}

#[test]
fn a_truncated_part_is_refused_with_its_name() {
    let place = tempfile::tempdir().unwrap();
    publish(place.path(), &rows(500), 1, |_| 0);
    let path = place.path().join(events_part(PLATFORM, 0, 2));
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 9]).unwrap();
    let error = PlatformLog::open(place.path(), PLATFORM).unwrap_err().to_string();
    assert!(error.contains("block=0/week=2.parquet: not a whole Parquet file"), "{error}");
}

#[test]
fn a_stranger_among_the_parts_is_refused_and_what_a_kill_left_is_not() {
    let place = tempfile::tempdir().unwrap();
    publish(place.path(), &rows(100), 1, |_| 0);
    let beside = place.path().join("platform=1/table=events/block=0");
    fs::write(beside.join(".week=9.parquet.tmp-1-0"), "half").unwrap();
    assert_eq!(find_parts(place.path(), PLATFORM).unwrap().len(), 3);
    for name in ["week=01.parquet", "notes.csv", "week=1.parquet.bak"] {
        fs::write(beside.join(name), "x").unwrap();
        let error = find_parts(place.path(), PLATFORM).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("not a part of a log"), "{error}");
        fs::remove_file(beside.join(name)).unwrap();
    }
}

#[test]
fn one_pass_over_the_files_says_what_two_said() {
    let place = tempfile::tempdir().unwrap();
    publish(place.path(), &rows(300), 2, |e| u16::try_from(e.actor.0 % 2).unwrap());
    fs::write(place.path().join("README.md"), "words").unwrap();
    let names = files_in(place.path(), &OUTSIDE_HASH).unwrap();
    let sums: Vec<_> = names.iter().map(|name| sum_file(place.path(), name).unwrap()).collect();
    assert_eq!(digest_of(&sums), digest_files(place.path(), &OUTSIDE_HASH).unwrap());
    write_sums(place.path(), &sums).unwrap();
    assert_eq!(check_sha256sums(place.path()).unwrap(), 6);
    assert_eq!(read_sums(place.path()).unwrap()[0], (sums[0].sha256.clone(), sums[0].name.clone()));
}

fn facts() -> DatasetFacts {
    let platform = |id: u8| PlatformFacts {
        id: PlatformId(id),
        name: format!("social-{id}"),
        archetype: "social-network".into(),
        bucket_seconds: 300,
        retention_days: 180,
        kinds: vec!["message".into()],
        unseen: vec![],
        rows: vec![("events".into(), 1_234)],
    };
    DatasetFacts {
        name: "tiny".into(),
        title: "A title".into(),
        version: "0.1.0".into(),
        published: "2026-11-24".into(),
        licence: "CC-BY-4.0".into(),
        url: "README.md".into(),
        generator: "equipoise 0.1.0".into(),
        world: "research.toml".into(),
        seed: 1,
        persons: 500,
        days: 14,
        blocks: 2,
        hash: "ab".repeat(32),
        cited_rates: 3,
        assumed_rates: 40,
        citations: vec!["Somebody 2022".into()],
        platforms: vec![platform(0), platform(1)],
        codes: vec![("kind".into(), vec![(8, "message".into())])],
        subgroups: vec![],
        rows: vec![],
        files: vec![],
    }
}

#[test]
fn every_page_carries_the_notice_and_no_unfilled_place() {
    for page in [readme(&facts()), datasheet(&facts()), croissant(&facts()).to_string()] {
        assert!(page.contains(NOTICE), "{page}");
        assert!(!page.contains("{{"), "{page}");
        assert!(page.contains(&"ab".repeat(32)), "{page}");
    }
    assert_eq!(NOTICE, "synthetic; not for operational decisions about people");
}

#[test]
fn the_readme_begins_with_the_header_of_a_dataset_host() {
    let page = readme(&facts());
    let header = page.strip_prefix("---\n").unwrap().split_once("\n---\n").unwrap().0;
    for line in ["license: cc-by-4.0", "size_categories:\n- 1K<n<10K", "- synthetic"] {
        assert!(header.contains(line), "{header}");
    }
}

#[test]
fn the_datasheet_answers_every_section() {
    let page = datasheet(&facts());
    for section in [
        "Motivation",
        "Composition",
        "Collection",
        "Preprocessing and labelling",
        "Uses",
        "Distribution",
        "Maintenance",
    ] {
        assert!(page.contains(&format!("## {section}\n")), "{section}");
    }
}

#[test]
fn croissant_has_every_required_and_responsible_ai_property() {
    let root = croissant(&facts());
    let required = [
        "@context",
        "@type",
        "conformsTo",
        "name",
        "description",
        "license",
        "url",
        "creator",
        "datePublished",
        "distribution",
        "version",
        "recordSet",
        "citeAs",
        "sdVersion",
    ];
    let rai = [
        "dataCollection",
        "dataCollectionType",
        "dataCollectionMissingData",
        "dataCollectionRawData",
        "dataCollectionTimeframe",
        "dataPreprocessingProtocol",
        "dataManipulationProtocol",
        "dataImputationProtocol",
        "dataAnnotationProtocol",
        "dataAnnotationPlatform",
        "dataAnnotationAnalysis",
        "annotationsPerItem",
        "annotatorDemographics",
        "machineAnnotationTools",
        "dataReleaseMaintenancePlan",
        "personalSensitiveInformation",
        "dataSocialImpact",
        "dataBiases",
        "dataLimitations",
        "dataUseCases",
    ];
    for key in required {
        assert!(!root[key].is_null(), "{key}");
    }
    for key in rai {
        assert!(!root[&format!("rai:{key}")].is_null(), "{key}");
    }
    assert_eq!(root["conformsTo"][0], "http://mlcommons.org/croissant/1.1");
    assert_eq!(root["conformsTo"][1], "http://mlcommons.org/croissant/RAI/1.0");
}

#[test]
fn croissant_describes_every_table_of_every_platform_and_its_references_lead_somewhere() {
    let root = croissant(&facts());
    let sets = root["recordSet"].as_array().unwrap();
    let expected: usize = TABLES.iter().map(|table| if table.by_platform { 2 } else { 1 }).sum();
    assert_eq!(sets.len(), expected);
    let ids: Vec<&str> = sets
        .iter()
        .flat_map(|set| set["field"].as_array().unwrap())
        .map(|field| field["@id"].as_str().unwrap())
        .collect();
    let mut references = 0;
    for field in sets.iter().flat_map(|set| set["field"].as_array().unwrap()) {
        if let Some(to) = field["references"]["field"]["@id"].as_str() {
            references += 1;
            assert!(ids.contains(&to), "{to}");
            let (own, other) = (field["@id"].as_str().unwrap(), to);
            let platform = |id: &str| id.split_once('_').unwrap().0.to_owned();
            assert!(platform(own) == platform(other), "{own} refers to {other}");
        }
    }
    assert!(references > 10);
    let kind = sets.iter().find(|set| set["@id"] == "p1_events").unwrap()["field"][3]["description"]
        .as_str()
        .unwrap();
    assert!(kind.contains("8 message") && kind.ends_with("u8"), "{kind}");
}
