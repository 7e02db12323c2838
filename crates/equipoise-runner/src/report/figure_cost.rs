//! F13, what hiding an update costs: bytes for each parameter, platform and round. Counted from message formats, so there
//! is no interval to show and the caption says so.

use serde_json::json;

use super::data::{CostRow, ReportData};
use super::figure::{Figure, Frame, Picture, TEXT, spec};
use super::numbers::{count, exact, plain};
use super::scale::{Scale, decade_ends, extent};
use super::svg::{Anchor, Look, Pen, fitted, text_width};
use super::tables::csv_line;
use super::words::arm_label;

const ID: &str = "f13-cost";

/// One bar: every arm that shares a scheme and its size shares the bar.
struct Bar {
    name: String,
    bytes: f64,
}

fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

fn bars(data: &ReportData) -> Vec<Bar> {
    let usable = |row: &&CostRow| row.bytes_per_parameter.is_finite() && row.bytes_per_parameter > 0.0;
    let rows: Vec<&CostRow> = data.costs.iter().filter(usable).collect();
    let mut bars: Vec<Bar> = Vec::new();
    for row in &rows {
        let mixed = rows.iter().any(|other| {
            other.scheme == row.scheme && !same(other.bytes_per_parameter, row.bytes_per_parameter)
        });
        // A size is what most often makes the difference; where it does not, the arm is named.
        let alike = |other: &&&CostRow| other.scheme == row.scheme && other.parameters == row.parameters;
        let name = if !mixed {
            row.scheme.clone()
        } else if rows.iter().filter(alike).all(|o| same(o.bytes_per_parameter, row.bytes_per_parameter)) {
            format!("{}, {} parameters", row.scheme, count(row.parameters))
        } else {
            format!("{} · {}", row.scheme, arm_label(data, &row.arm))
        };
        if !bars.iter().any(|bar| bar.name == name && same(bar.bytes, row.bytes_per_parameter)) {
            bars.push(Bar { name, bytes: row.bytes_per_parameter });
        }
    }
    bars
}

/// The cost of encryption.
pub(super) fn cost(data: &ReportData) -> Figure {
    let title = "F13. Upload for each parameter, by aggregation scheme";
    let bars = bars(data);
    if bars.is_empty() {
        return Figure::placeholder(ID, title, "no arm reports what it uploads");
    }
    let mut csv = csv_line(["scheme", "bytes_per_parameter_and_round"].into_iter());
    let mut values = Vec::new();
    for bar in &bars {
        csv.push_str(&csv_line([bar.name.as_str(), &exact(bar.bytes)].into_iter()));
        values.push(json!({"scheme": bar.name, "bytes": bar.bytes}));
    }
    let vega = spec(
        title,
        &values,
        json!({"mark": {"type": "point", "filled": true, "size": 90}, "encoding": {
            "x": {"field": "bytes", "type": "quantitative", "scale": {"type": if spans_decades(&bars) { "log" } else { "linear" }}, "title": "bytes per parameter and round"},
            "y": {"field": "scheme", "type": "nominal", "sort": null, "title": null}}}),
    );
    Figure {
        id: ID,
        title: title.to_owned(),
        caption: caption(&bars),
        seeds: "Counted from the message formats, the same for every seed.".to_owned(),
        key: Vec::new(),
        off: Vec::new(),
        wide: draw(&bars, false),
        narrow: draw(&bars, true),
        csv,
        vega,
    }
}

fn caption(bars: &[Bar]) -> String {
    let least = bars.iter().min_by(|a, b| a.bytes.total_cmp(&b.bytes));
    let most = bars.iter().max_by(|a, b| a.bytes.total_cmp(&b.bytes));
    let tail = if spans_decades(bars) {
        "Counted, not estimated, so without an interval; bars start at the left end of a logarithmic axis."
    } else {
        "Counted, not estimated, so without an interval."
    };
    match (least, most) {
        (Some(least), Some(most)) if !same(least.bytes, most.bytes) => format!(
            "One parameter costs {} bytes a round with {} and {} bytes with {}: {} times as much. {tail}",
            plain(least.bytes),
            least.name,
            plain(most.bytes),
            most.name,
            plain(most.bytes / least.bytes)
        ),
        (Some(one), _) => {
            format!("One parameter costs {} bytes a round with {}. {tail}", plain(one.bytes), one.name)
        }
        _ => String::new(),
    }
}

/// Whether the largest bar would hide the smallest on a linear axis.
fn spans_decades(bars: &[Bar]) -> bool {
    extent(bars.iter().map(|bar| bar.bytes)).is_some_and(|(low, high)| high > 20.0 * low)
}

#[allow(clippy::cast_precision_loss, reason = "a handful of bars")]
fn draw(bars: &[Bar], narrow: bool) -> Picture {
    let lane = if narrow { 42.0 } else { 32.0 };
    let height = bars.len() as f64 * lane + 60.0;
    let longest = bars.iter().map(|bar| text_width(&bar.name, TEXT)).fold(0.0, f64::max);
    let names = (longest + 18.0).clamp(120.0, 340.0);
    let mut frame = Frame::new(narrow, height, if narrow { (8.0, 70.0) } else { (names, 90.0) });
    frame.top = 6.0;
    let (low, high) = extent(bars.iter().map(|b| b.bytes)).unwrap_or((1.0, 10.0));
    let x = if spans_decades(bars) {
        Scale::logarithmic(decade_ends((low * 0.999, high)), frame.left, frame.right)
    } else {
        Scale::linear((0.0, high), frame.left, frame.right)
    };
    let mut pen = Pen::default();
    for (i, bar) in bars.iter().enumerate() {
        let top = frame.top + 6.0 + lane * i as f64;
        let (text, y) = if narrow {
            ((frame.left + 4.0, top + 9.0), top + 15.0)
        } else {
            ((frame.left - 10.0, top + 15.0), top + 3.0)
        };
        let anchor = if narrow { Anchor::Start } else { Anchor::End };
        let room = if narrow { frame.width - 12.0 } else { frame.left - 14.0 };
        pen.text(text, anchor, "label", &fitted(&bar.name, room, TEXT));
        let value = format!("{} bytes", plain(bar.bytes));
        pen.open_series(Look { colour: 0, shape: 0 }, &bar.name);
        pen.bar((frame.left, y), (x.at(bar.bytes) - frame.left, 16.0), &format!("{}: {value}", bar.name));
        pen.close();
        pen.text((x.at(bar.bytes) + 6.0, y + 12.0), Anchor::Start, "label", &value);
    }
    pen.line((frame.left, frame.top), (frame.left, frame.bottom), "axis");
    let name = if spans_decades(bars) {
        "bytes per parameter, platform and round (logarithmic)"
    } else {
        "bytes per parameter, platform and round"
    };
    frame.x_axis(&mut pen, &x, &x.ticks(frame.x_target()), name);
    frame.picture(pen)
}
