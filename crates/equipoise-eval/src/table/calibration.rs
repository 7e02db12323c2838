//! Whether a score means what it says: expected calibration error over bins of equal weight, the same where reviewers look,
//! and Cox's (1958) calibration line.

use super::{ScoredRow, ScoredTable, Undefined};
use crate::MINIMUM_COHORT;

/// How far scores are kept from 0 and 1 before their logit is taken.
const LOGIT_EDGE: f64 = 1e-6;

/// Mean of |mean score - share positive| over bins of equal weight. A tie that crosses a bin's end stays whole in that bin, and
/// the bins that it fills are gone; [`crate::reliability`] catches up with smaller bins instead, so under large ties the two differ.
fn binned(rows: &[ScoredRow], bins: u32) -> f64 {
    let all: f64 = rows.iter().map(|row| row.weight).sum();
    let (mut error, mut seen, mut closed) = (0.0, 0.0, 0.0);
    let (mut weight, mut score, mut positive) = (0.0, 0.0, 0.0);
    #[allow(clippy::float_cmp)] // A tie is an equal score.
    for tie in rows.chunk_by(|a, b| a.score == b.score) {
        for row in tie {
            weight += row.weight;
            score += row.weight * row.score;
            positive += if row.positive { row.weight } else { 0.0 };
        }
        if seen + weight >= all * (closed + 1.0) / f64::from(bins.max(1)) - 1e-9 * all {
            error += (score - positive).abs();
            seen += weight;
            // A large tie may fill several bins at once; the next bin ends at the next multiple beyond it.
            closed = libm::floor(seen / all * f64::from(bins.max(1)) + 1e-9);
            (weight, score, positive) = (0.0, 0.0, 0.0);
        }
    }
    (error + (score - positive).abs()) / all
}

/// Expected calibration error over `bins` of equal weight, at least one.
///
/// # Errors
/// Without rows, or with a score outside `[0, 1]`.
pub fn expected_calibration_error(table: &ScoredTable, bins: u32) -> Result<f64, Undefined> {
    table.probabilities()?;
    Ok(binned(table.rows(), bins))
}

/// Expected calibration error of the top 1% of the weight, its last tie whole, over as many bins as hold [`MINIMUM_COHORT`]
/// rows each, at least one and at most ten.
///
/// # Errors
/// Without rows, or with a score outside `[0, 1]`.
pub fn top_calibration_error(table: &ScoredTable) -> Result<f64, Undefined> {
    table.probabilities()?;
    let (positive, negative) = table.weight_by_label();
    let due = 0.01 * (positive + negative);
    let (mut rows, mut weight) = (0, 0.0);
    for tie in table.ties() {
        rows += tie.len();
        weight += tie.iter().map(|row| row.weight).sum::<f64>();
        if weight >= due * (1.0 - 1e-12) {
            break;
        }
    }
    let bins = u32::try_from(rows / MINIMUM_COHORT).unwrap_or(u32::MAX).clamp(1, 10);
    Ok(binned(&table.rows()[..rows], bins))
}

/// The line `logit P(positive) = intercept + slope x logit(score)`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CalibrationLine {
    /// 0 for a calibrated score.
    pub intercept: f64,
    /// 1 for a calibrated score; below 1 the scores are too extreme.
    pub slope: f64,
}

/// Fits the calibration line by maximum likelihood (Newton's method with halved steps).
///
/// # Errors
/// With one label, one score, labels that a threshold separates, or a score outside `[0, 1]`.
pub fn calibration_line(table: &ScoredTable) -> Result<CalibrationLine, Undefined> {
    table.probabilities()?;
    let rows: Vec<(f64, f64, f64)> = table.rows().iter().map(logit_row).collect();
    let ends = |positive: f64| {
        rows.iter()
            .filter(|row| row.1.to_bits() == positive.to_bits())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), row| (low.min(row.0), high.max(row.0)))
    };
    let ((low_1, high_1), (low_0, high_0)) = (ends(1.0), ends(0.0));
    if low_1 > high_1 {
        return Err(Undefined::NoPositive);
    }
    if low_0 > high_0 {
        return Err(Undefined::NoNegative);
    }
    if high_1.max(high_0) <= low_1.min(low_0) {
        return Err(Undefined::OneScore);
    }
    if low_1 >= high_0 || low_0 >= high_1 {
        return Err(Undefined::Separated);
    }
    newton(&rows)
}

/// `(logit, label, weight)`.
fn logit_row(row: &ScoredRow) -> (f64, f64, f64) {
    let p = row.score.clamp(LOGIT_EDGE, 1.0 - LOGIT_EDGE);
    (libm::log(p) - libm::log1p(-p), f64::from(u8::from(row.positive)), row.weight)
}

/// `ln(1 + e^x)` without overflow.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + libm::log1p(libm::exp(-x.abs()))
}

fn newton(rows: &[(f64, f64, f64)]) -> Result<CalibrationLine, Undefined> {
    let loss = |a: f64, b: f64| {
        rows.iter().map(|&(x, y, w)| w * (softplus(a + b * x) - y * (a + b * x))).sum::<f64>()
    };
    let (mut a, mut b, mut at) = (0.0, 0.0, loss(0.0, 0.0));
    for _ in 0..200 {
        let (mut ga, mut gb, mut haa, mut hab, mut hbb) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for &(x, y, w) in rows {
            let p = 1.0 / (1.0 + libm::exp(-(a + b * x)));
            let (pull, curve) = (w * (y - p), w * p * (1.0 - p));
            ga += pull;
            gb += pull * x;
            haa += curve;
            hab += curve * x;
            hbb += curve * x * x;
        }
        let area = haa * hbb - hab * hab;
        if area <= 0.0 || area.is_nan() {
            return Err(Undefined::NotSettled);
        }
        let (da, db) = ((hbb * ga - hab * gb) / area, (haa * gb - hab * ga) / area);
        let mut part = 1.0;
        let mut next = loss(a + da, b + db);
        while next > at + 1e-12 * at.abs() && part > 1e-10 {
            part /= 2.0;
            next = loss(a + part * da, b + part * db);
        }
        (a, b, at) = (a + part * da, b + part * db, next);
        if da.abs() <= 1e-12 * (1.0 + a.abs()) && db.abs() <= 1e-12 * (1.0 + b.abs()) {
            return Ok(CalibrationLine { intercept: a, slope: b });
        }
    }
    Err(Undefined::NotSettled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[(f64, bool)]) -> ScoredTable {
        let (scores, labels): (Vec<f64>, Vec<bool>) = rows.iter().copied().unzip();
        ScoredTable::new(&scores, &labels, None).unwrap()
    }

    /// Two bins of two: |.75 - 1/2| and |.25 - 0|, halves: 1/4. With one tie of three at .75 the first bin holds 3 rows, so
    /// the errors are 3/4 |.75 - 1/3| + 1/4 |.25 - 0| = .3125 + .0625.
    #[test]
    fn bins_of_equal_mass_keep_ties_whole() {
        let even = table(&[(0.75, true), (0.75, false), (0.25, false), (0.25, false)]);
        assert!((expected_calibration_error(&even, 2).unwrap() - 0.25).abs() < 1e-15);
        let tied = table(&[(0.75, true), (0.75, false), (0.75, false), (0.25, false)]);
        assert!((expected_calibration_error(&tied, 2).unwrap() - 0.375).abs() < 1e-15);
    }

    /// Eight rows in four bins, five tied at 1/2 (two positive): they fill two bins, so the third ends at row six and the fourth
    /// holds two: (|2.5 - 2| + |.375 - 1| + |.25 + .125 - 1|) / 8.
    #[test]
    fn a_tie_that_fills_two_bins_counts_as_two() {
        let mut rows = vec![(0.5, true), (0.5, true), (0.5, false), (0.5, false), (0.5, false)];
        rows.extend([(0.375, true), (0.25, false), (0.125, true)]);
        let got = expected_calibration_error(&table(&rows), 4).unwrap();
        assert!((got - (0.5 + 0.625 + 0.625) / 8.0).abs() < 1e-15, "{got}");
    }

    /// 100 rows: the top 1% is the row at .9 alone, which is negative; the other 99 are right. A tie of two at .9 is kept
    /// whole: |.9 - 1/2|.
    #[test]
    fn the_top_percent_is_what_reviewers_see() {
        let mut rows = vec![(0.9, false)];
        rows.extend((0..99).map(|_| (0.0, false)));
        assert!((top_calibration_error(&table(&rows)).unwrap() - 0.9).abs() < 1e-15);
        rows[1] = (0.9, true);
        assert!((top_calibration_error(&table(&rows)).unwrap() - 0.4).abs() < 1e-15);
    }

    /// At score 1/4 one of four is positive, at 3/4 three of four: calibrated, so intercept 0 and slope 1. At 1/5 and 4/5 the
    /// same labels give the slope ln 3 / ln 4.
    #[test]
    fn a_calibrated_score_has_slope_one() {
        let of = |low: f64| {
            let high = 1.0 - low;
            let labels = [true, false, false, false];
            let rows: Vec<(f64, bool)> =
                labels.iter().map(|&l| (low, l)).chain(labels.iter().map(|&l| (high, !l))).collect();
            calibration_line(&table(&rows)).unwrap()
        };
        assert!((of(0.25).slope - 1.0).abs() < 1e-12 && of(0.25).intercept.abs() < 1e-12);
        assert!((of(0.2).slope - 3.0_f64.ln() / 4.0_f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn where_no_line_exists_the_reason_is_said() {
        assert_eq!(calibration_line(&table(&[(0.1, false), (0.9, true)])), Err(Undefined::Separated));
        assert_eq!(calibration_line(&table(&[(0.9, false), (0.1, true)])), Err(Undefined::Separated));
        assert_eq!(calibration_line(&table(&[(0.5, false), (0.5, true)])), Err(Undefined::OneScore));
        assert_eq!(calibration_line(&table(&[(0.5, true), (0.4, true)])), Err(Undefined::NoNegative));
        assert_eq!(calibration_line(&table(&[(-0.5, true), (0.4, false)])), Err(Undefined::NotProbabilities));
    }
}
