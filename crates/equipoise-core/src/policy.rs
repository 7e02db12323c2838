//! The seam between the world and protective measures, kept here so that neither imports the other.

use crate::{
    AccountId, AccountProfile, AccountRef, Event, EventKind, EventSink, Fraction, KnownLabel, PlatformId,
    RiskScore, SimTime,
};
use serde::{Deserialize, Serialize};

/// Something that an account is about to do. It becomes an event only if the policy of its platform permits it.
pub type Intent = Event;

/// How an account came upon the one that it asks for contact. Carried in [`Event::detail`] of a request that is still an
/// [`Intent`]: a platform knows it at that moment, as it knows which page a request is sent from. The log does not keep it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum FoundBy {
    /// A group, another platform, somebody's word: nothing that a platform's own lists offered.
    Other = 0,
    /// The list of a contact's contacts.
    ContactList = 1,
    /// A recommendation of the platform.
    Suggestion = 2,
    /// A search.
    Search = 3,
}

impl FoundBy {
    /// The way that a request intent carries.
    #[must_use]
    pub const fn of(intent: &Intent) -> Self {
        match intent.detail {
            1 => Self::ContactList,
            2 => Self::Suggestion,
            3 => Self::Search,
            _ => Self::Other,
        }
    }
}

/// A filter of sensitive media on the devices of those who are, as far as the device knows, under 18. It is simulated by
/// its rates alone: no image exists anywhere. The world draws them; neither the platform nor a policy hears the outcome.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MediaScreen {
    /// Chance of a warning about a medium of a dyad with a simulated harmful pattern in S4 or S5.
    pub true_positive: Fraction,
    /// Chance of a warning about any other medium.
    pub false_positive: Fraction,
    /// Chance of going on after the warning; 0 is a filter without override.
    pub proceed: Fraction,
    /// Share of children's devices that do not run it.
    pub opt_out: Fraction,
}

/// Tools in the hands of those who use a platform.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ReportingTools {
    /// Factor, at least 1, on the chance of noticing something unwanted, in dyads of a declared adult and a declared minor
    /// that the platform shows a safety notice to.
    pub notice: f64,
    /// Chance that a block without a report becomes one with a report, since the platform asks.
    pub prompt: Fraction,
}

/// What a measure changes besides refusing intents: on devices, and in the hands of those who use the platform.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Levers {
    /// A filter on devices.
    pub media_screen: Option<MediaScreen>,
    /// Reporting tools.
    pub reporting: Option<ReportingTools>,
}

impl Levers {
    /// Both together; where both pull the same lever, the first counts.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            media_screen: self.media_screen.or(other.media_screen),
            reporting: self.reporting.or(other.reporting),
        }
    }
}

/// What of the sessions and messages of accounts in accepted contact a measure may ever change. What no measure reaches and
/// nobody hears need not be simulated again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Reach {
    /// None of them.
    Nothing,
    /// Messages that carry media, through the filter on devices.
    Media,
    /// Any of them.
    Everything,
}

/// What a policy says to an [`Intent`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It happens.
    Permit,
    /// It does not happen; the actor notices.
    Refuse,
    /// The actor is warned first; the world draws whether they go on.
    Warn,
}

/// What a platform does about an account after review.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Slows new contacts down.
    Friction(AccountId),
    /// Stops new contacts.
    ContactFreeze(AccountId),
    /// Closes the account.
    Ban(AccountId),
    /// Takes earlier actions back after an appeal.
    Reinstate(AccountId),
}

/// How many reviews a platform can afford in one decision.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Budget(pub u32);

/// The contact graph as one platform sees it.
pub trait ContactView {
    /// Whether the two accounts are in accepted contact on this platform.
    fn connected(&self, a: AccountId, b: AccountId) -> bool;
    /// How many contacts the two accounts share.
    fn mutuals(&self, a: AccountId, b: AccountId) -> u32;
}

/// Everything that a policy may look at: its own platform, now.
#[derive(Clone, Copy)]
pub struct PlatformState<'a> {
    /// Which platform.
    pub platform: PlatformId,
    /// The start of the current tick.
    pub now: SimTime,
    /// The platform's accounts.
    pub profiles: &'a [AccountProfile],
    /// The platform's contact graph.
    pub contacts: &'a dyn ContactView,
}

impl std::fmt::Debug for PlatformState<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlatformState")
            .field("platform", &self.platform)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// A protective measure on one platform.
///
/// Laws: `permit` is a pure function of its arguments and of what `act` and `tick_end` were told before; `act`
/// returns no more than `budget` actions and only about accounts that it was given; `signalled` speaks only about accounts
/// that it was given; events of kinds that it does not hear change nothing; at one time the levers are the same
/// however often they are asked for.
pub trait Policy: Send {
    /// Says whether the intent may become an event.
    fn permit(&self, intent: &Intent, state: &PlatformState<'_>) -> Verdict;

    /// Spends a review budget on the accounts that were scored.
    fn act(&mut self, scores: &[(AccountId, RiskScore)], budget: Budget) -> Vec<Action>;

    /// Hears what happened in the tick that just ended; state changes here and nowhere else.
    fn tick_end(&mut self, _happened: &[Event]) {}

    /// Whether `tick_end` makes anything of events of this kind. What nobody hears need not be simulated again.
    fn hears(&self, _kind: EventKind) -> bool {
        true
    }

    /// What of the sessions and messages of accounts in accepted contact it may change, now or later. Law: what it does not
    /// reach, it permits, and no lever of its own touches.
    fn reach(&self) -> Reach {
        Reach::Everything
    }

    /// What it changes besides refusing intents, from `now` on.
    fn levers(&self, _now: SimTime) -> Levers {
        Levers::default()
    }

    /// Hears the time before a tick and a decision.
    fn clock(&mut self, _now: SimTime) {}

    /// Whether it spends a review budget; where nobody does, nobody is scored.
    fn reviews(&self, _now: SimTime) -> bool {
        false
    }

    /// Whether the platform tells others of a case that a review upheld.
    fn shares_signals(&self, _now: SimTime) -> bool {
        false
    }

    /// Hears that another platform upheld a case whose token these accounts carry; says what is due if its own review
    /// agrees.
    fn signalled(&mut self, _accounts: &[AccountId], _now: SimTime) -> Vec<Action> {
        Vec::new()
    }
}

/// Scores the accounts of platforms from what each of them has seen. A federated model is one, a rule is another.
///
/// Law: the scores of a platform at `now` depend on its own events before `now` alone (what a model was trained on besides
/// is its own matter, and its ledger's).
pub trait ScoreSource: EventSink {
    /// The scores at a decision; an account that is not listed is not considered.
    fn scores(&mut self, platform: PlatformId, now: SimTime) -> Vec<(AccountId, RiskScore)>;

    /// Whether it makes anything of events of this kind. What nobody hears need not be simulated again.
    fn hears(&self, _kind: EventKind) -> bool {
        true
    }

    /// Hears, before a decision, what a platform knows of its own accounts: its moderation's labels and outsiders', late and
    /// incomplete. A score that does not learn on the way makes nothing of it.
    fn knows(&mut self, _platform: PlatformId, _labels: &[KnownLabel], _now: SimTime) {}

    /// Hears that the platform's own review of a case of the loop was decided.
    fn decided(&mut self, _account: AccountRef, _upheld: bool, _opened_at: SimTime) {}
}

/// A world that is stepped under measures and told what reviews decided. Its truth is somebody else's to ask for.
pub trait Steered {
    /// The start of the tick that the next step plays.
    fn now(&self) -> SimTime;

    /// How many platforms there are.
    fn platforms(&self) -> usize;

    /// Plays one tick under one policy a platform; false when the window is over and nothing was played.
    fn step_under(&mut self, policies: &mut [Box<dyn Policy>], sink: &mut dyn EventSink) -> bool;

    /// Carries out actions, from the next tick on.
    fn carry_out(&mut self, platform: PlatformId, actions: &[Action]);

    /// Accounts of other platforms that carry the token of this one: noisy, so that some are missing and some are others'.
    fn carriers(&self, account: AccountRef) -> Vec<AccountRef>;

    /// What a platform knows of its own accounts by now; without moderation of its own, nothing.
    fn known(&self, _platform: PlatformId) -> &[KnownLabel] {
        &[]
    }
}
