//! Named datasets end to end: the same bytes on any number of threads and after a kill, damage named, nothing half-published,
//! and the rows that the world emitted.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.

mod common;

use common::{command, fail, line, probe, probe_card, root, succeed};
use equipoise_core::{Event, EventSink, PlatformId, Seed, Silent, SimTime};
use equipoise_store::dataset::{NOTICE, PlatformLog, files_in, sum_file, write_sums};
use equipoise_store::{DONE, SHA256SUMS, digest_files, is_done, read_table, write_table};
use equipoise_synth::{World, WorldSpec};
use std::collections::BTreeMap;
use std::path::Path;

/// Signs the files of a dataset again, as somebody would who wants a change to go unnoticed.
fn sign_again(place: &Path) {
    let names = files_in(place, &[SHA256SUMS, DONE]).unwrap();
    let sums: Vec<_> = names.iter().map(|name| sum_file(place, name).unwrap()).collect();
    write_sums(place, &sums).unwrap();
}

fn verify_fails(dir: &Path, place: &Path, words: &[&str]) {
    let error = fail(dir, &["dataset", "verify", place.to_str().unwrap()], 1);
    for word in words {
        assert!(error.contains(word), "`{word}` is not in\n{error}");
    }
}

#[test]
fn one_two_and_eight_threads_publish_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let card = probe_card(dir.path(), 300, 15, "");
    let digests: Vec<String> = ["1", "2", "8"]
        .iter()
        .map(|threads| {
            let place = dir.path().join(format!("with-{threads}"));
            let arguments = [
                "dataset",
                "build",
                card.to_str().unwrap(),
                "--out",
                place.to_str().unwrap(),
                "--repin",
                "--threads",
                threads,
            ];
            succeed(dir.path(), &arguments);
            digest_files(&place, &[]).unwrap()
        })
        .collect();
    assert!(digests.windows(2).all(|pair| pair[0] == pair[1]), "{digests:?}");
}

/// The pin is a golden value: it moves only with the world or the format, on purpose, together with the card's version.
#[test]
fn the_tiny_card_pins_what_it_builds() {
    let dir = tempfile::tempdir().unwrap();
    let out = succeed(dir.path(), &["dataset", "build", "tiny"]);
    let place = dir.path().join("datasets/tiny-0.2.0");
    assert!(is_done(&place) && out.contains(NOTICE), "{out}");
    let again = succeed(dir.path(), &["dataset", "build", "tiny"]);
    assert!(again.contains("was there already") && line(&again, "hash") == line(&out, "hash"), "{again}");
    let said = succeed(dir.path(), &["dataset", "verify", "tiny"]);
    assert_eq!(line(&said, "hash"), line(&out, "hash"));
    let tables = succeed(dir.path(), &["dataset", "ls", "tiny"]);
    assert!(tables.contains("events") && tables.contains("truth_accounts"), "{tables}");
}

#[test]
fn a_build_that_gives_another_hash_than_the_pin_is_refused_and_nothing_is_published() {
    let dir = tempfile::tempdir().unwrap();
    let wrong = "0".repeat(64);
    let card = probe_card(dir.path(), 150, 4, &format!("hash = \"{wrong}\""));
    let place = dir.path().join("probe");
    let arguments = ["dataset", "build", card.to_str().unwrap(), "--out", place.to_str().unwrap()];
    let error = fail(dir.path(), &arguments, 1);
    assert!(error.contains(&wrong) && error.contains("--repin"), "{error}");
    assert!(!place.exists());
    let out = succeed(dir.path(), &[&arguments[..], &["--repin"]].concat());
    assert!(out.contains(&format!("hash = \"{}\"", line(&out, "hash"))), "{out}");
}

#[test]
fn a_new_pin_is_never_read_from_an_old_build() {
    let dir = tempfile::tempdir().unwrap();
    let card = probe_card(dir.path(), 150, 4, "");
    let arguments = ["dataset", "build", card.to_str().unwrap(), "--repin"];
    succeed(dir.path(), &arguments);
    let error = fail(dir.path(), &arguments, 2);
    assert!(error.contains("takes no hash from an old build"), "{error}");
}

#[test]
fn a_card_without_a_pin_is_published_only_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let card = probe_card(dir.path(), 150, 4, "");
    let error = fail(dir.path(), &["dataset", "build", card.to_str().unwrap()], 1);
    assert!(error.contains("pins no hash"), "{error}");
}

#[test]
fn an_edited_a_truncated_a_missing_and_an_added_file_are_each_named() {
    let dir = tempfile::tempdir().unwrap();
    let place = probe(dir.path());
    let edited = place.join("platform=0/table=accounts/part-0.parquet");
    let mut bytes = std::fs::read(&edited).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&edited, &bytes).unwrap();
    let cut = place.join("platform=2/table=events/block=1/week=0.parquet");
    let whole = std::fs::read(&cut).unwrap();
    std::fs::write(&cut, &whole[..whole.len() - 1]).unwrap();
    std::fs::remove_file(place.join("DATASHEET.md")).unwrap();
    std::fs::write(place.join("notes.csv"), "a,b\n").unwrap();
    verify_fails(
        dir.path(),
        &place,
        &[
            "platform=0/table=accounts/part-0.parquet: was edited or cut short",
            "platform=2/table=events/block=1/week=0.parquet: was edited or cut short",
            "DATASHEET.md: is missing",
            "notes.csv: was added",
        ],
    );
}

#[test]
fn a_file_of_another_kind_is_refused_even_when_it_is_signed() {
    let dir = tempfile::tempdir().unwrap();
    let place = probe(dir.path());
    std::fs::write(place.join("notes.csv"), "account,text\n1,hello\n").unwrap();
    sign_again(&place);
    verify_fails(dir.path(), &place, &["notes.csv: no dataset holds such a file"]);
}

#[test]
fn a_table_with_a_column_more_is_refused_even_when_it_is_signed() {
    let dir = tempfile::tempdir().unwrap();
    let place = probe(dir.path());
    let path = place.join("platform=1/table=edges/part-0.parquet");
    let (table, _) = read_table(&path).unwrap();
    let rows = table.rows();
    write_table(&path, &table.with("weight", vec![1_u8; rows]).unwrap(), &[]).unwrap();
    sign_again(&place);
    verify_fails(
        dir.path(),
        &place,
        &["platform=1/table=edges/part-0.parquet: has other columns than the table `edges`"],
    );
}

#[test]
fn changed_data_are_refused_by_the_card_even_when_they_are_signed() {
    let dir = tempfile::tempdir().unwrap();
    let place = probe(dir.path());
    let path = place.join("labels/platform=0/part-0.parquet");
    let (table, _) = read_table(&path).unwrap();
    let fewer = table.columns().fold(equipoise_store::Table::new(), |fewer, (name, data)| {
        fewer.with(name, data.kind().empty()).unwrap()
    });
    write_table(&path, &fewer, &[]).unwrap();
    sign_again(&place);
    verify_fails(dir.path(), &place, &["pins another content hash"]);
}

#[test]
fn a_killed_build_publishes_nothing_and_the_next_one_takes_it_up() {
    let dir = tempfile::tempdir().unwrap();
    let card = probe_card(dir.path(), 1_200, 60, "");
    let build = |place: &Path| {
        let place = place.to_str().unwrap().to_owned();
        ["dataset", "build", card.to_str().unwrap(), "--repin", "--json", "--threads", "2", "--out"]
            .map(str::to_owned)
            .into_iter()
            .chain([place])
            .collect::<Vec<String>>()
    };
    let place = dir.path().join("killed");
    let arguments = build(&place);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut child = command(dir.path(), &arguments).stdout(std::process::Stdio::null()).spawn().unwrap();
    let first_part = || {
        let entries = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
        let scratch = entries.into_iter().find(|path| path.to_string_lossy().contains(".killed.tmp-build-"));
        scratch.is_some_and(|path| path.join("platform=0/table=events/block=0/week=1.parquet").exists())
    };
    while !first_part() {
        assert!(child.try_wait().unwrap().is_none(), "the build ended before it could be killed");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!place.exists(), "a killed build published something");

    let said: serde_json::Value = serde_json::from_str(&succeed(dir.path(), &arguments)).unwrap();
    assert!(said["parts-found"].as_u64().unwrap() >= 1, "{said}");
    assert!(said["parts-written"].as_u64().unwrap() >= 1, "{said}");
    let whole = dir.path().join("whole");
    let arguments = build(&whole);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let other: serde_json::Value = serde_json::from_str(&succeed(dir.path(), &arguments)).unwrap();
    assert_eq!((&said["hash"], &said["events"]), (&other["hash"], &other["events"]));
    assert_eq!(digest_files(&place, &[]).unwrap(), digest_files(&whole, &[]).unwrap());
    let left: Vec<_> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(!left.iter().any(|name| name.contains("tmp-build")), "{left:?}");
}

#[test]
fn halves_built_apart_are_put_together_by_the_build_of_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    let card = probe_card(dir.path(), 150, 9, "");
    let at = |place: &Path, more: &[&str]| {
        let all = ["dataset", "build", card.to_str().unwrap(), "--json", "--out", place.to_str().unwrap()];
        let said = succeed(dir.path(), &[&all[..], more].concat());
        serde_json::from_str::<serde_json::Value>(&said).unwrap()
    };
    let (whole, halves) = (dir.path().join("whole"), dir.path().join("halves"));
    let all = at(&whole, &["--repin"]);
    let second = at(&halves, &["--blocks", "2..3"]);
    assert!(!halves.exists() && Path::new(second["path"].as_str().unwrap()).is_dir(), "{second}");
    at(&halves, &["--blocks", "0..2"]);
    let put = at(&halves, &["--repin"]);
    assert_eq!((&put["hash"], &put["parts-written"]), (&all["hash"], &serde_json::json!(0)));
    let beyond = ["dataset", "build", card.to_str().unwrap(), "--blocks", "1..4"];
    assert!(fail(dir.path(), &beyond, 2).contains("has blocks 0..3"));
}

#[test]
fn a_published_card_builds_its_dataset_again() {
    let dir = tempfile::tempdir().unwrap();
    let place = probe(dir.path());
    let (card, again) = (place.join("card.toml"), dir.path().join("again"));
    let arguments = ["dataset", "build", card.to_str().unwrap(), "--out", again.to_str().unwrap()];
    let out = succeed(dir.path(), &arguments);
    assert!(!out.contains("pin: "), "the published card pins its own hash\n{out}");
}

#[derive(Default)]
struct Gather(BTreeMap<PlatformId, Vec<Event>>);

impl EventSink for Gather {
    fn on_events(&mut self, platform: PlatformId, _until: SimTime, events: &[Event]) {
        self.0.entry(platform).or_default().extend_from_slice(events);
    }
}

#[test]
fn reading_back_gives_the_events_that_the_world_emitted() {
    let dir = tempfile::tempdir().unwrap();
    let place = probe(dir.path());
    let mut spec: WorldSpec =
        toml::from_str(&std::fs::read_to_string(root().join("datasets/research.toml")).unwrap()).unwrap();
    (spec.persons, spec.days) = (200, 9);
    let (mut emitted, mut published) = (Gather::default(), Gather::default());
    let world = World::build(&spec, Seed::root(7)).unwrap();
    world.run(None, &mut emitted, &Silent).unwrap();
    for view in world.views() {
        PlatformLog::open(&place, view.id).unwrap().replay(500, &mut published).unwrap();
    }
    assert!(emitted.0.values().map(Vec::len).sum::<usize>() > 1_000);
    assert_eq!(emitted.0, published.0);
}
