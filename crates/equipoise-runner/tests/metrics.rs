//! `equipoise metrics` from the outside: numbers worked by hand, groups withheld, reasons instead of numbers, refusals.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.

mod common;

use common::{equipoise, fail, succeed};
use equipoise_store::{ColumnData, Table, write_table};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;

/// Scores .9 .9 | .8 | .5 .5 .5 | .3 | .1 with labels 1 0 | 1 | 1 0 0 | 1 | 0.
const EIGHT: &str = "score,label\n0.9,1\n0.9,0\n0.8,true\n0.5,1\n0.5,0\n0.5,False\n0.3,1\n0.1,0\n";

fn file(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn answer(dir: &Path, arguments: &[&str]) -> Value {
    let arguments = [&["metrics"], arguments, &["--json"]].concat();
    serde_json::from_str(&succeed(dir, &arguments)).unwrap()
}

fn close(answer: &Value, key: &str, want: f64) {
    let got = answer[key].as_f64().unwrap_or_else(|| panic!("{key}: {answer:#}"));
    assert!((got - want).abs() < 1e-12, "{key}: got {got}, want {want}");
}

/// By hand: AP 1/4 (1/2 + 2/3 + 3/6 + 4/7); AUC 9.5/16; Brier (.01 + .81 + .04 + .75 + .49 + .01) / 8. Four reviews: the
/// three above .5 and a third of each row at .5: 2 1/3 of 4 found in 4.
#[test]
fn eight_rows_worked_by_hand() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(dir.path(), "eight.csv", EIGHT);
    let got = answer(dir.path(), &[&path, "--budget", "4"]);
    assert_eq!((got["n"].as_u64(), got["n_positive"].as_u64()), (Some(8), Some(4)));
    close(&got, "prevalence", 0.5);
    close(&got, "average_precision", (0.5 + 2.0 / 3.0 + 0.5 + 4.0 / 7.0) / 4.0);
    close(&got, "roc_auc", 0.59375);
    close(&got, "brier", 2.11 / 8.0);
    close(&got, "recall_at_budget", 7.0 / 12.0);
    close(&got, "precision_at_budget", 7.0 / 12.0);
    assert_eq!(got["budget"], serde_json::json!({ "rows": 4.0 }));
    assert!(got["undefined"]["recall_at_daily_budget"].as_str().unwrap().contains("no column `time`"));
    close(&answer(dir.path(), &[&path, "--budget", "0.5"]), "recall_at_budget", 7.0 / 12.0);
    let without = answer(dir.path(), &[&path]);
    assert!(without["recall_at_budget"].is_null() && without["budget"].is_null());
    assert_eq!(without["undefined"]["recall_at_budget"], "no budget was given");
    assert!(succeed(dir.path(), &["metrics", &path]).contains("average_precision              0.559524"));
}

/// A weight of 2 is the row twice, and every other spelling of the same table gives the same bytes.
#[test]
fn weights_quotes_semicolons_and_parquet_say_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let of = |name: &str, text: &str| {
        let mut value = answer(dir.path(), &[&file(dir.path(), name, text), "--budget", "0.25"]);
        let map = value.as_object_mut().unwrap();
        for key in ["n", "n_positive", "weighted"] {
            map.remove(key);
        }
        value
    };
    let copies = of("copies.csv", "score,label\n0.75,1\n0.75,1\n0.5,0\n0.25,1\n0.25,0\n");
    let weighted =
        of("weighted.csv", "label,score,note,weight\n1,0.75,\"a, b\",2\n0,0.5,,1\n1,0.25,,1\n0,0.25,,1\n");
    assert_eq!(copies, weighted);
    assert_eq!(
        copies,
        of("semicolons.csv", "\u{feff}score;label\r\n0.25;0\r\n0.25;1\r\n0.75;1\r\n0.5;0\r\n0.75;1\r\n\r\n")
    );
    let path = dir.path().join("table.parquet");
    let table = Table::new()
        .with("score", ColumnData::F32(vec![0.75, 0.5, 0.25, 0.25]))
        .and_then(|table| table.with("label", ColumnData::Bool(vec![true, false, true, false])))
        .and_then(|table| table.with("weight", ColumnData::U8(vec![2, 1, 1, 1])))
        .unwrap();
    write_table(&path, &table, &[]).unwrap();
    let mut parquet = answer(dir.path(), &[path.to_str().unwrap(), "--budget", "0.25"]);
    for key in ["n", "n_positive", "weighted"] {
        parquet.as_object_mut().unwrap().remove(key);
    }
    assert_eq!(copies, parquet);
}

#[test]
fn a_group_of_nineteen_is_withheld_and_one_of_twenty_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let mut text = "score,label,group\n".to_owned();
    for row in 0..39 {
        let group = if row < 20 { "twenty" } else { "nineteen" };
        writeln!(text, "{},{},{group}", f64::from(row % 10) / 10.0, row % 3 % 2).unwrap();
    }
    let path = file(dir.path(), "groups.csv", &text);
    let got = answer(dir.path(), &[&path]);
    let groups = got["groups"].as_array().unwrap();
    assert_eq!((&groups[0]["group"], &groups[1]["group"]), (&"nineteen".into(), &"twenty".into()));
    assert!(groups[0]["withheld"].as_str().unwrap().starts_with("fewer than 20 rows"));
    assert_eq!(groups[0].as_object().unwrap().len(), 2, "a withheld group shows no number: {}", groups[0]);
    assert!(groups[1]["average_precision"].is_f64() && groups[1]["n"] == 20);
    let words = succeed(dir.path(), &["metrics", &path]);
    assert!(words.contains("withheld: nineteen") && words.contains("group twenty: 20 rows"), "{words}");
}

#[test]
fn one_label_gives_reasons_instead_of_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let benign = answer(dir.path(), &[&file(dir.path(), "benign.csv", "score,label\n0.5,0\n0.25,0\n")]);
    assert!(benign["average_precision"].is_null() && benign["roc_auc"].is_null());
    assert_eq!(benign["undefined"]["average_precision"], "no row is positive");
    close(&benign, "brier", (0.25 + 0.0625) / 2.0);
    let harmful = answer(dir.path(), &[&file(dir.path(), "harmful.csv", "score,label\n2.5,1\n0.25,1\n")]);
    close(&harmful, "average_precision", 1.0);
    assert_eq!(harmful["undefined"]["roc_auc"], "no row is negative");
    assert!(harmful["undefined"]["brier"].as_str().unwrap().contains("outside [0, 1]"));
}

/// Two platforms of two rows on day 0 (with fractions of days), one row on day 1; one review in each: two of three found.
#[test]
fn a_daily_budget_is_kept_per_platform_and_day() {
    let dir = tempfile::tempdir().unwrap();
    let text = "score,label,platform,time\n0.9,1,a,0.2\n0.8,1,a,0.9\n0.3,0,b,0.5\n0.2,0,b,0.1\n0.1,1,a,1.5\n";
    let path = file(dir.path(), "days.csv", text);
    let got = answer(dir.path(), &[&path, "--budget", "1"]);
    close(&got, "recall_at_daily_budget", 2.0 / 3.0);
    close(&got, "precision_at_daily_budget", 2.0 / 3.0);
    close(&got, "recall_at_budget", 1.0 / 3.0);
}

#[test]
fn intervals_hold_the_estimate_and_follow_the_seed() {
    let dir = tempfile::tempdir().unwrap();
    let mut text = "score,label\n".to_owned();
    for row in 0..200 {
        writeln!(text, "{},{}", f64::from(row * 37 % 101) / 101.0, u8::from(row * 37 % 101 + row % 40 > 90))
            .unwrap();
    }
    let path = file(dir.path(), "many.csv", &text);
    let of = |seed: &str| answer(dir.path(), &[&path, "--bootstrap", "100", "--seed", seed]);
    let (one, again, other) = (of("1"), of("1"), of("2"));
    assert_eq!(one, again);
    assert_ne!(one["intervals"], other["intervals"]);
    let ends = &one["intervals"]["average_precision"];
    let (low, high) = (ends["low"].as_f64().unwrap(), ends["high"].as_f64().unwrap());
    let value = one["average_precision"].as_f64().unwrap();
    assert!(low < value && value < high, "{low} {value} {high}");
}

/// Each refusal names the file, the line, the column and the mend.
#[test]
fn a_wrong_table_is_refused_with_its_place_and_mend() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |text: &str| {
        let path = file(dir.path(), "wrong.csv", text);
        fail(dir.path(), &["metrics", &path], 2)
    };
    for (text, wants) in [
        ("score,label\n0.5,2\n", ["line 2, column `label`", "got `2`", "write 0, 1, true or false"]),
        ("score,label\n0.5,1\nx,0\n", ["line 3, column `score`", "got `x`", "write a finite number"]),
        ("score,label\nNaN,1\n", ["line 2, column `score`", "got `NaN`", "write a finite number"]),
        ("score,label,weight\n0.5,1,-1\n", ["line 2, column `weight`", "got `-1`", "of at least 0"]),
        ("score,label,group\n0.5,1,\n", ["line 2, column `group`", "got nothing", "leave the column out"]),
        ("score,truth\n0.5,1\n", ["line 1", "no column `label`", "`score`, `truth`"]),
        ("score,label\n0.5\n", ["line 2", "1 fields under a header of 2", "give every column"]),
        ("score,label,score\n", ["line 1", "`score` is given twice", "rename"]),
        ("score,label\n", ["wrong.csv", "no rows", "give it at least one"]),
        ("", ["line 1", "the file is empty", "write a header"]),
    ] {
        let error = refused(text);
        assert!(
            error.contains("wrong.csv") && wants.iter().all(|want| error.contains(want)),
            "{text:?}: {error}"
        );
    }
    let path = file(dir.path(), "eight.csv", EIGHT);
    let error = fail(dir.path(), &["metrics", &path, "--budget", "1.5"], 2);
    assert!(error.contains("a budget is a whole number of rows"), "{error}");
    assert!(
        !equipoise(dir.path(), &["metrics", &path, "--bootstrap", "100"]).status.success(),
        "a seed is needed"
    );
    let missing = dir.path().join("none.csv");
    assert!(fail(dir.path(), &["metrics", missing.to_str().unwrap()], 2).contains("none.csv"));
}

/// The hits and misses that `equipoise_eval::early` works by hand: ERDE at 5 with a false alert at .4, and F1 2/3 times a speed of 3/4.
#[test]
fn early_alerts_worked_by_hand() {
    let dir = tempfile::tempdir().unwrap();
    let text = "score,label,seen\n.9,1,5\n.8,1,1\n.1,1,\n.7,0,9\n.2,0,\n";
    let path = file(dir.path(), "early.csv", text);
    let p = (3.0_f64.ln() / 4.0).to_string();
    let got = answer(dir.path(), &[&path, "--deadline", "5,50", "--false-alert", "0.4", "--latency", &p]);
    close(&got, "erde_5", (0.5 + (1.0 - 1.0 / (1.0 + (-4.0_f64).exp())) + 1.0 + 0.4) / 5.0);
    close(&got, "latency_weighted_f1", 0.5);
    assert!(got["erde_50"].as_f64().unwrap() < got["erde_5"].as_f64().unwrap());
    // As eRisk: a false alert costs the share of positive rows, .6 instead of .4.
    let erisk = answer(dir.path(), &[&path, "--deadline", "5"]);
    close(&erisk, "erde_5", got["erde_5"].as_f64().unwrap() + 0.2 / 5.0);
    assert_eq!(erisk["early"]["false_alert"], 0.6);
    assert!(erisk["undefined"]["latency_weighted_f1"].as_str().unwrap().contains("--latency"));
    // No parameter is taken silently, and a table without the column says so.
    let unasked = answer(dir.path(), &[&path]);
    assert!(
        unasked["undefined"]["erde"].as_str().unwrap().contains("--deadline") && unasked["early"].is_null()
    );
    let plain = file(dir.path(), "plain.csv", EIGHT);
    assert!(answer(dir.path(), &[&plain])["undefined"]["erde"].is_null());
    let asked = answer(dir.path(), &[&plain, "--deadline", "5"]);
    assert!(asked["undefined"]["erde_5"].as_str().unwrap().contains("no column `seen`"));
    let wrong = file(dir.path(), "wrong.csv", &text.replace(",9\n", ",0\n"));
    let said = fail(dir.path(), &["metrics", &wrong, "--deadline", "5"], 2);
    assert!(said.contains("line 5, column `seen`: got `0`; write a number of at least 1"), "{said}");
}
