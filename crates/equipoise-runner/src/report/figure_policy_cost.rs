//! F9, what measures cost whom, and what rests on assumed rates.

use super::dots::{Dot, Plot, Row};
use super::figure::Figure;
use super::figure_policy::{dot_spec, dot_values, dots, drawn, look, mark_of, seeds, words_of};
use super::numbers::{Mark, mark_words, plain};
use crate::policy::result::Report;

/// F9.
pub(super) fn burden(report: &Report) -> Figure {
    let (id, title) = ("f9-burden", "F9. Wrong restriction of accounts without a harmful pattern, by group");
    let name = "days of wrong restriction for each 10,000 account days";
    let cells = drawn(report);
    let mut rows: Vec<Row> = Vec::new();
    for kind in ["age", "gender", "role"] {
        let mut groups: Vec<&String> = cells
            .iter()
            .filter_map(|(cell, _, _)| cell.uneven.get(kind))
            .flat_map(|u| u.days.keys())
            .collect();
        groups.sort();
        groups.dedup();
        for group in groups {
            let dots = cells.iter().enumerate().map(|(at, (cell, _, series))| {
                let estimate = cell.uneven.get(kind).and_then(|u| u.days.get(group)).and_then(Option::as_ref);
                Dot {
                    look: look(at),
                    series: series.clone(),
                    mark: mark_of(estimate),
                    words: format!("{group}, {series}: {}", words_of(estimate)),
                    missing: "not assessable".to_owned(),
                }
            });
            rows.push(Row { label: group.clone(), under: kind.to_owned(), dots: dots.collect() });
        }
    }
    if rows.is_empty() {
        return Figure::placeholder(id, title, "no cell reviews anybody");
    }
    let take: Vec<String> = cells
        .iter()
        .filter_map(|(cell, _, series)| {
            let uneven = cell.uneven.get("role")?;
            let ratio = words_of(uneven.ratio.as_ref());
            Some(format!(
                "{series}: most for {}, least for {}, highest over lowest {ratio}",
                uneven.most, uneven.least
            ))
        })
        .collect();
    let plot = Plot { name, zero_line: false, left: 180.0, right: 20.0 };
    let (csv, values) = dot_values(&rows);
    Figure {
        id,
        title: title.to_owned(),
        caption: format!("{}. Groups of fewer than 20 accounts are left out.", take.join("; ")),
        seeds: seeds(report, "Ratio of sums with 95% interval over worlds"),
        key: cells.iter().enumerate().map(|(at, (_, _, name))| (look(at), name.clone())).collect(),
        off: Vec::new(),
        wide: dots(&rows, &plot, false),
        narrow: dots(&rows, &plot, true),
        vega: dot_spec(title, &values, name),
        csv,
    }
}

/// What rests on assumed rates, beside the chance of worlds: two rows an outcome, never one number.
pub(super) fn uncertainty(report: &Report) -> Option<Figure> {
    let spread = report.uncertainty.as_ref()?;
    let title = "Fraction prevented: chance of worlds, and assumed rates";
    let name = "fraction that all measures together prevent";
    let mut rows = Vec::new();
    for (key, of) in &spread.outcomes {
        let over = of.over_points.map(|[low, middle, high]| Mark { at: middle, ends: Some((low, high)) });
        let pair = [
            ("at the file's rates, 95% over worlds", mark_of(of.at_the_files_rates.as_ref())),
            ("over points of the rates, 95% of points", over),
            ("at the file's rates, on the points' worlds alone", mark_of(of.on_the_points_worlds.as_ref())),
        ];
        let dots = pair.into_iter().enumerate().map(|(at, (series, mark))| Dot {
            look: look(at),
            series: series.to_owned(),
            mark,
            words: format!(
                "{key}, {series}: {}",
                mark.map_or_else(|| "not assessable".to_owned(), mark_words)
            ),
            missing: "not assessable".to_owned(),
        });
        rows.push(Row { label: key.replace('-', " "), under: String::new(), dots: dots.collect() });
    }
    let take = spread.outcomes.get("children-contacted").map_or_else(String::new, |of| {
        let number = |value: Option<f64>| value.map_or_else(|| "not assessable".to_owned(), plain);
        format!(
            "Children contacted: deviation of a world {}, of the rates {}. ",
            number(of.sd_of_worlds),
            number(of.sd_of_rates)
        )
    });
    let plot = Plot { name, zero_line: true, left: 180.0, right: 20.0 };
    let (csv, values) = dot_values(&rows);
    Some(Figure {
        id: "uncertainty",
        title: title.to_owned(),
        caption: format!(
            "{take}More worlds make the first narrower; nothing here makes the second narrower."
        ),
        seeds: format!(
            "{} paired worlds at the file's rates; {} points of a Latin hypercube with {} paired worlds each.",
            report.seeds, spread.points, spread.seeds
        ),
        key: (0..2)
            .map(|at| (look(at), rows.first().map_or_else(String::new, |row| row.dots[at].series.clone())))
            .collect(),
        off: Vec::new(),
        wide: dots(&rows, &plot, false),
        narrow: dots(&rows, &plot, true),
        vega: dot_spec(title, &values, name),
        csv,
    })
}
