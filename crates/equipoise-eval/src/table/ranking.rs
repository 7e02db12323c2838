//! What depends on the order of scores only: average precision (Davis and Goadrich, ICML 2006) and the area under the ROC
//! curve (Hanley and McNeil, 1982). Ties are one point of either curve.

use super::{ScoredTable, Undefined};

/// Share of positive weight.
///
/// # Errors
/// Without rows.
pub fn prevalence(table: &ScoredTable) -> Result<f64, Undefined> {
    let (positive, negative) = table.weight_by_label();
    if table.rows().is_empty() { Err(Undefined::NoRows) } else { Ok(positive / (positive + negative)) }
}

/// Sum over distinct scores of recall gained times precision.
///
/// # Errors
/// Without a positive row.
pub fn average_precision(table: &ScoredTable) -> Result<f64, Undefined> {
    let (mut found, mut seen, mut sum) = (0.0, 0.0, 0.0);
    for (positive, all) in table.tie_weights() {
        found += positive;
        seen += all;
        sum += positive * (found / seen);
    }
    if found > 0.0 { Ok(sum / found) } else { Err(Undefined::NoPositive) }
}

/// Average precision on the scale on which 0 is no information.
///
/// # Errors
/// Without rows of both labels.
pub fn normalised_average_precision(table: &ScoredTable) -> Result<f64, Undefined> {
    let (precision, prevalence) = (average_precision(table)?, prevalence(table)?);
    if prevalence < 1.0 {
        Ok((precision - prevalence) / (1.0 - prevalence))
    } else {
        Err(Undefined::NoNegative)
    }
}

/// The chance that a positive row outscores a negative one, ties counting half.
///
/// # Errors
/// Without rows of both labels.
pub fn roc_auc(table: &ScoredTable) -> Result<f64, Undefined> {
    let (mut above, mut below, mut won) = (0.0, 0.0, 0.0);
    for (positive, all) in table.tie_weights() {
        let negative = all - positive;
        won += negative * (above + positive / 2.0);
        above += positive;
        below += negative;
    }
    if above <= 0.0 {
        Err(Undefined::NoPositive)
    } else if below <= 0.0 {
        Err(Undefined::NoNegative)
    } else {
        Ok(won / (above * below))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores .9 .9 | .5 with labels 1 0 | 1 and weights 2 1 | 1. Precision 2/3 at recall 2/3, then 3/4 at 1:
    /// 2/3 x 2/3 + 1/3 x 3/4 = 25/36. One negative of weight 1: 2 tie with it, 1 loses: (2/2) / 3 = 1/3.
    #[test]
    fn weights_and_ties_worked_by_hand() {
        let table = ScoredTable::new(&[0.9, 0.9, 0.5], &[true, false, true], Some(&[2.0, 1.0, 1.0])).unwrap();
        assert!((average_precision(&table).unwrap() - 25.0 / 36.0).abs() < 1e-15);
        assert!((roc_auc(&table).unwrap() - 1.0 / 3.0).abs() < 1e-15);
        assert!((prevalence(&table).unwrap() - 0.75).abs() < 1e-15);
    }

    #[test]
    fn one_label_has_no_area_and_says_which_is_missing() {
        let table = |label| ScoredTable::new(&[0.2, 0.4], &[label, label], None).unwrap();
        assert_eq!(roc_auc(&table(true)), Err(Undefined::NoNegative));
        assert_eq!(roc_auc(&table(false)), Err(Undefined::NoPositive));
        assert_eq!(average_precision(&table(false)), Err(Undefined::NoPositive));
        assert_eq!(average_precision(&table(true)), Ok(1.0));
        assert_eq!(normalised_average_precision(&table(true)), Err(Undefined::NoNegative));
        assert_eq!(prevalence(&ScoredTable::new(&[], &[], None).unwrap()), Err(Undefined::NoRows));
    }
}
