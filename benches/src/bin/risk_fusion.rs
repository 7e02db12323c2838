//! Times one design of the encrypted risk fusion: three seats, bytes, rounds, and whether every opened value was right.
//! All threads' processor time, so that a busy machine does not spoil it; wall time beside it.
//!
//! `cargo run --release -p equipoise-benches --bin risk_fusion -- --design ggsw-joint --accounts 1000 --json`
//! (`pbs-chain` and `fheuint8` with `--features high-level-fhe`, which builds tfhe's large interfaces).
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::disallowed_methods)] // A stopwatch for people.
#![allow(clippy::cast_precision_loss)] // Counts of a benchmark.

use clap::Parser;
use equipoise_core::{Draw, Seed};
use equipoise_encrypted::fusion::{AccountScores, FusionDesign, FusionRule, FusionSpec, plain_hash};
use equipoise_federated::{Seat, Stopwatch};
use std::sync::Mutex;
use std::time::Instant;

#[derive(Debug, Parser)]
struct Arguments {
    /// `plain`, `ggsw-secret`, `ggsw-joint`, `mpc`; with the feature also `pbs-chain` and `fheuint8`
    #[arg(long, default_value = "ggsw-joint")]
    design: String,
    #[arg(long, default_value_t = 1000)]
    accounts: u64,
    #[arg(long, default_value_t = 3)]
    platforms: u32,
    /// Key holders of `ggsw-joint`
    #[arg(long, default_value_t = 3)]
    holders: u32,
    /// The smallest sum that is flagged; half of the largest, rounded up, unless said
    #[arg(long)]
    at: Option<u32>,
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Print one JSON line instead of words
    #[arg(long)]
    json: bool,
}

fn design(a: &Arguments) -> FusionDesign {
    match a.design.as_str() {
        "plain" => FusionDesign::Plain {},
        "ggsw-secret" => FusionDesign::GgswSecret {},
        "ggsw-joint" => FusionDesign::GgswJoint { holders: a.holders },
        "mpc" => FusionDesign::Mpc {},
        #[cfg(feature = "high-level-fhe")]
        "pbs-chain" => FusionDesign::PbsChain {},
        #[cfg(feature = "high-level-fhe")]
        "fheuint8" => FusionDesign::FheUint8 {},
        other => {
            let all: Vec<String> = FusionDesign::examples().iter().map(|d| d.leakage().scheme).collect();
            panic!("no design `{other}` in this build; there are {}", all.join(", "))
        }
    }
}

/// Processor seconds of all threads of this process.
fn cpu() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let of = |entry: std::fs::DirEntry| {
        std::fs::read_to_string(entry.path().join("schedstat")).unwrap_or_default()
    };
    let nanos =
        |text: String| text.split_whitespace().next().and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0);
    tasks.map(|entry| nanos(of(entry.unwrap()))).sum::<f64>() * 1e-9
}

/// Processor and wall seconds by seat.
#[derive(Default)]
struct Seats(Mutex<[(f64, f64); 3]>);

impl Stopwatch for Seats {
    fn run(&self, seat: Seat, work: &mut dyn FnMut()) {
        let (wall, start) = (Instant::now(), cpu());
        work();
        let sum = &mut self.0.lock().unwrap()[seat as usize];
        *sum = (sum.0 + cpu() - start, sum.1 + wall.elapsed().as_secs_f64());
    }
}

/// Every edge of the threshold first, then draws.
fn scores(platforms: u32, accounts: u64, at: u32) -> Vec<AccountScores> {
    let filled = |target: u32| {
        let mut rest = target;
        (0..platforms)
            .map(|_| {
                let score = rest.min(255);
                rest -= score;
                score
            })
            .collect::<Vec<u32>>()
    };
    let edges = [filled(0), filled(255 * platforms), filled(at - 1), filled(at), filled(at + 1)];
    (0..accounts)
        .map(|index| {
            let seed = Seed::root(7).derive("account", index);
            let drawn = |platform: u32| {
                u32::try_from(seed.derive("platform", u64::from(platform)).rng().below(256)).unwrap()
            };
            let edge = usize::try_from(index).ok().and_then(|at| edges.get(at).cloned());
            let scores = edge.unwrap_or_else(|| (0..platforms).map(drawn).collect());
            let account = plain_hash(&index.to_le_bytes());
            AccountScores { account, scores: scores.into_iter().map(Some).collect() }
        })
        .collect()
}

fn main() {
    let a = Arguments::parse();
    let at = a.at.unwrap_or((255 * a.platforms).div_ceil(2));
    rayon::ThreadPoolBuilder::new().num_threads(a.threads).build_global().unwrap();
    let accounts = scores(a.platforms, a.accounts, at);
    let spec = FusionSpec {
        max_score: 255,
        weights: vec![1; a.platforms as usize],
        bands: 2,
        openings_per_account: 1,
    };
    let start = cpu();
    let mut fusion = design(&a).build(spec).unwrap();
    let setup = cpu() - start;
    let seats = Seats::default();
    let fused = fusion.fuse(&FusionRule::Threshold { at }, &accounts, &seats).unwrap();
    let expected = accounts.iter().map(|a| u32::from(a.scores.iter().flatten().sum::<u32>() >= at));
    let exact = expected.eq(fused.values.iter().copied());
    let count = a.accounts as f64;
    let [platform, server, open] = seats.0.lock().unwrap().map(|(cpu, wall)| (cpu / count, wall / count));
    let (cost, profile) = (fused.cost, fusion.leakage());
    let line = serde_json::json!({
        "design": fusion.name(), "accounts": a.accounts, "platforms": a.platforms, "threads": a.threads,
        "exact": exact, "cpu_s_per_account": server.0, "wall_s_per_account": server.1,
        "encrypt_cpu_s_per_score": platform.0 / f64::from(a.platforms), "open_cpu_s_per_account": open.0,
        "setup_cpu_s": setup,
        "upload_bytes_per_score": cost.upload_bytes as f64 / count / f64::from(a.platforms),
        "server_bytes_per_account": cost.server_bytes as f64 / count,
        "share_bytes_per_account": cost.share_bytes as f64 / count, "rounds": cost.rounds,
        "leakage": profile.headline,
    });
    if a.json {
        println!("{line}");
    } else {
        println!("{line:#}");
    }
    assert!(exact, "an opened value is not the rule at the sum");
}
