//! A small pen for SVG. Everything is drawn with classes, never colours, so that one picture serves light, dark and print;
//! series are groups and marks carry their value in words, so that a page can toggle and read them.

/// Markers, so that no series is told apart by colour alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Look {
    /// The class that sets the colour, `c0` to `c7`.
    pub(super) colour: usize,
    /// The shape, 0 to 5.
    pub(super) shape: usize,
}

impl Look {
    /// The classes of a group in this look.
    pub(super) fn class(self) -> String {
        format!("series c{} d{}", self.colour % 8, self.shape % 4)
    }
}

/// Collects SVG elements.
#[derive(Debug, Default)]
pub(super) struct Pen {
    out: String,
    off: Vec<String>,
}

/// Where text is anchored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Anchor {
    /// Its left end.
    Start,
    /// Its middle.
    Middle,
    /// Its right end.
    End,
}

impl Pen {
    /// A pen whose series of these names are drawn and not shown until the key asks for them.
    pub(super) fn without(off: Vec<String>) -> Self {
        Self { off, ..Self::default() }
    }

    /// The finished elements.
    pub(super) fn finish(self) -> String {
        self.out
    }

    /// A group for one series; `name` is what the toggle switches.
    pub(super) fn open_series(&mut self, look: Look, name: &str) {
        let off = if self.hides(name) { " off" } else { "" };
        self.out.push_str(&format!("<g class=\"{}{off}\" data-s=\"{}\">", look.class(), escape(name)));
    }

    /// Whether a series is not shown at first.
    pub(super) fn hides(&self, name: &str) -> bool {
        self.off.iter().any(|other| other == name)
    }

    /// Ends the group.
    pub(super) fn close(&mut self) {
        self.out.push_str("</g>\n");
    }

    /// A line.
    pub(super) fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), class: &str) {
        self.out.push_str(&format!(
            "<line class=\"{class}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>\n",
            px(x1),
            px(y1),
            px(x2),
            px(y2)
        ));
    }

    /// A polyline.
    pub(super) fn path(&mut self, points: &[(f64, f64)], class: &str) {
        if points.len() > 1 {
            self.out.push_str(&format!("<path class=\"{class}\" d=\"{}\"/>\n", data(points)));
        }
    }

    /// A closed shape.
    pub(super) fn area(&mut self, points: &[(f64, f64)], class: &str) {
        if points.len() > 2 {
            self.out.push_str(&format!("<path class=\"{class}\" d=\"{}Z\"/>\n", data(points)));
        }
    }

    /// A rectangle with words for pointer and screen reader.
    pub(super) fn bar(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), words: &str) {
        self.out.push_str(&format!(
            "<rect class=\"bar\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" {}</rect>\n",
            px(x),
            px(y),
            px(width.max(1.0)),
            px(height),
            spoken(words)
        ));
    }

    /// Text in the colour of the page.
    pub(super) fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.out.push_str(&format!(
            "<text class=\"{class}\" x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>\n",
            px(x),
            px(y),
            escape(text)
        ));
    }

    /// A marker; `hollow` where no interval stands behind it.
    pub(super) fn marker(&mut self, (x, y): (f64, f64), look: Look, hollow: bool, words: &str) {
        let r = 4.5;
        let class = if hollow { "pt hollow" } else { "pt" };
        let shape = match look.shape % 6 {
            0 => format!("<circle class=\"{class}\" cx=\"{}\" cy=\"{}\" r=\"{r}\" ", px(x), px(y)),
            1 => polygon(class, &[(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)]),
            2 => polygon(class, &[(x, y - 5.5), (x + 5.2, y + 4.0), (x - 5.2, y + 4.0)]),
            3 => polygon(class, &[(x, y - 6.0), (x + 6.0, y), (x, y + 6.0), (x - 6.0, y)]),
            4 => polygon(class, &[(x, y + 5.5), (x + 5.2, y - 4.0), (x - 5.2, y - 4.0)]),
            _ => polygon(
                class,
                &[
                    (x - 5.5, y),
                    (x - 2.7, y - 4.8),
                    (x + 2.7, y - 4.8),
                    (x + 5.5, y),
                    (x + 2.7, y + 4.8),
                    (x - 2.7, y + 4.8),
                ],
            ),
        };
        let end = if look.shape.is_multiple_of(6) { "</circle>" } else { "</polygon>" };
        self.out.push_str(&format!("{shape}{}{end}\n", spoken(words)));
    }

    /// A vertical whisker with its caps.
    pub(super) fn whisker_up(&mut self, x: f64, y1: f64, y2: f64) {
        self.line((x, y1), (x, y2), "whisker");
        self.line((x - 3.0, y1), (x + 3.0, y1), "whisker");
        self.line((x - 3.0, y2), (x + 3.0, y2), "whisker");
    }

    /// A horizontal whisker with its caps.
    pub(super) fn whisker_across(&mut self, y: f64, x1: f64, x2: f64) {
        self.line((x1, y), (x2, y), "whisker");
        self.line((x1, y - 3.0), (x1, y + 3.0), "whisker");
        self.line((x2, y - 3.0), (x2, y + 3.0), "whisker");
    }
}

fn polygon(class: &str, points: &[(f64, f64)]) -> String {
    let list: Vec<String> = points.iter().map(|(x, y)| format!("{},{}", px(*x), px(*y))).collect();
    format!("<polygon class=\"{class}\" points=\"{}\" ", list.join(" "))
}

/// The words of a mark: for the page's own pointer, and as a title where scripts are off.
fn spoken(words: &str) -> String {
    let words = escape(words);
    format!("data-v=\"{words}\"><title>{words}</title>")
}

fn data(points: &[(f64, f64)]) -> String {
    let steps: Vec<String> = points.iter().map(|(x, y)| format!("{} {}", px(*x), px(*y))).collect();
    format!("M{}", steps.join("L"))
}

/// A position to a tenth of a pixel; a position that is no number becomes 0 rather than broken SVG.
pub(super) fn px(value: f64) -> String {
    if !value.is_finite() {
        return "0".to_owned();
    }
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Text that cannot become markup, in elements and in quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() && c != '\n' && c != '\t' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

/// The width of a text in pixels, roughly: good enough to keep labels apart.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    text.chars().map(|c| if "il.,:;'|![]() ".contains(c) { 0.36 } else { 0.61 }).sum::<f64>() * size
}

/// `text` cut to `width` pixels, with an ellipsis where something was cut.
pub(super) fn fitted(text: &str, width: f64, size: f64) -> String {
    if text_width(text, size) <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    for c in text.chars() {
        out.push(c);
        if text_width(&out, size) > width - size {
            out.pop();
            break;
        }
    }
    format!("{}…", out.trim_end_matches([' ', ',']))
}

/// Moves `wanted` heights apart by at least `gap`, in order, inside `top..bottom`.
pub(super) fn spread(wanted: &[f64], gap: f64, top: f64, bottom: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]).then(a.cmp(b)));
    let mut placed: Vec<f64> = order.iter().map(|i| wanted[*i].clamp(top, bottom)).collect();
    for i in 1..placed.len() {
        placed[i] = placed[i].max(placed[i - 1] + gap);
    }
    let mut ceiling = bottom;
    for y in placed.iter_mut().rev() {
        *y = y.min(ceiling);
        ceiling = *y - gap;
    }
    let mut out = vec![0.0; wanted.len()];
    for (rank, i) in order.into_iter().enumerate() {
        out[i] = placed[rank];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_moved_apart_and_stay_inside() {
        let placed = spread(&[10.0, 11.0, 99.0, 98.0], 12.0, 0.0, 100.0);
        assert_eq!(placed, [10.0, 22.0, 100.0, 88.0]);
    }

    #[test]
    fn a_text_that_is_too_long_is_cut_to_its_room() {
        assert_eq!(fitted("short", 100.0, 12.0), "short");
        let cut = fitted("a name that is much too long, for its place", 100.0, 12.0);
        assert!(cut.ends_with('…') && text_width(&cut, 12.0) <= 100.0, "{cut}");
    }

    #[test]
    fn a_position_that_is_no_number_does_not_reach_the_picture() {
        assert_eq!(
            (px(f64::NAN), px(-0.01), px(3.0), px(3.25)),
            ("0".into(), "0".into(), "3".into(), "3.2".into())
        );
    }

    #[test]
    fn markup_in_text_is_spelled_out() {
        assert_eq!(escape("<a href='x'>&\u{7}"), "&lt;a href=&#39;x&#39;&gt;&amp; ");
    }
}
