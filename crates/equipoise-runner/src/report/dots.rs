//! Dot plots: one row a thing, one dot with its whisker a series. What cannot be assessed keeps its row, greyed, so that
//! nobody reads a missing dot as nothing.

use super::figure::{Frame, TEXT};
use super::numbers::Mark;
use super::scale::{Scale, extent};
use super::svg::{Anchor, Look, Pen, fitted};

/// One dot.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Dot {
    /// Its look.
    pub(super) look: Look,
    /// Its series, as in the key.
    pub(super) series: String,
    /// Its place; `None` is shown as not assessable.
    pub(super) mark: Option<Mark>,
    /// Its value in words.
    pub(super) words: String,
    /// What stands in its place where it has none: "not assessable", with the reason where one is known.
    pub(super) missing: String,
}

/// One row.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Row {
    /// Its name.
    pub(super) label: String,
    /// A second line; may be empty.
    pub(super) under: String,
    /// Its dots.
    pub(super) dots: Vec<Dot>,
}

/// What surrounds the rows.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Plot<'a> {
    /// The x axis' name.
    pub(super) name: &'a str,
    /// Whether a line marks 0.
    pub(super) zero_line: bool,
    /// Room left of the axis on wide screens.
    pub(super) left: f64,
    /// Room right of the axis on wide screens.
    pub(super) right: f64,
}

/// The height of one dot's lane.
const LANE: f64 = 13.0;

/// Draws the rows; returns the frame, the pen and each row's middle, for what a figure adds.
pub(super) fn draw(rows: &[Row], plot: &Plot<'_>, narrow: bool) -> (Frame, Pen, Vec<f64>) {
    let heights: Vec<f64> = rows.iter().map(|row| row_height(row, narrow)).collect();
    let height = heights.iter().sum::<f64>() + 14.0 + 44.0;
    let gutters = if narrow { (10.0, 14.0) } else { (plot.left, plot.right) };
    let mut frame = Frame::new(narrow, height, gutters);
    frame.top = 6.0;
    let marks = rows.iter().flat_map(|row| &row.dots).filter_map(|dot| dot.mark);
    let ends = marks.flat_map(|mark| [mark.extent().0, mark.extent().1]);
    let (low, high) = extent(ends).unwrap_or((0.0, 1.0));
    let wants_zero = plot.zero_line || (low > 0.0 && low < 0.6 * high);
    let around = if wants_zero { (low.min(0.0), high.max(0.0)) } else { (low, high) };
    let scale = Scale::linear(around, frame.left + 6.0, frame.right);
    let mut pen = Pen::default();
    if scale.holds(0.0) && plot.zero_line {
        pen.line((scale.at(0.0), frame.top), (scale.at(0.0), frame.bottom), "zero");
    }
    let mut middles = Vec::with_capacity(rows.len());
    let mut top = frame.top + 4.0;
    for (row, height) in rows.iter().zip(&heights) {
        middles.push(draw_row(&mut pen, &frame, &scale, row, top));
        top += height;
        pen.line((if narrow { 0.0 } else { frame.left }, top - 3.0), (frame.right, top - 3.0), "rowline");
    }
    pen.line((frame.left, frame.top), (frame.left, frame.bottom), "axis");
    frame.x_axis(&mut pen, &scale, &scale.ticks(frame.x_target()), plot.name);
    (frame, pen, middles)
}

/// Words stand beside the lanes on wide screens, above them on narrow ones.
fn words_height(row: &Row) -> f64 {
    if row.under.is_empty() { 17.0 } else { 32.0 }
}

#[allow(clippy::cast_precision_loss, reason = "a handful of dots")]
fn lanes_height(row: &Row) -> f64 {
    // A row without a single dot needs room for one line of words only.
    let lanes = if row.dots.iter().all(|dot| dot.mark.is_none()) { 1 } else { row.dots.len() };
    lanes as f64 * LANE
}

fn row_height(row: &Row, narrow: bool) -> f64 {
    let (words, lanes) = (words_height(row), lanes_height(row));
    10.0 + if narrow { words + lanes + 4.0 } else { words.max(lanes) }
}

fn draw_row(pen: &mut Pen, frame: &Frame, scale: &Scale, row: &Row, top: f64) -> f64 {
    let (words, lanes) = (words_height(row), lanes_height(row));
    let (first_line, first_lane, middle) = if frame.narrow {
        (top + 12.0, top + words + 4.0, top + words + 4.0 + lanes / 2.0)
    } else {
        let inner = words.max(lanes);
        (top + (inner - words) / 2.0 + 13.0, top + (inner - lanes) / 2.0, top + inner / 2.0)
    };
    let (x, anchor, room) = if frame.narrow {
        (frame.left + 6.0, Anchor::Start, frame.right - frame.left)
    } else {
        (frame.left - 10.0, Anchor::End, frame.left - 14.0)
    };
    pen.text((x, first_line), anchor, "strong", &fitted(&row.label, room / 1.15, TEXT));
    if !row.under.is_empty() {
        pen.text((x, first_line + 15.0), anchor, "muted", &fitted(&row.under, room, TEXT));
    }
    let room = frame.right - frame.left - 10.0;
    if row.dots.iter().all(|dot| dot.mark.is_none()) {
        let words = row.dots.first().map_or("not assessable", |dot| &dot.missing);
        pen.text((frame.left + 10.0, middle + 4.0), Anchor::Start, "muted", &fitted(words, room, TEXT));
        return middle;
    }
    let mut y = first_lane + LANE / 2.0;
    for dot in &row.dots {
        pen.open_series(dot.look, &dot.series);
        match dot.mark {
            Some(mark) => {
                if let Some((low, high)) = mark.ends {
                    pen.whisker_across(y, scale.at(low), scale.at(high));
                }
                pen.marker((scale.at(mark.at), y), dot.look, mark.ends.is_none(), &dot.words);
            }
            None => {
                pen.text(
                    (frame.left + 10.0, y + 4.0),
                    Anchor::Start,
                    "muted",
                    &fitted(&dot.missing, room, TEXT),
                );
            }
        }
        pen.close();
        y += LANE;
    }
    middle
}
