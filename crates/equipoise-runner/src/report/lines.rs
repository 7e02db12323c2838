//! Lines through points with whiskers: a quantity over another, a series a design. Axes are linear or logarithmic; what is 0 on a
//! logarithmic axis lies on the axis itself, hollow, and its words say so.

use super::figure::{Frame, Picture, end_labels};
use super::numbers::Mark;
use super::scale::{Scale, extent};
use super::svg::{Look, Pen};

/// One point.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Spot {
    /// Its place on the x axis.
    pub(super) x: f64,
    /// Its place on the y axis.
    pub(super) mark: Mark,
    /// Its value in words.
    pub(super) words: String,
}

/// One series, its points from left to right.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Line {
    /// Its look.
    pub(super) look: Look,
    /// Its name.
    pub(super) name: String,
    /// Its points.
    pub(super) points: Vec<Spot>,
}

/// What surrounds the lines.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Axes<'a> {
    /// The x axis' name.
    pub(super) x: &'a str,
    /// The y axis' name.
    pub(super) y: &'a str,
    /// Whether both are logarithmic.
    pub(super) logarithmic: bool,
    /// Whether x has ticks only where a point stands, with these words.
    pub(super) ticks: Option<Vec<(f64, String)>>,
    /// Whether points of one x are set side by side.
    pub(super) side_by_side: bool,
    /// Whether a line marks where x and y are equal.
    pub(super) diagonal: bool,
}

/// Draws the lines.
pub(super) fn draw(lines: &[Line], axes: &Axes<'_>, narrow: bool) -> Picture {
    let gutters = if narrow { (48.0, 14.0) } else { (60.0, 190.0) };
    let frame = Frame::new(narrow, if narrow { 300.0 } else { 370.0 }, gutters);
    let mut pen = Pen::default();
    let spots = || lines.iter().flat_map(|line| &line.points);
    let positive = |v: &f64| !axes.logarithmic || *v > 0.0;
    let xs = extent(spots().map(|s| s.x).filter(positive)).unwrap_or((1.0, 10.0));
    let heights = spots().flat_map(|s| [s.mark.extent().0, s.mark.extent().1, s.mark.at]).filter(positive);
    let ys = extent(heights).unwrap_or((1.0, 10.0));
    let around = if axes.diagonal { (xs.0.min(ys.0), xs.1.max(ys.1)) } else { ys };
    let (x, y) = if axes.logarithmic {
        (
            Scale::logarithmic((xs.0 / 1.6, xs.1 * 1.6), frame.left, frame.right),
            Scale::logarithmic((around.0 / 1.6, around.1 * 1.6), frame.bottom, frame.top),
        )
    } else {
        let room = (xs.1 - xs.0).max(0.01) * 0.12;
        let low = if around.0 > 0.0 && around.0 < 0.6 * around.1 { 0.0 } else { around.0 };
        (
            Scale::exactly((xs.0 - room, xs.1 + room), frame.left, frame.right),
            Scale::linear((low, around.1), frame.bottom, frame.top),
        )
    };
    let ticks = axes.ticks.clone().unwrap_or_else(|| x.ticks(frame.x_target()));
    frame.x_axis(&mut pen, &x, &ticks, axes.x);
    frame.y_axis(&mut pen, &y, axes.y);
    let up = |value: f64| if y.holds(value) { y.at(value) } else { frame.bottom };
    if axes.diagonal {
        let ends = (xs.0 / 1.6, xs.1 * 1.6);
        let from = ends.0.max(around.0 / 1.6);
        pen.line((x.at(from), up(from)), (x.at(ends.1), up(ends.1)), "zero");
    }
    #[allow(clippy::cast_precision_loss, reason = "a handful of series")]
    let aside = |at: usize| {
        if axes.side_by_side { (at as f64 - (lines.len() as f64 - 1.0) / 2.0) * 9.0 } else { 0.0 }
    };
    let mut ends = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let place = |s: &Spot| (x.at(s.x) + aside(at), up(s.mark.at));
        pen.open_series(line.look, &line.name);
        pen.path(&line.points.iter().map(place).collect::<Vec<_>>(), "thin");
        for spot in &line.points {
            let (px, py) = place(spot);
            if let Some((low, high)) = spot.mark.ends {
                pen.whisker_up(px, up(low), up(high));
            }
            let hollow = spot.mark.ends.is_none() || !y.holds(spot.mark.at);
            pen.marker((px, py), line.look, hollow, &spot.words);
        }
        pen.close();
        ends.extend(line.points.last().map(|s| (line.look, line.name.clone(), place(s))));
    }
    if lines.len() > 1 {
        end_labels(&mut pen, &frame, &ends);
    }
    frame.picture(pen)
}
