//! Rows on the unit interval, for models that cut columns into public bins: each column's documented range is mapped to `[0, 1]`, and what a
//! platform does not see stands below it instead of looking like a zero. Known before any row is: ranges come from the dictionary, sight
//! from the schemas that platforms declare.

use crate::dictionary;
use equipoise_core::PlatformSchema;
use serde::{Deserialize, Serialize};

/// The public map to the unit interval.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct UnitScale {
    /// Smallest and largest value of each column.
    pub ranges: Vec<(f32, f32)>,
    /// By platform: the columns that it does not see, ascending.
    pub unseen: Vec<Vec<u16>>,
}

impl UnitScale {
    /// What stands where a platform does not see: below the interval.
    pub const UNSEEN: f32 = -1.0;

    /// The map for platforms with these schemas.
    #[must_use]
    pub fn new(label_adjacent: bool, schemas: &[PlatformSchema]) -> Self {
        let columns = dictionary(label_adjacent);
        let unseen = |schema| {
            (0..).zip(&columns).filter(|(_, def)| !def.is_seen_by(schema)).map(|(at, _)| at).collect()
        };
        Self {
            ranges: columns.iter().map(|def| def.range).collect(),
            unseen: schemas.iter().map(unseen).collect(),
        }
    }

    /// Maps one row of `platform` in place. Features of a person's other accounts may follow its own; any platform may have seen those, so
    /// they are scaled only.
    ///
    /// # Panics
    /// If the row is no multiple of the columns or there is no such platform.
    pub fn apply(&self, platform: usize, row: &mut [f32]) {
        assert_eq!(row.len() % self.ranges.len(), 0, "a row holds whole sets of columns");
        for (value, (low, high)) in row.iter_mut().zip(self.ranges.iter().cycle()) {
            *value = (*value - low) / (high - low);
        }
        for &column in &self.unseen[platform] {
            row[usize::from(column)] = Self::UNSEEN;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::test_world::OPEN;

    #[test]
    fn what_is_not_seen_stands_below_the_interval_and_the_rest_inside() {
        let blind = PlatformSchema { sees_age: false, ..OPEN };
        let scale = UnitScale::new(true, &[OPEN, blind]);
        let columns = dictionary(true);
        let mut row: Vec<f32> = columns.iter().map(|def| def.range.0).collect();
        row.extend(columns.iter().map(|def| def.range.1));
        let mut other = row.clone();
        scale.apply(0, &mut row);
        assert!(row[..columns.len()].iter().all(|value| value.abs() < 1e-9), "the smallest value is 0");
        assert!(row[columns.len()..].iter().all(|value| (value - 1.0).abs() < 1e-9), "the largest is 1");
        scale.apply(1, &mut other);
        for (at, def) in columns.iter().enumerate() {
            assert_eq!(other[at] < 0.0, !def.is_seen_by(&blind), "{}", def.name);
            assert!(other[columns.len() + at] >= 0.0, "features of other accounts are scaled only");
        }
        assert!(scale.unseen[0].is_empty() && scale.unseen[1].len() > 3);
    }

    #[test]
    fn the_neutral_value_of_a_signed_column_is_the_middle() {
        let at = dictionary(false).iter().position(|def| def.range.0 < 0.0).unwrap();
        let mut row = vec![0.0; dictionary(false).len()];
        UnitScale::new(false, &[OPEN]).apply(0, &mut row);
        assert!((row[at] - 0.5).abs() < 1e-9 && row[0].abs() < 1e-9);
    }
}
