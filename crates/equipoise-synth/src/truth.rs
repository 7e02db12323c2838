//! TRUTH. What no platform and no model may ever read: only the runner and the benches import this module, to turn
//! scores into cases for evaluation. Everything here is synthetic.

use equipoise_core::{AccountId, AccountRef, AgeBand, PersonId, PlatformId, SimTime};
use serde::{Deserialize, Serialize};

/// Kinds of simulated harmful patterns, named by their metadata alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum HarmArchetype {
    /// Many requests, few of them accepted.
    BroadcastContacter = 0,
    /// A recent account that declares a minor's age.
    FakePeer = 1,
    /// One dense dyad, no volume.
    SlowSingleTarget = 2,
    /// Short dyads on one platform, continued on another.
    Migrator = 3,
    /// A few accounts with overlapping targets, and dyads that pass from one to another.
    CoordinatedRing = 4,
}

impl HarmArchetype {
    /// Every pattern, in code order.
    pub const ALL: [Self; 5] = [
        Self::BroadcastContacter,
        Self::FakePeer,
        Self::SlowSingleTarget,
        Self::Migrator,
        Self::CoordinatedRing,
    ];
}

/// Benign roles, for burden by subgroup.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum BenignGroup {
    /// None of the others.
    Ordinary = 0,
    /// Teaches or coaches children.
    TeacherCoach = 1,
    /// Works with the young or at a helpline.
    YouthWorker = 2,
    /// An adult with a dense dyad to a child of the family.
    Relative = 3,
    /// A minor with very many contacts.
    PopularTeen = 4,
    /// An account with a large audience.
    Influencer = 5,
    /// Sells, recruits or advertises.
    SellerBot = 6,
    /// Moved to a new school or platform.
    Newcomer = 7,
    /// Organises an event.
    Organiser = 8,
    /// A second account of a person.
    SecondAccount = 9,
    /// A minor who declares to be an adult.
    MisdeclaredTeen = 10,
    /// A child in touch with a youth worker.
    HelpSeeking = 11,
    /// Moves a friendship to a messenger.
    FriendshipMover = 12,
    /// One of a group of friends who make new friends together.
    FriendGroup = 13,
    /// One of a clan or guild that recruits.
    Clan = 14,
    /// One of the adults who run the groups of a class or club.
    ClassAdmins = 15,
}

impl BenignGroup {
    /// Every group, in code order.
    pub const ALL: [Self; 16] = [
        Self::Ordinary,
        Self::TeacherCoach,
        Self::YouthWorker,
        Self::Relative,
        Self::PopularTeen,
        Self::Influencer,
        Self::SellerBot,
        Self::Newcomer,
        Self::Organiser,
        Self::SecondAccount,
        Self::MisdeclaredTeen,
        Self::HelpSeeking,
        Self::FriendshipMover,
        Self::FriendGroup,
        Self::Clan,
        Self::ClassAdmins,
    ];
}

/// The truth about one account.
#[derive(Clone, PartialEq, Debug)]
pub struct AccountTruth {
    /// Who is behind it.
    pub person: PersonId,
    /// That person's true age band.
    pub true_age_band: AgeBand,
    /// Whether that person is a girl or woman.
    pub girl: bool,
    /// The simulated harmful pattern, if any.
    pub harmful: Option<HarmArchetype>,
    /// The benign role; for a harmful account the role that it resembles.
    pub benign_group: BenignGroup,
    /// Set if the account is benign and was made as a look-alike of this pattern.
    pub matched_for: Option<HarmArchetype>,
    /// The team that the account acts in: a ring, or the benign group that it is matched with. Unique in a world.
    pub team: Option<u32>,
    /// When the owner deleted the account, if that happened. Benign, and the log only falls silent.
    pub left: Option<SimTime>,
    /// First harmful contact with a child on this platform, if it happened.
    pub harm_start: Option<SimTime>,
    /// First contact with each child by a harmful account, sorted by time.
    pub contacts: Vec<(SimTime, PersonId)>,
}

/// How long a harmful dyad stayed in a stage.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct StageInterval {
    /// The harmful account.
    pub account: AccountId,
    /// The child.
    pub child: PersonId,
    /// Stage 1 to 5.
    pub stage: u8,
    /// When the stage began.
    pub from: SimTime,
    /// When it ended: the next stage, the end of the dyad, or the end of the window.
    pub to: SimTime,
}

/// The truth about one platform.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PlatformTruth {
    /// By account.
    pub accounts: Vec<AccountTruth>,
    /// Sorted by (account, child, ...).
    pub stages: Vec<StageInterval>,
}

/// How children answered contacts of accounts with a harmful pattern, and what became of reports. Counts for the checks
/// of calibration; the units differ from line to line and are never added.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Requests: (harmful account, child) pairs that began by asking for contact.
    pub requests: u64,
    /// Dyads: such pairs that came into contact, by an accepted request or on an existing tie.
    pub dyads: u64,
    /// Dyads of these that began on an existing tie.
    pub dyads_known_before: u64,
    /// Times that a child noticed something unwanted in such a dyad.
    pub noticed: u64,
    /// Of these: nothing done.
    pub ignored: u64,
    /// Of these: blocked.
    pub blocked: u64,
    /// Of these: reported.
    pub reported: u64,
    /// Of these: muted.
    pub muted: u64,
    /// Of these: nobody told.
    pub told_nobody: u64,
    /// Of these: blocked or reported where another account of the actor or team was in reach.
    pub recontactable: u64,
    /// Requests that followed from such another account.
    pub recontacted: u64,
    /// Child-safety reports that a review decided, whoever was reported.
    pub child_safety_reviews: u64,
    /// Of these: ended in action.
    pub child_safety_actions: u64,
}

/// A simulated person.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PersonTruth {
    /// True age band.
    pub band: AgeBand,
    /// Whether the person is a girl or woman.
    pub girl: bool,
    /// Coarse region.
    pub region: u8,
    /// Standard normal trait: how many circles.
    pub sociability: f64,
    /// Positive trait with median 1: multiplies the odds of accepting.
    pub vulnerability: f64,
    /// The smallest person number among those who must be split together: household and teams.
    pub unit: u32,
}

/// An adverse reaction towards a child in a harmful dyad: an abstract event.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct AdverseEvent {
    /// The harmful account.
    pub account: AccountRef,
    /// The child.
    pub child: PersonId,
    /// When.
    pub time: SimTime,
}

/// What a filter on devices met in one harmful dyad that had reached S4.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ScreenedDyad {
    /// The harmful account.
    pub account: AccountRef,
    /// The child.
    pub child: PersonId,
    /// Messages with sensitive media that passed.
    pub passed: u32,
    /// Such messages that were not sent after a warning.
    pub stopped: u32,
}

/// The truth about a world.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Truth {
    /// By person.
    pub persons: Vec<PersonTruth>,
    /// By platform.
    pub platforms: Vec<PlatformTruth>,
    /// Answers and reviews, counted.
    pub tally: Tally,
    /// Adverse reactions towards children after a measure or an answer; empty without the world file's section.
    pub adverse: Vec<AdverseEvent>,
    /// What filters on devices met in harmful dyads; empty without a filter.
    pub screened: Vec<ScreenedDyad>,
    /// Sorted (person, account).
    pub(crate) owners: Vec<(PersonId, AccountRef)>,
}

impl Truth {
    /// Every account of a person, in platform order.
    pub fn accounts_of(&self, person: PersonId) -> impl Iterator<Item = AccountRef> + '_ {
        let first = self.owners.partition_point(|(owner, _)| *owner < person);
        self.owners[first..]
            .iter()
            .take_while(move |(owner, _)| *owner == person)
            .map(|(_, account)| *account)
    }

    /// The truth about one account.
    ///
    /// # Panics
    /// If the account does not exist.
    #[must_use]
    pub fn account(&self, platform: PlatformId, account: AccountId) -> &AccountTruth {
        &self.platforms[platform.index()].accounts[account.index()]
    }
}
