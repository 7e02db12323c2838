//! The same as files: one table each, written and read back; a world's rows are turned into columns and back.

use super::{
    CaseRows, Reads, SequenceRows, TestRows, Tested, TrainRows, WorldData, WorldMeta, WorldSequences,
};
use crate::contact_rows::{ContactRows, WorldContacts};
use equipoise_store::{ColumnData, StoreError, Table, read_json, read_table, write_json_atomic, write_table};
use std::path::Path;

impl Tested {
    /// Reads that part of a unit back.
    ///
    /// # Errors
    /// As [`WorldData::read`].
    pub fn read(dir: &Path) -> Result<Self, StoreError> {
        Ok(Self { meta: read_json(&dir.join("world.json"))?, cases: read_cases(dir)? })
    }
}

impl WorldData {
    /// Writes the unit's files into `dir`.
    ///
    /// # Errors
    /// If the disk does not take them.
    pub fn write(&self, dir: &Path) -> Result<(), StoreError> {
        let meta = [("generator", env!("CARGO_PKG_VERSION"))];
        let put = |name: &str, table: &Table| write_table(&dir.join(name), table, &meta);
        put("train.parquet", &train_table(&self.train)?)?;
        put("train_linked.parquet", &train_table(&self.train_linked)?)?;
        put(
            "reads.parquet",
            &Table::new().with("row", self.reads.row.clone())?.with("account", self.reads.account.clone())?,
        )?;
        put("test.parquet", &self.test_table()?)?;
        put("cases.parquet", &self.case_table()?)?;
        let contacts = Table::new()
            .with("child", self.cases.contact_child.clone())?
            .with("time", self.cases.contact_time.clone())?;
        put("contacts.parquet", &contacts)?;
        if let Some(sequences) = &self.sequences {
            put("train_events.parquet", &event_table(&sequences.train)?)?;
            put("test_events.parquet", &event_table(&sequences.test)?)?;
        }
        if let Some(tokens) = &self.tokens {
            put("tokens.parquet", &token_table(tokens)?)?;
        }
        if let Some(contacts) = &self.contacts {
            put("train_contacts.parquet", &contacts.train.table()?)?;
            put("test_contacts.parquet", &contacts.test.table()?)?;
        }
        write_json_atomic(&dir.join("world.json"), &self.meta)
    }

    /// Reads a unit back.
    ///
    /// # Errors
    /// If a file is missing, truncated or not what it should be.
    pub fn read(dir: &Path) -> Result<Self, StoreError> {
        let meta: WorldMeta = read_json(&dir.join("world.json"))?;
        let columns = meta.columns.len();
        let get = |name: &str| read_table(&dir.join(name)).map(|(table, _)| table);
        let train = read_train(&get("train.parquet")?, columns)?;
        let train_linked = read_train(&get("train_linked.parquet")?, 2 * columns)?;
        let test = get("test.parquet")?;
        let test = TestRows {
            decision: test.u16("decision")?.to_vec(),
            case: test.u32("case")?.to_vec(),
            values: rows_of(&test, "f", columns)?,
            linked: rows_of(&test, "l", columns)?,
            reports: test.u16("reports")?.to_vec(),
            rule: test.f32("rule")?.to_vec(),
        };
        let cases = read_cases(dir)?;
        let events = |name: &str, rows| get(name).and_then(|table| read_events(&table, rows));
        let sequences = if dir.join("train_events.parquet").exists() {
            let train = events("train_events.parquet", train.label.len())?;
            Some(WorldSequences { train, test: events("test_events.parquet", test.case.len())? })
        } else {
            None
        };
        let tokens = if dir.join("tokens.parquet").exists() {
            Some(read_tokens(&get("tokens.parquet")?)?)
        } else {
            None
        };
        let contacts = if dir.join("train_contacts.parquet").exists() {
            let train = ContactRows::from_table(&get("train_contacts.parquet")?, train.label.len())?;
            let test = ContactRows::from_table(&get("test_contacts.parquet")?, test.case.len())?;
            Some(WorldContacts { train, test })
        } else {
            None
        };
        let table = get("reads.parquet")?;
        let reads = Reads { row: table.u32("row")?.to_vec(), account: table.u32("account")?.to_vec() };
        Ok(Self { meta, train, train_linked, test, cases, sequences, reads, tokens, contacts })
    }

    fn test_table(&self) -> Result<Table, StoreError> {
        let columns = self.meta.columns.len();
        let table = Table::new()
            .with("decision", self.test.decision.clone())?
            .with("case", self.test.case.clone())?
            .with("reports", self.test.reports.clone())?
            .with("rule", self.test.rule.clone())?;
        with_rows(with_rows(table, "f", columns, &self.test.values)?, "l", columns, &self.test.linked)
    }

    fn case_table(&self) -> Result<Table, StoreError> {
        let c = &self.cases;
        Table::new()
            .with("platform", c.platform.clone())?
            .with("account", c.account.clone())?
            .with("person", c.person.clone())?
            .with("archetype", c.archetype.clone())?
            .with("benign_group", c.group.clone())?
            .with("minor", ColumnData::Bool(c.minor.clone()))?
            .with("harm_start", c.harm_start.clone())?
            .with("removed", c.removed.clone())?
            .with("entered", c.entered.clone())?
            .with("contacts_end", c.contact_offsets[1..].to_vec())
    }
}

/// One line an event: its row and its code. A row without events has no line.
fn event_table(sequences: &SequenceRows) -> Result<Table, StoreError> {
    let rows = (0_u32..)
        .zip(&sequences.ends)
        .flat_map(|(row, _)| std::iter::repeat_n(row, sequences.of(row as usize).len()));
    Table::new().with("row", rows.collect::<Vec<u32>>())?.with("event", sequences.codes.clone())
}

fn read_events(table: &Table, rows: usize) -> Result<SequenceRows, StoreError> {
    let (codes, of) = (table.u16("event")?, table.u32("row")?);
    let end =
        |row: usize| u32::try_from(of.partition_point(|&other| other as usize <= row)).unwrap_or(u32::MAX);
    Ok(SequenceRows { codes: codes.to_vec(), ends: (0..rows).map(end).collect() })
}

fn token_table(tokens: &[u64]) -> Result<Table, StoreError> {
    Table::new().with("token", tokens.to_vec())
}

fn read_tokens(table: &Table) -> Result<Vec<u64>, StoreError> {
    Ok(table.u64("token")?.to_vec())
}

/// What happened to the tested accounts, of the unit in `dir`.
fn read_cases(dir: &Path) -> Result<CaseRows, StoreError> {
    let get = |name: &str| read_table(&dir.join(name)).map(|(table, _)| table);
    let (table, contacts) = (get("cases.parquet")?, get("contacts.parquet")?);
    let mut contact_offsets = vec![0];
    contact_offsets.extend_from_slice(table.u32("contacts_end")?);
    Ok(CaseRows {
        platform: table.u8("platform")?.to_vec(),
        account: table.u32("account")?.to_vec(),
        person: table.u32("person")?.to_vec(),
        archetype: table.u8("archetype")?.to_vec(),
        group: table.u8("benign_group")?.to_vec(),
        minor: table.bool("minor")?.to_vec(),
        harm_start: table.i32("harm_start")?.to_vec(),
        removed: table.i32("removed")?.to_vec(),
        entered: table.i32("entered")?.to_vec(),
        contact_offsets,
        contact_child: contacts.u32("child")?.to_vec(),
        contact_time: contacts.i32("time")?.to_vec(),
    })
}

fn train_table(rows: &TrainRows) -> Result<Table, StoreError> {
    let table = Table::new()
        .with("platform", rows.platform.clone())?
        .with("account", rows.account.clone())?
        .with("cutoff", rows.cutoff.clone())?
        .with("known_label", rows.label.clone())?
        .with("fold", rows.fold.clone())?;
    with_rows(table, "f", rows.columns, &rows.values)
}

fn read_train(table: &Table, columns: usize) -> Result<TrainRows, StoreError> {
    Ok(TrainRows {
        columns,
        platform: table.u8("platform")?.to_vec(),
        account: table.u32("account")?.to_vec(),
        cutoff: table.i32("cutoff")?.to_vec(),
        label: table.f32("known_label")?.to_vec(),
        fold: table.u8("fold")?.to_vec(),
        values: rows_of(table, "f", columns)?,
    })
}

/// Rows that are turned at a time: a block of them and of every column stays in the cache.
const TURNED: usize = 64;

/// Adds `[rows, columns]` as one column each.
pub(crate) fn with_rows(
    mut table: Table,
    prefix: &str,
    columns: usize,
    values: &[f32],
) -> Result<Table, StoreError> {
    let rows = values.len().checked_div(columns).unwrap_or(0);
    let mut turned: Vec<Vec<f32>> = (0..columns).map(|_| Vec::with_capacity(rows)).collect();
    for block in values.chunks(TURNED * columns.max(1)) {
        for (at, column) in turned.iter_mut().enumerate() {
            column.extend(block.iter().skip(at).step_by(columns));
        }
    }
    for (at, column) in turned.into_iter().enumerate() {
        table = table.with(&format!("{prefix}{at:03}"), column)?;
    }
    Ok(table)
}

pub(crate) fn rows_of(table: &Table, prefix: &str, columns: usize) -> Result<Vec<f32>, StoreError> {
    let names = (0..columns).map(|at| format!("{prefix}{at:03}"));
    let turned = names.map(|name| table.f32(&name)).collect::<Result<Vec<_>, _>>()?;
    let mut values = vec![0.0; table.rows() * columns];
    for (index, block) in values.chunks_mut(TURNED * columns.max(1)).enumerate() {
        for (at, column) in turned.iter().enumerate() {
            let places = block.iter_mut().skip(at).step_by(columns);
            places.zip(&column[index * TURNED..]).for_each(|(place, value)| *place = *value);
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_turned_into_columns_and_back() {
        for (rows, columns) in [(0, 3), (1, 1), (TURNED, 5), (TURNED + 1, 5), (3 * TURNED - 1, 2)] {
            let values: Vec<f32> = (0..rows * columns).map(|at| at as f32).collect();
            let table = with_rows(Table::new(), "f", columns, &values).unwrap();
            for at in 0..columns {
                let column: Vec<f32> = values.iter().skip(at).step_by(columns).copied().collect();
                assert_eq!(table.f32(&format!("f{at:03}")).unwrap(), column, "{rows} rows, column {at}");
            }
            assert_eq!(rows_of(&table, "f", columns).unwrap(), values, "{rows} rows of {columns}");
        }
    }

    #[test]
    fn rows_without_events_survive_the_table() {
        let mut sequences = SequenceRows::default();
        for codes in [&[][..], &[3, 4], &[], &[5], &[]] {
            sequences.push(codes);
        }
        let table = event_table(&sequences).unwrap();
        assert_eq!(table.rows(), 3);
        assert_eq!(read_events(&table, 5).unwrap(), sequences);
        assert_eq!([sequences.of(0), sequences.of(1), sequences.of(3)], [&[][..], &[3, 4], &[5]]);
        let kept = sequences.keep(|row| row != 1);
        assert_eq!([kept.of(0), kept.of(2)], [sequences.of(0), sequences.of(3)]);
    }
}
