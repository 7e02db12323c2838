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
