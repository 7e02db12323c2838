//! `equipoise world describe`: every parameter with its source and the checks that hold it, generated from the file.

use super::{Manner, Parameter, Tag, parameters, print_json};
use crate::fault::Fault;
use equipoise_synth::WorldSpec;

/// Prints the table.
pub(super) fn describe(spec: &WorldSpec, manner: Manner<'_>) -> Result<(), Fault> {
    let rows = parameters(spec)?;
    if manner.json {
        return print_json(&rows);
    }
    super::say(&format!("{} persons, {} days, {} platforms", spec.persons, spec.days, spec.platform.len()));
    let width = rows.iter().map(|row| row.key.len()).max().unwrap_or(0);
    for row in &rows {
        let checks = if row.checks.is_empty() { "V21".to_owned() } else { row.checks.join(" ") };
        super::say(&format!(
            "{:<width$}  {:<12} {:<14} {}: {}",
            row.key,
            checks,
            row.tag.word(),
            row.source,
            words(row)
        ));
    }
    let count = |tag: Tag| rows.iter().filter(|row| row.tag == tag).count();
    super::say(&format!(
        "{} parameters: {} cited, {} of our own experiments, {} assumed (held by sweeps, V21, and by nothing else)",
        rows.len(),
        count(Tag::Cited),
        count(Tag::OwnExperiment),
        count(Tag::Assumed)
    ));
    Ok(())
}

fn words(row: &Parameter) -> String {
    row.value.to_string()
}
