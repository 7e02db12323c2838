//! Everything that is measured of a log, at once.

use super::{
    BurstSummary, Clustering, ClusteringSpec, ContactLog, Dyads, GapProfile, Quantiles, Reciprocity, Rhythm,
    StaticGraph, TailReport, TrainSizes, Trains, degree_assortativity,
};
use serde::Serialize;

/// What to measure at which scales.
#[derive(Clone, PartialEq, Debug)]
pub struct ProfileSpec {
    /// Some Monday's midnight, local time, on the log's clock. 0 for simulated time.
    pub monday: i64,
    /// Least gaps of the trains whose burstiness is summarised.
    pub min_gaps: Vec<usize>,
    /// Windows of bursty trains in seconds.
    pub windows: Vec<i64>,
    /// Where `C(k)` is read off.
    pub clustering: ClusteringSpec,
}

impl ProfileSpec {
    /// The scales at which this project compares logs: trains of at least 10 and 50 gaps, windows of 10 minutes and an
    /// hour, five bins of degree a decade, "about 100" from 80 to 125, the slope of `C(k)` over degrees from 10 to 500 in
    /// bins of at least 10 accounts.
    #[must_use]
    pub fn standard(monday: i64) -> Self {
        Self {
            monday,
            min_gaps: vec![10, 50],
            windows: vec![600, 3_600],
            clustering: ClusteringSpec {
                bins_per_decade: 5,
                about_100: (80, 125),
                slope: (10.0, 500.0),
                least_accounts: 10,
            },
        }
    }

    /// The Monday midnight of a log whose times are Unix seconds, with local time `utc_offset` seconds ahead of UTC.
    #[must_use]
    pub const fn unix_monday(utc_offset: i64) -> i64 {
        // 5 January 1970 was a Monday.
        4 * 86_400 - utc_offset
    }
}

/// Timing of one kind of train.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TimingProfile {
    /// Burstiness and memory, for each of [`ProfileSpec::min_gaps`].
    pub bursts: Vec<BurstSummary>,
    /// Bursty trains, for each of [`ProfileSpec::windows`].
    pub train_sizes: Vec<TrainSizes>,
    /// Times between events.
    pub gaps: GapProfile,
}

impl TimingProfile {
    /// Measures trains of a log whose times are known to `resolution` seconds.
    #[must_use]
    pub fn of(trains: &Trains, resolution: i64, spec: &ProfileSpec) -> Self {
        let (bursts, (train_sizes, gaps)) = rayon::join(
            || BurstSummary::of(trains, &spec.min_gaps),
            || {
                (
                    spec.windows.iter().map(|&window| TrainSizes::of(trains, window)).collect(),
                    GapProfile::of(trains, resolution),
                )
            },
        );
        Self { bursts, train_sizes, gaps }
    }
}

/// The statistics of a contact log. Aggregates only: no value belongs to an account, except that a maximum is one's.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LogProfile {
    /// Accounts that wrote or were written to.
    pub accounts: usize,
    /// Accounts that wrote.
    pub senders: usize,
    /// Unordered pairs with at least one row.
    pub dyads: usize,
    /// Rows: distinct (sender, receiver, time).
    pub rows: usize,
    /// Messages: the sum of counts.
    pub messages: u64,
    /// Rows of an account to itself, left out.
    pub self_contacts: u64,
    /// Days from the first to the last row.
    pub days: f64,
    /// Seconds below which times are not told apart.
    pub resolution: i64,
    /// Rows that an account with any wrote.
    pub rows_per_sender: Option<Quantiles>,
    /// Rows of a dyad.
    pub rows_per_dyad: Option<Quantiles>,
    /// Other accounts that an account exchanged rows with.
    pub degree: Option<Quantiles>,
    /// The tail of the degrees, from the start where a power law fits best.
    pub degree_tail: Option<TailReport>,
    /// All degrees from 1 on.
    pub degree_whole: Option<TailReport>,
    /// Clustering of the undirected graph.
    pub clustering: Clustering,
    /// Correlation of the degrees at the two ends of a link.
    pub degree_assortativity: Option<f64>,
    /// How much is answered.
    pub reciprocity: Reciprocity,
    /// Timing of senders.
    pub account_timing: TimingProfile,
    /// Timing of dyads, both directions together.
    pub dyad_timing: TimingProfile,
    /// Hours and weekdays.
    pub rhythm: Option<Rhythm>,
}

impl LogProfile {
    /// Measures a log. The result depends on neither the numbering of accounts nor the number of threads.
    #[must_use]
    pub fn of(log: &ContactLog, spec: &ProfileSpec) -> Self {
        let dyads = Dyads::of(log);
        let graph = StaticGraph::of_dyads(&dyads, log.bound());
        let (timing, structure) = rayon::join(
            || {
                let of = |trains: &Trains| TimingProfile::of(trains, log.resolution(), spec);
                (of(&Trains::by_sender(log)), of(&Trains::by_dyad(log, &dyads)))
            },
            || (Clustering::of(&graph, &spec.clustering), degree_assortativity(&graph)),
        );
        let mut sent = vec![0_u32; log.bound()];
        for row in log.rows() {
            sent[row.src as usize] += 1;
        }
        sent.retain(|&rows| rows > 0);
        let degrees = graph.degrees();
        let quantiles = |values: &mut dyn Iterator<Item = f64>| Quantiles::of(values.collect());
        Self {
            accounts: degrees.len(),
            senders: sent.len(),
            dyads: graph.edges(),
            rows: log.rows().len(),
            messages: log.rows().iter().map(|row| u64::from(row.count)).sum(),
            self_contacts: log.self_contacts(),
            days: log.span().map_or(0.0, |(first, last)| (last - first) as f64 / 86_400.0),
            resolution: log.resolution(),
            rows_per_sender: quantiles(&mut sent.iter().map(|&rows| f64::from(rows))),
            rows_per_dyad: quantiles(&mut dyads.groups().map(|group| group.len() as f64)),
            degree: quantiles(&mut degrees.iter().map(|&k| k as f64)),
            degree_tail: TailReport::of(&degrees),
            degree_whole: TailReport::from_start(&degrees, 1),
            clustering: structure.0,
            degree_assortativity: structure.1,
            reciprocity: Reciprocity::of(log, &dyads),
            account_timing: timing.0,
            dyad_timing: timing.1,
            rhythm: Rhythm::of(log, spec.monday),
        }
    }
}
