//! Times rounds of federated averaging, whole: train, clip, quantise, sum, step. The arguments and the JSON line of
//! `benches/peers/fl_peers.py`, so that both can be timed in one run on equal data (`--data`, dumped by that script).
//!
//! `cargo run --release -p equipoise-benches --bin fl_round -- --data DIR --rounds 100 --json FILE`
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::disallowed_methods)] // A stopwatch for people.
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // Counts of a benchmark.

use clap::Parser;
use equipoise_core::{ClipNorm, Fraction, Params, Seed, to_change};
use equipoise_federated::{
    Aggregation, CohortSpec, Contribution, Divisor, DynSecureSum, FedAvg, Federation, FederationState,
    LocalTrainer, NoCompression, Outcome, Plain, RoundCtx, ScheduleSpec, ServerSgd, TrainError, TrainStats,
    TrainerFactory, Untimed, VectorSpec,
};
use equipoise_model::{Backward, ModelSpec, Optimiser, Rows, TrainConfig, Trainer};
use equipoise_privacy::{MechanismSpec, NoNoiseSpec, Quantizer, Rounding};
use std::path::{Path, PathBuf};
use std::time::Instant;

#[derive(Debug, Parser)]
struct Arguments {
    #[arg(long, default_value_t = 200)]
    clients: u32,
    #[arg(long, default_value_t = 250)]
    rows: usize,
    #[arg(long, default_value_t = 64)]
    features: usize,
    #[arg(long, default_value = "128,64", value_delimiter = ',')]
    hidden: Vec<u16>,
    #[arg(long, default_value_t = 50)]
    batch: u16,
    #[arg(long, default_value_t = 1)]
    epochs: u16,
    #[arg(long, default_value_t = 20)]
    cohort: u32,
    #[arg(long, default_value_t = 20)]
    rounds: u32,
    #[arg(long, default_value_t = 0.1)]
    lr: f64,
    #[arg(long, default_value_t = 7)]
    seed: u64,
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// `fused` or `burn`
    #[arg(long, default_value = "fused")]
    trainer: String,
    /// Directory of x, y, tx, ty and w0 as little-endian f32
    #[arg(long)]
    data: PathBuf,
    /// File that the JSON line is added to
    #[arg(long)]
    json: Option<PathBuf>,
}

struct Clients {
    spec: ModelSpec,
    config: TrainConfig,
    count: u32,
    rows: usize,
    features: usize,
    x: Vec<f32>,
    y: Vec<f32>,
    ones: Vec<f32>,
}

impl Clients {
    fn rows_of(&self, client: u32) -> Rows<'_> {
        let from = client as usize * self.rows;
        Rows {
            columns: self.features,
            values: &self.x[from * self.features..(from + self.rows) * self.features],
            labels: &self.y[from..from + self.rows],
            weights: &self.ones,
        }
    }
}

struct Worker<'a>(&'a Clients, Trainer);

impl LocalTrainer for Worker<'_> {
    fn train(
        &mut self,
        global: &[f32],
        client: u32,
        ctx: &RoundCtx<'_>,
        update: &mut [f32],
    ) -> Result<TrainStats, TrainError> {
        update.copy_from_slice(global);
        let stats = self
            .1
            .train(update, &self.0.rows_of(client), &self.0.config, ctx.seed)
            .map_err(|error| TrainError { client, round: ctx.round, reason: error.to_string() })?;
        to_change(update, global);
        Ok(TrainStats {
            rows: self.0.rows as u32,
            steps: stats.steps,
            outcome: Outcome::Trained,
            contribution: Contribution::Delta,
        })
    }
}

impl TrainerFactory for Clients {
    fn worker(&self) -> Result<Box<dyn LocalTrainer + '_>, TrainError> {
        Ok(Box::new(Worker(self, Trainer::with(&self.spec, self.features, self.config.trainer).unwrap())))
    }
    fn clients(&self) -> u32 {
        self.count
    }
    fn layers(&self) -> Vec<std::ops::Range<usize>> {
        self.spec.layers(self.features).iter().map(|layer| layer.offset..layer.end()).collect()
    }
    fn size(&self, _: u32) -> u64 {
        self.rows as u64
    }
    fn weight(&self, _: u32) -> u32 {
        1
    }
}

fn read(directory: &Path, name: &str) -> Vec<f32> {
    let path = directory.join(format!("{name}.f32"));
    let bytes = std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run fl_peers.py --dump", path.display()));
    bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect()
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

fn status(key: &str) -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with(key)).unwrap_or("0 0");
    line.split_whitespace().nth(1).and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// The share of pairs in the right order, ties in order of rank as the peers count them.
fn auc(scores: &[f32], labels: &[f32]) -> f64 {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    let ranks: f64 =
        (1..).zip(&order).filter(|(_, at)| labels[**at] > 0.5).map(|(rank, _)| f64::from(rank)).sum();
    let positive = labels.iter().filter(|label| **label > 0.5).count() as f64;
    (ranks - positive * (positive + 1.0) / 2.0) / (positive * (labels.len() as f64 - positive))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let start = Instant::now();
    let a = Arguments::parse();
    let trainer = if a.trainer == "burn" { Backward::Burn } else { Backward::Fused };
    let clients = Clients {
        spec: ModelSpec::Mlp { hidden: a.hidden.clone() },
        config: TrainConfig {
            trainer,
            epochs: a.epochs,
            batch: a.batch,
            learning_rate: a.lr,
            weight_decay: 0.0,
            positive_weight: 1.0,
            loss: equipoise_model::Loss::CrossEntropy {},
            optimiser: Optimiser::Sgd { momentum: 0.0 },
        },
        count: a.clients,
        rows: a.rows,
        features: a.features,
        x: read(&a.data, "x"),
        y: read(&a.data, "y"),
        ones: vec![1.0; a.rows],
    };
    assert_eq!(clients.y.len(), clients.count as usize * clients.rows, "the dump is of other sizes");
    let first = Params(read(&a.data, "w0"));
    let quantizer = Quantizer { clip_abs: 4.0, bits: 24 };
    let spec = VectorSpec { len: first.0.len(), quantizer, max_weight: 1, max_clients: a.clients };
    let mechanism = MechanismSpec::NoNoise(NoNoiseSpec {}).build().unwrap();
    let mut federation = Federation {
        trainers: &clients,
        local: &FedAvg {},
        tamper: None,
        compression: &NoCompression {},
        schedule: ScheduleSpec::Synchronous {},
        cohorts: CohortSpec {
            participation: Fraction::new(f64::from(a.cohort) / f64::from(a.clients)).unwrap(),
            dropout: Fraction::new(0.0).unwrap(),
            minimum: 1,
            faults: None,
        },
        quantizer,
        rounding: Rounding::Nearest {},
        update_clip: ClipNorm::new(1e6).unwrap(),
        aggregation: Aggregation::Hidden(Plain.session(&spec).unwrap()),
        mechanism: mechanism.as_ref(),
        divisor: Divisor::Weights,
        server: &ServerSgd { learning_rate: 1.0, momentum: 0.0 },
        seed: Seed::root(a.seed),
        stopwatch: &Untimed,
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(a.threads).build().unwrap();
    let (mut state, mut walls, mut cpus) = (FederationState::new(first), vec![], vec![]);
    let mut startup = 0.0;
    for round in 0..a.rounds {
        let (wall, before) = (Instant::now(), cpu());
        state = pool.install(|| federation.step(state).unwrap());
        if round == 0 {
            startup = start.elapsed().as_secs_f64();
        } else {
            walls.push(wall.elapsed().as_secs_f64());
            cpus.push(cpu() - before);
        }
    }
    let mut scorer = Trainer::new(&clients.spec, a.features).unwrap();
    let scores = scorer.score(&state.params.0, a.features, &read(&a.data, "tx")).unwrap();
    let line = serde_json::json!({
        "framework": format!("equipoise-{}", a.trainer),
        "clients": a.clients, "rows": a.rows, "batch": a.batch, "cohort": a.cohort, "rounds": a.rounds,
        "threads": a.threads, "round_s_median": median(walls.clone()),
        // As the peers define it: everything after the first round, over those rounds.
        "cpu_round_s": cpus.iter().sum::<f64>() / cpus.len() as f64,
        "cpu_round_s_min": cpus.iter().copied().fold(f64::MAX, f64::min), "cpu_round_s_median": median(cpus),
        "round_s_min": walls.iter().copied().fold(f64::MAX, f64::min), "startup_s": startup,
        "peak_rss_mib": status("VmHWM"), "auc": auc(&scores, &read(&a.data, "ty")),
    });
    println!("{line}");
    if let Some(path) = a.json {
        use std::io::Write;
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        writeln!(file, "{line}").unwrap();
    }
}
