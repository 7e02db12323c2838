//! Which columns the platforms of a federation learn from: each its own, or what all of them have in common.
//!
//! Platforms of different kinds do not see the same things (a messenger behind end-to-end encryption knows no ages, a game lobby no
//! media). A row has a place for every column of the dictionary, zero where its platform does not see it. How a federation deals with that
//! is a choice of the experiment, made on the rows: the worlds stay as they are, so that arms pair. Units differ too (message buckets of
//! five minutes or an hour, retention); the columns are rates and shares that take the platform's own unit into account.

use crate::data::{TrainRows, WorldData};
use equipoise_features::{Reads, dictionary};
use equipoise_synth::WorldSpec;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Which columns rows have, and what stands in those that a platform does not see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SchemaSpec {
    /// The columns of all platforms; zero where a platform does not see one.
    Native {},
    /// The same, with columns that say what the row's platform sees: a zero that was seen is told from one that was not.
    Marked {},
    /// Only the columns that every platform sees: the common ontology.
    Common {},
    /// Only the columns that read the account's own events and profile, and no contact: what hiding what an account did costs no other
    /// account's row. The ablation that says what contact features buy.
    Own {},
}

impl Default for SchemaSpec {
    fn default() -> Self {
        Self::Native {}
    }
}

/// What each platform sees, `[platform][column]`.
pub type Seen = [Vec<bool>];

impl SchemaSpec {
    /// One sentence for the reference page.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Native {} => "every platform's own columns; zero where a platform does not see one",
            Self::Marked {} => "the same, and columns that say what the row's platform sees",
            Self::Common {} => "only the columns that every platform sees",
            Self::Own {} => "only the columns that read the account's own events and profile, and no contact",
        }
    }

    /// One of each, for tests and the reference page.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        vec![Self::Native {}, Self::Marked {}, Self::Common {}, Self::Own {}]
    }

    /// The names of the columns that a model reads.
    #[must_use]
    pub fn columns(self, names: &[String], seen: &Seen) -> Vec<String> {
        let kept = self.kept(seen, names.len()).into_iter().map(|at| names[at].clone());
        kept.chain(self.marks(seen).into_iter().map(|(name, _)| name)).collect()
    }

    /// The world as arms under this schema see it.
    #[must_use]
    pub fn view(self, world: &WorldData) -> Cow<'_, WorldData> {
        if self == (Self::Native {}) {
            return Cow::Borrowed(world);
        }
        let columns = world.meta.columns.len();
        let turn =
            Turn { kept: self.kept(&world.meta.seen, columns), marks: self.marks(&world.meta.seen), columns };
        let of_case = |case: &u32| world.cases.platform[*case as usize];
        let (train, linked, test) = (&world.train, &world.train_linked, &world.test);
        let tested: Vec<u8> = test.case.iter().map(of_case).collect();
        let mut own = world.clone();
        own.train = TrainRows {
            columns: turn.width(),
            values: turn.rows(&train.values, train.platform.iter().map(|p| Some(*p))),
            ..train.clone()
        };
        // An account's own columns, then its person's others: on which platforms those are is not said.
        let halves = linked.platform.iter().flat_map(|p| [Some(*p), None]);
        own.train_linked = TrainRows {
            columns: 2 * turn.width(),
            values: turn.rows(&linked.values, halves),
            ..linked.clone()
        };
        own.test.values = turn.rows(&test.values, tested.iter().map(|p| Some(*p)));
        own.test.linked = turn.rows(&test.linked, tested.iter().map(|_| None));
        own.meta.columns = self.columns(&world.meta.columns, &world.meta.seen);
        Cow::Owned(own)
    }

    /// The places of the columns that stay.
    fn kept(self, seen: &Seen, columns: usize) -> Vec<usize> {
        let all = |column: &usize| seen.iter().all(|platform| platform[*column]);
        match self {
            Self::Native {} | Self::Marked {} => (0..columns).collect(),
            Self::Common {} => (0..columns).filter(all).collect(),
            Self::Own {} => {
                // The dictionary is the longer one where it holds columns next to the label.
                let own = dictionary(columns == dictionary(true).len());
                let reads_own = |column: &usize| own.get(*column).is_some_and(|def| def.reads == Reads::Own);
                (0..columns).filter(reads_own).collect()
            }
        }
    }

    /// Columns that say what a platform sees: one for each set of platforms that share a sight which others lack.
    fn marks(self, seen: &Seen) -> Vec<(String, Vec<bool>)> {
        if self != (Self::Marked {}) {
            return vec![];
        }
        let columns = seen.first().map_or(0, Vec::len);
        let mut marks: Vec<Vec<bool>> =
            (0..columns).map(|column| seen.iter().map(|platform| platform[column]).collect()).collect();
        marks.sort_unstable();
        marks.dedup();
        marks.retain(|sees| sees.contains(&true) && sees.contains(&false));
        (0..).zip(marks).map(|(at, sees): (usize, _)| (format!("sees-{at}"), sees)).collect()
    }
}

/// What each platform of a world sees of the dictionary.
#[must_use]
pub fn seen_in(world: &WorldSpec, label_adjacent: bool) -> Vec<Vec<bool>> {
    let columns = dictionary(label_adjacent);
    (0..world.platform.len())
        .map(|platform| {
            let schema = world.schema(platform);
            columns.iter().map(|column| column.is_seen_by(&schema)).collect()
        })
        .collect()
}

/// How rows are turned.
struct Turn {
    kept: Vec<usize>,
    marks: Vec<(String, Vec<bool>)>,
    columns: usize,
}

impl Turn {
    fn width(&self) -> usize {
        self.kept.len() + self.marks.len()
    }

    /// Rows of `columns` values, each of a platform, or of none that is said.
    fn rows(&self, values: &[f32], platforms: impl Iterator<Item = Option<u8>>) -> Vec<f32> {
        let mut turned = Vec::with_capacity(values.len() / self.columns.max(1) * self.width());
        for (row, platform) in values.chunks_exact(self.columns.max(1)).zip(platforms) {
            turned.extend(self.kept.iter().map(|&at| row[at]));
            let sees = |sees: &[bool]| platform.is_some_and(|platform| sees[usize::from(platform)]);
            turned.extend(self.marks.iter().map(|(_, mark)| f32::from(u8::from(sees(mark)))));
        }
        turned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two platforms, four columns: both see 0 and 3, the first alone 1, the second alone 2.
    fn seen() -> Vec<Vec<bool>> {
        vec![vec![true, true, false, true], vec![true, false, true, true]]
    }

    fn names() -> Vec<String> {
        ["a", "b", "c", "d"].map(str::to_owned).to_vec()
    }

    fn turned(schema: SchemaSpec) -> Vec<f32> {
        let turn = Turn { kept: schema.kept(&seen(), 4), marks: schema.marks(&seen()), columns: 4 };
        turn.rows(&[1.0, 2.0, 0.0, 4.0, 5.0, 0.0, 7.0, 8.0], [Some(0), Some(1)].into_iter())
    }

    #[test]
    fn the_common_columns_are_those_that_all_platforms_see() {
        assert_eq!(SchemaSpec::Common {}.columns(&names(), &seen()), ["a", "d"]);
        assert_eq!(turned(SchemaSpec::Common {}), [1.0, 4.0, 5.0, 8.0]);
    }

    #[test]
    fn marks_say_what_a_platform_sees_and_nothing_where_none_is_said() {
        assert_eq!(
            SchemaSpec::Marked {}.columns(&names(), &seen()),
            ["a", "b", "c", "d", "sees-0", "sees-1"]
        );
        let [first, second] = [[1.0, 2.0, 0.0, 4.0, 0.0, 1.0], [5.0, 0.0, 7.0, 8.0, 1.0, 0.0]];
        assert_eq!(turned(SchemaSpec::Marked {}), [first, second].concat());
        let marked = SchemaSpec::Marked {};
        let turn = Turn { kept: marked.kept(&seen(), 4), marks: marked.marks(&seen()), columns: 4 };
        assert_eq!(turn.rows(&[1.0; 4], std::iter::once(None)), [1.0, 1.0, 1.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn own_columns_read_no_contact_and_are_not_none() {
        for label_adjacent in [false, true] {
            let all = dictionary(label_adjacent);
            let names: Vec<String> = all.iter().map(|def| def.name.to_owned()).collect();
            let seen = vec![vec![true; all.len()]; 2];
            let own = SchemaSpec::Own {}.columns(&names, &seen);
            assert!(own.len() > 5 && own.len() < all.len() / 2, "{own:?}");
            assert!(all.iter().all(|def| own.contains(&def.name.to_owned()) == (def.reads == Reads::Own)));
            assert!(!own.contains(&"messages-received-per-day".to_owned()));
        }
    }

    #[test]
    fn platforms_of_one_kind_need_no_marks_and_lose_nothing() {
        let alike = vec![vec![true, false]; 3];
        assert_eq!(SchemaSpec::Marked {}.marks(&alike), []);
        assert_eq!(SchemaSpec::Common {}.kept(&alike, 2), [0]);
    }
}
