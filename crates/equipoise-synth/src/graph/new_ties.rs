//! How an ordinary account finds whom it asks for contact: a contact's contact, a member of one of its circles, somebody
//! recommended, somebody found by a search (world.md 2.3: 60%, 25%, 10%, 5%, all assumed).

use super::TieKind;
use crate::contacts::Contacts;
use crate::session::{someone, stranger_of};
use crate::world::{NONE, World};
use equipoise_core::{CounterRng, Draw, EventKind};

/// Whom `account` asks for contact, and the event that led there if it is one that a platform can see (an exposure or a
/// search); `None` if this way led to nobody.
pub(crate) fn find(
    world: &World,
    platform: usize,
    contacts: &Contacts,
    account: u32,
    rng: &mut CounterRng,
) -> Option<(u32, Option<EventKind>)> {
    let ways = &world.spec.graph.new_ties;
    let shares = [ways.triadic.p(), ways.group.p(), ways.recommendation.p(), ways.search.p()];
    let site = &world.sites[platform];
    let same = world.spec.behaviour.same_generation.p();
    let (peer, led) = match rng.weighted(&shares) {
        0 => (someone(contacts, account, rng).and_then(|friend| someone(contacts, friend, rng)), None),
        1 => (circle_member(world, platform, account, rng), None),
        2 => (stranger_of(site, same, account, rng), Some(EventKind::Exposure)),
        _ => (stranger_of(site, same, account, rng), Some(EventKind::Search)),
    };
    peer.filter(|peer| *peer != account).map(|peer| (peer, led))
}

/// The account of a member of one of the person's circles, if that member is on the platform.
fn circle_member(world: &World, platform: usize, account: u32, rng: &mut CounterRng) -> Option<u32> {
    let site = &world.sites[platform];
    let person = site.accounts[account as usize].person;
    let circles = world.groups.of(person);
    if circles.is_empty() {
        return None;
    }
    let circle = circles[rng.below(circles.len())];
    let members = world.groups.members(circle);
    // A calling is not a circle of equals: only its first member knows the others.
    if world.groups.kind(circle) == TieKind::Calling && members[0] != person {
        return None;
    }
    let there = site.first[members[rng.below(members.len())] as usize];
    (there != NONE).then_some(there)
}
