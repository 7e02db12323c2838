//! `export bundle`: one archive that says what was asked, on which data, by which code, what came out, and that reproduces
//! it: an RO-Crate 1.1 (Soiland-Reyes et al. 2022) whose sums `sha256sum -c` checks.
//!
//! The same run gives the same bytes: the archive has no dates of files, and of the provenance it keeps what is no clock's.
//! The dataset is the world file; the worlds follow from it and the seed, so their hashes stand in `units.json` and their
//! bytes stay at home. Not promised: that a sum proves who wrote it; it shows changes, not authorship.

use super::zip::{self, Members};
use super::{Said, value};
use crate::config::load_on;
use crate::exec::Context;
use crate::fault::{Fault, config, runtime};
use crate::plan::{Plan, Work};
use crate::rundir::OUTSIDE_HASH;
use crate::study::STUDY;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::path::Path;

/// The experiment file, the world file and what was set on the command line.
pub(super) const INPUTS: [&str; 3] = ["experiment.toml", "world.toml", "overrides.json"];
/// The list of sums.
pub(super) const SUMS: &str = "SHA256SUMS";

/// What a crate says of the run that it holds.
pub(super) struct Run {
    pub(super) name: String,
    pub(super) question: String,
    /// The id of its plan or study.
    pub(super) id: String,
    /// Members that it read.
    pub(super) inputs: Vec<String>,
    /// The member that holds its numbers.
    pub(super) numbers: &'static str,
}

pub(super) fn export(run: &Path, out: &Path) -> Result<Said, Fault> {
    let members = if run.join(STUDY).is_file() { super::study::members(run)? } else { members(run)? };
    let bytes = zip::write(&members)?;
    equipoise_store::write_atomic(out, &bytes).map_err(runtime)?;
    let sum = sha256(&bytes);
    let text = format!(
        "{}: {} files, {} bytes\nsha256: {sum}\nreproduce it with: equipoise reproduce {}\n",
        out.display(),
        members.len(),
        bytes.len(),
        out.display()
    );
    Ok(Said::new(text, json!({ "bundle": out, "files": members.len(), "bytes": bytes.len(), "sha256": sum })))
}

/// Everything that the archive holds.
fn members(run: &Path) -> Result<Members, Fault> {
    let plan = crate::rundir::read_plan(run)?;
    let metrics = value(&run.join("metrics.json"))?;
    let mut members = Members::new();
    for name in ["experiment.toml", "plan.json", "metrics.json", "ledger.json"] {
        members.insert(name.to_owned(), bytes(&run.join(name))?);
    }
    drawn(run, &mut members)?;
    let world = plan.units.iter().find_map(|unit| match &unit.work {
        Work::World(slice) => Some(toml::to_string_pretty(&slice.world)),
        _ => None,
    });
    let world = world.ok_or_else(|| config("the plan has no world"))?.map_err(runtime)?;
    let dataset = blake3::hash(world.as_bytes()).to_hex().to_string();
    members.insert("world.toml".into(), world.into_bytes());
    members.insert("overrides.json".into(), pretty(&json!(plan.overrides))?);
    members.insert("units.json".into(), pretty(&units(run, &plan)?)?);
    let provenance = provenance(run, &plan, &dataset);
    let text = |key: &str| metrics[key].as_str().unwrap_or("unknown").to_owned();
    let about = Run {
        name: text("name"),
        question: text("question"),
        id: text("plan_id"),
        inputs: INPUTS.map(str::to_owned).to_vec(),
        numbers: "metrics.json",
    };
    crated(&mut members, &about, provenance)?;
    check_inputs(run, &members, &plan)?;
    Ok(members)
}

/// Adds the texts of a run's report.
pub(super) fn drawn(run: &Path, members: &mut Members) -> Result<(), Fault> {
    for name in ["report.html", "report.md"] {
        members.insert(name.to_owned(), bytes(&run.join(name))?);
    }
    for folder in ["figures", "tables"] {
        for entry in std::fs::read_dir(run.join(folder)).map_err(runtime)? {
            let path = entry.map_err(runtime)?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if !name.starts_with('.') {
                members.insert(format!("{folder}/{name}"), bytes(&path)?);
            }
        }
    }
    Ok(())
}

/// Makes a crate of what a run's members are: adds where they came from, the crate's metadata, and the sums of all.
pub(super) fn crated(members: &mut Members, about: &Run, provenance: Value) -> Result<(), Fault> {
    let crated = crate_metadata(members, about, &provenance);
    let mut stable = provenance;
    if let Some(map) = stable.as_object_mut() {
        map.remove("date");
    }
    members.insert("provenance.json".into(), pretty(&stable)?);
    members.insert("ro-crate-metadata.json".into(), pretty(&crated)?);
    let sums = sums(members);
    members.insert(SUMS.into(), sums.into_bytes());
    Ok(())
}

/// A bundle that would not give its own plan back is not written.
fn check_inputs(run: &Path, members: &Members, plan: &Plan) -> Result<(), Fault> {
    let parent = run.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let scratch = super::scratch::Scratch::new(parent, "bundle")?;
    let again = replan(members, &scratch.0)?;
    if again.id == plan.id {
        return Ok(());
    }
    Err(config(format!(
        "{}: this version makes another plan of the run's experiment ({} instead of {}); run it again, then export",
        run.display(),
        &again.id[..12],
        &plan.id[..12]
    )))
}

/// The plan that a bundle's inputs give.
pub(super) fn replan(members: &Members, scratch: &Path) -> Result<Plan, Fault> {
    let missing = |name: &str| config(format!("the bundle has no `{name}`; export it again"));
    for name in &INPUTS[..2] {
        let bytes = members.get(*name).ok_or_else(|| missing(name))?;
        std::fs::write(scratch.join(name), bytes).map_err(runtime)?;
    }
    let overrides = members.get(INPUTS[2]).ok_or_else(|| missing(INPUTS[2]))?;
    let overrides: Vec<String> = serde_json::from_slice(overrides)
        .map_err(|error| config(format!("overrides.json: {error}; it is a list of key=value")))?;
    let world = scratch.join("world.toml");
    Plan::new(&load_on(&scratch.join("experiment.toml"), &overrides, Some(&world))?)
}

/// What each unit's directory hashes to.
fn units(run: &Path, plan: &Plan) -> Result<Value, Fault> {
    let runs = run.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let silent = crate::progress::Progress::new(true);
    let context = Context::new(plan, runs, &silent);
    let mut rows = Vec::new();
    for unit in &plan.units {
        let dir = context.dir(unit);
        let hash = if context.is_done(unit) {
            Some(equipoise_store::digest_files(&dir, &OUTSIDE_HASH).map_err(runtime)?)
        } else {
            None
        };
        rows.push(json!({ "id": unit.id, "stage": unit.stage, "label": unit.label, "blake3": hash }));
    }
    Ok(rows.into())
}

/// The provenance without clocks; the day of the run stands in it for the crate alone.
fn provenance(run: &Path, plan: &Plan, dataset: &str) -> Value {
    let mut facts = without_clocks(run);
    let first = plan.first();
    if let Some(map) = facts.as_object_mut() {
        map.insert("dataset_blake3".into(), dataset.into());
        map.insert("dataset".into(), first.world.dataset.clone().into());
        map.insert("worlds".into(), first.experiment.seeds.into());
    }
    facts
}

/// A run's provenance with the day instead of clocks.
pub(super) fn without_clocks(run: &Path) -> Value {
    let mut facts = value(&run.join("provenance.json")).unwrap_or_else(|_| json!({}));
    if let Some(map) = facts.as_object_mut() {
        map.remove("seconds");
        let finished = map.remove("finished_unix").and_then(|value| value.as_u64()).unwrap_or(0);
        map.insert("date".into(), day(finished / 86_400).into());
    }
    facts
}

/// The metadata of the crate.
fn crate_metadata(members: &Members, about: &Run, provenance: &Value) -> Value {
    let text = |value: &Value| value.as_str().unwrap_or("unknown").to_owned();
    let id = |name: &str| json!({ "@id": name });
    let parts: Vec<Value> = members.keys().map(|name| id(name)).collect();
    let commit = text(&provenance["commit"]);
    let dirty = provenance["uncommitted_changes"]
        .as_bool()
        .map_or("unknown", |dirty| if dirty { "yes" } else { "no" });
    let results = [about.numbers, "report.html"].map(id);
    let inputs: Vec<Value> = about.inputs.iter().map(|name| id(name)).collect();
    let mut graph = vec![
        json!({ "@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": id("./"),
            "conformsTo": id("https://w3id.org/ro/crate/1.1") }),
        json!({ "@id": "./", "@type": "Dataset", "name": about.name,
            "description": format!("{} Synthetic data; a risk score orders reviews and is never a verdict.", about.question),
            "datePublished": provenance["date"], "license": id("https://creativecommons.org/licenses/by/4.0/"),
            "hasPart": parts, "mentions": id("#run") }),
        json!({ "@id": "#run", "@type": "CreateAction", "name": format!("plan {}", about.id),
            "instrument": id("#equipoise"), "object": inputs, "result": results }),
        json!({ "@id": "#equipoise", "@type": "SoftwareApplication", "name": "Equipoise",
            "softwareVersion": format!("{} (commit {commit}; uncommitted changes: {dirty})", text(&provenance["version"])) }),
    ];
    for (name, bytes) in members {
        let kind = match name.rsplit('.').next().unwrap_or_default() {
            "json" => "application/json",
            "toml" => "application/toml",
            "html" => "text/html",
            "md" => "text/markdown",
            "csv" => "text/csv",
            "svg" => "image/svg+xml",
            _ => "text/plain",
        };
        graph.push(json!({ "@id": name, "@type": "File", "encodingFormat": kind, "contentSize": bytes.len().to_string() }));
    }
    let mut whole = Map::new();
    whole.insert("@context".into(), "https://w3id.org/ro/crate/1.1/context".into());
    whole.insert("@graph".into(), graph.into());
    whole.into()
}

/// `sum, two blanks, name`, a line a member.
pub(super) fn sums(members: &Members) -> String {
    let mut text = String::new();
    for (name, bytes) in members.iter().filter(|(name, _)| *name != SUMS) {
        let _ = writeln!(text, "{}  {name}", sha256(bytes));
    }
    text
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, Fault> {
    std::fs::read(path).map_err(|error| {
        config(format!(
            "{}: {error}; finish the run with `equipoise run` or `equipoise gather`",
            path.display()
        ))
    })
}

fn pretty(value: &Value) -> Result<Vec<u8>, Fault> {
    let mut text = serde_json::to_vec_pretty(value).map_err(runtime)?;
    text.push(b'\n');
    Ok(text)
}

/// The civil date of a day since 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms").
pub(super) fn day(days: u64) -> String {
    let z = days + 719_468;
    let (era, of_era) = (z / 146_097, z % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    format!("{:04}-{month:02}-{day:02}", year + era * 400 + u64::from(month <= 2))
}

#[cfg(test)]
mod tests {
    #[test]
    fn days_are_civil_dates() {
        let dates = [0, 59, 11_016, 20_785].map(super::day);
        assert_eq!(dates, ["1970-01-01", "1970-03-01", "2000-02-29", "2026-11-28"]);
    }
}
