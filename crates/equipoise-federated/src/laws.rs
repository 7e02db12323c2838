//! The laws of every seam in this crate, as functions: run over `examples()` here and in the crates that implement the
//! seams, and over deliberately wrong implementations that they must reject.

use crate::aggregator::Aggregator;
use crate::compression::{Compression, Sparsifier};
use crate::local::{Broadcast, LocalRule};
use crate::secure_sum::{DynSecureSum, SumError, Untimed, VectorSpec};
use crate::server::{ServerOptimizer, ServerState};
use crate::trainer::{
    Contribution, Drift, LocalTrainer, Outcome, RoundCtx, TrainError, TrainStats, TrainerFactory,
};
use equipoise_core::{ClipNorm, Draw, Params, Seed};
use equipoise_privacy::{LocalUpdate, OutgoingUpdate, Quantizer};

/// The quantiser of the laws: one integer is one unit.
#[must_use]
pub const fn unit_quantizer() -> Quantizer {
    Quantizer { clip_abs: 2047.0, bits: 12 }
}

/// An outgoing update that holds exactly `weight * values`. Values must fit the [`unit_quantizer`].
///
/// # Panics
/// If a value does not fit.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn outgoing_integers(round: u32, client: u32, weight: u32, values: &[i32]) -> OutgoingUpdate {
    assert!(values.iter().all(|value| value.abs() <= 2047), "a law's values fit twelve bits");
    let real: Vec<f32> = values.iter().map(|&value| value as f32).collect();
    let bound = ClipNorm::new(1e12).expect("a positive bound");
    let update = LocalUpdate::new(real).clip_l2(bound).quantise(&unit_quantizer(), weight);
    update.without_noise(round, client)
}

/// Random integers for law tests, at an address.
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
pub fn random_integers(seed: Seed, len: usize) -> Vec<i32> {
    let mut rng = seed.rng();
    (0..len).map(|_| rng.below(4095) as i32 - 2047).collect()
}

/// Order-free; equal updates are a fixed point; results stay between the cohort's extremes; as many byzantine clients as the
/// rule says it tolerates do not carry it away.
///
/// # Errors
/// Names the law that does not hold.
#[allow(clippy::cast_precision_loss)]
pub fn check_aggregator(rule: &dyn Aggregator, seed: Seed) -> Result<(), String> {
    let cohort = rule.minimum_cohort().max(5);
    let updates: Vec<OutgoingUpdate> = (0..cohort)
        .map(|client| {
            let id = u32::try_from(client).expect("a small cohort");
            outgoing_integers(0, id, 1 + id % 3, &random_integers(seed.derive("client", u64::from(id)), 16))
        })
        .collect();
    let result = rule.aggregate(&updates);
    let mut shuffled = updates.clone();
    seed.derive("shuffle", 0).rng().shuffle(&mut shuffled);
    if !same(&rule.aggregate(&shuffled), &result) {
        return Err(format!("`{}` depends on the order of the updates", rule.name()));
    }
    let values = random_integers(seed.derive("equal", 0), 16);
    let equal: Vec<OutgoingUpdate> =
        (0..cohort).map(|id| outgoing_integers(0, u32::try_from(id).expect("small"), 2, &values)).collect();
    let wanted: Vec<f64> = values.iter().map(|&value| f64::from(value)).collect();
    if !same(&rule.aggregate(&equal), &wanted) {
        return Err(format!("equal updates are not a fixed point of `{}`", rule.name()));
    }
    for (at, value) in result.iter().enumerate() {
        let column = updates.iter().map(|update| update.values()[at] as f64 / f64::from(update.weight()));
        let start = if rule.shrinks() { (0.0, 0.0) } else { (f64::MAX, f64::MIN) };
        let (low, high) = column.fold(start, |(low, high), x| (low.min(x), high.max(x)));
        if *value < low - 1e-9 || *value > high + 1e-9 {
            return Err(format!("`{}` leaves the range of its cohort", rule.name()));
        }
    }
    for cohort in [rule.minimum_cohort(), cohort + 2, 2 * cohort + 1] {
        check_breakdown(rule, cohort, rule.tolerates(cohort), seed.derive("breakdown", cohort as u64))?;
    }
    Ok(())
}

/// However far `byzantine` clients of `cohort` go, each alone or all together, the result stays within twice the honest
/// clients' reach. Honest values lie within 20 of zero, byzantine ones 2,047 away: any rule that lets one of twenty count in
/// full fails.
///
/// # Errors
/// If it does not.
///
/// # Panics
/// If the cohort is larger than 32 bits count.
pub fn check_breakdown(
    rule: &dyn Aggregator,
    cohort: usize,
    byzantine: usize,
    seed: Seed,
) -> Result<(), String> {
    let (len, reach) = (16, 20_i32);
    for together in [true, false] {
        let updates: Vec<OutgoingUpdate> = (0..u32::try_from(cohort).expect("a small cohort"))
            .map(|id| {
                let at = seed.derive("client", u64::from(id));
                let values = random_integers(at, len);
                let values: Vec<i32> = if (id as usize) < byzantine {
                    values.iter().map(|v| if together || *v > 0 { 2_047 } else { -2_047 }).collect()
                } else {
                    values.iter().map(|v| v % (reach + 1)).collect()
                };
                outgoing_integers(0, id, 1, &values)
            })
            .collect();
        let worst = rule.aggregate(&updates).into_iter().map(f64::abs).fold(0.0, f64::max);
        if worst > 2.0 * f64::from(reach) {
            let name = rule.name();
            return Err(format!("{byzantine} byzantine of {cohort} carry `{name}` away: {worst} of {reach}"));
        }
    }
    Ok(())
}

fn same(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-9 * (1.0 + b.abs()))
}

/// A zero update from a fresh state moves nothing; the first step follows the sign of the update; same in, same out.
///
/// # Errors
/// Names the law that does not hold.
pub fn check_server(optimizer: &dyn ServerOptimizer) -> Result<(), String> {
    let name = optimizer.name();
    let start = Params(vec![0.5, -1.0, 2.0]);
    let (_, still) = optimizer.step(ServerState::default(), start.clone(), &[0.0; 3]);
    if still != start {
        return Err(format!("`{name}` moves on a zero update"));
    }
    let delta = [0.3, -0.2, 0.0];
    let (state, moved) = optimizer.step(ServerState::default(), start.clone(), &delta);
    for ((before, after), delta) in start.0.iter().zip(&moved.0).zip(&delta) {
        let step = f64::from(after - before);
        if step * delta < 0.0 || (delta.abs() > 0.0 && step.abs() < 1e-12) {
            return Err(format!("the first step of `{name}` does not follow the update"));
        }
    }
    if optimizer.step(ServerState::default(), start, &delta) != (state, moved) {
        return Err(format!("`{name}` is not a function of its arguments"));
    }
    Ok(())
}

/// The opened sum equals the integer sum, for several subsets of the asked and in several orders; mistakes of the caller are errors.
///
/// # Errors
/// Names the law that does not hold.
pub fn check_secure_sum(scheme: &dyn DynSecureSum, seed: Seed) -> Result<(), String> {
    let name = scheme.name();
    let (len, max_clients) = (100, 5);
    let spec = VectorSpec { len, quantizer: unit_quantizer(), max_weight: 4, max_clients };
    let mut session = scheme.session(&spec).map_err(|error| format!("`{name}` did not start: {error}"))?;
    let cohorts: [&[u32]; 4] = [&[0, 1, 2, 3, 4], &[4, 2], &[3, 0, 1], &[0, 1, 2, 3, 4]];
    for (round, cohort) in (0_u32..).zip(cohorts) {
        let extreme = round == 3;
        let updates: Vec<OutgoingUpdate> = cohort
            .iter()
            .map(|&client| {
                let at = seed.derive("round", u64::from(round)).derive("client", u64::from(client));
                let values = if extreme { vec![2047; len] } else { random_integers(at, len) };
                outgoing_integers(round, client, if extreme { 4 } else { 1 + client % 4 }, &values)
            })
            .collect();
        // Everybody is asked; who does not answer changes nothing.
        session.asked(round, &[0, 1, 2, 3, 4]);
        let (sum, _) =
            session.sum(round, &updates, &Untimed).map_err(|error| format!("`{name}`: {error}"))?;
        let mut wanted = vec![0_i64; len];
        for update in &updates {
            wanted.iter_mut().zip(update.values()).for_each(|(total, value)| *total += value);
        }
        if sum.values != wanted {
            return Err(format!("`{name}` opened a sum that is not the integer sum, round {round}"));
        }
        let weight: u64 = updates.iter().map(|update| u64::from(update.weight())).sum();
        if sum.weight != weight || sum.clients as usize != cohort.len() {
            return Err(format!("`{name}` lost count of weights or clients"));
        }
    }
    refuses(
        session.sum(9, &[outgoing_integers(9, 0, 1, &[1]), outgoing_integers(9, 1, 1, &[1])], &Untimed),
        name,
        "another length",
    )?;
    let values = vec![1; len];
    let twice = [outgoing_integers(10, 0, 1, &values), outgoing_integers(10, 0, 1, &values)];
    refuses(session.sum(10, &twice, &Untimed), name, "a client twice")?;
    let heavy = [outgoing_integers(11, 0, 5, &values), outgoing_integers(11, 1, 1, &values)];
    refuses(session.sum(11, &heavy, &Untimed), name, "a weight beyond the plan")?;
    let stale = [outgoing_integers(11, 0, 1, &values), outgoing_integers(11, 1, 1, &values)];
    refuses(session.sum(12, &stale, &Untimed), name, "an upload of another round")?;
    let huge = VectorSpec {
        quantizer: Quantizer { clip_abs: 1.0, bits: 32 },
        max_weight: u32::MAX,
        max_clients: 1 << 20,
        len,
    };
    if scheme.plan(&huge).is_ok() {
        return Err(format!("`{name}` plans for sums that nothing can hold"));
    }
    Ok(())
}

fn refuses<T>(result: Result<T, SumError>, name: &str, what: &str) -> Result<(), String> {
    if result.is_err() { Ok(()) } else { Err(format!("`{name}` accepts {what}")) }
}

/// Linear; never longer; undone by `expand` on average over seeds; a function of its seed.
///
/// # Errors
/// Names the law that does not hold.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
pub fn check_compression(map: &dyn Compression, seed: Seed) -> Result<(), String> {
    let (name, len) = (map.name(), 37);
    let vector = |at: u64| -> Vec<f32> {
        let mut rng = seed.derive("vector", at).rng();
        (0..len).map(|_| rng.normal() as f32).collect()
    };
    let wide = |values: Vec<f32>| -> Vec<f64> { values.into_iter().map(f64::from).collect() };
    let (a, b) = (vector(0), vector(1));
    let sent = map.compress(a.clone(), seed);
    if sent.len() != map.sent(len) || map.compress(a.clone(), seed) != sent {
        return Err(format!("`{name}` does not send what it says"));
    }
    let length = |values: &[f32]| values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
    if length(&sent) > length(&a) * (1.0 + 1e-7) {
        return Err(format!("`{name}` lengthens a vector"));
    }
    let both: Vec<f64> =
        wide(sent).iter().zip(wide(map.compress(b.clone(), seed))).map(|(a, b)| a + b).collect();
    let sum: Vec<f32> = a.iter().zip(&b).map(|(a, b)| a + b).collect();
    let one = map.expand(wide(map.compress(sum, seed)), len, seed);
    let two = map.expand(both, len, seed);
    if one.len() != len || one.iter().zip(&two).any(|(one, two)| (one - two).abs() > 1e-4) {
        return Err(format!("`{name}` is not linear"));
    }
    let rounds = 4_000_u64;
    let mut mean = vec![0.0; len];
    for round in 0..rounds {
        let at = seed.derive("round", round);
        let back = map.expand(wide(map.compress(a.clone(), at)), len, at);
        mean.iter_mut().zip(back).for_each(|(mean, value)| *mean += value / rounds as f64);
    }
    // A coordinate of a quarter mask has a standard error of sqrt(3 / 4,000) of its size, 0.027; normal numbers reach about 3.
    if mean.iter().zip(&a).any(|(mean, a)| (mean - f64::from(*a)).abs() > 0.3) {
        return Err(format!("`{name}` does not give an update back on average"));
    }
    Ok(())
}

/// At most as many coordinates leave as may; nothing is lost, to the bit; what stays is shorter by the share that may leave, so that
/// nothing waits for ever; a function of its arguments.
///
/// # Errors
/// Names the law that does not hold.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
pub fn check_sparsifier(choice: &dyn Sparsifier, seed: Seed) -> Result<(), String> {
    let (name, len, rounds) = (choice.name(), 41, 400);
    let kept = choice.keeps(len);
    let square = |values: &[f32]| values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
    let mut rng = seed.derive("vector", 0).rng();
    // A few coordinates are large in every round: what is small must leave nevertheless, some time.
    let steady: Vec<f32> =
        (0..len).map(|at| rng.normal() as f32 * if at % 7 == 0 { 9.0 } else { 0.4 }).collect();
    let mut behind = Vec::new();
    for round in 0..rounds {
        let update = steady.clone();
        let mut whole = update.clone();
        whole.iter_mut().zip(&behind).for_each(|(value, waited)| *value += *waited);
        let (mut again, before) = (behind.clone(), behind.clone());
        let sent = choice.send(update.clone(), &mut behind);
        if choice.send(update, &mut again) != sent || again != behind {
            return Err(format!("`{name}` is not a function of its arguments"));
        }
        if sent.len() != len || behind.len() != len {
            return Err(format!("`{name}` changes the length of an update"));
        }
        if sent.iter().filter(|value| value.abs() > 0.0).count() > kept {
            return Err(format!("`{name}` sends more than it says"));
        }
        let both = sent.iter().zip(&behind).map(|(sent, behind)| sent + behind);
        if both
            .zip(&whole)
            .any(|(both, whole)| both.to_bits() != whole.to_bits() && (both - whole).abs() > 0.0)
        {
            return Err(format!("`{name}` loses something in round {round}, after {before:?}"));
        }
        if square(&behind) > (1.0 - kept as f64 / len as f64) * square(&whole) * (1.0 + 1e-6) {
            return Err(format!("`{name}` keeps back more than the share that may wait"));
        }
    }
    Ok(())
}

/// Clients whose losses are `curvature / 2 |w - target|^2`, trained by gradient steps: what a law or a test can work out by hand.
#[derive(Clone, Debug)]
pub struct Quadratics {
    /// Each client's curvature and the number that every weight should have; a curvature that is not positive has no rows.
    pub clients: Vec<(f32, f32)>,
    /// Step size.
    pub rate: f32,
    /// Steps a round.
    pub steps: u32,
}

struct Descent<'a>(&'a Quadratics);

impl LocalTrainer for Descent<'_> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn train(
        &mut self,
        from: &[f32],
        client: u32,
        ctx: &RoundCtx<'_>,
        update: &mut [f32],
    ) -> Result<TrainStats, TrainError> {
        let (curvature, target) = self.0.clients[client as usize];
        let mut stats =
            TrainStats { rows: 1, steps: 0, outcome: Outcome::Trained, contribution: Contribution::Delta };
        if curvature <= 0.0 {
            return Ok(TrainStats { rows: 0, outcome: Outcome::NoRows, ..stats });
        }
        stats.steps = ((f64::from(self.0.steps) * ctx.effort).ceil() as u32).max(1);
        for _ in 0..stats.steps {
            for (at, (moved, start)) in update.iter_mut().zip(from).enumerate() {
                let weight = start + *moved;
                let pull = ctx.drift.towards.map_or(0.0, |(there, mu)| mu as f32 * (weight - there[at]));
                *moved -= self.0.rate * (curvature * (weight - target) + pull);
                *moved += ctx.drift.each_step.map_or(0.0, |step| step[at]);
            }
        }
        Ok(stats)
    }
}

impl TrainerFactory for Quadratics {
    fn worker(&self) -> Result<Box<dyn LocalTrainer + '_>, TrainError> {
        Ok(Box::new(Descent(self)))
    }
    fn clients(&self) -> u32 {
        u32::try_from(self.clients.len()).expect("a law's clients are few")
    }
    fn layers(&self) -> Vec<std::ops::Range<usize>> {
        vec![0..1, 1..3]
    }
    fn size(&self, client: u32) -> u64 {
        u64::from(client)
    }
    fn weight(&self, _client: u32) -> u32 {
        1
    }
}

/// Platforms over devices are one level: with everybody taking part and one inner round, the platforms' updates, each by its public
/// weight, are the devices' updates, each by its own. `platforms[p]` are the devices of platform `p`; `lsb` is the devices' grid.
///
/// # Errors
/// Names the law that does not hold.
#[allow(clippy::cast_possible_truncation)]
pub fn check_levels(
    above: &dyn TrainerFactory,
    devices: &dyn TrainerFactory,
    platforms: &[std::ops::Range<u32>],
    lsb: f64,
) -> Result<(), String> {
    let layers = devices.layers();
    let len = layers.last().map_or(0, |layer| layer.end);
    let from: Vec<f32> = (0..len).map(|at| 0.1 * at as f32 - 0.2).collect();
    let ctx =
        RoundCtx { round: 0, seed: Seed::root(1), drift: Drift::default(), effort: 1.0, layers: &layers };
    let mean = |of: &dyn TrainerFactory, clients: std::ops::Range<u32>| -> Result<(Vec<f64>, u64), String> {
        let (mut sum, mut total) = (vec![0.0; len], 0_u64);
        let mut worker = of.worker().map_err(|error| error.to_string())?;
        for client in clients {
            let mut update = vec![0.0; len];
            let stats = worker.train(&from, client, &ctx, &mut update).map_err(|error| error.to_string())?;
            if !stats.outcome.takes_part() {
                continue;
            }
            let weight = of.weight(client);
            sum.iter_mut()
                .zip(&update)
                .for_each(|(sum, value)| *sum += f64::from(weight) * f64::from(*value));
            total += u64::from(weight);
        }
        sum.iter_mut().for_each(|value| *value /= total.max(1) as f64);
        Ok((sum, total))
    };
    let close =
        |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= lsb + 1e-6 * (1.0 + b.abs()));
    for (platform, own) in (0..).zip(platforms) {
        let ((theirs, _), (alone, _)) = (mean(devices, own.clone())?, mean(above, platform..platform + 1)?);
        if !close(&alone, &theirs) {
            return Err(format!(
                "platform {platform} does not send the mean of its devices: {alone:?}, {theirs:?}"
            ));
        }
    }
    let ((one, _), (two, _)) = (mean(devices, 0..devices.clients())?, mean(above, 0..above.clients())?);
    if close(&two, &one) {
        Ok(())
    } else {
        Err(format!("platforms are not weighted by their devices: {two:?} on two levels, {one:?} on one"))
    }
}

/// One client's round under a rule, from what it kept: the update and what it keeps.
///
/// # Errors
/// If the rule does not train.
pub fn one_round(
    rule: &dyn LocalRule,
    trainers: &Quadratics,
    sent: Broadcast<'_>,
    client: u32,
    kept: &[f32],
) -> Result<(Vec<f32>, Vec<f32>), String> {
    let layers = trainers.layers();
    let ctx =
        RoundCtx { round: 0, seed: Seed::root(1), drift: Drift::default(), effort: 1.0, layers: &layers };
    let (mut kept, mut update) = (kept.to_vec(), vec![0.0; rule.sends() * sent.global.len()]);
    rule.train(&mut Descent(trainers), sent, client, &ctx, &mut kept, &mut update)
        .map_err(|error| error.to_string())?;
    Ok((update, kept))
}

/// With nothing to learn nothing is sent; a client that could not train keeps what it kept; the same input gives the same output; a
/// client that has something to learn moves its own model towards it.
///
/// # Errors
/// Names the law that does not hold.
pub fn check_local(rule: &dyn LocalRule) -> Result<(), String> {
    let name = rule.name();
    let trainers = Quadratics { clients: vec![(1.0, 2.0), (0.0, 0.0)], rate: 0.1, steps: 5 };
    rule.check(&trainers.layers())
        .map_err(|why| format!("`{name}` refuses three weights in two layers: {why}"))?;
    let beside = vec![0.0; (rule.sends() - 1) * 3];
    let at = |global| Broadcast { global, beside: &beside };
    let (still, _) = one_round(rule, &trainers, at(&[2.0; 3]), 0, &[])?;
    if still.iter().any(|value| value.abs() > 1e-6) {
        return Err(format!("`{name}` sends something where there is nothing to learn"));
    }
    let start = [0.0; 3];
    let (update, kept) = one_round(rule, &trainers, at(&start), 0, &[])?;
    if one_round(rule, &trainers, at(&start), 0, &[])? != (update.clone(), kept.clone()) {
        return Err(format!("`{name}` is not a function of its arguments"));
    }
    let mut global = start.to_vec();
    global.iter_mut().zip(&update).for_each(|(global, moved)| *global += moved);
    if rule.own_model(&global, &kept, &trainers.layers()).iter().any(|weight| !(0.1..2.0).contains(weight)) {
        return Err(format!("a client under `{name}` does not move towards its optimum"));
    }
    if one_round(rule, &trainers, at(&start), 1, &kept)?.1 != kept {
        return Err(format!("`{name}` forgets what a client kept when it cannot train"));
    }
    Ok(())
}
