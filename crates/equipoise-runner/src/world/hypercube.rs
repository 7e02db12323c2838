//! Worlds drawn around a world file: each assumed parameter anywhere within a quarter of its value, by Latin hypercube (McKay,
//! Beckman and Conover 1979), the generators in turn.
//!
//! The same range as V21's screening, which moves one parameter at a time; here all move together. Of N worlds exactly one has a
//! parameter in each N-th of its range, so few worlds cover every parameter's whole range. What is not promised: that a parameter's
//! truth lies within a quarter of our guess, or that parameters are independent; counts (whole numbers)
//! and shares that add up over several keys (`graph.new-ties`) are not moved, and a share near 1 stops there.

use super::sensitivity::moved;
use super::{Tag, parameters};
use crate::fault::{Fault, config, runtime};
use equipoise_core::{Draw, Seed};
use equipoise_synth::{Generator, WorldSpec};
use serde_json::Value;

/// Lowest factor, and how far the highest lies above it.
const RANGE: (f64, f64) = (0.75, 0.5);

/// One world.
#[derive(Clone, Debug)]
pub(crate) struct Drawn {
    /// Its specification.
    pub(crate) spec: WorldSpec,
    /// `a` or `b`.
    pub(crate) generator: &'static str,
    /// Parameters that were moved: key and factor.
    pub(crate) moved: Vec<(String, f64)>,
}

/// `count` worlds around `spec`. A move that no world allows beside the others (shares that would exceed 1) is left out.
///
/// # Errors
/// If nothing in the specification is assumed, or a generator does not take it.
pub(crate) fn draw(spec: &WorldSpec, count: u32, seed: Seed) -> Result<Vec<Drawn>, Fault> {
    let assumed: Vec<String> = parameters(spec)?
        .into_iter()
        .filter(|p| p.tag == Tag::Assumed && numeric(&p.value))
        .map(|p| p.key)
        .collect();
    if assumed.is_empty() {
        return Err(config(
            "the world has no parameter whose source says `assumed`; there is nothing to draw",
        ));
    }
    let factors: Vec<Vec<f64>> =
        (0..assumed.len() as u64).map(|at| column(count, seed.derive("parameter", at))).collect();
    let one = |index: usize| {
        let (generator, name) =
            if index.is_multiple_of(2) { (Generator::A, "a") } else { (Generator::B, "b") };
        let mut spec = WorldSpec { generator, ..spec.clone() };
        spec.validate().map_err(runtime)?;
        let mut done = Vec::new();
        let mut value = serde_json::to_value(&spec).map_err(runtime)?;
        for (key, factors) in assumed.iter().zip(&factors) {
            if let Some(next) = moved(&value, key, factors[index]) {
                value = serde_json::to_value(&next).map_err(runtime)?;
                spec = next;
                done.push((key.clone(), factors[index]));
            }
        }
        Ok(Drawn { spec, generator: name, moved: done })
    };
    (0..count as usize).map(one).collect()
}

/// A factor a world: one in each of `count` equal parts of the range, in an order of their own.
fn column(count: u32, seed: Seed) -> Vec<f64> {
    let mut rng = seed.rng();
    let mut parts: Vec<u32> = (0..count).collect();
    for last in (1..parts.len()).rev() {
        let other = rng.below(last + 1);
        parts.swap(last, other);
    }
    let within = |part: u32| (f64::from(part) + rng.uniform()) / f64::from(count);
    parts.into_iter().map(within).map(|unit| RANGE.0 + RANGE.1 * unit).collect()
}

/// Whether there is a number to move.
fn numeric(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(list) => list.iter().any(numeric),
        Value::Object(map) => map.values().any(numeric),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_range_is_drawn_once_and_columns_are_not_one_another() {
        let columns = [0, 1].map(|at| column(16, Seed::root(3).derive("parameter", at)));
        for column in &columns {
            let mut parts: Vec<usize> = (0..16)
                .map(|part| {
                    let (low, high) = (0.75 + f64::from(part) / 32.0, 0.75 + f64::from(part + 1) / 32.0);
                    column.iter().filter(|&&factor| (low..high).contains(&factor)).count()
                })
                .collect();
            parts.dedup();
            assert_eq!(parts, [1], "{column:?}");
        }
        assert_ne!(columns[0], columns[1]);
    }

    #[test]
    fn worlds_hold_what_was_drawn_and_nothing_that_is_cited_moves() {
        let spec: WorldSpec = toml::from_str(include_str!("../../../../datasets/research.toml")).unwrap();
        let worlds = draw(&spec, 4, Seed::root(1)).unwrap();
        assert_eq!(worlds.iter().map(|world| world.generator).collect::<Vec<_>>(), ["a", "b", "a", "b"]);
        for world in &worlds {
            assert!(world.moved.len() > 100, "{} parameters", world.moved.len());
            let factor = world.moved.iter().find(|(key, _)| key == "behaviour.requests").unwrap().1;
            let (was, is) = (spec.behaviour.requests.p(), world.spec.behaviour.requests.p());
            assert!((is - factor * was).abs() < 1e-12, "{is} is not {factor} of {was}");
            assert_eq!(world.spec.population.own_profile, spec.population.own_profile, "cited");
            world.spec.validate().unwrap();
        }
        let same = draw(&spec, 4, Seed::root(1)).unwrap();
        assert!(worlds.iter().zip(&same).all(|(a, b)| a.spec == b.spec), "a draw is an address");
        assert_ne!(worlds[0].spec, worlds[2].spec);
    }
}
