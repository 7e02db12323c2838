//! The secure sum: platforms protect integers, a server adds what it cannot read, key holders open only the sum.
//!
//! One trait serves every scheme (`encryption.md` 8): plain integers here, encrypted ones in `equipoise-encrypted`.
//! Plans come before crypto: what cannot be held is an error before any key exists. A sum is *exact* on integers or it
//! is an error; decoding to real numbers happens elsewhere. Adversary: honest but curious, unless a scheme says more.

mod plan;
mod session;
mod stopwatch;

pub use plan::{PlanError, SlotPlan, VectorSpec};
pub use session::{DynSecureSum, SumSession, WireCost};
pub(crate) use stopwatch::timed;
pub use stopwatch::{Seat, Stopwatch, Untimed};

use crate::leakage::LeakageProfile;
use equipoise_privacy::OutgoingUpdate;
use serde::{Deserialize, Serialize};

/// Why a sum failed in a round.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SumError {
    /// No plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// An upload has another length than planned.
    #[error("client {client} sent {got} values in round {round}, the plan says {want}")]
    Length {
        /// Round.
        round: u32,
        /// Client.
        client: u32,
        /// Values received.
        got: usize,
        /// Values planned.
        want: usize,
    },
    /// An upload belongs to another round.
    #[error("client {client} sent an upload of round {got} in round {want}")]
    Round {
        /// Client.
        client: u32,
        /// Round named in the upload.
        got: u32,
        /// Round under way.
        want: u32,
    },
    /// The same client twice in one round.
    #[error("client {client} is twice in the sum of round {round}")]
    Twice {
        /// Round.
        round: u32,
        /// Client.
        client: u32,
    },
    /// More weight or values than the plan allows.
    #[error("client {client} sent a value or weight beyond the plan in round {round}")]
    BeyondPlan {
        /// Round.
        round: u32,
        /// Client.
        client: u32,
    },
    /// A key holder refused.
    #[error("the key holder refused to open round {round}: {reason}")]
    Refused {
        /// Round.
        round: u32,
        /// Why.
        reason: String,
    },
    /// A key holder's record of what it opened is damaged or cannot be written.
    #[error("the key holder's record: {0}")]
    Record(String),
    /// Bytes that are not a valid message.
    #[error("a message could not be read: {0}")]
    Malformed(String),
    /// The system's randomness failed.
    #[error("the operating system gave no randomness: {0}")]
    Entropy(String),
}

/// The cohort of a round, as a key holder is told before it opens anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CohortRecord {
    /// Round.
    pub round: u32,
    /// Clients in the sum, ascending.
    pub clients: Vec<u32>,
}

/// The opened sum of a round: exact integers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntSum {
    /// Coordinate-wise sums.
    pub values: Vec<i64>,
    /// Sum of the public weights.
    pub weight: u64,
    /// Number of clients in the sum.
    pub clients: u32,
}

/// A message that has a size on the wire.
pub trait Wire {
    /// Bytes on the wire.
    fn wire_bytes(&self) -> u64;
}

/// The parties' states that a [`SecureSum::setup`] makes.
#[derive(Debug)]
pub struct Setup<P, C, K> {
    /// What everybody knows.
    pub public: P,
    /// One state a platform, in client order.
    pub clients: Vec<C>,
    /// One state a key holder.
    pub holders: Vec<K>,
}

/// What a setup makes for the scheme `S`.
pub type SetupOf<S> = Setup<<S as SecureSum>::Public, <S as SecureSum>::Client, <S as SecureSum>::Holder>;

/// A scheme that sums integer vectors. Steps are named by the side that runs them.
///
/// Laws (see [`crate::laws::check_secure_sum`]): the opened sum equals the integer sum of the updates, for any subset
/// of the clients, in any order of accumulation; a round opens once and for one cohort only.
pub trait SecureSum: Send + Sync {
    /// What everybody knows.
    type Public: Send + Sync;
    /// A platform's secret state.
    type Client: Send;
    /// A key holder's secret state.
    type Holder: Send;
    /// What a platform sends.
    type Upload: Wire + Send;
    /// What the server keeps.
    type Accumulator: Send;
    /// What a key holder answers.
    type Share: Wire + Send;

    /// The scheme's name in files and reports.
    fn name(&self) -> &'static str;
    /// Lays out the vectors, or says what does not fit. Runs before any key exists.
    ///
    /// # Errors
    /// If the sum cannot be held.
    fn plan(&self, spec: &VectorSpec) -> Result<SlotPlan, PlanError>;
    /// Makes keys from the operating system's entropy.
    ///
    /// # Errors
    /// If there is no plan or no entropy.
    fn setup(&self, spec: &VectorSpec) -> Result<SetupOf<Self>, SumError>;
    /// The fewest clients whose sum a round may open.
    fn cohort_floor(&self) -> u32 {
        2
    }
    /// Runs on the platforms that are asked in a round, before any of them trains: what a scheme of several steps agrees on
    /// first. Returns the bytes that they send; most schemes need nothing. `asked` ascends and holds more clients than the
    /// sum if some drop out.
    ///
    /// # Errors
    /// If they cannot agree.
    fn prepare(
        &self,
        public: &Self::Public,
        clients: &mut [Self::Client],
        round: u32,
        asked: &[u32],
    ) -> Result<u64, SumError> {
        let _ = (public, clients, round, asked);
        Ok(0)
    }
    /// Runs on a platform.
    ///
    /// # Errors
    /// If the update does not fit the plan.
    fn protect(
        &self,
        public: &Self::Public,
        client: &mut Self::Client,
        update: &OutgoingUpdate,
    ) -> Result<Self::Upload, SumError>;
    /// Runs on the server: an empty sum for `round`.
    fn empty(&self, public: &Self::Public, round: u32) -> Self::Accumulator;
    /// Runs on the server: adds one upload.
    ///
    /// # Errors
    /// If the upload is of another round, of a client that is in the sum already, or malformed.
    fn accumulate(
        &self,
        public: &Self::Public,
        sum: &mut Self::Accumulator,
        upload: &Self::Upload,
    ) -> Result<(), SumError>;
    /// Runs at a key holder; refuses a second cohort for a round.
    ///
    /// # Errors
    /// If the holder refuses.
    fn partial_open(
        &self,
        public: &Self::Public,
        holder: &mut Self::Holder,
        sum: &Self::Accumulator,
        cohort: &CohortRecord,
    ) -> Result<Self::Share, SumError>;
    /// Combines the shares into exact integers.
    ///
    /// # Errors
    /// If shares are missing or do not belong to the sum.
    fn open(
        &self,
        public: &Self::Public,
        sum: Self::Accumulator,
        shares: &[Self::Share],
    ) -> Result<IntSum, SumError>;
    /// What each seat learns.
    fn leakage(&self) -> LeakageProfile;
    /// What is summed, where the server reads every update as it comes. Only such sums may be kept in readable parts, one a worker,
    /// so that no update outlives its client's turn; a scheme that hides anything says nothing here.
    fn clear<'p>(&self, public: &'p Self::Public) -> Option<&'p VectorSpec> {
        let _ = public;
        None
    }
}
