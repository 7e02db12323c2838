//! Drift as factors by platform and time. A factor of exactly 1 where a setting does nothing, so that a world without
//! drift has the bytes of one that never heard of it.

use crate::spec::WorldSpec;
use equipoise_core::{DAY, Draw, HOUR, Seed};

/// Factors on rates.
#[derive(Clone, Debug)]
pub(crate) struct Drift {
    /// `[week][platform]`.
    usage: Vec<Vec<f64>>,
    /// By platform: when requests change, and by how much.
    launch: Vec<Option<(i32, f64)>>,
    /// By tick: factor on how often roles seek new dyads.
    arrivals: Vec<f64>,
}

impl Drift {
    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn new(spec: &WorldSpec, seed: Seed) -> Self {
        let seed = seed.derive("drift", 0);
        let platforms = spec.platform.len();
        let sigma = spec.drift.platform_walk.get();
        let mut logs = vec![0.0; platforms];
        let mut usage = Vec::new();
        for week in 0..=u64::from(spec.days / 7) {
            let shares: Vec<f64> = logs.iter().map(|log| libm::exp(*log)).collect();
            let mean = shares.iter().sum::<f64>() / platforms as f64;
            usage.push(shares.iter().map(|share| share / mean).collect());
            for (platform, log) in (0_u64..).zip(&mut logs) {
                *log += sigma * seed.derive("week", week).derive("platform", platform).rng().normal();
            }
        }
        let plan = &spec.drift.launch;
        let launch = spec.platform.iter().map(|p| {
            (p.archetype == plan.platform).then(|| (i32::from(plan.day) * DAY, plan.requests.get()))
        });
        let growth = spec.drift.arrivals_per_year.get();
        let (end, step) = (i32::from(spec.days) * DAY, usize::from(spec.tick_hours) * HOUR as usize);
        let years = |time: i32| f64::from(time) / (365.0 * f64::from(DAY));
        let arrivals = (0..=end).step_by(step).map(|time| libm::pow(growth, years(time))).collect();
        Self { usage, launch: launch.collect(), arrivals }
    }

    /// Factor on everything that happens on a platform at `time`.
    pub(crate) fn usage(&self, platform: usize, time: i32) -> f64 {
        let week = (time / (7 * DAY)).unsigned_abs() as usize;
        self.usage[week.min(self.usage.len() - 1)][platform]
    }

    /// Factor on contact requests besides that.
    pub(crate) fn requests(&self, platform: usize, time: i32) -> f64 {
        self.launch[platform].filter(|(day, _)| time >= *day).map_or(1.0, |(_, factor)| factor)
    }

    /// Factor on how often roles seek new dyads in a tick.
    pub(crate) fn arrivals(&self, tick: i32) -> f64 {
        self.arrivals[tick.unsigned_abs() as usize]
    }
}
