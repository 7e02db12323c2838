//! Groups of persons in flat arrays: members by group and, once indexed, groups by person.

use super::TieKind;

/// Where people meet. Group ids are positions; they depend on nothing but the specification and the seed.
#[derive(Clone, Debug)]
pub(crate) struct Groups {
    kinds: Vec<TieKind>,
    offsets: Vec<u32>,
    members: Vec<u32>,
    person_offsets: Vec<u32>,
    of_person: Vec<u32>,
}

impl Default for Groups {
    fn default() -> Self {
        Self {
            kinds: Vec::new(),
            offsets: vec![0],
            members: Vec::new(),
            person_offsets: Vec::new(),
            of_person: Vec::new(),
        }
    }
}

impl Groups {
    #[allow(clippy::cast_possible_truncation)]
    pub(crate) fn push(&mut self, kind: TieKind, members: impl IntoIterator<Item = u32>) {
        self.members.extend(members);
        self.kinds.push(kind);
        self.offsets.push(self.members.len() as u32);
    }

    #[allow(clippy::cast_possible_truncation)]
    pub(crate) fn len(&self) -> u32 {
        self.kinds.len() as u32
    }

    pub(crate) fn kind(&self, group: u32) -> TieKind {
        self.kinds[group as usize]
    }

    pub(crate) fn members(&self, group: u32) -> &[u32] {
        &self.members[self.offsets[group as usize] as usize..self.offsets[group as usize + 1] as usize]
    }

    /// The groups of a kind, in order.
    pub(crate) fn of_kind(&self, kind: TieKind) -> impl Iterator<Item = u32> + '_ {
        (0_u32..).zip(&self.kinds).filter(move |(_, k)| **k == kind).map(|(group, _)| group)
    }

    /// Makes [`Groups::of`] answer.
    #[allow(clippy::cast_possible_truncation)]
    pub(crate) fn index(&mut self, persons: usize) {
        let mut offsets = vec![0_u32; persons + 1];
        for member in &self.members {
            offsets[*member as usize + 1] += 1;
        }
        for at in 0..persons {
            offsets[at + 1] += offsets[at];
        }
        let mut next = offsets.clone();
        let mut of_person = vec![0_u32; self.members.len()];
        for group in 0..self.len() {
            for member in self.members(group) {
                let place = &mut next[*member as usize];
                of_person[*place as usize] = group;
                *place += 1;
            }
        }
        (self.person_offsets, self.of_person) = (offsets, of_person);
    }

    /// The groups of a person.
    pub(crate) fn of(&self, person: u32) -> &[u32] {
        let range = self.person_offsets[person as usize]..self.person_offsets[person as usize + 1];
        &self.of_person[range.start as usize..range.end as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_finds_its_groups_and_a_group_its_members() {
        let mut groups = Groups::default();
        groups.push(TieKind::Class, [2, 0]);
        groups.push(TieKind::Club, [1, 2]);
        groups.index(4);
        assert_eq!((groups.members(0), groups.members(1)), (&[2, 0][..], &[1, 2][..]));
        assert_eq!((groups.of(2), groups.of(3)), (&[0, 1][..], &[][..]));
        assert_eq!(groups.of_kind(TieKind::Club).collect::<Vec<_>>(), [1]);
    }
}
