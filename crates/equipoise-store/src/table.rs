//! A table of fixed-width columns in memory. There is no column of text or bytes: not refused, but not expressible.

use crate::StoreError;
use std::fmt;

macro_rules! columns {
    ($($variant:ident($inner:ty) $getter:ident $word:literal),+ $(,)?) => {
        /// The values of one column.
        #[derive(Clone, PartialEq, Debug)]
        pub enum ColumnData {
            $(#[doc = concat!("Values of type `", $word, "`.")] $variant(Vec<$inner>),)+
        }

        /// The type of one column.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum ColumnType {
            $(#[doc = concat!("`", $word, "`.")] $variant,)+
        }

        impl ColumnType {
            /// Every type.
            pub const ALL: [Self; 9] = [$(Self::$variant),+];

            /// A column of this type without rows.
            #[must_use]
            pub const fn empty(self) -> ColumnData {
                match self { $(Self::$variant => ColumnData::$variant(Vec::new()),)+ }
            }
        }

        impl fmt::Display for ColumnType {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $word,)+ })
            }
        }

        impl ColumnData {
            /// The type of the values.
            #[must_use]
            pub const fn kind(&self) -> ColumnType {
                match self { $(Self::$variant(_) => ColumnType::$variant,)+ }
            }

            /// How many values there are.
            #[must_use]
            pub const fn len(&self) -> usize {
                match self { $(Self::$variant(values) => values.len(),)+ }
            }

            /// Appends the values of `other`; `false`, and nothing happens, if the types differ.
            pub(crate) fn append(&mut self, other: Self) -> bool {
                match (self, other) {
                    $((Self::$variant(mine), Self::$variant(mut theirs)) => mine.append(&mut theirs),)+
                    _ => return false,
                }
                true
            }
        }

        $(impl From<Vec<$inner>> for ColumnData {
            fn from(values: Vec<$inner>) -> Self {
                Self::$variant(values)
            }
        })+

        impl Table {
            $(
                #[doc = concat!("The values of the `", $word, "` column `name`.\n\n# Errors\nIf there is none, or it is of another type.")]
                pub fn $getter(&self, name: &str) -> Result<&[$inner], StoreError> {
                    match self.column(name)? {
                        ColumnData::$variant(values) => Ok(values),
                        other => Err(StoreError::WrongType {
                            name: name.to_owned(), wanted: ColumnType::$variant, found: other.kind(),
                        }),
                    }
                }
            )+
        }
    };
}

columns! {
    U8(u8) u8 "u8", U16(u16) u16 "u16", U32(u32) u32 "u32", U64(u64) u64 "u64",
    I32(i32) i32 "i32", I64(i64) i64 "i64", F32(f32) f32 "f32", F64(f64) f64 "f64", Bool(bool) bool "bool",
}

impl ColumnData {
    /// Whether there are no values.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Named columns of one length, in the order in which they were given.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Table {
    columns: Vec<(String, ColumnData)>,
}

impl Table {
    /// A table without columns.
    #[must_use]
    pub const fn new() -> Self {
        Self { columns: Vec::new() }
    }

    /// This table with one more column.
    ///
    /// # Errors
    /// If the name is not `[a-z0-9_]+` or taken, or if the length is not that of the columns before.
    pub fn with(mut self, name: &str, data: impl Into<ColumnData>) -> Result<Self, StoreError> {
        let data = data.into();
        check_name(name)?;
        if self.columns.iter().any(|(taken, _)| taken == name) {
            return Err(StoreError::Duplicate { name: name.to_owned() });
        }
        if !self.columns.is_empty() && data.len() != self.rows() {
            return Err(StoreError::Length {
                name: name.to_owned(),
                rows: data.len(),
                expected: self.rows(),
            });
        }
        self.columns.push((name.to_owned(), data));
        Ok(self)
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, data)| data.len())
    }

    /// The column `name`.
    ///
    /// # Errors
    /// If there is none.
    pub fn column(&self, name: &str) -> Result<&ColumnData, StoreError> {
        self.columns.iter().find(|(have, _)| have == name).map(|(_, data)| data).ok_or_else(|| {
            let have: Vec<&str> = self.columns.iter().map(|(name, _)| name.as_str()).collect();
            StoreError::NoColumn { name: name.to_owned(), have: have.join(", ") }
        })
    }

    /// The columns, in order.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = (&str, &ColumnData)> {
        self.columns.iter().map(|(name, data)| (name.as_str(), data))
    }

    /// The names and types of the columns, in order.
    #[must_use]
    pub fn schema(&self) -> Vec<(String, ColumnType)> {
        self.columns.iter().map(|(name, data)| (name.clone(), data.kind())).collect()
    }

    /// Appends the rows of a table of the same schema; `false` if the schemas differ.
    pub(crate) fn append(&mut self, other: Self) -> bool {
        if self.schema() != other.schema() {
            return false;
        }
        self.columns.iter_mut().zip(other.columns).all(|((_, mine), (_, theirs))| mine.append(theirs))
    }
}

/// Checks that a column name is `[a-z0-9_]+`.
pub(crate) fn check_name(name: &str) -> Result<(), StoreError> {
    let fine =
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if fine { Ok(()) } else { Err(StoreError::Name { name: name.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_capital_a_dash_or_nothing_is_refused() {
        for name in ["", "Account", "a-b", "a.b", "ä"] {
            assert!(matches!(Table::new().with(name, vec![1_u8]), Err(StoreError::Name { .. })), "{name}");
        }
    }

    #[test]
    fn a_second_column_of_one_name_is_refused() {
        let table = Table::new().with("a", vec![1_u8]).unwrap();
        assert!(matches!(table.with("a", vec![2_u8]), Err(StoreError::Duplicate { .. })));
    }

    #[test]
    fn a_column_of_another_length_is_refused_with_both_lengths() {
        let error = Table::new().with("a", vec![1_u8, 2]).unwrap().with("b", vec![1_u8]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "column `b` has 1 rows, the table has 2; give every column one value a row"
        );
    }

    #[test]
    fn a_getter_of_another_type_names_both_types() {
        let table = Table::new().with("a", vec![1_u8]).unwrap();
        assert!(table.u32("a").unwrap_err().to_string().starts_with("column `a` is u8, not u32"));
        assert_eq!(table.u32("b").unwrap_err().to_string(), "no column `b`; the table has: a");
    }
}
