//! The loop of the block: account after account, each with an address of its own, until enough offences are recorded.

use super::counts::{Accounts, Children, Dyads, Offences, RecordedCounts};
use super::spec::{Platform, Reading, RecordedSpec};
use crate::WorldError;
use crate::respond::Answers;
use crate::roles::{Theta, nudge};
use crate::spec::WorldSpec;
use crate::spec_harm::ArchetypeSpec;
use crate::spec_targeting::by_gender;
use equipoise_core::{AgeBand, Archetype, CounterRng, Draw, Seed};

/// Accounts after which the block gives up.
const MOST_ACCOUNTS: u64 = 20_000_000;

struct Block<'a> {
    spec: &'a WorldSpec,
    recorded: &'a RecordedSpec,
    reading: Reading,
    answers: Answers,
    counts: RecordedCounts,
}

/// One dyad with a child.
struct Contact {
    girl: bool,
    band: AgeBand,
    /// The other platform that it went on at.
    second: Option<Archetype>,
}

/// Draws accounts of `world` until `known` recorded offences with a known platform exist. The same arguments give the
/// same counts. The share of girls and the platform mix follow the world's targeting, membership and patterns.
///
/// # Errors
/// If a setting cannot be used, or no such offence can come about.
pub fn draw(
    world: &WorldSpec,
    recorded: &RecordedSpec,
    reading: Reading,
    known: Offences,
    seed: Seed,
) -> Result<RecordedCounts, WorldError> {
    world.validate()?;
    recorded.validate()?;
    let answers = Answers::new(world);
    let mut block = Block { spec: world, recorded, reading, answers, counts: RecordedCounts::default() };
    let seed = seed.derive("recorded", 0);
    while block.counts.known < known {
        if block.counts.accounts.0 >= MOST_ACCOUNTS {
            return Err(WorldError::Setting {
                what: "the rate of recorded offences with a known platform".into(),
                range: "large enough to reach the wanted number within 20 million accounts".into(),
            });
        }
        let mut rng = seed.derive("account", block.counts.accounts.0).rng();
        let before = block.counts.clone();
        block.account(&mut rng);
        block.counts.spread(&before);
        block.counts.accounts = Accounts(block.counts.accounts.0 + 1);
    }
    Ok(block.counts)
}

impl RecordedCounts {
    /// Adds what one account brought since `before` to the moments.
    fn spread(&mut self, before: &Self) {
        let known = self.known.0 - before.known.0;
        for (at, spread) in self.spread_mentions.iter_mut().enumerate() {
            spread.add(self.mentions[at].0 - before.mentions[at].0, known);
        }
        self.spread_social.add(self.social_either.0 - before.social_either.0, known);
        let girls = self.girls.0 - before.girls.0;
        self.spread_girls.add(girls, girls + self.boys.0 - before.boys.0);
    }
}

impl Block<'_> {
    fn account(&mut self, rng: &mut CounterRng) {
        let patterns = &self.spec.harm.archetype;
        let mixture: Vec<f64> = patterns.iter().map(|a| a.mixture.p()).collect();
        let pattern = &patterns[rng.weighted(&mixture)];
        let delta = pattern.detectability.unwrap_or(self.spec.harm.detectability);
        let theta = Theta::draw(self.spec, pattern, delta, rng);
        let first = Archetype::ALL[rng.weighted(&self.platforms(pattern, None))];
        let second = rng.chance(pattern.second_platform.p());
        let other = Archetype::ALL[rng.weighted(&self.platforms(pattern, Some(first)))];
        let second = second.then_some(other);
        let mut earlier: Option<bool> = None;
        for _ in 0..theta.concurrent {
            let Some(contact) = self.contact(&theta, first, second, rng) else { continue };
            self.counts.dyads = Dyads(self.counts.dyads.0 + 1);
            if contact.band == AgeBand::From16To17 {
                continue;
            }
            self.counts.dyads_in_frame = Dyads(self.counts.dyads_in_frame.0 + 1);
            let told = 1.0 / self.recorded.under_recording.get() * self.answers.tells(contact.band);
            if !rng.chance(by_gender(told, theta.disclose_girls, contact.girl)) {
                continue;
            }
            let joins = rng.chance(self.recorded.several_children.p());
            let known = match earlier.filter(|_| joins) {
                Some(known) => known,
                None => self.offence(first, contact.second, rng),
            };
            earlier = Some(known);
            self.child(&contact, known);
        }
    }

    /// Weights of the platforms, as they are cast in a world: the pattern's times how many adults are there.
    fn platforms(&self, pattern: &ArchetypeSpec, except: Option<Archetype>) -> [f64; 4] {
        Archetype::ALL.map(|platform| {
            let adults = self.spec.membership.shares(platform)[AgeBand::Adult as usize];
            let weight = (pattern.platforms.value[platform as usize] + 1e-9) * adults;
            if except == Some(platform) { 0.0 } else { weight }
        })
    }

    /// A child who accepts contact, if it comes to that.
    fn contact(
        &self,
        theta: &Theta,
        first: Archetype,
        second: Option<Archetype>,
        rng: &mut CounterRng,
    ) -> Option<Contact> {
        let (minor, girl) = (rng.chance(theta.minors), rng.chance(theta.girls));
        let population = &self.spec.population;
        let there = self.spec.membership.shares(first);
        let ages: [f64; 3] =
            std::array::from_fn(|band| theta.ages[band] * population.bands.value[band] * there[band]);
        let band = AgeBand::ALL[rng.weighted(&ages)];
        let vulnerability = population.vulnerability_sigma.get() * rng.normal();
        let accept = nudge(by_gender(theta.accept, theta.accept_girls, girl), vulnerability);
        let accepted = rng.chance(accept);
        let moved = rng.chance(theta.moves[2]);
        let member = |platform: &Archetype, rng: &mut CounterRng| {
            rng.chance(self.spec.membership.shares(*platform)[band as usize])
        };
        let second = second.filter(|platform| member(platform, rng) && moved);
        (minor && accepted).then_some(Contact { girl, band, second })
    }

    /// Records an offence; returns whether its platform is known.
    fn offence(&mut self, first: Archetype, second: Option<Archetype>, rng: &mut CounterRng) -> bool {
        self.counts.offences = Offences(self.counts.offences.0 + 1);
        let elsewhere = rng.chance(self.recorded.elsewhere.p());
        let known = &self.recorded.naming(self.reading).known.value;
        if !rng.chance(known[if elsewhere { 4 } else { first as usize }]) {
            return false;
        }
        self.counts.known = Offences(self.counts.known.0 + 1);
        let mut named = [false; 5];
        if !elsewhere {
            self.name(first, &mut named, rng);
        }
        let too = rng.chance(self.recorded.second_named.p());
        if let Some(second) = second.filter(|_| too) {
            self.name(second, &mut named, rng);
        }
        for (count, _) in self.counts.mentions.iter_mut().zip(named).filter(|(_, named)| *named) {
            *count = Offences(count.0 + 1);
        }
        let social = named[Platform::SocialA as usize] || named[Platform::SocialB as usize];
        self.counts.social_either = Offences(self.counts.social_either.0 + u64::from(social));
        true
    }

    fn name(&self, platform: Archetype, named: &mut [bool; 5], rng: &mut CounterRng) {
        let (both, first) = (rng.chance(self.recorded.both_social.p()), rng.chance(0.5));
        match platform {
            Archetype::EphemeralMessenger => named[Platform::Ephemeral as usize] = true,
            Archetype::EndToEndMessenger => named[Platform::EndToEnd as usize] = true,
            Archetype::SocialNetwork => {
                named[Platform::SocialA as usize] |= both || first;
                named[Platform::SocialB as usize] |= both || !first;
            }
            Archetype::GameLobby => named[Platform::Game as usize] = true,
        }
    }

    fn child(&mut self, contact: &Contact, known: bool) {
        let counts = &mut self.counts;
        let one = |count: &mut Children| *count = Children(count.0 + 1);
        one(if contact.girl { &mut counts.girls } else { &mut counts.boys });
        if known {
            one(if contact.girl { &mut counts.known_girls } else { &mut counts.known_boys });
        }
        if contact.band == AgeBand::Under13 {
            one(&mut counts.under_13);
        }
    }
}
