//! The world file: every number that the world uses, each research rate with its source. No defaults.

use crate::hawkes::HawkesSpec;
use crate::spec_adaptation::AdaptationSpec;
use crate::spec_drift::DriftSpec;
use crate::spec_graph::GraphSpec;
use crate::spec_harm::HarmSpec;
use crate::spec_response::{ModerationSpec, ResponseSpec};
use crate::{Generator, Retention, SchemaMode, Sourced, WorldError};
use equipoise_core::{Archetype, EventKind, Fraction};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A rate between 0 and 1 with its source.
pub type Rate = Sourced<Fraction>;
/// Any other number with its source.
pub type Number = Sourced<f64>;

/// A whole simulated world.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WorldSpec {
    /// How many persons live in it.
    pub persons: u32,
    /// How many days are observed.
    pub days: u16,
    /// Length of a tick in hours; divides 24. State changes only between ticks.
    pub tick_hours: u8,
    /// Which mechanisms make it.
    pub generator: Generator,
    /// Whether platforms show their own columns or only what all of them see.
    pub schema_mode: SchemaMode,
    /// The platform instances, in the order of their ids.
    pub platform: Vec<PlatformSpec>,
    /// Who lives there.
    pub population: PopulationSpec,
    /// Who has an account where.
    pub membership: MembershipSpec,
    /// Who knows whom.
    pub graph: GraphSpec,
    /// How accounts behave in the ordinary case.
    pub behaviour: BehaviourSpec,
    /// The timing of generator "b".
    pub hawkes: HawkesSpec,
    /// The simulated harmful patterns and their look-alikes.
    pub harm: HarmSpec,
    /// Benign roles whose metadata resemble harm.
    pub hard_negatives: HardNegativeSpec,
    /// How the receiving side answers.
    pub responses: ResponseSpec,
    /// What platforms and police do with reports.
    pub moderation: ModerationSpec,
    /// Noisy cross-platform tokens.
    pub linkage: LinkageSpec,
    /// What changes over the window.
    pub drift: DriftSpec,
    /// What harmful accounts do after a measure met them; absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adaptation: Option<AdaptationSpec>,
}

/// One platform instance.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PlatformSpec {
    /// A neutral name, unique in the file, for instance `social-1`.
    pub name: String,
    /// The service design.
    pub archetype: Archetype,
    /// Length of a bucket of time; every time in the log is floored to it. Divides an hour.
    pub bucket_seconds: u16,
    /// How long rows are held: `"everything"` or `{ days = 90 }`.
    pub retention: Retention,
    /// Shares of rows that are never written, by kind; kinds that are not named are always written.
    pub missing: Sourced<BTreeMap<EventKind, Fraction>>,
}

/// Ages, genders, traits, declared ages. Arrays are indexed by age band, youngest first.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PopulationSpec {
    /// Shares of the age bands.
    pub bands: Sourced<[f64; 4]>,
    /// Share of girls and women.
    pub girls: Rate,
    /// How many coarse regions.
    pub regions: u8,
    /// `declared-age[true band][declared band]`, rows sum to 1.
    pub declared_age: Sourced<[[f64; 4]; 4]>,
    /// Shares of persons with a profile of their own, by age band. The others use somebody else's and leave no rows.
    pub own_profile: Sourced<[f64; 4]>,
    /// Shares of persons who are open to contact with people they do not know, by age band. The others accept no
    /// stranger's request and talk to nobody unknown in lobbies.
    pub open_to_strangers: Sourced<[f64; 4]>,
    /// Shares of the open ones who talk to people they do not know in game lobbies, by age band.
    pub lobby_talk: Sourced<[f64; 4]>,
    /// Log-scale of the vulnerability trait, which multiplies the odds of accepting strangers.
    pub vulnerability_sigma: Number,
    /// Mean of the Beta-distributed probability that an open person accepts a stranger's request.
    pub stranger_accept: Rate,
    /// Concentration (a + b) of that Beta distribution.
    pub stranger_accept_concentration: Number,
    /// Mean number of second accounts of a minor on a platform.
    pub second_accounts_minor: Number,
    /// Mean number of second accounts of an adult on a platform.
    pub second_accounts_adult: Number,
    /// Share of accounts made during the window.
    pub created_in_window: Rate,
    /// Median age in days of the other accounts.
    pub account_age_days: Number,
}

/// Membership by archetype and age band.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MembershipSpec {
    /// Shares on an ephemeral messenger by band.
    pub ephemeral_messenger: Sourced<[f64; 4]>,
    /// Shares on an end-to-end encrypted messenger by band.
    pub end_to_end_messenger: Sourced<[f64; 4]>,
    /// Shares on a social network by band.
    pub social_network: Sourced<[f64; 4]>,
    /// Shares on a game platform by band.
    pub game_lobby: Sourced<[f64; 4]>,
    /// Correlation of a Gaussian copula between a person's memberships.
    pub rho: Rate,
}

impl MembershipSpec {
    /// Shares by band on a platform of `archetype`.
    #[must_use]
    pub const fn shares(&self, archetype: Archetype) -> &[f64; 4] {
        match archetype {
            Archetype::EphemeralMessenger => &self.ephemeral_messenger.value,
            Archetype::EndToEndMessenger => &self.end_to_end_messenger.value,
            Archetype::SocialNetwork => &self.social_network.value,
            Archetype::GameLobby => &self.game_lobby.value,
        }
    }
}

/// The session engine of ordinary behaviour.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BehaviourSpec {
    /// Median sessions per day of a minor's account.
    pub sessions_minor: Number,
    /// Median sessions per day of an adult's account.
    pub sessions_adult: Number,
    /// Log-scale of that rate over accounts.
    pub activity_sigma: Number,
    /// Log-scale of the activity of one account from day to day.
    pub day_sigma: Number,
    /// Mean messages of a conversation (geometric, with a log-normal mean).
    pub conversation: Number,
    /// Log-scale of the mean over conversations; 0 is a plain geometric law.
    pub conversation_sigma: Number,
    /// Median seconds between messages of a conversation.
    pub gap_seconds: Number,
    /// Log-scale of the gaps.
    pub gap_sigma: Number,
    /// Probability that a known peer replies to a conversation, at once or later.
    pub reply_known: Rate,
    /// Probability that an unknown peer does.
    pub reply_unknown: Rate,
    /// Share of replies that come later, without a session of their own.
    pub late_reply: Rate,
    /// Share of accepted strangers with whom the new contact leads to conversations at all.
    pub stranger_talk: Rate,
    /// Median hours of the late reply.
    pub late_reply_hours: Number,
    /// Mean media share of a minor's messages.
    pub media_minor: Rate,
    /// Mean media share of an adult's messages.
    pub media_adult: Rate,
    /// Share of conversations in groups.
    pub group_share: Rate,
    /// Share of game conversations with strangers of the lobby.
    pub lobby_strangers: Rate,
    /// Contact requests per session.
    pub requests: Rate,
    /// Share of strangers met who are of the same generation (minor or adult).
    pub same_generation: Rate,
    /// Searches per session.
    pub searches: Rate,
    /// Recommendations shown per session.
    pub exposures: Rate,
    /// Profile changes per session.
    pub profile_changes: Rate,
    /// Group joins per session outside games; in a game every other session joins a lobby.
    pub group_joins: Rate,
    /// Group invitations per session.
    pub group_invites: Rate,
    /// Calls per session.
    pub calls: Rate,
    /// Mean minutes of a call.
    pub call_minutes: Number,
    /// Hourly weights of minors on weekdays.
    pub hours_minor_weekday: Sourced<[f64; 24]>,
    /// Hourly weights of adults on weekdays.
    pub hours_adult_weekday: Sourced<[f64; 24]>,
    /// Hourly weights of everybody on weekends.
    pub hours_weekend: Sourced<[f64; 24]>,
}

/// Shares of benign roles among persons of the fitting age.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HardNegativeSpec {
    /// Adults who teach or coach, each linked to many children.
    pub teacher_coach: Rate,
    /// Adults who work with the young or at a helpline.
    pub youth_worker: Rate,
    /// Smallest and largest number of children around one of these.
    pub children: [u16; 2],
    /// Children who turn to a youth worker.
    pub help_seeking: Rate,
    /// Minors with many circles.
    pub popular_teen: Rate,
    /// Factor on the circles of a popular teen.
    pub popular_circles: Number,
    /// Adults with a dense dyad to a child of their family.
    pub relative: Rate,
    /// Adults with a large audience.
    pub influencer: Rate,
    /// Factor on the circles of an influencer.
    pub influencer_circles: Number,
    /// Adults who sell, recruit or advertise.
    pub seller: Rate,
    /// Adults who organise events.
    pub organiser: Rate,
    /// Persons of any age who moved to a new school or platform.
    pub newcomer: Rate,
    /// Share of a newcomer's ties that a platform shows already, households aside.
    pub newcomer_ties: Rate,
    /// Factors on the contact requests of influencers, sellers, organisers and newcomers, in this order.
    pub requests_factor: Sourced<[f64; 4]>,
}

/// Noisy linkage tokens.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LinkageSpec {
    /// Probability that an account carries its person's token.
    pub matches: Rate,
    /// Probability that it carries the token of somebody else.
    pub collides: Rate,
}

impl WorldSpec {
    /// Checks what types cannot: counts, sums and shapes.
    ///
    /// # Errors
    /// Names the first setting that cannot be simulated.
    pub fn validate(&self) -> Result<(), WorldError> {
        if self.platform.is_empty() || self.platform.len() > 250 {
            return Err(WorldError::Platforms { got: self.platform.len() });
        }
        for (index, platform) in self.platform.iter().enumerate() {
            if platform.name.is_empty() || self.platform[..index].iter().any(|p| p.name == platform.name) {
                return Err(WorldError::PlatformName { name: platform.name.clone() });
            }
        }
        let bad =
            |what: &str, range: &str| Err(WorldError::Setting { what: what.into(), range: range.into() });
        if !(100..=20_000_000).contains(&self.persons) {
            return bad("persons", "between 100 and 20,000,000");
        }
        if !(1..=3_650).contains(&self.days) {
            return bad("days", "between 1 and 3,650");
        }
        if self.tick_hours == 0 || !24_u8.is_multiple_of(self.tick_hours) {
            return bad("tick-hours", "a divisor of 24");
        }
        for platform in &self.platform {
            let bucket = platform.bucket_seconds;
            if bucket == 0 || !3_600_u16.is_multiple_of(bucket) {
                return bad("platform.bucket-seconds", "a divisor of 3,600");
            }
        }
        if self.population.regions == 0 {
            return bad("population.regions", "at least 1");
        }
        if !sums_to_one(&self.population.bands.value) {
            return bad("population.bands", "four shares that sum to 1");
        }
        if !self.population.declared_age.value.iter().all(|row| sums_to_one(row)) {
            return bad("population.declared-age", "four rows of shares that each sum to 1");
        }
        let open = &self.population.open_to_strangers;
        for shares in [&self.population.own_profile, open, &self.population.lobby_talk] {
            if !shares.value.iter().all(|share| (0.0..=1.0).contains(share)) {
                return bad("population.own-profile and lobby-talk", "four shares between 0 and 1");
            }
        }
        for archetype in Archetype::ALL {
            if !self.membership.shares(archetype).iter().all(|share| (0.0..=1.0).contains(share)) {
                return bad("membership", "shares between 0 and 1");
            }
        }
        let hours = &self.behaviour;
        for table in [&hours.hours_minor_weekday, &hours.hours_adult_weekday, &hours.hours_weekend] {
            if !table.value.iter().all(|w| *w >= 0.0 && w.is_finite())
                || table.value.iter().sum::<f64>() <= 0.0
            {
                return bad("behaviour.hours", "24 weights, none negative, not all 0");
            }
        }
        for (what, number) in self.positive_numbers() {
            if !(number > 0.0 && number.is_finite()) {
                return bad(what, "positive and finite");
            }
        }
        let factors = &self.hard_negatives.requests_factor.value;
        if !factors.iter().all(|factor| (0.0..=1_000.0).contains(factor)) {
            return bad("hard-negatives.requests-factor", "four numbers between 0 and 1,000");
        }
        if self.hard_negatives.children[0] > self.hard_negatives.children[1] {
            return bad("hard-negatives.children", "a smallest and a largest number, in this order");
        }
        self.graph.validate()?;
        self.responses.validate()?;
        self.moderation.validate()?;
        self.drift.validate()?;
        self.hawkes.validate()?;
        self.adaptation.as_ref().map_or(Ok(()), AdaptationSpec::validate)?;
        self.harm.validate()
    }

    fn positive_numbers(&self) -> [(&'static str, f64); 13] {
        let (p, b) = (&self.population, &self.behaviour);
        [
            ("population.stranger-accept-concentration", p.stranger_accept_concentration.get()),
            ("population.account-age-days", p.account_age_days.get()),
            ("behaviour.sessions-minor", b.sessions_minor.get()),
            ("behaviour.sessions-adult", b.sessions_adult.get()),
            ("behaviour.conversation", b.conversation.get()),
            ("behaviour.gap-seconds", b.gap_seconds.get()),
            ("behaviour.late-reply-hours", b.late_reply_hours.get()),
            ("behaviour.call-minutes", b.call_minutes.get()),
            ("hard-negatives.popular-circles", self.hard_negatives.popular_circles.get()),
            ("hard-negatives.influencer-circles", self.hard_negatives.influencer_circles.get()),
            ("responses.delay-hours", self.responses.delay_hours.get()),
            ("moderation.review-minutes", self.moderation.review_minutes.get()),
            ("moderation.police-days", self.moderation.police_days.get()),
        ]
    }
}

fn sums_to_one(shares: &[f64]) -> bool {
    shares.iter().all(|share| (0.0..=1.0).contains(share)) && (shares.iter().sum::<f64>() - 1.0).abs() < 1e-9
}
