//! Recall and precision when only so many rows can be reviewed, under two definitions that must not be mixed up.
//!
//! *Share of a table* ([`at_budget`]): the highest scores of the whole table, all judged at once. *Per platform and day*
//! ([`at_daily_budget`]): each platform reviews its own highest scores anew each day, as reviewers work; it is the lower of
//! the two wherever the top scores crowd on some days. **Tie rule** of both: equal scores at the edge of the budget share its
//! remaining places evenly, the expectation over a random order; nothing depends on the order of rows.

use super::{ScoredTable, TableError, Undefined};
use std::collections::BTreeMap;

/// How much can be reviewed.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Budget {
    /// So many rows (so much weight, where rows are weighted).
    Rows(f64),
    /// This share of the weight; not rounded to whole rows.
    Share(f64),
}

/// A budget that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a budget is a whole number of rows, at least 1, or a share such as 0.02 in (0, 1], got `{0}`")]
pub struct BudgetError(String);

impl std::str::FromStr for Budget {
    type Err = BudgetError;

    /// A whole number is a number of rows; what has a point or an exponent is a share.
    fn from_str(text: &str) -> Result<Self, BudgetError> {
        let wrong = || BudgetError(text.to_owned());
        let value: f64 = text.trim().parse().map_err(|_| wrong())?;
        let whole = text.trim().bytes().all(|byte| byte.is_ascii_digit());
        match whole {
            true if value >= 1.0 => Ok(Self::Rows(value)),
            false if value > 0.0 && value <= 1.0 => Ok(Self::Share(value)),
            _ => Err(wrong()),
        }
    }
}

/// What a budget found.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct AtBudget {
    /// Positive weight reviewed over all positive weight.
    pub recall: Result<f64, Undefined>,
    /// Positive weight reviewed over weight reviewed.
    pub precision: Result<f64, Undefined>,
    /// Weight reviewed.
    pub reviewed: f64,
}

impl AtBudget {
    fn new(found: f64, positive: f64, reviewed: f64) -> Self {
        let over = |whole: f64, why| if whole > 0.0 { Ok((found / whole).min(1.0)) } else { Err(why) };
        Self {
            recall: over(positive, Undefined::NoPositive),
            precision: over(reviewed, Undefined::NothingReviewed),
            reviewed,
        }
    }
}

/// `(positive weight reviewed, weight reviewed)`.
fn review(table: &ScoredTable, budget: Budget) -> (f64, f64) {
    let (positive, negative) = table.weight_by_label();
    let mut places = match budget {
        Budget::Rows(rows) => rows,
        Budget::Share(share) => share * (positive + negative),
    };
    let (mut found, mut reviewed) = (0.0, 0.0);
    for (positive, all) in table.tie_weights() {
        let part = (places / all).min(1.0);
        found += part * positive;
        reviewed += part * all;
        places -= all;
        if places <= 0.0 {
            break;
        }
    }
    (found, reviewed)
}

/// Share of a table: the highest scores of all rows.
///
/// # Errors
/// Without rows.
pub fn at_budget(table: &ScoredTable, budget: Budget) -> Result<AtBudget, Undefined> {
    if table.rows().is_empty() {
        return Err(Undefined::NoRows);
    }
    let (found, reviewed) = review(table, budget);
    Ok(AtBudget::new(found, table.weight_by_label().0, reviewed))
}

/// Per platform and day: the budget anew for each distinct `(platform, day)` of `cells`, one for each row.
///
/// # Errors
/// As [`ScoredTable::new`]; `cells` must be as long as the scores.
pub fn at_daily_budget<K: Ord>(
    scores: &[f64],
    labels: &[bool],
    weights: Option<&[f64]>,
    cells: &[K],
    budget: Budget,
) -> Result<AtBudget, TableError> {
    let all = ScoredTable::new(scores, labels, weights)?;
    let mut members: BTreeMap<&K, Vec<usize>> = BTreeMap::new();
    for (row, cell) in cells.iter().enumerate().take(scores.len()) {
        members.entry(cell).or_default().push(row);
    }
    let (mut found, mut reviewed) = (0.0, 0.0);
    for rows in members.values() {
        let of = |values: &[f64]| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
        let labels: Vec<bool> = rows.iter().map(|&row| labels[row]).collect();
        let cell = ScoredTable::new(&of(scores), &labels, weights.map(of).as_deref())?;
        let (cell_found, cell_reviewed) = review(&cell, budget);
        found += cell_found;
        reviewed += cell_reviewed;
    }
    Ok(AtBudget::new(found, all.weight_by_label().0, reviewed))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCORES: [f64; 6] = [0.9, 0.5, 0.5, 0.5, 0.2, 0.1];
    const LABELS: [bool; 6] = [false, true, false, true, true, false];

    /// Two places: the row at .9, then one of three at .5, of which two are positive: 2/3 of a positive found of three, two
    /// rows reviewed.
    #[test]
    fn a_tie_at_the_edge_shares_the_last_place() {
        let table = ScoredTable::new(&SCORES, &LABELS, None).unwrap();
        let got = at_budget(&table, Budget::Rows(2.0)).unwrap();
        assert!((got.recall.unwrap() - 2.0 / 9.0).abs() < 1e-15);
        assert!((got.precision.unwrap() - 1.0 / 3.0).abs() < 1e-15);
        assert_eq!(at_budget(&table, Budget::Share(1.0 / 3.0)).unwrap().recall, got.recall);
        assert_eq!(at_budget(&table, Budget::Rows(1e9)).unwrap().recall, Ok(1.0));
    }

    /// One review a day: day 0 holds .9 (negative), .5, .5; day 1 holds .5, .2, .1: found 1 of three in two reviews. Two of
    /// the whole table found 2/3: the definitions differ.
    #[test]
    fn a_daily_budget_is_not_a_share_of_the_table() {
        let days = [0, 0, 0, 1, 1, 1];
        let got = at_daily_budget(&SCORES, &LABELS, None, &days, Budget::Rows(1.0)).unwrap();
        assert_eq!((got.recall, got.precision), (Ok(1.0 / 3.0), Ok(0.5)));
        let one_cell = at_daily_budget(&SCORES, &LABELS, None, &[0; 6], Budget::Rows(2.0)).unwrap();
        let table = ScoredTable::new(&SCORES, &LABELS, None).unwrap();
        assert_eq!(one_cell, at_budget(&table, Budget::Rows(2.0)).unwrap());
    }

    #[test]
    fn a_budget_is_a_number_of_rows_or_a_share() {
        assert_eq!("20".parse(), Ok(Budget::Rows(20.0)));
        assert_eq!("0.02".parse(), Ok(Budget::Share(0.02)));
        assert_eq!("1".parse(), Ok(Budget::Rows(1.0)));
        assert_eq!("1.0".parse(), Ok(Budget::Share(1.0)));
        for wrong in ["0", "1.5", "-3", "two", "0.0", "NaN", ""] {
            assert!(wrong.parse::<Budget>().is_err(), "{wrong}");
        }
    }
}
