//! A profile as a flat list of named numbers, so that two profiles can be laid side by side and held against bands.

use super::{LogProfile, Quantiles, TailReport, TimingProfile};
use serde::Serialize;

/// One number of a profile.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Statistic {
    /// Its name, the same for every log measured at the same scales.
    pub id: String,
    /// What it is.
    pub about: String,
    /// The number, or `None` where the log is too small for it.
    pub value: Option<f64>,
}

#[derive(Default)]
struct List(Vec<Statistic>);

impl List {
    fn add(&mut self, id: &str, about: &str, value: impl Into<Option<f64>>) {
        self.0.push(Statistic { id: id.to_owned(), about: about.to_owned(), value: value.into() });
    }

    fn quantiles(&mut self, id: &str, about: &str, given: Option<Quantiles>) {
        self.add(&format!("{id}-mean"), &format!("{about}, mean"), given.map(|q| q.mean));
        self.add(&format!("{id}-p10"), &format!("{about}, 10th percentile"), given.map(|q| q.p10));
        self.add(&format!("{id}-p50"), &format!("{about}, median"), given.map(|q| q.p50));
        self.add(&format!("{id}-p90"), &format!("{about}, 90th percentile"), given.map(|q| q.p90));
        self.add(&format!("{id}-p99"), &format!("{about}, 99th percentile"), given.map(|q| q.p99));
        self.add(&format!("{id}-max"), &format!("{about}, largest"), given.map(|q| q.max));
    }

    fn tail(&mut self, id: &str, about: &str, tail: Option<&TailReport>) {
        self.add(&format!("{id}-from"), &format!("{about}: smallest value"), tail.map(|t| t.xmin as f64));
        self.add(&format!("{id}-share"), &format!("{about}: share of values in it"), tail.map(|t| t.share));
        self.add(
            &format!("{id}-alpha"),
            &format!("{about}: exponent of a power law"),
            tail.map(|t| t.power_law.alpha),
        );
        self.add(
            &format!("{id}-sigma"),
            &format!("{about}: sigma of a log-normal"),
            tail.map(|t| t.log_normal.sigma),
        );
        self.add(
            &format!("{id}-power-law-or-log-normal"),
            &format!("{about}: Vuong's z, positive for the power law"),
            tail.map(|t| t.power_law_or_log_normal.z),
        );
        self.add(
            &format!("{id}-cutoff-or-log-normal"),
            &format!("{about}: Vuong's z, positive for the power law with cut-off"),
            tail.map(|t| t.cutoff_or_log_normal.z),
        );
        self.add(
            &format!("{id}-rejects-power-law"),
            &format!("{about}: 1 if a pure power law is rejected at 0.1"),
            tail.map(|t| f64::from(u8::from(t.shape.rejects_power_law()))),
        );
    }

    fn timing(&mut self, whose: &str, timing: &TimingProfile) {
        for burst in &timing.bursts {
            let (gaps, of) = (burst.min_gaps, format!("{whose} trains of at least {} gaps", burst.min_gaps));
            let median = |q: Option<super::Quartiles>| q.map(|q| q.p50);
            self.add(&format!("{whose}-trains-{gaps}"), &format!("{of}: how many"), burst.trains as f64);
            self.add(&format!("{whose}-b-{gaps}"), &format!("{of}: median B"), median(burst.b));
            self.add(&format!("{whose}-bn-{gaps}"), &format!("{of}: median B_n"), median(burst.b_n));
            self.add(
                &format!("{whose}-memory-{gaps}"),
                &format!("{of}: median memory M"),
                median(burst.memory),
            );
        }
        for sizes in &timing.train_sizes {
            let (window, of) = (sizes.window, format!("{whose} runs with gaps up to {} s", sizes.window));
            self.add(&format!("{whose}-runs-{window}-mean"), &format!("{of}: mean events"), sizes.mean);
            self.add(
                &format!("{whose}-runs-{window}-long"),
                &format!("{of}: share of 10 or more"),
                sizes.long,
            );
            self.add(
                &format!("{whose}-runs-{window}-long-if-independent"),
                &format!("{of}: that share if gaps were independent"),
                sizes.long_if_independent,
            );
            self.add(
                &format!("{whose}-runs-{window}-exponent"),
                &format!("{of}: exponent of the tail of sizes"),
                sizes.exponent,
            );
        }
        let gaps = &timing.gaps;
        self.add(&format!("{whose}-gap-p50"), &format!("{whose} gaps: median, seconds"), gaps.median);
        self.add(&format!("{whose}-gap-p90"), &format!("{whose} gaps: 90th percentile, seconds"), gaps.p90);
        for (at, seconds) in super::GapProfile::POINTS.iter().enumerate() {
            self.add(
                &format!("{whose}-gap-over-{seconds}"),
                &format!("{whose} gaps: share longer than {seconds} s"),
                gaps.longer_than.get(at).map(|point| point.1),
            );
        }
        self.add(
            &format!("{whose}-gap-body-exponent"),
            &format!("{whose} gaps: exponent of the density from 10 min to a day"),
            gaps.body_exponent,
        );
        self.add(
            &format!("{whose}-gap-tail-exponent"),
            &format!("{whose} gaps: exponent of the tail (Hill)"),
            gaps.tail.map(|tail| tail.exponent),
        );
    }
}

impl LogProfile {
    /// Every number of the profile by name.
    #[must_use]
    pub fn statistics(&self) -> Vec<Statistic> {
        let mut list = List::default();
        list.add("accounts", "accounts that wrote or were written to", self.accounts as f64);
        let senders = (self.accounts > 0).then(|| self.senders as f64 / self.accounts as f64);
        list.add("sender-share", "share of accounts that wrote", senders);
        list.add("dyads", "pairs that exchanged anything", self.dyads as f64);
        list.add("rows", "rows: distinct (sender, receiver, time)", self.rows as f64);
        list.add("messages", "messages", self.messages as f64);
        list.add("days", "days from first to last row", self.days);
        list.quantiles("rows-per-sender", "rows of an account that wrote", self.rows_per_sender);
        list.quantiles("rows-per-dyad", "rows of a dyad", self.rows_per_dyad);
        list.quantiles("degree", "degree", self.degree);
        let ratio = self.degree.map(|q| q.p99 / q.p50);
        list.add("degree-p99-to-p50", "degree, 99th percentile over median", ratio);
        list.tail("degree-tail", "tail of degrees", self.degree_tail.as_ref());
        list.tail("degree-whole", "all degrees", self.degree_whole.as_ref());
        let c = &self.clustering;
        list.add("transitivity", "share of closed wedges", c.transitivity);
        list.add("clustering", "mean local clustering", c.mean_local);
        list.add("clustering-about-100", "mean local clustering at degrees of about 100", c.about_100);
        list.add("clustering-slope", "slope of ln C(k) on ln k", c.slope);
        list.add("degree-assortativity", "correlation of degrees over links", self.degree_assortativity);
        let r = &self.reciprocity;
        list.add("reciprocity-links", "share of directed links that are answered", r.links);
        list.add("reciprocity-dyads", "share of dyads in which both wrote", r.dyads);
        list.add("reciprocity-lasting", "the same among dyads of at least 5 rows", r.lasting_dyads);
        list.timing("dyad", &self.dyad_timing);
        list.timing("account", &self.account_timing);
        let rhythm = self.rhythm.as_ref();
        list.add("trough-to-peak", "emptiest hour over fullest hour", rhythm.map(|r| r.trough_to_peak));
        list.add("trough-hour", "emptiest hour of the day", rhythm.map(|r| r.trough_hour as f64));
        list.add("peak-hour", "fullest hour of the day", rhythm.map(|r| r.peak_hour as f64));
        list.add(
            "weekend-to-weekday",
            "activity of a weekend day over a weekday",
            rhythm.map(|r| r.weekend_to_weekday),
        );
        list.0
    }
}
