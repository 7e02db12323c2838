//! Which tables a report has, each filled once from the data.

pub(super) use super::contents_trust::{costs, explanations, fusions, ledger, released, seats};
use super::data::{ArmReport, Estimate, ReportData, Section};
use super::figure_front::{level, percent};
use super::numbers::{
    count, difference_words, epsilon_words, estimate_words, interval_mark, mark_words, optional, p_words,
    plain,
};
use super::tables::Table;
use super::words::{arm_label, arm_words, metric_label, reading, verdict_words};

pub(super) fn yes(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

/// The arms with the pre-registered metric.
pub(super) fn arms(data: &ReportData) -> Table {
    let head = format!("#{} (pre-registered)", metric_label(data, &data.primary));
    let title = "Arms, in the order of the ladder: mean [95% interval] over seeds";
    let mut table = Table::new("arms", title, &["Arm", "Role", "#Epsilon", &head]);
    for arm in &data.arms {
        let role = format!("{:?}", arm.role).to_lowercase();
        table.push(vec![arm.label.clone(), role, epsilon_words(arm.epsilon), arm_words(arm, &data.primary)]);
    }
    table
}

/// All metrics of one section, an arm a row.
pub(super) fn metrics(data: &ReportData, section: Section, id: &str, title: &str) -> Option<Table> {
    let shown: Vec<_> =
        data.metrics.iter().filter(|m| m.section == section && m.name != data.primary).collect();
    if shown.is_empty() || data.arms.is_empty() {
        return None;
    }
    let heads: Vec<String> = std::iter::once("Arm".to_owned())
        .chain(shown.iter().map(|m| format!("#{}{}", m.label, unit_in_brackets(&m.unit))))
        .collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let mut table = Table::new(id, title, &heads);
    for arm in &data.arms {
        let values = shown.iter().map(|m| arm_words(arm, &m.name));
        table.push(std::iter::once(arm.label.clone()).chain(values).collect());
    }
    Some(table)
}

fn unit_in_brackets(unit: &str) -> String {
    if unit.is_empty() { String::new() } else { format!(" ({unit})") }
}

/// What each metric means.
pub(super) fn definitions(data: &ReportData) -> Table {
    let title =
        "Metrics; each also counted per person: highest score, first identification, all accounts together";
    let mut table = Table::new("metrics", title, &["Metric", "Unit", "Better", "Status", "Definition"]);
    for m in data.metrics.iter().filter(|m| !m.name.ends_with("-per-person")) {
        let better = if m.higher_is_better { "higher" } else { "lower" };
        let status = if m.name == data.primary { "pre-registered" } else { "exploratory" };
        table.push(vec![
            m.label.clone(),
            m.unit.clone(),
            better.to_owned(),
            status.to_owned(),
            m.definition.clone(),
        ]);
    }
    table
}

/// Every paired difference.
pub(super) fn comparisons(data: &ReportData) -> Table {
    let heads =
        ["Comparison", "Metric", "Step", "#Difference [95% interval]", "Reading", "#Holm p", "Status"];
    let mut table = Table::new("comparisons", "Paired differences, seed by seed", &heads);
    for c in &data.comparisons {
        let status = if c.metric == data.primary { "pre-registered" } else { "exploratory" };
        table.push(vec![
            format!("{} − {}", arm_label(data, &c.a), arm_label(data, &c.b)),
            metric_label(data, &c.metric),
            c.share.clone().unwrap_or_else(|| "–".to_owned()),
            difference_words(&c.difference),
            verdict_words(c).to_owned(),
            c.p_holm.map_or_else(|| "–".to_owned(), |p| p_words(p).trim_start_matches("= ").to_owned()),
            status.to_owned(),
        ]);
    }
    table
}

/// What each arm claims, a line each; the cards hold the rest.
pub(super) fn claims(data: &ReportData) -> Table {
    let heads = [
        "Arm",
        "Unit",
        "#Epsilon",
        "#Delta",
        "#Noise multiplier",
        "#Sampling rate",
        "#Rounds charged",
        "#Rows a unit reaches",
        "#Clip norm",
    ];
    let mut table = Table::new("claims", "Privacy claims", &heads);
    for card in &data.cards {
        let counted = |number: Option<u64>| number.map_or_else(|| "–".to_owned(), count);
        table.push(vec![
            arm_label(data, &card.arm).to_owned(),
            card.unit.clone(),
            epsilon_words(card.epsilon),
            optional(card.delta),
            optional(card.noise_multiplier),
            optional(card.sampling_rate),
            counted(card.steps),
            counted(card.rows),
            optional(card.clip_norm),
        ]);
    }
    table
}

/// Who is on the front.
pub(super) fn front(data: &ReportData) -> Table {
    let (safety, burden) = (metric_label(data, &data.primary), metric_label(data, &data.front_burden));
    let heads = [
        "Arm",
        "Privacy",
        &format!("#{safety}"),
        &format!("#{burden}"),
        "On the front of means",
        "#In draws of the worlds",
    ];
    let mut table = Table::new("front", "The front of safety, burden and privacy", &heads);
    for row in &data.front {
        let words = |metric: &str| {
            let arm = data.arms.iter().find(|arm| arm.id == row.arm);
            arm.map_or_else(|| "not assessable (no such arm)".to_owned(), |arm| arm_words(arm, metric))
        };
        table.push(vec![
            arm_label(data, &row.arm).to_owned(),
            level(row.epsilon),
            words(&data.primary),
            words(&data.front_burden),
            yes(row.on_front),
            percent(row.membership),
        ]);
    }
    table
}

/// How much of the learning share federated arms close.
pub(super) fn closed(data: &ReportData) -> Table {
    let heads = ["Arm", "Metric", "#Share closed [95% interval]", "Status"];
    let title = "Of the step from local only to pooled, unlinked: the share that federating closes (ratio of means, Fieller interval)";
    let mut table = Table::new("closed", title, &heads);
    for row in &data.closed {
        let status = if row.metric == data.primary { "pre-registered" } else { "exploratory" };
        table.push(vec![
            arm_label(data, &row.arm).to_owned(),
            metric_label(data, &row.metric),
            estimate_words(&row.share),
            status.to_owned(),
        ]);
    }
    table
}

/// What calibration did.
pub(super) fn calibration(data: &ReportData) -> Table {
    let heads =
        ["Arm", "Map, by world", "#Held-out rows", "#of them positive", "Metric", "#Before", "#After"];
    let title =
        "Calibration on held-out persons of the training side (queues are sorted by the score itself)";
    let mut table = Table::new("calibration", title, &heads);
    for row in &data.calibration {
        table.push(vec![
            arm_label(data, &row.arm).to_owned(),
            row.map.clone(),
            count(row.held_out.0),
            count(row.held_out.1),
            metric_label(data, &row.metric),
            estimate_words(&row.before),
            estimate_words(&row.after),
        ]);
    }
    table
}

/// The gap by simulated pattern.
pub(super) fn patterns(data: &ReportData) -> Table {
    let heads = [
        "Pattern",
        "Arm",
        "#Persons",
        "#Alone",
        "#With the arm",
        "#Difference [95% interval]",
        "Reading",
        "#Share of the gap closed",
    ];
    let title = format!(
        "The gap by simulated pattern: {} of each, beside training alone (exploratory)",
        metric_label(data, &data.primary)
    );
    let mut table = Table::new("patterns", &title, &heads);
    for row in &data.patterns {
        table.push(vec![
            row.pattern.replace('-', " "),
            arm_label(data, &row.arm).to_owned(),
            count(row.persons),
            estimate_words(&row.alone),
            estimate_words(&row.value),
            difference_words(&row.difference),
            reading(&row.difference, row.verdict).to_owned(),
            row.closed.as_ref().map_or_else(|| "–".to_owned(), estimate_words),
        ]);
    }
    table
}

/// What each platform adds.
pub(super) fn coalitions(data: &ReportData) -> Table {
    let heads = ["Platform", "#Shapley value [95% interval]", "#Lost if it alone abstains [95% interval]"];
    let title = format!(
        "Who must join: what each platform adds to {} over all accounts",
        metric_label(data, &data.primary)
    );
    let mut table = Table::new("coalitions", &title, &heads);
    for row in &data.coalitions {
        table.push(vec![row.platform.clone(), difference_words(&row.share), difference_words(&row.missed)]);
    }
    table
}

/// What each group bears under each arm.
pub(super) fn burden(data: &ReportData) -> Table {
    let heads = [
        "Group",
        "Arm",
        "#Accounts",
        "#Identified for review (count)",
        "#Restrictions per 10,000 account days",
    ];
    let mut table = Table::new("burden", "Burden on accounts without a harmful pattern", &heads);
    for (arm, row) in data.arms.iter().flat_map(|arm| arm.burden.iter().map(move |row| (arm, row))) {
        let reviewed = row.reviewed.filter(|v| v.is_finite());
        let interval = row.restricted_per_10k_days.and_then(interval_mark);
        table.push(vec![
            row.group.clone(),
            arm.label.clone(),
            count(row.accounts),
            reviewed.map_or_else(|| "not assessable".to_owned(), plain),
            interval.map_or_else(|| "not assessable (no interval)".to_owned(), mark_words),
        ]);
    }
    table
}

/// The pre-registered metric cut by platform or by archetype: one column a cut.
pub(super) fn slices(
    data: &ReportData,
    id: &str,
    title: &str,
    of: impl Fn(&ArmReport) -> &Vec<(String, Estimate)>,
) -> Option<Table> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in data.arms.iter().flat_map(&of) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    if names.is_empty() {
        return None;
    }
    let heads: Vec<String> =
        std::iter::once("Arm".to_owned()).chain(names.iter().map(|n| format!("#{n}"))).collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let mut table = Table::new(id, title, &heads);
    for arm in data.arms.iter().filter(|arm| !of(arm).is_empty()) {
        let value = |name: &&str| {
            let found = of(arm).iter().find(|(n, _)| n == name);
            found.map_or_else(|| "not assessable (not measured)".to_owned(), |(_, e)| estimate_words(e))
        };
        table.push(std::iter::once(arm.label.clone()).chain(names.iter().map(value)).collect());
    }
    Some(table)
}

/// What befell clients, if anything did.
pub(super) fn outcomes(data: &ReportData) -> Table {
    let heads = ["Arm", "Client", "What", "#Rounds", "#Of"];
    let title =
        "Rounds in which a client did not train as it should or did not answer, over all worlds (counts)";
    let mut table = Table::new("outcomes", title, &heads);
    for row in &data.outcomes {
        table.push(vec![
            arm_label(data, &row.arm).to_owned(),
            row.client.clone(),
            row.what.replace('-', " "),
            count(row.rounds),
            count(row.of),
        ]);
    }
    table
}

/// How settings were chosen. Validation values are single runs and say so.
pub(super) fn tuning(data: &ReportData) -> Table {
    let heads = ["Arm", "Candidate", "#Validation value", "Chosen"];
    let mut table = Table::new("tuning", "Tuning: validation values, each a single run", &heads);
    for row in &data.tuning {
        for (candidate, value) in &row.candidates {
            let shown = value.filter(|v| v.is_finite());
            table.push(vec![
                arm_label(data, &row.arm).to_owned(),
                candidate.clone(),
                shown.map_or_else(
                    || "not assessable (failed)".to_owned(),
                    |v| format!("{} (single run)", plain(v)),
                ),
                if *candidate == row.chosen { "chosen" } else { "" }.to_owned(),
            ]);
        }
    }
    table
}

/// Facts about the data.
pub(super) fn facts(data: &ReportData) -> Table {
    let mut table = Table::new("facts", "The synthetic data", &["Fact", "Value"]);
    for fact in &data.facts {
        table.push(vec![fact.name.clone(), fact.value.parse().map_or_else(|_| fact.value.clone(), count)]);
    }
    if !data.platforms.is_empty() {
        table.push(vec!["platforms by name".to_owned(), data.platforms.join(", ")]);
    }
    table
}

/// The features.
pub(super) fn dictionary(data: &ReportData) -> Table {
    let heads = ["Feature", "Formula", "Unit", "Group", "Platforms", "Reads", "Next to the label"];
    let mut table = Table::new("features", "Feature dictionary", &heads);
    for row in &data.dictionary {
        table.push(vec![
            row.name.clone(),
            row.formula.clone(),
            row.unit.clone(),
            row.group.clone(),
            row.platforms.join(", "),
            row.reads.join(", "),
            yes(row.label_adjacent),
        ]);
    }
    table
}

/// The pre-registered metric, seed by seed.
pub(super) fn per_seed(data: &ReportData) -> Option<Table> {
    let value = |arm: &ArmReport| arm.per_seed.get(&data.primary).cloned().unwrap_or_default();
    let most = data.arms.iter().map(|arm| value(arm).len()).max().filter(|n| *n > 0)?;
    let heads: Vec<String> =
        std::iter::once("Arm".to_owned()).chain((1..=most).map(|i| format!("#Seed {i}"))).collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let title = format!("{}, seed by seed (each cell is a single run)", metric_label(data, &data.primary));
    let mut table = Table::new("per-seed", title, &heads);
    for arm in &data.arms {
        let cell =
            |v: Option<f64>| v.filter(|v| v.is_finite()).map_or_else(|| "not assessable".to_owned(), plain);
        let values = value(arm);
        let cells = (0..most).map(|i| cell(values.get(i).copied().flatten()));
        table.push(std::iter::once(arm.label.clone()).chain(cells).collect());
    }
    Some(table)
}
