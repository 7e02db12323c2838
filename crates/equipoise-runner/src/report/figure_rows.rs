//! F9, burden by group; F16, the paired differences; F17, the ladder of arms with its named steps.

use serde_json::{Value, json};

use super::data::{Comparison, ReportData, Verdict};
use super::dots::{Dot, Plot, Row, draw};
use super::figure::{Figure, Picture, TEXT, held_back, looks, spec};
use super::numbers::{
    Mark, bands_words, count, difference_words, exact, interval_mark, mark, mark_words, means_words, p_words,
};
use super::svg::{Anchor, Look, Pen, fitted, spread};
use super::tables::csv_line;
use super::words::{
    arm_label, arm_mark, arm_words, axis_name, burden_words, comparison_words, main_arm, metric_label,
    midway, primary_comparisons, verdict_counts, verdict_words,
};

const BURDEN: &str = "f9-burden";
const LADDER: &str = "f17-ladder";
const FOREST: &str = "f16-differences";

/// The values of a dot plot as CSV and as Vega-Lite rows.
fn values(rows: &[Row]) -> (String, Vec<Value>) {
    let mut csv = csv_line(["row", "series", "value", "low", "high", "words"].into_iter());
    let mut values = Vec::new();
    for (row, dot) in rows.iter().flat_map(|row| row.dots.iter().map(move |dot| (row, dot))) {
        let (low, high) = dot.mark.and_then(|m| m.ends).unzip();
        let number = |v: Option<f64>| v.map(exact).unwrap_or_default();
        let at = dot.mark.map(|m| m.at);
        let cells =
            [row.label.clone(), dot.series.clone(), number(at), number(low), number(high), dot.words.clone()];
        csv.push_str(&csv_line(cells.iter().map(String::as_str)));
        values.push(json!({"row": row.label, "series": dot.series, "value": at, "low": low, "high": high, "words": dot.words}));
    }
    (csv, values)
}

fn dot_spec(title: &str, values: &[Value], name: &str) -> Value {
    spec(
        title,
        values,
        json!({"encoding": {
            "y": {"field": "row", "type": "nominal", "sort": null, "title": null}, "yOffset": {"field": "series"},
            "color": {"field": "series", "type": "nominal"}, "tooltip": {"field": "words"}},
          "layer": [
            {"mark": "rule", "encoding": {"x": {"field": "low", "type": "quantitative", "title": name}, "x2": {"field": "high"}}},
            {"mark": {"type": "point", "filled": true}, "encoding": {"x": {"field": "value", "type": "quantitative"}}}]}),
    )
}

/// F9.
pub(super) fn burden(data: &ReportData) -> Figure {
    let title = "F9. Burden on accounts without a harmful pattern, by group";
    let name = "restrictions for each 10,000 account days";
    let off = held_back(&data.arms, |arm| !arm.burden.is_empty());
    let all = data.arms.iter().zip(looks(&data.arms)).filter(|(arm, _)| !arm.burden.is_empty());
    let arms: Vec<_> = all.filter(|(arm, _)| !off.contains(&arm.label)).collect();
    let mut groups: Vec<&str> = Vec::new();
    for row in arms.iter().flat_map(|(arm, _)| &arm.burden) {
        if !groups.contains(&row.group.as_str()) {
            groups.push(&row.group);
        }
    }
    if groups.is_empty() {
        return Figure::placeholder(BURDEN, title, "no arm reports the burden of a group");
    }
    let rows: Vec<Row> = groups
        .iter()
        .map(|group| {
            let found = arms.iter().filter_map(|(arm, look)| {
                let row = arm.burden.iter().find(|row| row.group == *group)?;
                let mark = row.restricted_per_10k_days.and_then(interval_mark);
                let value = mark.map_or_else(|| "not assessable".to_owned(), mark_words);
                let words = format!("{group}, {}: {value}", arm.label);
                Some((
                    row.accounts,
                    Dot { look: *look, series: arm.label.clone(), mark, words, missing: value },
                ))
            });
            let (accounts, dots): (Vec<u64>, Vec<Dot>) = found.unzip();
            let most = accounts.iter().max().copied().unwrap_or(0);
            Row { label: (*group).to_owned(), under: format!("{} accounts", count(most)), dots }
        })
        .collect();
    let plot = Plot { name, zero_line: false, left: 180.0, right: 20.0 };
    let (csv, values) = values(&rows);
    let take = main_arm(data).and_then(burden_words);
    Figure {
        id: BURDEN,
        title: title.to_owned(),
        caption: take.unwrap_or_else(|| {
            "Burden is not assessable for the main arm (no group has an interval).".to_owned()
        }),
        seeds: format!(
            "{}{}",
            bands_words("Mean with 95% interval", data.seeds),
            if off.is_empty() {
                String::new()
            } else {
                format!(" {} more arms are in the table.", off.len())
            }
        ),
        key: arms
            .iter()
            .filter(|(arm, _)| {
                rows.iter().any(|row| row.dots.iter().any(|d| d.series == arm.label && d.mark.is_some()))
            })
            .map(|(arm, look)| (*look, arm.label.clone()))
            .collect(),
        off: Vec::new(),
        wide: picture(&rows, &plot, false),
        narrow: picture(&rows, &plot, true),
        vega: dot_spec(title, &values, name),
        csv,
    }
}

fn picture(rows: &[Row], plot: &Plot<'_>, narrow: bool) -> Picture {
    let (frame, pen, _) = draw(rows, plot, narrow);
    frame.picture(pen)
}

/// F17.
pub(super) fn ladder(data: &ReportData) -> Figure {
    let title = format!("F17. The ladder: {} by arm", midway(&metric_label(data, &data.primary)));
    if data.arms.is_empty() {
        return Figure::placeholder(LADDER, &title, "no arm has results");
    }
    let rows: Vec<Row> = data
        .arms
        .iter()
        .zip(looks(&data.arms))
        .map(|(arm, look)| {
            let value = arm_words(arm, &data.primary);
            let words = format!("{}: {value}", arm.label);
            let (under, missing) = beside_or_instead(value);
            let mark = arm_mark(arm, &data.primary);
            Row {
                label: arm.label.clone(),
                under,
                dots: vec![Dot { look, series: arm.label.clone(), mark, words, missing }],
            }
        })
        .collect();
    let shares: Vec<&Comparison> = primary_comparisons(data).filter(|c| c.share.is_some()).collect();
    let name = axis_name(data, &data.primary);
    let draw_it = |narrow: bool| {
        let right = if shares.is_empty() { 20.0 } else { 250.0 };
        let plot = Plot { name: &name, zero_line: false, left: 210.0, right };
        let (frame, mut pen, middles) = draw(&rows, &plot, narrow);
        if !narrow {
            brackets(&mut pen, data, &shares, &middles, (frame.right, frame.width, frame.top, frame.bottom));
        }
        frame.picture(pen)
    };
    let steps: Vec<String> = shares.iter().map(|c| comparison_words(data, c)).collect();
    let caption = if steps.is_empty() {
        "No step of the ladder was named as a share.".to_owned()
    } else {
        format!("{}.", capital(&steps.join("; ")))
    };
    let (csv, values) = values(&rows);
    Figure {
        id: LADDER,
        caption,
        seeds: means_words(data.seeds),
        key: Vec::new(),
        off: Vec::new(),
        wide: draw_it(false),
        narrow: draw_it(true),
        vega: dot_spec(&title, &values, &name),
        csv,
        title,
    }
}

/// Joins the two arms of each named step and says what the step is worth.
#[allow(clippy::cast_precision_loss, reason = "a handful of steps")]
fn brackets(
    pen: &mut Pen,
    data: &ReportData,
    shares: &[&Comparison],
    middles: &[f64],
    edges: (f64, f64, f64, f64),
) {
    let (right, width, top, bottom) = edges;
    let row = |id: &str| data.arms.iter().position(|arm| arm.id == id).and_then(|i| middles.get(i).copied());
    let found: Vec<(&Comparison, f64, f64)> =
        shares.iter().filter_map(|c| Some((*c, row(&c.a)?, row(&c.b)?))).collect();
    let wanted: Vec<f64> = found.iter().map(|(_, a, b)| f64::midpoint(*a, *b) - 8.0).collect();
    let placed = spread(&wanted, 50.0, top + 4.0, (bottom - 34.0).max(top + 4.0));
    let columns = columns(&found.iter().map(|(_, a, b)| (a.min(*b), a.max(*b))).collect::<Vec<_>>());
    let text_x = right + 18.0 + 9.0 * columns.iter().max().map_or(0.0, |most| *most as f64 + 1.0);
    for (((c, a, b), y), column) in found.iter().zip(placed).zip(columns) {
        let x = right + 12.0 + 9.0 * column as f64;
        pen.path(&[(x - 5.0, *a), (x, *a), (x, *b), (x - 5.0, *b)], "bracket");
        pen.line((x, f64::midpoint(*a, *b)), (text_x - 3.0, y + 8.0), "leader");
        let room = width - text_x - 2.0;
        let name = capital(c.share.as_deref().unwrap_or(""));
        let value = difference_words(&c.difference);
        for (line, (class, text)) in
            [("strong", name.as_str()), ("label", &value), ("muted", verdict_words(c))]
                .into_iter()
                .enumerate()
        {
            pen.text(
                (text_x, y + 4.0 + 15.0 * line as f64),
                Anchor::Start,
                class,
                &fitted(text, room / 1.1, TEXT),
            );
        }
    }
}

/// A column for each bracket, the leftmost that no earlier bracket at its height has.
fn columns(spans: &[(f64, f64)]) -> Vec<usize> {
    let mut placed: Vec<usize> = Vec::new();
    for (at, span) in spans.iter().enumerate() {
        let taken: Vec<usize> = (0..at)
            .filter(|other| spans[*other].0 <= span.1 && span.0 <= spans[*other].1)
            .map(|other| placed[other])
            .collect();
        placed.push((0..=at).find(|column| !taken.contains(column)).unwrap_or(at));
    }
    placed
}

/// Words go beside a dot that is drawn, and in the place of one that is not.
fn beside_or_instead(words: String) -> (String, String) {
    if words.starts_with("not assessable") { (String::new(), words) } else { (words, String::new()) }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// F16.
pub(super) fn forest(data: &ReportData) -> Figure {
    let label = metric_label(data, &data.primary);
    let title = format!("F16. Paired differences in {}", midway(&label));
    let rows: Vec<Row> = primary_comparisons(data)
        .map(|c| {
            let pair = format!("{} − {}", arm_label(data, &c.a), arm_label(data, &c.b));
            let look = Look { colour: verdict_colour(c), shape: verdict_shape(c) };
            let value = difference_words(&c.difference);
            let verdict = verdict_words(c);
            let mark: Option<Mark> = mark(&c.difference);
            let words = match mark {
                Some(_) => format!("{pair}: {value}, {verdict}{}", holm_words(c)),
                None => format!("{pair}: {value}"),
            };
            // The marker and the key give the verdict.
            let (under, missing) = beside_or_instead(format!("{value}{}", holm_words(c)));
            Row {
                label: pair,
                under,
                dots: vec![Dot { look, series: verdict.to_owned(), mark, words, missing }],
            }
        })
        .collect();
    if rows.is_empty() {
        return Figure::placeholder(FOREST, &title, "no comparison on the pre-registered metric");
    }
    let name = format!("difference in {}", midway(&axis_name(data, &data.primary)));
    let plot = Plot { name: &name, zero_line: true, left: 330.0, right: 20.0 };
    let (csv, values) = values(&rows);
    let mut key: Vec<(Look, String)> = Vec::new();
    for dot in rows.iter().flat_map(|row| &row.dots).filter(|dot| dot.mark.is_some()) {
        if key.iter().all(|(_, name)| *name != dot.series) {
            key.push((dot.look, dot.series.clone()));
        }
    }
    Figure {
        id: FOREST,
        caption: format!(
            "{}. Differences are taken seed by seed; an interval that contains 0 (the dashed line) shows no difference at 95%; that is not a proof of equality. Holm's p-value is adjusted for the number of comparisons: {}.",
            capital(&verdict_counts(data)),
            below_five_percent(data)
        ),
        seeds: means_words(data.seeds),
        key,
        off: Vec::new(),
        wide: picture(&rows, &plot, false),
        narrow: picture(&rows, &plot, true),
        vega: dot_spec(&title, &values, &name),
        csv,
        title,
    }
}

/// `, Holm p = 0.031`.
fn holm_words(c: &Comparison) -> String {
    c.p_holm.map_or_else(String::new, |p| format!(", Holm p {}", p_words(p)))
}

/// How many differences stand when all are asked at once.
fn below_five_percent(data: &ReportData) -> String {
    let tested: Vec<f64> = primary_comparisons(data).filter_map(|c| c.p_holm).collect();
    let found = tested.iter().filter(|p| **p < 0.05).count();
    format!("{found} of {} tested are below 0.05", tested.len())
}

fn verdict_colour(c: &Comparison) -> usize {
    match (verdict_words(c), c.verdict) {
        ("higher at 95%", Verdict::Higher) => 0,
        ("lower at 95%", Verdict::Lower) => 1,
        _ => 7,
    }
}

fn verdict_shape(c: &Comparison) -> usize {
    match verdict_colour(c) {
        0 => 2,
        1 => 4,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn brackets_that_do_not_meet_share_a_column() {
        assert_eq!(super::columns(&[(0.0, 9.0), (1.0, 2.0), (3.0, 4.0), (3.5, 8.0)]), [0, 1, 1, 2]);
    }
}
