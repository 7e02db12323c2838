//! The figures of measures: F2, what cells prevent; F5 to F8, when, after how many children, at which stage and by which scores accounts
//! are identified for review; F9, what that costs whom; and an outcome over the values of an axis.

use super::dots::{Dot, Plot, Row, draw as draw_dots};
use super::figure::{Figure, Frame, Picture, end_labels, spec};
use super::lines::{Axes, Line, Spot, draw as draw_lines};
use super::numbers::{Mark, count, exact, mark_words, plain, seeds_words};
use super::scale::Scale;
use super::svg::{Anchor, Look, Pen, fitted};
use super::tables::csv_line;
use crate::policy::result::Report;
use crate::policy::row::{CellRow, Detection};
use equipoise_policy::tandem::Estimate;
use serde_json::{Value, json};

/// At most this many series stand in one picture.
const MOST_SERIES: usize = 6;
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
    let measures = match (cell.measures.is_empty(), cell.staggered) {
        (true, _) => "none".to_owned(),
        (_, true) => format!("{}, one after the other", cell.measures.join(" + ")),
        _ => cell.measures.join(" + "),
    };
    match &report.points[cell.point].value {
        Some(value) => format!("{value}: {measures}"),
        None => measures,
    }
}

fn is_all(report: &Report, cell: &CellRow) -> bool {
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

fn seeds(report: &Report, what: &str) -> String {
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

fn dots(rows: &[Row], plot: &Plot<'_>, narrow: bool) -> Picture {
    let (frame, pen, _) = draw_dots(rows, plot, narrow);
    frame.picture(pen)
}

fn dot_values(rows: &[Row]) -> (String, Vec<Value>) {
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

fn dot_spec(title: &str, values: &[Value], name: &str) -> Value {
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

/// One series of steps: `(x, y, low, high)`.
struct Steps {
    look: Look,
    name: String,
    points: Vec<(f64, f64, f64, f64)>,
}

/// Step curves with their bands.
fn steps(series: &[Steps], x_name: &str, y_name: &str, narrow: bool) -> Picture {
    let gutters = if narrow { (40.0, 14.0) } else { (48.0, 190.0) };
    let frame = Frame::new(narrow, if narrow { 290.0 } else { 360.0 }, gutters);
    let mut pen = Pen::default();
    let points = || series.iter().flat_map(|one| &one.points);
    let right = points().map(|p| p.0).fold(1.0, f64::max);
    let top = points().map(|p| p.3).fold(0.05, f64::max);
    let x = Scale::linear((0.0, right), frame.left, frame.right);
    let y = Scale::linear((0.0, top), frame.bottom, frame.top);
    frame.x_axis(&mut pen, &x, &x.ticks(frame.x_target()), x_name);
    frame.y_axis(&mut pen, &y, y_name);
    for one in series {
        let corners = |value: fn(&(f64, f64, f64, f64)) -> f64| {
            let mut out: Vec<(f64, f64)> = Vec::new();
            for point in &one.points {
                let (px, py) = (x.at(point.0), y.at(value(point)));
                if let Some((_, before)) = out.last().copied() {
                    out.push((px, before));
                }
                out.push((px, py));
            }
            out
        };
        pen.open_series(one.look, &one.name);
        if one.points.iter().any(|p| p.2 < p.3) {
            let mut band = corners(|p| p.3);
            band.extend(corners(|p| p.2).into_iter().rev());
            pen.area(&band, "band");
        }
        pen.path(&corners(|p| p.1), "curve");
        pen.close();
    }
    let ends: Vec<_> = series
        .iter()
        .filter_map(|one| one.points.last().map(|p| (one.look, one.name.clone(), (x.at(p.0), y.at(p.1)))))
        .collect();
    end_labels(&mut pen, &frame, &ends);
    frame.picture(pen)
}

fn steps_figure(
    id: &'static str,
    title: &str,
    (x_name, y_name): (&str, &str),
    series: &[Steps],
    (caption, seeds): (String, String),
) -> Figure {
    if series.iter().all(|one| one.points.is_empty()) {
        return Figure::placeholder(id, title, "no cell reviews anybody");
    }
    let mut csv = csv_line(["series", "x", "y", "low", "high"].into_iter());
    let mut values = Vec::new();
    for (one, p) in series.iter().flat_map(|one| one.points.iter().map(move |p| (one, p))) {
        let cells = [one.name.clone(), exact(p.0), exact(p.1), exact(p.2), exact(p.3)];
        csv.push_str(&csv_line(cells.iter().map(String::as_str)));
        values.push(json!({"series": one.name, "x": p.0, "y": p.1, "low": p.2, "high": p.3}));
    }
    Figure {
        id,
        title: title.to_owned(),
        caption,
        seeds,
        key: series.iter().map(|one| (one.look, one.name.clone())).collect(),
        off: Vec::new(),
        wide: steps(series, x_name, y_name, false),
        narrow: steps(series, x_name, y_name, true),
        csv,
        vega: spec(
            title,
            &values,
            json!({"encoding": {"x": {"field": "x", "type": "quantitative", "title": x_name}, "color": {"field": "series", "type": "nominal"}},
              "layer": [
                {"mark": {"type": "area", "opacity": 0.2, "interpolate": "step-after"}, "encoding": {"y": {"field": "low", "type": "quantitative", "title": y_name}, "y2": {"field": "high"}}},
                {"mark": {"type": "line", "interpolate": "step-after"}, "encoding": {"y": {"field": "y", "type": "quantitative"}}}]}),
        ),
    }
}

/// F5.
pub(super) fn detection_time(report: &Report) -> Figure {
    let cells = drawn(report);
    let series: Vec<Steps> = cells
        .iter()
        .enumerate()
        .map(|(at, (_, of, name))| Steps { look: look(at), name: name.clone(), points: of.curve.clone() })
        .collect();
    let last: Vec<String> = series
        .iter()
        .filter_map(|one| {
            let p = one.points.last()?;
            Some(format!("{} {}", one.name, mark_words(Mark { at: p.1, ends: Some((p.2, p.3)) })))
        })
        .collect();
    let caption = format!(
        "Share of accounts with a simulated harmful pattern identified for review by the end, closing by moderation competing (Aalen and \
         Johansen): {}. The clock starts with the first harmful contact; whoever was identified before one stands at 0.",
        last.join("; ")
    );
    let words = ("days since the first harmful contact", "share identified for review");
    let seeds = seeds(report, "Accounts of all worlds together; the pointwise 95% band is over worlds");
    steps_figure(
        "f5-detection-time",
        "F5. Time until an account is identified for review",
        words,
        &series,
        (caption, seeds),
    )
}

/// F6.
pub(super) fn children(report: &Report) -> Figure {
    let cells = drawn(report);
    let points = |of: &Detection| {
        of.children.iter().map(|(n, share)| (f64::from(*n), *share, *share, *share)).collect()
    };
    let series: Vec<Steps> = cells
        .iter()
        .enumerate()
        .map(|(at, (_, of, name))| Steps { look: look(at), name: name.clone(), points: points(of) })
        .collect();
    let none: Vec<String> = cells
        .iter()
        .map(|(_, of, name)| {
            let share = of.children.first().filter(|(n, _)| *n == 0).map_or(0.0, |(_, share)| *share);
            format!("{name} {} of {} accounts", plain(share), count(of.accounts))
        })
        .collect();
    let caption = format!(
        "Identified, or still there at the end, without having contacted a child: {}. A curve further up and left is better.",
        none.join("; ")
    );
    let words =
        ("children contacted before identification or the end", "share of accounts with a harmful pattern");
    let seeds = seeds(report, "Accounts of all worlds together, no interval");
    steps_figure(
        "f6-children-before",
        "F6. Children contacted before an account is identified",
        words,
        &series,
        (caption, seeds),
    )
}

/// F7.
pub(super) fn stages(report: &Report) -> Figure {
    const NAMES: [&str; 7] = ["no contact yet", "S1", "S2", "S3", "S4", "S5", "never"];
    let (id, title) = ("f7-stage", "F7. Stage at which accounts are identified for review");
    let cells = drawn(report);
    if cells.is_empty() {
        return Figure::placeholder(id, title, "no cell reviews anybody");
    }
    let mut csv = csv_line(["cell", "stage", "share", "low", "high"].into_iter());
    let mut values = Vec::new();
    for (_, of, name) in &cells {
        for (stage, estimate) in NAMES.iter().zip(&of.stages) {
            let Some(e) = estimate else { continue };
            let cells = [name.clone(), (*stage).to_owned(), exact(e.value), exact(e.low), exact(e.high)];
            csv.push_str(&csv_line(cells.iter().map(String::as_str)));
            values
                .push(json!({"cell": name, "stage": stage, "share": e.value, "low": e.low, "high": e.high}));
        }
    }
    let draw = |narrow: bool| {
        #[allow(clippy::cast_precision_loss, reason = "a handful of bars")]
        let height = cells.len() as f64 * 34.0 + 70.0;
        let frame = Frame::new(narrow, height, if narrow { (10.0, 14.0) } else { (190.0, 20.0) });
        let mut pen = Pen::default();
        let x = Scale::exactly((0.0, 1.0), frame.left, frame.right);
        frame.x_axis(&mut pen, &x, &x.ticks(frame.x_target()), "share of accounts with a harmful pattern");
        for (at, (_, of, name)) in cells.iter().enumerate() {
            #[allow(clippy::cast_precision_loss, reason = "a handful of bars")]
            let top = frame.top - 16.0 + at as f64 * 34.0;
            if narrow {
                pen.text(
                    (frame.left, top),
                    Anchor::Start,
                    "strong",
                    &fitted(name, frame.right - frame.left, 12.0),
                );
            } else {
                pen.text((frame.left - 8.0, top + 17.0), Anchor::End, "strong", &fitted(name, 170.0, 12.0));
            }
            let mut from = 0.0;
            for (stage, (what, estimate)) in NAMES.iter().zip(&of.stages).enumerate() {
                let Some(e) = estimate.filter(|e| e.value > 0.0) else { continue };
                pen.open_series(look(stage), what);
                let words = format!("{name}, {what}: {}", words_of(Some(&e)));
                pen.bar((x.at(from), top + 3.0), (x.at(from + e.value) - x.at(from), 18.0), &words);
                pen.close();
                from += e.value;
            }
        }
        frame.picture(pen)
    };
    let early = |of: &Detection| of.stages.iter().take(3).flatten().map(|e| e.value).sum::<f64>();
    let early: Vec<String> =
        cells.iter().map(|(_, of, name)| format!("{name} {}", plain(early(of)))).collect();
    Figure {
        id,
        title: title.to_owned(),
        caption: format!(
            "Identified at S2 or before, of all accounts with a harmful pattern: {}. The stage is the highest that any of the account's pairs \
             had reached; the CSV has an interval for each share.",
            early.join("; ")
        ),
        seeds: seeds(report, "Shares over accounts; 95% intervals over worlds in the CSV"),
        key: NAMES.iter().enumerate().map(|(at, name)| (look(at), (*name).to_owned())).collect(),
        off: Vec::new(),
        wide: draw(false),
        narrow: draw(true),
        csv,
        vega: spec(
            title,
            &values,
            json!({"mark": "bar", "encoding": {"y": {"field": "cell", "type": "nominal", "sort": null, "title": null},
              "x": {"field": "share", "type": "quantitative", "stack": "zero"}, "color": {"field": "stage", "type": "nominal", "sort": NAMES}}}),
        ),
    }
}

/// F8.
pub(super) fn reliability(report: &Report) -> Figure {
    let (id, title) = ("f8-reliability", "F8. Do scores mean what they say?");
    let cells = drawn(report);
    let mut csv = csv_line(["series", "score", "share", "low", "high", "accounts"].into_iter());
    let mut values = Vec::new();
    let mut lines: Vec<Line> = Vec::new();
    for (at, (_, of, name)) in cells.iter().enumerate() {
        let mut points = Vec::new();
        for (score, share, low, high, accounts) in of.reliability.iter().filter(|bin| bin.0 > 0.0) {
            let mark = Mark { at: *share, ends: Some((*low, *high)) };
            let words = format!(
                "{name}, {} accounts of mean score {}: share {}",
                count(*accounts),
                plain(*score),
                mark_words(mark)
            );
            points.push(Spot { x: *score, mark, words });
            let number = [*score, *share, *low, *high].map(exact);
            let accounts = accounts.to_string();
            let cells = std::iter::once(name.as_str()).chain(number.iter().map(String::as_str));
            csv.push_str(&csv_line(cells.chain(std::iter::once(accounts.as_str()))));
            values.push(json!({"series": name, "score": score, "share": share, "low": low, "high": high}));
        }
        if !points.is_empty() {
            lines.push(Line { look: look(at), name: name.clone(), points });
        }
    }
    if lines.is_empty() {
        return Figure::placeholder(id, title, "no cell scores anybody");
    }
    let axes = Axes {
        x: "mean of the accounts' highest scores in the bin (logarithmic)",
        y: "share with a harmful pattern (logarithmic)",
        logarithmic: true,
        ticks: None,
        side_by_side: false,
        diagonal: true,
    };
    Figure {
        id,
        title: title.to_owned(),
        caption: "On the dashed line a score is the share that it says; below it, it promises too much. Queues only use the order, and the \
                  public rule is no probability."
            .to_owned(),
        seeds: seeds(report, "Accounts of all worlds together, 95% Wilson intervals that take accounts as independent"),
        key: lines.iter().map(|line| (line.look, line.name.clone())).collect(),
        off: Vec::new(),
        wide: draw_lines(&lines, &axes, false),
        narrow: draw_lines(&lines, &axes, true),
        csv,
        vega: spec(
            title,
            &values,
            json!({"encoding": {"x": {"field": "score", "type": "quantitative", "scale": {"type": "log"}, "title": axes.x}, "color": {"field": "series", "type": "nominal"}},
              "layer": [
                {"mark": "rule", "encoding": {"y": {"field": "low", "type": "quantitative", "title": axes.y}, "y2": {"field": "high"}}},
                {"mark": {"type": "line", "point": true}, "encoding": {"y": {"field": "share", "type": "quantitative"}}}]}),
        ),
    }
}

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
