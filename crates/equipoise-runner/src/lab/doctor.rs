//! `doctor`: what of this machine matters for a run, and what is wrong with it.

use super::Said;
use crate::fault::Fault;
use serde_json::{Map, Value};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

pub(super) fn doctor(runs: &Path) -> Said {
    let (mut facts, mut wrong) = (Map::new(), Vec::new());
    let mut fact = |name: &str, value: Option<String>| {
        facts.insert(name.to_owned(), value.map_or(Value::Null, Value::from));
    };
    fact("version", Some(env!("CARGO_PKG_VERSION").to_owned()));
    fact("processor", crate::provenance::processor());
    let sets = crate::provenance::instruction_sets();
    fact("instruction sets", Some(sets.join(" ")));
    fact("threads", Some(rayon::current_num_threads().to_string()));
    fact("memory", meminfo("MemTotal:"));
    let available = meminfo("MemAvailable:");
    let short = available.as_deref().and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    if short.is_some_and(|kilobytes| kilobytes < 1_000_000) {
        wrong.push("less than 1 GB of memory is free; lower --threads, or the worlds' persons".to_owned());
    }
    fact("memory available", available);
    let place = runs.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("."));
    fact("disk free", disk_free(place));
    fact("git", output("git", &["--version"]));
    let scratch = super::scratch::Scratch::new(runs, "doctor");
    fact("runs directory", Some(runs.display().to_string()));
    if let Err(fault) = &scratch {
        wrong.push(format!(
            "{}: nothing can be written there ({fault}); choose another --runs",
            runs.display()
        ));
    }
    if cfg!(debug_assertions) {
        wrong.push("this is a debug build and tens of times slower; build with --release".to_owned());
    }
    let mut text = String::new();
    for (name, value) in &facts {
        let _ = writeln!(text, "{name}: {}", value.as_str().map_or_else(|| "unknown".to_owned(), readable));
    }
    if wrong.is_empty() {
        text.push_str("nothing is wrong\n");
    }
    facts.insert("wrong".into(), wrong.clone().into());
    let fault = (!wrong.is_empty()).then(|| Fault::Runtime(wrong.join("\n")));
    Said { text, json: facts.into(), fault }
}

/// Kilobytes of the kernel's tables as a person reads them; anything else as it is.
fn readable(value: &str) -> String {
    let kilobytes = value.strip_suffix(" kB").and_then(|number| number.parse::<f64>().ok());
    kilobytes.map_or_else(|| value.to_owned(), |kilobytes| format!("{:.1} GiB", kilobytes / 1_048_576.0))
}

fn meminfo(key: &str) -> Option<String> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    text.lines().find_map(|line| line.strip_prefix(key)).map(|rest| rest.trim().to_owned())
}

/// The standard library does not ask file systems for their room; `df` does.
fn disk_free(place: &Path) -> Option<String> {
    let text = output("df", &["-Pk", place.to_str()?])?;
    text.lines().nth(1)?.split_whitespace().nth(3).map(|kilobytes| format!("{kilobytes} kB"))
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output =
        Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
