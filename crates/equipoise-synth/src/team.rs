//! Ties inside teams: a ring and the group of friends, clan or admins that it is matched with are made by these lines.

use crate::roles::Role;
use crate::spec::WorldSpec;
use crate::world::Site;
use equipoise_core::{Draw, Seed};

/// Makes contacts of those who act together, and lets them share some of the first one's contacts.
pub(crate) fn link(spec: &WorldSpec, sites: &mut [Site], roles: &[Role], seed: Seed) {
    let seed = seed.derive("team", 0);
    for (index, role) in (0_u32..).zip(roles).filter(|(_, role)| !role.mates.is_empty()) {
        let account = &sites[usize::from(role.platform)].accounts[role.account as usize];
        let team = spec.harm.archetype.iter().find_map(|a| {
            a.team.as_ref().filter(|_| account.harmful.or(account.matched_for) == Some(a.kind))
        });
        let Some(team) = team else { continue };
        let contacts = &mut sites[usize::from(role.platform)].contacts;
        let mut rng = seed.derive("role", u64::from(index)).rng();
        let first = *role.mates.iter().min().unwrap_or(&index).min(&index);
        if first != index {
            let theirs = contacts.extra(roles[first as usize].account).to_vec();
            for contact in theirs {
                if rng.chance(team.shared_contacts.p()) {
                    contacts.add(role.account, contact.peer);
                }
            }
        }
        for mate in role.mates.iter().filter(|mate| **mate > index) {
            if rng.chance(team.linked.p()) {
                contacts.add(role.account, roles[*mate as usize].account);
            }
        }
    }
}
