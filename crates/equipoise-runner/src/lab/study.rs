//! A study (`policy run`, `audit run`) handed on and made again: its bundle holds the files that it read, placed as they were to each
//! other, so that the same verb plays them anywhere; what comes out is held against what was published, part by part.

use super::bundle::{Run, bytes, crated, drawn, without_clocks};
use super::compare::differences;
use super::reproduce::{json_member, judged, not_what_was_exported, said};
use super::zip::Members;
use super::{Said, value};
use crate::fault::{Fault, config, runtime};
use crate::study::{INPUTS, Kept, Kind, STUDY, Study};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Where a study's numbers lie.
pub(super) const RESULT: &str = "result.json";

/// What is written down of the study in a directory.
pub(super) fn kept(dir: &Path) -> Result<Kept, Fault> {
    equipoise_store::read_json(&dir.join(STUDY))
        .map_err(|error| config(format!("{error}\n  mend: run its file again; what is there is taken over")))
}

/// Question, headline, where it came from.
pub(super) fn show(dir: &Path) -> Result<Said, Fault> {
    let (kept, hash) = (kept(dir)?, crate::study::hash(dir)?);
    let provenance = value(&dir.join("provenance.json")).unwrap_or(Value::Null);
    let report = String::from_utf8_lossy(&bytes(&dir.join("report.md"))?).into_owned();
    let bold = |line: &&str| line.starts_with("**") && line.ends_with("**");
    let headline = report.lines().find(bold).unwrap_or_default().trim_matches('*').replace('\\', "");
    let about = &kept.about;
    let mut text = format!("{}\n{}\n{headline}\n", dir.display(), about.question);
    let _ = writeln!(text, "{} study, {} worlds, seed {}", about.kind.name(), about.worlds, about.seed);
    for key in ["version", "commit", "uncommitted_changes", "processor", "threads"] {
        let word = provenance[key].as_str().map_or_else(|| provenance[key].to_string(), str::to_owned);
        let _ = writeln!(text, "{}: {word}", key.replace('_', " "));
    }
    let _ = writeln!(text, "report: {}\nhash: {hash}", dir.join("report.html").display());
    let result = value(&dir.join(RESULT))?;
    Ok(Said::new(
        text,
        json!({ "run": dir, "hash": hash, "study": kept, "result": result, "provenance": provenance }),
    ))
}

/// Everything that its archive holds.
pub(super) fn members(dir: &Path) -> Result<Members, Fault> {
    let kept = kept(dir)?;
    let mut members = Members::new();
    for name in [STUDY, RESULT] {
        members.insert(name.to_owned(), bytes(&dir.join(name))?);
    }
    drawn(dir, &mut members)?;
    let inputs = std::fs::canonicalize(dir.join(INPUTS)).map_err(runtime)?;
    let mut names = Vec::new();
    for file in crate::study::sources(&inputs.join(&kept.file))? {
        let place = file.strip_prefix(&inputs).map_err(|_| {
            config(format!(
                "{}: it names {} by a path that means another file elsewhere; name it relative to the file, run again, then export",
                kept.file,
                file.display()
            ))
        })?;
        let name = format!("{INPUTS}/{}", place.to_string_lossy());
        members.insert(name.clone(), bytes(&file)?);
        names.push(name);
    }
    // An archive that would not give its own study back is not written.
    let again = Ready::load(kept.about.kind, &inputs.join(&kept.file), Some(kept.about.worlds))?;
    if again.study()?.id != kept.about.id {
        return Err(config(format!(
            "{}: this version makes another study of its files; run it again, then export",
            dir.display()
        )));
    }
    let mut provenance = without_clocks(dir);
    if let Some(map) = provenance.as_object_mut() {
        map.insert("worlds".into(), kept.about.worlds.into());
    }
    let about = Run {
        name: kept.about.name,
        question: kept.about.question,
        id: kept.about.id,
        inputs: names,
        numbers: RESULT,
    };
    crated(&mut members, &about, provenance)?;
    Ok(members)
}

/// Plays a study's file; where its results lie. What is finished there already is not played again.
pub(super) fn play(file: &Path, runs: &Path, quiet: bool) -> Result<PathBuf, Fault> {
    Ready::load(Kind::of(file)?, file, None)?.play(file, quiet, runs)
}

/// A study's file, read and checked.
enum Ready {
    Policy(Box<crate::policy::Again>),
    Audit(Box<crate::audit::Again>),
}

impl Ready {
    /// On so many worlds, or as many as it says; an audit's file always says it.
    fn load(kind: Kind, file: &Path, worlds: Option<u32>) -> Result<Self, Fault> {
        match kind {
            Kind::Policy => {
                crate::policy::Again::load(file, worlds).map(|again| Self::Policy(Box::new(again)))
            }
            Kind::Audit => crate::audit::Again::load(file).map(|again| Self::Audit(Box::new(again))),
        }
    }

    fn study(&self) -> Result<Study, Fault> {
        match self {
            Self::Policy(again) => again.study(),
            Self::Audit(again) => again.study(),
        }
    }

    fn play(&self, file: &Path, quiet: bool, runs: &Path) -> Result<PathBuf, Fault> {
        match self {
            Self::Policy(again) => again.play(file, quiet, runs),
            Self::Audit(again) => again.play(file, quiet, runs),
        }
    }
}

/// Plays a bundle's study again in `scratch`: what its inputs came down to, then each part of its result.
pub(super) fn reproduce(members: &Members, scratch: &Path, quiet: bool) -> Result<Said, Fault> {
    let kept: Kept = serde_json::from_value(json_member(members, STUDY)?)
        .map_err(|error| config(format!("{STUDY}: {error}; export the bundle again")))?;
    let inputs = scratch.join(INPUTS);
    for (name, bytes) in members.iter().filter_map(|(name, bytes)| {
        let place = name.strip_prefix(INPUTS)?.strip_prefix('/')?;
        Some((inputs.join(place), bytes))
    }) {
        std::fs::create_dir_all(name.parent().unwrap_or(&inputs)).map_err(runtime)?;
        std::fs::write(&name, bytes).map_err(runtime)?;
    }
    let file = inputs.join(&kept.file);
    let root = std::fs::canonicalize(&inputs).map_err(runtime)?;
    if let Some(outside) = crate::study::sources(&file)?.iter().find(|file| !file.starts_with(&root)) {
        return Err(config(format!(
            "{}: it names {}, which the bundle does not hold",
            kept.file,
            outside.display()
        )));
    }
    let runs = scratch.join("runs");
    // What the inputs come down to, key by key, before any work: an edited file is named by its key, not by the numbers that move with it.
    let ready = Ready::load(kept.about.kind, &file, Some(kept.about.worlds))?;
    // Through text, as the published one went.
    let again = serde_json::to_string(&ready.study()?).map_err(runtime)?;
    let again: Value = serde_json::from_str(&again).map_err(runtime)?;
    let wrong = said("study", differences(&json_member(members, STUDY)?["study"], &again));
    if !wrong.is_empty() {
        return Ok(not_what_was_exported("the bundle", wrong));
    }
    let dir = ready.play(&file, quiet, &runs)?;
    Ok(judged(&parts(&json_member(members, RESULT)?), &parts(&value(&dir.join(RESULT))?)))
}

/// A result's parts: each key, and of a list each entry.
fn parts(result: &Value) -> BTreeMap<String, Value> {
    let mut parts = BTreeMap::new();
    for (key, value) in result.as_object().into_iter().flatten() {
        match value.as_array() {
            Some(entries) if !entries.is_empty() => {
                for (at, entry) in entries.iter().enumerate() {
                    parts.insert(format!("{key} {at}"), entry.clone());
                }
            }
            _ => {
                parts.insert(key.clone(), value.clone());
            }
        }
    }
    parts
}
