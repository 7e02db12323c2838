//! F7 and F8: at which stage accounts are identified for review, and by which scores.

use super::figure::{Figure, Frame, spec};
use super::figure_policy::{drawn, look, seeds, words_of};
use super::lines::{Axes, Line, Spot, draw as draw_lines};
use super::numbers::{Mark, count, exact, mark_words, plain};
use super::scale::Scale;
use super::svg::{Anchor, Pen, fitted};
use super::tables::csv_line;
use crate::policy::result::Report;
use crate::policy::row::Detection;
use serde_json::json;

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
