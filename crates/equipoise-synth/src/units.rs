//! Who must be split together: a household, and the persons behind one team. A learner that trained on one member of a ring
//! knows the others again, and siblings share their parents' contacts (V16). Wider families would join everybody.

use crate::graph::{Groups, TieKind};

/// By person, the smallest person number among those it is split with.
pub(crate) fn units(persons: usize, groups: &Groups, teams: &[(u32, u32)]) -> Vec<u32> {
    let mut parent: Vec<u32> = (0_u32..).take(persons).collect();
    for home in groups.of_kind(TieKind::Household) {
        for pair in groups.members(home).windows(2) {
            join(&mut parent, pair[0], pair[1]);
        }
    }
    // (team, person), sorted: neighbours of one team are joined.
    for pair in teams.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        join(&mut parent, pair[0].1, pair[1].1);
    }
    (0_u32..).take(persons).map(|person| root(&mut parent, person)).collect()
}

fn root(parent: &mut [u32], mut person: u32) -> u32 {
    while parent[person as usize] != person {
        parent[person as usize] = parent[parent[person as usize] as usize];
        person = parent[person as usize];
    }
    person
}

/// The smaller root stays, so that a unit's name does not depend on the order of joining.
fn join(parent: &mut [u32], a: u32, b: u32) {
    let (a, b) = (root(parent, a), root(parent, b));
    parent[a.max(b) as usize] = a.min(b);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn households_and_teams_are_joined_and_families_are_not() {
        let mut groups = Groups::default();
        groups.push(TieKind::Household, [4, 2, 5]);
        groups.push(TieKind::Family, [4, 6]);
        assert_eq!(units(8, &groups, &[(0, 1), (0, 7), (3, 0)]), [0, 1, 2, 3, 2, 2, 6, 1]);
        assert_eq!(units(8, &groups, &[(0, 1), (0, 5), (1, 5), (1, 7)]), [0, 1, 1, 3, 1, 1, 6, 1]);
    }
}
