//! F10, what canaries show beside what is claimed; F11, the attacks' curves on two logarithmic axes; F12, the ledger over rounds.

use super::figure::{Figure, Frame, Picture, spec};
use super::numbers::{Mark, exact, mark, mark_words, means_words, plain};
use super::scale::{Scale, decade_ends, extent};
use super::svg::{Anchor, Look, Pen};
use super::tables::csv_line;
use crate::audit::result::{AuditReport, ClaimRow};
use serde_json::json;

/// One series: points with their intervals, joined or not.
struct Series {
    look: Look,
    name: String,
    joined: bool,
    points: Vec<(f64, Mark)>,
}

/// What surrounds the series.
struct Chart {
    id: &'static str,
    title: &'static str,
    names: (&'static str, &'static str),
    /// Both axes.
    logarithmic: (bool, bool),
    /// The line `y = x`, and its name.
    diagonal: &'static str,
    caption: String,
    seeds: String,
}

impl Chart {
    fn figure(&self, series: &[Series], missing: &str) -> Figure {
        if series.iter().all(|one| one.points.is_empty()) {
            return Figure::placeholder(self.id, self.title, missing);
        }
        let mut csv = csv_line(["series", "x", "y", "low", "high"].into_iter());
        let mut values = Vec::new();
        for (one, (x, m)) in series.iter().flat_map(|one| one.points.iter().map(move |p| (one, *p))) {
            let ends = m.ends.map_or_else(Default::default, |(low, high)| (exact(low), exact(high)));
            let cells = [one.name.clone(), exact(x), exact(m.at), ends.0, ends.1];
            csv.push_str(&csv_line(cells.iter().map(String::as_str)));
            let (low, high) = m.ends.unzip();
            values.push(json!({"series": one.name, "x": x, "y": m.at, "low": low, "high": high}));
        }
        let kind = |log: bool| if log { "log" } else { "linear" };
        let mark = if series.iter().any(|one| one.joined) { "line" } else { "point" };
        let vega = spec(
            self.title,
            &values,
            json!({"encoding": {
                "x": {"field": "x", "type": "quantitative", "title": self.names.0, "scale": {"type": kind(self.logarithmic.0)}},
                "color": {"field": "series", "type": "nominal"}},
              "layer": [
                {"mark": "rule", "encoding": {"y": {"field": "low", "type": "quantitative", "title": self.names.1}, "y2": {"field": "high"}}},
                {"mark": mark, "encoding": {"y": {"field": "y", "type": "quantitative", "scale": {"type": kind(self.logarithmic.1)}}}}]}),
        );
        Figure {
            id: self.id,
            title: self.title.to_owned(),
            caption: self.caption.clone(),
            seeds: self.seeds.clone(),
            key: series.iter().map(|one| (one.look, one.name.clone())).collect(),
            wide: self.draw(series, false),
            narrow: self.draw(series, true),
            csv,
            vega,
            off: Vec::new(),
        }
    }

    fn draw(&self, series: &[Series], narrow: bool) -> Picture {
        let frame = Frame::new(narrow, if narrow { 300.0 } else { 380.0 }, (52.0, 20.0));
        let mut pen = Pen::default();
        let points = || series.iter().flat_map(|one| &one.points);
        let across = extent(points().map(|(x, _)| *x)).unwrap_or((0.0, 1.0));
        let up = extent(points().flat_map(|(_, m)| [m.extent().0, m.extent().1])).unwrap_or((0.0, 1.0));
        let scale = |log: bool, found: (f64, f64), from: f64, to: f64| {
            if log {
                Scale::logarithmic(decade_ends((found.0.max(1e-4), found.1)), from, to)
            } else {
                Scale::linear((found.0.min(0.0), found.1), from, to)
            }
        };
        let x = scale(self.logarithmic.0, across, frame.left, frame.right);
        let y = scale(self.logarithmic.1, up, frame.bottom, frame.top);
        frame.x_axis(&mut pen, &x, &x.ticks(frame.x_target()), self.names.0);
        frame.y_axis(&mut pen, &y, self.names.1);
        if !self.diagonal.is_empty() {
            let both = |value: &f64| x.holds(*value) && y.holds(*value);
            let steps: Vec<f64> = (0..=200)
                .map(|at| across.0.min(up.0).max(1e-4) + f64::from(at) / 200.0 * across.1.max(up.1))
                .collect();
            let line: Vec<(f64, f64)> =
                steps.iter().filter(|v| both(v)).map(|&v| (x.at(v), y.at(v))).collect();
            pen.path(&line, "ref");
            if let Some(&(left, top)) = line.last() {
                pen.text((left - 6.0, (top + 4.0).max(frame.top + 10.0)), Anchor::End, "note", self.diagonal);
            }
        }
        for one in series {
            pen.open_series(one.look, &one.name);
            if one.joined {
                let curve: Vec<(f64, f64)> =
                    one.points.iter().map(|(at, m)| (x.at(*at), y.at(m.at))).collect();
                pen.path(&curve, "curve");
            }
            for (at, m) in one.points.iter().filter(|_| !one.joined) {
                let place = x.at(*at);
                if let Some((low, high)) = m.ends {
                    pen.whisker_up(place, y.at(low), y.at(high));
                }
                let words = format!("{}, claimed {}: {}", one.name, plain(*at), mark_words(*m));
                pen.marker((place, y.at(m.at)), one.look, m.ends.is_none(), &words);
            }
            pen.close();
        }
        frame.picture(pen)
    }
}

const fn look(at: usize) -> Look {
    Look { colour: at, shape: at }
}

/// F10.
pub(super) fn claimed_and_audited(report: &AuditReport) -> Figure {
    let broken = |promise: &str| {
        report.claims.iter().any(|claim| claim.promise == promise && claim.noise_share.is_some())
    };
    let mut series: Vec<Series> = Vec::new();
    for row in &report.canaries {
        let kind = if broken(&row.promise) { "broken on purpose" } else { "as claimed" };
        let name = format!("{}, {kind}", row.bound);
        let Some(found) = mark(&row.audited) else { continue };
        // Points of equal claims stand side by side.
        let beside = |x: f64, taken: &[Series]| {
            let near =
                taken.iter().flat_map(|s| &s.points).filter(|(at, _)| (at - x).abs() < 0.04 * x.max(0.1));
            x * (1.0 + 0.012 * near.count() as f64)
        };
        let at = beside(row.claimed, &series);
        if let Some(one) = series.iter_mut().find(|one| one.name == name) {
            one.points.push((at, found));
        } else {
            let look = look(series.len());
            series.push(Series { look, name, joined: false, points: vec![(at, found)] });
        }
    }
    let refuted: Vec<String> = report
        .canaries
        .iter()
        .filter(|row| row.refuted)
        .map(|row| format!("{} ({})", row.promise, row.bound))
        .collect();
    let rate = |row: &crate::audit::result::CanaryRow| mark(&row.audited).map(|m| m.at / row.claimed);
    let sound = report.canaries.iter().filter(|row| !broken(&row.promise));
    let best = sound.filter_map(rate).fold(0.0, f64::max);
    let verdict = if refuted.is_empty() {
        "No claim is refuted.".to_owned()
    } else {
        format!("Refuted: {}.", refuted.join("; "))
    };
    Chart {
        id: "f10-claimed-audited",
        title: "F10. Epsilon that was claimed, and the lower bound that canaries show",
        names: ("claimed epsilon", "audited lower bound on epsilon (95 % in each world)"),
        logarithmic: (false, false),
        diagonal: "claimed = audited",
        caption: format!(
            "{verdict} Above the line a claim is too small; below it, it is true or the audit too weak to say otherwise. Of claims that are \
             kept, the audits reach at most {} of what is claimed. Points of one claim are set side by side.",
            plain(best)
        ),
        seeds: means_words(report.worlds),
    }
    .figure(&series, "nothing finite is claimed, or no canaries were counted")
}

/// F11.
pub(super) fn attack_curves(report: &AuditReport) -> Figure {
    // One line a promise: its strongest attack by area, which is told after the fact and flatters the attacker.
    let mut series: Vec<Series> = Vec::new();
    let area = |row: &crate::audit::result::MembershipRow| mark(&row.auc).map_or(0.5, |m| m.at);
    let judged = report.membership.iter().any(|row| row.mislabelled);
    let shown = |row: &&crate::audit::result::MembershipRow| row.mislabelled == judged;
    for claim in &report.claims {
        let of = report.membership.iter().filter(shown).filter(|row| row.promise == claim.promise);
        let Some(row) = of.max_by(|a, b| area(a).total_cmp(&area(b))) else { continue };
        let points = row.curve.iter().filter(|(_, rate)| *rate > 0.0);
        series.push(Series {
            look: look(series.len()),
            name: format!("{} ({})", row.promise, row.attack),
            joined: true,
            points: points.map(|&(at, rate)| (at, Mark { at: rate, ends: None })).collect(),
        });
    }
    let strongest = report.membership.iter().filter(shown).max_by(|a, b| area(a).total_cmp(&area(b)));
    let about = if judged { ", on mislabelled accounts: the worst case" } else { "" };
    let caption = strongest.map_or_else(String::new, |row| {
        let words = |estimate| mark(estimate).map_or_else(|| "not assessable".to_owned(), mark_words);
        format!(
            "The strongest attack is {} on {}: area {}, and {} of members at a false-positive rate of 1 %. Each line is the attack that did \
             best on its model, chosen after the fact{}; on the dotted line an attack knows nothing. Curves are means over worlds at each rate, \
             drawn only where one world's non-members resolve it.",
            row.attack, row.promise, words(&row.auc), words(&row.at_one_percent), about
        )
    });
    Chart {
        id: "f11-attack-roc",
        title: "F11. Membership attacks at low false-positive rates",
        names: ("false-positive rate (logarithmic)", "true-positive rate (logarithmic)"),
        logarithmic: (true, true),
        diagonal: "knows nothing",
        caption,
        seeds: format!("Means over {} worlds; no interval on the curves, areas in the table.", report.worlds),
    }
    .figure(&series, "no membership attack ran")
}

/// F12.
pub(super) fn ledger(claims: &[ClaimRow]) -> Figure {
    let line = |(at, claim): (usize, &ClaimRow)| Series {
        look: look(at),
        name: claim.promise.clone(),
        joined: true,
        points: claim
            .ledger
            .iter()
            .map(|&(round, epsilon)| (f64::from(round), Mark { at: epsilon, ends: None }))
            .collect(),
    };
    let kept = claims.iter().filter(|claim| !claim.ledger.is_empty() && claim.noise_share.is_none());
    let series: Vec<Series> = kept.enumerate().map(line).collect();
    let first = |claim: &ClaimRow| Some((claim.ledger.first()?.1, claim.ledger.last()?.1));
    let share = claims.iter().filter_map(first).map(|(one, all)| one / all).fold(0.0, f64::max);
    Chart {
        id: "f12-ledger",
        title: "F12. What has been spent after each round",
        names: ("round", "epsilon spent"),
        logarithmic: (false, false),
        diagonal: "",
        caption: format!(
            "Epsilon by the exact accountant, for each claim's own unit; the last point is the claim. Spending slows down: a first round alone \
             costs up to {} of a whole run. Claims for different units do not compare.",
            plain(share)
        ),
        seeds: "Computed, not measured; no interval.".to_owned(),
    }
    .figure(&series, "nothing is claimed")
}
