//! What does a sum cost each seat? One scheme, whole rounds through the session that a federation drives, one JSON line.
//!
//! `cargo run --release -p equipoise-benches --bin secure_sum -- --scheme one-shot --parties 50 --len 100000 --json FILE`
//!
//! Times are processor seconds of one thread (`/proc/thread-self/schedstat`), means over all rounds. `client_cpu_s` is one platform's
//! round (with what it prepares), `server_cpu_s` all additions of a round, `key_holder_cpu_s` one holder's answer, `open_cpu_s`
//! the rest of the opening. `prio3` and `naive-fheint` need the features of the same names (`prio3`, `high-level-fhe`).
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::disallowed_methods)] // A stopwatch for people.
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // Counts of a benchmark.

use clap::Parser;
use equipoise_core::{ClipNorm, Seed};
use equipoise_encrypted::{SchemeSpec, Smudging};
use equipoise_federated::laws::random_integers;
use equipoise_federated::{DynSecureSum, Seat, Stopwatch, VectorSpec};
use equipoise_privacy::{LocalUpdate, OutgoingUpdate, Quantizer};
use std::path::PathBuf;
use std::sync::Mutex;

#[derive(Debug, Parser)]
struct Arguments {
    /// plain, masked, shared-key, one-shot, joint-key, prio3 or naive-fheint
    #[arg(long, default_value = "one-shot")]
    scheme: String,
    #[arg(long, default_value_t = 50)]
    parties: u32,
    #[arg(long, default_value_t = 100_000)]
    len: usize,
    /// Signed bits of one integer
    #[arg(long, default_value_t = 12)]
    bits: u8,
    #[arg(long, default_value_t = 3)]
    key_holders: u32,
    /// Rounds that total smudging holds for; without it, each coefficient alone
    #[arg(long)]
    smudged_rounds: Option<u32>,
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// File that the JSON line is added to
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Processor seconds of this thread.
fn cpu() -> f64 {
    // The scheduler brings the counter up to date when a thread yields, else a few hundred times a second.
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// Seconds and calls by seat, in the order of a round: platforms, additions, holders, opening.
#[derive(Debug, Default)]
struct Seats(Mutex<Times>);

#[derive(Debug, Default)]
struct Times {
    platform: f64,
    additions: f64,
    holder: f64,
    opening: f64,
    added: u32,
    answers: u32,
}

struct Watch<'a> {
    seats: &'a Seats,
    parties: u32,
}

impl Stopwatch for Watch<'_> {
    fn run(&self, seat: Seat, work: &mut dyn FnMut()) {
        let before = cpu();
        work();
        let spent = cpu() - before;
        let mut times = self.seats.0.lock().unwrap();
        match seat {
            Seat::Platform => times.platform += spent,
            Seat::KeyHolder => {
                times.holder += spent;
                times.answers += 1;
            }
            // The server adds every upload of a round, then opens.
            Seat::Server if times.added % (self.parties + 1) < self.parties => {
                times.additions += spent;
                times.added += 1;
            }
            Seat::Server => {
                times.opening += spent;
                times.added += 1;
            }
        }
    }
}

fn scheme(a: &Arguments) -> Result<SchemeSpec, String> {
    let smudging = a.smudged_rounds.map_or(Smudging::PerCoefficient {}, |rounds| Smudging::Total { rounds });
    let (key_holders, cohort_floor) = (a.key_holders, 2);
    let name = match a.scheme.as_str() {
        "one-shot" => return Ok(SchemeSpec::OneShot { key_holders, cohort_floor, smudging }),
        "joint-key" => return Ok(SchemeSpec::JointKey { key_holders, cohort_floor, smudging }),
        "masked" => return Ok(SchemeSpec::PairwiseMasking { threshold: (2 * a.parties).div_ceil(3) }),
        "shared-key" => "shared-key-glwe",
        other => other,
    };
    let mut all = SchemeSpec::examples();
    all.extend(SchemeSpec::comparisons());
    all.into_iter().find(|spec| spec.build().name() == name).ok_or_else(|| {
        format!(
            "no scheme `{name}` in this build; prio3 and naive-fheint need --features prio3,high-level-fhe"
        )
    })
}

/// An update that holds exactly `values`.
fn outgoing(round: u32, client: u32, values: &[i32], quantizer: &Quantizer) -> OutgoingUpdate {
    let real: Vec<f32> = values.iter().map(|&value| value as f32).collect();
    let wide = ClipNorm::new(1e12).unwrap();
    LocalUpdate::new(real).clip_l2(wide).quantise(quantizer, 1).without_noise(round, client)
}

/// Processor seconds of one pass that reads as many bytes as a round's uploads and adds them up.
fn read_pass(bytes: usize) -> f64 {
    let words = vec![1_u64; bytes / 8];
    let sum = |words: &[u64]| words.iter().fold(0_u64, |sum, word| sum.wrapping_add(*word));
    let (mut best, mut runs) = (f64::MAX, 0);
    while runs < 30 {
        let before = cpu();
        (0..8).for_each(|_| {
            std::hint::black_box(sum(std::hint::black_box(&words)));
        });
        let spent = (cpu() - before) / 8.0;
        if spent > 0.0 {
            best = best.min(spent);
        }
        runs += 1;
    }
    best
}

fn measure(a: &Arguments) -> Result<serde_json::Value, String> {
    let spec = scheme(a)?;
    let scheme: Box<dyn DynSecureSum> = spec.build();
    let most = (1_i64 << (a.bits - 1)) - 1;
    let quantizer = Quantizer { clip_abs: most as f32, bits: a.bits };
    let vector = VectorSpec { len: a.len, quantizer, max_weight: 1, max_clients: a.parties };
    let plan = scheme.plan(&vector).map_err(|error| error.to_string())?;
    let mut session = scheme.session(&vector).map_err(|error| error.to_string())?;
    let values: Vec<Vec<i32>> = (0..a.parties)
        .map(|client| {
            let drawn = random_integers(Seed::root(1).derive("client", u64::from(client)), a.len);
            drawn.into_iter().map(|value| value % (most as i32 + 1)).collect()
        })
        .collect();
    let mut wanted = vec![0_i64; a.len];
    for own in &values {
        wanted.iter_mut().zip(own).for_each(|(sum, value)| *sum += i64::from(*value));
    }
    let seats = Seats::default();
    let (mut exact, mut upload, mut share) = (true, 0, 0);
    for round in 0..a.rounds {
        let updates: Vec<_> =
            (0..a.parties).map(|c| outgoing(round, c, &values[c as usize], &vector.quantizer)).collect();
        let watch = Watch { seats: &seats, parties: a.parties };
        let (sum, cost) = session.sum(round, &updates, &watch).map_err(|error| error.to_string())?;
        exact &= sum.values == wanted;
        upload += cost.upload_bytes;
        share += cost.share_bytes;
    }
    let times = seats.0.lock().unwrap();
    let (rounds, parties) = (f64::from(a.rounds), f64::from(a.parties));
    let answers = f64::from(times.answers.max(1));
    Ok(serde_json::json!({
        "scheme": scheme.name(), "parties": a.parties, "len": a.len, "bits": a.bits, "rounds": a.rounds,
        "slots": plan.slots, "width_bits": plan.width_bits,
        "client_cpu_s": times.platform / rounds / parties,
        "server_cpu_s": times.additions / rounds,
        "key_holder_cpu_s": times.holder / answers,
        "open_cpu_s": times.opening / rounds,
        "upload_bytes_per_param": upload as f64 / rounds / parties / a.len as f64,
        "share_bytes_per_holder": share as f64 / answers,
        "read_pass_cpu_s": read_pass((upload as f64 / rounds) as usize),
        "exact": exact,
        "headline": scheme.leakage().headline,
        "load": std::fs::read_to_string("/proc/loadavg").unwrap().trim(),
    }))
}

fn main() {
    let arguments = Arguments::parse();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    match pool.install(|| measure(&arguments)) {
        Ok(line) => {
            println!("{line}");
            if let Some(path) = &arguments.json {
                use std::io::Write;
                let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
                writeln!(file, "{line}").unwrap();
            }
        }
        Err(why) => {
            println!("{why}");
            std::process::exit(2);
        }
    }
}
