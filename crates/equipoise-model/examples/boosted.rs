//! Times fits of boosted trees: `RAYON_NUM_THREADS=2 cargo run --release -p equipoise-model --example boosted [repeats]`.
//! The same bytes of data as `benches/peers/boosted_sklearn.py time`; trust the ratio of the two, run in turn.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods, // It measures.
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss
)]

use equipoise_core::{Fraction, Seed};
use equipoise_model::Rows;
use equipoise_model::boosted::{Binning, Boosted, BoostedSpec};
use std::time::Instant;

const COLUMNS: u64 = 88;

/// 24 random bits in `[0, 1)` by address (SplitMix64): what the peer's script draws.
fn uniform(address: u64) -> f64 {
    let z = address.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 40) as f64 / f64::from(1 << 24)
}

fn table(rows: u64, mixed: bool) -> (Vec<f32>, Vec<f32>) {
    let cell = |row: u64, column: u64| {
        let u = uniform(row * 128 + column);
        (match column % 4 {
            1 if mixed => (8.0 * u * u * u).floor(),
            2 if mixed => f64::from(u8::from(u < 0.1)),
            3 if mixed && u < 0.2 => f64::NAN,
            _ => u,
        }) as f32
    };
    let label = |row: u64| {
        let [a, b, c] = [0, 1, 2].map(|column| uniform(row * 128 + column));
        let p = 0.05 + 0.9 * a * b * f64::from(u8::from(c > 0.3));
        f32::from(u8::from(uniform(row * 128 + 100) < p))
    };
    let values = (0..rows).flat_map(|row| (0..COLUMNS).map(move |column| cell(row, column))).collect();
    (values, (0..rows).map(label).collect())
}

/// What all threads of this process have used, to a hundredth of a second (Linux; 0 elsewhere).
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
    fields.map(|ticks| ticks.parse::<f64>().unwrap_or(0.0) / 100.0).sum()
}

fn main() {
    let repeats: usize = std::env::args().nth(1).map_or(5, |text| text.parse().unwrap());
    let spec = BoostedSpec {
        rounds: 100,
        learning_rate: 0.1,
        max_leaves: 31,
        max_depth: 1000,
        min_samples_leaf: 20,
        min_hessian: 1e-3,
        min_gain: 0.0,
        l2: 0.0,
        binning: Binning::Quantile { bins: 255 },
        row_share: Fraction::new(1.0).unwrap(),
        column_share: Fraction::new(1.0).unwrap(),
    };
    for (kind, mixed) in [("dense", false), ("mixed", true)] {
        let (values, labels) = table(40_000, mixed);
        let half = 20_000;
        let cut = half * COLUMNS as usize;
        let rows = Rows {
            columns: COLUMNS as usize,
            values: &values[..cut],
            labels: &labels[..half],
            weights: &vec![1.0; half],
        };
        let (mut times, mut processor) = (Vec::new(), f64::INFINITY);
        let mut model = None;
        for _ in 0..repeats {
            let (start, busy) = (Instant::now(), processor_seconds());
            model = Some(Boosted::fit(&rows, &spec, Seed::root(1)).unwrap());
            times.push(start.elapsed().as_secs_f64());
            processor = processor.min(processor_seconds() - busy);
        }
        times.sort_by(f64::total_cmp);
        let start = Instant::now();
        let scores = model.unwrap().score(COLUMNS as usize, &values[cut..]).unwrap();
        let predict = start.elapsed().as_secs_f64() * 1e6 / half as f64;
        let loss = scores
            .iter()
            .zip(&labels[half..])
            .map(|(&score, &label)| -f64::from(if label > 0.5 { score } else { 1.0 - score }).ln());
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        println!(
            "{kind:5}: fit {:.3} s fastest, {:.3} s median of {repeats}, processor {processor:.2} s; score {predict:.2} us/row; log loss {:.5}; {} threads, load {}",
            times[0],
            times[repeats / 2],
            loss.sum::<f64>() / half as f64,
            rayon::current_num_threads(),
            load.split(' ').next().unwrap_or("unknown"),
        );
    }
}
