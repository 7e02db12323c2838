//! One table, three files: CSV, Markdown and LaTeX (booktabs) are written from the same cells and so cannot disagree.

use super::html::inline;
use maud::{Markup, html};

/// What stands in a cell that has nothing to say.
pub(super) const NOTHING: &str = "–";

/// A column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Column {
    /// Its header.
    pub(super) head: String,
    /// Whether its cells are set to the right.
    pub(super) numeric: bool,
}

/// A table of finished words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Table {
    /// File stem and anchor.
    pub(super) id: String,
    /// The caption.
    pub(super) title: String,
    /// The columns; the first one heads its row.
    pub(super) columns: Vec<Column>,
    /// The rows, each as long as `columns`.
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table. A header that starts with `#` marks a column of numbers.
    pub(super) fn new(id: &str, title: impl Into<String>, heads: &[&str]) -> Self {
        let column = |head: &&str| Column {
            head: head.strip_prefix('#').unwrap_or(head).to_owned(),
            numeric: head.starts_with('#'),
        };
        Self {
            id: id.to_owned(),
            title: title.into(),
            columns: heads.iter().map(column).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; short rows are filled up, so that every format has the same shape.
    pub(super) fn push(&mut self, mut cells: Vec<String>) {
        cells.resize(self.columns.len(), String::new());
        self.rows.push(cells);
    }

    /// Without the columns in which no row has anything to say.
    #[must_use]
    pub(super) fn without_empty(mut self) -> Self {
        let says = |at: usize| self.rows.is_empty() || self.rows.iter().any(|row| row[at] != NOTHING);
        let kept: Vec<bool> = (0..self.columns.len()).map(says).collect();
        let keep = |at: &mut usize| {
            *at += 1;
            kept[*at - 1]
        };
        let mut at = 0;
        self.columns.retain(|_| keep(&mut at));
        for row in &mut self.rows {
            let mut at = 0;
            row.retain(|_| keep(&mut at));
        }
        self
    }

    fn heads(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|c| c.head.as_str())
    }

    /// Comma-separated values after RFC 4180.
    pub(super) fn csv(&self) -> String {
        let mut out = csv_line(self.heads());
        for row in &self.rows {
            out.push_str(&csv_line(row.iter().map(String::as_str)));
        }
        out
    }

    /// A Markdown table.
    pub(super) fn markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let mut out = line(self.heads().map(markdown_cell).collect());
        let rule = self.columns.iter().map(|c| if c.numeric { "---:" } else { "---" }.to_owned());
        out.push_str(&line(rule.collect()));
        for row in &self.rows {
            out.push_str(&line(row.iter().map(|cell| markdown_cell(cell)).collect()));
        }
        out
    }

    /// A LaTeX table for the `booktabs` package.
    pub(super) fn tex(&self) -> String {
        let line = |cells: Vec<String>| format!("{} \\\\\n", cells.join(" & "));
        let align: String = self.columns.iter().map(|c| if c.numeric { 'r' } else { 'l' }).collect();
        let mut out = format!(
            "% needs \\usepackage{{booktabs}}\n\\begin{{table}}\n\\caption{{{}}}\n\\begin{{tabular}}{{{align}}}\n\\toprule\n",
            tex_cell(&self.title)
        );
        out.push_str(&line(self.heads().map(tex_cell).collect()));
        out.push_str("\\midrule\n");
        for row in &self.rows {
            out.push_str(&line(row.iter().map(|cell| tex_cell(cell)).collect()));
        }
        out.push_str("\\bottomrule\n\\end{tabular}\n\\end{table}\n");
        out
    }

    /// The table for the page; it scrolls inside its own box on small screens.
    pub(super) fn markup(&self) -> Markup {
        let class = |i: usize| self.columns.get(i).filter(|c| c.numeric).map(|_| "n");
        // A reason may break into lines; a number and its interval may not.
        let cell_class = |i: usize, cell: &str| class(i).map(|n| if cell.len() > 32 { "n w" } else { n });
        html! {
            div.scroll tabindex="0" role="region" aria-label=(self.title) {
                table id={ "table-" (self.id) } {
                    caption { span { (self.title) } }
                    thead { tr { @for (i, column) in self.columns.iter().enumerate() {
                        th scope="col" class=[class(i)] { (column.head) }
                    } } }
                    tbody { @for row in &self.rows { tr { @for (i, cell) in row.iter().enumerate() {
                        @if i == 0 { th scope="row" { (inline(cell)) } } @else { td class=[cell_class(i, cell)] { (inline(cell)) } }
                    } } } }
                }
            }
        }
    }

    /// The three files.
    pub(super) fn files(&self) -> [(String, String); 3] {
        [
            (format!("{}.csv", self.id), self.csv()),
            (format!("{}.md", self.id), self.markdown()),
            (format!("{}.tex", self.id), self.tex()),
        ]
    }
}

/// One CSV line with its line end.
pub(super) fn csv_line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = cells
        .map(|cell| {
            if cell.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", cell.replace('"', "\"\""))
            } else {
                cell.to_owned()
            }
        })
        .collect();
    let mut line = quoted.join(",");
    line.push('\n');
    line
}

/// Text that cannot leave its cell or become HTML.
pub(super) fn markdown_cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '`' | '*' => out.extend(['\\', c]),
            // An interval keeps its brackets; only a bracket that would open a link target is spelled out.
            '(' if out.ends_with(']') => out.push_str("\\("),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\n' | '\r' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

/// Text that LaTeX reads as letters.
fn tex_cell(text: &str) -> String {
    // After a line end, LaTeX would read a bracket as the height of a gap.
    let mut out = if text.starts_with('[') { "{}".to_owned() } else { String::with_capacity(text.len()) };
    for c in text.chars() {
        match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => out.extend(['\\', c]),
            '~' => out.push_str("\\textasciitilde{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '\\' => out.push_str("\\textbackslash{}"),
            '–' => out.push_str("--"),
            'ε' => out.push_str("$\\varepsilon$"),
            'δ' => out.push_str("$\\delta$"),
            '−' => out.push_str("$-$"),
            '\n' | '\r' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new("t", "A, B & C", &["Arm", "#Value"]);
        table.push(vec!["a|b_\"c\"".to_owned(), "0.4 [0.3, 0.5]".to_owned()]);
        table.push(vec!["<script>".to_owned()]);
        table
    }

    #[test]
    fn a_column_goes_if_no_row_says_anything_in_it() {
        let mut table = Table::new("t", "A", &["one", "two", "three"]);
        for two in [NOTHING, NOTHING] {
            table.push(vec!["a".to_owned(), two.to_owned(), String::new()]);
        }
        table.rows[1][2] = NOTHING.to_owned();
        assert_eq!(table.clone().without_empty().csv(), "one,three\na,\na,–\n");
        table.rows[0][1] = "b".to_owned();
        assert_eq!(table.clone().without_empty(), table);
    }

    #[test]
    fn the_three_formats_have_the_same_rows() {
        let table = table();
        assert_eq!(table.csv(), "Arm,Value\n\"a|b_\"\"c\"\"\",\"0.4 [0.3, 0.5]\"\n<script>,\n");
        assert_eq!(table.markdown().lines().count(), 4);
        assert!(table.markdown().contains("| a\\|b_\"c\" | 0.4 [0.3, 0.5] |"));
        assert!(table.tex().contains("a|b\\_\"c\" & 0.4 [0.3, 0.5] \\\\"));
        assert_eq!(table.tex().lines().filter(|l| l.ends_with("\\\\")).count(), 3);
    }

    #[test]
    fn a_cell_cannot_become_markup() {
        assert!(table().markdown().contains("&lt;script&gt;"));
        assert!(table().markup().into_string().contains("&lt;script&gt;"));
    }
}
