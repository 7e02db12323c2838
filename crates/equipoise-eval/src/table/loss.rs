//! Proper scores of probabilities: Brier (1950) and the logarithmic score (Good, 1952). Read only for scores that claim to be
//! probabilities.

use super::{ScoredRow, ScoredTable, Undefined};

/// The weighted mean of `of` over the rows of a table of probabilities.
fn mean(table: &ScoredTable, of: impl Fn(&ScoredRow) -> f64) -> Result<f64, Undefined> {
    table.probabilities()?;
    let sum = |(sum, all): (f64, f64), row: &ScoredRow| (sum + row.weight * of(row), all + row.weight);
    let (sum, all) = table.rows().iter().fold((0.0, 0.0), sum);
    Ok(sum / all)
}

/// Mean squared distance of score and label.
///
/// # Errors
/// Without rows, or with a score outside `[0, 1]`.
pub fn brier(table: &ScoredTable) -> Result<f64, Undefined> {
    mean(table, |row| {
        let distance = row.score - f64::from(u8::from(row.positive));
        distance * distance
    })
}

/// Mean of minus the logarithm of the probability given to what was true, kept one machine epsilon from 0 and 1 as in
/// scikit-learn.
///
/// # Errors
/// Without rows, or with a score outside `[0, 1]`.
pub fn log_loss(table: &ScoredTable) -> Result<f64, Undefined> {
    mean(table, |row| {
        let given = if row.positive { row.score } else { 1.0 - row.score };
        -libm::log(given.clamp(f64::EPSILON, 1.0 - f64::EPSILON))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weight 3 at .75 true and weight 1 at .5 false: (3/16 + 1/4) / 4 = 7/64, and (3 ln 4/3 + ln 2) / 4.
    #[test]
    fn two_weighted_rows_worked_by_hand() {
        let table = ScoredTable::new(&[0.75, 0.5], &[true, false], Some(&[3.0, 1.0])).unwrap();
        assert!((brier(&table).unwrap() - 7.0 / 64.0).abs() < 1e-15);
        let want = (3.0 * (4.0_f64 / 3.0).ln() + 2.0_f64.ln()) / 4.0;
        assert!((log_loss(&table).unwrap() - want).abs() < 1e-15);
    }

    #[test]
    fn a_logit_is_no_probability() {
        let table = ScoredTable::new(&[1.5, 0.5], &[true, false], None).unwrap();
        assert_eq!(brier(&table), Err(Undefined::NotProbabilities));
        assert_eq!(log_loss(&table), Err(Undefined::NotProbabilities));
    }
}
