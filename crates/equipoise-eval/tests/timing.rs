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

/// Nanoseconds that this thread has been on a processor: what a loaded machine does not inflate.
fn processor_nanoseconds() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux says");
    text.split(' ').next().and_then(|first| first.parse().ok()).expect("the first field is a number")
}

/// A million rows that `benches/peers/metrics_timing.py` makes too: a multiplicative hash as score, a second as chance.
#[test]
#[ignore = "prints timings, asserts nothing"]
#[allow(clippy::print_stdout)]
fn a_million_scores() {
    use equipoise_eval::table::{ScoredTable, average_precision, brier, roc_auc};
    let hash = |row: u64, by: u64| f64::from((row.wrapping_mul(by) & 0xFFFF_FFFF) as u32) / 4_294_967_296.0;
    for (name, levels) in [("distinct", 0.0), ("1000-levels", 1000.0)] {
        let scores: Vec<f64> = (0..1_000_000)
            .map(|row| hash(row, 2_654_435_761))
            .map(|score| if levels > 0.0 { (score * levels).floor() / levels } else { score })
            .collect();
        let labels: Vec<bool> =
            (0..1_000_000).map(|row| hash(row, 2_246_822_519) < 0.02 * hash(row, 2_654_435_761)).collect();
        let mut best = [f64::INFINITY; 2];
        let mut values = [0.0; 3];
        for _ in 0..7 {
            let start = processor_nanoseconds();
            let table = std::hint::black_box(ScoredTable::new(&scores, &labels, None).unwrap());
            let sorted = processor_nanoseconds();
            values = [average_precision(&table).unwrap(), roc_auc(&table).unwrap(), brier(&table).unwrap()];
            let end = processor_nanoseconds();
            for (best, spent) in best.iter_mut().zip([end - start, sorted - start]) {
                *best = best.min(spent as f64 / 1e6);
            }
        }
        let [ap, auc, brier] = values;
        println!("{name} all_ms={:.2} sort_ms={:.2} ap={ap:?} auc={auc:?} brier={brier:?}", best[0], best[1]);
    }
}
