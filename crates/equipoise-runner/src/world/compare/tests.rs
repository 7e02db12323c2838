//! What is refused, what is read, and that a comparison notices what it must.
#![allow(clippy::unwrap_used)]

use super::*;
use clap::Parser;
use std::io::Write;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: CompareArgs,
}

fn args(file: &Path, more: &[&str]) -> CompareArgs {
    let mut line = vec!["compare", file.to_str().unwrap()];
    line.extend(more);
    Line::try_parse_from(line).unwrap().args
}

fn file(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    (dir, path)
}

/// Thirty pairs who talk in bursts on some days of four weeks.
fn bursty() -> String {
    use equipoise_core::Draw;
    let mut text = String::from("src dst time\n");
    for pair in 0..30_u64 {
        let mut rng = Seed::root(9).derive("pair", pair).rng();
        for day in 0..28 {
            if !rng.chance(0.35) {
                continue;
            }
            let mut at = 1_100_000_000 + 86_400 * day + 36_000 + rng.below(30_000) as i64;
            for step in 0..rng.geometric(8.0) {
                let (a, b) = if step % 2 == 0 { (2 * pair, 2 * pair + 1) } else { (2 * pair + 1, 2 * pair) };
                text.push_str(&format!("{a} {b} {at}\n"));
                at += 301 + rng.exponential(60.0) as i64;
            }
        }
    }
    text
}

fn refused(name: &str, text: &str, more: &[&str], words: &[&str]) {
    let (_dir, path) = file(name, text);
    let fault = measure(&args(&path, more)).err().unwrap();
    assert_eq!(fault.exit_code(), 2);
    let said = fault.to_string();
    for word in words {
        assert!(said.contains(word), "`{word}` is not in `{said}`");
    }
    assert!(said.contains(name), "the file's name is not in `{said}`");
    assert!(!said.contains("hello") && !said.contains("alice"), "a cell was repeated: `{said}`");
}

#[test]
fn text_names_and_further_columns_are_refused_by_line_and_without_repeating_them() {
    refused("a.txt", "1 2 100\n2 1 hello\n", &[], &["line 2", "column 3", "convert dates"]);
    refused("b.txt", "1 2 100\nalice 1 100\n", &[], &["line 2", "column 1", "never names or text"]);
    refused("c.csv", "src,dst,time,text\n1,2,3,hello\n", &[], &["line 1", "content is never read"]);
    refused("d.csv", "1,2,3,4,5\n", &[], &["line 1", "5 columns"]);
    refused("e.csv", "1,2,3,4\n", &[], &["line 1", "--columns"]);
    refused("f.txt", "1 2 100\n1 2\n", &[], &["line 2", "2 columns"]);
    refused(
        "g.txt",
        &format!("1 2 {}\n", "9".repeat(600)),
        &[],
        &["line 1", "longer than a line of numbers"],
    );
    refused("h.txt", "1 2 1100000000000000\n", &[], &["line 1", "column 3"]);
    refused("i.txt", "", &[], &["no rows"]);
    refused("j.csv", "src,dst,count,time\n1,2,0,5\n", &[], &["line 2", "count of at least 1"]);
    refused("l.txt", "hello hello hello\nhello hello hello\n", &["--columns", "src,dst,time"], &["line 2"]);
    refused("m.txt", "src dst time\nsrc dst time\n1 2 3\n", &[], &["line 2", "column 1"]);
    refused("k.csv", "alpha,beta,gamma\n1,2,5\n", &[], &["line 1", "say --columns"]);
}

#[test]
fn too_few_accounts_and_a_log_without_time_are_refused() {
    refused("few.txt", "1 2 100\n2 3 200\n", &[], &["3 accounts", "fewer than 20"]);
    let rows: String = (0..40).map(|i| format!("{i} {} 5\n", i + 1)).collect();
    refused("still.txt", &rows, &[], &["all rows have one time"]);
}

#[test]
fn every_form_of_the_same_log_gives_the_same_rows() {
    let text = bursty();
    let (_dir, plain) = file("plain.txt", &text);
    let plain = edges::read(&plain, &[], 1.0).unwrap();
    let commas = text.replace(' ', ",").replace("src,dst,time", "\"src\",\"dst\",\"time\"");
    let (_dir, path) = file("commas.csv", &commas);
    assert_eq!(edges::read(&path, &[], 1.0).unwrap(), plain);
    let turned: String = text
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split(' ').collect();
            format!("{}\t{}\t{}.0\n", cells[2], cells[0], cells[1]).replace(".0\n", "\n")
        })
        .collect();
    let (_dir, path) = file("turned.tsv", &format!("% a comment\n{turned}"));
    let columns: Vec<String> = ["time", "src", "dst"].map(str::to_owned).to_vec();
    assert_eq!(edges::read(&path, &columns, 1.0).unwrap(), plain);
    let (dir, path) = file("packed.gz", "");
    let mut gz =
        flate2::write::GzEncoder::new(std::fs::File::create(&path).unwrap(), flate2::Compression::fast());
    gz.write_all(text.as_bytes()).unwrap();
    gz.finish().unwrap();
    assert_eq!(edges::read(&path, &[], 1.0).unwrap(), plain);
    // Cut short: refused, not read in part.
    let bytes = std::fs::read(&path).unwrap();
    let cut = dir.path().join("cut.gz");
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    assert!(edges::read(&cut, &[], 1.0).unwrap_err().to_string().contains("cut short or damaged"));
}

#[test]
fn a_file_of_our_events_is_read_as_direct_messages_only() {
    use equipoise_core::{AccountId, Event, EventKind, SimTime, Surface};
    let event = |time, actor, peer, kind, surface| {
        let base = Event::new(SimTime(time), AccountId(actor), AccountId(peer), kind);
        Event { surface, count: 3, ..base }
    };
    let events = [
        event(300, 1, 2, EventKind::Message, Surface::Direct),
        event(300, 1, 3, EventKind::Message, Surface::Group),
        event(600, 2, 1, EventKind::Call, Surface::Direct),
        event(900, 2, 1, EventKind::Message, Surface::Direct),
    ];
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.parquet");
    equipoise_store::write_table(&path, &equipoise_store::events_to_table(&events), &[]).unwrap();
    assert!(parquet::is_parquet(&path).unwrap());
    // Twice the same file: a mirrored row counts once.
    let log = parquet::events(&[path.clone(), path]).unwrap();
    let kept: Vec<(i64, u32, u32, u32)> =
        log.rows().iter().map(|r| (r.time, r.src, r.dst, r.count)).collect();
    assert_eq!(kept, [(300, 1, 2, 3), (900, 2, 1, 3)]);
}

fn row<'a>(comparison: &'a Comparison, id: &str) -> &'a table::Row {
    comparison.rows.iter().find(|row| row.id == id).unwrap()
}

#[test]
fn a_copy_with_poisson_timing_is_reported_outside_and_unlike() {
    let (_dir, path) = file("bursty.txt", &bursty());
    for planted in ["poisson", "rhythm", "shuffled"] {
        let got = measure(&args(&path, &["--planted", planted])).unwrap();
        for id in ["dyad-bn-10", "account-bn-10"] {
            let row = row(&got, id);
            assert_eq!(
                (row.theirs_inside, row.ours_inside, row.alike),
                (Some(true), Some(false), Some(false)),
                "{planted}: {row:?}"
            );
        }
        // What has nothing to do with timing must not move.
        let reciprocity = row(&got, "reciprocity-links");
        assert_eq!((reciprocity.alike, reciprocity.theirs), (Some(true), reciprocity.ours));
        assert!(got.passing_controls().is_empty(), "{:?}", got.passing_controls());
    }
}

#[test]
fn no_maximum_and_no_median_of_a_few_trains_is_shown() {
    let (_dir, path) = file("bursty.txt", &bursty());
    let got = measure(&args(&path, &["--planted", "poisson"])).unwrap();
    assert!(got.rows.iter().all(|row| !row.id.ends_with("-max")));
    let trains = row(&got, "dyad-trains-50").theirs.unwrap();
    assert_eq!(row(&got, "dyad-bn-50").theirs.is_some(), trains >= COHORT as f64, "{trains}");
    assert!(row(&got, "dyad-bn-10").theirs.is_some());
    // Sixty accounts: the 99th percentile is somebody's, the 90th is not.
    assert!(row(&got, "degree-p99").theirs.is_none() && row(&got, "degree-p90").theirs.is_some());
}

#[test]
fn every_band_names_a_statistic_that_exists() {
    let (_dir, path) = file("bursty.txt", &bursty());
    let got = measure(&args(&path, &["--planted", "poisson"])).unwrap();
    for band in bands::BANDS {
        assert!(!row(&got, band.id).about.is_empty(), "{}", band.id);
    }
}

#[test]
fn a_simulated_platform_can_stand_beside_a_log_and_nothing_is_written() {
    let (dir, path) = file("bursty.txt", &bursty());
    let world = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/research.toml");
    let more = ["--world", world.to_str().unwrap(), "--persons", "300", "--days", "12"];
    let got = measure(&args(&path, &more)).unwrap();
    assert!(row(&got, "rows").ours.unwrap() > 100.0);
    assert!(row(&got, "hours-distance").ours.unwrap() > 0.0);
    let again = measure(&args(&path, &more)).unwrap();
    assert_eq!(format!("{got:?}"), format!("{again:?}"));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    let fault = measure(&args(&path, &[more[0], more[1], "--bucket", "60"])).err().unwrap();
    assert!(fault.to_string().contains("multiple"), "{fault}");
    let fault = measure(&args(&path, &[more[0], more[1], "--platform", "nowhere"])).err().unwrap();
    assert!(fault.to_string().contains("social-1"), "{fault}");
}

/// The public log, where the machine has it: the anchors that validation V10 is stated with, within 0.01 of what another
/// implementation (a few lines of Python) found.
#[test]
fn college_messages_have_the_known_statistics() {
    let Some(path) = college() else { return };
    let log = edges::read(&path, &[], 1.0).unwrap();
    let find = |bucket: u32, id: &str| {
        let profile = equipoise_synth::contact_log::LogProfile::of(
            &log.bucketed(bucket).unwrap(),
            &ProfileSpec::standard(ProfileSpec::unix_monday(-7 * 3_600)),
        );
        profile.statistics().into_iter().find(|s| s.id == id).unwrap().value.unwrap()
    };
    for (bucket, id, want) in [
        (1, "accounts", 1_899.0),
        (1, "messages", 59_835.0),
        (1, "dyads", 13_838.0),
        (1, "dyad-b-10", 0.388),
        (1, "dyad-bn-10", 0.631),
        (1, "dyad-bn-50", 0.749),
        (300, "dyad-bn-10", 0.589),
        (300, "account-bn-10", 0.554),
        (1, "reciprocity-links", 0.636),
        (1, "reciprocity-dyads", 0.467),
    ] {
        let got = find(bucket, id);
        assert!((got - want).abs() <= 0.01, "{id} at {bucket} s: {got}, want {want}");
    }
}

#[test]
fn college_messages_with_poisson_timing_are_reported_outside() {
    let Some(path) = college() else { return };
    let got = measure(&args(&path, &["--utc-offset", "-7", "--planted", "poisson"])).unwrap();
    for id in ["dyad-bn-10", "account-bn-10", "account-runs-600-exponent", "trough-to-peak"] {
        let row = row(&got, id);
        assert_eq!((row.theirs_inside, row.ours_inside), (Some(true), Some(false)), "{row:?}");
    }
}

fn college() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    // The data lies beside the working copy, and is never part of it.
    [root.join("shared/data/CollegeMsg.txt.gz"), root.join("../shared/data/CollegeMsg.txt.gz")]
        .into_iter()
        .find(|path| path.exists())
}
