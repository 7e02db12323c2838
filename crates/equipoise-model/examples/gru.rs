//! Times a training step of the recurrent unit, [64 rows, 128 steps, 16 features], hidden 32, one thread, beside burn's own and the measured peak
//! of the product that it stands on: `cargo run --release -p equipoise-model --example gru`. The peer on the same numbers and
//! weights is `benches/peers/sequences_torch.py`; both print the losses of the first and the last of 21 steps, which must agree.
//!
//! Processor time, fastest window; trust ratios, and say the load.
#![allow(
    missing_docs,
    unsafe_code,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss
)] // An example that measures; the peak is that of the product itself.

use equipoise_core::Seed;
use equipoise_model::{
    Backward, Codebook, Loss, ModelSpec, Optimiser, Sequences, Steps, TrainConfig, Trainer,
};

const ROWS: usize = 64;
const STEPS: usize = 128;
const COLUMNS: usize = 16;
const HIDDEN: usize = 32;

/// 24 random bits of an address as a number in [-1, 1) (SplitMix64), as the peer has them.
fn uniform(address: u64) -> f32 {
    let mut z = address.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 40) as f32 / (1 << 23) as f32 - 1.0
}

/// Processor seconds of this process, user and system, from the kernel's books, which it brings up to date a few hundred times a second:
/// what is timed should take a hundred times as long.
fn processor_seconds() -> f64 {
    let books = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    books.split_whitespace().next().unwrap().parse::<f64>().unwrap() * 1e-9
}

/// Fastest of `windows` windows of `count` calls, milliseconds a call.
fn fastest(windows: usize, count: usize, mut work: impl FnMut()) -> f64 {
    work();
    let mut window = || {
        let start = processor_seconds();
        (0..count).for_each(|_| work());
        (processor_seconds() - start) * 1e3 / count as f64
    };
    (0..windows).map(|_| window()).fold(f64::INFINITY, f64::min)
}

fn main() {
    let values = (0..ROWS * STEPS * COLUMNS).map(|at| uniform(at as u64)).collect();
    let codebook = Codebook::new(COLUMNS, values).unwrap();
    let codes: Vec<u16> = (0..(ROWS * STEPS) as u16).collect();
    let ends: Vec<u32> = (1..=ROWS).map(|row| (row * STEPS) as u32).collect();
    let labels: Vec<f32> = (0..ROWS).map(|row| (row % 2) as f32).collect();
    let steps = Steps { codebook: &codebook, codes: &codes, ends: &ends };
    let data = Sequences { steps, labels: &labels, weights: &[1.0; ROWS] };
    let spec = ModelSpec::Gru { hidden: HIDDEN as u16 };
    let initial: Vec<f32> =
        (0..spec.parameters(COLUMNS)).map(|at| 0.17 * uniform(1_000_000 + at as u64)).collect();
    let config = |epochs| TrainConfig {
        trainer: Backward::Fused,
        epochs,
        batch: ROWS as u16,
        learning_rate: 0.1,
        weight_decay: 0.0,
        positive_weight: 1.0,
        loss: Loss::CrossEntropy {},
        optimiser: Optimiser::Sgd { momentum: 0.0 },
    };
    let mut fused = Trainer::new(&spec, COLUMNS).unwrap();
    let mut burn = Trainer::with(&spec, COLUMNS, Backward::Burn).unwrap();
    let mut weights = initial.clone();
    let stats = fused.train(&mut weights, &data, &config(21), Seed::root(1)).unwrap();
    println!("losses {:.6} {:.6}", stats.loss_first, stats.loss_last);
    let ours = fastest(12, 100, || {
        fused.train(&mut weights, &data, &config(1), Seed::root(1)).unwrap();
    });
    let score = fastest(12, 200, || drop(fused.score_sequences(&weights, &steps).unwrap()));
    let reference = fastest(5, 8, || {
        burn.train(&mut weights, &data, &config(1), Seed::root(1)).unwrap();
    });
    let gates = 3 * HIDDEN;
    let flop = 2 * ROWS * STEPS * gates * (2 * COLUMNS + 3 * HIDDEN) - 2 * 2 * ROWS * gates * HIDDEN;
    let peak = peak();
    let rate = flop as f64 / (ours * 1e6);
    println!(
        "training step {ours:.3} ms, {rate:.1} GFLOP/s ({:.0}% of the product's peak of {peak:.1}); scoring {score:.3} ms; burn {reference:.1} ms ({:.1}x)",
        100.0 * rate / peak,
        reference / ours
    );
}

/// Operations a second of the product on 1024 x 1024 matrices.
fn peak() -> f64 {
    let n = 1024;
    let (a, b, mut c) = (vec![0.5_f32; n * n], vec![0.25_f32; n * n], vec![0.0_f32; n * n]);
    let (one, across) = (1, n as isize);
    let best = fastest(5, 20, || {
        // SAFETY: all three are n x n and apart from each other.
        unsafe {
            gemm::gemm(
                n,
                n,
                n,
                c.as_mut_ptr(),
                one,
                across,
                false,
                a.as_ptr(),
                one,
                across,
                b.as_ptr(),
                one,
                across,
                0.0,
                1.0,
                false,
                false,
                false,
                gemm::Parallelism::None,
            );
        }
    });
    2.0 * (n * n * n) as f64 / (best * 1e6)
}
