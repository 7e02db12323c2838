//! The dictionary of columns. A feature is one entry: its name, its formula in words and in code, what a platform must
//! see, which accounts it reads. Rows, documentation and tests are generated from these entries, in this order.

mod activity;
mod contacts;
mod label_adjacent;
mod messages;
mod profile;
mod replies;
mod requests;
mod sight;

use crate::summary::Summary;
use equipoise_core::{Archetype, PlatformSchema};
pub use sight::Sight;
use std::fmt::Write as _;

/// Columns that belong together; an experiment may name a group.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Group {
    /// What the account declared.
    Profile,
    /// Its own events without a contact.
    Activity,
    /// Who its contacts are.
    Contacts,
    /// How contacts come about.
    Requests,
    /// How many messages, when and where.
    Messages,
    /// Who answers whom and how fast.
    Replies,
    /// Blocks, mutes and reports: next to the label, can be switched off.
    LabelAdjacent,
}

/// Whose data a column reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reads {
    /// The account only.
    Own,
    /// The account and its sampled contacts.
    Contacts,
}

/// The documentation of one column.
#[derive(Clone, Copy, Debug)]
pub struct FeatureDef {
    /// Unique, kebab-case.
    pub name: &'static str,
    /// The group it belongs to.
    pub group: Group,
    /// How it is computed, in words. Shares and sums run over sampled contacts.
    pub formula: &'static str,
    /// The unit before scaling.
    pub unit: &'static str,
    /// Smallest and largest value.
    pub range: (f32, f32),
    /// What the platform must see; the column is 0 where it does not.
    pub needs: &'static [Sight],
    /// Whose data it reads.
    pub reads: Reads,
    /// Whether it lies next to the label.
    pub label_adjacent: bool,
}

impl FeatureDef {
    /// Whether a platform with this schema sees all that the column needs.
    #[must_use]
    pub fn is_seen_by(&self, schema: &PlatformSchema) -> bool {
        self.needs.iter().all(|sight| sight.is_open_to(schema))
    }

    /// The archetypes that can see it, wholly or in part, by the design of the world.
    #[must_use]
    pub fn archetypes(&self) -> Vec<Archetype> {
        let seen =
            |archetype: &Archetype| self.needs.iter().all(|sight| sight.archetypes().contains(archetype));
        Archetype::ALL.into_iter().filter(seen).collect()
    }
}

/// A column: its documentation and its formula.
#[derive(Debug)]
pub(crate) struct Feature {
    pub(crate) def: FeatureDef,
    pub(crate) value: fn(&Summary) -> f64,
}

impl Feature {
    /// A column over sampled contacts with values in 0..=1.
    const fn new(
        group: Group,
        name: &'static str,
        unit: &'static str,
        formula: &'static str,
        needs: &'static [Sight],
        value: fn(&Summary) -> f64,
    ) -> Self {
        let label_adjacent = matches!(group, Group::LabelAdjacent);
        let (range, reads) = ((0.0, 1.0), Reads::Contacts);
        Self { def: FeatureDef { name, group, formula, unit, range, needs, reads, label_adjacent }, value }
    }

    /// The same, with values in -1..=1.
    const fn signed(mut self) -> Self {
        self.def.range = (-1.0, 1.0);
        self
    }

    /// The same, reading the account only.
    const fn own(mut self) -> Self {
        self.def.reads = Reads::Own;
        self
    }
}

/// All columns in order; the label-adjacent ones last, if wanted.
pub(crate) fn features(label_adjacent: bool) -> impl Iterator<Item = &'static Feature> {
    let last: &[Feature] = if label_adjacent { label_adjacent::FEATURES } else { &[] };
    [
        profile::FEATURES,
        activity::FEATURES,
        contacts::FEATURES,
        requests::FEATURES,
        messages::FEATURES,
        replies::FEATURES,
        last,
    ]
    .into_iter()
    .flatten()
}

/// The columns of a row, in order. Without the label-adjacent group these columns do not exist.
#[must_use]
pub fn dictionary(label_adjacent: bool) -> Vec<FeatureDef> {
    features(label_adjacent).map(|feature| feature.def).collect()
}

/// The dictionary as a Markdown table, for the reference page.
#[must_use]
pub fn dictionary_markdown(label_adjacent: bool) -> String {
    let mut page = String::from(
        "| column | name | group | unit | range | reads | seen by | formula |\n|---|---|---|---|---|---|---|---|\n",
    );
    for (column, def) in dictionary(label_adjacent).iter().enumerate() {
        let seen: Vec<&str> = def.archetypes().into_iter().map(short).collect();
        let (low, high) = def.range;
        let reads = match def.reads {
            Reads::Own => "self",
            Reads::Contacts => "self, contacts",
        };
        let written = writeln!(
            page,
            "| {column} | {} | {:?} | {} | {low}..{high} | {reads} | {} | {} |",
            def.name,
            def.group,
            def.unit,
            seen.join(" "),
            def.formula
        );
        written.expect("a string takes any text");
    }
    page
}

const fn short(archetype: Archetype) -> &'static str {
    match archetype {
        Archetype::EphemeralMessenger => "EPH",
        Archetype::EndToEndMessenger => "E2E",
        Archetype::SocialNetwork => "SOC",
        Archetype::GameLobby => "GAM",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_kebab_case() {
        let mut names: Vec<&str> = dictionary(true).iter().map(|def| def.name).collect();
        let plain =
            |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        assert!(names.iter().all(|name| plain(name)));
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn switching_the_label_adjacent_group_off_removes_exactly_its_columns() {
        let names = |on| dictionary(on).iter().map(|def| def.name).collect::<Vec<_>>();
        let kept: Vec<_> =
            dictionary(true).iter().filter(|def| !def.label_adjacent).map(|def| def.name).collect();
        assert_eq!(names(false), kept);
        assert!(names(true).len() > kept.len() && kept.len() >= 32);
    }

    #[test]
    fn own_columns_give_the_same_value_with_any_contacts() {
        let mut with = Summary::new(4);
        with.all.messages = [50.0, 3.0];
        with.all.contacts = 3.0;
        with.bands = [3.0, 0.0, 0.0, 0.0, 0.0];
        with.scale = 2.0;
        let without = Summary::new(4);
        for feature in features(true).filter(|feature| feature.def.reads == Reads::Own) {
            let (a, b) = ((feature.value)(&with), (feature.value)(&without));
            assert!((a - b).abs() < 1e-15, "{}", feature.def.name);
        }
    }

    #[test]
    fn the_head_of_the_reference_page_is_as_committed() {
        let head: String = dictionary_markdown(true).lines().take(6).collect::<Vec<_>>().join("\n");
        insta::assert_snapshot!(head, @r"
        | column | name | group | unit | range | reads | seen by | formula |
        |---|---|---|---|---|---|---|---|
        | 0 | account-age | Profile | days | 0..1 | self | EPH E2E SOC GAM | log-scaled days since the account was made, cap 3650 |
        | 1 | own-age-under-13 | Profile | 0 or 1 | 0..1 | self | EPH SOC GAM | the account declared the band under-13 |
        | 2 | own-age-13-15 | Profile | 0 or 1 | 0..1 | self | EPH SOC GAM | the account declared the band 13-15 |
        | 3 | own-age-16-17 | Profile | 0 or 1 | 0..1 | self | EPH SOC GAM | the account declared the band 16-17 |
        ");
    }
}
