//! V21's evidence: the order of simple methods in a small world, and in the same world with one assumed parameter moved by a
//! quarter, up and down. Same seed on both sides, so that the difference is the parameter's.

use super::{Tag, parameters};
use crate::fault::{Fault, runtime};
use equipoise_core::{AgeBand, EventKind, Fraction, Observer, RunEvent, Seed, Silent};
use equipoise_synth::WorldSpec;
use equipoise_synth::validate::{Sampling, SeedRun, Sensitivity, stats};
use rayon::prelude::*;
use serde_json::Value;

/// Persons, days and share of harmful accounts of the screening worlds.
const SIZE: (u32, u16, f64) = (1_500, 20, 0.05);
/// Seeds between which noise is measured.
const SEEDS: u64 = 4;

/// The methods: each a count that a platform can keep by hand.
const METHODS: [&str; 6] = [
    "requests sent",
    "requests sent that were not accepted",
    "requests to declared minors",
    "blocks and mutes received",
    "reports received",
    "newness of the account",
];

/// Moves every assumed parameter.
///
/// # Errors
/// If the unmoved world cannot be made.
pub(super) fn sensitivity(
    spec: &WorldSpec,
    seed: u64,
    observer: &dyn Observer,
) -> Result<Sensitivity, Fault> {
    let mut spec = spec.clone();
    (spec.persons, spec.days) = (SIZE.0, SIZE.1);
    spec.harm.prevalence.value = Fraction::new(SIZE.2).map_err(runtime)?;
    let root = Seed::root(seed).derive("sensitivity", 0);
    let unmoved = (0..SEEDS)
        .into_par_iter()
        .map(|index| areas(&spec, root.derive("seed", index)))
        .collect::<Result<Vec<_>, Fault>>()?;
    let value = serde_json::to_value(&spec).map_err(runtime)?;
    let jobs: Vec<(String, &str, f64)> = parameters(&spec)?
        .into_iter()
        .filter(|parameter| parameter.tag == Tag::Assumed)
        .flat_map(|parameter| [(parameter.key.clone(), "+25%", 1.25), (parameter.key, "-25%", 0.75)])
        .collect();
    let what = "parameters moved".to_owned();
    observer.on(&RunEvent::Started { what: what.clone(), total: jobs.len() as u64 });
    let done = std::sync::atomic::AtomicU64::new(0);
    let moves = jobs
        .into_par_iter()
        .filter_map(|(key, by, factor)| {
            let moved = moved(&value, &key, factor)?;
            let areas = areas(&moved, root.derive("seed", 0)).ok()?;
            let done = 1 + done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            observer.on(&RunEvent::Progress { what: what.clone(), done });
            Some((key, by.to_owned(), stats::kendall(&unmoved[0], &areas)))
        })
        .collect();
    observer.on(&RunEvent::Finished { what: what.clone() });
    let noise = unmoved[1..].iter().map(|other| stats::kendall(&unmoved[0], other)).collect();
    Ok(Sensitivity { methods: METHODS.map(str::to_owned).to_vec(), moves, noise })
}

/// The specification with one parameter scaled; `None` where no such world exists (a share above 1, shares that cannot add up).
pub(super) fn moved(value: &Value, key: &str, factor: f64) -> Option<WorldSpec> {
    let pointer = format!("/{}/value", key.replace('.', "/"));
    [false, true].into_iter().find_map(|shares| {
        let mut value = value.clone();
        scale(value.pointer_mut(&pointer)?, factor, shares);
        let spec: WorldSpec = serde_json::from_value(value).ok()?;
        spec.validate().ok().map(|()| spec)
    })
}

/// Scales every number; `shares` keeps single ones at 1 or below and lists that added up to 1 adding up to 1.
fn scale(value: &mut Value, factor: f64, shares: bool) {
    match value {
        Value::Number(number) => {
            let scaled = number.as_f64().unwrap_or(0.0) * factor;
            *value = serde_json::json!(if shares { scaled.min(1.0) } else { scaled });
        }
        Value::Array(list) => {
            let numbers: Vec<f64> = list.iter().filter_map(Value::as_f64).collect();
            let adds_up = numbers.len() == list.len() && (numbers.iter().sum::<f64>() - 1.0).abs() < 1e-9;
            if shares && adds_up && list.len() > 1 {
                // The last share gives or takes what the others gain or lose.
                let last = list.len() - 1;
                let rest = (numbers[..last].iter().sum::<f64>() * factor).min(1.0);
                let ratio = rest / numbers[..last].iter().sum::<f64>().max(1e-12);
                for (entry, number) in list.iter_mut().zip(&numbers) {
                    *entry = serde_json::json!(number * ratio);
                }
                list[last] = serde_json::json!(1.0 - rest);
            } else {
                list.iter_mut().for_each(|entry| scale(entry, factor, shares));
            }
        }
        Value::Object(map) => map.values_mut().for_each(|entry| scale(entry, factor, shares)),
        _ => {}
    }
}

/// The area under the curve of each method over all accounts of one world.
fn areas(spec: &WorldSpec, seed: Seed) -> Result<Vec<f64>, Fault> {
    let run = SeedRun::play(spec, seed, Sampling(u64::MAX), &Silent).map_err(runtime)?;
    let (mut scores, mut harmful) = (vec![Vec::new(); METHODS.len()], Vec::new());
    for (platform, view) in run.facts.views.iter().enumerate() {
        let mut counts = vec![[0.0_f64; METHODS.len()]; view.profiles.len()];
        for deed in &run.watch.deeds[platform] {
            let (actor, peer) = (deed.actor as usize, deed.peer as usize);
            match deed.kind {
                EventKind::ContactRequest => {
                    counts[actor][0] += 1.0;
                    counts[actor][1] += 1.0;
                    let minor = view.profiles[peer].declared_age.is_some_and(AgeBand::is_minor);
                    counts[actor][2] += f64::from(u8::from(minor));
                }
                EventKind::ContactAccept => counts[peer][1] -= 1.0,
                EventKind::Block | EventKind::Mute => counts[peer][3] += 1.0,
                EventKind::Report => counts[peer][4] += 1.0,
                _ => {}
            }
        }
        for (count, profile) in counts.iter_mut().zip(&view.profiles) {
            count[5] = f64::from(profile.created.0);
        }
        for (method, scores) in scores.iter_mut().enumerate() {
            scores.extend(counts.iter().map(|count| count[method]));
        }
        harmful.extend(run.outcome.truth.platforms[platform].accounts.iter().map(|a| a.harmful.is_some()));
    }
    Ok(scores.iter().map(|scores| stats::auc(scores, &harmful).map_or(f64::NAN, |(area, _)| area)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_list_still_adds_up_and_a_rate_is_scaled() {
        let spec: WorldSpec = toml::from_str(include_str!("../../../../datasets/research.toml")).unwrap();
        let value = serde_json::to_value(&spec).unwrap();
        let bands = moved(&value, "population.bands", 1.25).unwrap().population.bands.value;
        assert!((bands[0] - 0.10).abs() < 1e-12 && (bands.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let requests = moved(&value, "behaviour.requests", 0.75).unwrap().behaviour.requests.p();
        assert!((requests - 0.75 * spec.behaviour.requests.p()).abs() < 1e-12);
        assert!(moved(&value, "no.such-key", 1.25).is_none());
    }
}
