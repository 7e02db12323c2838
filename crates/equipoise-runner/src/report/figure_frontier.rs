//! F1, the frontier: what the pre-registered metric is at each epsilon. Arms without a guarantee stand apart on the x
//! axis, since no number is their epsilon; arms that do not federate are lines across.

use serde_json::json;

use super::data::{ArmReport, ArmRole, ReportData};
use super::figure::{Figure, Frame, Picture, TEXT, looks, spec};
use super::numbers::{Mark, epsilon_words, exact, mark_words, means_words, plain};
use super::scale::{Scale, extent};
use super::svg::{Anchor, Look, Pen, fitted, spread, text_width};
use super::tables::csv_line;
use super::words::{arm_mark, arm_words, axis_name, main_arm, metric_label};

const ID: &str = "f1-frontier";

struct Point<'a> {
    arm: &'a ArmReport,
    look: Look,
    mark: Mark,
}

impl Point<'_> {
    fn is_line(&self) -> bool {
        matches!(self.arm.role, ArmRole::Reference | ArmRole::Local | ArmRole::Pooled)
    }

    fn epsilon(&self) -> Option<f64> {
        self.arm.epsilon.filter(|e| e.is_finite() && *e > 0.0)
    }

    fn words(&self) -> String {
        let guarantee = match self.epsilon() {
            Some(epsilon) => format!("ε = {}", plain(epsilon)),
            None => "no guarantee".to_owned(),
        };
        format!("{}, {guarantee}: {}", self.arm.label, mark_words(self.mark))
    }
}

/// The frontier.
pub(super) fn frontier(data: &ReportData) -> Figure {
    let title = format!("F1. {} at each privacy level", metric_label(data, &data.primary));
    let looks = looks(&data.arms);
    let points: Vec<Point<'_>> = data
        .arms
        .iter()
        .zip(looks)
        .filter_map(|(arm, look)| Some(Point { arm, look, mark: arm_mark(arm, &data.primary)? }))
        .collect();
    if points.is_empty() {
        return Figure::placeholder(ID, &title, "no arm has the pre-registered metric");
    }
    let name = axis_name(data, &data.primary);
    let values: Vec<_> = points
        .iter()
        .map(|p| {
            let (low, high) = p.mark.ends.unzip();
            json!({"arm": p.arm.label, "epsilon": p.epsilon(), "position": epsilon_words(p.epsilon()),
                "value": p.mark.at, "low": low, "high": high})
        })
        .collect();
    let vega = spec(
        &title,
        &values,
        json!({"encoding": {
            "x": {"field": "position", "type": "ordinal", "title": "epsilon", "sort": null},
            "color": {"field": "arm", "type": "nominal"}, "shape": {"field": "arm", "type": "nominal"}},
          "layer": [
            {"mark": "rule", "encoding": {"y": {"field": "low", "type": "quantitative", "title": name}, "y2": {"field": "high"}}},
            {"mark": {"type": "point", "filled": true, "size": 70}, "encoding": {"y": {"field": "value", "type": "quantitative"}}}]}),
    );
    Figure {
        id: ID,
        caption: caption(data, &points),
        seeds: means_words(data.seeds),
        key: points.iter().map(|p| (p.look, p.arm.label.clone())).collect(),
        wide: draw(&points, &name, false),
        narrow: draw(&points, &name, true),
        csv: csv(&points),
        vega,
        title,
    }
}

fn csv(points: &[Point<'_>]) -> String {
    let mut out = csv_line(["arm", "epsilon", "value", "low", "high"].into_iter());
    for p in points {
        let ends = p.mark.ends.map_or_else(Default::default, |(low, high)| (exact(low), exact(high)));
        let cells = [p.arm.label.clone(), epsilon_words(p.epsilon()), exact(p.mark.at), ends.0, ends.1];
        out.push_str(&csv_line(cells.iter().map(String::as_str)));
    }
    out
}

fn caption(data: &ReportData, points: &[Point<'_>]) -> String {
    let Some(arm) = main_arm(data) else { return String::new() };
    let guarantee = match arm.epsilon.filter(|e| e.is_finite()) {
        Some(_) if arm.label.contains('ε') => String::new(),
        Some(epsilon) => format!(" (ε = {})", plain(epsilon)),
        None => " (no formal guarantee)".to_owned(),
    };
    let mut out = format!("{}{guarantee}: {}.", arm.label, arm_words(arm, &data.primary));
    let lines: Vec<String> = points
        .iter()
        .filter(|p| p.is_line())
        .map(|p| format!("{} {}", p.arm.label, mark_words(p.mark)))
        .collect();
    if !lines.is_empty() {
        out.push_str(&format!(" Lines across: {}.", lines.join("; ")));
    }
    for arm in data.arms.iter().filter(|arm| arm_mark(arm, &data.primary).is_none()) {
        out.push_str(&format!(" {}: {}.", arm.label, arm_words(arm, &data.primary)));
    }
    if points.iter().any(|p| p.mark.ends.is_none()) {
        out.push_str(" Hollow markers are single runs.");
    }
    out
}

fn draw(points: &[Point<'_>], name: &str, narrow: bool) -> Picture {
    let frame = Frame::new(
        narrow,
        if narrow { 300.0 } else { 380.0 },
        if narrow { (44.0, 14.0) } else { (52.0, 170.0) },
    );
    let mut pen = Pen::default();
    let (low, high) =
        extent(points.iter().flat_map(|p| [p.mark.extent().0, p.mark.extent().1])).unwrap_or((0.0, 1.0));
    let y =
        Scale::linear((if low > 0.0 && low < 0.6 * high { 0.0 } else { low }, high), frame.bottom, frame.top);
    let epsilons = extent(points.iter().filter(|p| !p.is_line()).filter_map(Point::epsilon));
    let apart = points.iter().any(|p| !p.is_line() && p.epsilon().is_none());
    let room = if narrow { 92.0 } else { 130.0 };
    let end = match (epsilons, apart) {
        (Some(_), true) => frame.right - room,
        (Some(_), false) => frame.right,
        (None, _) => frame.left,
    };
    let x = epsilons.map(|(a, b)| Scale::logarithmic((a / 1.8, b * 1.8), frame.left, end));
    axes(&mut pen, &frame, points, x.as_ref(), apart.then_some((end + frame.right) / 2.0));
    frame.y_axis(&mut pen, &y, name);
    let lines: Vec<&Point<'_>> = points.iter().filter(|p| p.is_line()).collect();
    across(&mut pen, &frame, &y, &lines);
    let mut taken: Vec<[f64; 4]> = Vec::new();
    let mut labels = Vec::new();
    let places = positions(points, x.as_ref(), (end + frame.right) / 2.0);
    for (p, px) in points.iter().filter(|p| !p.is_line()).zip(places) {
        pen.open_series(p.look, &p.arm.label);
        let (bottom, top) = (y.at(p.mark.extent().0), y.at(p.mark.extent().1));
        if p.mark.ends.is_some() {
            pen.whisker_up(px, bottom, top);
        }
        pen.marker((px, y.at(p.mark.at)), p.look, p.mark.ends.is_none(), &p.words());
        pen.close();
        taken.push([px - 7.0, top.min(y.at(p.mark.at) - 6.0), px + 7.0, bottom.max(y.at(p.mark.at) + 6.0)]);
        labels.push((p, (px, top, y.at(p.mark.at), bottom)));
    }
    if !narrow {
        let heights: Vec<f64> = lines.iter().map(|p| y.at(p.mark.at)).collect();
        for (p, at) in labels {
            label(&mut pen, &frame, p, at, (&heights, end), &mut taken);
        }
    }
    frame.picture(pen)
}

/// Where each federated arm stands; equal epsilons are set side by side.
#[allow(clippy::cast_precision_loss, reason = "a handful of arms")]
fn positions(points: &[Point<'_>], x: Option<&Scale>, apart: f64) -> Vec<f64> {
    let mut out: Vec<f64> = Vec::new();
    for p in points.iter().filter(|p| !p.is_line()) {
        let wanted = match (p.epsilon(), x) {
            (Some(epsilon), Some(scale)) => scale.at(epsilon),
            _ => apart,
        };
        let steps = [0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0];
        let free = steps.iter().map(|s| wanted + s * 14.0).find(|x| out.iter().all(|o| (o - x).abs() > 12.0));
        out.push(free.unwrap_or(wanted));
    }
    out
}

fn axes(pen: &mut Pen, frame: &Frame, points: &[Point<'_>], x: Option<&Scale>, apart: Option<f64>) {
    if let Some(scale) = x {
        let mut ticks: Vec<(f64, String)> = points
            .iter()
            .filter(|p| !p.is_line())
            .filter_map(Point::epsilon)
            .map(|e| (e, plain(e)))
            .collect();
        ticks.sort_by(|a, b| a.0.total_cmp(&b.0));
        ticks.dedup_by(|a, b| a.1 == b.1);
        frame.x_axis(pen, scale, &ticks, "epsilon (smaller protects more; logarithmic)");
    } else {
        pen.line((frame.left, frame.bottom), (frame.right, frame.bottom), "axis");
    }
    if let Some(at) = apart {
        pen.text((at, frame.bottom + 17.0), Anchor::Middle, "tick", "no guarantee");
        if x.is_some() {
            let gap = 2.0 * at - frame.right;
            pen.line((gap, frame.top), (gap, frame.bottom), "zero");
        }
    }
}

/// The arms that do not federate: a line with its interval as a band, named in the right gutter.
fn across(pen: &mut Pen, frame: &Frame, y: &Scale, lines: &[&Point<'_>]) {
    let wanted: Vec<f64> = lines.iter().map(|p| y.at(p.mark.at)).collect();
    let placed = spread(&wanted, TEXT + 4.0, frame.top, frame.bottom);
    for (p, to) in lines.iter().zip(placed) {
        let at = y.at(p.mark.at);
        pen.open_series(p.look, &p.arm.label);
        if let Some((low, high)) = p.mark.ends {
            let (a, b) = (y.at(low), y.at(high));
            pen.area(&[(frame.left, a), (frame.right, a), (frame.right, b), (frame.left, b)], "band");
        }
        pen.line((frame.left, at), (frame.right, at), "ref");
        pen.marker((frame.right, at), p.look, p.mark.ends.is_none(), &p.words());
        if !frame.narrow {
            pen.line((frame.right + 6.0, at), (frame.right + 14.0, to), "leader");
            let words = fitted(&p.arm.label, frame.width - frame.right - 20.0, TEXT);
            pen.text((frame.right + 17.0, to + 4.0), Anchor::Start, "label", &words);
        }
        pen.close();
    }
}

/// Names a point where there is room: above, below, right, left, off the lines across if possible. The key names it anyway.
fn label(
    pen: &mut Pen,
    frame: &Frame,
    p: &Point<'_>,
    at: (f64, f64, f64, f64),
    (lines, parting): (&[f64], f64),
    taken: &mut Vec<[f64; 4]>,
) {
    let (x, top, middle, bottom) = at;
    let words = fitted(&p.arm.label, 170.0, TEXT);
    let wide = text_width(&words, TEXT) + 4.0;
    let centred = (x - wide / 2.0).clamp(frame.left + 2.0, (frame.right - wide).max(frame.left + 2.0));
    let spots = [
        (centred, top - 18.0),
        (centred, bottom + 5.0),
        (x + 10.0, middle - 7.0),
        (x - wide - 10.0, middle - 7.0),
        (centred, top - 34.0),
        (centred, bottom + 21.0),
    ];
    let boxes = spots.map(|(left, up)| [left, up, left + wide, up + 14.0]);
    let inside =
        |b: &[f64; 4]| b[0] >= frame.left && b[2] <= frame.right && b[1] >= 18.0 && b[3] <= frame.bottom;
    let apart =
        |b: &[f64; 4]| taken.iter().all(|t| b[2] <= t[0] || b[0] >= t[2] || b[3] <= t[1] || b[1] >= t[3]);
    let clear = |b: &[f64; 4]| {
        let off_lines = lines.iter().all(|y| *y < b[1] - 1.0 || *y > b[3] + 1.0);
        off_lines && (parting < b[0] || parting > b[2])
    };
    let free = boxes.iter().filter(|b| inside(b) && apart(b));
    if let Some(found) = free.clone().find(|b| clear(b)).or_else(|| free.clone().next()).copied() {
        pen.open_series(p.look, &p.arm.label);
        pen.text((found[0] + 2.0, found[1] + 11.0), Anchor::Start, "label", &words);
        pen.close();
        taken.push(found);
    }
}
