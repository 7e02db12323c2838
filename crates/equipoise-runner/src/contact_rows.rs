//! What each contact adds to each row, beside the rows of a world: in memory and as a table.

use crate::data::{rows_of, with_rows};
use equipoise_store::{StoreError, Table};

/// What each contact adds to each row, beside rows: short vectors, in the order of `equipoise_features::contact_columns`. Only worlds of
/// experiments that sum over contacts have them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContactRows {
    /// Numbers of a vector.
    pub columns: usize,
    /// One past the last contact of each row.
    pub ends: Vec<u32>,
    /// The contacts, row after row: accounts of the row's platform.
    pub account: Vec<u32>,
    /// `[contacts, columns]`.
    pub values: Vec<f32>,
}

impl ContactRows {
    /// Puts the contacts of the next row behind the others.
    ///
    /// # Panics
    /// If a world's rows have more than 2^32 contacts.
    pub fn push(&mut self, contacts: impl Iterator<Item = u32>, values: &[f32]) {
        self.account.extend(contacts);
        self.values.extend_from_slice(values);
        self.ends
            .push(u32::try_from(self.account.len()).expect("a world's rows have fewer than 2^32 contacts"));
    }

    /// Where the contacts of row `row` stand.
    #[must_use]
    pub fn range(&self, row: usize) -> std::ops::Range<usize> {
        let from = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        from as usize..self.ends[row] as usize
    }

    /// The contacts of row `row`, and what each adds.
    #[must_use]
    pub fn of(&self, row: usize) -> (&[u32], &[f32]) {
        let range = self.range(row);
        (&self.account[range.clone()], &self.values[range.start * self.columns..range.end * self.columns])
    }

    /// The contacts of the rows that `holds` keeps, in order.
    #[must_use]
    pub fn keep(&self, holds: impl Fn(usize) -> bool) -> Self {
        let mut kept = Self { columns: self.columns, ..Self::default() };
        for row in (0..self.ends.len()).filter(|&row| holds(row)) {
            let (accounts, values) = self.of(row);
            kept.push(accounts.iter().copied(), values);
        }
        kept
    }
}

/// The contacts of a world's rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorldContacts {
    /// Beside the rows to train on.
    pub train: ContactRows,
    /// Beside the rows to decide on.
    pub test: ContactRows,
}

impl ContactRows {
    /// As a table, one line a contact.
    ///
    /// # Errors
    /// Never in practice: columns are as long as each other.
    pub fn table(&self) -> Result<Table, StoreError> {
        let rows =
            (0_u32..).zip(0..self.ends.len()).flat_map(|(number, row)| self.range(row).map(move |_| number));
        let table =
            Table::new().with("row", rows.collect::<Vec<u32>>())?.with("account", self.account.clone())?;
        with_rows(table, "c", self.columns, &self.values)
    }

    /// Reads the table of so many rows back; a row without contacts has no line.
    ///
    /// # Errors
    /// If a column is missing or of another type.
    pub fn from_table(table: &Table, rows: usize) -> Result<Self, StoreError> {
        let of = table.u32("row")?;
        let end = |row: usize| {
            u32::try_from(of.partition_point(|&other| other as usize <= row)).unwrap_or(u32::MAX)
        };
        let columns = (0..).take_while(|at| table.f32(&format!("c{at:03}")).is_ok()).count();
        Ok(Self {
            columns,
            ends: (0..rows).map(end).collect(),
            account: table.u32("account")?.to_vec(),
            values: rows_of(table, "c", columns)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_without_contacts_survive_the_table() {
        let mut contacts = ContactRows { columns: 2, ..ContactRows::default() };
        for accounts in [&[][..], &[3, 4], &[], &[5], &[]] {
            let values: Vec<f32> = accounts.iter().flat_map(|&a: &u32| [a as f32, 0.5]).collect();
            contacts.push(accounts.iter().copied(), &values);
        }
        assert_eq!(ContactRows::from_table(&contacts.table().unwrap(), 5).unwrap(), contacts);
        assert_eq!(contacts.of(1), (&[3, 4][..], &[3.0, 0.5, 4.0, 0.5][..]));
        let kept = contacts.keep(|row| row != 1);
        assert_eq!((kept.of(0), kept.of(2)), (contacts.of(0), contacts.of(3)));
    }
}
