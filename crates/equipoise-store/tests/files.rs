//! Files, markers and sums: wholly there or not there, and a change is noticed.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use equipoise_store::{
    DONE, Published, StoreError, Table, check_sha256sums, digest_files, finish_dir, is_done, publish_dir,
    read_json, scratch_dir, verify_dir, write_atomic, write_json_atomic, write_sha256sums, write_table,
};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::{TempDir, tempdir};

fn names_in(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(directory).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn unit() -> TempDir {
    let directory = tempdir().unwrap();
    fs::write(directory.path().join("metrics.json"), "{}\n").unwrap();
    fs::create_dir(directory.path().join("checkpoint")).unwrap();
    fs::write(directory.path().join("checkpoint/round"), "12").unwrap();
    directory
}

#[test]
fn an_atomic_write_replaces_the_old_bytes_and_leaves_nothing_else() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("a");
    write_atomic(&path, b"old").unwrap();
    write_atomic(&path, b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(names_in(directory.path()), ["a"]);
}

#[test]
fn a_bad_place_is_named_with_what_to_do() {
    let directory = tempdir().unwrap();
    fs::write(directory.path().join("file"), "x").unwrap();
    let error = write_atomic(&directory.path().join("file/a"), b"x").unwrap_err().to_string();
    assert!(error.contains("file/a: could not create the file: "), "{error}");
    assert!(error.ends_with("something on the way to it is a file"), "{error}");
    let error = write_atomic(&directory.path().join("absent/a"), b"x").unwrap_err().to_string();
    assert!(error.contains("check the path"), "{error}");
    let error = write_atomic(directory.path(), b"x").unwrap_err().to_string();
    assert!(error.contains("it is a directory"), "{error}");
}

#[test]
fn a_value_that_fails_to_serialise_leaves_the_old_file() {
    struct Broken;
    impl Serialize for Broken {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("broken on purpose"))
        }
    }
    let directory = tempdir().unwrap();
    let path = directory.path().join("a.json");
    write_json_atomic(&path, &1).unwrap();
    assert!(matches!(write_json_atomic(&path, &Broken), Err(StoreError::NotJson { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), "1\n");
    assert_eq!(names_in(directory.path()), ["a.json"]);
}

/// Runs in a process of its own, under a limit on file sizes: the nearest thing to a full disk that a test can have. Without
/// the place that the test below gives it, there is nothing to do; that test demands the words that it prints at the end.
#[test]
fn child_that_runs_out_of_room() {
    let Ok(place) = std::env::var("EQUIPOISE_TEST_PLACE") else { return };
    let place = Path::new(&place);
    let values: Vec<u64> =
        (0..200_000_u64).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_mul(i * i + 1)).collect();
    let table = Table::new().with("id", values).unwrap();
    for error in [
        write_table(&place.join("t.parquet"), &table, &[]).unwrap_err(),
        write_atomic(&place.join("old"), &[7; 200_000]).unwrap_err(),
    ] {
        assert!(matches!(&error, StoreError::Io { doing: "write the file", .. }), "{error}");
        assert!(error.to_string().contains("ulimit"), "{error}");
    }
    println!("both writes ran out of room");
}

#[test]
fn a_write_that_runs_out_of_room_leaves_nothing() {
    let directory = tempdir().unwrap();
    fs::write(directory.path().join("old"), "old").unwrap();
    let output = Command::new("sh")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 64; exec \"$0\" --nocapture --exact child_that_runs_out_of_room",
        ])
        .arg(std::env::current_exe().unwrap())
        .env("EQUIPOISE_TEST_PLACE", directory.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("both writes ran out of room"), "{text}");
    assert_eq!(names_in(directory.path()), ["old"]);
    assert_eq!(fs::read(directory.path().join("old")).unwrap(), b"old");
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
struct Sample {
    recall: f64,
    rounds: u64,
}

proptest! {
    #[test]
    fn floats_in_json_come_back_bit_for_bit(recall in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO, rounds: u64) {
        let directory = tempdir().unwrap();
        let path = directory.path().join("m.json");
        write_json_atomic(&path, &Sample { recall, rounds }).unwrap();
        let back: Sample = read_json(&path).unwrap();
        prop_assert_eq!((back.recall.to_bits(), back.rounds), (recall.to_bits(), rounds));
    }
}

#[test]
fn json_is_pretty_and_ends_its_last_line() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("m.json");
    write_json_atomic(&path, &Sample { recall: 0.1, rounds: 3 }).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "{\n  \"recall\": 0.1,\n  \"rounds\": 3\n}\n");
}

#[test]
fn a_json_error_names_file_line_and_column() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("m.json");
    fs::write(&path, "{\n  \"recall\": 0.1,\n  \"round\": 3\n}\n").unwrap();
    let error = read_json::<Sample>(&path).unwrap_err().to_string();
    assert!(
        error.contains("m.json, line 3, column 9: unknown field `round`, expected `recall` or `rounds`;"),
        "{error}"
    );
    fs::write(&path, "{\n  \"recall\": 0.1").unwrap();
    assert!(read_json::<Sample>(&path).unwrap_err().to_string().contains("m.json, line 2, column 15: EOF"));
}

#[test]
fn a_unit_is_done_only_after_its_marker() {
    let unit = unit();
    assert!(!is_done(unit.path()));
    assert!(matches!(verify_dir(unit.path()), Err(StoreError::NotDone { .. })));
    let digest = finish_dir(unit.path()).unwrap();
    assert!(is_done(unit.path()));
    verify_dir(unit.path()).unwrap();
    assert_eq!(digest, digest_files(unit.path(), &[DONE]).unwrap());
}

#[test]
fn the_marker_notices_a_changed_cut_added_removed_or_renamed_file() {
    type Harm = fn(&Path);
    let harms: [Harm; 5] = [
        |d| fs::write(d.join("checkpoint/round"), "13").unwrap(),
        |d| fs::write(d.join("metrics.json"), "{").unwrap(),
        |d| fs::write(d.join("extra"), "").unwrap(),
        |d| fs::remove_file(d.join("metrics.json")).unwrap(),
        |d| fs::rename(d.join("metrics.json"), d.join("metric.json")).unwrap(),
    ];
    for (at, harm) in harms.into_iter().enumerate() {
        let unit = unit();
        finish_dir(unit.path()).unwrap();
        harm(unit.path());
        assert!(matches!(verify_dir(unit.path()), Err(StoreError::Changed { .. })), "harm {at}");
    }
}

#[test]
fn a_half_written_marker_is_no_marker() {
    let unit = unit();
    let digest = finish_dir(unit.path()).unwrap();
    for text in [String::new(), digest[..63].to_owned() + "\n", digest.clone(), "z".repeat(64) + "\n"] {
        fs::write(unit.path().join(DONE), text).unwrap();
        assert!(!is_done(unit.path()));
    }
}

#[test]
fn a_temporary_file_left_by_a_kill_does_not_spoil_a_unit() {
    let unit = unit();
    finish_dir(unit.path()).unwrap();
    fs::write(unit.path().join(".rounds.parquet.tmp-99-0"), "half").unwrap();
    verify_dir(unit.path()).unwrap();
}

#[test]
fn the_digest_does_not_depend_on_where_the_bytes_are_cut_between_files() {
    let digest = |files: &[(&str, &str)]| {
        let directory = tempdir().unwrap();
        for (name, text) in files {
            fs::write(directory.path().join(name), text).unwrap();
        }
        digest_files(directory.path(), &[]).unwrap()
    };
    assert_ne!(digest(&[("a", "xy"), ("b", "")]), digest(&[("a", "x"), ("b", "y")]));
    assert_ne!(digest(&[("a", "bx")]), digest(&[("ab", "x")]));
    assert_eq!(digest(&[("a", "1"), ("b", "2")]), digest(&[("b", "2"), ("a", "1")]));
}

#[test]
fn excluded_files_do_not_move_the_digest_at_any_depth() {
    let unit = unit();
    let base = digest_files(unit.path(), &["timings.json", "checkpoint/round"]).unwrap();
    fs::write(unit.path().join("timings.json"), "1").unwrap();
    fs::create_dir(unit.path().join("deep")).unwrap();
    fs::write(unit.path().join("deep/timings.json"), "2").unwrap();
    fs::write(unit.path().join("checkpoint/round"), "99").unwrap();
    assert_eq!(digest_files(unit.path(), &["timings.json", "checkpoint/round"]).unwrap(), base);
    assert_ne!(digest_files(unit.path(), &["timings.json"]).unwrap(), base);
}

#[cfg(unix)]
#[test]
fn a_link_is_refused_because_its_bytes_are_elsewhere() {
    let unit = unit();
    std::os::unix::fs::symlink("metrics.json", unit.path().join("link")).unwrap();
    assert!(matches!(finish_dir(unit.path()), Err(StoreError::Strange { .. })));
    assert!(!is_done(unit.path()));
}

#[test]
fn of_many_writers_of_one_place_one_wins_and_all_succeed() {
    let root = tempdir().unwrap();
    let target = root.path().join("cache");
    let outcomes: Vec<Published> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|_| {
                let target = &target;
                scope.spawn(move || {
                    let temporary = scratch_dir(target).unwrap();
                    fs::write(temporary.join("world"), "same bytes").unwrap();
                    finish_dir(&temporary).unwrap();
                    publish_dir(&temporary, target).unwrap()
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|o| **o == Published::Ours).count(), 1);
    verify_dir(&target).unwrap();
    assert_eq!(names_in(root.path()), ["cache"]);
}

#[test]
fn a_place_held_by_an_unfinished_directory_is_an_error() {
    let root = tempdir().unwrap();
    let target = root.path().join("cache");
    fs::create_dir(&target).unwrap();
    fs::write(target.join("half"), "x").unwrap();
    let temporary = scratch_dir(&target).unwrap();
    fs::write(temporary.join("world"), "x").unwrap();
    finish_dir(&temporary).unwrap();
    assert!(matches!(publish_dir(&temporary, &target), Err(StoreError::Occupied { .. })));
    assert!(temporary.join("world").exists(), "the finished work is kept");
}

#[test]
fn the_sums_are_sorted_and_sha256sum_agrees() {
    let unit = unit();
    fs::write(unit.path().join("timings.json"), "1").unwrap();
    write_sha256sums(unit.path(), &["timings.json"]).unwrap();
    let list = fs::read_to_string(unit.path().join("SHA256SUMS")).unwrap();
    let expected = "6b51d431df5d7f141cbececcf79edf3dd861c3b4069f0b11661a3eefacbba918  checkpoint/round\n\
                    ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356  metrics.json\n";
    assert_eq!(list, expected);
    assert_eq!(check_sha256sums(unit.path()).unwrap(), 2);
    let output = Command::new("sha256sum")
        .args(["--check", "--strict", "SHA256SUMS"])
        .current_dir(unit.path())
        .output();
    // Where the tool is absent the vectors above still hold.
    if let Ok(output) = output {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_changed_file_or_a_list_that_points_outside_is_refused() {
    let unit = unit();
    write_sha256sums(unit.path(), &[]).unwrap();
    fs::write(unit.path().join("metrics.json"), "{ }").unwrap();
    let error = check_sha256sums(unit.path()).unwrap_err().to_string();
    assert!(error.contains("metrics.json does not match its recorded sum"), "{error}");
    fs::write(unit.path().join("SHA256SUMS"), format!("{}  ../x\n", "0".repeat(64))).unwrap();
    assert!(matches!(check_sha256sums(unit.path()), Err(StoreError::Strange { .. })));
}
