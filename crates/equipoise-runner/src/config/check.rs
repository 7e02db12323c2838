//! What the types of one point alone cannot see: whether its keys fit each other and the world. Each problem begins with the key that mends it.

use super::sweep::Point;
use super::{AggregationSpec, ArmKind, Experiment};
use crate::schema::SchemaSpec;
use equipoise_encrypted::fusion::FusionDesign;
use equipoise_federated::{FaultSpec, LocalSpec, ScheduleSpec, Stragglers};
use equipoise_model::boosted::{Binning, BoostedSpec};
use equipoise_model::calibration::CalibrationSpec;
use equipoise_model::{Loss, Optimiser};
use equipoise_synth::WorldSpec;

/// What the types alone cannot see. Each problem begins with the key that mends it.
pub(super) fn check(point: &Point, world: &WorldSpec) -> Vec<String> {
    let e = &point.experiment;
    let mut problems = Vec::new();
    let mut need = |ok: bool, why: String| {
        if !ok {
            problems.push(why);
        }
    };
    let named = !e.experiment.name.is_empty()
        && e.experiment.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    need(named, "name: a run's name is letters, digits and hyphens".into());
    need(e.experiment.seeds >= 1, "seeds: at least one test world is needed".into());
    need(!e.arms.is_empty(), "arms: at least one arm is needed".into());
    let known = e.evaluation.metrics().iter().any(|metric| metric.name() == e.experiment.primary);
    need(
        known,
        format!("primary: `{}` is not a metric; `equipoise describe` lists them", e.experiment.primary),
    );
    let p = &e.protocol;
    let ascending = p.train_cutoffs.windows(2).all(|pair| pair[0] < pair[1]);
    need(
        !p.train_cutoffs.is_empty() && ascending,
        "train-cutoffs: days must be ascending, at least one".into(),
    );
    let last = p.train_cutoffs.last().copied().unwrap_or(0);
    need(last < p.label_cutoff, "label-cutoff: must lie after the last of `train-cutoffs`".into());
    need(
        p.label_cutoff < u32::from(world.days),
        format!("label-cutoff: must lie before the world ends on day {}", world.days),
    );
    need(p.decision_every >= 1, "decision-every: at least one day".into());
    let share = p.test_share.get();
    need(share > 0.0 && share < 1.0, "test-share: must leave persons on both sides".into());
    need(e.federation.rounds >= 1 && e.privacy.rounds >= 1, "rounds: at least one round".into());
    need(e.federation.weight_levels >= 1, "weight-levels: at least 1".into());
    need(e.privacy.sampling_rate.get() > 0.0, "sampling-rate: must be above 0".into());
    let t = &e.tuning;
    need(!t.learning_rates.is_empty(), "learning-rates: at least one candidate".into());
    need(
        t.learning_rates.len() == t.private_learning_rates.len(),
        "private-learning-rates: every arm gets the same tuning budget, so as many candidates as `learning-rates`".into(),
    );
    let trees = e.arms.iter().any(|arm| arm.grows_trees());
    need(e.trees.is_some() || !trees, "trees: an arm grows trees and the file does not say how".into());
    if let Some(Err(error)) = e.trees.as_ref().map(BoostedSpec::check) {
        need(false, format!("trees: {error}"));
    }
    let binned = e.arms.iter().any(|arm| arm.is_binned());
    need(
        e.binned.is_some() || !binned,
        "binned: an arm bins its features and the file does not say into how many".into(),
    );
    need(e.binned.is_none_or(|binned| binned.bins >= 2), "bins: at least 2".into());
    problems.extend(check_fusion(e, world).err());
    problems.extend(super::unit::check(e, world).err());
    problems.extend(super::noise::check(e).err());
    let mut need = |ok: bool, why: String| {
        if !ok {
            problems.push(why);
        }
    };
    if let Some(calibration) = &e.calibration {
        if let Err(error) = calibration.check() {
            need(false, error.to_string().replacen(' ', ": ", 1));
        }
        need(
            !e.privacy.epsilon.is_finite() || calibration.held_out().is_none(),
            "calibration: a map fitted to rows is a release outside the ledger; with a finite epsilon use `prior-shift` or `none`"
                .into(),
        );
    }
    let apart = e.arms.contains(&ArmKind::FederatedTrees);
    let equal_widths = |trees: &BoostedSpec| {
        matches!(trees.binning, Binning::UniformWidth { .. }) && trees.row_share.get() >= 1.0
    };
    need(
        !apart || e.trees.as_ref().is_none_or(equal_widths),
        "binning: federated trees need `uniform-width` and `row-share = 1.0`; quantiles would need the rows"
            .into(),
    );
    let positive =
        t.learning_rates.iter().chain(&t.private_learning_rates).all(|rate| *rate > 0.0 && rate.is_finite());
    need(positive, "learning-rates: must be positive and finite".into());
    need(t.worlds >= 1, "worlds: at least one development world".into());
    need(e.evaluation.resamples >= 50, "resamples: at least 50".into());
    let observed = f64::from(world.days) - f64::from(p.label_cutoff);
    need(
        // A cut-off after the world's end is said above.
        observed <= 0.0 || (e.evaluation.horizon_days > 0.0 && e.evaluation.horizon_days <= observed),
        format!("horizon-days: must be above 0 and at most the {observed} days after `label-cutoff`"),
    );
    if let Some(release) = e.evaluation.release {
        let accounts = f64::from(world.persons) * world.platform.len() as f64;
        need(
            release.epsilon.is_finite(),
            "evaluation.release.epsilon: finite, or leave `release` out and tell nothing".into(),
        );
        let small = release.delta.get() * accounts <= 1.0;
        need(
            small,
            format!(
                "evaluation.release.delta: above 1/N for {accounts} accounts, so it could publish one whole"
            ),
        );
    }
    if let Err(error) = e.features.validate() {
        problems.push(format!("features: {error}"));
    }
    if let Err(error) = e.federation.quantizer.validate() {
        problems.push(format!("quantizer: {error}"));
    }
    if problems.is_empty() {
        problems.extend(check_model(e).err());
    }
    if problems.is_empty() {
        let columns = columns(e, world);
        problems.extend(check_federation(e, world, columns).err());
        if problems.is_empty() {
            problems.extend(check_sums(e, world, model_columns(e, columns)));
        }
    }
    problems
}

/// What the fusion of scores and the arms say about each other.
fn check_fusion(e: &Experiment, world: &WorldSpec) -> Result<(), String> {
    if !e.arms.iter().any(|arm| arm.fuses()) {
        return Ok(());
    }
    let Some(section) = &e.fusion else {
        return Err("fusion: an arm fuses scores and the file does not say how".into());
    };
    if e.arms.contains(&ArmKind::FusedEncrypted) && section.design == (FusionDesign::Plain {}) {
        return Err("design: `plain` hides nothing; it is the arm `fused-plain`".into());
    }
    if e.calibration.as_ref().is_some_and(|spec| *spec != CalibrationSpec::None {}) {
        return Err(
            "calibration: a fused value is no probability; calibrate in a file without fused arms".into()
        );
    }
    section.check(world.platform.len())
}

/// What the model, its trainer and the arms say about each other.
fn check_model(e: &Experiment) -> Result<(), String> {
    e.model.check_shape().map_err(|error| format!("model: {error}"))?;
    e.model.check_trainer(e.training.trainer).map_err(|error| format!("trainer: {error}"))?;
    if e.privacy.epsilon.is_finite() {
        e.model.check_clipping().map_err(|error| format!("model: {error}"))?;
    }
    let bins = e.model.reads_unit_interval() || e.arms.iter().any(|arm| arm.is_binned());
    if bins && e.schema.unwrap_or_default() != SchemaSpec::default() {
        return Err("schema: public bins hold every column on its own range; use `schema.native`".into());
    }
    if e.model.reads_sequences() {
        if e.features.sequence_length == 0 {
            return Err("sequence-length: a model over sequences needs sequences; at least 1".into());
        }
        if e.arms.contains(&ArmKind::PooledLinked) {
            return Err(
                "arms: `pooled-linked` joins the rows of a person and has no sequence of them; leave it out"
                    .into(),
            );
        }
    }
    Ok(())
}

/// How many columns a row has.
fn columns(e: &Experiment, world: &WorldSpec) -> usize {
    let all = equipoise_features::dictionary(e.features.label_adjacent).into_iter();
    let names: Vec<String> = all.map(|column| column.name.to_owned()).collect();
    let seen = crate::schema::seen_in(world, e.features.label_adjacent);
    let sums = if e.privacy.sums_over_contacts() {
        equipoise_features::contact_columns(e.features.label_adjacent).len()
    } else {
        0
    };
    e.schema.unwrap_or_default().columns(&names, &seen).len() + sums
}

/// How many numbers the model reads at once: of a row of `columns`, or of an event.
fn model_columns(e: &Experiment, columns: usize) -> usize {
    if e.model.reads_sequences() { equipoise_features::Token::COLUMNS } else { columns }
}

/// What the parts of a federation say about each other.
fn check_federation(e: &Experiment, world: &WorldSpec, columns: usize) -> Result<(), String> {
    let section = &e.federation;
    section.partition.check(world.platform.len(), columns)?;
    section.compression.check()?;
    check_choice(e)?;
    check_devices(e)?;
    let layers = e.model.layers(model_columns(e, columns));
    let layers: Vec<_> = layers.iter().map(|layer| layer.offset..layer.end()).collect();
    let rule = section.local.rule();
    rule.check(&layers)?;
    if let Some(faults) = &section.cohort.faults {
        faults.check()?;
        if faults.byzantine.get() > 0.0 && section.poison.is_none() {
            return Err("byzantine: say what these clients do with a `poison`".into());
        }
    }
    if section.schedule != (ScheduleSpec::Synchronous {}) {
        if e.privacy.epsilon.is_finite() {
            return Err(
                "schedule: a finite epsilon is accounted for rounds, so it must be `synchronous`".into()
            );
        }
        if rule.sends() > 1 {
            return Err(format!("local: `{}` broadcasts what a stale client does not have", rule.name()));
        }
    }
    if e.privacy.epsilon.is_finite() && section.partition.members().is_some() {
        return Err("partition: coalitions are studied without a guarantee (`epsilon = \"inf\"`)".into());
    }
    let partial = |faults: &FaultSpec| faults.stragglers == Stragglers::PartialWork;
    if e.privacy.epsilon.is_finite() && section.cohort.faults.as_ref().is_some_and(partial) {
        return Err("stragglers: a clipped sum is one step and has no part to send; use `late`".into());
    }
    let plain = matches!(section.local, LocalSpec::FedAvg(_));
    if e.privacy.epsilon.is_finite() && !plain {
        return Err(format!(
            "local: with a finite epsilon platforms send clipped sums, which `{}` does not",
            rule.name()
        ));
    }
    e.training.check().map_err(|error| error.to_string())?;
    if e.privacy.epsilon.is_finite() && !matches!(e.training.loss, Loss::CrossEntropy {}) {
        return Err(
            "loss: sums of clipped rows, which a finite epsilon asks for, are of `cross-entropy`".into()
        );
    }
    if rule.personal() && !section.partition.is_natural() {
        return Err(format!(
            "local: `{}` scores with each platform's own model, so `partition` must be `platform`",
            rule.name()
        ));
    }
    let bare = matches!(e.training.optimiser, Optimiser::Sgd { momentum } if momentum.abs() < f64::EPSILON);
    if matches!(section.local, LocalSpec::Scaffold(_)) && !bare {
        return Err("local: `scaffold` corrects plain steps; use `optimiser.sgd = { momentum = 0.0 }`".into());
    }
    Ok(())
}

/// Clients that choose their own coordinates: what that cannot be combined with, and why.
fn check_choice(e: &Experiment) -> Result<(), String> {
    let Some(choice) = e.federation.compression.sparsifier() else { return Ok(()) };
    let name = choice.name();
    if e.privacy.epsilon.is_finite() {
        return Err(format!(
            "compression: `{name}` sends what a memory of earlier rounds holds, and no bound on one row bounds that; with a finite \
             epsilon use `none`, `rotation` or `subset`"
        ));
    }
    if matches!(e.aggregation, AggregationSpec::Hidden(_)) {
        return Err(format!(
            "compression: `{name}` picks other coordinates on each platform, and which ones says what its update is about: a hidden sum \
             would have to be told, or send them all; use a visible rule, or `subset`"
        ));
    }
    if e.federation.local.rule().sends() > 1 {
        let rule = e.federation.local.rule().name();
        return Err(format!("compression: `{name}` would delay the control variates of `{rule}`"));
    }
    Ok(())
}

/// Devices inside platforms: what two levels cannot be combined with, and why.
fn check_devices(e: &Experiment) -> Result<(), String> {
    if e.federation.partition.devices().is_none() {
        return Ok(());
    }
    if e.privacy.epsilon.is_finite() {
        return Err("devices: a sum of clipped rows is the same sum on one level; with a finite epsilon use `partition.platform`".into());
    }
    if e.federation.local.rule().sends() > 1 {
        return Err(format!(
            "devices: a platform's control variate is no device's, so `local` cannot be `{}`",
            e.federation.local.rule().name()
        ));
    }
    Ok(())
}

/// Lays out the sums before any crypto: a cohort that a slot cannot hold ends here.
fn check_sums(e: &Experiment, world: &WorldSpec, columns: usize) -> Option<String> {
    if !e.arms.iter().any(|arm| arm.federates()) {
        return None;
    }
    // How many accounts will have rows is not known before the world is made: at most one a person and platform.
    let platforms = u32::try_from(world.platform.len()).ok()?;
    let clients = e.federation.partition.clients(platforms, world.persons.saturating_mul(platforms));
    if e.federation.cohort.minimum > e.federation.cohort.size(clients) {
        return Some(format!("minimum: no round can have {} clients", e.federation.cohort.minimum));
    }
    if let Err(why) = e.federation.schedule.check(clients, &e.federation.cohort) {
        return Some(why);
    }
    if let AggregationSpec::Hidden(scheme) = &e.aggregation {
        let (scheme, minimum) = (scheme.build(), e.federation.cohort.minimum);
        if minimum < scheme.cohort_floor() {
            let (name, floor) = (scheme.name(), scheme.cohort_floor());
            return Some(format!(
                "minimum: a hidden sum of fewer than {floor} clients hides nobody under `{name}`; at least {floor}"
            ));
        }
    }
    match &e.aggregation {
        AggregationSpec::Visible(rule) => {
            let need = rule.rule().minimum_cohort();
            (need > e.federation.cohort.minimum as usize).then(|| {
                format!("minimum: `{}` needs at least {need} clients in a round", rule.rule().name())
            })
        }
        AggregationSpec::Hidden(scheme) => {
            let spec = match crate::sums::vector_spec(e, clients, columns) {
                Ok(spec) => spec,
                Err(why) => return Some(why),
            };
            scheme.build().plan(&spec).err().map(|error| format!("aggregation: {error}"))
        }
    }
}
