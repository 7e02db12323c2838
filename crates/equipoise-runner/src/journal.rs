//! `log.jsonl`: what a run did and when, one JSON object a line, appended, so that a resumed run goes on in the same file.
//!
//! Stands outside every hash. A killed run may leave its last line unfinished; readers skip it.

use crate::fault::{Fault, config};
use equipoise_core::{Observer, RunEvent};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

/// Writes each [`RunEvent`] into the log and hands it on.
#[derive(Debug)]
pub struct Journal<'a, O> {
    next: &'a O,
    file: Mutex<File>,
}

impl<'a, O: Observer> Journal<'a, O> {
    /// Opens `log.jsonl` in a run directory.
    ///
    /// # Errors
    /// If the file cannot be opened: known before work, so a [`Fault::Config`].
    pub fn open(dir: &Path, next: &'a O) -> Result<Self, Fault> {
        let path = dir.join("log.jsonl");
        let file = File::options().create(true).append(true).open(&path).map_err(|error| {
            config(format!(
                "{}: the log cannot be opened ({error}); choose another place with --runs",
                path.display()
            ))
        })?;
        Ok(Self { next, file: Mutex::new(file) })
    }

    fn write(&self, line: &serde_json::Value) {
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // One write a line, so that lines of several threads never mix. A full disk stops the run elsewhere, with a name.
        let _ = file.write_all(format!("{line}\n").as_bytes());
    }
}

impl<O: Observer> Observer for Journal<'_, O> {
    fn on(&self, event: &RunEvent) {
        if let RunEvent::Spent { epsilon, planned } = event {
            self.write(&serde_json::json!({
                "unix-ms": crate::clock::unix_ms(), "event": "spent", "epsilon": epsilon, "planned": planned,
            }));
            return self.next.on(event);
        }
        let (kind, what, count) = match event {
            RunEvent::Started { what, total } => ("started", what, Some(total)),
            RunEvent::Progress { what, done } => ("progress", what, Some(done)),
            RunEvent::Finished { what } => ("finished", what, None),
            _ => ("other", &String::new(), None),
        };
        self.write(&serde_json::json!({
            "unix-ms": crate::clock::unix_ms(), "event": kind, "what": what, "count": count,
        }));
        self.next.on(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::Silent;

    #[test]
    fn a_second_opening_goes_on_where_the_first_ended_and_every_line_is_json() {
        let dir = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            let journal = Journal::open(dir.path(), &Silent).unwrap();
            journal.on(&RunEvent::Started { what: "world".into(), total: 6 });
            journal.on(&RunEvent::Finished { what: "world".into() });
        }
        let text = std::fs::read_to_string(dir.path().join("log.jsonl")).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let events: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
        assert_eq!(events, ["started", "finished", "started", "finished"]);
        assert_eq!(lines[0]["count"], 6);
    }
}
