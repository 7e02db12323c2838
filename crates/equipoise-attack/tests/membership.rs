//! Membership attacks end to end on a small network: they find the members of a deliberately overfit model, and are at chance against
//! the same network trained with noise at epsilon 0.1. That the second is at chance shows that the attacks fail, and no more: only the
//! guarantee says that others do.
#![allow(clippy::unwrap_used)]

use equipoise_attack::invert::{SmallNetwork, Units};
use equipoise_attack::{Infer, InferSpec, LiraOnline, ReleasedModelView, Roc, ShadowTrainer, Shadows};
use equipoise_core::{ClipNorm, Delta, Draw, Epsilon, Fraction, Seed};
use equipoise_privacy::{CentralGaussianSpec, Mechanism, NoiseLevel};

const ROWS: usize = 400;
const COLUMNS: usize = 24;
const NETWORK: SmallNetwork = SmallNetwork { inputs: COLUMNS, hidden: 16, units: Units::Softplus };
const PAIRS: usize = 8;

struct World {
    rows: Vec<Vec<f64>>,
    labels: Vec<f64>,
    /// Epsilon of training, or none.
    epsilon: Option<f64>,
}

impl World {
    fn new(epsilon: Option<f64>) -> Self {
        let mut rng = Seed::root(21).derive("rows", 0).rng();
        let rows: Vec<Vec<f64>> = (0..ROWS).map(|_| (0..COLUMNS).map(|_| rng.normal()).collect()).collect();
        // A public line and labels of which a part is noise: what can only be learned by heart.
        let label =
            |row: &Vec<f64>| f64::from(u8::from(row[..4].iter().sum::<f64>() + 1.5 * rng.normal() > 0.0));
        let labels = rows.iter().map(label).collect();
        Self { rows, labels, epsilon }
    }

    /// Full-batch Adam by heart.
    fn overfit(&self, inside: &[bool], seed: Seed) -> Vec<f64> {
        let mut weights = NETWORK.start(seed);
        let (mut first, mut second) = (vec![0.0; weights.len()], vec![0.0; weights.len()]);
        for step in 1..=150 {
            let mut sum = vec![0.0; weights.len()];
            for at in (0..ROWS).filter(|&at| inside[at]) {
                NETWORK.add_gradient(&weights, &self.rows[at], self.labels[at], &mut sum);
            }
            let (fade_first, fade_second) = (1.0 - 0.9_f64.powi(step), 1.0 - 0.999_f64.powi(step));
            for at in 0..weights.len() {
                let gradient = sum[at] / 200.0;
                first[at] = 0.9 * first[at] + 0.1 * gradient;
                second[at] = 0.999 * second[at] + 0.001 * gradient * gradient;
                weights[at] -= 0.03 * first[at] / fade_first / ((second[at] / fade_second).sqrt() + 1e-8);
            }
        }
        weights
    }

    /// Clipped rows, one noised sum a step, a fixed public divisor.
    fn private(&self, epsilon: f64, inside: &[bool], seed: Seed) -> Vec<f64> {
        let (steps, clip) = (20, 1.0);
        let spec = CentralGaussianSpec {
            clip_norm: ClipNorm::new(clip).unwrap(),
            sampling_rate: Fraction::new(1.0).unwrap(),
            noise: NoiseLevel::Epsilon(Epsilon::new(epsilon).unwrap()),
            delta: Delta::new(1e-5).unwrap(),
            steps,
            rows_per_account: None,
        };
        let mechanism = spec.build().unwrap();
        let mut weights = NETWORK.start(seed);
        for step in 0..steps {
            let mut sum = vec![0.0; weights.len()];
            for at in (0..ROWS).filter(|&at| inside[at]) {
                let mut own = vec![0.0; weights.len()];
                NETWORK.add_gradient(&weights, &self.rows[at], self.labels[at], &mut own);
                let norm = own.iter().map(|value| value * value).sum::<f64>().sqrt();
                let factor = (clip / norm.max(1e-12)).min(1.0);
                sum.iter_mut().zip(&own).for_each(|(sum, value)| *sum += factor * value);
            }
            mechanism.on_server(&mut sum, clip, seed.derive("step", u64::from(step)));
            weights.iter_mut().zip(&sum).for_each(|(weight, sum)| *weight -= sum / 200.0);
        }
        weights
    }
}

impl ShadowTrainer for World {
    #[allow(clippy::cast_possible_truncation)]
    fn losses(&self, inside: &[bool], seed: Seed) -> Vec<f32> {
        let weights = match self.epsilon {
            None => self.overfit(inside, seed),
            Some(epsilon) => self.private(epsilon, inside, seed),
        };
        let rows = self.rows.iter().zip(&self.labels);
        rows.map(|(row, &label)| NETWORK.loss(&weights, row, label) as f32).collect()
    }
}

/// Every model in turn is the target and the rest are shadows; scores are pooled over targets, as the low end of the curve needs.
fn pooled(attack: &dyn Infer, shadows: &Shadows) -> Roc {
    let (mut members, mut others) = (Vec::new(), Vec::new());
    for target in 0..shadows.len() {
        let (rest, losses, inside) = shadows.without(target);
        let scores = attack.scores(&ReleasedModelView { losses, shadows: &rest });
        for (score, &is_in) in scores.into_iter().zip(inside) {
            if is_in { members.push(score) } else { others.push(score) }
        }
    }
    Roc::new(&members, &others).unwrap()
}

#[test]
fn members_of_an_overfit_model_are_found() {
    let shadows = Shadows::train(&World::new(None), ROWS, PAIRS, Seed::root(22));
    for spec in InferSpec::examples() {
        let roc = pooled(spec.attack(), &shadows);
        println!(
            "overfit, {}: AUC {:.3}, TPR at 1 % {:?}",
            spec.attack().name(),
            roc.auc(),
            roc.true_positive_at(0.01)
        );
    }
    let roc = pooled(&LiraOnline {}, &shadows);
    assert!(roc.auc() >= 0.70, "{}", roc.auc());
    assert!(roc.true_positive_at(0.01).low >= 0.05);
}

/// Rows are scored under 16 models that are nearly independent, so the deviation of chance is that of all scores; five of them.
#[test]
fn at_epsilon_a_tenth_every_attack_is_at_chance() {
    let shadows = Shadows::train(&World::new(Some(0.1)), ROWS, PAIRS, Seed::root(23));
    for spec in InferSpec::examples() {
        let roc = pooled(spec.attack(), &shadows);
        println!("epsilon 0.1, {}: AUC {:.3}", spec.attack().name(), roc.auc());
        let away = (roc.auc() - 0.5).abs();
        assert!(away <= 5.0 * roc.deviation_by_chance(), "{}: {}", spec.attack().name(), roc.auc());
    }
}
