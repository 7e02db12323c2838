//! The laws of both seams, as functions: run over `examples()` and over wrong implementations that they must reject.

use crate::infer::{Infer, Loss, ReleasedModelView, ShadowTrainer, Shadows};
use crate::poison::Poison;
use crate::roc::Roc;
use equipoise_core::{Draw, Seed};
use equipoise_federated::laws::{outgoing_integers, random_integers, unit_quantizer};

/// Candidates whose loss falls by `shown` if they are in, in logits, beside a difficulty of their own: the released model's losses, its
/// members, and shadow models.
fn planted(shown: f64, seed: Seed) -> (Vec<Loss>, Vec<bool>, Shadows) {
    struct Planted(f64, Vec<f64>);
    impl ShadowTrainer for Planted {
        #[allow(clippy::cast_possible_truncation)]
        fn losses(&self, inside: &[bool], seed: Seed) -> Vec<Loss> {
            let mut rng = seed.rng();
            let logit =
                |(own, &is_in): (&f64, &bool)| own + f64::from(u8::from(is_in)) * self.0 + 0.5 * rng.normal();
            self.1.iter().zip(inside).map(logit).map(|logit| libm::log1p(libm::exp(-logit)) as f32).collect()
        }
    }
    let mut rng = seed.derive("difficulty", 0).rng();
    let world = Planted(shown, (0..600).map(|_| 1.5 * rng.normal()).collect());
    let inside: Vec<bool> = (0..600).map(|_| rng.chance(0.5)).collect();
    let losses = world.losses(&inside, seed.derive("target", 0));
    (losses, inside, Shadows::train(&world, 600, 8, seed))
}

/// The laws of [`Infer`].
///
/// # Errors
/// Names the law that does not hold.
///
/// # Panics
/// Never: the planted world has members and others.
pub fn check_infer(attack: &dyn Infer, seed: Seed) -> Result<(), String> {
    let name = attack.name();
    for (shown, what) in [(1.0, "shows"), (0.0, "does not show")] {
        let (mut losses, inside, mut shadows) = planted(shown, seed.derive(what, 0));
        let scores = attack.scores(&ReleasedModelView { losses: &losses, shadows: &shadows });
        if scores.len() != losses.len() || scores.iter().any(|score| !score.is_finite()) {
            return Err(format!("`{name}` does not give a finite score a candidate"));
        }
        let roc = Roc::split(&scores, &inside).expect("members and others");
        // Five deviations of chance: a false alarm in two million fresh seeds.
        let (away, band) = (roc.auc() - 0.5, 5.0 * roc.deviation_by_chance());
        let silent = scores.iter().all(|score| score.to_bits() == scores[0].to_bits());
        if shown > 0.0 && !silent && away < band {
            return Err(format!("`{name}` misses members that show: an area of {}", roc.auc()));
        }
        if shown <= 0.0 && away.abs() > band {
            return Err(format!("`{name}` finds members that do not show: an area of {}", roc.auc()));
        }
        losses.reverse();
        shadows.losses.iter_mut().for_each(|of| of.reverse());
        shadows.inside.iter_mut().for_each(|of| of.reverse());
        let turned = attack.scores(&ReleasedModelView { losses: &losses, shadows: &shadows });
        let close = |a: &f64, b: &f64| (a - b).abs() <= 1e-6 * (1.0 + a.abs());
        if !scores.iter().zip(turned.iter().rev()).all(|(a, b)| close(a, b)) {
            return Err(format!("`{name}` depends on the order of candidates"));
        }
        let mut odd = losses.clone();
        odd[..3].copy_from_slice(&[f32::NAN, f32::INFINITY, 0.0]);
        let scores = attack.scores(&ReleasedModelView { losses: &odd, shadows: &shadows });
        if scores.iter().any(|score| !score.is_finite()) {
            return Err(format!("`{name}` gives a score that is not a number"));
        }
    }
    Ok(())
}

/// Keeps what the protocol checks, stays in range, is replayable.
///
/// # Errors
/// Names the law that does not hold.
pub fn check_poison(attack: &dyn Poison, seed: Seed) -> Result<(), String> {
    let name = attack.name();
    let honest = outgoing_integers(3, 1, 4, &random_integers(seed, 32));
    let sent = attack.tamper(honest.clone(), &unit_quantizer(), seed);
    let header = |update: &equipoise_privacy::OutgoingUpdate| {
        (update.round(), update.client(), update.weight(), update.values().len())
    };
    if header(&sent) != header(&honest) {
        return Err(format!("`{name}` changes what the protocol checks"));
    }
    let bound = 4 * unit_quantizer().max_integer();
    if sent.values().iter().any(|value| value.abs() > bound) {
        return Err(format!("`{name}` sends values that no honest client can send"));
    }
    if attack.tamper(honest, &unit_quantizer(), seed).values() != sent.values() {
        return Err(format!("`{name}` is not replayable"));
    }
    Ok(())
}

/// How rows and labels are poisoned: rows, columns, labels, and the address of the draws.
pub type PoisonRows<'a> = &'a dyn Fn(&mut [f32], usize, &mut [bool], Seed);

/// The laws of [`crate::RowPoisonSpec`], for one that may touch `column` and at most `share` of the rows.
///
/// # Errors
/// Names the law that does not hold.
pub fn check_row_poison(
    poison: PoisonRows<'_>,
    column: Option<usize>,
    share: f64,
    seed: Seed,
) -> Result<(), String> {
    let (width, count) = (4, 100);
    let mut rng = seed.derive("rows", 0).rng();
    let rows: Vec<f32> =
        (0..width * count).map(|at| if at % width == 0 { 0.0 } else { rng.uniform() as f32 }).collect();
    let labels: Vec<bool> = (0..count).map(|_| rng.chance(0.5)).collect();
    let run = || {
        let (mut rows, mut labels) = (rows.clone(), labels.clone());
        poison(&mut rows, width, &mut labels, seed);
        (rows, labels)
    };
    let (new_rows, new_labels) = run();
    if run() != (new_rows.clone(), new_labels.clone()) {
        return Err("poisoned rows are not replayable".into());
    }
    let differs = |at: usize| new_rows[at].to_bits() != rows[at].to_bits();
    if (0..rows.len()).any(|at| differs(at) && Some(at % width) != column) {
        return Err("a column changes that is not reserved".into());
    }
    let changed = (0..count)
        .filter(|&row| new_labels[row] != labels[row] || (0..width).any(|at| differs(row * width + at)));
    if changed.count() as f64 > share * count as f64 {
        return Err("more rows change than the share says".into());
    }
    Ok(())
}
