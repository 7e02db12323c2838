//! The page of `equipoise policy run`: counts first, then what cells prevent, what measures do together, when accounts are
//! identified, what that costs whom, and what was revealed for it.

use super::figure_policy::{along, cell_name, prevented, words_of};
use super::figure_policy_cost::{burden, uncertainty};
use super::figure_policy_review::{reliability, stages};
use super::figure_policy_time::{children, detection_time};
use super::numbers::{count, p_words, plain};
use super::sections::{Block, Part};
use super::tables::{NOTHING, Table};
use super::{Head, Rendered};
use crate::policy::result::Report;
use crate::policy::row::CellRow;
use equipoise_policy::tandem::Estimate;

/// Renders the page and its files. The same report gives the same bytes.
#[must_use]
pub(crate) fn render_policy(report: &Report) -> Rendered {
    let parts = parts(report);
    let head = Head {
        name: &report.name,
        question: &report.question,
        id: &report.id,
        version: env!("CARGO_PKG_VERSION"),
    };
    super::rendered(&head, &parts)
}

fn parts(report: &Report) -> Vec<Part> {
    let figure = |figure| Block::Figure(Box::new(figure));
    let mut summary = vec![
        Block::Headline(headline(report)),
        Block::Text(format!(
            "{} paired worlds of {} persons and {} days; accounts with a simulated harmful pattern in a world: {}.",
            report.seeds,
            count(u64::from(report.persons)),
            report.days,
            words_of(report.harmful_accounts.as_ref())
        )),
        Block::Text(report.notice.into()),
        Block::Table(cells(report)),
    ];
    summary.extend(along(report).map(figure));
    let mut together = vec![Block::Table(measures_together(report)), Block::Folded(pairs(report))];
    if let Some(aliases) = &report.aliases {
        together.push(Block::Text(format!(
            "Half of the factorial, {} (resolution {}): each effect here holds the one beside it as well.",
            aliases.relation, aliases.resolution
        )));
        let mut table = Table::new("aliases", "What the half cannot tell apart", &["shown", "holds as well"]);
        aliases.pairs.iter().for_each(|(one, other)| table.push(vec![one.clone(), other.clone()]));
        together.push(Block::Folded(table));
    }
    let mut parts = vec![
        Part { id: "summary", title: "Summary", blocks: summary },
        Part { id: "prevented", title: "What cells prevent", blocks: vec![figure(prevented(report))] },
        Part { id: "together", title: "What measures do together", blocks: together },
        Part {
            id: "detection",
            title: "Identification for review",
            blocks: vec![
                figure(detection_time(report)),
                figure(children(report)),
                figure(stages(report)),
                figure(reliability(report)),
                Block::Table(by_pattern(report)),
            ],
        },
        Part {
            id: "burden",
            title: "Burden",
            blocks: vec![figure(burden(report)), Block::Table(uneven(report)), Block::Folded(costs(report))],
        },
        Part {
            id: "revealed",
            title: "What was revealed",
            blocks: vec![
                Block::Table(privacy(report)),
                Block::Table(revealed(report)),
                Block::Text(
                    "A fused value is opened for each pseudonym at each decision; that `fused-encrypted` opens what `fused-plain` computes, to the \
                     last account, is a test. A token that is told names an account to another platform; a model update is opened as a sum only."
                        .into(),
                ),
            ],
        },
    ];
    if let Some(figure) = uncertainty(report) {
        parts.push(Part {
            id: "uncertainty",
            title: "Assumed rates",
            blocks: vec![Block::Figure(Box::new(figure)), Block::Table(rates(report))],
        });
    }
    parts
}

/// Counts, not weighted harm.
fn headline(report: &Report) -> String {
    let all = |cell: &&CellRow| cell.measures.len() == report.measures.len() && !cell.staggered;
    let mut sentences = Vec::new();
    let mut cells: Vec<&CellRow> = report.cells.iter().filter(all).collect();
    // Of a long axis the ends; the table has every value.
    if cells.len() > 4 {
        cells = vec![cells[0], cells[cells.len() - 1]];
    }
    for cell in cells {
        let get = |of: &std::collections::BTreeMap<String, Option<Estimate>>, key: &str| {
            words_of(of.get(key).and_then(Option::as_ref))
        };
        let restricted = cell.rates.get("children-wrongly-restricted-per-upheld").and_then(Option::as_ref);
        let cost = restricted.map_or_else(
            || "nobody is reviewed".to_owned(),
            |e| format!("{} children wrongly restricted for each upheld case", words_of(Some(e))),
        );
        sentences.push(format!(
            "{}: {} children contacted in a world, {} against none; {cost}.",
            cell_name(report, cell),
            get(&cell.counts, "children-contacted"),
            words_of(cell.children_minus_none.as_ref())
        ));
    }
    let names: Vec<&str> = report.measures.iter().map(|measure| measure.name.as_str()).collect();
    // "all measures" is said where there are more than two.
    if names.len() > 2 {
        sentences.push(format!("The measures: {}.", names.join(", ")));
    }
    sentences.join(" ")
}

fn cells(report: &Report) -> Table {
    let heads = [
        "cell",
        "#children contacted",
        "#minus none",
        "#minus the first value",
        "#pairs in S4",
        "#upheld",
        "#recall",
        "#minus the first value's",
        "#children wrongly restricted",
        "#of them for each upheld case",
        "#adverse reactions",
    ];
    let mut table = Table::new("cells", "Counts a world, by cell", &heads);
    for cell in &report.cells {
        let count = |key: &str| words_of(cell.counts.get(key).and_then(Option::as_ref));
        let rate = |key: &str| words_of(cell.rates.get(key).and_then(Option::as_ref));
        table.push(vec![
            cell_name(report, cell),
            count("children-contacted"),
            words_of(cell.children_minus_none.as_ref()),
            cell.children_minus_first.as_ref().map_or_else(|| NOTHING.to_owned(), |e| words_of(Some(e))),
            count("pairs-in-s4"),
            count("upheld"),
            rate("recall"),
            cell.recall_minus_first.as_ref().map_or_else(|| NOTHING.to_owned(), |e| words_of(Some(e))),
            count("children-wrongly-restricted"),
            rate("children-wrongly-restricted-per-upheld"),
            count("adverse-reactions"),
        ]);
    }
    table.without_empty()
}

fn p(value: Option<f64>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), p_words)
}

fn measures_together(report: &Report) -> Table {
    let heads =
        ["measure", "at", "outcome", "#alone", "#over all cells", "#share of what is prevented", "#Holm p"];
    let title = "What each measure does: logarithm of the ratio to none, below 0 is less";
    let mut table = Table::new("measures", title, &heads);
    for point in &report.points {
        let value = point.value.clone().unwrap_or_else(|| NOTHING.to_owned());
        for outcome in ["children-contacted", "harm-design"] {
            for one in point.effects.get(outcome).iter().flat_map(|effects| &effects.measures) {
                table.push(vec![
                    one.measure.clone(),
                    value.clone(),
                    outcome.replace('-', " "),
                    words_of(one.alone.as_ref()),
                    words_of(one.main.as_ref()),
                    words_of(one.share.as_ref()),
                    p(one.p_holm),
                ]);
            }
        }
    }
    table.without_empty()
}

fn pairs(report: &Report) -> Table {
    let heads = ["measures", "at", "outcome", "#alone", "#over all cells", "#Holm p"];
    let title = "Two together, beyond what each does: above 0 redundant, below 0 more together";
    let mut table = Table::new("pairs", title, &heads);
    for point in &report.points {
        let value = point.value.clone().unwrap_or_else(|| NOTHING.to_owned());
        for outcome in ["children-contacted", "harm-design"] {
            for one in point.effects.get(outcome).iter().flat_map(|effects| &effects.interactions) {
                table.push(vec![
                    one.measures.join(" x "),
                    value.clone(),
                    outcome.replace('-', " "),
                    words_of(one.alone.as_ref()),
                    words_of(one.mean.as_ref()),
                    p(one.p_holm),
                ]);
            }
        }
    }
    table.without_empty()
}

fn by_pattern(report: &Report) -> Table {
    let heads = ["cell", "pattern", "#recall", "#prevented, children contacted"];
    let title = "By simulated pattern; slow single targets leave little to see";
    let mut table = Table::new("patterns", title, &heads);
    for (cell, _, _) in super::figure_policy::drawn(report) {
        for (pattern, recall) in &cell.recall_by_pattern {
            table.push(vec![
                cell_name(report, cell),
                pattern.clone(),
                words_of(recall.as_ref()),
                words_of(cell.prevented_by_pattern.get(pattern).and_then(Option::as_ref)),
            ]);
        }
    }
    table
}

fn uneven(report: &Report) -> Table {
    let heads = ["cell", "groups by", "most", "#rate", "least", "#rate of the least", "#highest over lowest"];
    let title = "How uneven wrong restriction is: days for each 10,000 account days";
    let mut table = Table::new("uneven", title, &heads);
    for (cell, _, _) in super::figure_policy::drawn(report) {
        for (kind, of) in &cell.uneven {
            let rate = |group: &str| words_of(of.days.get(group).and_then(Option::as_ref));
            table.push(vec![
                cell_name(report, cell),
                kind.clone(),
                of.most.clone(),
                rate(&of.most),
                of.least.clone(),
                rate(&of.least),
                words_of(of.ratio.as_ref()),
            ]);
        }
    }
    table
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn costs(report: &Report) -> Table {
    let heads =
        ["cell", "group", "#accounts", "#refused", "#held up", "#false alarms", "#reviewed", "#restricted"];
    let title =
        "What measures cost harmless accounts, for each 1,000 accounts of the group, all worlds together";
    let mut table = Table::new("costs", title, &heads);
    let all = |cell: &&CellRow| cell.measures.len() == report.measures.len() && !cell.staggered;
    for cell in report.cells.iter().filter(all) {
        for (group, one) in &cell.burden {
            let per = |value: u64| plain(value as f64 * 1_000.0 / one.accounts.max(1) as f64);
            table.push(vec![
                cell_name(report, cell),
                group.clone(),
                count(one.accounts),
                per(one.refused),
                per(one.held),
                per(one.false_alarms),
                per(one.reviewed),
                per(one.restricted),
            ]);
        }
    }
    table
}

fn privacy(report: &Report) -> Table {
    let heads = ["measure", "what it does", "reads whose data", "which", "#kept days", "leaves the platform"];
    let mut table = Table::new("privacy", "Whose data each measure reads", &heads);
    for measure in &report.measures {
        for (about, of) in measure.about.iter().zip(&measure.privacy) {
            table.push(vec![
                measure.name.clone(),
                about.clone(),
                format!("{:?}", of.reads).to_lowercase(),
                of.data.join(", "),
                of.kept_days.to_string(),
                if of.leaves_platform { "yes" } else { "no" }.to_owned(),
            ]);
        }
    }
    table
}

fn revealed(report: &Report) -> Table {
    let heads = [
        "cell",
        "reviews ordered by",
        "#accounts scored",
        "#scored for each upheld case",
        "#tokens told",
        "#of harmless accounts",
        "#pseudonyms at a server",
        "#fused values opened",
        "#scores a server reads",
        "#model updates",
    ];
    let mut table =
        Table::new("revealed", "What others than an account's own platform were told, a world", &heads);
    for cell in report.cells.iter().filter(|cell| cell.detection.is_some()) {
        let count = |key: &str| words_of(cell.counts.get(key).and_then(Option::as_ref));
        table.push(vec![
            cell_name(report, cell),
            report.points[cell.point].score.clone(),
            count("accounts-scored"),
            words_of(cell.rates.get("accounts-scored-per-upheld").and_then(Option::as_ref)),
            count("tokens-told"),
            count("tokens-told-wrongly"),
            count("pseudonyms"),
            count("values-opened"),
            count("scores-read-by-a-server"),
            count("model-updates"),
        ]);
    }
    table
}

fn rates(report: &Report) -> Table {
    let heads = ["rate", "#from", "#to", "source", "outcome", "#rank correlation"];
    let mut table = Table::new("rates", "What each assumed rate moves", &heads);
    let Some(spread) = &report.uncertainty else { return table };
    for outcome in ["children-contacted", "harm-design"] {
        for rate in spread.outcomes.get(outcome).iter().flat_map(|of| &of.rates) {
            table.push(vec![
                rate.key.clone(),
                plain(rate.low),
                plain(rate.high),
                rate.source.clone(),
                outcome.replace('-', " "),
                rate.rank_correlation.map_or_else(|| NOTHING.to_owned(), plain),
            ]);
        }
    }
    table
}
