//! The card of a named dataset: which world, how large, which seed, and the content hash that the build must give.

use crate::config::{parse, read};
use crate::fault::{Fault, config};
use equipoise_core::Fraction;
use equipoise_synth::WorldSpec;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Where the cards of named datasets lie.
pub const CARDS: &str = "datasets";

/// A card as it is written.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Card {
    /// Short name: lower-case letters, digits and hyphens.
    pub name: String,
    /// One line.
    pub title: String,
    /// MAJOR.MINOR.PATCH: changed rows, added columns, changed words.
    pub version: String,
    /// Day of publication, `YYYY-MM-DD`; a card, not a clock, dates a dataset.
    pub published: String,
    /// Licence of the data.
    pub licence: Licence,
    /// Where the dataset is hosted, if anywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// World file, relative to the card.
    pub world: String,
    /// Number of persons; replaces the number in the world file.
    pub persons: u32,
    /// Number of days; replaces the number in the world file.
    pub days: u16,
    /// Root of all randomness.
    pub seed: u64,
    /// Blocks of accounts that each log is cut into: one part a block and week.
    pub blocks: u16,
    /// Content hash of the data files. A build that gives another one is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// Who is trained on and who is tested, and from when.
    pub split: Split,
}

/// The recommended split.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Split {
    /// Share of persons to validate on.
    pub validation: Fraction,
    /// Share of persons to test on; the others are trained on.
    pub test: Fraction,
    /// First day of the test period; training and validation read what lies before.
    pub test_from_day: u16,
}

/// Licences that data may be published under.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Licence {
    /// Creative Commons Attribution 4.0.
    #[serde(rename = "CC-BY-4.0")]
    CcBy4,
    /// Community Data License Agreement, Permissive, 2.0.
    #[serde(rename = "CDLA-Permissive-2.0")]
    CdlaPermissive2,
}

impl Licence {
    /// The name in the SPDX list.
    #[must_use]
    pub const fn spdx(self) -> &'static str {
        match self {
            Self::CcBy4 => "CC-BY-4.0",
            Self::CdlaPermissive2 => "CDLA-Permissive-2.0",
        }
    }
}

/// A card with the world that it names.
#[derive(Clone, PartialEq, Debug)]
pub struct Loaded {
    /// The file.
    pub path: PathBuf,
    /// The card.
    pub card: Card,
    /// The world, with the card's persons and days.
    pub world: WorldSpec,
}

/// Loads the card `given`: a file, or the name of one below [`CARDS`].
///
/// # Errors
/// If there is no such card, or it or its world says something that cannot be.
pub fn load(given: &str) -> Result<Loaded, Fault> {
    let path = find(given)?;
    let card: Card = parse(&path, &read(&path, "card")?)?;
    let file = path.parent().unwrap_or_else(|| Path::new(".")).join(&card.world);
    let mut world: WorldSpec = parse(&file, &read(&file, "world file")?)?;
    world.persons = card.persons;
    world.days = card.days;
    if let Some(problem) = card.problem() {
        return Err(config(format!("{}: {problem}", path.display())));
    }
    world.validate().map_err(|error| config(format!("{}: {error}", path.display())))?;
    Ok(Loaded { path, card, world })
}

/// Every card below [`CARDS`], by name; files that are no cards (world files) are passed over.
#[must_use]
pub fn all() -> Vec<Loaded> {
    let Ok(entries) = std::fs::read_dir(CARDS) else { return vec![] };
    let mut found: Vec<Loaded> = entries
        .filter_map(|entry| load(entry.ok()?.path().to_str().filter(|path| path.ends_with(".toml"))?).ok())
        .collect();
    found.sort_by(|a, b| (a.card.persons, &a.card.name).cmp(&(b.card.persons, &b.card.name)));
    found
}

fn find(given: &str) -> Result<PathBuf, Fault> {
    let own = PathBuf::from(given);
    if given.ends_with(".toml") || own.is_file() {
        return Ok(own);
    }
    let named = Path::new(CARDS).join(format!("{given}.toml"));
    if named.is_file() {
        return Ok(named);
    }
    Err(config(format!(
        "{given}: neither a card nor the name of one in {CARDS}/; `equipoise dataset ls` lists them"
    )))
}

impl Card {
    /// What the types cannot see.
    fn problem(&self) -> Option<String> {
        let plain = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        let day = |text: &str| {
            let parts: Vec<Option<u16>> = text.split('-').map(|part| part.parse().ok()).collect();
            text.len() == 10 && matches!(parts[..], [Some(_), Some(1..=12), Some(1..=31)])
        };
        let semver = |text: &str| {
            text.split('.').count() == 3
                && text.split('.').all(|part| part.parse::<u32>().is_ok_and(|n| n.to_string() == part))
        };
        let hex = |text: &str| {
            text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        let shares = self.split.validation.get() + self.split.test.get();
        [
            (plain(&self.name), "name: lower-case letters, digits and hyphens"),
            (!self.title.is_empty() && !self.title.contains(['\n', '"']), "title: one line without quotes"),
            (semver(&self.version), "version: three numbers, MAJOR.MINOR.PATCH"),
            (day(&self.published), "published: a day, YYYY-MM-DD"),
            (self.blocks >= 1, "blocks: at least 1"),
            (
                self.hash.as_deref().is_none_or(hex),
                "hash: 64 hexadecimal digits; leave it out and build with --repin",
            ),
            (shares < 1.0, "split: validation and test must leave persons to train on"),
            (
                (1..self.days).contains(&self.split.test_from_day),
                "test-from-day: must lie inside the window, at least one day from both ends",
            ),
        ]
        .into_iter()
        .find_map(|(fine, why)| (!fine).then(|| why.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card() -> Card {
        toml::from_str(
            "name = \"a-1\"\ntitle = \"A\"\nversion = \"0.1.0\"\npublished = \"2026-11-24\"\nlicence = \"CC-BY-4.0\"\n\
             world = \"research.toml\"\npersons = 500\ndays = 14\nseed = 1\nblocks = 2\n\
             split = { validation = 0.1, test = 0.2, test-from-day = 10 }",
        )
        .unwrap()
    }

    #[test]
    fn a_sound_card_has_no_problem() {
        assert_eq!(card().problem(), None);
    }

    #[test]
    fn each_wrong_value_is_named_by_its_key() {
        type Change = fn(&mut Card);
        let cases: [(Change, &str); 8] = [
            (|c| c.name = "A b".into(), "name"),
            (|c| c.title = "two\nlines".into(), "title"),
            (|c| c.version = "1.02.0".into(), "version"),
            (|c| c.published = "2026-13-24".into(), "published"),
            (|c| c.blocks = 0, "blocks"),
            (|c| c.hash = Some("abc".into()), "hash"),
            (|c| c.split.test = Fraction::new(0.95).unwrap(), "split"),
            (|c| c.split.test_from_day = 14, "test-from-day"),
        ];
        for (change, key) in cases {
            let mut card = card();
            change(&mut card);
            let problem = card.problem().unwrap();
            assert!(problem.starts_with(key), "{problem}");
        }
    }

    #[test]
    fn an_unknown_licence_is_refused() {
        assert!(toml::from_str::<Split>("validation = 0.1\ntest = 0.2\ntest-from-day = 1\nx = 1").is_err());
        assert!(serde_json::from_str::<Licence>("\"MIT\"").is_err());
        assert_eq!(serde_json::to_string(&Licence::CcBy4).unwrap(), format!("\"{}\"", Licence::CcBy4.spdx()));
    }
}
