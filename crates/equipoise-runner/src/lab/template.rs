//! `new TEMPLATE`: a commented experiment file to start from. The templates are the experiments themselves, built in.

use super::Said;
use crate::config::nearest;
use crate::fault::{Fault, config, runtime};
use serde_json::json;
use std::path::Path;

macro_rules! templates {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../../../experiments/", $name, ".toml")))),*]
    };
}

/// Name and text.
pub(super) const TEMPLATES: &[(&str, &str)] = templates![
    "accounts-needed" "aggregation-cost" "aggregators" "alike" "asynchronous" "burden" "byzantine" "calibration" "compression" "contacts-worth" "contribution" "devices" "dropout" "encryption"
    "faults" "federation-gap" "heterogeneity" "loop-scores" "losses" "models" "no-reports" "null" "oracle-labels" "oracle-matched" "permuted"
    "privacy-frontier" "quickstart" "risk-fusion" "sealed-noise" "sequence-vs-row" "servers" "skew" "smoke/smoke" "top-k" "two-levels" "who-must-join"
];

/// Writes a template under the name of the file, which is never written over.
pub(super) fn new(template: &str, out: &Path) -> Result<Said, Fault> {
    let names: Vec<&str> = TEMPLATES.iter().map(|(name, _)| *name).collect();
    let (_, text) = TEMPLATES.iter().find(|(name, _)| *name == template).ok_or_else(|| {
        let meant =
            nearest(template, &names).map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
        config(format!("there is no template `{template}`{meant}\n  templates: {}", names.join(", ")))
    })?;
    let own = template.rsplit('/').next().unwrap_or(template);
    let stem = out.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let name: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let text = text.replacen(&format!("name = \"{own}\""), &format!("name = \"{name}\""), 1);
    if out.exists() {
        return Err(config(format!("{}: exists already; choose another name", out.display())));
    }
    equipoise_store::write_atomic(out, text.as_bytes()).map_err(runtime)?;
    let table: toml::Table = toml::from_str(&text).map_err(runtime)?;
    let dataset = table["world"]["dataset"].as_str().unwrap_or_default();
    let mut said = format!("{}: written\n", out.display());
    if !out.parent().unwrap_or(Path::new(".")).join(dataset).exists() {
        said += &format!(
            "mend `dataset = \"{dataset}\"` in it: the path is relative to the file, and there is nothing\n"
        );
    }
    said += &format!("next: equipoise check {}\n", out.display());
    Ok(Said::new(said, json!({ "file": out, "template": template })))
}
