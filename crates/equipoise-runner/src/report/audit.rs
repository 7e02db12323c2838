//! The page of `equipoise audit run`: claims as cards, what each attack found beside them, and the figures F10 to F12.

use super::figure_audit::{attack_curves, claimed_and_audited, ledger};
use super::numbers::{count, epsilon_words, estimate_words, plain};
use super::sections::{Block, Part};
use super::tables::Table;
use super::{Head, Rendered};
use crate::audit::result::AuditReport;

/// Renders the page and its files. The same report gives the same bytes.
#[must_use]
pub(crate) fn render_audit(report: &AuditReport) -> Rendered {
    let parts = parts(report);
    let head = Head {
        name: &report.name,
        question: &report.question,
        id: &report.id,
        version: env!("CARGO_PKG_VERSION"),
    };
    super::rendered(&head, &parts)
}

fn parts(report: &AuditReport) -> Vec<Part> {
    let figure = |figure| Block::Figure(Box::new(figure));
    let mut parts = vec![Part {
        id: "summary",
        title: "Summary",
        blocks: vec![Block::Headline(headline(report)), Block::Text(report.notice.into())],
    }];
    if !report.claims.is_empty() {
        let mut blocks: Vec<Block> = report.claims.iter().map(card).collect();
        blocks.push(figure(ledger(&report.claims)));
        parts.push(Part { id: "claims", title: "What is claimed", blocks });
        let blocks = vec![figure(claimed_and_audited(report)), Block::Table(canaries(report))];
        parts.push(Part { id: "canaries", title: "Canaries", blocks });
        let blocks = vec![figure(attack_curves(report)), Block::Table(membership(report))];
        parts.push(Part { id: "membership", title: "Membership", blocks });
        let words = "The gain is what the release adds to a guess by somebody who holds the accounts' rows anyway. Only a gain about members \
                     beyond that about others is a leak of training data; the rest is a model doing what it is for. Contact is not \
                     protected by a claim with a public contact graph.";
        parts.push(Part {
            id: "facts",
            title: "Facts about accounts",
            blocks: vec![Block::Text(words.into()), Block::Table(facts(report))],
        });
        let words = "No claim here is about linkage: it is shown beside each to say how little a guarantee for training rows helps.";
        parts.push(Part {
            id: "linkage",
            title: "Linkage",
            blocks: vec![Block::Text(words.into()), Block::Table(linkage(report))],
        });
    }
    if !report.inversion.is_empty() {
        parts.push(Part {
            id: "inversion",
            title: "Rows read back from updates",
            blocks: vec![Block::Table(inversion(report))],
        });
    }
    if !report.poisoning.is_empty() {
        let words = "A hidden sum cannot leave anybody out; only the bound on an update stands in the way. A rule that leaves somebody out \
                     has to look at every platform's update.";
        parts.push(Part {
            id: "poisoning",
            title: "Platforms that do not follow the protocol",
            blocks: vec![Block::Text(words.into()), Block::Table(poisoning(report))],
        });
    }
    parts.push(Part {
        id: "seats",
        title: "What each seat sees",
        blocks: vec![Block::List(seats(report), String::new())],
    });
    parts
}

fn headline(report: &AuditReport) -> String {
    let broken =
        |promise: &str| report.claims.iter().any(|c| c.promise == promise && c.noise_share.is_some());
    let (caught, kept): (Vec<_>, Vec<_>) =
        report.canaries.iter().filter(|row| row.refuted).partition(|row| broken(&row.promise));
    if !report.claims.is_empty() {
        let names = |rows: &[&crate::audit::result::CanaryRow]| {
            let mut names: Vec<&str> = rows.iter().map(|row| row.promise.as_str()).collect();
            names.dedup();
            names.join(", ")
        };
        let kept = if kept.is_empty() {
            "No claim that is kept is refuted".to_owned()
        } else {
            format!("Refuted although nothing is known to be broken: {}", names(&kept))
        };
        let caught = if caught.is_empty() {
            String::new()
        } else {
            format!("; builds that are broken on purpose and were caught: {}", names(&caught))
        };
        return format!("{kept}{caught}.");
    }
    if let Some(worst) = report
        .inversion
        .iter()
        .filter_map(|row| Some((row, super::numbers::mark(&row.exact)?.at)))
        .max_by(|a, b| a.1.total_cmp(&b.1))
    {
        let (row, share) = worst;
        return format!(
            "At worst {} of the rows are read back whole: {} from {}, batch {}.",
            plain(share),
            row.attack,
            row.defence,
            row.batch
        );
    }
    if let Some(worst) = report
        .poisoning
        .iter()
        .filter_map(|row| Some((row, super::numbers::mark(&row.change)?.at)))
        .min_by(|a, b| a.1.total_cmp(&b.1))
    {
        return format!(
            "The largest loss of average precision is {} ({} under {}).",
            plain(-worst.1),
            worst.0.attack,
            worst.0.rule
        );
    }
    "Nothing was attacked.".to_owned()
}

fn card(row: &crate::audit::result::ClaimRow) -> Block {
    let mut facts = Vec::new();
    let (mut sentence, mut not) = ("Nothing is claimed about this model.".to_owned(), Vec::new());
    if let Some(claim) = &row.claim {
        sentence = claim.to_string();
        not.clone_from(&claim.not_protected);
        facts.extend([
            ("Unit".to_owned(), claim.unit.noun().to_owned()),
            ("Relation".to_owned(), claim.relation.to_string()),
            ("Epsilon".to_owned(), plain(claim.epsilon)),
            ("Delta".to_owned(), format!("{:e}", claim.delta.get())),
            ("Adversary".to_owned(), claim.adversary.to_string()),
            ("Noise over the sensitivity".to_owned(), plain(claim.noise_multiplier.get())),
            ("Rows of an account".to_owned(), claim.rows.to_string()),
        ]);
    }
    if let Some(share) = row.noise_share {
        sentence =
            format!("Broken on purpose: only {share} of the noise that this claim owes is added. {sentence}");
    }
    if let [first, ..] = row.rows[..] {
        facts.push((
            "Rows trained on, first world".to_owned(),
            format!("{} of {}", count(first.0), count(first.1)),
        ));
    }
    Block::Card { title: row.promise.clone(), sentence, facts, not }
}

/// Unit, relation, delta and adversary of a promise: what an epsilon may not be printed without.
fn scope(report: &AuditReport, promise: &str) -> String {
    let claim = report.claims.iter().find(|row| row.promise == promise).and_then(|row| row.claim.as_ref());
    claim.map_or_else(
        || "nothing is claimed".to_owned(),
        |claim| {
            format!(
                "{}, {}, delta {:e}, {}",
                claim.unit.name(),
                claim.relation,
                claim.delta.get(),
                claim.adversary
            )
        },
    )
}

fn canaries(report: &AuditReport) -> Table {
    let heads = [
        "promise",
        "#claimed epsilon",
        "of",
        "bound",
        "#audited at least",
        "#largest",
        "#worlds above",
        "verdict",
    ];
    let mut table = Table::new("canaries", "Lower bounds on epsilon from one run a world", &heads);
    for row in &report.canaries {
        table.push(vec![
            row.promise.clone(),
            plain(row.claimed),
            scope(report, &row.promise),
            row.bound.to_owned(),
            estimate_words(&row.audited),
            plain(row.most),
            format!("{} of {}", row.above, row.worlds),
            if row.refuted { "refuted" } else { "not refuted" }.to_owned(),
        ]);
    }
    table
}

fn membership(report: &AuditReport) -> Table {
    let heads = [
        "promise",
        "#claimed epsilon",
        "of",
        "attack",
        "#area",
        "#members found at 1 %",
        "#members",
        "#others",
    ];
    let mut table = Table::new("membership", "Membership attacks on the released model", &heads);
    for row in &report.membership {
        table.push(vec![
            row.promise.clone(),
            epsilon_words(row.epsilon),
            scope(report, &row.promise),
            row.attack.clone(),
            if row.mislabelled { "mislabelled" } else { "as they are" }.to_owned(),
            estimate_words(&row.auc),
            estimate_words(&row.at_one_percent),
            count(row.members),
            count(row.others),
        ]);
    }
    table
}

fn facts(report: &AuditReport) -> Table {
    let heads = [
        "promise",
        "#claimed epsilon",
        "of",
        "fact",
        "about",
        "#area without the release",
        "#with it",
        "#gain",
        "#cases",
    ];
    let mut table = Table::new("facts", "What the release adds to a guess", &heads);
    for row in &report.facts {
        table.push(vec![
            row.promise.clone(),
            epsilon_words(row.epsilon),
            scope(report, &row.promise),
            row.fact.clone(),
            row.about.clone(),
            estimate_words(&row.without),
            estimate_words(&row.with),
            estimate_words(&row.gain),
            count(row.cases),
        ]);
    }
    table
}

fn linkage(report: &AuditReport) -> Table {
    let heads = [
        "promise",
        "#claimed epsilon",
        "released",
        "#first guess right",
        "#among the first ten",
        "#chance of the first",
        "#asked",
    ];
    let mut table = Table::new("linkage", "Accounts of one person linked across two platforms", &heads);
    for row in &report.linkage {
        table.push(vec![
            row.promise.clone(),
            epsilon_words(row.epsilon),
            row.released.clone(),
            estimate_words(&row.first),
            estimate_words(&row.ten),
            plain(1.0 / row.among.max(1) as f64),
            count(row.asked),
        ]);
    }
    table
}

fn inversion(report: &AuditReport) -> Table {
    let heads = [
        "what the seat sees",
        "#batch",
        "attack",
        "#whole rows",
        "#columns",
        "#told from the population",
        "#updates",
    ];
    let mut table = Table::new("inversion", "Rows read back from updates", &heads);
    for row in &report.inversion {
        table.push(vec![
            row.defence.clone(),
            row.batch.to_string(),
            row.attack.clone(),
            estimate_words(&row.exact),
            estimate_words(&row.columns),
            estimate_words(&row.identified),
            count(row.updates),
        ]);
    }
    table
}

fn poisoning(report: &AuditReport) -> Table {
    let heads = [
        "rule",
        "updates",
        "attack",
        "#average precision",
        "#change to no attack",
        "#recall at budget",
        "#false alarms by the trigger",
        "#worlds not finite",
    ];
    let mut table = Table::new("poisoning", "Attacks by rule", &heads);
    for row in &report.poisoning {
        table.push(vec![
            row.rule.clone(),
            if row.hidden { "hidden" } else { "visible" }.to_owned(),
            row.attack.clone(),
            estimate_words(&row.average_precision),
            estimate_words(&row.change),
            estimate_words(&row.recall_at_budget),
            estimate_words(&row.triggered),
            row.not_finite.to_string(),
        ]);
    }
    table
}

fn seats(report: &AuditReport) -> Vec<String> {
    let mut seats = Vec::new();
    if !report.claims.is_empty() {
        seats.push("Canaries: the aggregator's seat (A2). It sees every model that is broadcast and every noised sum, and sets its own rows' labels against the model.".to_owned());
        seats.push("Membership, facts and linkage: the recipient of the released model (A1). It holds the rows that it asks about, and trains shadow models itself.".to_owned());
        seats.push("Share of minors: the aggregator's seat, one round's opened sum.".to_owned());
    }
    if !report.inversion.is_empty() {
        seats.push("Inversion: whoever is sent the sum in question, with the public model and the number of rows behind it.".to_owned());
    }
    if !report.poisoning.is_empty() {
        seats.push("Poisoning: a platform that holds its own rows, its own update, the public grid, and no other platform's anything.".to_owned());
    }
    seats
}
