//! F14, what an upload costs by how many take part, and F15, what is identified by how many of them send tampered updates: each only where
//! an experiment varies that number.

use serde_json::{Value, json};

use super::data::ReportData;
use super::figure::{Figure, spec};
use super::lines::{Axes, Line, Spot, draw};
use super::numbers::{Mark, count, exact, mark_words, means_words, plain};
use super::svg::Look;
use super::tables::csv_line;
use super::words::{arm_mark, axis_name, metric_label, midway};

const CLIENTS: &str = "f14-clients";
const HOSTILE: &str = "f15-hostile";

/// Points by series, in the order in which series appear.
struct Points(Vec<(String, Vec<Spot>)>);

impl Points {
    fn push(&mut self, series: &str, spot: Spot) {
        match self.0.iter_mut().find(|(name, _)| name == series) {
            // Arms that differ in nothing that is drawn share a point.
            Some((_, spots)) => {
                if spots.iter().all(|other| (other.x, other.mark) != (spot.x, spot.mark)) {
                    spots.push(spot);
                }
            }
            None => self.0.push((series.to_owned(), vec![spot])),
        }
    }

    /// Whether any series has points at two places.
    fn varies(&self) -> bool {
        self.0.iter().any(|(_, spots)| spots.iter().any(|spot| (spot.x - spots[0].x).abs() > 0.0))
    }

    fn lines(&self) -> Vec<Line> {
        let line = |(at, (name, spots)): (usize, &(String, Vec<Spot>))| {
            let mut points = spots.clone();
            points.sort_by(|a, b| a.x.total_cmp(&b.x));
            Line { look: Look { colour: at, shape: at }, name: name.clone(), points }
        };
        self.0.iter().enumerate().map(line).collect()
    }

    /// As CSV and as Vega-Lite rows.
    fn values(&self, heads: [&str; 5]) -> (String, Vec<Value>) {
        let (mut csv, mut values) = (csv_line(heads.into_iter()), Vec::new());
        for (name, spot) in self.0.iter().flat_map(|(name, spots)| spots.iter().map(move |s| (name, s))) {
            let (low, high) = spot.mark.ends.unzip();
            let ends = [low, high].map(|v| v.map(exact).unwrap_or_default());
            let cells = [name, &exact(spot.x), &exact(spot.mark.at), &ends[0], &ends[1]];
            csv.push_str(&csv_line(cells.into_iter().map(String::as_str)));
            values.push(json!({"series": name, "x": spot.x, "y": spot.mark.at, "low": low, "high": high}));
        }
        (csv, values)
    }

    fn ticks(&self, words: impl Fn(f64) -> String) -> Vec<(f64, String)> {
        let mut at: Vec<f64> = self.0.iter().flat_map(|(_, spots)| spots.iter().map(|s| s.x)).collect();
        at.sort_by(f64::total_cmp);
        at.dedup();
        at.into_iter().map(|x| (x, words(x))).collect()
    }
}

fn vega(title: &str, values: &[Value], axes: &Axes<'_>) -> Value {
    let scale = json!({"type": if axes.logarithmic { "log" } else { "linear" }});
    spec(
        title,
        values,
        json!({"encoding": {
            "x": {"field": "x", "type": "quantitative", "scale": scale, "title": axes.x},
            "color": {"field": "series", "type": "nominal"}},
          "layer": [
            {"mark": {"type": "line", "point": true}, "encoding": {"y": {"field": "y", "type": "quantitative", "scale": scale, "title": axes.y}}},
            {"mark": "rule", "encoding": {"y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}}}]}),
    )
}

/// F14; nothing where the number of clients does not vary.
#[allow(clippy::cast_precision_loss, reason = "a count of clients")]
pub(super) fn clients(data: &ReportData) -> Option<Figure> {
    let title = "F14. Upload of one client by how many take part";
    let mut points = Points(Vec::new());
    for row in &data.costs {
        let arm = data.arms.iter().find(|arm| arm.id == row.arm);
        let (Some(clients), true) =
            (arm.and_then(|arm| arm.clients), row.upload_bytes_per_platform_round > 0.0)
        else {
            continue;
        };
        let series = format!("{}, {} parameters", row.scheme, count(row.parameters));
        let bytes = row.upload_bytes_per_platform_round;
        let words = format!("{series}, {} clients: {} bytes", count(clients), plain(bytes));
        points.push(&series, Spot { x: clients as f64, mark: Mark { at: bytes, ends: None }, words });
    }
    if !points.varies() {
        return None;
    }
    let axes = Axes {
        x: "clients in a round (logarithmic)",
        y: "bytes a client uploads in a round (logarithmic)",
        logarithmic: true,
        ticks: Some(points.ticks(plain)),
        side_by_side: false,
        diagonal: false,
    };
    let lines = points.lines();
    let growth = |line: &Line| {
        let (first, last) = (line.points.first()?, line.points.last()?);
        (last.x > first.x).then(|| {
            format!(
                "{} {} times from {} to {}",
                line.name,
                plain(last.mark.at / first.mark.at),
                plain(first.x),
                plain(last.x)
            )
        })
    };
    let (csv, values) = points.values(["series", "clients", "bytes", "low", "high"]);
    Some(Figure {
        id: CLIENTS,
        title: title.to_owned(),
        caption: format!(
            "Growth of one client's upload: {}. Counted from message formats, so without an interval.",
            lines.iter().filter_map(growth).collect::<Vec<_>>().join("; ")
        ),
        seeds: "Counted, the same for every seed.".to_owned(),
        key: lines.iter().map(|line| (line.look, line.name.clone())).collect(),
        off: Vec::new(),
        wide: draw(&lines, &axes, false),
        narrow: draw(&lines, &axes, true),
        csv,
        vega: vega(title, &values, &axes),
    })
}

/// F15; nothing where no share of hostile clients varies.
pub(super) fn hostile(data: &ReportData) -> Option<Figure> {
    let title = format!("F15. {} by the share of hostile clients", metric_label(data, &data.primary));
    let mut points = Points(Vec::new());
    for arm in &data.arms {
        let (Some(share), Some(name), Some(mark)) =
            (arm.hostile, &arm.aggregation, arm_mark(arm, &data.primary))
        else {
            continue;
        };
        let words = format!("{}: {}", arm.label, mark_words(mark));
        points.push(name, Spot { x: share, mark, words });
    }
    if !points.varies() {
        return None;
    }
    let name = axis_name(data, &data.primary);
    let axes = Axes {
        x: "share of clients that send tampered updates",
        y: &name,
        logarithmic: false,
        ticks: Some(points.ticks(|x| format!("{:.0} %", 100.0 * x))),
        side_by_side: true,
        diagonal: false,
    };
    let lines = points.lines();
    let worst: Vec<String> = lines
        .iter()
        .filter_map(|line| line.points.last().map(|s| format!("{} {}", line.name, mark_words(s.mark))))
        .collect();
    let most = points.ticks(|x| format!("{:.0} %", 100.0 * x)).pop().map(|tick| tick.1).unwrap_or_default();
    let (csv, values) = points.values(["aggregation", "hostile_share", "value", "low", "high"]);
    Some(Figure {
        id: HOSTILE,
        caption: format!(
            "With {most} hostile clients, {}: {}. Where whiskers overlap, this figure claims no difference; paired differences stand in F16.",
            midway(&metric_label(data, &data.primary)),
            worst.join("; ")
        ),
        seeds: means_words(data.seeds),
        key: lines.iter().map(|line| (line.look, line.name.clone())).collect(),
        off: Vec::new(),
        wide: draw(&lines, &axes, false),
        narrow: draw(&lines, &axes, true),
        csv,
        vega: vega(&title, &values, &axes),
        title,
    })
}
