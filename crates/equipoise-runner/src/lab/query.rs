//! Conditions of `ls --where`: comparisons joined by `and`, about an arm of a run.

use crate::fault::{Fault, config};
use serde_json::Value;

/// `key op value`.
#[derive(Debug, PartialEq)]
pub(super) struct Term {
    key: String,
    op: &'static str,
    value: String,
}

/// Longest first, so that `<=` is not read as `<`.
const OPS: [&str; 6] = ["<=", ">=", "!=", "=", "<", ">"];

/// Parses a condition.
///
/// # Errors
/// If a term has no comparison.
pub(super) fn parse(text: &str) -> Result<Vec<Term>, Fault> {
    text.split(" and ")
        .map(|term| {
            let op = OPS.into_iter().filter_map(|op| Some((term.find(op)?, op))).min_by_key(|(at, _)| *at);
            let (at, op) = op.ok_or_else(|| {
                config(format!("--where `{}`: expected key<value, for instance eps<2", term.trim()))
            })?;
            // At one place `<=` stands before `<` in the list.
            let (key, value) = (term[..at].trim(), term[at + op.len()..].trim().trim_matches('"'));
            Ok(Term { key: key.to_owned(), op, value: value.to_owned() })
        })
        .collect()
}

/// Whether all terms hold for an arm of `metrics.json`. `eps` is its epsilon (infinite without a guarantee), `arm` its id,
/// `name` the run's name; every other key is a metric's mean, or a dotted key of the experiment.
pub(super) fn holds(terms: &[Term], metrics: &Value, arm: &Value, experiment: &Value) -> bool {
    terms.iter().all(|term| {
        let has = match term.key.as_str() {
            "eps" | "epsilon" => {
                Some(Value::from(arm["epsilon"].as_f64().map_or("inf".to_owned(), |e| e.to_string())))
            }
            "arm" => Some(arm["id"].clone()),
            "name" => Some(metrics["name"].clone()),
            key => super::mean(&arm["summaries"][key]).map(Value::from).or_else(|| {
                let place = format!("/{}", key.replace('.', "/"));
                experiment.pointer(&place).cloned()
            }),
        };
        has.is_some_and(|has| compare(&has, term.op, &term.value))
    })
}

fn compare(has: &Value, op: &str, wanted: &str) -> bool {
    let text = has.as_str().map_or_else(|| has.to_string(), str::to_owned);
    match (text.parse::<f64>(), wanted.parse::<f64>()) {
        (Ok(has), Ok(wanted)) => match op {
            "<" => has < wanted,
            "<=" => has <= wanted,
            ">" => has > wanted,
            ">=" => has >= wanted,
            "!=" => has.total_cmp(&wanted).is_ne(),
            _ => has.total_cmp(&wanted).is_eq(),
        },
        _ => match op {
            "=" => text == wanted,
            "!=" => text != wanted,
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn terms_compare_numbers_words_and_no_guarantee() {
        let metrics = json!({ "name": "smoke" });
        let arm = json!({ "id": "federated-eps-1", "epsilon": 1.0,
            "summaries": { "recall": { "value": { "mean": 0.2, "low": 0.1, "high": 0.3, "seeds": 2 } } } });
        let free = json!({ "id": "federated", "epsilon": null, "summaries": {} });
        let experiment = json!({ "world": { "persons": 700 } });
        let holds = |text: &str, arm: &Value| holds(&parse(text).unwrap(), &metrics, arm, &experiment);
        assert!(holds("eps<2", &arm) && !holds("eps<2", &free) && holds("eps>1000", &free));
        assert!(holds("eps<=1 and recall>=0.2 and arm=federated-eps-1", &arm));
        assert!(!holds("eps<1", &arm) && holds("world.persons=700", &free) && !holds("nothing=1", &arm));
        assert!(parse("eps").unwrap_err().to_string().contains("expected key<value"));
    }
}
