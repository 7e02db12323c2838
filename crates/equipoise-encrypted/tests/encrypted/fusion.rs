//! Figures of the risk fusion for the benchmark page, all designs in one run:
//! `cargo test --release -p equipoise-encrypted --test encrypted -- --ignored --nocapture fusion` (with
//! `--features high-level-fhe` for the bootstrapping peers). CPU time of one thread, as in `measure`.

use crate::measure::{cpu_ms, mean};
use equipoise_encrypted::fusion::*;
use equipoise_federated::{Seat, Stopwatch};
use std::hint::black_box;
use std::sync::Mutex;
use std::time::Instant;

const HOLDERS: u32 = 3;
const AT: u32 = 383;

/// The edges of a threshold on three eight-bit scores, then scores in between.
fn accounts(count: usize) -> Vec<AccountScores> {
    let edges = [[0, 0, 0], [255, 255, 255], [255, 128, 0], [255, 127, 0], [0, 128, 255], [128, 128, 128]];
    (0..count)
        .map(|at| {
            let other =
                [at * 37 % 256, at * 101 % 256, at * 211 % 256].map(|score| u32::try_from(score).unwrap());
            let scores = edges.get(at).copied().unwrap_or(other).map(Some).to_vec();
            AccountScores { account: plain_hash(&at.to_le_bytes()), scores }
        })
        .collect()
}

fn spec() -> FusionSpec {
    FusionSpec { max_score: 255, weights: vec![1; 3], bands: 2, openings_per_account: 1 }
}

/// Milliseconds of this thread, by seat.
#[derive(Default)]
struct Seats(Mutex<[f64; 3]>);

impl Stopwatch for Seats {
    fn run(&self, seat: Seat, work: &mut dyn FnMut()) {
        let start = cpu_ms();
        work();
        self.0.lock().unwrap()[seat as usize] += cpu_ms() - start;
    }
}

/// Milliseconds an account: platforms, server, openers; whether all values were right; bytes of one score.
fn design(design: &FusionDesign, count: usize) -> ([f64; 3], bool, f64) {
    let mut fusion = design.build(spec()).unwrap();
    let (accounts, seats) = (accounts(count), Seats::default());
    let fused = fusion.fuse(&FusionRule::Threshold { at: AT }, &accounts, &seats).unwrap();
    let expected =
        accounts.iter().map(|account| u32::from(account.scores.iter().flatten().sum::<u32>() >= AT));
    #[allow(clippy::cast_precision_loss)]
    let (count, bytes) = (count as f64, fused.cost.upload_bytes as f64);
    let seats = seats.0.lock().unwrap().map(|ms| ms / count);
    (seats, expected.eq(fused.values), bytes / count / 3.0)
}

#[test]
#[ignore = "prints figures"]
fn figures_of_the_fusion() {
    // One thread, so that this thread's clock sees all work.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build().unwrap();
    pool.install(|| {
        for example in FusionDesign::examples() {
            let name = example.leakage().scheme;
            let count = match name.as_str() {
                "pbs-chain" => 12,
                "fheuint8" => 2,
                "plain" | "mpc" => 20_000,
                _ => 400,
            };
            let ([platform, server, open], exact, bytes) = design(&example, count);
            println!(
                "{name:12} {count:6} accounts: platforms {platform:10.4} ms, server {server:10.4} ms, openers {open:8.4} ms an account, {bytes:9.0} B a score, exact: {exact}"
            );
            assert!(exact, "{name}");
        }
    });
}

#[test]
#[ignore = "prints figures"]
fn figures_of_the_fusions_steps() {
    for params in FusionParams::ALL {
        let plan = FusionPlan::new(params, FusionKeys::Joint { holders: HOLDERS }, spec()).unwrap();
        println!(
            "{}: error 2^{:.1} (bound 2^{:.1}) of 2^{:.0}, smudging {:.1} bits, upload {} B",
            params.name(),
            plan.error_std_log2,
            plan.error_bound_log2,
            plan.margin_log2,
            plan.smudging_bits().unwrap(),
            plan.upload_bytes()
        );
        let public = FusionPublic::new(plan).unwrap();
        let joined: Vec<_> =
            (0..HOLDERS).map(|holder| FusionHolder::join(&public, holder).unwrap()).collect();
        let commitments: Vec<_> = joined.iter().map(|(_, commitment, _)| *commitment).collect();
        let parts: Vec<_> = joined.iter().map(|(_, _, part)| part.clone()).collect();
        let key = JointKey::combine(&public, &commitments, &parts).unwrap();
        let mut holder = joined.into_iter().next().unwrap().0;
        let platforms: Vec<_> = (0..3).map(|at| FusionPlatform::joint(&public, at, &key)).collect();
        let seal = mean(|| {
            black_box(platforms[0].seal(plain_hash(b"x"), 77).unwrap());
        });
        let uploads: Vec<Vec<ScoreUpload>> = accounts(64)
            .iter()
            .map(|account| {
                let scores = platforms.iter().zip(account.scores.iter().flatten());
                scores.map(|(platform, score)| platform.seal(account.account, *score).unwrap()).collect()
            })
            .collect();
        let server = FusionServer::new(&public);
        let rule = server.prepare(&FusionRule::Threshold { at: AT }.table(public.plan()).unwrap());
        let (mut workspace, mut at) = (server.workspace(), 0);
        let evaluate = mean(|| {
            black_box(server.evaluate(&rule, &uploads[at % 64], &mut workspace).unwrap());
            at += 1;
        });
        let bytes = uploads[0][0].to_bytes(&public);
        let read = mean(|| {
            black_box(ScoreUpload::from_bytes(&bytes, &public).unwrap());
        });
        let masks: Vec<FlagMask> =
            server.evaluate_all(&rule, &uploads).unwrap().into_iter().map(|(mask, _)| mask).collect();
        let start = cpu_ms();
        holder.answer(&masks, &mut Vec::new()).unwrap();
        let answer = (cpu_ms() - start) / 64.0;
        println!(
            "  seal {seal:.4} ms a score, read {read:.4} ms a score, evaluate {evaluate:.4} ms an account, answer {answer:.4} ms a flag"
        );
        // On one and on two threads, in turns. A busy machine makes the ratio of wall times look smaller; the ratio of
        // processor times says what a second thread costs in work.
        let many: Vec<Vec<ScoreUpload>> = (0..8).flat_map(|_| uploads.clone()).collect();
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            #[allow(clippy::disallowed_methods, reason = "a stopwatch for people")]
            let (start, cpu) = (Instant::now(), process_cpu_s());
            pool.install(|| black_box(server.evaluate_all(&rule, &many).unwrap()));
            (start.elapsed().as_secs_f64(), process_cpu_s() - cpu)
        };
        let best = |threads: usize| {
            (0..5)
                .map(|_| run(threads))
                .fold((f64::INFINITY, f64::INFINITY), |(wall, cpu), (w, c)| (wall.min(w), cpu.min(c)))
        };
        let ((one, one_cpu), (two, two_cpu)) = (best(1), best(2));
        println!(
            "  512 accounts: {one:.4} s on one thread, {two:.4} s on two: {:.2} times; processor {one_cpu:.2} s and {two_cpu:.2} s",
            one / two
        );
    }
}

/// Processor seconds of this process, all threads, in ticks of a hundredth.
fn process_cpu_s() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = text.rsplit(')').next().unwrap().split_whitespace();
    fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}
