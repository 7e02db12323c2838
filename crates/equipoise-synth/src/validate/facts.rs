//! What stands still in a world, as plain data: the one place where the checks look inside a [`World`].
//! Everything is public so that a test can plant a defect in it; nothing here leaves the validator.

use crate::{World, WorldSpec};
use equipoise_core::{AgeBand, PlatformView};

/// A simulated person as the checks see it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PersonFacts {
    /// Age in years.
    pub age: f64,
    /// True age band.
    pub band: AgeBand,
    /// Whether the person is a girl or woman.
    pub girl: bool,
    /// Who must be split together: see [`crate::truth::PersonTruth::unit`].
    pub unit: u32,
}

/// An account as the checks see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AccountFacts {
    /// Index of the person behind it.
    pub person: u32,
    /// Whether that person is a minor.
    pub minor: bool,
    /// Plays a role: harmful, or made as a look-alike.
    pub role: bool,
    /// The person's own first account on the platform: the one that carries the ties.
    pub own: bool,
}

/// What stands still in a world.
#[derive(Clone, PartialEq, Debug)]
pub struct WorldFacts {
    /// The specification.
    pub spec: WorldSpec,
    /// What the operators see, by platform.
    pub views: Vec<PlatformView>,
    /// By person.
    pub persons: Vec<PersonFacts>,
    /// `[platform][account]`.
    pub accounts: Vec<Vec<AccountFacts>>,
    /// Contacts at the start of the window, `[platform]`, each pair once with the smaller account first, sorted.
    pub ties: Vec<Vec<(u32, u32)>>,
}

impl WorldFacts {
    /// Reads a world.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // Account ids are 32-bit.
    pub fn of(world: &World) -> Self {
        let truth = world.blank_truth();
        let person = |(at, p): (usize, &crate::truth::PersonTruth)| PersonFacts {
            age: world.people[at].age,
            band: p.band,
            girl: p.girl,
            unit: p.unit,
        };
        let account = |(a, site): (&crate::truth::AccountTruth, &crate::accounts::Account)| AccountFacts {
            person: a.person.0,
            minor: a.true_age_band.is_minor(),
            role: a.harmful.is_some() || a.matched_for.is_some(),
            own: site.first,
        };
        let accounts = |(truth, site): (&crate::truth::PlatformTruth, &crate::world::Site)| {
            truth.accounts.iter().zip(&site.accounts).map(account).collect()
        };
        let ties = |site: &crate::world::Site| {
            let mut pairs = Vec::new();
            for a in 0..site.accounts.len() as u32 {
                let others = site
                    .contacts
                    .closest(a)
                    .iter()
                    .copied()
                    .chain(site.contacts.extra(a).iter().map(|later| later.peer));
                pairs.extend(others.filter(|b| a < *b).map(|b| (a, b)));
            }
            pairs.sort_unstable();
            pairs
        };
        Self {
            spec: world.spec().clone(),
            views: world.views().to_vec(),
            persons: truth.persons.iter().enumerate().map(person).collect(),
            accounts: truth.platforms.iter().zip(&world.sites).map(accounts).collect(),
            ties: world.sites.iter().map(ties).collect(),
        }
    }

    /// The person behind an account.
    ///
    /// # Panics
    /// If the account does not exist.
    #[must_use]
    pub fn person(&self, platform: usize, account: u32) -> &PersonFacts {
        &self.persons[self.accounts[platform][account as usize].person as usize]
    }

    /// Whether two accounts are in contact at the start.
    #[must_use]
    pub fn tied(&self, platform: usize, a: u32, b: u32) -> bool {
        self.ties[platform].binary_search(&(a.min(b), a.max(b))).is_ok()
    }
}
