//! F4, precision against recall, and F5, the share identified for review by days since the first harmful contact.

use serde_json::json;

use super::data::{ArmReport, ArmRole, ReportData, StepPoint};
use super::figure::{Figure, Frame, Picture, end_labels, held_back, looks, spec};
use super::numbers::{Mark, bands_words, exact, mark_words, plain, seeds_words};
use super::scale::Scale;
use super::svg::{Anchor, Look, Pen};
use super::tables::csv_line;

const PRECISION_RECALL: &str = "f4-precision-recall";
const DETECTION: &str = "f5-detection-time";
/// More points than a screen has pixels only make the file large.
const MOST_POINTS: usize = 300;

struct Curve<'a, P> {
    arm: &'a ArmReport,
    look: Look,
    points: Vec<P>,
}

fn curves<'a, P: Copy>(data: &'a ReportData, of: impl Fn(&'a ArmReport) -> Vec<P>) -> Vec<Curve<'a, P>> {
    let all = data.arms.iter().zip(looks(&data.arms));
    all.map(|(arm, look)| Curve { arm, look, points: thinned(of(arm)) })
        .filter(|c| !c.points.is_empty())
        .collect()
}

/// Every k-th point and the last one.
fn thinned<P: Copy>(points: Vec<P>) -> Vec<P> {
    let step = points.len().div_ceil(MOST_POINTS).max(1);
    let last = points.len().saturating_sub(1);
    points
        .into_iter()
        .enumerate()
        .filter(|(i, _)| i.is_multiple_of(step) || *i == last)
        .map(|(_, p)| p)
        .collect()
}

fn key<P>(curves: &[Curve<'_, P>]) -> Vec<(Look, String)> {
    curves.iter().map(|c| (c.look, c.arm.label.clone())).collect()
}

/// F4.
pub(super) fn precision_recall(data: &ReportData) -> Figure {
    let title = "F4. Precision and recall of the risk score";
    let curves = curves(data, |arm| {
        let inside = |p: &&(f64, f64)| p.0.is_finite() && p.1.is_finite();
        let mut points: Vec<(f64, f64)> = arm.pr_curve.iter().filter(inside).copied().collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
        points
    });
    if curves.is_empty() {
        return Figure::placeholder(PRECISION_RECALL, title, "no arm has a precision-recall curve");
    }
    let off = held_back(&data.arms, |arm| curves.iter().any(|c| c.arm.id == arm.id));
    let mut csv = csv_line(["arm", "recall", "precision"].into_iter());
    let mut values = Vec::new();
    for (curve, (recall, precision)) in curves.iter().flat_map(|c| c.points.iter().map(move |p| (c, *p))) {
        let cells = [curve.arm.label.clone(), exact(recall), exact(precision)];
        csv.push_str(&csv_line(cells.iter().map(String::as_str)));
        values.push(json!({"arm": curve.arm.label, "recall": recall, "precision": precision}));
    }
    let vega = spec(
        title,
        &values,
        json!({"mark": {"type": "line", "interpolate": "linear"}, "encoding": {
            "x": {"field": "recall", "type": "quantitative", "scale": {"domain": [0, 1]}},
            "y": {"field": "precision", "type": "quantitative", "scale": {"type": "log"}},
            "order": {"field": "recall"}, "color": {"field": "arm", "type": "nominal"}}}),
    );
    Figure {
        id: PRECISION_RECALL,
        title: title.to_owned(),
        caption: precision_caption(data, &curves),
        seeds: format!("{}, pooled; the curves carry no interval.", seeds_words(data.seeds)),
        key: key(&curves),
        wide: draw_precision(data, &curves, &off, false),
        narrow: draw_precision(data, &curves, &off, true),
        off,
        csv,
        vega,
    }
}

/// The best precision at `recall` or more.
fn precision_at(points: &[(f64, f64)], recall: f64) -> Option<f64> {
    points.iter().filter(|p| p.0 >= recall).map(|p| p.1).max_by(f64::total_cmp)
}

fn precision_caption(data: &ReportData, curves: &[Curve<'_, (f64, f64)>]) -> String {
    let find = |role: ArmRole| curves.iter().find(|c| c.arm.role == role);
    let mut out = String::new();
    let joint = find(ArmRole::Federated).or_else(|| find(ArmRole::Private));
    if let (Some(joint), Some(local)) = (joint, find(ArmRole::Local)) {
        let (mut above, mut shared) = (0, 0);
        for step in 1..20 {
            let recall = f64::from(step) * 0.05;
            if let (Some(a), Some(b)) =
                (precision_at(&joint.points, recall), precision_at(&local.points, recall))
            {
                shared += 1;
                above += usize::from(a > b);
            }
        }
        out = format!(
            "The pooled curve of {} lies above that of {} at {above} of {shared} recall levels. A curve has no interval: \
             what can be claimed stands in F16. ",
            joint.arm.label, local.arm.label
        );
    }
    match data.prevalence.filter(|p| p.is_finite()) {
        Some(prevalence) => out.push_str(&format!(
            "The dotted line is prevalence ({} of accounts): the precision of picking at random.",
            plain(prevalence)
        )),
        None => out.push_str("The prevalence line is missing (no prevalence was given)."),
    }
    out
}

fn draw_precision(
    data: &ReportData,
    curves: &[Curve<'_, (f64, f64)>],
    off: &[String],
    narrow: bool,
) -> Picture {
    let frame = Frame::new(
        narrow,
        if narrow { 290.0 } else { 360.0 },
        if narrow { (40.0, 14.0) } else { (48.0, 24.0) },
    );
    let mut pen = Pen::without(off.to_vec());
    let x = Scale::linear((0.0, 1.0), frame.left, frame.right);
    // Harm is rare, so precision spans decades.
    let least =
        curves.iter().flat_map(|c| &c.points).map(|p| p.1).chain(data.prevalence).filter(|p| *p > 0.0);
    let least = least.fold(0.1, f64::min).max(1e-5);
    let y = Scale::logarithmic((least / 1.5, 1.0), frame.bottom, frame.top);
    frame.x_axis(
        &mut pen,
        &x,
        &x.ticks(frame.x_target()),
        "recall (among accounts with a simulated harmful pattern)",
    );
    frame.y_axis(&mut pen, &y, "precision (logarithmic)");
    // Every curve ends at the prevalence, so a name at its end would tell none from another: the key names them. A precision of 0 has no
    // place on a logarithmic axis.
    for curve in curves {
        let drawn = curve.points.iter().filter(|p| p.1 > 0.0);
        let points: Vec<(f64, f64)> = drawn.map(|p| (x.at(p.0), y.at(p.1).min(frame.bottom))).collect();
        pen.open_series(curve.look, &curve.arm.label);
        pen.path(&points, "curve");
        pen.close();
    }
    if let Some(prevalence) = data.prevalence.filter(|p| (0.0..=1.0).contains(p)) {
        let at = y.at(prevalence);
        pen.line((frame.left, at), (frame.right, at), "zero");
        pen.text(
            (frame.left + 6.0, at - 5.0),
            Anchor::Start,
            "note",
            &format!("prevalence {}", plain(prevalence)),
        );
    }
    frame.picture(pen)
}

/// F5.
pub(super) fn detection_time(data: &ReportData) -> Figure {
    let title = "F5. Time until an account is identified for review";
    let curves = curves(data, |arm| {
        let whole = |p: &&StepPoint| [p.days, p.share, p.low, p.high].iter().all(|v| v.is_finite());
        let mut points: Vec<StepPoint> = arm.detection.iter().filter(whole).copied().collect();
        points.sort_by(|a, b| a.days.total_cmp(&b.days));
        points
    });
    if curves.is_empty() {
        return Figure::placeholder(DETECTION, title, "no arm has a detection-time curve");
    }
    let off = held_back(&data.arms, |arm| curves.iter().any(|c| c.arm.id == arm.id));
    let mut csv = csv_line(["arm", "days", "share", "low", "high"].into_iter());
    let mut values = Vec::new();
    for (curve, p) in curves.iter().flat_map(|c| c.points.iter().map(move |p| (c, *p))) {
        let cells = [curve.arm.label.clone(), exact(p.days), exact(p.share), exact(p.low), exact(p.high)];
        csv.push_str(&csv_line(cells.iter().map(String::as_str)));
        values.push(
            json!({"arm": curve.arm.label, "days": p.days, "share": p.share, "low": p.low, "high": p.high}),
        );
    }
    let vega = spec(
        title,
        &values,
        json!({"encoding": {"x": {"field": "days", "type": "quantitative", "title": "days since the first harmful contact"},
            "color": {"field": "arm", "type": "nominal"}},
          "layer": [
            {"mark": {"type": "area", "opacity": 0.2, "interpolate": "step-after"}, "encoding": {
                "y": {"field": "low", "type": "quantitative", "title": "share identified for review"}, "y2": {"field": "high"}}},
            {"mark": {"type": "line", "interpolate": "step-after"}, "encoding": {"y": {"field": "share", "type": "quantitative"}}}]}),
    );
    Figure {
        id: DETECTION,
        title: title.to_owned(),
        caption: detection_caption(&curves, &off),
        seeds: bands_words("Share with 95% band", data.seeds),
        key: key(&curves),
        wide: draw_detection(&curves, &off, false),
        narrow: draw_detection(&curves, &off, true),
        off,
        csv,
        vega,
    }
}

fn detection_caption(curves: &[Curve<'_, StepPoint>], off: &[String]) -> String {
    let last = |c: &Curve<'_, StepPoint>| c.points.last().copied();
    let Some(days) = curves.iter().filter_map(last).map(|p| p.days).max_by(f64::total_cmp) else {
        return String::new();
    };
    let parts: Vec<String> = curves
        .iter()
        .filter(|c| !off.contains(&c.arm.label))
        .filter_map(|c| {
            let p = last(c)?;
            Some(format!("{} {}", c.arm.label, mark_words(Mark { at: p.share, ends: Some((p.low, p.high)) })))
        })
        .collect();
    format!(
        "Share of accounts with a simulated harmful pattern identified for review by day {}: {}. Where bands overlap, \
         this figure claims no difference.",
        plain(days),
        parts.join("; ")
    )
}

fn draw_detection(curves: &[Curve<'_, StepPoint>], off: &[String], narrow: bool) -> Picture {
    let frame = Frame::new(
        narrow,
        if narrow { 290.0 } else { 360.0 },
        if narrow { (40.0, 14.0) } else { (48.0, 190.0) },
    );
    let mut pen = Pen::without(off.to_vec());
    let points = || curves.iter().flat_map(|c| &c.points);
    let days = points().map(|p| p.days).fold(1.0, f64::max);
    let visible = curves.iter().filter(|c| !pen.hides(&c.arm.label)).flat_map(|c| &c.points);
    let share = visible.map(|p| p.high).fold(0.05, f64::max);
    let x = Scale::linear((0.0, days), frame.left, frame.right);
    let y = Scale::linear((0.0, share), frame.bottom, frame.top);
    frame.x_axis(&mut pen, &x, &x.ticks(frame.x_target()), "days since the first harmful contact");
    frame.y_axis(&mut pen, &y, "share identified for review");
    for curve in curves {
        let place = |days: f64, value: f64| (x.at(days), y.at(value));
        let mut band = steps(curve.points.iter().map(|p| place(p.days, p.high)));
        band.extend(steps(curve.points.iter().map(|p| place(p.days, p.low))).into_iter().rev());
        pen.open_series(curve.look, &curve.arm.label);
        pen.area(&band, "band");
        pen.path(&steps(curve.points.iter().map(|p| place(p.days, p.share))), "curve");
        pen.close();
    }
    let ends: Vec<_> = curves
        .iter()
        .filter_map(|c| c.points.last().map(|p| (c.look, c.arm.label.clone(), (x.at(p.days), y.at(p.share)))))
        .collect();
    end_labels(&mut pen, &frame, &ends);
    frame.picture(pen)
}

/// The corners of a step curve: a share holds until the next day that changes it.
fn steps(points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut out: Vec<(f64, f64)> = Vec::new();
    for (x, y) in points {
        if let Some((_, before)) = out.last().copied() {
            out.push((x, before));
        }
        out.push((x, y));
    }
    out
}
