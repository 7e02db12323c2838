//! The seam between the world and protective measures, kept here so that neither imports the other.

use crate::{AccountId, AccountProfile, Event, PlatformId, RiskScore, SimTime};
use serde::{Deserialize, Serialize};

/// Something that an account is about to do. It becomes an event only if the policy of its platform permits it.
pub type Intent = Event;

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
/// returns no more than `budget` actions and only about accounts that it was given.
pub trait Policy: Send {
    /// Says whether the intent may become an event.
    fn permit(&self, intent: &Intent, state: &PlatformState<'_>) -> Verdict;

    /// Spends a review budget on the accounts that were scored.
    fn act(&mut self, scores: &[(AccountId, RiskScore)], budget: Budget) -> Vec<Action>;

    /// Hears what happened in the tick that just ended; state changes here and nowhere else.
    fn tick_end(&mut self, _happened: &[Event]) {}
}
