//! What a report says besides its results: the data, the claims, who saw what, what it cost, what it does not show.

use super::ArmResults;
use super::compare::person_name;
use crate::config::{AggregationSpec, ArmKind, Evaluation, Labels};
use crate::data::WorldMeta;
use crate::exec::{BoundRecord, Context};
use crate::report::data::{
    CostRow, Fact, FeatureRow, LedgerRow, MechanismCard, MetricInfo, ReportData, SeatRow, Section, TuningRow,
};
use equipoise_eval::Unit;
use equipoise_federated::LeakageProfile;
use equipoise_privacy::PrivacyUnit;

pub(super) fn describe(context: &Context<'_>, arms: &[ArmResults<'_>], metas: &[WorldMeta]) -> ReportData {
    let experiment = context.plan.first();
    ReportData {
        name: context.plan.name.clone(),
        question: experiment.experiment.question.clone(),
        plan_id: context.plan.id.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seeds: metas.len(),
        facts: facts(metas, experiment).into_iter().chain(survivors(arms)).collect(),
        prevalence: prevalence(arms),
        primary: experiment.experiment.primary.clone(),
        metrics: metrics(&experiment.evaluation),
        platforms: metas.first().map_or(vec![], |meta| meta.platforms.clone()),
        cards: arms.iter().filter_map(card).collect(),
        seats: seats(context),
        ledger: arms.iter().flat_map(|arm| ledger(arm).into_iter().chain(super::told::ledger(arm))).collect(),
        explanations: arms.iter().flat_map(|arm| super::explanation::rows(arm, metas)).collect(),
        released: arms.iter().filter_map(super::told::row).collect(),
        costs: arms.iter().flat_map(|arm| cost(arm).into_iter().chain(inside(arm))).collect(),
        fusions: arms.iter().filter_map(|arm| super::fusion::row(arm, metas)).collect(),
        outcomes: arms.iter().flat_map(|arm| super::outcomes::rows(arm, metas)).collect(),
        dictionary: dictionary(experiment.features.label_adjacent),
        tuning: arms.iter().filter_map(tuning).collect(),
        limits: limits(arms),
        reproduce: vec![
            again(&context.plan.text, &context.plan.overrides),
            "sha256sum -c SHA256SUMS".to_owned(),
        ],
        ..ReportData::default()
    }
}

/// The command that makes the run again: its file by name where it is one of ours, else the copy that the run keeps; what was set.
fn again(text: &str, overrides: &[String]) -> String {
    let file = crate::lab::file_of(text)
        .map_or_else(|| "experiment.toml".to_owned(), |name| format!("experiments/{name}.toml"));
    let plain = |c: char| c.is_ascii_alphanumeric() || "._=-+,/".contains(c);
    let word = |given: &String| {
        if given.chars().all(plain) { given.clone() } else { format!("'{}'", given.replace('\'', "'\\''")) }
    };
    overrides.iter().fold(format!("equipoise run {file}"), |line, given| line + " --set " + &word(given))
}

/// What no figure of a report shows.
const LIMITS: [&str; 8] = [
    "All data is synthetic. Results hold inside the simulated worlds and say nothing about any real platform or person.",
    "Most rates of the world are assumptions, marked as such in the world file; conclusions were not yet tested against changes of them.",
    "A score is a risk score for ordering reviews, never a verdict; reviews are simulated with fixed error rates.",
    "Harm between minors is not part of the score.",
    "Encryption hides single updates or scores from the seats that the table of seats names, and from nobody else; everybody is taken to be honest but curious.",
    "Decisions do not change the simulated world in this experiment; what a measure prevents is not measured here.",
    "Learning rates were chosen on development worlds with their truth, which a real platform would not have.",
    "Intervals are t intervals over worlds and show chance between worlds, not the uncertainty of the assumptions.",
];

/// What each unit that an arm claims leaves open, before the limits of everything.
fn limits(arms: &[ArmResults<'_>]) -> Vec<String> {
    let mut units: Vec<PrivacyUnit> =
        arms.iter().filter_map(ArmResults::claim).map(|claim| claim.unit).collect();
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
    let total = |counts: &[u32]| counts.iter().map(|&count| u64::from(count)).sum::<u64>();
    let fact = |name: &str, value: String| Fact { name: name.into(), value };
    let labelled = metas.iter().map(|m| u64::from(m.harmful_labelled)).sum::<u64>();
    let harmful = metas.iter().map(|m| u64::from(m.harmful_before_cutoff)).sum::<u64>().max(1);
    let _ = total;
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

fn metrics(evaluation: &Evaluation) -> Vec<MetricInfo> {
    let mut metrics = Vec::new();
    for metric in evaluation.metrics() {
        let name = metric.name();
        let info = MetricInfo {
            name: name.to_owned(),
            label: label(name),
            unit: unit(metric.unit()).to_owned(),
            higher_is_better: metric.higher_is_better(),
            definition: metric.definition().to_owned(),
            section: section(name),
        };
        metrics.push(MetricInfo {
            name: person_name(name),
            label: format!("{} (per person)", info.label),
            definition: format!(
                "{} Counted per person: highest score, first identification, all accounts together.",
                info.definition
            ),
            ..info.clone()
        });
        metrics.push(info);
    }
    metrics.sort_by(|a, b| a.name.cmp(&b.name));
    metrics
}

/// `recall-at-budget` as it begins a line.
fn label(name: &str) -> String {
    let words = name.replace('-', " ");
    let words = words.replace("roc auc", "ROC AUC").replace("rmst ", "mean ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

const fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Share => "share",
        Unit::Index => "index",
        Unit::Days => "days",
        Unit::Children => "children",
        Unit::PerTenThousandAccountDays => "account-days per 10,000",
        Unit::ChildrenPerCase => "children per upheld case",
        Unit::Nats => "nats",
    }
}

fn section(name: &str) -> Section {
    match name {
        _ if name.contains("wrong") || name.contains("false-positive") => Section::Fairness,
        _ if name.contains("recall")
            || name.contains("time")
            || name.contains("contacted")
            || name.contains("proactive")
            || name.contains("precision") =>
        {
            Section::Safety
        }
        _ => Section::Other,
    }
}

fn card(arm: &ArmResults<'_>) -> Option<MechanismCard> {
    let claim = arm.claim()?;
    let privacy = arm.plan.slice.privacy.as_ref()?;
    Some(MechanismCard {
        arm: arm.plan.id.clone(),
        sentence: claim.to_string(),
        unit: word(&claim.unit),
        relation: word(&claim.relation),
        epsilon: Some(claim.epsilon),
        delta: Some(claim.delta.get()),
        adversary: word(&claim.adversary),
        noise_multiplier: Some(claim.noise_multiplier.get()),
        sampling_rate: Some(claim.sampling_rate.get()),
        steps: Some(u64::from(claim.steps)),
        planned: claim.rounds.map(|rounds| u64::from(rounds.planned)),
        opened: claim.rounds.map(|rounds| u64::from(rounds.opened)),
        planned_epsilon: claim.rounds.map(|rounds| rounds.planned_epsilon),
        rows: Some(u64::from(claim.rows)),
        contacts: claim.contribution.map(|bound| u64::from(bound.contacts)),
        survivors: claim.contribution.map(|bound| (bound.kept, bound.of)),
        renyi_epsilon: claim.renyi,
        clip_norm: Some(privacy.clip_norm.get()),
        accountant: claim.accountant.clone(),
        not_protected: claim.not_protected.clone(),
    })
}

fn ledger(arm: &ArmResults<'_>) -> Option<LedgerRow> {
    let trained = arm.plan.slice.arm.federates();
    let claim = arm.claim();
    trained.then(|| LedgerRow {
        release: format!("global model of `{}`, all rounds", arm.plan.id),
        epsilon: claim.map(|claim| claim.epsilon),
        delta: claim.map(|claim| claim.delta.get()),
        unit: claim.map_or_else(|| "none".to_owned(), |claim| word(&claim.unit)),
    })
}

fn seats(context: &Context<'_>) -> Vec<SeatRow> {
    let mut profiles: Vec<LeakageProfile> = Vec::new();
    for arm in &context.plan.arms {
        let profile = if let Some(section) = &arm.slice.fusion {
            section.design.leakage()
        } else if arm.slice.arm == ArmKind::FederatedTrees {
            histograms()
        } else {
            match &arm.slice.aggregation {
                Some(AggregationSpec::Hidden(scheme)) => scheme.build().leakage(),
                Some(AggregationSpec::Visible(rule)) => visible(rule.rule().name()),
                None => continue,
            }
        };
        let section = arm.slice.federation.as_ref();
        let two_levels = section.is_some_and(|section| section.partition.devices().is_some());
        for profile in std::iter::once(profile).chain(two_levels.then(devices)) {
            if !profiles.contains(&profile) {
                profiles.push(profile);
            }
        }
    }
    let row = |profile: &LeakageProfile, view: &equipoise_federated::SeatView| SeatRow {
        scheme: profile.scheme.clone(),
        headline: profile.headline.clone(),
        seat: view.seat.clone(),
        learns: view.learns.clone(),
        reads_single_updates: view.reads_single_updates,
    };
    profiles.iter().flat_map(|profile| profile.seats.iter().map(move |view| row(profile, view))).collect()
}

fn histograms() -> LeakageProfile {
    LeakageProfile::new(
        HISTOGRAMS,
        "Histograms are added in the clear: the server reads, for every leaf, how many rows of each platform lie in each bin, and their gradients.",
        &[
            (
                "server",
                "every platform's histograms, its smallest and largest value of each feature, its numbers of rows and positives",
                true,
            ),
            ("platform", "the splits and leaves that are broadcast", false),
        ],
    )
}

const HISTOGRAMS: &str = "histograms in the clear";

fn visible(rule: &str) -> LeakageProfile {
    LeakageProfile::new(
        rule,
        "Updates are visible so that they can be ranked: the server reads every platform's update.",
        &[
            ("server", "every platform's clipped and quantised update, every round", true),
            ("platform", "the broadcast model only", false),
        ],
    )
}

#[allow(clippy::cast_precision_loss)]
fn cost(arm: &ArmResults<'_>) -> Option<CostRow> {
    if let Some(sent) = arm.trials.iter().flatten().find_map(|trial| trial.record.histograms) {
        return Some(CostRow {
            arm: arm.plan.id.clone(),
            scheme: HISTOGRAMS.to_owned(),
            parameters: 0,
            rounds: sent.sums,
            virtual_time: None,
            upload_bytes_per_platform_round: 8.0 * sent.words as f64 / sent.sums.max(1) as f64,
            bytes_per_parameter: 0.0,
            slots: None,
            width_bits: None,
            noise_headroom_bits: None,
        });
    }
    let scheme = match arm.plan.slice.aggregation.as_ref()? {
        AggregationSpec::Hidden(scheme) => scheme.build().name(),
        AggregationSpec::Visible(rule) => rule.rule().name(),
    };
    let trial = arm.trials.iter().flatten().next()?;
    let opened: Vec<_> = trial.rounds.iter().filter(|round| round.opened).collect();
    let uploads: u64 = opened.iter().map(|round| round.cohort.clients.len() as u64).sum();
    let bytes: u64 = opened.iter().map(|round| round.wire.upload_bytes).sum();
    let each = if uploads == 0 { 0.0 } else { bytes as f64 / uploads as f64 };
    let slots = trial.record.plan.as_ref().filter(|plan| plan.polynomials > 0);
    Some(CostRow {
        arm: arm.plan.id.clone(),
        scheme: scheme.to_owned(),
        parameters: trial.record.parameters,
        rounds: trial.rounds.len() as u64,
        virtual_time: Some(trial.rounds.iter().map(|round| round.cohort.duration).sum())
            .filter(|time: &f64| *time > 0.0),
        upload_bytes_per_platform_round: each,
        bytes_per_parameter: each / trial.record.parameters.max(1) as f64,
        slots: slots.map(|plan| u64::from(plan.slots)),
        width_bits: slots.map(|plan| plan.width_bits),
        noise_headroom_bits: slots.map(|plan| f64::from(plan.delta_log2) - 1.0 - plan.noise_bound_log2),
    })
}

/// What devices sent to their platforms, where platforms hold federations of their own.
#[allow(clippy::cast_precision_loss)]
fn inside(arm: &ArmResults<'_>) -> Option<CostRow> {
    let trial = arm.trials.iter().flatten().next()?;
    let within: Vec<_> = trial.rounds.iter().flat_map(|round| &round.inside).collect();
    let (platforms, bytes) =
        (within.len() as f64, within.iter().map(|inside| inside.upload_bytes).sum::<u64>());
    let devices = within.iter().map(|inside| u64::from(inside.answered)).sum::<u64>();
    (devices > 0).then(|| CostRow {
        arm: arm.plan.id.clone(),
        scheme: format!("{DEVICES} ({:.0} of them a platform and round)", devices as f64 / platforms),
        parameters: trial.record.parameters,
        rounds: trial.rounds.len() as u64,
        virtual_time: None,
        upload_bytes_per_platform_round: bytes as f64 / platforms,
        bytes_per_parameter: bytes as f64 / devices as f64 / trial.record.parameters.max(1) as f64,
        slots: None,
        width_bits: None,
        noise_headroom_bits: None,
    })
}

const DEVICES: &str = "devices to their platform";

fn devices() -> LeakageProfile {
    LeakageProfile::new(
        DEVICES,
        "A platform adds up its own devices in the clear; between platforms the scheme of the aggregation holds.",
        &[
            ("platform", "every clipped and quantised update of its own devices, every round", true),
            ("server", "nothing of a single device beyond what the platforms' aggregation shows", false),
        ],
    )
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

/// The kebab-case word that serde gives an enum.
fn word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_names_what_was_set_and_a_shell_reads_it_back() {
        let text = include_str!("../../../../experiments/smoke/smoke.toml");
        let set = ["world.persons=900".to_owned(), "arms=[\"local-only\", \"it's\"]".to_owned()];
        let wanted = "equipoise run experiments/smoke/smoke.toml --set world.persons=900 \
                      --set 'arms=[\"local-only\", \"it'\\''s\"]'";
        assert_eq!(super::again(text, &set), wanted);
        assert_eq!(super::again("name = 1", &[]), "equipoise run experiment.toml");
    }
}
