//! The named worlds that are made from `research` differ from it in what their names say and in nothing else.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.

use equipoise_synth::WorldSpec;

const RESEARCH: &str = include_str!("../../../datasets/research.toml");

#[test]
fn the_null_world_is_research_without_a_difference_to_find() {
    let mut research: WorldSpec = toml::from_str(RESEARCH).unwrap();
    research.harm.detectability = 0.0;
    assert_eq!(toml::from_str::<WorldSpec>(include_str!("../../../datasets/null.toml")).unwrap(), research);
}

#[test]
fn the_world_of_eight_is_research_with_every_platform_twice() {
    let mut research: WorldSpec = toml::from_str(RESEARCH).unwrap();
    let again = research.platform.clone();
    research.platform.extend(again);
    let (first, second) = research.platform.split_at_mut(4);
    first.iter_mut().for_each(|p| assert!(p.name.ends_with("-1")));
    second.iter_mut().for_each(|p| p.name = p.name.replace("-1", "-2"));
    assert_eq!(toml::from_str::<WorldSpec>(include_str!("../../../datasets/eight.toml")).unwrap(), research);
}

/// Every list with one entry a platform, wherever it stands.
fn lists<'a>(at: &'a toml::Value, name: &str, found: &mut Vec<&'a [toml::Value]>) {
    match at {
        toml::Value::Table(table) => {
            let value = table.get("value").and_then(toml::Value::as_array);
            match value {
                Some(list) if name.ends_with("on-platform") || name.ends_with("platforms") => {
                    found.push(list)
                }
                _ => table.iter().for_each(|(key, value)| lists(value, key, found)),
            }
        }
        toml::Value::Array(list) => list.iter().for_each(|value| lists(value, name, found)),
        _ => {}
    }
}

#[test]
fn the_platforms_of_the_alike_world_differ_in_their_names_only() {
    let text = include_str!("../../../datasets/alike.toml");
    let mut alike: WorldSpec = toml::from_str(text).unwrap();
    alike.platform.iter_mut().for_each(|platform| platform.name.clear());
    assert_eq!(alike.platform.len(), 4);
    assert!(alike.platform.windows(2).all(|pair| pair[0] == pair[1]));
    let (whole, research): (toml::Value, toml::Value) =
        (toml::from_str(text).unwrap(), toml::from_str(RESEARCH).unwrap());
    let (mut here, mut there) = (vec![], vec![]);
    lists(&whole, "", &mut here);
    lists(&research, "", &mut there);
    assert_eq!(here.len(), there.len());
    assert!(here.len() >= 20, "{} lists", here.len());
    assert!(here.iter().all(|list| list.len() == 4 && list.windows(2).all(|pair| pair[0] == pair[1])));
    assert!(there.iter().filter(|list| list.windows(2).any(|pair| pair[0] != pair[1])).count() >= 15);
}
