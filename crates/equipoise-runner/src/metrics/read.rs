//! A table of scores and labels from CSV or Parquet, each wrong value refused by file, line and column.

use crate::fault::{Fault, config};
use equipoise_store::{ForeignValue, read_foreign};
use std::path::Path;

/// The columns that mean something here; any other is not read.
const NAMES: [&str; 7] = ["score", "label", "weight", "group", "platform", "time", "seen"];

/// The columns of a table, one value a row.
pub(super) struct Columns {
    pub(super) scores: Vec<f64>,
    pub(super) labels: Vec<bool>,
    pub(super) weights: Option<Vec<f64>>,
    pub(super) groups: Option<Vec<String>>,
    pub(super) platforms: Option<Vec<String>>,
    /// Days since any origin.
    pub(super) times: Option<Vec<f64>>,
    /// What had been seen up to and including the alert; `None` where no alert was given.
    pub(super) seen: Option<Vec<Option<f64>>>,
    /// Names of columns that were not read.
    pub(super) ignored: Vec<String>,
}

/// Cells of the named columns, still as the file has them, and how the file counts rows.
struct Raw {
    names: Vec<String>,
    columns: Vec<(String, Vec<ForeignValue>)>,
    /// The word and number of row `index`.
    place: fn(usize) -> (&'static str, usize),
}

/// Reads a table; a file that begins like Parquet is read as such.
///
/// # Errors
/// If the file cannot be read, a column is missing, or a value is not of its kind.
pub(super) fn read(path: &Path) -> Result<Columns, Fault> {
    let bytes = std::fs::read(path).map_err(|error| {
        config(format!(
            "{}: the table cannot be read ({error}); check the path and its rights",
            path.display()
        ))
    })?;
    let raw = if bytes.starts_with(b"PAR1") {
        let found = read_foreign(path, &NAMES).map_err(|error| config(error.to_string()))?;
        Raw { names: found.names, columns: found.columns, place: |index| ("row", index + 1) }
    } else {
        csv(path, &bytes)?
    };
    typed(path, &raw)
}

fn typed(path: &Path, raw: &Raw) -> Result<Columns, Fault> {
    let find = |name: &str| raw.columns.iter().find(|column| column.0 == name).map(|column| &column.1);
    let need = |name: &str| {
        find(name).ok_or_else(|| {
            config(format!(
                "{}, line 1: there is no column `{name}`; the columns are {}: rename one of them",
                path.display(),
                raw.names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            ))
        })
    };
    let numbers = |name: &'static str, mend: &'static str, good: fn(f64) -> bool| {
        move |(index, value): (usize, &ForeignValue)| match number(value) {
            Some(value) if good(value) => Ok(value),
            _ => Err(refuse(path, raw, index, name, value, mend)),
        }
    };
    let all = |name, mend, good| {
        find(name).map(|cells| cells.iter().enumerate().map(numbers(name, mend, good)).collect()).transpose()
    };
    let names_of = |name: &'static str| {
        let word = |(index, value): (usize, &ForeignValue)| match value {
            ForeignValue::Text(text) if !text.is_empty() => Ok(text.clone()),
            ForeignValue::Number(value) => Ok(value.to_string()),
            ForeignValue::Bool(value) => Ok(value.to_string()),
            _ => Err(refuse(path, raw, index, name, value, "name every row's, or leave the column out")),
        };
        find(name).map(|cells| cells.iter().enumerate().map(word).collect()).transpose()
    };
    let score = numbers("score", "write a finite number", f64::is_finite);
    let scores = need("score")?.iter().enumerate().map(score).collect::<Result<Vec<_>, Fault>>()?;
    let label = |(index, value): (usize, &ForeignValue)| {
        truth(value).ok_or_else(|| refuse(path, raw, index, "label", value, "write 0, 1, true or false"))
    };
    let labels = need("label")?.iter().enumerate().map(label).collect::<Result<Vec<_>, Fault>>()?;
    if scores.is_empty() {
        return Err(config(format!("{}: the table has no rows; give it at least one", path.display())));
    }
    let seen = |(index, value): (usize, &ForeignValue)| match (value, number(value)) {
        (ForeignValue::Missing, _) => Ok(None),
        (ForeignValue::Text(text), _) if text.trim().is_empty() => Ok(None),
        (_, Some(seen)) if seen.is_finite() && seen >= 1.0 => Ok(Some(seen)),
        _ => Err(refuse(
            path,
            raw,
            index,
            "seen",
            value,
            "write a number of at least 1, or nothing without an alert",
        )),
    };
    let ignored = raw.names.iter().filter(|name| !NAMES.contains(&name.as_str())).cloned().collect();
    Ok(Columns {
        scores,
        labels,
        weights: all("weight", "write a finite number of at least 0", |w| w.is_finite() && w >= 0.0)?,
        groups: names_of("group")?,
        platforms: names_of("platform")?,
        seen: find("seen").map(|cells| cells.iter().enumerate().map(seen).collect()).transpose()?,
        times: all("time", "write days as a number", |t| t.is_finite() && t.abs() < 1e9)?,
        ignored,
    })
}

fn refuse(path: &Path, raw: &Raw, index: usize, column: &str, value: &ForeignValue, mend: &str) -> Fault {
    let (word, number) = (raw.place)(index);
    let got = match value {
        ForeignValue::Missing => "nothing".to_owned(),
        ForeignValue::Bool(value) => format!("`{value}`"),
        ForeignValue::Number(value) => format!("`{value}`"),
        ForeignValue::Text(text) if text.is_empty() => "nothing".to_owned(),
        ForeignValue::Text(text) => format!("`{}`", text.chars().take(40).collect::<String>()),
    };
    config(format!("{}, {word} {number}, column `{column}`: got {got}; {mend}", path.display()))
}

fn number(value: &ForeignValue) -> Option<f64> {
    match value {
        ForeignValue::Number(value) => Some(*value),
        ForeignValue::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn truth(value: &ForeignValue) -> Option<bool> {
    match value {
        ForeignValue::Bool(value) => Some(*value),
        ForeignValue::Text(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
        ForeignValue::Text(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
        other => match number(other)? {
            0.0 => Some(false),
            1.0 => Some(true),
            _ => None,
        },
    }
}

/// Comma-separated lines under a header (tabs or semicolons, if the header has them and no comma); a quoted field may hold
/// separators and doubled quotes, but no line break.
fn csv(path: &Path, bytes: &[u8]) -> Result<Raw, Fault> {
    let wrong = |line: usize, why: &str| config(format!("{}, line {line}: {why}", path.display()));
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        wrong(line, "neither text in UTF-8 nor Parquet; save the table as one of them")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(wrong(
            1,
            "the file is empty; write a header with `score` and `label`, then a row a line",
        ));
    }
    let mut lines = text.lines().enumerate();
    let header = lines.next().map_or("", |(_, line)| line);
    let separator = [',', '\t', ';'].into_iter().find(|separator| header.contains(*separator)).unwrap_or(',');
    let unclosed = "a quote is not closed; close it on its line";
    let names: Vec<String> = fields(header, separator)
        .ok_or_else(|| wrong(1, unclosed))?
        .iter()
        .map(|name| name.trim().to_owned())
        .collect();
    let mut columns: Vec<(usize, String, Vec<ForeignValue>)> = Vec::new();
    for (at, name) in names.iter().enumerate().filter(|(_, name)| NAMES.contains(&name.as_str())) {
        if columns.iter().any(|column| column.1 == *name) {
            return Err(wrong(1, &format!("column `{name}` is given twice; rename one of them")));
        }
        columns.push((at, name.clone(), Vec::new()));
    }
    let mut ended = false;
    for (index, line) in lines {
        if line.is_empty() {
            ended = true;
            continue;
        }
        if ended {
            return Err(wrong(index, "an empty line amid rows; remove it"));
        }
        let row = fields(line, separator).ok_or_else(|| wrong(index + 1, unclosed))?;
        if row.len() != names.len() {
            let (got, want) = (row.len(), names.len());
            let why = format!("{got} fields under a header of {want}; give every column one value");
            return Err(wrong(index + 1, &why));
        }
        for (at, _, values) in &mut columns {
            values.push(ForeignValue::Text(row[*at].clone()));
        }
    }
    let columns = columns.into_iter().map(|(_, name, values)| (name, values)).collect();
    Ok(Raw { names, columns, place: |index| ("line", index + 2) })
}

/// The fields of a line; `None` if a quote is not closed.
fn fields(line: &str, separator: char) -> Option<Vec<String>> {
    let (mut out, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => field.extend(letters.next()),
            '"' if quoted || field.is_empty() => quoted = !quoted,
            letter if letter == separator && !quoted => out.push(std::mem::take(&mut field)),
            letter => field.push(letter),
        }
    }
    out.push(field);
    (!quoted).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_field_may_hold_the_separator_and_quotes() {
        let got = fields(r#"0.5,"a, ""b""",1"#, ',').unwrap();
        assert_eq!(got, ["0.5", "a, \"b\"", "1"]);
        assert_eq!(fields("\"open,1", ','), None);
        assert_eq!(fields("a;;b", ';').unwrap(), ["a", "", "b"]);
    }
}
