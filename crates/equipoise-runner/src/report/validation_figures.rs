//! The pictures of the validation page: curves of the graph and of timing, a matrix of ages, and findings as dots.

use super::dots::{Dot, Plot, Row, draw};
use super::figure::{Figure, Frame, Picture, spec};
use super::numbers::{Mark, exact, mark_words, plain};
use super::scale::{Scale, decade_ends, extent};
use super::svg::{Anchor, Look, Pen};
use super::tables::csv_line;
use super::validation::ValidationPage;
use equipoise_synth::validate::Finding;
use serde_json::{Value, json};

/// More points than a screen has pixels only make the file large.
const MOST_POINTS: usize = 300;

/// All figures, in the order of the page.
pub(super) fn all(page: &ValidationPage) -> Vec<Figure> {
    vec![
        degree(page),
        clustering(page),
        mixing(page),
        gaps(page),
        rhythm(page),
        platforms(page),
        separability(page),
        leaks(page),
    ]
}

/// One line of a chart.
struct Line {
    look: Look,
    name: String,
    points: Vec<(f64, f64)>,
}

/// What surrounds the lines.
struct Chart {
    id: &'static str,
    title: &'static str,
    caption: String,
    names: (&'static str, &'static str),
    logarithmic: (bool, bool),
}

impl Chart {
    fn figure(&self, lines: &[Line], missing: &str) -> Figure {
        if lines.iter().all(|line| line.points.is_empty()) {
            return Figure::placeholder(self.id, self.title, missing);
        }
        let mut csv = csv_line(["series", "x", "y"].into_iter());
        let mut values: Vec<Value> = Vec::new();
        for (line, (x, y)) in lines.iter().flat_map(|line| line.points.iter().map(move |p| (line, *p))) {
            csv.push_str(&csv_line([line.name.clone(), exact(x), exact(y)].iter().map(String::as_str)));
            values.push(json!({"series": line.name, "x": x, "y": y}));
        }
        let kind = |log: bool| if log { "log" } else { "linear" };
        let vega = spec(
            self.title,
            &values,
            json!({"mark": "line", "encoding": {
                "x": {"field": "x", "type": "quantitative", "title": self.names.0, "scale": {"type": kind(self.logarithmic.0)}},
                "y": {"field": "y", "type": "quantitative", "title": self.names.1, "scale": {"type": kind(self.logarithmic.1)}},
                "color": {"field": "series", "type": "nominal"}}}),
        );
        Figure {
            id: self.id,
            title: self.title.to_owned(),
            caption: self.caption.clone(),
            seeds: "The first world; no interval.".to_owned(),
            key: lines.iter().map(|line| (line.look, line.name.clone())).collect(),
            off: Vec::new(),
            wide: self.draw(lines, false),
            narrow: self.draw(lines, true),
            csv,
            vega,
        }
    }

    fn draw(&self, lines: &[Line], narrow: bool) -> Picture {
        let frame = Frame::new(narrow, 300.0, (52.0, 20.0));
        let mut pen = Pen::default();
        let scale = |log: bool, of: fn(&(f64, f64)) -> f64, from: f64, to: f64| {
            let found = extent(lines.iter().flat_map(|line| &line.points).map(of)).unwrap_or((0.0, 1.0));
            if log {
                Scale::logarithmic(decade_ends(found), from, to)
            } else {
                Scale::linear((found.0.min(0.0), found.1), from, to)
            }
        };
        let x = scale(self.logarithmic.0, |p| p.0, frame.left, frame.right);
        let y = scale(self.logarithmic.1, |p| p.1, frame.bottom, frame.top);
        frame.x_axis(&mut pen, &x, &x.ticks(frame.x_target()), self.names.0);
        frame.y_axis(&mut pen, &y, self.names.1);
        for line in lines {
            pen.open_series(line.look, &line.name);
            let points: Vec<(f64, f64)> = line.points.iter().map(|p| (x.at(p.0), y.at(p.1))).collect();
            pen.path(&points, "curve");
            pen.close();
        }
        frame.picture(pen)
    }
}

const fn look(at: usize) -> Look {
    Look { colour: at, shape: at }
}

/// The share of sorted values above each of them, at most [`MOST_POINTS`] points; values of 0 are left out.
#[allow(clippy::cast_precision_loss)]
fn above(sorted: &[f64]) -> Vec<(f64, f64)> {
    let n = sorted.len();
    let step = n.div_ceil(MOST_POINTS).max(1);
    let mut points: Vec<(f64, f64)> =
        (0..n).step_by(step).map(|at| (sorted[at], (n - at) as f64 / n as f64)).collect();
    points.retain(|(x, _)| *x > 0.0);
    points.dedup_by(|a, b| a.0 <= b.0);
    points
}

#[allow(clippy::cast_precision_loss)]
fn degree(page: &ValidationPage) -> Figure {
    let degrees: Vec<f64> = page.graph.iter().flat_map(|g| &g.degrees).map(|k| *k as f64).collect();
    let chart = Chart {
        id: "w1-degree",
        title: "W1. Contacts of an account on the social network (V3)",
        caption:
            "Share of accounts with at least so many contacts. A pure power law would be a straight line."
                .to_owned(),
        names: ("contacts", "share of accounts with at least as many"),
        logarithmic: (true, true),
    };
    chart
        .figure(&[Line { look: look(0), name: "world".into(), points: above(&degrees) }], "no social network")
}

fn clustering(page: &ValidationPage) -> Figure {
    let bins = page.graph.iter().flat_map(|g| &g.clustering).filter(|bin| bin.clustering > 0.0);
    let points = bins.map(|bin| (bin.degree, bin.clustering)).collect();
    let chart = Chart {
        id: "w2-clustering",
        title: "W2. Clustering by number of contacts (V4)",
        caption: "Mean local clustering of accounts of about so many contacts. Anchors: .14 at 100 (Facebook 2011), slope -.4 (MSN 2006)."
            .to_owned(),
        names: ("contacts", "share of pairs of contacts in contact"),
        logarithmic: (true, true),
    };
    chart.figure(&[Line { look: look(0), name: "world".into(), points }], "no social network")
}

#[allow(clippy::cast_precision_loss)]
fn gaps(page: &ValidationPage) -> Figure {
    let curve = |gaps: &[i64]| above(&gaps.iter().map(|gap| *gap as f64 / 3_600.0).collect::<Vec<f64>>());
    let lines: Vec<Line> = page
        .timing
        .iter()
        .flat_map(|t| {
            [
                Line { look: look(0), name: "world".into(), points: curve(&t.gaps) },
                Line {
                    look: look(1),
                    name: "Poisson with the same rhythm".into(),
                    points: curve(&t.control),
                },
            ]
        })
        .collect();
    let chart = Chart {
        id: "w4-gaps",
        title: "W4. Times between messages of one dyad (V10)",
        caption: "Share of gaps of at least so many hours, buckets of 300 seconds. Without bursts both curves would agree.".to_owned(),
        names: ("hours", "share of gaps at least as long"),
        logarithmic: (true, true),
    };
    chart.figure(&lines, "no social network")
}

fn rhythm(page: &ValidationPage) -> Figure {
    let mut lines = Vec::new();
    for (at, days) in ["weekdays", "weekends"].into_iter().enumerate() {
        let hours = |shares: &[f64; 24]| -> Vec<(f64, f64)> {
            let total: f64 = shares.iter().sum();
            (0_u8..).zip(shares).map(|(hour, share)| (f64::from(hour), share / total.max(1e-12))).collect()
        };
        if let Some(timing) = &page.timing {
            lines.push(Line {
                look: look(2 * at),
                name: format!("messages on {days}"),
                points: hours(&timing.hours[at]),
            });
            let who = if at == 0 { "adults' sessions in the file" } else { "sessions in the file" };
            lines.push(Line {
                look: look(2 * at + 1),
                name: format!("{who}, {days}"),
                points: hours(&page.hours[at]),
            });
        }
    }
    let chart = Chart {
        id: "w5-rhythm",
        title: "W5. Hours of the day (V11)",
        caption: "Share of a day's messages by hour, beside the file's weights for openings of sessions."
            .to_owned(),
        names: ("hour of the day", "share of the day"),
        logarithmic: (false, false),
    };
    chart.figure(&lines, "no messages")
}

/// The matrix of ages: the area of a square is the share of a row's contacts that lie in the column.
fn mixing(page: &ValidationPage) -> Figure {
    let (id, title) = ("w3-mixing", "W3. Who is in contact with whom, by age (V5)");
    let Some(graph) = &page.graph else { return Figure::placeholder(id, title, "no social network") };
    let mut csv = csv_line(["age", "contact's age", "share"].into_iter());
    let mut values = Vec::new();
    for (row, from) in graph.mixing.iter().zip(&graph.age_groups) {
        for (share, to) in row.iter().zip(&graph.age_groups) {
            csv.push_str(&csv_line([from.clone(), to.clone(), exact(*share)].iter().map(String::as_str)));
            values.push(json!({"age": from, "contact": to, "share": share}));
        }
    }
    let vega = spec(
        title,
        &values,
        json!({"mark": "rect", "encoding": {"y": {"field": "age", "type": "nominal", "sort": null},
            "x": {"field": "contact", "type": "nominal", "sort": null}, "color": {"field": "share", "type": "quantitative"}}}),
    );
    Figure {
        id,
        title: title.to_owned(),
        caption: "Each row is an age group; the area of a square is the share of its contacts that lie in the column's group.".to_owned(),
        seeds: "The first world; no interval.".to_owned(),
        key: Vec::new(),
        off: Vec::new(),
        wide: matrix(&graph.age_groups, &graph.mixing, false),
        narrow: matrix(&graph.age_groups, &graph.mixing, true),
        csv,
        vega,
    }
}

#[allow(clippy::cast_precision_loss)]
fn matrix(groups: &[String], shares: &[Vec<f64>], narrow: bool) -> Picture {
    let cell: f64 = if narrow { 28.0 } else { 40.0 };
    let mut frame = Frame::new(narrow, cell * groups.len() as f64 + 90.0, (84.0, 14.0));
    frame.right = frame.left + cell * groups.len() as f64;
    let mut pen = Pen::default();
    pen.open_series(look(0), "world");
    for (i, (row, from)) in shares.iter().zip(groups).enumerate() {
        let y = frame.top + cell * i as f64;
        pen.text((frame.left - 8.0, y + cell / 2.0 + 4.0), Anchor::End, "tick", from);
        pen.line((frame.left, y), (frame.right, y), "rowline");
        for (j, (share, to)) in row.iter().zip(groups).enumerate() {
            let side = (cell - 4.0) * share.max(0.0).sqrt();
            let x = frame.left + cell * (j as f64 + 0.5) - side / 2.0;
            let words = format!("{from} with {to}: {}", plain(*share));
            pen.bar((x, y + (cell - side) / 2.0), (side, side), &words);
        }
        let under = frame.top + cell * groups.len() as f64 + if i % 2 == 0 { 16.0 } else { 30.0 };
        pen.text((frame.left + cell * (i as f64 + 0.5), under), Anchor::Middle, "tick", from);
    }
    pen.close();
    frame.picture(pen)
}

/// Findings as dots with three standard errors.
fn dots(
    page: &ValidationPage,
    id: &'static str,
    title: &str,
    caption: &str,
    name: &str,
    keep: impl Fn(&Finding) -> bool,
) -> Figure {
    let found: Vec<&Finding> = page.findings.iter().filter(|f| keep(f)).collect();
    if found.iter().all(|f| f.value.is_none()) {
        let reason = found.first().map_or("not part of this validation", |f| f.note.as_str());
        return Figure::placeholder(id, title, reason);
    }
    let mut csv = csv_line(["check", "statistic", "value", "three standard errors", "target"].into_iter());
    let mut values = Vec::new();
    let rows: Vec<Row> = found
        .iter()
        .map(|f| {
            let number = |v: Option<f64>| v.map(exact).unwrap_or_default();
            let cells = [
                f.id.to_owned(),
                f.statistic.clone(),
                number(f.value),
                number(f.detectable),
                f.target.clone(),
            ];
            csv.push_str(&csv_line(cells.iter().map(String::as_str)));
            values.push(
                json!({"row": format!("{} {}", f.id, f.statistic), "value": f.value, "error": f.detectable}),
            );
            let mark = f.value.map(|at| Mark { at, ends: f.detectable.map(|e| (at - e, at + e)) });
            let words = mark.map_or_else(|| f.note.clone(), mark_words);
            let failed = f.pass == equipoise_synth::validate::Pass::Fail;
            let verdict = if failed { "FAIL, " } else { "" };
            Row {
                label: format!("{} {}", f.id, f.statistic),
                under: format!("{verdict}target {}", f.target),
                dots: vec![Dot {
                    look: look(usize::from(failed)),
                    series: f.id.to_owned(),
                    mark,
                    words,
                    missing: f.note.clone(),
                }],
            }
        })
        .collect();
    let plot = Plot { name, zero_line: false, left: 400.0, right: 20.0 };
    let picture = |narrow: bool| {
        let (frame, pen, _) = draw(&rows, &plot, narrow);
        frame.picture(pen)
    };
    let vega = spec(
        title,
        &values,
        json!({"mark": "point", "encoding": {
        "y": {"field": "row", "type": "nominal", "sort": null}, "x": {"field": "value", "type": "quantitative", "title": name}}}),
    );
    Figure {
        id,
        title: title.to_owned(),
        caption: caption.to_owned(),
        seeds: format!("Mean and three standard errors over {} worlds.", page.seeds),
        key: Vec::new(),
        off: Vec::new(),
        wide: picture(false),
        narrow: picture(true),
        csv,
        vega,
    }
}

fn platforms(page: &ValidationPage) -> Figure {
    dots(
        page,
        "w6-platforms",
        "W6. Platform mix (V7, V22)",
        "Membership against the file, and platforms named in recorded offences (separate marginals, not a partition).",
        "share, or difference of shares",
        |f| f.id == "V7" || (f.id == "V22" && f.statistic.starts_with("members")),
    )
}

fn separability(page: &ValidationPage) -> Figure {
    dots(
        page,
        "w7-separability",
        "W7. Each pattern against its look-alikes (V12, V13)",
        "V12: boosted trees at detectability 0, where .5 is right. V13: the largest area of any single column at detectability 1.",
        "area under the curve",
        |f| f.id == "V12" || f.id == "V13",
    )
}

fn leaks(page: &ValidationPage) -> Figure {
    dots(
        page,
        "w8-leaks",
        "W8. Probes for leakage (V14, V17)",
        "What lies about an account without being behaviour, and what its targets did before the first report.",
        "area under the curve",
        |f| f.id == "V14" || f.id == "V17",
    )
}
