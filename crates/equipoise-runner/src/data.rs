//! What a world unit leaves on disk, and the same in memory: rows to train on, rows to decide on, and the truth that
//! only evaluation reads. This is the one place where rows and truth lie side by side, so it stays inside the runner.

use equipoise_store::{ColumnData, StoreError, Table, read_json, read_table, write_json_atomic, write_table};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Facts about a world that a report prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct WorldMeta {
    /// Which world of its role.
    pub index: u32,
    /// Platform names, in id order.
    pub platforms: Vec<String>,
    /// Names of the feature columns.
    pub columns: Vec<String>,
    /// What each platform sees, `[platform][column]`.
    pub seen: Vec<Vec<bool>>,
    /// Persons.
    pub persons: u32,
    /// Accounts, by platform.
    pub accounts: Vec<u32>,
    /// Tested accounts, by platform.
    pub tested: Vec<u32>,
    /// Events that the platforms saw.
    pub events: u64,
    /// Decision times, in seconds.
    pub decisions: Vec<i32>,
    /// First second of the test period.
    pub test_from: i32,
    /// End of the test period.
    pub test_until: i32,
    /// Names of the benign groups, by code.
    pub groups: Vec<String>,
    /// Names of the harmful patterns; code 0 is none.
    pub archetypes: Vec<String>,
    /// Training rows with a positive label, by platform.
    pub positives: Vec<u32>,
    /// Training rows, by platform.
    pub rows: Vec<u32>,
    /// Accounts with a simulated harmful pattern whose harmful contact began before the label cut-off, all persons.
    pub harmful_before_cutoff: u32,
    /// How many of them carried a positive label by then.
    pub harmful_labelled: u32,
    /// Positive labels on benign accounts by then.
    pub wrongly_labelled: u32,
}

/// Rows to train on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainRows {
    /// Features a row.
    pub columns: usize,
    /// Platform of each row.
    pub platform: Vec<u8>,
    /// Account of each row.
    pub account: Vec<u32>,
    /// Cut-off of each row, seconds.
    pub cutoff: Vec<i32>,
    /// Label that was known: 0 or 1.
    pub label: Vec<f32>,
    /// `[rows, columns]`.
    pub values: Vec<f32>,
}

/// Rows to decide on: one a decision and tested account that was still open.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TestRows {
    /// Index of the decision.
    pub decision: Vec<u16>,
    /// Index of the account in [`CaseRows`].
    pub case: Vec<u32>,
    /// Features, `[rows, columns]`.
    pub values: Vec<f32>,
    /// Features of the person's other accounts, `[rows, columns]`.
    pub linked: Vec<f32>,
    /// Reports known before the decision.
    pub reports: Vec<u16>,
    /// Score of the literal rule.
    pub rule: Vec<f32>,
}

/// The truth about tested accounts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CaseRows {
    /// Platform.
    pub platform: Vec<u8>,
    /// Account.
    pub account: Vec<u32>,
    /// Person.
    pub person: Vec<u32>,
    /// 0, or 1 + code of the pattern.
    pub archetype: Vec<u8>,
    /// Code of the benign group.
    pub group: Vec<u8>,
    /// Truly a minor.
    pub minor: Vec<bool>,
    /// First harmful contact, `i32::MAX` if none.
    pub harm_start: Vec<i32>,
    /// Closed by the platform's own moderation, `i32::MAX` if not.
    pub removed: Vec<i32>,
    /// Observation begins.
    pub entered: Vec<i32>,
    /// `contact_offsets[i]..contact_offsets[i + 1]` are the contacts of case `i`.
    pub contact_offsets: Vec<u32>,
    /// Child of each contact.
    pub contact_child: Vec<u32>,
    /// Time of each first contact.
    pub contact_time: Vec<i32>,
}

/// A world unit in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct WorldData {
    /// Facts.
    pub meta: WorldMeta,
    /// One row an account.
    pub train: TrainRows,
    /// One row an account, with the features of the person's other accounts after its own.
    pub train_linked: TrainRows,
    /// Rows to decide on.
    pub test: TestRows,
    /// The truth.
    pub cases: CaseRows,
}

impl WorldData {
    /// Writes the unit's files into `dir`.
    ///
    /// # Errors
    /// If the disk does not take them.
    pub fn write(&self, dir: &Path, reads: &Reads) -> Result<(), StoreError> {
        let meta = [("generator", env!("CARGO_PKG_VERSION"))];
        let put = |name: &str, table: &Table| write_table(&dir.join(name), table, &meta);
        put("train.parquet", &train_table(&self.train)?)?;
        put("train_linked.parquet", &train_table(&self.train_linked)?)?;
        put(
            "reads.parquet",
            &Table::new().with("row", reads.row.clone())?.with("account", reads.account.clone())?,
        )?;
        put("test.parquet", &self.test_table()?)?;
        put("cases.parquet", &self.case_table()?)?;
        let contacts = Table::new()
            .with("child", self.cases.contact_child.clone())?
            .with("time", self.cases.contact_time.clone())?;
        put("contacts.parquet", &contacts)?;
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
        let (table, contacts) = (get("cases.parquet")?, get("contacts.parquet")?);
        let mut contact_offsets = vec![0];
        contact_offsets.extend_from_slice(table.u32("contacts_end")?);
        let cases = CaseRows {
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
        };
        Ok(Self { meta, train, train_linked, test, cases })
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

/// Which accounts' data each training row read: what privacy accounting for accounts rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Training row.
    pub row: Vec<u32>,
    /// An account of the row's platform whose data it used; the row's own account is among them.
    pub account: Vec<u32>,
}

fn train_table(rows: &TrainRows) -> Result<Table, StoreError> {
    let table = Table::new()
        .with("platform", rows.platform.clone())?
        .with("account", rows.account.clone())?
        .with("cutoff", rows.cutoff.clone())?
        .with("known_label", rows.label.clone())?;
    with_rows(table, "f", rows.columns, &rows.values)
}

fn read_train(table: &Table, columns: usize) -> Result<TrainRows, StoreError> {
    Ok(TrainRows {
        columns,
        platform: table.u8("platform")?.to_vec(),
        account: table.u32("account")?.to_vec(),
        cutoff: table.i32("cutoff")?.to_vec(),
        label: table.f32("known_label")?.to_vec(),
        values: rows_of(table, "f", columns)?,
    })
}

/// Adds `[rows, columns]` as one column each.
fn with_rows(mut table: Table, prefix: &str, columns: usize, values: &[f32]) -> Result<Table, StoreError> {
    for at in 0..columns {
        let column: Vec<f32> = values.iter().skip(at).step_by(columns).copied().collect();
        table = table.with(&format!("{prefix}{at:03}"), column)?;
    }
    Ok(table)
}

fn rows_of(table: &Table, prefix: &str, columns: usize) -> Result<Vec<f32>, StoreError> {
    let mut values = vec![0.0; table.rows() * columns];
    for at in 0..columns {
        for (row, value) in table.f32(&format!("{prefix}{at:03}"))?.iter().enumerate() {
            values[row * columns + at] = *value;
        }
    }
    Ok(values)
}
