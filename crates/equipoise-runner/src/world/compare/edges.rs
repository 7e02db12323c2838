//! Edge lists as text: whole numbers in three or four columns, plain or gzip.
//!
//! Stricter than it could be, on purpose: a cell that is not a number ends the reading, and no message repeats what a cell
//! holds, so that a file with names or content leaves no trace, not even on the screen.

use crate::fault::{Fault, config};
use equipoise_synth::contact_log::{Contact, ContactLog};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Column {
    Src,
    Dst,
    Time,
    Count,
}

impl Column {
    /// By its name in a header or on the command line.
    fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "src" | "source" | "from" | "sender" | "actor" | "i" | "u" => Self::Src,
            "dst" | "target" | "to" | "receiver" | "peer" | "j" | "v" => Self::Dst,
            "time" | "timestamp" | "ts" | "t" | "unixts" | "seconds" => Self::Time,
            "count" | "weight" | "w" => Self::Count,
            _ => return None,
        })
    }
}

/// Names of columns that end the reading at once.
const CONTENT: [&str; 9] =
    ["text", "content", "body", "message", "subject", "title", "name", "email", "username"];

/// Reads an edge list whose times count `unit` seconds.
///
/// # Errors
/// With file, line and mend if the file cannot be read or holds anything but numbers in a known order.
pub(super) fn read(path: &Path, columns: &[String], unit: f64) -> Result<ContactLog, Fault> {
    let mut lines = Lines { path, reader: open(path)?, line: 0, bytes: Vec::new() };
    let mut order = given(columns)?;
    let mut rows: Vec<([u64; 2], i64, u32)> = Vec::new();
    let mut first = true;
    while let Some(text) = lines.next()? {
        let (line, cells) = (lines.line, cells(&text));
        // Only the first line may be a header, and then no cell of it is a number: the rest is held to be data.
        if std::mem::take(&mut first) && cells.iter().all(|cell| number(cell).is_none()) {
            order = order.or(header_order(path, line, &cells)?);
            if order.is_none() {
                let why =
                    "the header's names are not known; say --columns, for instance --columns src,dst,time";
                return Err(at(path, line, why));
            }
            continue;
        }
        if order.is_none() {
            order = Some(plain_order(path, line, cells.len())?);
        }
        rows.push(row(path, line, &cells, order.as_deref().unwrap_or_default(), unit)?);
    }
    if rows.is_empty() {
        return Err(config(format!(
            "{}: no rows; give a file with `src dst time` in each line",
            path.display()
        )));
    }
    log(path, rows)
}

fn at(path: &Path, line: usize, why: &str) -> Fault {
    config(format!("{}, line {line}: {why}", path.display()))
}

fn open(path: &Path) -> Result<Box<dyn BufRead>, Fault> {
    let failed = |error: std::io::Error| {
        config(format!("{}: the log cannot be read ({error}); check the path and its rights", path.display()))
    };
    let mut start = [0_u8; 2];
    let mut file = File::open(path).map_err(failed)?;
    let gzip = file.read(&mut start).map_err(failed)? == 2 && start == [0x1f, 0x8b];
    let file = File::open(path).map_err(failed)?;
    Ok(if gzip {
        Box::new(BufReader::with_capacity(1 << 16, flate2::read::MultiGzDecoder::new(BufReader::new(file))))
    } else {
        Box::new(BufReader::with_capacity(1 << 16, file))
    })
}

/// Lines that are not comments (`#`, `%`) and not empty.
struct Lines<'a> {
    path: &'a Path,
    reader: Box<dyn BufRead>,
    line: usize,
    bytes: Vec<u8>,
}

/// No line of four numbers is longer: a longer one is content, or not text at all.
const LONGEST: u64 = 512;

impl Lines<'_> {
    fn next(&mut self) -> Result<Option<String>, Fault> {
        loop {
            self.bytes.clear();
            let read =
                (&mut self.reader).take(LONGEST).read_until(b'\n', &mut self.bytes).map_err(|error| {
                    at(
                        self.path,
                        self.line + 1,
                        &format!("cannot be read ({error}); the file is cut short or damaged: get it again"),
                    )
                })?;
            if read == 0 {
                return Ok(None);
            }
            self.line += 1;
            let text = std::str::from_utf8(&self.bytes).unwrap_or("\u{fffd}").trim();
            let comment = text.starts_with(['#', '%']);
            if read as u64 == LONGEST && !self.bytes.ends_with(b"\n") {
                let why =
                    "longer than a line of numbers; files with text are refused: keep src, dst and time only";
                return Err(at(self.path, self.line, why));
            }
            // A comment may be the header (`#src dst time`); other comments are passed over.
            let bare = text.trim_start_matches(['#', '%']).trim();
            let header = || cells(bare).iter().all(|cell| Column::named(cell).is_some());
            if !bare.is_empty() && (!comment || header()) {
                return Ok(Some(bare.to_owned()));
            }
        }
    }
}

fn cells(text: &str) -> Vec<&str> {
    if text.contains([',', ';']) {
        text.split([',', ';']).map(|cell| cell.trim().trim_matches('"')).collect()
    } else {
        text.split_ascii_whitespace().map(|cell| cell.trim_matches('"')).collect()
    }
}

fn number(cell: &str) -> Option<f64> {
    cell.parse::<f64>().ok().filter(|value| value.is_finite())
}

/// The order named on the command line.
fn given(columns: &[String]) -> Result<Option<Vec<Column>>, Fault> {
    if columns.is_empty() {
        return Ok(None);
    }
    let order: Option<Vec<Column>> = columns.iter().map(|name| Column::named(name)).collect();
    order.filter(|order| complete(order)).map(Some).ok_or_else(|| {
        config("--columns: name src, dst and time once each, and count if there is one, in the file's order")
    })
}

/// Whether source, destination and time occur once each, and a count at most once.
fn complete(order: &[Column]) -> bool {
    let times = |column| order.iter().filter(|&&c| c == column).count();
    [Column::Src, Column::Dst, Column::Time].into_iter().all(|column| times(column) == 1)
        && times(Column::Count) <= 1
}

fn header_order(path: &Path, line: usize, cells: &[&str]) -> Result<Option<Vec<Column>>, Fault> {
    if cells.iter().any(|cell| CONTENT.iter().any(|word| cell.to_ascii_lowercase().contains(word))) {
        let why = "a column of text or names; message content is never read: keep src, dst and time only";
        return Err(at(path, line, why));
    }
    let order: Option<Vec<Column>> = cells.iter().map(|cell| Column::named(cell)).collect();
    Ok(order.filter(|order| complete(order)))
}

/// Without a header and without `--columns` only three columns have an order that everybody uses.
fn plain_order(path: &Path, line: usize, cells: usize) -> Result<Vec<Column>, Fault> {
    let order = vec![Column::Src, Column::Dst, Column::Time];
    match cells {
        3 => Ok(order),
        4 => Err(at(
            path,
            line,
            "four columns without a header; say which is which, for instance --columns src,dst,count,time",
        )),
        n => Err(at(
            path,
            line,
            &format!("{n} columns; a contact log has src, dst, time and at most a count: keep these only"),
        )),
    }
}

fn row(
    path: &Path,
    line: usize,
    cells: &[&str],
    order: &[Column],
    unit: f64,
) -> Result<([u64; 2], i64, u32), Fault> {
    if cells.len() != order.len() {
        let why =
            format!("{} columns, the lines before have {}; mend or drop the line", cells.len(), order.len());
        return Err(at(path, line, &why));
    }
    let (mut ids, mut time, mut count) = ([0_u64; 2], 0_i64, 1_u32);
    for (place, (cell, column)) in cells.iter().zip(order).enumerate() {
        let whole = || {
            cell.parse::<u64>().map_err(|_| {
                let why = format!("column {} is not a whole number; accounts are numbers here, never names or text: recode or drop it", place + 1);
                at(path, line, &why)
            })
        };
        match column {
            Column::Src => ids[0] = whole()?,
            Column::Dst => ids[1] = whole()?,
            Column::Count => {
                count = u32::try_from(whole()?).ok().filter(|&count| count > 0).ok_or_else(|| {
                    at(path, line, &format!("column {} is no count of at least 1; drop the line", place + 1))
                })?;
            }
            Column::Time => {
                time = seconds(cell, unit).ok_or_else(|| {
                    let why = format!("column {} is no time in numbers; convert dates to seconds", place + 1);
                    at(path, line, &why)
                })?
            }
        }
    }
    Ok((ids, time, count))
}

/// A time in seconds. After the year 5000 it was not seconds to begin with.
fn seconds(cell: &str, unit: f64) -> Option<i64> {
    const LATEST: f64 = 1e11;
    // Whole seconds stay exact; anything else goes through a float and is floored.
    let time = match cell.parse::<i64>() {
        Ok(time) if unit.to_bits() == 1.0_f64.to_bits() => time as f64,
        _ => (number(cell)? * unit).floor(),
    };
    (time.abs() < LATEST).then_some(time as i64)
}

/// Numbers the accounts from 0 and builds the log.
fn log(path: &Path, rows: Vec<([u64; 2], i64, u32)>) -> Result<ContactLog, Fault> {
    let mut ids: Vec<u64> = rows.iter().flat_map(|row| row.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let index = |id: u64| u32::try_from(ids.partition_point(|&known| known < id));
    let rows: Result<Vec<Contact>, _> = rows
        .into_iter()
        .map(|([src, dst], time, count)| Ok(Contact { time, src: index(src)?, dst: index(dst)?, count }))
        .collect();
    let rows = rows
        .map_err(|_: std::num::TryFromIntError| config(format!("{}: too many accounts", path.display())))?;
    ContactLog::from_rows(rows).map_err(|error| config(format!("{}: {error}", path.display())))
}
