//! F8, whether a score means what it says: the share of accounts with a simulated harmful pattern by score, from the top of the queue
//! down. A curve below the dashed line promises more than it keeps.

use serde_json::json;

use super::data::{ArmReport, ArmRole, ReliabilityPoint, ReportData};
use super::figure::{Figure, looks, spec};
use super::lines::{Axes, Line, Spot, draw};
use super::numbers::{Mark, count, exact, mark_words, plain, seeds_words};
use super::svg::Look;
use super::tables::csv_line;

const ID: &str = "f8-reliability";

/// The reliability of scores.
pub(super) fn reliability(data: &ReportData) -> Figure {
    let title = "F8. Do scores mean what they say?";
    let arms: Vec<(&ArmReport, Look)> = data
        .arms
        .iter()
        .zip(looks(&data.arms))
        .filter(|(arm, _)| arm.reliability.iter().any(whole))
        .collect();
    if arms.is_empty() {
        return Figure::placeholder(ID, title, "no arm gives probabilities");
    }
    let (mut csv, mut values) =
        (csv_line(["arm", "score", "share", "low", "high", "accounts"].into_iter()), Vec::new());
    for (arm, p) in
        arms.iter().flat_map(|(arm, _)| arm.reliability.iter().filter(|p| whole(p)).map(move |p| (arm, p)))
    {
        let accounts = p.accounts.to_string();
        let numbers = [p.score, p.share, p.low, p.high].map(exact);
        let cells = std::iter::once(arm.label.as_str())
            .chain(numbers.iter().map(String::as_str))
            .chain(std::iter::once(accounts.as_str()));
        csv.push_str(&csv_line(cells));
        values.push(json!({"arm": arm.label, "score": p.score, "share": p.share, "low": p.low, "high": p.high, "accounts": p.accounts}));
    }
    let lines: Vec<Line> = [ArmRole::Local, ArmRole::Federated, ArmRole::Private, ArmRole::Pooled]
        .iter()
        .filter_map(|role| arms.iter().find(|(arm, _)| arm.role == *role))
        .map(|(arm, look)| line(arm, *look))
        .collect();
    let axes = Axes {
        x: "mean score of the bin (logarithmic)",
        y: "share with a harmful pattern (logarithmic)",
        logarithmic: true,
        ticks: None,
        side_by_side: false,
        diagonal: true,
    };
    Figure {
        id: ID,
        caption: caption(&arms, &lines),
        seeds: format!(
            "{}, pooled; 95% Wilson intervals that take accounts as independent. The CSV holds every arm.",
            seeds_words(data.seeds)
        ),
        key: lines.iter().map(|line| (line.look, line.name.clone())).collect(),
        off: Vec::new(),
        wide: draw(&lines, &axes, false),
        narrow: draw(&lines, &axes, true),
        csv,
        vega: spec(
            title,
            &values,
            json!({"encoding": {
                "x": {"field": "score", "type": "quantitative", "scale": {"type": "log"}, "title": axes.x},
                "color": {"field": "arm", "type": "nominal"}},
              "layer": [
                {"mark": {"type": "line", "point": true}, "encoding": {"y": {"field": "share", "type": "quantitative", "scale": {"type": "symlog", "constant": 1e-4}}}},
                {"mark": "rule", "encoding": {"y": {"field": "low", "type": "quantitative", "title": axes.y}, "y2": {"field": "high"}}}]}),
        ),
        title: title.to_owned(),
    }
}

fn whole(p: &ReliabilityPoint) -> bool {
    [p.score, p.share, p.low, p.high].iter().all(|v| v.is_finite()) && p.score > 0.0
}

fn mark(p: &ReliabilityPoint) -> Mark {
    Mark { at: p.share, ends: Some((p.low, p.high)) }
}

fn line(arm: &ArmReport, look: Look) -> Line {
    let mut points: Vec<Spot> = arm
        .reliability
        .iter()
        .filter(|p| whole(p))
        .map(|p| {
            let words = format!(
                "{}, {} accounts of mean score {}: share {}",
                arm.label,
                count(p.accounts),
                plain(p.score),
                mark_words(mark(p))
            );
            Spot { x: p.score, mark: mark(p), words }
        })
        .collect();
    points.sort_by(|a, b| a.x.total_cmp(&b.x));
    Line { look, name: arm.label.clone(), points }
}

fn caption(arms: &[(&ArmReport, Look)], lines: &[Line]) -> String {
    let tops: Vec<String> = arms
        .iter()
        .filter(|(arm, _)| lines.iter().any(|line| line.name == arm.label))
        .filter_map(|(arm, _)| {
            let top =
                arm.reliability.iter().filter(|p| whole(p)).max_by(|a, b| a.score.total_cmp(&b.score))?;
            Some(format!("{} says {}, {} hold", arm.label, plain(top.score), mark_words(mark(top))))
        })
        .collect();
    format!(
        "Of the accounts with the highest scores: {}. On the dashed line a score is the share that it says; below it, it promises too much. \
         Queues only use the order. Hollow markers on the axis: none of the bin's accounts has a pattern.",
        tops.join("; ")
    )
}
