//! The page of `equipoise world validate`: every finding with its target, and the pictures that stand behind them. Drawn with the
//! report's own pen; the same findings give the same bytes. It shows failures first and explains none of them away.

use super::html::shell;
use super::numbers::{count, optional};
use super::sections::BANNER;
use super::tables::Table;
use super::validation_figures as figures;
use equipoise_synth::validate::{Finding, GraphCurves, Pass, TimingCurves};
use maud::html;

/// Everything that the page shows.
#[derive(Clone, Debug)]
pub struct ValidationPage {
    /// Name of the world file.
    pub name: String,
    /// Persons.
    pub persons: u32,
    /// Days.
    pub days: u16,
    /// Worlds.
    pub seeds: u32,
    /// The social network of the first world.
    pub graph: Option<GraphCurves>,
    /// The timing of the first world.
    pub timing: Option<TimingCurves>,
    /// The file's weights of the hours: adults on weekdays, everybody on weekends.
    pub hours: [[f64; 24]; 2],
    /// All findings, in order.
    pub findings: Vec<Finding>,
}

/// The word of a verdict.
const fn word(pass: Pass) -> &'static str {
    match pass {
        Pass::Pass => "pass",
        Pass::Fail => "FAIL",
        Pass::NotAssessable => "not assessable",
    }
}

/// Findings with their numbers.
fn numbers(id: &str, title: String, findings: &[&Finding]) -> Table {
    let mut table =
        Table::new(id, title, &["check", "verdict", "statistic", "#value", "#3 SE", "target", "#n"]);
    for f in findings {
        table.push(vec![
            f.id.to_owned(),
            word(f.pass).to_owned(),
            f.statistic.clone(),
            optional(f.value),
            optional(f.detectable),
            f.target.clone(),
            count(f.n),
        ]);
    }
    table
}

/// Findings with what stands behind them.
fn sources(findings: &[Finding]) -> Table {
    let heads = ["check", "statistic", "kind", "#worlds", "source of the target", "note"];
    let mut table = Table::new("sources", "Sources and notes", &heads);
    for f in findings {
        table.push(vec![
            f.id.to_owned(),
            f.statistic.clone(),
            format!("{:?}", f.kind).to_lowercase(),
            f.seeds.to_string(),
            f.source.to_owned(),
            f.note.clone(),
        ]);
    }
    table
}

/// The page.
#[must_use]
pub fn render_validation(page: &ValidationPage) -> String {
    let of = |pass: Pass| page.findings.iter().filter(|f| f.pass == pass).collect::<Vec<&Finding>>();
    let failing = of(Pass::Fail);
    let headline = if failing.is_empty() {
        "No finding fails.".to_owned()
    } else {
        format!("{} of {} findings fail.", failing.len(), page.findings.len())
    };
    let figures = figures::all(page);
    let body = html! {
        header {
            h1 { "Validation of " (page.name) }
            p.question { (count(u64::from(page.persons))) " persons, " (page.days) " days, " (page.seeds) " worlds" }
            p.banner role="note" { (BANNER) }
        }
        main id="main" tabindex="-1" {
            section id="verdict" {
                h2 { "Verdict" }
                p.headline { (headline) }
                p {
                    "A value is a mean over worlds and is judged with three standard errors. A test that is too coarse to decide is \
                     not assessable; it never passes. Passing says that the world agrees with these numbers, not that it is realistic."
                }
                @if !failing.is_empty() { (numbers("failing", "Findings that fail".to_owned(), &failing).markup()) }
            }
            section id="figures" { h2 { "Figures" } @for figure in &figures { (figure.markup()) } }
            section id="all" {
                h2 { "All findings" }
                (numbers("findings", format!("{} findings", page.findings.len()), &page.findings.iter().collect::<Vec<_>>()).markup())
                details { summary { "Sources and notes" } (sources(&page.findings).markup()) }
            }
        }
        footer { p.small { "equipoise " (env!("CARGO_PKG_VERSION")) ". " (BANNER) } }
    };
    shell(&format!("{} – Equipoise validation", page.name), &body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_synth::validate::{Header, Kind, Target};

    fn page() -> ValidationPage {
        let header = |id| Header { id, kind: Kind::Gated, source: "a <source>" };
        let findings = vec![
            header("V1").judge("share", &[0.5, 0.51, 0.49], 9, Target::Band(0.4, 0.6)),
            header("V13").judge("a: largest one-column area", &[0.95, 0.96, 0.94], 900, Target::AtMost(0.9)),
            header("V14").absent("area", Target::AtMost(0.6), "no world"),
        ];
        ValidationPage {
            name: "test".into(),
            persons: 1_000,
            days: 10,
            seeds: 3,
            graph: Some(GraphCurves {
                degrees: vec![1, 1, 2, 3, 5, 8],
                clustering: Vec::new(),
                age_groups: vec!["8 to 17".into(), "18 up".into()],
                mixing: vec![vec![0.8, 0.2], vec![0.1, 0.9]],
            }),
            timing: Some(TimingCurves {
                gaps: vec![300, 600, 90_000],
                control: vec![40_000, 50_000],
                hours: [[1.0 / 24.0; 24]; 2],
            }),
            hours: [[1.0; 24]; 2],
            findings,
        }
    }

    #[test]
    fn failures_stand_first_and_text_is_escaped() {
        let html = render_validation(&page());
        assert!(html.contains("1 of 3 findings fail."));
        let (failing, all) = (html.find("Findings that fail").unwrap(), html.find("All findings").unwrap());
        assert!(failing < all);
        assert!(html.contains("a &lt;source&gt;") && !html.contains("a <source>"));
        assert!(!html.contains("NaN"));
    }

    #[test]
    fn the_same_findings_give_the_same_page() {
        assert_eq!(render_validation(&page()), render_validation(&page()));
    }
}
