//! The hours of the day: precomputed tables from the world file's weights.

use crate::spec::BehaviourSpec;
use crate::stream::Stream;
use equipoise_core::{AgeBand, CounterRng, Draw, HOUR};

/// Tables by (minor or adult, weekday or weekend).
#[derive(Clone, Debug)]
pub(crate) struct Rhythm {
    weights: [[[f64; 24]; 2]; 2],
    inverse: Vec<[u8; 1024]>,
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
        Self { weights, inverse }
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
