//! What arms are called: by their kind, and by what a sweep or a strategy sets apart, in words and in ids.

use super::{ArmPlan, ArmSlice};
use crate::config::{ArmKind, Point, Scoring};
use equipoise_privacy::PrivacyUnit;
use std::collections::BTreeMap;

pub(super) fn name(slice: &ArmSlice) -> (String, String) {
    let base = slice.arm.id();
    let plain = match slice.arm {
        ArmKind::ReportsOnly => "reports only",
        ArmKind::LiteralRule => "literal rule",
        ArmKind::LocalOnly => "local only",
        ArmKind::Federated => "federated",
        ArmKind::FederatedLogistic => "federated logistic",
        ArmKind::PooledUnlinked => "pooled, unlinked",
        ArmKind::PooledLinked => "pooled, linked",
        ArmKind::LocalTrees => "local trees",
        ArmKind::FederatedTrees => "federated trees",
        ArmKind::PooledTrees => "pooled trees",
        ArmKind::LocalBinned => "local binned",
        ArmKind::FederatedBinned => "federated binned",
        ArmKind::PooledBinned => "pooled binned",
        ArmKind::FusedPlain => "fused, plain",
        ArmKind::FusedEncrypted => "fused, encrypted",
    };
    match &slice.privacy {
        Some(privacy) => {
            let (id, label) =
                (format!("{base}-eps-{}", privacy.epsilon), format!("{plain}, ε = {}", privacy.epsilon));
            match privacy.rows_per_account() {
                _ if privacy.promised() == PrivacyUnit::AccountSenderOwned => {
                    (format!("{id}-account-sent"), format!("{label} for what an account sent"))
                }
                _ if privacy.aggregation().is_some() => {
                    let noised = privacy.aggregation().is_some_and(|sums| sums.scoring == Scoring::Noised);
                    let (short, full) =
                        if noised { ("-noised", ", scored on noised sums") } else { ("", "") };
                    (
                        format!("{id}-account-private-graph{short}"),
                        format!("{label} for an account, contact graph private{full}"),
                    )
                }
                Some(rows) => {
                    (format!("{id}-account-k{rows}"), format!("{label} for an account, K = {rows}"))
                }
                None => (id, label),
            }
        }
        None => (base.to_owned(), plain.to_owned()),
    }
}

/// What a point sets, besides epsilon, which is part of an arm's name anyway: short for ids and in full for people.
pub(super) fn setting(arm: ArmKind, point: &Point, points: &[Point]) -> (String, String) {
    // A trainer that a model brings with it says nothing that the model does not.
    let brought = |key: &str| key == "training.trainer" && point.set.contains_key("model");
    // Scores in the clear are hidden by no design.
    let unread = |key: &str| key == "fusion.design" && arm == ArmKind::FusedPlain;
    let named = |key: &str| key != "privacy.epsilon" && !brought(key) && !unread(key);
    let pairs = point.set.iter().filter(|(key, _)| named(key));
    let (short, full): (Vec<String>, Vec<String>) = pairs
        .map(|(key, value)| {
            let others: Vec<&toml::Value> = points.iter().filter_map(|point| point.set.get(key)).collect();
            words(key, value, &others)
        })
        .unzip();
    (short.join(", "), full.join(", "))
}

/// A strategy is named by its key and its parameters follow; of a table of settings, those that the first point sets otherwise; another
/// value stands behind the last part of its key.
fn words(key: &str, value: &toml::Value, others: &[&toml::Value]) -> (String, String) {
    let (mut name, mut at) = (None, value);
    while let Some((inner, next)) = at.as_table().and_then(|table| table.iter().next()) {
        if !next.is_table() {
            break;
        }
        (name, at) = (Some(inner.clone()), next);
    }
    let last = key.rsplit('.').next().unwrap_or(key);
    let pair = |(key, value): (&String, &toml::Value)| format!("{key} = {value}");
    match (name, at.as_table()) {
        (Some(name), Some(table)) if !table.is_empty() => {
            let full = format!("{name} ({})", table.iter().map(pair).collect::<Vec<_>>().join(", "));
            (name, full)
        }
        (Some(name), _) => (name.clone(), name),
        (None, Some(table)) => {
            let first = others.first().copied();
            let differs = |key: &str, value| first.and_then(|first| first.get(key)) != Some(value);
            let own: Vec<String> =
                table.iter().filter(|(key, value)| differs(key.as_str(), *value)).map(pair).collect();
            let own = if own.is_empty() { "as at first".to_owned() } else { own.join(", ") };
            (last.to_owned(), format!("{last} ({own})"))
        }
        (None, None) => {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let word = format!("{last} = {value}");
            (word.clone(), word)
        }
    }
}

/// Arms of one name get what the sweep set to make them differ, and a number if that is not enough.
pub(super) fn name_apart(arms: &mut [ArmPlan], settings: &[(String, String)]) {
    let names: Vec<String> = arms.iter().map(|arm| arm.id.clone()).collect();
    let mut taken: [BTreeMap<String, u32>; 2] = Default::default();
    for (arm, (short, full)) in arms.iter_mut().zip(settings) {
        if names.iter().filter(|name| **name == arm.id).count() > 1 && !short.is_empty() {
            let slug: String =
                short.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
            arm.id = format!("{}-{}", arm.id, slug.replace("---", "-"));
            arm.label = format!("{}, {full}", arm.label);
        }
        for (name, taken) in [&mut arm.id, &mut arm.label].into_iter().zip(&mut taken) {
            let seen = taken.entry(name.clone()).or_default();
            *seen += 1;
            if *seen > 1 {
                *name = format!("{name}-{seen}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_strategy_is_named_by_its_key_and_a_number_by_its_own() {
        let words = |key: &str, value: &str| {
            let table: toml::Table = toml::from_str(&format!("v = {value}")).unwrap();
            super::words(key, &table["v"], &[&toml::from_str::<toml::Table>("a = 1\nb = 3").unwrap().into()])
        };
        let same = |word: &str| (word.to_owned(), word.to_owned());
        assert_eq!(words("aggregation", "{ hidden = { plain = {} } }"), same("plain"));
        assert_eq!(words("federation.cohort.dropout", "0.5"), same("dropout = 0.5"));
        let (short, full) = words("aggregation", "{ visible = { krum = { byzantine = 1 } } }");
        assert_eq!((short.as_str(), full.as_str()), ("krum", "krum (byzantine = 1)"));
        assert_eq!(words("faults", "{ a = 1, b = 2 }").1, "faults (b = 2)");
        assert_eq!(words("model", "{ mlp = { hidden = [32] } }").1, "mlp (hidden = [32])");
    }
}
