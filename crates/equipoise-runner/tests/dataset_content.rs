//! What is in a published dataset: splits by person, pages without small groups, sums for every file, cards without firms.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.

mod common;

use common::{fail, probe, probe_card, root, succeed};
use equipoise_store::dataset::{NOTICE, OUTSIDE_HASH, read_sums};
use equipoise_store::{read_json, read_table};
use std::collections::BTreeMap;

#[test]
fn all_accounts_of_a_person_lie_on_one_side_and_every_side_has_some() {
    let dir = tempfile::tempdir().unwrap();
    let place = probe(dir.path());
    let (truth, _) = read_table(&place.join("truth/accounts.parquet")).unwrap();
    let sides: Vec<Vec<u8>> = (0..4)
        .map(|platform| {
            let path = place.join(format!("splits/platform={platform}/accounts.parquet"));
            read_table(&path).unwrap().0.u8("split").unwrap().to_vec()
        })
        .collect();
    let mut of_person: BTreeMap<u32, u8> = BTreeMap::new();
    let rows = truth
        .u8("platform")
        .unwrap()
        .iter()
        .zip(truth.u32("account").unwrap())
        .zip(truth.u32("person").unwrap());
    for ((platform, account), person) in rows {
        let side = sides[usize::from(*platform)][*account as usize];
        assert_eq!(*of_person.entry(*person).or_insert(side), side, "person {person}");
    }
    for side in 0..3 {
        assert!(of_person.values().any(|own| *own == side), "nobody on side {side}");
    }
}

#[test]
fn every_page_carries_the_notice_and_no_small_group_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let place = probe(dir.path());
    for name in ["README.md", "DATASHEET.md", "croissant.json"] {
        let text = std::fs::read_to_string(place.join(name)).unwrap();
        assert!(text.contains(NOTICE), "{name}");
    }
    let readme = std::fs::read_to_string(place.join("README.md")).unwrap();
    let groups = readme
        .lines()
        .filter(|line| line.starts_with("- persons by") || line.starts_with("- accounts with"))
        .collect::<Vec<_>>();
    assert_eq!(groups.len(), 3);
    let counts = groups.iter().flat_map(|line| line.split_once(": ").unwrap().1.split(", "));
    for count in counts {
        let shown = count.rsplit(' ').next().unwrap().parse::<u64>().unwrap();
        assert!(shown == 0 || shown >= 20, "{count}");
    }
    assert!(readme.contains("fewer than 20"), "a world of 200 persons has small groups");
}

#[test]
fn croissant_names_every_data_file_with_its_sum() {
    let dir = tempfile::tempdir().unwrap();
    let place = probe(dir.path());
    let croissant: serde_json::Value = read_json(&place.join("croissant.json")).unwrap();
    let listed: BTreeMap<&str, &str> = croissant["distribution"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|file| Some((file["contentUrl"].as_str()?, file["sha256"].as_str()?)))
        .collect();
    for (sum, name) in
        read_sums(&place).unwrap().iter().filter(|(_, name)| !OUTSIDE_HASH.contains(&name.as_str()))
    {
        assert_eq!(listed.get(name.as_str()), Some(&sum.as_str()), "{name}");
    }
}

#[test]
fn checks_of_the_world_are_published_with_it_when_given() {
    let dir = tempfile::tempdir().unwrap();
    let card = probe_card(dir.path(), 150, 4, "");
    let checks = dir.path().join("checks.json");
    let place = dir.path().join("probe");
    let arguments = [
        "dataset",
        "build",
        card.to_str().unwrap(),
        "--repin",
        "--out",
        place.to_str().unwrap(),
        "--validation",
        checks.to_str().unwrap(),
    ];
    std::fs::write(&checks, "not json").unwrap();
    fail(dir.path(), &arguments, 2);
    std::fs::write(&checks, "[{\"id\": \"V1\", \"pass\": false}]").unwrap();
    succeed(dir.path(), &arguments);
    assert_eq!(std::fs::read(place.join("VALIDATION.json")).unwrap(), std::fs::read(&checks).unwrap());
}

#[test]
fn a_wrong_card_is_refused_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    for (extra, words) in
        [("colour = 3", "unknown field `colour`"), ("hash = \"abc\"", "hash: 64 hexadecimal digits")]
    {
        let card = probe_card(dir.path(), 150, 4, extra);
        let error = fail(dir.path(), &["dataset", "build", card.to_str().unwrap()], 2);
        assert!(error.contains("probe.toml") && error.contains(words), "{error}");
    }
    let error = fail(dir.path(), &["dataset", "build", "nowhere"], 2);
    assert!(error.contains("nowhere: neither a card nor the name of one"), "{error}");
    fail(dir.path(), &["dataset", "verify", dir.path().to_str().unwrap()], 2);
    assert!(!dir.path().join("datasets").exists());
}

#[test]
fn the_cards_are_listed_by_size() {
    let dir = tempfile::tempdir().unwrap();
    let out = succeed(dir.path(), &["dataset", "ls"]);
    let names: Vec<&str> = out.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(names, ["tiny", "small", "standard", "large"]);
}

/// A platform is an abstract design; a firm's name would turn assumptions into claims about it.
#[test]
fn no_world_names_a_firm() {
    let firms = [
        "snap",
        "whatsapp",
        "instagram",
        "facebook",
        "meta",
        "tiktok",
        "discord",
        "roblox",
        "youtube",
        "telegram",
        "signal",
        "twitter",
        "kik",
        "minecraft",
        "fortnite",
        "steam",
        "xbox",
        "playstation",
        "messenger.com",
        "imessage",
        "reddit",
        "omegle",
        "twitch",
        "viber",
        "wechat",
        "bereal",
        "pinterest",
        "tumblr",
        "skype",
        "google",
        "apple",
        "microsoft",
    ];
    let mut worlds = 0;
    for entry in std::fs::read_dir(root().join("datasets")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let table: toml::Table = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let platforms = table.get("platform").and_then(toml::Value::as_array).into_iter().flatten();
        let own = table.get("name").into_iter().chain(table.get("title"));
        for name in
            platforms.filter_map(|platform| platform.get("name")).chain(own).filter_map(toml::Value::as_str)
        {
            worlds += 1;
            let name = name.to_lowercase();
            for word in name.split(|c: char| !c.is_alphabetic()) {
                assert!(!firms.contains(&word), "{}: `{name}` names a firm", path.display());
            }
        }
    }
    assert!(worlds >= 8);
}
