//! The report of an experiment: one offline page, the same in Markdown, and every figure and table as files.
//! Pure functions from data to strings: nothing here reads a file, a clock or a metric's definition, and the same data
//! give the same bytes. What it does not promise: that the numbers are right; it only refuses to show them bare.
//!
//! Pictures are written by a small pen of our own instead of a plotting library: series are groups that a page can switch,
//! marks carry their value in words, and colours are CSS variables, none of which a raster-minded backend can express.

mod audit;
mod contents;
mod contents_trust;
pub mod data;
mod data_trust;
mod dots;
mod figure;
mod figure_audit;
mod figure_cost;
mod figure_curves;
mod figure_front;
mod figure_frontier;
mod figure_policy;
mod figure_policy_cost;
mod figure_policy_review;
mod figure_policy_time;
mod figure_reliability;
mod figure_rows;
mod figure_scaling;
mod html;
mod lines;
mod markdown;
mod numbers;
mod policy;
#[cfg(test)]
pub(crate) mod sample;
mod scale;
mod sections;
mod svg;
mod tables;
#[cfg(test)]
mod tests;
mod theme;
mod timings;
mod validation;
mod validation_figures;
mod words;

pub(crate) use audit::render_audit;
pub use data::{
    ArmReport, ArmRole, BurdenRow, CalibrationRow, ClosedRow, CoalitionRow, Comparison, CostRow, Estimate,
    ExplanationRow, Fact, FeatureRow, FrontRow, FusionRow, Interval, LedgerRow, MechanismCard, MetricInfo,
    OutcomeRow, PatternRow, ReleasedRow, ReliabilityPoint, ReportData, SeatRow, Section, StepPoint,
    TuningRow, Verdict,
};
pub(crate) use policy::render_policy;
pub use timings::{TimingRow, Timings, render_timings};
pub use validation::{ValidationPage, render_validation};
pub use words::{headline, verdict_words};

use sections::Block;

/// A rendered report: texts only, the caller writes the files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rendered {
    /// The page, `report.html`: styles, script, figures and their data inside.
    pub html: String,
    /// The same as Markdown, `report.md`; it links to `figures/<name>.svg`.
    pub markdown: String,
    /// File name and SVG, for `figures/`.
    pub figures: Vec<(String, String)>,
    /// File name and CSV of what each figure draws, for `figures/`; and `results.csv`, every estimate in long form.
    pub figure_data: Vec<(String, String)>,
    /// File name and Vega-Lite spec with its values inside, for `figures/`.
    pub vega: Vec<(String, String)>,
    /// File name and text, each table as `.csv`, `.md` and `.tex`, for `tables/`.
    pub tables: Vec<(String, String)>,
}

/// Renders a report. The same data give the same bytes.
#[must_use]
pub fn render(data: &ReportData) -> Rendered {
    let parts = sections::sections(data);
    let mut rendered = rendered(&Head::of(data), &parts);
    rendered.figure_data.push(("results.csv".to_owned(), results(data)));
    rendered
}

/// What stands above a report's parts.
struct Head<'a> {
    name: &'a str,
    question: &'a str,
    id: &'a str,
    version: &'a str,
}

impl<'a> Head<'a> {
    fn of(data: &'a ReportData) -> Self {
        Self { name: &data.name, question: &data.question, id: &data.plan_id, version: &data.version }
    }
}

/// The page, the Markdown and the files of some parts.
fn rendered(head: &Head<'_>, parts: &[sections::Part]) -> Rendered {
    let mut rendered = Rendered {
        html: html::page(head, parts),
        markdown: markdown::document(head, parts),
        figures: Vec::new(),
        figure_data: Vec::new(),
        vega: Vec::new(),
        tables: Vec::new(),
    };
    for block in parts.iter().flat_map(|part| &part.blocks) {
        match block {
            Block::Figure(figure) => {
                rendered.figures.push((format!("{}.svg", figure.id), figure.file()));
                if !figure.csv.is_empty() {
                    rendered.figure_data.push((format!("{}.csv", figure.id), figure.csv.clone()));
                    rendered.vega.push((format!("{}.vl.json", figure.id), figure.vega_file()));
                }
            }
            Block::Table(table) | Block::Folded(table) => rendered.tables.extend(table.files()),
            _ => {}
        }
    }
    rendered
}

/// Every estimate in long form, in exact numbers: what another program wants to read.
fn results(data: &ReportData) -> String {
    let heads = ["arm", "role", "epsilon", "metric", "kind", "value", "low", "high", "seeds", "reason"];
    let mut out = tables::csv_line(heads.into_iter());
    for (arm, (metric, estimate)) in data.arms.iter().flat_map(|a| a.summaries.iter().map(move |s| (a, s))) {
        let exact = numbers::exact;
        let none = String::new;
        let (kind, value, low, high, seeds, reason) = match estimate {
            Estimate::Value { mean, low, high, seeds } => {
                ("value", exact(*mean), exact(*low), exact(*high), seeds.to_string(), none())
            }
            Estimate::SingleRun { value } => {
                ("single-run", exact(*value), none(), none(), "1".to_owned(), none())
            }
            Estimate::NotAssessable { reason } => {
                ("not-assessable", none(), none(), none(), none(), reason.clone())
            }
        };
        let role = format!("{:?}", arm.role).to_lowercase();
        let epsilon = numbers::epsilon_words(arm.epsilon);
        let cells: [&str; 10] =
            [&arm.id, &role, &epsilon, metric, kind, &value, &low, &high, &seeds, &reason];
        out.push_str(&tables::csv_line(cells.into_iter()));
    }
    out
}
