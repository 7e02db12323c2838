//! The figures of measures: what they share, F2 (what cells prevent), and an outcome over the values of an axis.

use super::dots::{Dot, Plot, Row, draw as draw_dots};
use super::figure::{Figure, Picture, spec};
use super::lines::{Axes, Line, Spot, draw as draw_lines};
use super::numbers::{Mark, exact, mark_words, seeds_words};
use super::svg::Look;
use super::tables::csv_line;
use crate::policy::result::Report;
use crate::policy::row::{CellRow, Detection};
use equipoise_policy::tandem::Estimate;
use serde_json::{Value, json};

/// At most this many series stand in one picture.
pub(super) const MOST_SERIES: usize = 6;
/// At most this many rows stand in F2; the CSV holds all.
const MOST_ROWS: usize = 20;

/// The n-th look.
pub(super) const fn look(at: usize) -> Look {
    Look { colour: at, shape: at }
}

/// What an estimate puts into a picture.
pub(super) fn mark_of(estimate: Option<&Estimate>) -> Option<Mark> {
    let finite = |e: &&Estimate| [e.value, e.low, e.high].iter().all(|v| v.is_finite());
    estimate.filter(finite).map(|e| Mark { at: e.value, ends: Some((e.low, e.high)) })
}

/// An estimate in words.
pub(super) fn words_of(estimate: Option<&Estimate>) -> String {
    mark_of(estimate).map_or_else(|| "not assessable".to_owned(), mark_words)
}

/// What a cell is called among all of a report's.
pub(super) fn cell_name(report: &Report, cell: &CellRow) -> String {
    let measures = cell.name(report.measures.len());
    match &report.points[cell.point].value {
        Some(value) => format!("{value}: {measures}"),
        None => measures,
    }
}

pub(super) fn is_all(report: &Report, cell: &CellRow) -> bool {
    cell.measures.len() == report.measures.len() && !cell.staggered
}

/// The cells whose detection is drawn: all measures at each value; without an axis also each reviewing measure by itself.
pub(super) fn drawn<'a>(report: &'a Report) -> Vec<(&'a CellRow, &'a Detection, String)> {
    let one_point = report.points.len() == 1;
    let wanted = |cell: &&CellRow| is_all(report, cell) || (one_point && cell.measures.len() == 1);
    let with = |cell: &'a CellRow| {
        let name = match &report.points[cell.point].value {
            Some(value) => value.clone(),
            None => cell_name(report, cell),
        };
        Some((cell, cell.detection.as_ref()?, name))
    };
    let all: Vec<_> = report.cells.iter().filter(wanted).filter_map(with).collect();
    // Of many values the ends and what lies evenly between.
    if all.len() <= MOST_SERIES {
        return all;
    }
    let last = all.len() - 1;
    let kept: Vec<usize> = (0..MOST_SERIES).map(|at| at * last / (MOST_SERIES - 1)).collect();
    all.into_iter().enumerate().filter(|(at, _)| kept.contains(at)).map(|(_, one)| one).collect()
}

pub(super) fn seeds(report: &Report, what: &str) -> String {
    format!("{what}, {}.", seeds_words(report.seeds))
}

/// F2.
pub(super) fn prevented(report: &Report) -> Figure {
    const OUTCOMES: [(&str, &str); 4] = [
        ("children-contacted", "children contacted"),
        ("harm-design", "weighted, the design's"),
        ("harm-level", "weighted, all stages alike"),
        ("harm-late", "weighted, late stages alone"),
    ];
    let title = "F2. Fraction prevented, by cell";
    let name = "fraction prevented of what happens without measures";
    let few = report.cells.len() <= MOST_ROWS + report.points.len();
    let wanted = |cell: &&CellRow| {
        !cell.measures.is_empty()
            && (few || cell.measures.len() == 1 || cell.staggered || is_all(report, cell))
    };
    let row_of = |cell: &CellRow| Row {
        label: cell_name(report, cell),
        under: String::new(),
        dots: OUTCOMES
            .iter()
            .enumerate()
            .map(|(at, (key, series))| {
                let estimate = cell.prevented.get(*key).and_then(Option::as_ref);
                let words = format!("{}, {series}: {}", cell_name(report, cell), words_of(estimate));
                Dot {
                    look: look(at),
                    series: (*series).to_owned(),
                    mark: mark_of(estimate),
                    words,
                    missing: "not assessable".to_owned(),
                }
            })
            .collect(),
    };
    let all: Vec<Row> = report.cells.iter().filter(|cell| !cell.measures.is_empty()).map(row_of).collect();
    let rows: Vec<Row> = report.cells.iter().filter(wanted).take(MOST_ROWS + 1).map(row_of).collect();
    if rows.is_empty() {
        return Figure::placeholder("f2-prevented", title, "no cell has a measure");
    }
    let best = report.cells.iter().filter(|cell| !cell.measures.is_empty());
    let best = best.filter_map(|cell| Some((cell, cell.prevented.get("children-contacted")?.as_ref()?)));
    let best = best.max_by(|a, b| a.1.value.total_cmp(&b.1.value));
    let take = best.map_or_else(String::new, |(cell, e)| {
        format!(
            "The most children are kept from contact by {}: {}. ",
            cell_name(report, cell),
            words_of(Some(e))
        )
    });
    let plot = Plot { name, zero_line: true, left: 250.0, right: 20.0 };
    let (csv, values) = dot_values(&all);
    Figure {
        id: "f2-prevented",
        title: title.to_owned(),
        caption: format!(
            "{take}Weights of harm are invented; three sets are shown so that a finding that hangs on one of them is seen. An interval that \
             contains 0 shows no effect at 95%."
        ),
        seeds: seeds(report, "Paired 95% intervals"),
        key: OUTCOMES.iter().enumerate().map(|(at, (_, name))| (look(at), (*name).to_owned())).collect(),
        off: Vec::new(),
        wide: dots(&rows, &plot, false),
        narrow: dots(&rows, &plot, true),
        vega: dot_spec(title, &values, name),
        csv,
    }
}

pub(super) fn dots(rows: &[Row], plot: &Plot<'_>, narrow: bool) -> Picture {
    let (frame, pen, _) = draw_dots(rows, plot, narrow);
    frame.picture(pen)
}

pub(super) fn dot_values(rows: &[Row]) -> (String, Vec<Value>) {
    let mut csv = csv_line(["row", "series", "value", "low", "high"].into_iter());
    let mut values = Vec::new();
    for (row, dot) in rows.iter().flat_map(|row| row.dots.iter().map(move |dot| (row, dot))) {
        let (low, high) = dot.mark.and_then(|mark| mark.ends).unzip();
        let at = dot.mark.map(|mark| mark.at);
        let number = |value: Option<f64>| value.map(exact).unwrap_or_default();
        let cells = [row.label.clone(), dot.series.clone(), number(at), number(low), number(high)];
        csv.push_str(&csv_line(cells.iter().map(String::as_str)));
        values.push(json!({"row": row.label, "series": dot.series, "value": at, "low": low, "high": high}));
    }
    (csv, values)
}

pub(super) fn dot_spec(title: &str, values: &[Value], name: &str) -> Value {
    let body = json!({"encoding": {
        "y": {"field": "row", "type": "nominal", "sort": null, "title": null}, "yOffset": {"field": "series"},
        "color": {"field": "series", "type": "nominal"}},
      "layer": [
        {"mark": "rule", "encoding": {"x": {"field": "low", "type": "quantitative", "title": name}, "x2": {"field": "high"}}},
        {"mark": {"type": "point", "filled": true}, "encoding": {"x": {"field": "value", "type": "quantitative"}}}]});
    spec(title, values, body)
}

/// An outcome over the values of the axis; none without one.
pub(super) fn along(report: &Report) -> Option<Figure> {
    let axis = report.axis.as_ref()?;
    let title = "Children contacted, over the values of the axis";
    let mut names: Vec<String> = Vec::new();
    let mut lines: Vec<Line> = Vec::new();
    for cell in report.cells.iter().filter(|cell| !cell.staggered) {
        let name = if cell.measures.is_empty() { "none".to_owned() } else { cell.measures.join(" + ") };
        let estimate = cell.counts.get("children-contacted").and_then(Option::as_ref);
        let Some(mark) = mark_of(estimate) else { continue };
        let words = format!("{}: {}", cell_name(report, cell), mark_words(mark));
        #[allow(clippy::cast_precision_loss, reason = "a handful of values")]
        let spot = Spot { x: cell.point as f64, mark, words };
        if let Some(at) = names.iter().position(|other| *other == name) {
            lines[at].points.push(spot);
        } else {
            lines.push(Line { look: look(lines.len()), name: name.clone(), points: vec![spot] });
            names.push(name);
        }
    }
    let value = |at: usize| report.points[at].value.clone().unwrap_or_default();
    #[allow(clippy::cast_precision_loss, reason = "a handful of values")]
    let ticks: Vec<(f64, String)> = (0..report.points.len()).map(|at| (at as f64, value(at))).collect();
    let axes = Axes {
        x: axis,
        y: "children contacted in a world",
        logarithmic: false,
        ticks: Some(ticks),
        side_by_side: true,
        diagonal: false,
    };
    let mut csv = csv_line(["series", "value", "children", "low", "high"].into_iter());
    let mut values = Vec::new();
    for (line, spot) in lines.iter().flat_map(|line| line.points.iter().map(move |spot| (line, spot))) {
        let (low, high) = spot.mark.extent();
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place among the values"
        )]
        let at = value(spot.x as usize);
        let cells = [line.name.clone(), at.clone(), exact(spot.mark.at), exact(low), exact(high)];
        csv.push_str(&csv_line(cells.iter().map(String::as_str)));
        values.push(
            json!({"series": line.name, "value": at, "children": spot.mark.at, "low": low, "high": high}),
        );
    }
    let all: Vec<(String, &Estimate)> = report
        .cells
        .iter()
        .filter(|cell| is_all(report, cell))
        .filter_map(|cell| Some((value(cell.point), cell.counts.get("children-contacted")?.as_ref()?)))
        .collect();
    let (first, last) = (all.first(), all.last());
    let caption = first.zip(last).map_or_else(String::new, |((from, a), (to, b))| {
        format!("With all measures, {from}: {}; {to}: {}.", words_of(Some(a)), words_of(Some(b)))
    });
    Some(Figure {
        id: "along",
        title: title.to_owned(),
        caption: format!(
            "{caption} All cells of a world share its randomness, so that points of one line may be compared within their pairs."
        ),
        seeds: seeds(report, "Mean with 95% interval"),
        key: lines.iter().map(|line| (line.look, line.name.clone())).collect(),
        off: Vec::new(),
        wide: draw_lines(&lines, &axes, false),
        narrow: draw_lines(&lines, &axes, true),
        csv,
        vega: spec(
            title,
            &values,
            json!({"encoding": {"x": {"field": "value", "type": "ordinal", "sort": null, "title": axis}, "color": {"field": "series", "type": "nominal"}},
              "layer": [
                {"mark": "rule", "encoding": {"y": {"field": "low", "type": "quantitative", "title": axes.y}, "y2": {"field": "high"}}},
                {"mark": {"type": "line", "point": true}, "encoding": {"y": {"field": "children", "type": "quantitative"}}}]}),
        ),
    })
}
