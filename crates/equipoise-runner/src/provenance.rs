//! Where a run came from: code, machine, threads. Stands outside the hash, because none of it may change a result.

use crate::fault::{Fault, runtime};
use serde::Serialize;
use std::path::Path;
use std::process::Command;

#[derive(Serialize)]
struct Provenance {
    version: &'static str,
    plan: String,
    commit: Option<String>,
    uncommitted_changes: Option<bool>,
    lockfile_blake3: Option<String>,
    rustc: &'static str,
    processor: Option<String>,
    instruction_sets: Vec<&'static str>,
    threads: usize,
    seed: u64,
    seconds: f64,
    finished_unix: u64,
}

/// Writes `provenance.json`: of a plan, or of a study by its id.
///
/// # Errors
/// If the disk does not take it.
pub fn write(dir: &Path, plan: &str, seed: u64, seconds: f64) -> Result<(), Fault> {
    let provenance = Provenance {
        version: env!("CARGO_PKG_VERSION"),
        plan: plan.to_owned(),
        commit: git(&["rev-parse", "HEAD"]),
        uncommitted_changes: git(&["status", "--porcelain"]).map(|text| !text.is_empty()),
        lockfile_blake3: std::fs::read("Cargo.lock")
            .ok()
            .map(|bytes| blake3::hash(&bytes).to_hex().to_string()),
        rustc: env!("CARGO_PKG_RUST_VERSION"),
        processor: processor(),
        instruction_sets: instruction_sets(),
        threads: rayon::current_num_threads(),
        seed,
        seconds,
        finished_unix: crate::clock::unix_ms() / 1_000,
    };
    equipoise_store::write_json_atomic(&dir.join("provenance.json"), &provenance).map_err(runtime)
}

/// What git says, where there is a git and a repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output =
        Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

pub(crate) fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    text.lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split(':').nth(1))
        .map(|name| name.trim().to_owned())
}

/// The vector instructions that the maths libraries may choose at run time.
pub(crate) fn instruction_sets() -> Vec<&'static str> {
    let mut sets = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        for (name, there) in [
            ("avx2", std::arch::is_x86_feature_detected!("avx2")),
            ("fma", std::arch::is_x86_feature_detected!("fma")),
            ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
            ("avx512ifma", std::arch::is_x86_feature_detected!("avx512ifma")),
        ] {
            if there {
                sets.push(name);
            }
        }
    }
    sets
}
