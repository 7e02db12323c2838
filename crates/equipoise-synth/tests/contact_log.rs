//! Profiles of large logs: the number of threads leaves no trace, and ten million rows take seconds.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.

use equipoise_core::{Draw, Seed};
use equipoise_synth::contact_log::{ContactLog, LogProfile, ProfileSpec};

/// A log with heavy-tailed partners and bursts, about `rows` rows.
fn large(rows: usize) -> ContactLog {
    let accounts = rows / 100;
    let (mut src, mut dst, mut time) = (Vec::new(), Vec::new(), Vec::new());
    for session in 0..rows as u64 / 10 {
        let mut rng = Seed::root(8).derive("session", session).rng();
        let a = (accounts as f64 * rng.uniform() * rng.uniform()) as u32;
        let b = (u64::from(a) + 1 + rng.below(40) as u64) % accounts as u64;
        let mut at = (180.0 * 86_400.0 * rng.uniform()) as i64;
        for step in 0..10 {
            let (s, d) = if step % 2 == 0 { (a, b as u32) } else { (b as u32, a) };
            src.push(s);
            dst.push(d);
            time.push(at);
            at += 1 + rng.exponential(60.0) as i64;
        }
    }
    ContactLog::new(&src, &dst, &time).unwrap()
}

#[test]
fn threads_do_not_change_a_profile() {
    let (log, spec) = (large(60_000), ProfileSpec::standard(0));
    let of = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| LogProfile::of(&log, &spec))
    };
    assert_eq!(of(1), of(3));
}

#[test]
#[ignore = "a measurement of some seconds: prints how long ten million rows take"]
#[allow(clippy::disallowed_methods)]
fn ten_million_rows_take_less_than_ten_seconds() {
    let log = large(10_000_000);
    let start = std::time::Instant::now();
    let profile = LogProfile::of(&log, &ProfileSpec::standard(0));
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{} rows, {} dyads: {seconds:.2} s on {} threads",
        profile.rows,
        profile.dyads,
        rayon::current_num_threads()
    );
    assert!(seconds < 10.0, "{seconds}");
}
