//! Noisy cross-platform tokens: an account carries its person's token, a token of its own, or somebody else's.

use crate::spec::WorldSpec;
use crate::world::Site;
use equipoise_core::{Draw, Seed};

/// Tokens by platform and account.
pub(crate) fn tokens(spec: &WorldSpec, sites: &[Site], seed: Seed) -> Vec<Vec<u64>> {
    let seed = seed.derive("linkage", 0);
    let of_person = |person: u32| seed.derive("person", u64::from(person)).fingerprint();
    let persons = spec.persons as usize;
    let token = |platform: u64, id: u64, person: u32| {
        let own = seed.derive("platform", platform).derive("account", id);
        let mut rng = own.rng();
        let draw = rng.uniform();
        let (matches, collides) = (spec.linkage.matches.p(), spec.linkage.collides.p());
        if draw < collides {
            #[allow(clippy::cast_possible_truncation)]
            of_person(rng.below(persons) as u32)
        } else if draw < collides + matches * (1.0 - collides) {
            of_person(person)
        } else {
            own.fingerprint()
        }
    };
    (0_u64..)
        .zip(sites)
        .map(|(p, site)| (0_u64..).zip(&site.accounts).map(|(id, a)| token(p, id, a.person)).collect())
        .collect()
}
