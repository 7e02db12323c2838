//! F1, the frontier: what the pre-registered metric is at each epsilon, one line an architecture. Arms without a guarantee stand
//! apart on the x axis, since no number is their epsilon; arms that do not federate are lines across.

use serde_json::json;

use super::data::{ArmReport, ArmRole, ReportData};
use super::figure::{Figure, Frame, Picture, TEXT, looks, spec};
use super::numbers::{Mark, bound, epsilon_words, exact, mark_words, means_words};
use super::scale::{Scale, extent};
use super::svg::{Anchor, Look, Pen, fitted, spread, text_width};
use super::tables::csv_line;
use super::words::{arm_mark, arm_words, axis_name, main_arm, metric_label};

const ID: &str = "f1-frontier";

struct Point<'a> {
    arm: &'a ArmReport,
    /// What stays the same from one epsilon to the next.
    series: String,
    look: Look,
    mark: Mark,
}

/// An arm's label without its epsilon.
fn series(label: &str) -> String {
    match label.split_once(", ε = ") {
        Some((base, rest)) => {
            let end = rest.find([' ', ',']).unwrap_or(rest.len());
            format!("{base}{}", &rest[end..])
        }
        None => label.to_owned(),
    }
}

/// Colours of architectures: none that a line across has.
const COLOURS: [usize; 5] = [0, 1, 3, 4, 6];

/// The architecture and look of every arm: what federates looks the same at every epsilon.
pub(super) fn architectures(arms: &[ArmReport]) -> Vec<(String, Look)> {
    let mut known: Vec<String> = Vec::new();
    let mut out = Vec::new();
    for (arm, look) in arms.iter().zip(looks(arms)) {
        let name = series(&arm.label);
        if matches!(arm.role, ArmRole::Federated | ArmRole::Private) {
            let at = known.iter().position(|other| *other == name).unwrap_or(known.len());
            if at == known.len() {
                known.push(name.clone());
            }
            out.push((name, Look { colour: COLOURS[at % COLOURS.len()], shape: at }));
        } else {
            out.push((name, look));
        }
    }
    out
}

fn points(data: &ReportData) -> Vec<Point<'_>> {
    let all = data.arms.iter().zip(architectures(&data.arms));
    all.filter_map(|(arm, (series, look))| {
        Some(Point { arm, series, look, mark: arm_mark(arm, &data.primary)? })
    })
    .collect()
}

/// Each series with its look, in order.
fn key(points: &[Point<'_>]) -> Vec<(Look, String)> {
    let mut key: Vec<(Look, String)> = Vec::new();
    for p in points {
        if key.iter().all(|(_, name)| *name != p.series) {
            key.push((p.look, p.series.clone()));
        }
    }
    key
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
            Some(epsilon) => format!("ε = {}", bound(epsilon)),
            None => "no guarantee".to_owned(),
        };
        format!("{}, {guarantee}: {}", self.arm.label, mark_words(self.mark))
    }
}

/// The frontier.
pub(super) fn frontier(data: &ReportData) -> Figure {
    let title = format!("F1. {} at each privacy level", metric_label(data, &data.primary));
    let points = points(data);
    if points.is_empty() {
        return Figure::placeholder(ID, &title, "no arm has the pre-registered metric");
    }
    let name = axis_name(data, &data.primary);
    let values: Vec<_> = points
        .iter()
        .map(|p| {
            let (low, high) = p.mark.ends.unzip();
            json!({"arm": p.arm.label, "series": p.series, "epsilon": p.epsilon(), "position": epsilon_words(p.epsilon()),
                "value": p.mark.at, "low": low, "high": high})
        })
        .collect();
    let vega = spec(
        &title,
        &values,
        json!({"encoding": {
            "x": {"field": "position", "type": "ordinal", "title": "epsilon", "sort": null},
            "color": {"field": "series", "type": "nominal"}, "shape": {"field": "series", "type": "nominal"}},
          "layer": [
            {"mark": {"type": "line", "opacity": 0.5}, "encoding": {"y": {"field": "value", "type": "quantitative"}}},
            {"mark": "rule", "encoding": {"y": {"field": "low", "type": "quantitative", "title": name}, "y2": {"field": "high"}}},
            {"mark": {"type": "point", "filled": true, "size": 70}, "encoding": {"y": {"field": "value", "type": "quantitative"}}}]}),
    );
    Figure {
        id: ID,
        caption: caption(data, &points),
        seeds: means_words(data.seeds),
        key: key(&points),
        off: Vec::new(),
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
        Some(epsilon) => format!(" (ε = {})", bound(epsilon)),
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
    let whole = frame;
    let lines: Vec<&Point<'_>> = points.iter().filter(|p| p.is_line()).collect();
    // What does not federate has a strip of its own at the right, a marker and whisker each, and a line across to compare by.
    let frame = Frame { right: whole.right - strip_width(lines.len(), narrow), ..whole };
    let mut pen = Pen::default();
    let (low, high) =
        extent(points.iter().flat_map(|p| [p.mark.extent().0, p.mark.extent().1])).unwrap_or((0.0, 1.0));
    let y =
        Scale::linear((if low > 0.0 && low < 0.6 * high { 0.0 } else { low }, high), frame.bottom, frame.top);
    let epsilons = extent(points.iter().filter(|p| !p.is_line()).filter_map(Point::epsilon));
    let apart = points.iter().any(|p| !p.is_line() && p.epsilon().is_none());
    let room = if narrow { 66.0 } else { 110.0 };
    let end = match (epsilons, apart) {
        (Some(_), true) => frame.right - room,
        (Some(_), false) => frame.right,
        (None, _) => frame.left,
    };
    let x = epsilons.map(|(a, b)| Scale::logarithmic((a / 1.8, b * 1.8), frame.left, end));
    axes(&mut pen, &frame, points, x.as_ref(), apart.then_some((end + frame.right) / 2.0));
    frame.y_axis(&mut pen, &y, name);
    across(&mut pen, (&frame, &whole), &y, &lines);
    let mut taken: Vec<[f64; 4]> = Vec::new();
    let mut labels = Vec::new();
    let places = positions(points, x.as_ref(), (end + frame.right) / 2.0);
    for (look, name) in key(points) {
        let of = points.iter().filter(|p| !p.is_line()).zip(&places);
        let mut ends: Vec<(f64, Mark)> = of
            .filter(|(p, _)| p.series == name && p.epsilon().is_some())
            .map(|(p, x)| (*x, p.mark))
            .collect();
        ends.sort_by(|a, b| a.0.total_cmp(&b.0));
        let edge = |high: bool| {
            let end = move |m: &Mark| if high { m.extent().1 } else { m.extent().0 };
            ends.iter().map(|(x, mark)| (*x, y.at(end(mark)))).collect::<Vec<_>>()
        };
        pen.open_series(look, &name);
        let mut band = edge(true);
        band.extend(edge(false).into_iter().rev());
        if ends.len() > 1 {
            pen.area(&band, "band faint");
        }
        pen.path(&ends.iter().map(|(x, mark)| (*x, y.at(mark.at))).collect::<Vec<_>>(), "thin");
        pen.close();
    }
    for (p, px) in points.iter().filter(|p| !p.is_line()).zip(places) {
        pen.open_series(p.look, &p.series);
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
        // An architecture is named once, where its epsilon is largest.
        let mut named: Vec<&str> = Vec::new();
        labels.sort_by(|a: &(&Point<'_>, _), b| {
            b.0.epsilon().unwrap_or(0.0).total_cmp(&a.0.epsilon().unwrap_or(0.0))
        });
        for (p, at) in labels {
            if named.contains(&p.series.as_str()) {
                continue;
            }
            named.push(&p.series);
            label(&mut pen, &frame, p, at, (&heights, end), &mut taken);
        }
    }
    frame.picture(pen)
}

/// Where each federated arm stands; equal epsilons are set side by side.
#[allow(clippy::cast_precision_loss, reason = "a handful of arms")]
fn strip_width(lines: usize, narrow: bool) -> f64 {
    if lines == 0 { 0.0 } else { 10.0 + lines as f64 * if narrow { 11.0 } else { 16.0 } }
}

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
            .map(|e| (e, bound(e)))
            .collect();
        ticks.sort_by(|a, b| a.0.total_cmp(&b.0));
        ticks.dedup_by(|a, b| a.1 == b.1);
        frame.x_axis(pen, scale, &ticks, "epsilon (smaller protects more; logarithmic)");
    } else {
        pen.line((frame.left, frame.bottom), (frame.right, frame.bottom), "axis");
    }
    if let Some(at) = apart {
        let words = if frame.narrow { "no ε" } else { "no guarantee" };
        pen.text((at, frame.bottom + 17.0), Anchor::Middle, "tick", words);
        if x.is_some() {
            let gap = 2.0 * at - frame.right;
            pen.line((gap, frame.top), (gap, frame.bottom), "zero");
        }
    }
}

/// The arms that do not federate: a dashed line to a marker with its whisker in the strip at the right, named beside it.
#[allow(clippy::cast_precision_loss, reason = "a handful of arms")]
fn across(pen: &mut Pen, (inner, whole): (&Frame, &Frame), y: &Scale, lines: &[&Point<'_>]) {
    if lines.is_empty() {
        return;
    }
    pen.line((inner.right, inner.bottom), (whole.right, whole.bottom), "axis");
    pen.line((inner.right, whole.top), (inner.right, whole.bottom), "zero");
    if !whole.narrow {
        let middle = f64::midpoint(inner.right, whole.right);
        pen.text((middle, whole.bottom + 17.0), Anchor::Middle, "tick", "no rounds");
    }
    let step = (whole.right - inner.right) / lines.len() as f64;
    let wanted: Vec<f64> = lines.iter().map(|p| y.at(p.mark.at)).collect();
    let placed = spread(&wanted, TEXT + 4.0, whole.top, whole.bottom);
    for (i, (p, to)) in lines.iter().zip(placed).enumerate() {
        let (at, x) = (y.at(p.mark.at), inner.right + step * (i as f64 + 0.5));
        pen.open_series(p.look, &p.series);
        pen.line((inner.left, at), (x, at), "ref");
        if let Some((low, high)) = p.mark.ends {
            pen.whisker_up(x, y.at(low), y.at(high));
        }
        pen.marker((x, at), p.look, p.mark.ends.is_none(), &p.words());
        if !whole.narrow {
            pen.line((x + 6.0, at), (whole.right + 14.0, to), "leader");
            let words = fitted(&p.arm.label, whole.width - whole.right - 20.0, TEXT);
            pen.text((whole.right + 17.0, to + 4.0), Anchor::Start, "label", &words);
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
    let words = fitted(&p.series, 170.0, TEXT);
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
        pen.open_series(p.look, &p.series);
        pen.text((found[0] + 2.0, found[1] + 11.0), Anchor::Start, "label", &words);
        pen.close();
        taken.push(found);
    }
}

#[cfg(test)]
mod tests {
    use super::series;

    #[test]
    fn an_architecture_is_its_label_without_the_epsilon() {
        assert_eq!(series("federated, ε = 8"), "federated");
        assert_eq!(
            series("federated binned, ε = 0.5 for an account, K = 4"),
            "federated binned for an account, K = 4"
        );
        assert_eq!(series("federated, ε = 3, krum"), "federated, krum");
        assert_eq!(series("pooled, linked"), "pooled, linked");
    }
}
