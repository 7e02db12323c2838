//! Cache keys: BLAKE3 over the stage's name, the version of its code, the part of the configuration that it reads, and the
//! hashes of its inputs. Not the git commit, or nothing would ever be reused; a golden test guards the scheme.

use crate::StoreError;
use serde::Serialize;
use serde_json::Value;

/// Moves whenever the way of making keys changes.
const SCHEME: &str = "equipoise stage key 1";

/// The key of one stage's result, 64 hexadecimal digits.
///
/// Two configurations have one key exactly if their canonical JSON is the same text: the order of map keys does not matter,
/// the order of list items does. An infinite or undefined float is `null` there, so it must not mean anything by itself.
///
/// # Errors
/// If JSON cannot say the configuration (a map whose keys are neither texts nor numbers).
pub fn stage_key<T: Serialize + ?Sized>(
    stage: &str,
    code_version: &str,
    config: &T,
    inputs: &[&str],
) -> Result<String, StoreError> {
    let config = canonical_json(config).map_err(|error| StoreError::NotJson {
        what: format!("the configuration of stage `{stage}`"),
        why: error.to_string(),
    })?;
    let mut hasher = blake3::Hasher::new();
    let count = inputs.len().to_string();
    for part in [SCHEME, stage, code_version, config.as_str(), count.as_str()].iter().chain(inputs) {
        // A length before each part: no two lists of parts run together into one text.
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// JSON without blanks, with the keys of every map in byte order.
///
/// # Errors
/// If JSON cannot say the value.
pub fn canonical_json<T: Serialize + ?Sized>(value: &T) -> Result<String, serde_json::Error> {
    let mut text = String::new();
    write_canonical(&serde_json::to_value(value)?, &mut text)?;
    Ok(text)
}

fn write_canonical(value: &Value, text: &mut String) -> Result<(), serde_json::Error> {
    match value {
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write_canonical(item, text)?;
            }
            text.push(']');
        }
        Value::Object(map) => {
            // Sorted here, so that no feature of serde_json that keeps insertion order can move a key.
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| key.as_str());
            text.push('{');
            for (at, (key, item)) in entries.into_iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                text.push_str(&serde_json::to_string(key)?);
                text.push(':');
                write_canonical(item, text)?;
            }
            text.push('}');
        }
        leaf => text.push_str(&serde_json::to_string(leaf)?),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn key(stage: &str, version: &str, config: &Value, inputs: &[&str]) -> String {
        stage_key(stage, version, config, inputs).unwrap()
    }

    #[test]
    fn canonical_json_sorts_keys_and_drops_blanks() {
        let text = canonical_json(&json!({"b": [1, 0.5, "x\"y"], "a": {"d": null, "c": true}})).unwrap();
        assert_eq!(text, r#"{"a":{"c":true,"d":null},"b":[1,0.5,"x\"y"]}"#);
    }

    /// A change here empties every cache: it must be on purpose.
    #[test]
    fn the_scheme_is_frozen() {
        assert_eq!(key("world", "1", &json!({"accounts": 20_000}), &["abc"]), FROZEN);
    }
    const FROZEN: &str = "8d563609cade30c8729d4e38c5c38d4efb65943e5746e2a7c4188da907ad57dd";

    #[test]
    fn every_part_moves_the_key() {
        let base = key("world", "1", &json!({"a": 1}), &["x", "y"]);
        assert_eq!(base.len(), 64);
        let others = [
            key("worlds", "1", &json!({"a": 1}), &["x", "y"]),
            key("world", "2", &json!({"a": 1}), &["x", "y"]),
            key("world", "1", &json!({"a": 2}), &["x", "y"]),
            key("world", "1", &json!({"a": 1}), &["y", "x"]),
            key("world", "1", &json!({"a": 1}), &["xy"]),
            key("world", "1", &json!({"a": 1}), &["x", "y", ""]),
            key("world1", "", &json!({"a": 1}), &["x", "y"]),
        ];
        for other in others {
            assert_ne!(other, base);
        }
    }

    #[test]
    fn a_map_with_keys_that_json_cannot_say_is_an_error() {
        let config = std::collections::BTreeMap::from([((1, 2), 3)]);
        let error = stage_key("world", "1", &config, &[]).unwrap_err();
        assert!(
            error.to_string().starts_with("the configuration of stage `world` cannot be written as JSON")
        );
    }
}
