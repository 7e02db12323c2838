//! What was expected, before anything was compared.
//!
//! `range` is where a log of messages between people is expected to lie, by published figures; it holds for both sides.
//! `near` is how much our side may differ from the log that it is held against. The tolerances are assumed: half of the
//! width of a range where there is one, a factor of two for quantities that span decades. None of them was changed after
//! a comparison was seen; a number outside is reported as outside.

/// How close two numbers must be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Near {
    /// At most so far apart.
    Within(f64),
    /// At most so many times as large or small.
    Factor(f64),
}

impl Near {
    /// Whether `ours` is close enough to `theirs`.
    pub(super) fn holds(self, theirs: f64, ours: f64) -> bool {
        match self {
            Self::Within(most) => (theirs - ours).abs() <= most,
            Self::Factor(most) => theirs > 0.0 && ours > 0.0 && (ours / theirs).max(theirs / ours) <= most,
        }
    }

    /// In words.
    pub(super) fn words(self) -> String {
        match self {
            Self::Within(most) => format!("±{most}"),
            Self::Factor(most) => format!("×/÷{most}"),
        }
    }
}

/// What is expected of one statistic.
#[derive(Clone, Copy, Debug)]
pub(super) struct Band {
    /// Which statistic of `LogProfile::statistics`.
    pub(super) id: &'static str,
    /// Lowest and highest expected value.
    pub(super) range: Option<(f64, f64)>,
    /// How close the sides must be.
    pub(super) near: Option<Near>,
    /// Where the range comes from.
    pub(super) source: &'static str,
}

const fn band(id: &'static str, low: f64, high: f64, near: Near, source: &'static str) -> Band {
    Band { id, range: Some((low, high)), near: Some(near), source }
}

const fn near(id: &'static str, near: Near) -> Band {
    Band { id, range: None, near: Some(near), source: "tolerance assumed" }
}

use Near::{Factor, Within};

/// Every expectation, in the order in which it is printed.
pub(super) const BANDS: [Band; 29] = [
    band(
        "dyad-bn-10",
        0.45,
        0.75,
        Within(0.15),
        "V10: Goh & Barabasi 2008, Jo et al. 2012; band assumed with CollegeMsg known (.59)",
    ),
    near("dyad-bn-50", Within(0.15)),
    band("account-bn-10", 0.45, 0.75, Within(0.15), "V10: Goh & Barabasi 2008, Jo et al. 2012; band assumed"),
    near("account-bn-50", Within(0.15)),
    band(
        "dyad-memory-10",
        -0.1,
        0.1,
        Within(0.1),
        "V10: memory is weak in human dynamics, Goh & Barabasi 2008",
    ),
    band(
        "account-memory-10",
        -0.1,
        0.1,
        Within(0.1),
        "V10: memory is weak in human dynamics, Goh & Barabasi 2008",
    ),
    band(
        "account-runs-600-exponent",
        2.0,
        4.5,
        Within(1.25),
        "Karsai et al. 2012: 2.5 (e-mail) to about 4 (calls, texts), from memory",
    ),
    near("account-runs-600-long", Factor(2.0)),
    near("account-runs-3600-long", Factor(2.0)),
    near("dyad-runs-600-long", Factor(2.0)),
    band(
        "account-gap-body-exponent",
        0.6,
        1.4,
        Within(0.4),
        "Barabasi 2005 (mail, 1), Karsai et al. 2012 (calls .7, texts 1), from memory",
    ),
    near("dyad-gap-body-exponent", Within(0.4)),
    near("account-gap-tail-exponent", Within(0.5)),
    near("dyad-gap-tail-exponent", Within(0.5)),
    near("dyad-gap-p50", Factor(3.0)),
    near("account-gap-p50", Factor(3.0)),
    near("dyad-gap-over-86400", Within(0.15)),
    near("account-gap-over-86400", Within(0.15)),
    near("reciprocity-links", Within(0.15)),
    near("reciprocity-lasting", Within(0.15)),
    band(
        "degree-p99-to-p50",
        4.0,
        12.0,
        Factor(2.0),
        "V3, for graphs of contacts: Facebook 2011 (median 99, far tail); band assumed",
    ),
    band("degree-whole-rejects-power-law", 1.0, 1.0, Within(0.0), "V3: not a pure power law, Facebook 2011"),
    near("degree-whole-sigma", Within(0.5)),
    near("rows-per-dyad-p99", Factor(2.0)),
    near("transitivity", Factor(2.0)),
    band("clustering-slope", -0.6, -0.3, Within(0.15), "V4: MSN 2006, -.4 (Leskovec & Horvitz)"),
    band(
        "degree-assortativity",
        0.05,
        0.25,
        Within(0.15),
        "V5, for graphs of contacts: sign by Facebook 2011; numbers assumed",
    ),
    band("trough-to-peak", 0.03, 0.12, Factor(2.0), "V11; assumed"),
    near("weekend-to-weekday", Factor(1.5)),
];

/// Largest Kolmogorov-Smirnov distance of the hours of the day at which two rhythms count as alike; assumed.
pub(super) const HOURS: f64 = 0.10;
