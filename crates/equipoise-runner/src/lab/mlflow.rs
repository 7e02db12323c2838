//! `export mlflow`: a file store that `mlflow migrate-filestore` reads (fields as of MLflow 3.17): one MLflow run an arm, one
//! step of a metric a world, the report and its numbers as artifacts.
//!
//! Ids follow from the plan, so exporting twice gives one run. MLflow bakes absolute places of artifacts into its files:
//! name another `--artifact-root` where the store will be read elsewhere.

use super::compare::flatten;
use super::{Said, list, mean, value};
use crate::fault::{Fault, runtime};
use equipoise_store::write_atomic;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

pub(super) fn export(run: &Path, out: &Path, root: Option<&str>) -> Result<Said, Fault> {
    let (plan, metrics) = (value(&run.join("plan.json"))?, value(&run.join("metrics.json"))?);
    let provenance = value(&run.join("provenance.json")).unwrap_or(Value::Null);
    let name = metrics["name"].as_str().unwrap_or_default();
    let store = out.join("mlruns");
    make(&store)?;
    let place = std::fs::canonicalize(&store).map_err(runtime)?;
    let root = root.map_or_else(|| format!("file://{}", place.display()), str::to_owned);
    let experiment = (number(name) % 900_000_000_000_000 + 100_000_000_000_000).to_string();
    let end = provenance["finished_unix"].as_u64().unwrap_or(0) * 1_000;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let spent = (provenance["seconds"].as_f64().unwrap_or(0.0).max(0.0) * 1e3) as u64;
    let start = end.saturating_sub(spent);
    let dir = store.join(&experiment);
    let meta = format!(
        "artifact_location: {}\ncreation_time: {start}\nexperiment_id: '{experiment}'\nlast_update_time: {end}\n\
         lifecycle_stage: active\nname: {}\n",
        quoted(&format!("{root}/{experiment}")),
        quoted(name)
    );
    put(&dir.join("meta.yaml"), &meta)?;
    let plan_id = plan["id"].as_str().unwrap_or_default();
    let mut runs = Vec::new();
    for arm in list(&metrics["arms"]) {
        let arm_id = arm["id"].as_str().unwrap_or_default();
        let id = blake3::hash(format!("{plan_id}/{arm_id}").as_bytes()).to_hex()[..32].to_owned();
        let home = dir.join(&id);
        let commit = provenance["commit"].as_str().unwrap_or_default();
        let run_name = quoted(&format!("{name}/{arm_id}"));
        let meta = format!(
            "artifact_uri: {}\nend_time: {end}\nentry_point_name: ''\nexperiment_id: '{experiment}'\n\
             lifecycle_stage: active\nrun_id: {id}\nrun_name: {run_name}\nsource_name: equipoise\nsource_type: 4\n\
             source_version: {}\nstart_time: {start}\nstatus: 3\ntags: []\nuser_id: equipoise\n",
            quoted(&format!("{root}/{experiment}/{id}/artifacts")),
            quoted(commit)
        );
        put(&home.join("meta.yaml"), &meta)?;
        put(&home.join("tags/mlflow.runName"), &format!("{name}/{arm_id}"))?;
        put(&home.join("tags/mlflow.source.git.commit"), commit)?;
        let mut params = BTreeMap::new();
        let slice = list(&plan["arms"]).iter().find(|planned| planned["id"] == arm["id"]);
        flatten("", slice.map_or(&Value::Null, |arm| &arm["slice"]), &mut params);
        params.insert("plan".into(), plan_id.into());
        for (key, value) in params.iter().filter(|(_, value)| !value.is_null()) {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            put(&home.join("params").join(key), &value)?;
        }
        for (metric, values) in arm["per_seed"].as_object().into_iter().flatten() {
            let mut lines = String::new();
            for (world, value) in list(values).iter().enumerate() {
                if let Some(value) = value.as_f64() {
                    let _ = writeln!(lines, "{end} {value} {world}");
                }
            }
            if !lines.is_empty() {
                put(&home.join("metrics").join(metric), &lines)?;
            }
            if let Some(mean) = mean(&arm["summaries"][metric]) {
                put(&home.join("metrics").join(format!("mean.{metric}")), &format!("{end} {mean} 0\n"))?;
            }
        }
        for file in ["report.html", "metrics.json", "experiment.toml"] {
            if let Ok(bytes) = std::fs::read(run.join(file)) {
                make(&home.join("artifacts"))?;
                write_atomic(&home.join("artifacts").join(file), &bytes).map_err(runtime)?;
            }
        }
        runs.push(json!({ "run": id, "arm": arm_id }));
    }
    let text = format!(
        "{}: experiment {experiment}, {} runs\nread it with: mlflow migrate-filestore --source {} --target sqlite:///mlflow.db\n",
        store.display(),
        runs.len(),
        store.display()
    );
    Ok(Said::new(text, json!({ "store": store, "experiment": experiment, "runs": runs })))
}

/// A number from a name.
fn number(name: &str) -> u64 {
    blake3::hash(name.as_bytes()).as_bytes()[..8].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// A YAML text in single quotation marks.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn make(dir: &Path) -> Result<(), Fault> {
    std::fs::create_dir_all(dir)
        .map_err(|error| Fault::Runtime(format!("{}: {error}; choose another directory", dir.display())))
}

fn put(path: &Path, text: &str) -> Result<(), Fault> {
    make(path.parent().unwrap_or(path))?;
    write_atomic(path, text.as_bytes()).map_err(runtime)
}
