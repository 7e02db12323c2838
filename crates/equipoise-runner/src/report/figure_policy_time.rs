//! F5 and F6: when accounts are identified for review, and after how many children.

use super::figure::{Figure, Frame, Picture, end_labels, spec};
use super::figure_policy::{drawn, look, seeds};
use super::numbers::{Mark, count, exact, mark_words};
use super::scale::Scale;
use super::svg::{Look, Pen};
use super::tables::csv_line;
use crate::policy::result::Report;
use crate::policy::row::Detection;
use serde_json::json;

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
        of.children.iter().map(|(n, share, low, high)| (f64::from(*n), *share, *low, *high)).collect()
    };
    let series: Vec<Steps> = cells
        .iter()
        .enumerate()
        .map(|(at, (_, of, name))| Steps { look: look(at), name: name.clone(), points: points(of) })
        .collect();
    let none: Vec<String> = cells
        .iter()
        .map(|(_, of, name)| {
            let none = of.children.first().filter(|(n, ..)| *n == 0);
            let (share, low, high) =
                none.map_or((0.0, 0.0, 0.0), |(_, share, low, high)| (*share, *low, *high));
            let words = mark_words(Mark { at: share, ends: Some((low, high)) });
            format!("{name} {words} of {} accounts", count(of.accounts))
        })
        .collect();
    let caption = format!(
        "Identified, or still there at the end, without having contacted a child: {}. A curve further up and left is better.",
        none.join("; ")
    );
    let words =
        ("children contacted before identification or the end", "share of accounts with a harmful pattern");
    let seeds = seeds(report, "Accounts of all worlds together; the pointwise 95% band is over worlds");
    steps_figure(
        "f6-children-before",
        "F6. Children contacted before an account is identified",
        words,
        &series,
        (caption, seeds),
    )
}
