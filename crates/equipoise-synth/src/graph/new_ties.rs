//! How an ordinary account finds whom it asks for contact: a contact's contact, a member of one of its circles, somebody
//! recommended, somebody found by a search (world.md 2.3: 60%, 25%, 10%, 5%, all assumed). The first and the last two
//! need what only a run knows (contacts) or what a platform offers (strangers); circles are the graph's.

use super::TieKind;
use crate::spec_graph::NewTieSpec;
use crate::world::{NONE, World};
use equipoise_core::FoundBy;

/// How the other side of a contact request was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    Triadic,
    Group,
    Recommendation,
    Search,
}

impl Way {
    /// What the platform knows of it.
    pub(crate) const fn found_by(self) -> FoundBy {
        match self {
            Self::Triadic => FoundBy::ContactList,
            Self::Group => FoundBy::Other,
            Self::Recommendation => FoundBy::Suggestion,
            Self::Search => FoundBy::Search,
        }
    }

    /// The way of a uniform draw.
    pub(crate) fn of(ways: &NewTieSpec, draw: f64) -> Self {
        let (triadic, group) = (ways.triadic.p(), ways.group.p());
        if draw < triadic {
            Self::Triadic
        } else if draw < triadic + group {
            Self::Group
        } else if draw < triadic + group + ways.recommendation.p() {
            Self::Recommendation
        } else {
            Self::Search
        }
    }
}

/// The account of a member of one of the person's circles, if that member is on the platform; two uniform draws choose.
pub(crate) fn circle_member(
    world: &World,
    platform: usize,
    account: u32,
    circle: f64,
    member: f64,
) -> Option<u32> {
    let site = &world.sites[platform];
    let person = site.accounts[account as usize].person;
    let circles = world.groups.of(person);
    let group = *circles.get(place(circle, circles.len()))?;
    let members = world.groups.members(group);
    // A calling is not a circle of equals: only its first member knows the others.
    if world.groups.kind(group) == TieKind::Calling && members[0] != person {
        return None;
    }
    let there = site.first[members[place(member, members.len())] as usize];
    (there != NONE && there != account).then_some(there)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn place(draw: f64, of: usize) -> usize {
    ((draw * of as f64) as usize).min(of.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::{Draw, Seed};

    fn world() -> World {
        let mut spec: crate::WorldSpec =
            toml::from_str(include_str!("../../../../datasets/research.toml")).unwrap();
        spec.persons = 1_500;
        World::build(&spec, Seed::root(4)).unwrap()
    }

    #[test]
    fn ways_have_the_shares_of_the_file() {
        let ways = world().spec.graph.new_ties;
        let count =
            |way| (0..1_000).filter(|i| Way::of(&ways, f64::from(*i) / 1_000.0 + 5e-4) == way).count();
        assert_eq!(
            [Way::Triadic, Way::Group, Way::Recommendation, Way::Search].map(count),
            [600, 250, 100, 50]
        );
    }

    #[test]
    fn the_group_arm_leads_to_somebody_of_an_own_circle() {
        let world = world();
        let mut rng = Seed::root(1).rng();
        let mut found = 0;
        for account in 0..400 {
            let Some(peer) = circle_member(&world, 2, account, rng.uniform(), rng.uniform()) else {
                continue;
            };
            let [a, b] = [account, peer].map(|id| world.sites[2].accounts[id as usize].person);
            let shared = world.groups.of(a).iter().any(|group| world.groups.members(*group).contains(&b));
            assert!(shared && peer != account);
            found += 1;
        }
        assert!(found > 150, "{found} of 400 accounts found somebody");
    }
}
