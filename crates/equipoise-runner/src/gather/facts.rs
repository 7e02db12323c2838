//! What a report says besides its results: the data, and what it does not show; claims, seats, metrics and costs have files of their own.

use super::ArmResults;
use super::cards::{cards, ledger};
use super::costs::{cost, inside};
use super::metrics::metrics;
use super::seats::seats;
use crate::config::Labels;
use crate::data::WorldMeta;
use crate::exec::{BoundRecord, Context};
use crate::report::data::{Fact, FeatureRow, ReportData, TuningRow};
use equipoise_privacy::PrivacyUnit;

pub(super) fn describe(context: &Context<'_>, arms: &[ArmResults<'_>], metas: &[WorldMeta]) -> ReportData {
    let experiment = context.plan.first();
    ReportData {
        name: context.plan.name.clone(),
        question: experiment.experiment.question.clone(),
        plan_id: context.plan.id.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seeds: metas.len(),
        facts: facts(metas, experiment)
            .into_iter()
            .chain(survivors(arms))
            .chain(arms.iter().filter_map(super::promise::full))
            .collect(),
        prevalence: prevalence(arms),
        primary: experiment.experiment.primary.clone(),
        metrics: metrics(&experiment.evaluation),
        platforms: metas.first().map_or(vec![], |meta| meta.platforms.clone()),
        cards: arms.iter().flat_map(cards).collect(),
        promises: super::promise::lines(arms),
        seats: seats(context),
        ledger: arms
            .iter()
            .flat_map(|arm| {
                super::promise::sums(arm).into_iter().chain(ledger(arm)).chain(super::told::ledger(arm))
            })
            .collect(),
        explanations: arms.iter().flat_map(|arm| super::explanation::rows(arm, metas)).collect(),
        released: arms.iter().filter_map(super::told::row).collect(),
        costs: arms.iter().flat_map(|arm| cost(arm).into_iter().chain(inside(arm))).collect(),
        fusions: arms.iter().filter_map(|arm| super::fusion::row(arm, metas)).collect(),
        outcomes: arms.iter().flat_map(|arm| super::outcomes::rows(arm, metas)).collect(),
        dictionary: dictionary(experiment.features.label_adjacent),
        tuning: arms.iter().filter_map(tuning).collect(),
        limits: limits(arms),
        reproduce: again(&context.plan.text, &context.plan.overrides)
            .into_iter()
            .chain(["sha256sum -c SHA256SUMS".to_owned()])
            .collect(),
        ..ReportData::default()
    }
}

/// The command that makes the run again: its file by name where it is one of ours, else the copy that the run keeps, and where that
/// must lie; what was set.
fn again(text: &str, overrides: &[String]) -> Vec<String> {
    let ours = crate::lab::file_of(text);
    let file = ours.map_or_else(|| "experiment.toml".to_owned(), |name| format!("experiments/{name}.toml"));
    let plain = |c: char| c.is_ascii_alphanumeric() || "._=-+,/".contains(c);
    let word = |given: &String| {
        if given.chars().all(plain) { given.clone() } else { format!("'{}'", given.replace('\'', "'\\''")) }
    };
    let command =
        overrides.iter().fold(format!("equipoise run {file}"), |line, given| line + " --set " + &word(given));
    let copy = "# the copy of experiment.toml here, put back beside the original: its `dataset` is a path from there";
    ours.is_none().then(|| copy.to_owned()).into_iter().chain([command]).collect()
}

/// What no figure of a report shows.
const LIMITS: [&str; 8] = [
    "All data is synthetic. Results hold inside the simulated worlds and say nothing about any real platform or person.",
    "Most rates of the world are assumptions, marked as such in the world file. A conclusion holds for them; `equipoise stability` asks how far it holds around them.",
    "A score is a risk score for ordering reviews, never a verdict; reviews are simulated with fixed error rates.",
    "Harm between minors is not part of the score.",
    "Encryption hides single updates or scores from the seats that the table of seats names, and from nobody else; everybody is taken to be honest but curious.",
    "Decisions do not change the simulated world in this experiment; what a measure prevents is not measured here.",
    "Learning rates were chosen on development worlds with their truth, which a real platform would not have.",
    "Intervals are t intervals over worlds and show chance between worlds, not the uncertainty of the assumptions.",
];

/// What each unit that an arm claims leaves open, before the limits of everything.
fn limits(arms: &[ArmResults<'_>]) -> Vec<String> {
    let mut units: Vec<PrivacyUnit> = arms
        .iter()
        .flat_map(|arm| arm.claim().into_iter().chain(arm.also()))
        .map(|claim| claim.unit)
        .collect();
    units.sort_unstable();
    units.dedup();
    let of = |unit: &PrivacyUnit| {
        format!(
            "The guarantee for {} (unit {}) holds against whoever receives the released model. It does not protect {}.",
            unit.noun(),
            unit.name(),
            unit.does_not_protect()
        )
    };
    let own: Vec<String> = units.iter().map(of).collect();
    let none = own.is_empty().then(|| "No arm has a privacy guarantee.".to_owned());
    own.into_iter().chain(none).chain(LIMITS.map(str::to_owned)).collect()
}

/// How many rows bounding an account's contribution left. The bound is the same for all arms of one K and m.
fn survivors(arms: &[ArmResults<'_>]) -> Vec<Fact> {
    let mut facts: Vec<Fact> = Vec::new();
    for arm in arms {
        let records: Vec<_> = arm.trials.iter().flatten().filter_map(|trial| trial.record.bound).collect();
        let Some(first) = records.first() else { continue };
        let total = |of: fn(&BoundRecord) -> u64| records.iter().map(of).sum::<u64>();
        let share = |part: u64, of: u64| format!("{part} of {of}");
        let name = format!(
            "rows that K = {}, m = {} keeps, all worlds (with a positive label)",
            first.bound.rows_per_account, first.bound.contacts
        );
        let value = format!(
            "{} ({})",
            share(total(|r| r.bound.kept), total(|r| r.bound.of)),
            share(total(|r| r.positives_kept), total(|r| r.positives))
        );
        let fact = Fact { name, value };
        if !facts.contains(&fact) {
            facts.push(fact);
        }
    }
    facts
}

#[allow(clippy::cast_precision_loss)]
fn facts(metas: &[WorldMeta], experiment: &crate::config::Experiment) -> Vec<Fact> {
    let mean = |of: fn(&WorldMeta) -> u64| {
        let sum: u64 = metas.iter().map(of).sum();
        sum as f64 / metas.len().max(1) as f64
    };
    let fact = |name: &str, value: String| Fact { name: name.into(), value };
    let labelled = metas.iter().map(|m| u64::from(m.harmful_labelled)).sum::<u64>();
    let harmful = metas.iter().map(|m| u64::from(m.harmful_before_cutoff)).sum::<u64>().max(1);
    vec![
        fact("worlds", metas.len().to_string()),
        fact("persons in a world", experiment.world.persons.to_string()),
        fact("observed days", experiment.world.days.to_string()),
        fact("platforms", metas.first().map_or(String::new(), |meta| meta.platforms.join(", "))),
        fact(
            "accounts in a world (mean)",
            format!("{:.0}", mean(|m| m.accounts.iter().map(|&n| u64::from(n)).sum())),
        ),
        fact(
            "tested accounts in a world (mean)",
            format!("{:.0}", mean(|m| m.tested.iter().map(|&n| u64::from(n)).sum())),
        ),
        fact("events in a world (mean)", format!("{:.0}", mean(|m| m.events))),
        fact(
            "training rows in a world (mean)",
            format!("{:.0}", mean(|m| m.rows.iter().map(|&n| u64::from(n)).sum())),
        ),
        fact(
            "of them with a positive label (mean)",
            format!("{:.1}", mean(|m| m.positives.iter().map(|&n| u64::from(n)).sum())),
        ),
        fact(
            "simulated harmful accounts that had a positive label at the cut-off",
            format!("{:.1} %", 100.0 * labelled as f64 / harmful as f64),
        ),
        fact(
            "wrong positive labels in a world (mean)",
            format!("{:.1}", mean(|m| u64::from(m.wrongly_labelled))),
        ),
        fact(
            "training labels",
            match experiment.protocol.labels {
                Labels::PlatformKnown => "what each platform knew: late, incomplete, partly wrong".into(),
                Labels::Truth => "truth: an oracle that nobody has".into(),
                Labels::Permuted => {
                    "dealt anew within each platform, and the truth of tested accounts too: a control".into()
                }
            },
        ),
        fact("features", metas.first().map_or(0, |meta| meta.columns.len()).to_string()),
        fact("contacts that one row may read", experiment.features.max_contacts.to_string()),
        fact("reviews a day", format!("{} of tested accounts", experiment.evaluation.review_budget)),
    ]
}

#[allow(clippy::cast_precision_loss)]
fn prevalence(arms: &[ArmResults<'_>]) -> Option<f64> {
    let trials: Vec<_> = arms.first()?.trials.iter().flatten().collect();
    let cases: usize = trials.iter().map(|trial| trial.cases.len()).sum();
    let harmful = trials.iter().flat_map(|trial| &trial.cases).filter(|case| case.harmful).count();
    (cases > 0).then(|| harmful as f64 / cases as f64)
}

fn dictionary(label_adjacent: bool) -> Vec<FeatureRow> {
    equipoise_features::dictionary(label_adjacent).iter().map(crate::describe::feature_row).collect()
}

fn tuning(arm: &ArmResults<'_>) -> Option<TuningRow> {
    let record = arm.tune.as_ref()?;
    Some(TuningRow {
        arm: arm.plan.id.clone(),
        candidates: record.candidates.iter().map(|(rate, value)| (rate.to_string(), *value)).collect(),
        chosen: record.chosen.to_string(),
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_names_what_was_set_and_a_shell_reads_it_back() {
        let text = include_str!("../../../../experiments/smoke/smoke.toml");
        let set = ["world.persons=900".to_owned(), "arms=[\"local-only\", \"it's\"]".to_owned()];
        let wanted = "equipoise run experiments/smoke/smoke.toml --set world.persons=900 \
                      --set 'arms=[\"local-only\", \"it'\\''s\"]'";
        assert_eq!(super::again(text, &set), [wanted]);
        let foreign = super::again("name = 1", &[]);
        assert!(foreign[0].starts_with("# ") && foreign[1] == "equipoise run experiment.toml", "{foreign:?}");
    }
}
