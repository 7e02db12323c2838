//! Timings, off by default: `cargo test --release -p equipoise-eval --test timing -- --ignored --nocapture`.

use equipoise_core::Seed;
use equipoise_eval::laws::mixed;
use equipoise_eval::metric::{AveragePrecision, RecallAtBudget};
use equipoise_eval::{Bootstrap, Case, Metric, MetricSpec, assess, assess_all};

#[allow(clippy::disallowed_methods, clippy::print_stdout)] // A timing reads the clock and shows it.
fn milliseconds<T>(what: &str, run: impl Fn() -> T) {
    let best = (0..5).map(|_| {
        let start = std::time::Instant::now();
        std::hint::black_box(run());
        start.elapsed().as_secs_f64() * 1e3
    });
    println!("{what}: {:.2} ms", best.fold(f64::INFINITY, f64::min));
}

/// One case in a hundred harmful, scores with few ties.
fn rare(count: u32) -> Vec<Case> {
    let mut cases = mixed(Seed::root(1), count);
    for (index, case) in cases.iter_mut().enumerate() {
        case.harmful &= index % 33 == 0;
        let score = (case.score.get() + 0.37 * (index % 9973) as f32 / 9973.0).min(1.0);
        case.score = equipoise_core::RiskScore::new(score);
    }
    cases
}

#[test]
#[ignore = "prints timings, asserts nothing"]
fn timings() {
    let (large, usual) = (rare(100_000), rare(15_000));
    let bootstrap = Bootstrap::new(200, 0.95).unwrap();
    milliseconds("average precision, 100,000 cases", || AveragePrecision.compute(&large));
    milliseconds("200 resamples of average precision, 15,000 cases", || {
        assess(&AveragePrecision, &usual, &bootstrap, Seed::root(2))
    });
    milliseconds("200 resamples of recall, 15,000 cases", || {
        assess(&RecallAtBudget, &usual, &bootstrap, Seed::root(2))
    });
    let metrics: Vec<Box<dyn Metric>> = MetricSpec::examples().into_iter().map(MetricSpec::build).collect();
    let metrics: Vec<&dyn Metric> = metrics.iter().map(AsRef::as_ref).collect();
    milliseconds("200 resamples of every metric, 15,000 cases", || {
        assess_all(&metrics, &usual, &bootstrap, Seed::root(2))
    });
}
