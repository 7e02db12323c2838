//! The hours of the day: precomputed tables from the world file's weights.

use crate::spec::BehaviourSpec;
use crate::stream::Stream;
use equipoise_core::{AgeBand, CounterRng, Draw, HOUR};

/// Tables by (minor or adult, weekday or weekend).
#[derive(Clone, Debug)]
pub(crate) struct Rhythm {
    weights: [[[f64; 24]; 2]; 2],
    inverse: Vec<[u8; 1024]>,
    /// Of the hours before each that are not off hours: their share of the mass of all such hours, by the same tables.
    before: [[[f64; 25]; 2]; 2],
}

/// Whether an hour counts as off hours (22 to 6 o'clock).
pub(crate) const fn is_off(hour: usize) -> bool {
    hour >= 22 || hour < 6
}

impl Rhythm {
    pub(crate) fn new(behaviour: &BehaviourSpec) -> Self {
        let norm = |table: &[f64; 24]| {
            let total: f64 = table.iter().sum();
            table.map(|w| w / total)
        };
        let weekend = norm(&behaviour.hours_weekend.value);
        let minor = norm(&behaviour.hours_minor_weekday.value);
        let adult = norm(&behaviour.hours_adult_weekday.value);
        let weights = [[minor, weekend], [adult, weekend]];
        let inverse = weights.iter().flatten().map(invert).collect();
        let before = weights.map(|days| days.map(|table| before(&table)));
        Self { weights, inverse, before }
    }

    /// A second of the day: of one word, 10 bits for the hour and 32 for the rest.
    #[inline]
    #[allow(clippy::cast_possible_truncation)]
    pub(crate) fn second(&self, minor: bool, weekend: bool, stream: &mut Stream) -> i32 {
        let table = &self.inverse[2 * usize::from(!minor) + usize::from(weekend)];
        let bits = stream.word();
        let rest = (((bits >> 32) * u64::from(HOUR.unsigned_abs())) >> 32) as i32;
        i32::from(table[bits as usize & 1_023]) * HOUR + rest
    }

    /// Weights of the hours `from..to` where `off` of all mass lies in the off hours; sums to the mass of the span.
    pub(crate) fn span(
        &self,
        persona: AgeBand,
        weekend: bool,
        off: f64,
        from: usize,
        to: usize,
    ) -> ([f64; 24], f64) {
        let table = &self.weights[usize::from(!persona.is_minor())][usize::from(weekend)];
        let day: f64 = (0..24).filter(|h| !is_off(*h)).map(|h| table[h]).sum::<f64>().max(1e-12);
        let mut out = [0.0; 24];
        let mut total = 0.0;
        for hour in from..to {
            out[hour] = if is_off(hour) { off / 8.0 } else { (1.0 - off) * table[hour] / day };
            total += out[hour];
        }
        (out, total)
    }

    /// The mass of such a span, at most: what [`Rhythm::span`] sums up, without its weights and with room for rounding.
    pub(crate) fn most(&self, persona: AgeBand, weekend: bool, off: f64, from: usize, to: usize) -> f64 {
        let before = &self.before[usize::from(!persona.is_minor())][usize::from(weekend)];
        // Off hours lie at both ends of the day: 0 to 5 and 22 to 23.
        let off_hours = to.min(6) - from.min(6) + to.max(22) - from.max(22);
        #[allow(clippy::cast_precision_loss, reason = "at most 24 hours")]
        let mass = off * off_hours as f64 / 8.0 + (1.0 - off) * (before[to] - before[from]);
        mass + 1e-12
    }
}

/// By hour, the share of the mass of all hours that are not off hours that lies before it.
fn before(table: &[f64; 24]) -> [f64; 25] {
    let mut sums = [0.0; 25];
    for hour in 0..24 {
        sums[hour + 1] = sums[hour] + if is_off(hour) { 0.0 } else { table[hour] };
    }
    let day = sums[24].max(1e-12);
    sums.map(|sum| sum / day)
}

/// Uniform below a small positive number.
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]
pub(crate) fn below(rng: &mut CounterRng, n: i32) -> i32 {
    rng.below(n as usize) as i32
}

#[allow(clippy::cast_precision_loss)]
fn invert(weights: &[f64; 24]) -> [u8; 1024] {
    let mut table = [23_u8; 1024];
    let (mut hour, mut sum) = (0_u8, weights[0]);
    for (slot, entry) in table.iter_mut().enumerate() {
        while (slot as f64 + 0.5) / 1024.0 > sum && hour < 23 {
            hour += 1;
            sum += weights[usize::from(hour)];
        }
        *entry = hour;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_on_a_spans_mass_is_tight_from_above() {
        let spec: crate::WorldSpec = toml::from_str(include_str!("../../../datasets/research.toml")).unwrap();
        let rhythm = Rhythm::new(&spec.behaviour);
        for persona in [AgeBand::From13To15, AgeBand::Adult] {
            for (weekend, off) in [(false, 0.0), (true, 0.3), (false, 1.0)] {
                for from in 0..24 {
                    for to in from + 1..=24 {
                        let mass = rhythm.span(persona, weekend, off, from, to).1;
                        let most = rhythm.most(persona, weekend, off, from, to);
                        assert!(mass < most && most < mass + 1e-9, "{from} to {to}: {mass} and {most}");
                    }
                }
            }
        }
    }
}
