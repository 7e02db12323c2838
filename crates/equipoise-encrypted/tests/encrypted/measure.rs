//! Figures for the benchmark page: `cargo test --release -p equipoise-encrypted --test encrypted -- --ignored --nocapture`.
//!
//! Times are CPU time of one thread (`/proc/thread-self/schedstat`), means over a third of a second, so that a busy
//! machine spoils them less than a wall clock; caches and cores are still shared: trust ratios before absolutes.

use crate::common::{integers, outgoing, scheme, seal, spec};
use equipoise_core::Seed;
use equipoise_encrypted::{
    Accumulator, KeyHolder, OneShot, PlatformKey, Public, Share, SharedKeyGlwe, Smudging, Upload,
};
use equipoise_federated::{CohortRecord, SecureSum, Setup, Wire};
use std::hint::black_box;
use tfhe::core_crypto::prelude::*;

const D: usize = 100_000;

type Parties = Setup<Public, PlatformKey, KeyHolder>;

/// CPU milliseconds that this thread has used.
pub(crate) fn cpu_ms() -> f64 {
    // The scheduler brings the counter up to date when a thread yields, else a few hundred times a second.
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1e6
}

/// CPU milliseconds of one `work`: the mean over a window of a third of a second, because the counter ticks coarsely.
pub(crate) fn mean(mut work: impl FnMut()) -> f64 {
    work();
    let (start, mut runs) = (cpu_ms(), 0.0);
    while cpu_ms() - start < 330.0 {
        work();
        runs += 1.0;
    }
    (cpu_ms() - start) / runs
}

/// `encrypt_seeded_glwe_ciphertext_list`, the form that tfhe users would pick.
fn stock_encrypt(polynomials: usize) -> f64 {
    let mut seeder = new_seeder();
    let seeder = seeder.as_mut();
    let mut secret = SecretRandomGenerator::<DefaultRandomGenerator>::new(seeder.seed());
    let size = PolynomialSize(4096);
    let key = allocate_and_generate_new_binary_glwe_secret_key::<u64, _>(GlweDimension(1), size, &mut secret);
    let plain = PlaintextList::new(7_u64 << 40, PlaintextCount(4096 * polynomials));
    let native = CiphertextModulus::new_native();
    mean(|| {
        let count = GlweCiphertextCount(polynomials);
        let mut list =
            SeededGlweCiphertextList::new(0_u64, GlweSize(2), size, count, seeder.seed().into(), native);
        encrypt_seeded_glwe_ciphertext_list(&key, &mut list, &plain, TUniform::new(3), seeder);
        black_box(&list);
    })
}

/// Adds `clients` plain vectors of `f32`, one after the other, as a plain server would.
fn plain_adds(clients: u32) -> f64 {
    let updates: Vec<Vec<f32>> = (0..clients).map(|_| vec![0.5; D]).collect();
    let mut sum = vec![0.0_f32; D];
    mean(|| {
        sum.fill(0.0);
        for update in &updates {
            sum.iter_mut().zip(update).for_each(|(s, u)| *s += u);
        }
        black_box(&sum);
    })
}

/// A key holder's milliseconds per opening, and the server's for decoding. A round opens once, so several are made.
fn opening(parties: &mut Parties, values: &[i64]) -> (f64, f64) {
    let clients = parties.public.spec().max_clients;
    let rounds = 400 / clients;
    let sums: Vec<Accumulator> = (1..=rounds)
        .map(|round| {
            let mut sum = scheme().empty(&parties.public, round);
            for client in 0..clients {
                let upload = seal(parties, &outgoing(round, client, 1, values.to_vec()));
                sum.add(&parties.public, &upload).unwrap();
            }
            sum
        })
        .collect();
    let (public, holder) = (&parties.public, &mut parties.holders[0]);
    let start = cpu_ms();
    let mut shares: Vec<Share> = (1..=rounds)
        .zip(&sums)
        .map(|(round, sum)| {
            holder.open_round(public, sum, &CohortRecord { round, clients: sum.clients() }).unwrap()
        })
        .collect();
    let opened = (cpu_ms() - start) / f64::from(rounds);
    let (last, share) = (sums.last().unwrap(), [shares.pop().unwrap()]);
    let total = scheme().open(public, last.clone(), &share).unwrap();
    assert!(total.values.iter().zip(values).all(|(t, v)| *t == v * i64::from(clients)));
    let decoded = mean(|| {
        black_box(scheme().open(public, last.clone(), &share).unwrap());
    });
    (opened, decoded)
}

/// Megabytes a second of the bare BLAKE3 output, one mask polynomial at a time.
fn mask_rate() -> f64 {
    let mut bytes = vec![0_u8; 8 * 4096];
    let mut stream = blake3::Hasher::new().update(b"rate").finalize_xof();
    let ms = mean(|| {
        for _ in 0..100 {
            stream.fill(black_box(&mut bytes));
        }
    });
    3.2768 / (ms / 1e3)
}

#[allow(clippy::print_stdout, reason = "the figures are the point")]
fn report(clients: u32, bits: u8) {
    let spec = spec(D, bits, 1, clients);
    let fast = SharedKeyGlwe::default();
    let mut parties = fast.setup(&spec).unwrap();
    let most = (1_i64 << (bits - 1)) - 1;
    let values = integers(Seed::root(1), D, most);
    let uploads: Vec<Upload> = (0..clients)
        .map(|client| {
            let update = outgoing(0, client, 1, values.clone());
            fast.protect(&parties.public, &mut parties.clients[client as usize], &update).unwrap()
        })
        .collect();
    let update = outgoing(0, 0, 1, values.clone());
    let sealed = mean(|| {
        black_box(fast.protect(&parties.public, &mut parties.clients[0], &update).unwrap());
    });
    let slow = SharedKeyGlwe::with_stock_products();
    let mut peer = slow.setup(&spec).unwrap();
    let seal_slow = mean(|| {
        black_box(slow.protect(&peer.public, &mut peer.clients[0], &update).unwrap());
    });
    let plan = fast.plan(&spec).unwrap();
    let stock = stock_encrypt(plan.polynomials as usize);
    let public = &parties.public;
    let streamed = mean(|| {
        let mut sum = scheme().empty(public, 0);
        uploads.iter().for_each(|upload| sum.add(public, upload).unwrap());
        black_box(&sum);
    });
    let batched = mean(|| {
        let mut sum = scheme().empty(public, 0);
        sum.add_all(public, &uploads).unwrap();
        black_box(&sum);
    });
    let (opened, decoded) = opening(&mut parties, &values);
    let plain = plain_adds(clients);
    #[allow(clippy::cast_precision_loss)]
    let bytes = plan.upload_bytes as f64 / D as f64;
    println!(
        "P={clients} b={bits} {}x{} slots, {bytes:.3} B/param: seal {sealed:.3} ms (Karatsuba {seal_slow:.2}, stock core_crypto {stock:.2}), \
         server add {batched:.3} ms batched / {streamed:.3} streamed (plain f32 {plain:.3}), key holder {opened:.2} ms once, decode {decoded:.2} ms",
        plan.slots, plan.width_bits
    );
}

#[test]
#[ignore = "prints timings"]
fn figures_for_a_hundred_thousand_parameters() {
    println!("load {}", std::fs::read_to_string("/proc/loadavg").unwrap().trim());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    println!("BLAKE3 output {:.0} MB/s", pool.install(mask_rate));
    pool.install(|| {
        [(5, 16), (50, 12), (50, 16)].into_iter().for_each(|(clients, bits)| report(clients, bits))
    });
    println!("load {}", std::fs::read_to_string("/proc/loadavg").unwrap().trim());
}

/// The fastest of twenty samples of each of two works, turn about, so that a busy machine spoils both alike.
fn fastest_pair(mut one: impl FnMut(), mut other: impl FnMut()) -> (f64, f64) {
    let sample = |work: &mut dyn FnMut()| {
        let before = cpu_ms();
        (0..6).for_each(|_| work());
        (cpu_ms() - before) / 6.0
    };
    (0..20).fold((f64::MAX, f64::MAX), |(a, b), _| (a.min(sample(&mut one)), b.min(sample(&mut other))))
}

#[allow(clippy::print_stdout, reason = "the figures are the point")]
fn report_one_shot(clients: u32, bits: u8, smudging: Smudging) {
    let scheme = OneShot::new(3, 2, smudging);
    let spec = spec(D, bits, 1, clients);
    let mut parties = scheme.setup(&spec).unwrap();
    let values = integers(Seed::root(1), D, (1_i64 << (bits - 1)) - 1);
    let uploads: Vec<_> = (0..clients)
        .map(|client| {
            let update = outgoing(0, client, 1, values.clone());
            scheme.protect(&parties.public, &mut parties.clients[client as usize], &update).unwrap()
        })
        .collect();
    let update = outgoing(0, 0, 1, values.clone());
    let sealed = mean(|| {
        black_box(scheme.protect(&parties.public, &mut parties.clients[0], &update).unwrap());
    });
    let bytes: usize = uploads.iter().map(|upload| upload.to_bytes().len()).sum();
    // What no adding server can beat: one pass over as many words as the uploads hold.
    let memory = vec![1_u64; bytes / 8];
    let (batched, pass) = fastest_pair(
        || {
            let mut sum = scheme.empty(&parties.public, 0);
            sum.add_all(&parties.public, &uploads).unwrap();
            black_box(&sum);
        },
        || {
            black_box(black_box(&memory).iter().fold(0_u64, |sum, word| sum.wrapping_add(*word)));
        },
    );
    // A round opens once: as many rounds as a stable figure needs, all with the same uploads relabelled by the API.
    let rounds = 40;
    let sums: Vec<_> = (1..=rounds)
        .map(|round| {
            let mut sum = scheme.empty(&parties.public, round);
            for client in 0..2 {
                let update = outgoing(round, client, 1, values.clone());
                let upload =
                    scheme.protect(&parties.public, &mut parties.clients[client as usize], &update).unwrap();
                scheme.accumulate(&parties.public, &mut sum, &upload).unwrap();
            }
            sum
        })
        .collect();
    let public = &parties.public;
    let (mut answering, mut opening, mut reply) = (0.0, 0.0, 0);
    for (round, sum) in (1..=rounds).zip(sums) {
        let cohort = CohortRecord { round, clients: sum.clients() };
        let before = cpu_ms();
        let answers: Vec<_> = parties
            .holders
            .iter_mut()
            .map(|holder| scheme.partial_open(public, holder, &sum, &cohort).unwrap())
            .collect();
        answering += cpu_ms() - before;
        reply = answers[0].wire_bytes();
        let before = cpu_ms();
        let total = scheme.open(public, sum, &answers).unwrap();
        opening += cpu_ms() - before;
        assert!(total.values.iter().zip(&values).all(|(total, value)| *total == 2 * value));
    }
    #[allow(clippy::cast_precision_loss)]
    let per_param = bytes as f64 / f64::from(clients) / D as f64;
    println!(
        "one-shot P={clients} b={bits} {smudging:?}: {per_param:.3} B/param, client {sealed:.3} ms, server add {batched:.3} ms \
         (read pass of the same bytes {pass:.3}), key holder {:.3} ms and {reply} B, open {:.3} ms",
        answering / f64::from(rounds) / 3.0,
        opening / f64::from(rounds)
    );
}

#[test]
#[ignore = "prints timings"]
fn one_shot_figures_for_a_hundred_thousand_parameters() {
    println!("load {}", std::fs::read_to_string("/proc/loadavg").unwrap().trim());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let total = Smudging::Total { rounds: 1000 };
    pool.install(|| {
        for (clients, bits) in [(5, 16), (50, 12)] {
            report_one_shot(clients, bits, total);
            report_one_shot(clients, bits, Smudging::PerCoefficient {});
        }
    });
    println!("load {}", std::fs::read_to_string("/proc/loadavg").unwrap().trim());
}

#[cfg(feature = "prio3")]
#[test]
#[ignore = "prints timings"]
#[allow(clippy::cast_precision_loss)]
fn prio3_figures_for_ten_thousand_parameters() {
    use equipoise_encrypted::prio3::Prio3;
    let (len, clients) = (10_000, 3);
    let spec = spec(len, 8, 1, clients);
    let mut parties = Prio3.setup(&spec).unwrap();
    let values = integers(Seed::root(1), len, 127);
    let mut sum = Prio3.empty(&parties.public, 0);
    let (mut sharding, mut verifying, mut bytes) = (0.0, 0.0, 0);
    for client in 0..clients {
        let update = outgoing(0, client, 1, values.clone());
        let before = cpu_ms();
        let upload = Prio3.protect(&parties.public, &mut parties.clients[client as usize], &update).unwrap();
        sharding += cpu_ms() - before;
        bytes = upload.wire_bytes();
        let before = cpu_ms();
        Prio3.accumulate(&parties.public, &mut sum, &upload).unwrap();
        verifying += cpu_ms() - before;
    }
    let cohort = CohortRecord { round: 0, clients: (0..clients).collect() };
    let share = Prio3.partial_open(&parties.public, &mut parties.holders[0], &sum, &cohort).unwrap();
    let total = Prio3.open(&parties.public, sum, &[share]).unwrap();
    assert!(total.values.iter().zip(&values).all(|(total, value)| *total == 3 * value));
    println!(
        "prio3 D={len} b=8: client {:.1} ms, first aggregator {:.1} ms a report, {:.1} B/param; load {}",
        sharding / f64::from(clients),
        verifying / f64::from(clients),
        bytes as f64 / len as f64,
        std::fs::read_to_string("/proc/loadavg").unwrap().trim()
    );
}
