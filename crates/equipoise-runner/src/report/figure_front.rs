//! F3, safety, privacy and burden at once: a panel a level of privacy, burden to the right, safety upwards. Filled: no other arm of
//! any panel is at least as good in all three and better in one; the number beside it says in what share of draws of the worlds.

use serde_json::json;

use super::data::{FrontRow, ReportData};
use super::figure::{Figure, Frame, Picture, TEXT, spec};
use super::figure_frontier::architectures;
use super::numbers::{bound, epsilon_words, exact, mark_words, seeds_words};
use super::scale::{Scale, extent};
use super::svg::{Anchor, Look, Pen, fitted, text_width};
use super::tables::csv_line;
use super::words::{arm_label, arm_mark, axis_name, metric_label, midway};

const ID: &str = "f3-front";

/// A row with its architecture and look.
type Placed<'a> = (&'a FrontRow, String, Look);

/// Whether there is anything to weigh.
pub(super) fn is_shown(data: &ReportData) -> bool {
    data.front.len() > 1
}

/// The words of a level of privacy.
pub(super) fn level(epsilon: Option<f64>) -> String {
    match epsilon {
        Some(value) if value <= 0.0 => "nothing leaves".to_owned(),
        Some(value) => format!("ε = {}", bound(value)),
        None => "no guarantee".to_owned(),
    }
}

/// A share of draws as a percentage.
pub(super) fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

/// The front.
pub(super) fn front(data: &ReportData) -> Figure {
    let burden = midway(&metric_label(data, &data.front_burden));
    let title = format!("F3. {}, {burden} and privacy together", metric_label(data, &data.primary));
    let mut csv =
        csv_line(["arm", "epsilon", "safety", "burden", "on_front_of_means", "membership"].into_iter());
    let mut values = Vec::new();
    for row in &data.front {
        let label = arm_label(data, &row.arm).to_owned();
        let epsilon = if row.epsilon == Some(0.0) { "0".to_owned() } else { epsilon_words(row.epsilon) };
        let on = row.on_front.to_string();
        let cells = [label.clone(), epsilon, exact(row.safety), exact(row.burden), on, exact(row.membership)];
        csv.push_str(&csv_line(cells.iter().map(String::as_str)));
        values.push(json!({"arm": label, "privacy": level(row.epsilon), "safety": row.safety,
            "burden": row.burden, "on front": row.on_front, "membership": row.membership}));
    }
    let (x, y) = (axis_name(data, &data.front_burden), axis_name(data, &data.primary));
    let vega = spec(
        &title,
        &values,
        json!({"mark": {"type": "point", "size": 70}, "encoding": {
            "facet": {"field": "privacy", "type": "nominal", "columns": 3, "title": null},
            "x": {"field": "burden", "type": "quantitative", "title": x},
            "y": {"field": "safety", "type": "quantitative", "title": y},
            "color": {"field": "arm", "type": "nominal"},
            "fillOpacity": {"condition": {"test": "datum['on front']", "value": 1}, "value": 0}, "tooltip": {"field": "membership"}}}),
    );
    let all = architectures(&data.arms);
    let look = |id: &str| data.arms.iter().position(|arm| arm.id == id).map(|at| all[at].clone());
    let rows: Vec<Placed<'_>> =
        data.front.iter().filter_map(|row| look(&row.arm).map(|(name, look)| (row, name, look))).collect();
    let mut key: Vec<(Look, String)> = Vec::new();
    for (_, name, look) in &rows {
        if key.iter().all(|(_, other)| other != name) {
            key.push((*look, name.clone()));
        }
    }
    Figure {
        id: ID,
        caption: caption(data),
        seeds: format!(
            "Means over {}; membership: share of 1,000 bootstrap draws of the worlds.",
            seeds_words(data.seeds)
        ),
        key,
        off: Vec::new(),
        wide: draw(data, &rows, (&x, &y), false),
        narrow: draw(data, &rows, (&x, &y), true),
        csv,
        vega,
        title,
    }
}

fn caption(data: &ReportData) -> String {
    let on: Vec<String> = data
        .front
        .iter()
        .filter(|row| row.on_front)
        .map(|row| format!("{} ({})", arm_label(data, &row.arm), percent(row.membership)))
        .collect();
    format!(
        "Best is up and to the left. Nobody is at least as good in all three as {}; in brackets the share of draws of the worlds in which that is so. Hollow: \
         another arm is better in something and worse in nothing, on average. Privacy is the claimed epsilon of the model that leaves, \
         and 0 where nothing leaves a platform; pooled rows are nobody's option and stand aside.",
        on.join(", ")
    )
}

#[allow(clippy::cast_precision_loss, reason = "a handful of panels")]
fn draw(data: &ReportData, rows: &[Placed<'_>], names: (&str, &str), narrow: bool) -> Picture {
    let mut levels: Vec<Option<f64>> = rows.iter().map(|(row, ..)| row.epsilon).collect();
    levels.sort_by(|a, b| a.unwrap_or(f64::INFINITY).total_cmp(&b.unwrap_or(f64::INFINITY)));
    levels.dedup();
    let columns = if narrow { 2 } else { levels.len().clamp(1, 5) };
    let lanes = levels.len().div_ceil(columns);
    let (panel, below) = (if narrow { 130.0 } else { 210.0 }, 42.0);
    let height = 24.0 + lanes as f64 * (panel + below) + if narrow { 40.0 } else { 26.0 };
    let frame = Frame { height, ..Frame::new(narrow, height, (46.0, 14.0)) };
    let wide = (frame.right - frame.left) / columns as f64;
    let span = |of: fn(&FrontRow) -> f64| {
        let (low, high) = extent(rows.iter().map(|(row, ..)| of(row))).unwrap_or((0.0, 1.0));
        let room = ((high - low) * 0.12).max(high.abs() * 0.02).max(1e-9);
        // No share or count is below 0, so no axis goes there unless a value does.
        (if low >= 0.0 { (low - room).max(0.0) } else { low - room }, high + room)
    };
    let (across, up) = (span(|row| row.burden), span(|row| row.safety));
    let mut pen = Pen::default();
    pen.text((2.0, 12.0), Anchor::Start, "name", &fitted(names.1, (frame.width - 4.0) / 1.12, TEXT));
    for (at, privacy) in levels.iter().enumerate() {
        let (column, lane) = (at % columns, at / columns);
        let left = frame.left + wide * column as f64;
        let top = 40.0 + lane as f64 * (panel + below);
        let inner = Frame { left, right: left + wide - 12.0, top, bottom: top + panel - 16.0, ..frame };
        let x = Scale::linear(across, inner.left + 6.0, inner.right - 4.0);
        let y = Scale::linear(up, inner.bottom - 4.0, inner.top + 4.0);
        pen.text(
            (f64::midpoint(inner.left, inner.right), top - 4.0),
            Anchor::Middle,
            "strong",
            &fitted(&level(*privacy), wide - 6.0, TEXT),
        );
        pen.line((inner.left, inner.bottom), (inner.right, inner.bottom), "axis");
        pen.line((inner.left, inner.top), (inner.left, inner.bottom), "axis");
        let mut free = f64::NEG_INFINITY;
        for (value, label) in x.ticks(2) {
            let (px, half) = (x.at(value), text_width(&label, TEXT) / 2.0);
            if px - half > free && px + half < inner.right + 6.0 {
                pen.line((px, inner.bottom), (px, inner.bottom + 4.0), "axis");
                pen.text((px, inner.bottom + 17.0), Anchor::Middle, "tick", &label);
                free = px + half + 6.0;
            }
        }
        for (value, label) in y.ticks(4) {
            pen.line((inner.left - 4.0, y.at(value)), (inner.left, y.at(value)), "axis");
            if column == 0 {
                pen.text((inner.left - 7.0, y.at(value) + 4.0), Anchor::End, "tick", &label);
            }
        }
        let here: Vec<&Placed<'_>> = rows.iter().filter(|(row, ..)| row.epsilon == *privacy).collect();
        let at = |row: &FrontRow| (x.at(row.burden), y.at(row.safety));
        let mut taken: Vec<Box4> = here.iter().map(|(row, ..)| around(at(row), 6.0, 6.0)).collect();
        for (row, name, look) in here {
            pen.open_series(*look, name);
            pen.marker(at(row), *look, !row.on_front, &words(data, row));
            if row.on_front {
                let text = percent(row.membership);
                let (place, anchor, covered) = beside(at(row), text_width(&text, TEXT), &inner, &taken);
                pen.text(place, anchor, "label", &text);
                taken.push(covered);
            }
            pen.close();
        }
    }
    for (line, text) in frame.lines(names.0).into_iter().enumerate() {
        let y = height
            - if !narrow {
                8.0
            } else if line == 0 {
                22.0
            } else {
                8.0
            };
        pen.text((frame.width / 2.0, y), Anchor::Middle, "name", text);
    }
    frame.picture(pen)
}

/// Left, top, right, bottom.
type Box4 = (f64, f64, f64, f64);

fn around((x, y): (f64, f64), half: f64, tall: f64) -> Box4 {
    (x - half, y - tall, x + half, y + tall)
}

/// Where a text `wide` stands beside a marker: right, left, above or below it, the first that covers nothing else and stays inside; else right.
fn beside((x, y): (f64, f64), wide: f64, inner: &Frame, taken: &[Box4]) -> ((f64, f64), Anchor, Box4) {
    let half = wide / 2.0;
    let places = [
        ((x + 8.0, y + 4.0), Anchor::Start, (x + 8.0 + half, y)),
        ((x - 8.0, y + 4.0), Anchor::End, (x - 8.0 - half, y)),
        ((x, y - 9.0), Anchor::Middle, (x, y - 13.0)),
        ((x, y + 17.0), Anchor::Middle, (x, y + 13.0)),
    ];
    let boxed = |middle: (f64, f64)| around(middle, half, 6.0);
    let free = |b: &Box4| {
        let apart = |o: &Box4| b.2 <= o.0 || o.2 <= b.0 || b.3 <= o.1 || o.3 <= b.1;
        b.0 > inner.left
            && b.2 < inner.right + 10.0
            && b.1 > inner.top
            && b.3 < inner.bottom
            && taken.iter().all(apart)
    };
    let found = places.iter().find(|place| free(&boxed(place.2))).unwrap_or(&places[0]);
    (found.0, found.1, boxed(found.2))
}

fn words(data: &ReportData, row: &FrontRow) -> String {
    let value = |metric: &str| {
        let arm = data.arms.iter().find(|arm| arm.id == row.arm);
        arm.and_then(|arm| arm_mark(arm, metric)).map_or_else(|| "not assessable".to_owned(), mark_words)
    };
    format!(
        "{}, {}: {} {}, {} {}; on the front in {} of draws",
        arm_label(data, &row.arm),
        level(row.epsilon),
        midway(&metric_label(data, &data.primary)),
        value(&data.primary),
        midway(&metric_label(data, &data.front_burden)),
        value(&data.front_burden),
        percent(row.membership)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two markers close by: the share of the left one stands under it, where the right one's marker does not reach.
    #[test]
    fn a_share_covers_no_marker() {
        let inner = Frame {
            left: 0.0,
            right: 200.0,
            top: 0.0,
            bottom: 200.0,
            ..Frame::new(false, 200.0, (0.0, 0.0))
        };
        let markers = [(50.0, 50.0), (64.0, 46.0)];
        let mut taken: Vec<Box4> = markers.iter().map(|at| around(*at, 6.0, 6.0)).collect();
        let apart = |a: &Box4, b: &Box4| a.2 <= b.0 || b.2 <= a.0 || a.3 <= b.1 || b.3 <= a.1;
        for at in markers {
            let (_, _, covered) = beside(at, 30.0, &inner, &taken);
            assert!(taken.iter().all(|other| apart(&covered, other)), "{at:?}: {covered:?} over {taken:?}");
            taken.push(covered);
        }
        let alone = beside(markers[0], 30.0, &inner, &taken[..1]);
        assert_eq!(alone.0, (58.0, 54.0));
    }
}
