//! Every strategy with its parameters, generated from the registries: what `equipoise describe` prints.

use crate::config::ArmKind;
use crate::report::data::FeatureRow;
use equipoise_features::{FeatureDef, Reads};
use serde::Serialize;

/// One strategy of one registry.
#[derive(Clone, Debug, Serialize)]
pub struct Strategy {
    /// What kind of strategy.
    pub registry: &'static str,
    /// Its name in files.
    pub name: String,
    /// An example of its table.
    pub example: String,
    /// One sentence, where the registry has one.
    pub about: String,
}

/// All strategies, registry by registry.
#[must_use]
pub fn strategies() -> Vec<Strategy> {
    let mut all = Vec::new();
    all.extend(ArmKind::ALL.map(|arm| row("arm", arm.id(), arm.describe())));
    all.extend(
        equipoise_model::ModelSpec::examples().iter().map(|spec| table("model", spec, &spec.describe())),
    );
    all.extend(
        equipoise_model::Loss::examples().iter().map(|spec| table("training.loss", spec, &spec.describe())),
    );
    all.extend(
        equipoise_model::calibration::CalibrationSpec::examples()
            .iter()
            .map(|spec| table("calibration", spec, &spec.describe())),
    );
    all.extend(
        equipoise_encrypted::SchemeSpec::examples()
            .iter()
            .map(|spec| table("aggregation.hidden", spec, &spec.build().leakage().headline)),
    );
    all.extend(
        equipoise_encrypted::fusion::FusionDesign::examples()
            .iter()
            .map(|spec| table("fusion.design", spec, &spec.leakage().headline)),
    );
    all.extend(
        crate::config::FusionFunction::examples()
            .iter()
            .map(|spec| table("fusion.function", spec, spec.describe())),
    );
    all.extend(equipoise_federated::AggregatorSpec::examples().iter().map(|spec| {
        let rule = spec.rule();
        table(
            "aggregation.visible",
            spec,
            &format!("needs at least {} clients in a round", rule.minimum_cohort()),
        )
    }));
    all.extend(
        equipoise_federated::LocalSpec::examples().iter().map(|spec| table("local", spec, &spec.describe())),
    );
    all.extend(
        equipoise_federated::CompressionSpec::examples()
            .iter()
            .map(|spec| table("compression", spec, &spec.describe())),
    );
    all.extend(
        equipoise_privacy::Rounding::examples().iter().map(|spec| table("rounding", spec, spec.describe())),
    );
    all.extend(equipoise_federated::ScheduleSpec::examples().iter().map(|spec| table("schedule", spec, "")));
    all.extend(crate::config::PartitionSpec::examples().iter().map(|spec| table("partition", spec, "")));
    all.extend(equipoise_federated::ServerSpec::examples().iter().map(|spec| table("server", spec, "")));
    all.extend(
        crate::schema::SchemaSpec::examples().iter().map(|spec| table("schema", spec, spec.describe())),
    );
    all.extend(
        crate::config::NoiseSpec::examples().iter().map(|spec| table("privacy.noise", spec, spec.describe())),
    );
    all.extend(equipoise_privacy::MechanismSpec::examples().iter().map(|spec| table("mechanism", spec, "")));
    all.extend(
        equipoise_policy::PolicySpec::examples().iter().map(|spec| table("policy", spec, &spec.describe())),
    );
    all.extend(
        equipoise_attack::InferSpec::examples().iter().map(|spec| table("attack", spec, &spec.describe())),
    );
    all.extend(
        equipoise_attack::PoisonSpec::examples().iter().map(|spec| table("poison", spec, &spec.describe())),
    );
    for metric in equipoise_eval::MetricSpec::examples() {
        let metric = metric.build();
        all.push(row("metric", metric.name(), metric.definition()));
    }
    all
}

fn row(registry: &'static str, name: &str, about: &str) -> Strategy {
    Strategy { registry, name: name.to_owned(), example: String::new(), about: about.to_owned() }
}

/// Externally tagged: the name is the one key of the table, its parameters are the value.
fn table<T: Serialize>(registry: &'static str, spec: &T, about: &str) -> Strategy {
    let value = serde_json::to_value(spec).unwrap_or_default();
    let (name, example) = match &value {
        serde_json::Value::Object(map) => {
            map.iter().next().map_or((String::new(), String::new()), |(k, v)| (k.clone(), v.to_string()))
        }
        serde_json::Value::String(name) => (name.clone(), String::new()),
        other => (other.to_string(), String::new()),
    };
    Strategy { registry, name, example, about: about.to_owned() }
}

/// A feature in the report's words.
#[must_use]
pub fn feature_row(def: &FeatureDef) -> FeatureRow {
    let archetypes = def.archetypes();
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    FeatureRow {
        name: def.name.to_owned(),
        formula: def.formula.to_owned(),
        unit: def.unit.to_owned(),
        group: format!("{:?}", def.group),
        platforms: archetypes.iter().filter_map(|a| serde_json::to_value(a).ok()).map(word).collect(),
        reads: vec![
            match def.reads {
                Reads::Own => "own account",
                Reads::Contacts => "own account and sampled contacts",
            }
            .to_owned(),
        ],
        label_adjacent: def.label_adjacent,
    }
}
