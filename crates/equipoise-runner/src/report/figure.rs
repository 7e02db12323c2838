//! A figure: one set of values, drawn for wide and for narrow screens, with its words, its CSV and its Vega-Lite spec.

use maud::{Markup, PreEscaped, html};
use serde_json::{Value, json};

use super::data::{ArmReport, ArmRole};
use super::scale::Scale;
use super::svg::{Anchor, Look, Pen, escape, px, text_width};
use super::theme;

/// Width of a picture for wide screens and paper.
const WIDE: f64 = 720.0;
/// Width of a picture for phones.
const NARROW: f64 = 330.0;
/// The size of text in a picture.
pub(super) const TEXT: f64 = 12.0;

/// A drawn picture without its frame.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Picture {
    width: f64,
    height: f64,
    body: String,
}

/// A figure with everything that a page shows of it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Figure {
    /// File stem and anchor.
    pub(super) id: &'static str,
    /// The title.
    pub(super) title: String,
    /// What it shows, computed from the data.
    pub(super) caption: String,
    /// How many seeds stand behind it.
    pub(super) seeds: String,
    /// Each series with its look.
    pub(super) key: Vec<(Look, String)>,
    /// Those of them that are shown only when somebody asks: a picture of twenty curves shows none.
    pub(super) off: Vec<String>,
    /// For wide screens and paper.
    pub(super) wide: Picture,
    /// For phones.
    pub(super) narrow: Picture,
    /// The drawn values.
    pub(super) csv: String,
    /// A Vega-Lite spec with the same values.
    pub(super) vega: Value,
}

impl Figure {
    /// A figure that says why nothing is drawn.
    pub(super) fn placeholder(id: &'static str, title: &str, reason: &str) -> Self {
        let draw = |narrow: bool| {
            let mut pen = Pen::default();
            let frame = Frame::new(narrow, 70.0, (0.0, 0.0));
            pen.text((frame.width / 2.0, 40.0), Anchor::Middle, "muted", "not assessable");
            frame.picture(pen)
        };
        Self {
            id,
            title: title.to_owned(),
            caption: format!("Not assessable ({reason})."),
            seeds: String::new(),
            key: Vec::new(),
            off: Vec::new(),
            wide: draw(false),
            narrow: draw(true),
            csv: String::new(),
            vega: spec(title, &[], json!({"mark": "point"})),
        }
    }

    fn svg(&self, narrow: bool, style: &str) -> String {
        let picture = if narrow { &self.narrow } else { &self.wide };
        let size = if narrow { "narrow" } else { "wide" };
        let (id, width, height) = (self.id, px(picture.width), px(picture.height));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot {size}\" role=\"img\" \
             aria-labelledby=\"{id}-{size}-t {id}-{size}-d\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\">{style}<title id=\"{id}-{size}-t\">{}</title><desc id=\"{id}-{size}-d\">{}</desc>\n{}</svg>",
            escape(&self.title),
            escape(&self.caption),
            picture.body
        )
    }

    /// The figure as an SVG file that stands alone.
    pub(super) fn file(&self) -> String {
        self.svg(false, &format!("<style>{}</style>", theme::picture_css()))
    }

    /// The Vega-Lite file.
    pub(super) fn vega_file(&self) -> String {
        serde_json::to_string_pretty(&self.vega).unwrap_or_default()
    }

    /// The figure for the page.
    pub(super) fn markup(&self) -> Markup {
        html! {
            figure id=(self.id) tabindex="0" aria-labelledby={ (self.id) "-title" } {
                p.figtitle id={ (self.id) "-title" } { (self.title) }
                (PreEscaped(self.svg(false, "")))
                (PreEscaped(self.svg(true, "")))
                @if self.key.len() > 1 {
                    ul.key aria-label="Series" { @for (look, name) in &self.key {
                        li.off[self.off.contains(name)] data-s=(name) { (PreEscaped(sample(*look))) span { (name) } }
                    } }
                }
                figcaption {
                    p { (self.caption) }
                    @if !self.off.is_empty() {
                        p.small {
                            (self.off.len()) " more series are in the data" span.scripted { ", and in the picture when their names are pressed" } "."
                        }
                    }
                    @if !self.csv.is_empty() {
                        p.small {
                            (self.seeds) " "
                            a download={ (self.id) ".csv" } href=(data_uri("text/csv", &self.csv)) { "Data (CSV)" } " "
                            a download={ (self.id) ".vl.json" } href=(data_uri("application/json", &self.vega_file())) { "Vega-Lite" }
                        }
                    }
                }
            }
        }
    }
}

/// A short line with its marker, for a key.
fn sample(look: Look) -> String {
    let mut pen = Pen::default();
    pen.line((0.0, 7.0), (26.0, 7.0), "curve");
    pen.marker((13.0, 7.0), look, false, "");
    let body = pen.finish().replace(" data-v=\"\"><title></title>", ">");
    format!(
        "<svg class=\"{}\" aria-hidden=\"true\" viewBox=\"0 0 26 14\" width=\"26\" height=\"14\">{body}</svg>",
        look.class()
    )
}

/// A link that holds its file: the page needs no server.
fn data_uri(kind: &str, text: &str) -> String {
    let mut out = format!("data:{kind};charset=utf-8,");
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A Vega-Lite spec around `body`, with the values inline.
pub(super) fn spec(title: &str, values: &[Value], body: Value) -> Value {
    let mut out = json!({
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "title": title,
        "width": 480,
        "data": {"values": values},
    });
    if let (Some(target), Value::Object(parts)) = (out.as_object_mut(), body) {
        target.extend(parts);
    }
    out
}

/// The inside of a picture: where its axes run.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Frame {
    /// Width of the picture.
    pub(super) width: f64,
    /// Height of the picture.
    pub(super) height: f64,
    /// Left end of the x axis.
    pub(super) left: f64,
    /// Right end of the x axis.
    pub(super) right: f64,
    /// Upper end of the y axis.
    pub(super) top: f64,
    /// Lower end of the y axis.
    pub(super) bottom: f64,
    /// Whether the picture is for phones.
    pub(super) narrow: bool,
}

impl Frame {
    /// A frame with `gutters` left and right of the axes.
    pub(super) fn new(narrow: bool, height: f64, gutters: (f64, f64)) -> Self {
        let width = if narrow { NARROW } else { WIDE };
        let (left, right) = (gutters.0.max(6.0), width - gutters.1.max(14.0));
        // A phone gets a second line for the name of the x axis.
        let (height, below) = if narrow { (height + 14.0, 58.0) } else { (height, 44.0) };
        Self { width, height, left, right, top: 30.0, bottom: height - below, narrow }
    }

    /// How many ticks the x axis has room for.
    pub(super) fn x_target(&self) -> usize {
        if self.right - self.left < 260.0 { 3 } else { 6 }
    }

    /// The x axis with its ticks below and its name under them.
    pub(super) fn x_axis(&self, pen: &mut Pen, scale: &Scale, ticks: &[(f64, String)], name: &str) {
        pen.line((self.left, self.bottom), (self.right, self.bottom), "axis");
        let mut free_from = f64::NEG_INFINITY;
        for (value, label) in ticks {
            let (x, half) = (scale.at(*value), text_width(label, TEXT) / 2.0);
            pen.line((x, self.bottom), (x, self.bottom + 4.0), "axis");
            if x - half > free_from {
                pen.text((x, self.bottom + 17.0), Anchor::Middle, "tick", label);
                free_from = x + half + 6.0;
            }
        }
        for (line, text) in self.lines(name).into_iter().enumerate() {
            let (half, middle) = (text_width(text, TEXT) * 0.55, (self.left + self.right) / 2.0);
            let x = middle.clamp(half.min(self.width / 2.0), (self.width - half).max(self.width / 2.0));
            pen.text((x, self.bottom + if line == 0 { 36.0 } else { 50.0 }), Anchor::Middle, "name", text);
        }
    }

    /// A name on one line, or on two where a phone's picture is too narrow for it.
    pub(super) fn lines<'a>(&self, name: &'a str) -> Vec<&'a str> {
        if !self.narrow || text_width(name, TEXT) * 1.1 < self.width {
            return vec![name];
        }
        let middle = name.len() / 2;
        let spaces = name.match_indices(' ').map(|(at, _)| at);
        match spaces.min_by_key(|at| (at.abs_diff(middle), *at)) {
            Some(at) => vec![&name[..at], &name[at + 1..]],
            None => vec![name],
        }
    }

    /// The y axis with its name above it, set level so that it reads without turning the head.
    pub(super) fn y_axis(&self, pen: &mut Pen, scale: &Scale, name: &str) {
        pen.line((self.left, self.top), (self.left, self.bottom), "axis");
        for (value, label) in scale.ticks(5) {
            let y = scale.at(value);
            pen.line((self.left - 4.0, y), (self.left, y), "axis");
            pen.text((self.left - 7.0, y + 4.0), Anchor::End, "tick", &label);
        }
        pen.text((2.0, 14.0), Anchor::Start, "name", name);
    }

    /// Closes the picture.
    pub(super) fn picture(&self, pen: Pen) -> Picture {
        Picture { width: self.width, height: self.height, body: pen.finish() }
    }
}

/// At most this many arms are shown at first.
const MOST_SHOWN: usize = 6;

/// The labels of arms that a crowded picture does not show at first: it keeps of each role the first, and of the federated arms without
/// a guarantee those that there is room for.
pub(super) fn held_back(arms: &[ArmReport], drawn: impl Fn(&ArmReport) -> bool) -> Vec<String> {
    let arms: Vec<&ArmReport> = arms.iter().filter(|arm| drawn(arm)).collect();
    if arms.len() <= MOST_SHOWN {
        return Vec::new();
    }
    let first = |role: ArmRole| arms.iter().position(|arm| arm.role == role);
    let roles = [ArmRole::Local, ArmRole::Federated, ArmRole::Private, ArmRole::Pooled, ArmRole::Reference];
    let mut kept: Vec<usize> = roles.into_iter().filter_map(first).collect();
    for (at, arm) in arms.iter().enumerate() {
        if kept.len() < MOST_SHOWN && arm.role == ArmRole::Federated && !kept.contains(&at) {
            kept.push(at);
        }
    }
    arms.iter().enumerate().filter(|(at, _)| !kept.contains(at)).map(|(_, arm)| arm.label.clone()).collect()
}

/// The look of every arm: colour by role, shape by place within the role.
pub(super) fn looks(arms: &[ArmReport]) -> Vec<Look> {
    let mut used = [0_usize; 5];
    arms.iter()
        .map(|arm| {
            let (slot, colour) = match arm.role {
                ArmRole::Reference => (2, 7),
                ArmRole::Local => (1, 5),
                ArmRole::Federated => (0, 0),
                ArmRole::Private => (3, 1),
                ArmRole::Pooled => (4, 2),
            };
            let place = used[slot];
            used[slot] += 1;
            Look { colour, shape: slot + place }
        })
        .collect()
}

/// Names at the right end of curves, kept apart, each with a thin line to its curve where it had to move.
pub(super) fn end_labels(pen: &mut Pen, frame: &Frame, ends: &[(Look, String, (f64, f64))]) {
    if frame.narrow {
        return;
    }
    let shown: Vec<_> = ends.iter().filter(|end| !pen.hides(&end.1)).collect();
    let wanted: Vec<f64> = shown.iter().map(|end| end.2.1).collect();
    let placed = super::svg::spread(&wanted, TEXT + 3.0, frame.top, frame.bottom - 2.0);
    for ((look, name, (x, y)), to) in shown.into_iter().zip(placed) {
        pen.open_series(*look, name);
        pen.line((x + 6.0, *y), (frame.right + 14.0, to), "leader");
        let room = frame.width - frame.right - 20.0;
        pen.text(
            (frame.right + 17.0, to + 4.0),
            Anchor::Start,
            "label",
            &super::svg::fitted(name, room, TEXT),
        );
        pen.close();
    }
}
