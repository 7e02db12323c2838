//! The order of a report: sections as lists of blocks, so that the page and the Markdown file cannot tell different stories.

use super::contents;
use super::data::{MechanismCard, ReportData, Section};
use super::figure::Figure;
use super::numbers::{epsilon_words, optional, seeds_words};
use super::tables::Table;
use super::words::{arm_label, headline, metric, metric_label, verdict_counts};
use super::{
    figure_cost, figure_curves, figure_front, figure_frontier, figure_reliability, figure_rows,
    figure_scaling,
};

/// One piece of a section.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Block {
    /// The sentence at the top.
    Headline(String),
    /// Words.
    Text(String),
    /// A smaller heading.
    Heading(String),
    /// A figure.
    Figure(Box<Figure>),
    /// A table.
    Table(Table),
    /// A long table behind a summary.
    Folded(Table),
    /// Named facts: a privacy claim, the identity of the run.
    Card {
        /// The heading.
        title: String,
        /// The claim itself; may be empty.
        sentence: String,
        /// Name and value.
        facts: Vec<(String, String)>,
        /// What is not claimed.
        not: Vec<String>,
    },
    /// Blocks of one kind behind a summary.
    Group(&'static str, Vec<Block>),
    /// A list; the second part is shown where it is empty.
    List(Vec<String>, String),
    /// Commands.
    Code(Vec<String>),
    /// A reading for non-specialists.
    Plain(String),
}

/// One section.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Part {
    /// Its anchor.
    pub(super) id: &'static str,
    /// Its title.
    pub(super) title: &'static str,
    /// Its blocks.
    pub(super) blocks: Vec<Block>,
}

/// The line that stands above everything.
pub(super) const BANNER: &str = "Synthetic data; research only; not for decisions about people.";

/// All sections.
pub(super) fn sections(data: &ReportData) -> Vec<Part> {
    vec![
        summary(data),
        Part { id: "frontier", title: "Frontier", blocks: frontier(data) },
        Part { id: "safety", title: "Safety", blocks: safety(data) },
        Part { id: "fairness", title: "Fairness", blocks: fairness(data) },
        Part { id: "privacy", title: "Privacy", blocks: privacy(data) },
        Part { id: "cost", title: "Cost", blocks: cost(data) },
        Part { id: "robustness", title: "Robustness", blocks: robustness(data) },
        Part { id: "ladder", title: "Ladder and ablation", blocks: ladder(data) },
        Part { id: "data", title: "Data", blocks: described(data) },
        Part { id: "reproduce", title: "Reproduce", blocks: reproduce(data) },
    ]
}

fn figure(figure: Figure) -> Block {
    Block::Figure(Box::new(figure))
}

/// A table, or the words that say why there is none.
fn table(table: Table, missing: &str) -> Block {
    if table.rows.is_empty() {
        Block::Text(format!("{}: not assessable ({missing}).", table.title))
    } else {
        Block::Table(table)
    }
}

/// The same behind its title, for what few readers look up.
fn folded(long: Table, missing: &str) -> Block {
    match table(long, missing) {
        Block::Table(table) => Block::Folded(table),
        other => other,
    }
}

/// A folded table, or its one reason where nothing in it can be assessed.
fn assessable(slices: Table) -> Block {
    let mut cells = slices.rows.iter().flat_map(|row| row.iter().skip(1));
    if cells.clone().all(|cell| cell.starts_with("not assessable")) {
        let reason = cells.next().and_then(|cell| cell.strip_prefix("not assessable")).unwrap_or_default();
        return Block::Text(format!("{}: not assessable in any part{reason}.", slices.title));
    }
    Block::Folded(slices)
}

fn summary(data: &ReportData) -> Part {
    let facts = [
        ("Run", data.name.clone()),
        ("Plan", data.plan_id.chars().take(12).collect()),
        ("Version", data.version.clone()),
        ("Seeds", seeds_words(data.seeds)),
        ("Pre-registered metric", metric_label(data, &data.primary)),
        ("Paired comparisons", verdict_counts(data)),
        ("Failed units", data.failures.len().to_string()),
    ];
    let facts = facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let meaning =
        metric(data, &data.primary).map_or_else(String::new, |m| format!(" {}: {}", m.label, m.definition));
    let blocks = vec![
        Block::Headline(headline(data)),
        Block::Card { title: "This run".to_owned(), sentence: String::new(), facts, not: Vec::new() },
        table(contents::arms(data), "no arm has results"),
        Block::Plain(format!(
            "Numbers in brackets are 95% intervals: the average over all synthetic worlds made in the same way \
             most likely lies inside. All accounts are simulated. A risk score is never a verdict; it only orders \
             accounts for review by people.{meaning}"
        )),
    ];
    Part { id: "summary", title: "Summary", blocks }
}

fn frontier(data: &ReportData) -> Vec<Block> {
    let mut blocks = vec![figure(figure_frontier::frontier(data))];
    if figure_front::is_shown(data) {
        blocks.push(figure(figure_front::front(data)));
        blocks.push(Block::Folded(contents::front(data)));
    }
    blocks.push(
        Block::Plain(
            "Further left, the shared model tells less about any one protected unit; further up, more accounts \
             with a simulated harmful pattern are identified for review with the same number of reviewers. Where \
             whiskers and bands overlap, this figure claims no difference."
                .to_owned(),
        ),
    );
    blocks
}

fn safety(data: &ReportData) -> Vec<Block> {
    let mut blocks =
        vec![figure(figure_curves::precision_recall(data)), figure(figure_curves::detection_time(data))];
    blocks.push(figure(figure_reliability::reliability(data)));
    let title = "Safety metrics (exploratory): mean [95% interval] over seeds";
    blocks.extend(contents::metrics(data, Section::Safety, "safety", title).map(Block::Folded));
    if !data.explanations.is_empty() {
        blocks.extend(rests(data));
    }
    let title = "Pre-registered metric by platform";
    blocks.extend(contents::slices(data, "by-platform", title, |arm| &arm.by_platform).map(assessable));
    let title = "Pre-registered metric by archetype of the simulated pattern";
    blocks.extend(contents::slices(data, "by-archetype", title, |arm| &arm.by_archetype).map(assessable));
    blocks.push(Block::Plain(
        "Precision asks: of the accounts identified for review, how many have a simulated harmful pattern? \
         Recall asks: of all accounts with such a pattern, how many are identified? Such accounts are rare, \
         so even a good score sends many other accounts to review. A curve that rises earlier leaves less \
         time for further contacts before somebody looks."
            .to_owned(),
    ));
    blocks
}

/// For the person who reviews. No account by itself, and nothing about what would lower a score.
fn rests(data: &ReportData) -> Vec<Block> {
    let words = "Each column's share of the difference between the logit of a reviewed account and that of a row in which nothing happened, over \
                 the accounts that the queue picked: exact for linear models, integrated gradients for networks, exact Shapley values for trees. A share \
                 above zero speaks for a review. \"Stable\" is the part of an account's three largest columns that stays when every number moves by \
                 up to a hundredth. It says what a model read, not why somebody acted.";
    vec![Block::Folded(contents::explanations(data)), Block::Plain(words.to_owned())]
}

fn fairness(data: &ReportData) -> Vec<Block> {
    let mut blocks = vec![figure(figure_rows::burden(data))];
    let title = "Fairness metrics (exploratory): mean [95% interval] over seeds";
    blocks.extend(contents::metrics(data, Section::Fairness, "fairness", title).map(Block::Folded));
    blocks.push(folded(contents::burden(data), "no arm reports groups"));
    blocks.push(Block::Plain(
        "Every row is a group of accounts without a harmful pattern, children among them. A dot further right \
         means that the group bears more wrong restrictions. \"Not assessable\" means that too little was \
         seen to say anything; it does not mean that nothing happened."
            .to_owned(),
    ));
    blocks
}

fn card(data: &ReportData, card: &MechanismCard) -> Block {
    let counted = |rounds: Option<u64>| rounds.map_or_else(|| "–".to_owned(), super::numbers::count);
    let survivors = card.survivors.map_or_else(
        || "all: no bound".to_owned(),
        |(kept, of)| format!("{} of {}", super::numbers::count(kept), super::numbers::count(of)),
    );
    let facts = [
        ("Unit of protection", card.unit.clone()),
        ("Neighbouring relation", card.relation.clone()),
        ("Epsilon", epsilon_words(card.epsilon)),
        ("Epsilon by Renyi accounting", optional(card.renyi_epsilon)),
        ("Delta", optional(card.delta)),
        ("Adversary", card.adversary.clone()),
        ("Noise multiplier", optional(card.noise_multiplier)),
        ("Sampling rate", optional(card.sampling_rate)),
        ("Rounds planned", counted(card.planned)),
        ("Epsilon as planned", optional(card.planned_epsilon)),
        ("Rounds opened", counted(card.opened)),
        ("Rounds charged", counted(card.steps)),
        ("Rows a unit reaches (K)", counted(card.rows)),
        ("Contacts a row reads (m)", counted(card.contacts)),
        ("Rows kept by the bound", survivors),
        ("Clip norm", optional(card.clip_norm)),
        ("Accountant", card.accountant.clone()),
    ];
    Block::Card {
        title: format!("Claim: {}", arm_label(data, &card.arm)),
        sentence: card.sentence.clone(),
        facts: facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        not: card.not_protected.clone(),
    }
}

fn privacy(data: &ReportData) -> Vec<Block> {
    let mut blocks = vec![Block::Text("No arm makes a formal privacy claim.".to_owned())];
    if let Some((first, rest)) = data.cards.split_first() {
        blocks = vec![
            Block::List(data.promises.clone(), "no promise was written down".to_owned()),
            Block::Table(contents::claims(data)),
            card(data, first),
        ];
        if !rest.is_empty() {
            let rest = rest.iter().map(|c| card(data, c)).collect();
            blocks.push(Block::Group("The other claims in full", rest));
        }
    }
    let title = "Privacy audits (exploratory): mean [95% interval] over seeds";
    blocks.extend(contents::metrics(data, Section::Privacy, "audits", title).map(Block::Table));
    blocks.push(Block::Heading("Who saw what".to_owned()));
    let mut schemes: Vec<String> = Vec::new();
    for row in &data.seats {
        let line = format!("{}: {}", row.scheme, row.headline);
        if !row.headline.is_empty() && !schemes.contains(&line) {
            schemes.push(line);
        }
    }
    if !schemes.is_empty() {
        blocks.push(Block::List(schemes, String::new()));
    }
    blocks.push(table(contents::seats(data), "no scheme describes its seats"));
    blocks.push(table(contents::ledger(data), "no release was recorded"));
    blocks.extend(told(data));
    blocks.push(Block::Plain(
        "Encryption and differential privacy answer different questions. Encryption decides who can read an \
         update on its way; epsilon bounds what the finished model tells about one unit, whoever holds it. \
         Smaller epsilon means a stronger bound. \"No guarantee\" means that no bound is claimed, not that \
         harm was seen."
            .to_owned(),
    ));
    blocks
}

/// Tested accounts are private too, so a metric is a release: what was told of them, or that nothing was.
fn told(data: &ReportData) -> Vec<Block> {
    if data.cards.is_empty() {
        return Vec::new();
    }
    let oracle = "Every other metric of an arm with a guarantee is computed on private tested accounts without noise: non-private, an \
                  oracle's number that only a simulation may print.";
    let Some(first) = data.released.first() else {
        return vec![Block::Text(format!(
            "{oracle} No arm told anything about its tested accounts (`evaluation.release`)."
        ))];
    };
    let scope = format!("What is told holds {}. {oracle}", first.scope);
    vec![Block::Table(contents::released(data)), Block::Text(scope)]
}

fn cost(data: &ReportData) -> Vec<Block> {
    let mut blocks =
        vec![figure(figure_cost::cost(data)), table(contents::costs(data), "no arm reports its uploads")];
    blocks.extend(figure_scaling::clients(data).map(figure));
    if !data.fusions.is_empty() {
        blocks.push(Block::Table(contents::fusions(data)));
    }
    let title = "Resources: mean [95% interval] over seeds";
    blocks.extend(contents::metrics(data, Section::Cost, "resources", title).map(Block::Table));
    blocks.push(Block::Plain(
        "The bars say how the size of a message changes when an update is hidden. They count bytes only; \
         measured times depend on the machine and stand on their own page, outside the results' hash."
            .to_owned(),
    ));
    blocks
}

fn robustness(data: &ReportData) -> Vec<Block> {
    let mut blocks: Vec<Block> = figure_scaling::hostile(data).map(figure).into_iter().collect();
    if blocks.is_empty() {
        blocks.push(Block::Text("No arm has clients that send tampered updates.".to_owned()));
    }
    blocks.push(folded(contents::outcomes(data), "every client trained as it should in every round"));
    blocks.push(Block::Plain(
        "Platforms fail, come late, or may send something else than what they learned. A sum that hides every update cannot leave one \
         out; a rule that may look at updates can. What either costs is measured here, not assumed."
            .to_owned(),
    ));
    blocks
}

fn ladder(data: &ReportData) -> Vec<Block> {
    let mut blocks = vec![figure(figure_rows::ladder(data))];
    blocks.push(figure(figure_rows::forest(data)));
    blocks.push(folded(contents::comparisons(data), "no comparison was planned"));
    if !data.coalitions.is_empty() {
        blocks.push(Block::Table(contents::coalitions(data)));
    }
    blocks.push(table(contents::closed(data), "no federated arm stands between local only and pooled"));
    blocks.push(folded(contents::patterns(data), "no arm stands beside training alone"));
    let title = "Other metrics (exploratory): mean [95% interval] over seeds";
    blocks.extend(contents::metrics(data, Section::Other, "other", title).map(Block::Folded));
    if !data.calibration.is_empty() {
        blocks.push(Block::Table(contents::calibration(data)));
    }
    blocks.extend(contents::per_seed(data).map(Block::Folded));
    blocks.push(folded(contents::tuning(data), "nothing was tuned"));
    blocks.push(Block::Plain(
        "Each rung adds one thing, so the step between two rungs says what that thing is worth. Differences \
         are taken within the same synthetic world and then averaged, which is fairer than comparing two \
         averages. Only the pre-registered metric supports a claim; the others are exploratory."
            .to_owned(),
    ));
    blocks
}

fn described(data: &ReportData) -> Vec<Block> {
    vec![
        table(contents::facts(data), "no fact was recorded"),
        folded(contents::definitions(data), "no metric was described"),
        folded(contents::dictionary(data), "no feature was described"),
        Block::Plain(
            "No real account, message or picture was used. The world is made by rules and chance from stated \
             rates; it has no message content at all. What holds here need not hold elsewhere."
                .to_owned(),
        ),
    ]
}

fn reproduce(data: &ReportData) -> Vec<Block> {
    vec![
        Block::Heading("Commands".to_owned()),
        if data.reproduce.is_empty() {
            Block::Text("No command was recorded.".to_owned())
        } else {
            Block::Code(data.reproduce.clone())
        },
        Block::Heading("Failures".to_owned()),
        Block::List(data.failures.clone(), "No unit failed.".to_owned()),
        Block::Heading("Limits".to_owned()),
        Block::List(data.limits.clone(), "No limit was written down; read the results with that in mind.".to_owned()),
        Block::Plain(
            "The same commands on the same version and kind of processor are expected to give the same bytes, \
             this page included. Measured times are not part of it, and runs whose noise or keys come from the \
             operating system are an exception."
                .to_owned(),
        ),
    ]
}
