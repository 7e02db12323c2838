//! The laws of [`Metric`] as functions, so that registered metrics and deliberately wrong ones are held to the same text.
//! The cases here are small and invented; they test arithmetic, not plausibility.

use crate::metric::{Metric, Sample, Unit, ranking};
use crate::{Case, ContactTimes, NO_ARCHETYPE};
use equipoise_core::{AccountId, Draw, PlatformId, RiskScore, Seed, SimTime};

/// A benign case observed for 30 days without any review.
#[must_use]
pub fn benign(account: u32, person: u32) -> Case {
    Case {
        platform: PlatformId(0),
        account: AccountId(account),
        person,
        score: RiskScore::new(0.0),
        harmful: false,
        archetype: NO_ARCHETYPE,
        group: 0,
        minor: false,
        active_days: 30.0,
        harm_start: None,
        identified: None,
        reviewed: None,
        wrongly_restricted_at: None,
        removed: None,
        contacts: ContactTimes::default(),
        entered: SimTime::from_days(0),
        left: SimTime::from_days(30),
    }
}

/// Cases of distinct persons with the given score and truth.
#[must_use]
pub fn scored(pairs: &[(f32, bool)]) -> Vec<Case> {
    let case = |(index, &(score, harmful)): (u32, &(f32, bool))| Case {
        score: RiskScore::new(score),
        harmful,
        archetype: u8::from(harmful),
        ..benign(index, index)
    };
    (0..).zip(pairs).map(case).collect()
}

/// `count` cases, a third harmful, under a review that ignores the truth; scores have many ties.
#[must_use]
pub fn mixed(seed: Seed, count: u32) -> Vec<Case> {
    (0..count).map(|index| random_case(seed.derive("case", u64::from(index)), index)).collect()
}

fn random_case(seed: Seed, index: u32) -> Case {
    let mut rng = seed.rng();
    let day = |day: usize| SimTime::from_days(i32::try_from(day).expect("a day fits"));
    let harmful = rng.chance(0.33);
    let start = day(rng.below(8));
    let reviewed = rng.chance(0.8).then(|| day(1 + rng.below(14)));
    let removed = rng.chance(0.05).then(|| day(20 + rng.below(9)));
    let contacts = ContactTimes::new(
        (0..6).map(|child| (child, start.plus(86_400 * i32::try_from(child).expect("small")))),
    );
    #[allow(clippy::cast_precision_loss)] // One of eight levels.
    let score = RiskScore::new(rng.below(8) as f32 / 7.0);
    let (archetype, group) = (1 + u8::from(rng.chance(0.5)), u8::from(rng.chance(0.3)));
    Case {
        score,
        harmful,
        archetype: if harmful { archetype } else { NO_ARCHETYPE },
        group,
        minor: rng.chance(0.3),
        harm_start: harmful.then_some(start),
        identified: reviewed.filter(|_| harmful && rng.chance(0.85)),
        reviewed,
        wrongly_restricted_at: reviewed.filter(|_| !harmful && rng.chance(0.3)),
        removed: removed.filter(|_| harmful),
        contacts: if harmful { contacts } else { ContactTimes::default() },
        ..benign(index, index * 3 / 4)
    }
}

/// The same world under a system that knows: score is truth, review is at once, nobody is wronged.
#[must_use]
pub fn perfected(cases: &[Case]) -> Vec<Case> {
    let perfect = |case: &Case| Case {
        score: RiskScore::new(f32::from(u8::from(case.harmful))),
        reviewed: case.harm_start,
        identified: case.harm_start,
        wrongly_restricted_at: None,
        ..case.clone()
    };
    cases.iter().map(perfect).collect()
}

fn same(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * (1.0 + a.abs()),
        (a, b) => a.is_none() && b.is_none(),
    }
}

/// Holds `metric` to every law of [`Metric`].
///
/// # Errors
/// Names the law that it breaks, and how.
pub fn check_metric(metric: &dyn Metric) -> Result<(), String> {
    for trial in 0..4 {
        let seed = Seed::root(2024).derive("laws", trial);
        let cases = mixed(seed, 300);
        check_naming(metric)?;
        check_value(metric, &cases)?;
        check_order(metric, &cases, seed)?;
        check_weights(metric, &cases, seed)?;
        check_absence(metric, &cases)?;
        check_direction(metric, &cases)?;
    }
    Ok(())
}

fn check_naming(metric: &dyn Metric) -> Result<(), String> {
    let name = metric.name();
    let kebab = !name.is_empty() && name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-');
    if !kebab || metric.definition().len() < 10 {
        return Err(format!("{name}: a metric has a kebab-case name and a definition"));
    }
    Ok(())
}

fn check_value(metric: &dyn Metric, cases: &[Case]) -> Result<(), String> {
    let name = metric.name();
    let value =
        metric.compute(cases).ok_or_else(|| format!("{name}: no value where every count is positive"))?;
    if !value.is_finite() {
        return Err(format!("{name}: {value} is not finite"));
    }
    if metric.unit() == Unit::Share && !(0.0..=1.0).contains(&value) {
        return Err(format!("{name}: a share must lie in [0, 1], got {value}"));
    }
    Ok(())
}

fn check_order(metric: &dyn Metric, cases: &[Case], seed: Seed) -> Result<(), String> {
    let want = metric.compute(cases);
    let mut other = cases.to_vec();
    for shuffle in 0..3 {
        seed.derive("shuffle", shuffle).rng().shuffle(&mut other);
        let got = metric.compute(&other);
        if !same(got, want) {
            return Err(format!("{}: the order of cases matters: {want:?} or {got:?}", metric.name()));
        }
    }
    Ok(())
}

fn check_weights(metric: &dyn Metric, cases: &[Case], seed: Seed) -> Result<(), String> {
    let mut rng = seed.derive("weights", 0).rng();
    let weights: Vec<u32> = cases.iter().map(|_| rng.poisson(1.0)).collect();
    let copies: Vec<Case> = cases
        .iter()
        .zip(&weights)
        .flat_map(|(case, &weight)| std::iter::repeat_n(case.clone(), weight as usize))
        .collect();
    let order = ranking(cases);
    let (weighted, copied) = (
        metric.compute_weighted(Sample { cases, weights: &weights, order: &order }),
        metric.compute(&copies),
    );
    if !same(weighted, copied) {
        return Err(format!(
            "{}: a weight is not a number of copies: {weighted:?} and {copied:?}",
            metric.name()
        ));
    }
    let (once, twice) = (metric.compute(cases), metric.compute(&[cases, cases].concat()));
    if !same(once, twice) {
        return Err(format!("{}: all cases twice change {once:?} to {twice:?}", metric.name()));
    }
    Ok(())
}

fn check_absence(metric: &dyn Metric, cases: &[Case]) -> Result<(), String> {
    let counted = metric.about().counted;
    let without = crate::slice(cases, |case| !counted(case));
    for none in [without.as_slice(), &[]] {
        if let Some(value) = metric.compute(none) {
            return Err(format!("{}: {value} although no case is counted", metric.name()));
        }
    }
    Ok(())
}

fn check_direction(metric: &dyn Metric, cases: &[Case]) -> Result<(), String> {
    let name = metric.name();
    let random = metric.compute(cases).ok_or_else(|| format!("{name}: no value under a random system"))?;
    let perfect = metric
        .compute(&perfected(cases))
        .ok_or_else(|| format!("{name}: no value under a perfect system"))?;
    let gain = if metric.higher_is_better() { perfect - random } else { random - perfect };
    if gain < -1e-9 {
        return Err(format!("{name}: a perfect system ({perfect}) is worse than a random one ({random})"));
    }
    Ok(())
}
