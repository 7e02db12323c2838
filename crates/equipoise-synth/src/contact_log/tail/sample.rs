//! Whole numbers as a histogram, and the part of it from a start on.

/// Distinct positive values with their counts, ascending.
pub(super) struct Histogram {
    points: Vec<(f64, f64)>,
    /// How many values there are, zeros left out.
    pub(super) n: f64,
}

/// The values from `xmin` on.
pub(super) struct Sample<'a> {
    pub(super) xmin: f64,
    pub(super) points: &'a [(f64, f64)],
    pub(super) n: f64,
    pub(super) sum_ln: f64,
}

impl Histogram {
    pub(super) fn of(values: &[u64]) -> Self {
        let mut sorted: Vec<u64> = values.iter().copied().filter(|&value| value > 0).collect();
        sorted.sort_unstable();
        let points: Vec<(f64, f64)> =
            sorted.chunk_by(|a, b| a == b).map(|same| (same[0] as f64, same.len() as f64)).collect();
        Self { points, n: sorted.len() as f64 }
    }

    /// At most `most` starts with at least `least` values and three different ones beyond, smallest first.
    pub(super) fn starts(&self, least: usize, most: usize) -> impl Iterator<Item = Sample<'_>> {
        let mut left = self.n;
        let mut usable = 0;
        for (at, (_, count)) in self.points.iter().enumerate() {
            if left < least as f64 || self.points.len() - at < 3 {
                break;
            }
            usable = at + 1;
            left -= count;
        }
        // Each of the first starts, where values are dense, then starts in equal ratios.
        let (first, last) = (usable.min(most / 2), usable.saturating_sub(1));
        let ratio = |step: usize| {
            let part = (step + 1) as f64 / (most - first).max(1) as f64;
            first as f64 * libm::pow(last as f64 / first.max(1) as f64, part)
        };
        let mut chosen: Vec<usize> = (0..first).collect();
        chosen.extend((0..most - first).map(|step| ratio(step) as usize).filter(|&at| at < usable));
        chosen.sort_unstable();
        chosen.dedup();
        chosen.into_iter().map(|at| self.sample(at))
    }

    /// The values from `xmin` on, if there are enough.
    pub(super) fn from(&self, xmin: u64, least: usize) -> Option<Sample<'_>> {
        let at = self.points.partition_point(|point| point.0 < xmin as f64);
        if self.points.len() < at + 3 {
            return None;
        }
        let sample = Sample { xmin: xmin as f64, ..self.sample(at) };
        (sample.n >= least as f64).then_some(sample)
    }

    fn sample(&self, at: usize) -> Sample<'_> {
        let points = &self.points[at..];
        Sample {
            xmin: points[0].0,
            points,
            n: points.iter().map(|point| point.1).sum(),
            sum_ln: points.iter().map(|&(x, count)| count * libm::log(x)).sum(),
        }
    }
}
