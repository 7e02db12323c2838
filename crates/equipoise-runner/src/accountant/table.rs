//! `equipoise accountant table`: a file of comma-separated rows in, the same rows with four columns more out.
//!
//! Cells are found by the names of the first line; other columns pass through untouched. Every wrong cell is an error that names
//! file, line, column and mend, before anything is written.

use super::{Accounted, account, delta_of, rows_of};
use crate::fault::{Fault, config, runtime};
use equipoise_core::{Fraction, NoiseMultiplier};
use equipoise_privacy::SampledStep;
use rayon::prelude::*;
use std::fmt::Display;
use std::path::Path;

/// What is appended.
const APPENDED: [&str; 4] = ["eps_rdp", "eps_prv_lo", "eps_prv", "eps_prv_up"];

/// One row that was read.
struct Row<'a> {
    line: usize,
    text: &'a str,
    step: SampledStep,
    steps: u64,
    delta: f64,
}

pub(super) fn run(file: &Path, out: Option<&Path>, json: bool) -> Result<(), Fault> {
    let text =
        std::fs::read_to_string(file).map_err(|error| config(format!("{}: {error}", file.display())))?;
    let (names, rows) = read(file, text.strip_prefix('\u{feff}').unwrap_or(&text))?;
    let accounted: Vec<Accounted> =
        rows.par_iter().map(|row| account(&row.step, row.steps, row.delta)).collect();
    for (row, accounted) in rows.iter().zip(&accounted) {
        for note in &accounted.notes {
            eprintln!("note: {}, line {}: {note}", file.display(), row.line);
        }
    }
    let mut written = if json { as_json(&rows, &accounted)? } else { as_csv(names, &rows, &accounted) };
    written.push('\n');
    match out {
        Some(path) => equipoise_store::write_atomic(path, written.as_bytes()).map_err(runtime),
        None => {
            print!("{written}");
            Ok(())
        }
    }
}

fn as_csv(names: &str, rows: &[Row<'_>], accounted: &[Accounted]) -> String {
    let mut lines = vec![format!("{names},{}", APPENDED.join(","))];
    for (row, accounted) in rows.iter().zip(accounted) {
        let exact = accounted.prv.map_or_else(
            || ",,".to_owned(),
            |bracket| format!("{},{},{}", bracket.lower, bracket.estimate, bracket.upper),
        );
        lines.push(format!("{},{},{exact}", row.text, accounted.rdp.epsilon));
    }
    lines.join("\n")
}

fn as_json(rows: &[Row<'_>], accounted: &[Accounted]) -> Result<String, Fault> {
    let objects = rows.iter().zip(accounted).map(|(row, accounted)| {
        serde_json::json!({
            "line": row.line, "q": row.step.rate(), "sigma": row.step.noise(), "T": row.steps, "delta": row.delta, "K": row.step.rows(),
            "eps_rdp": accounted.rdp.epsilon,
            "eps_prv_lo": accounted.prv.map(|bracket| bracket.lower),
            "eps_prv": accounted.prv.map(|bracket| bracket.estimate),
            "eps_prv_up": accounted.prv.map(|bracket| bracket.upper),
            "notes": accounted.notes,
        })
    });
    serde_json::to_string_pretty(&objects.collect::<Vec<_>>()).map_err(runtime)
}

/// The line of names, and the rows.
fn read<'a>(file: &Path, text: &'a str) -> Result<(&'a str, Vec<Row<'a>>), Fault> {
    let mut lines =
        text.lines().enumerate().map(|(i, line)| (i + 1, line)).filter(|(_, line)| !line.trim().is_empty());
    let Some((first, names)) = lines.next() else {
        return Err(config(format!(
            "{}: the file is empty; its first line must name the columns q, sigma, T and delta",
            file.display()
        )));
    };
    let columns = cells(names);
    let find = |name: &str| columns.iter().position(|column| column == name);
    let need = |name: &str| {
        find(name).ok_or_else(|| {
            config(format!(
                "{}, line {first}: there is no column {name}; name the columns q, sigma, T and delta (and K)",
                file.display()
            ))
        })
    };
    let (q, sigma, steps, delta, rows) = (need("q")?, need("sigma")?, need("T")?, need("delta")?, find("K"));
    let mut read = Vec::new();
    for (line, text) in lines {
        let cells = cells(text);
        let at = |column: &str| format!("{}, line {line}, column {column}", file.display());
        if cells.len() != columns.len() {
            let (got, want) = (cells.len(), columns.len());
            return Err(config(format!(
                "{}, line {line}: {got} cells where the first line names {want} columns",
                file.display()
            )));
        }
        let number = |column: &str, index: usize| {
            let cell = cells[index].trim();
            cell.parse::<f64>().map_err(|_| config(format!("{}: `{cell}` is not a number", at(column))))
        };
        let whole = |column: &str, index: usize| {
            let value = number(column, index)?;
            let fits = value >= 0.0 && value.fract() == 0.0 && value < 9e15;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let count = value as u64;
            if fits {
                Ok(count)
            } else {
                Err(config(format!("{}: {value} is not a whole number of at least 0", at(column))))
            }
        };
        let rate = in_range(Fraction::new(number("q", q)?), || at("q"))?;
        let noise = in_range(NoiseMultiplier::new(number("sigma", sigma)?), || at("sigma"))?;
        let touched = rows.map_or(Ok(1), |index| whole("K", index))?;
        let touched = in_range(rows_of(u32::try_from(touched).unwrap_or(u32::MAX)), || at("K"))?;
        read.push(Row {
            line,
            text: text.trim_end(),
            step: in_range(SampledStep::of_rows(rate, noise, touched), || at("K"))?,
            steps: whole("T", steps)?,
            delta: in_range(delta_of(number("delta", delta)?), || at("delta"))?,
        });
    }
    Ok((names.trim_end(), read))
}

fn in_range<T>(checked: Result<T, impl Display>, place: impl Fn() -> String) -> Result<T, Fault> {
    checked.map_err(|error| config(format!("{}: {error}", place())))
}

/// The cells of a line; a cell in double quotes may hold commas.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    for character in line.trim_end().chars() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            other => cells.last_mut().expect("there is always a cell").push(other),
        }
    }
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}
