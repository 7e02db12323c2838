//! The secure sum: platforms protect integers, a server adds what it cannot read, key holders open only the sum.
//!
//! One trait serves every scheme (`encryption.md` 8): plain integers here, encrypted ones in `equipoise-encrypted`.
//! Plans come before crypto: what cannot be held is an error before any key exists. A sum is *exact* on integers or it
//! is an error; decoding to real numbers happens elsewhere. Adversary: honest but curious, unless a scheme says more.

use crate::leakage::LeakageProfile;
use equipoise_privacy::{OutgoingUpdate, Quantizer};
use serde::{Deserialize, Serialize};

/// What has to be summed: known before the first round.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorSpec {
    /// Number of integers in one update.
    pub len: usize,
    /// How reals became integers.
    pub quantizer: Quantizer,
    /// The largest public integer weight of one client.
    pub max_weight: u32,
    /// The largest cohort of one round.
    pub max_clients: u32,
}

impl VectorSpec {
    /// The largest absolute value that one coordinate of a sum can take.
    #[must_use]
    pub fn max_abs_sum(&self) -> u128 {
        u128::from(self.quantizer.max_integer().unsigned_abs())
            * u128::from(self.max_weight)
            * u128::from(self.max_clients)
    }

    /// Bits of a signed slot that holds every possible sum.
    #[must_use]
    pub fn sum_bits(&self) -> u32 {
        128 - self.max_abs_sum().leading_zeros() + 1
    }
}

/// How updates are laid into ciphertexts, and why nothing can overflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SlotPlan {
    /// Slots in one coefficient; 0 where the scheme has no slots.
    pub slots: u32,
    /// Bits of one signed slot.
    pub width_bits: u32,
    /// Scale of the message above the noise, as a power of two.
    pub delta_log2: u32,
    /// Bound on the absolute noise of a full sum, as a power of two; below `delta_log2 - 1` decoding cannot fail. 0 where
    /// there is no noise.
    pub noise_bound_log2: f64,
    /// Ciphertext polynomials in one update.
    pub polynomials: u32,
    /// Bytes that one platform sends in one round.
    pub upload_bytes: u64,
}

/// Why a plan cannot be made. Always known before any work.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The sum does not fit into a slot.
    #[error(
        "the slots of `{scheme}` hold {have_bits} bits but a sum over {clients} clients with weights up to {weight} needs {need_bits}: lower `bits`, `weight-levels` or the number of clients in a round"
    )]
    SlotOverflow {
        /// The scheme.
        scheme: &'static str,
        /// Bits needed.
        need_bits: u32,
        /// Bits there are.
        have_bits: u32,
        /// Clients planned for.
        clients: u32,
        /// Largest weight planned for.
        weight: u32,
    },
    /// The cohort is below what hides anybody.
    #[error(
        "`{scheme}` needs at least {floor} clients in a round so that a sum hides anybody, got {clients}"
    )]
    CohortTooSmall {
        /// The scheme.
        scheme: &'static str,
        /// Clients planned for.
        clients: u32,
        /// The smallest number allowed.
        floor: u32,
    },
    /// Smudging leaves too few bits of a coefficient.
    #[error(
        "`{scheme}` leaves {have_bits} bits for a sum that needs {need_bits}, because smudging up to 2^{smudge_log2} takes the rest; bits missing: {missing_bits}; they come from lower `bits`, `weight-levels` or clients in a round, from fewer `rounds` under one key, or from `smudging.per-coefficient`, which claims less"
    )]
    SmudgingTooLarge {
        /// The scheme.
        scheme: &'static str,
        /// Bits needed.
        need_bits: u32,
        /// Bits there are.
        have_bits: u32,
        /// The difference.
        missing_bits: u32,
        /// Each key holder's smudge, as a power of two.
        smudge_log2: u32,
    },
    /// The number of key holders is not one that the scheme is made for.
    #[error("`{scheme}` is made for 2 to 5 key holders, got {holders}: set `key-holders`")]
    KeyHolders {
        /// The scheme.
        scheme: &'static str,
        /// Key holders asked for.
        holders: u32,
    },
    /// More would be encrypted under one key than its security estimates cover.
    #[error(
        "`{scheme}` encrypts {coefficients} coefficients under one key, its estimates cover {limit}: send fewer parameters in a round (`compression`)"
    )]
    KeyExhausted {
        /// The scheme.
        scheme: &'static str,
        /// Coefficients of one update.
        coefficients: u64,
        /// The limit.
        limit: u64,
    },
    /// The cohort is beyond what the scheme's arithmetic holds.
    #[error("`{scheme}` sums at most {limit} clients in a round, got {clients}: lower `participation`")]
    CohortTooLarge {
        /// The scheme.
        scheme: &'static str,
        /// Clients planned for.
        clients: u32,
        /// The largest number allowed.
        limit: u32,
    },
    /// Nothing to sum.
    #[error("an update must have at least one parameter")]
    Empty,
}

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

/// Who does a piece of work, for timing by whoever may read a clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seat {
    /// A platform.
    Platform,
    /// The aggregating server.
    Server,
    /// A key holder.
    KeyHolder,
}

/// Runs work on behalf of a seat. The runner's form measures it; libraries never read a clock.
pub trait Stopwatch: Sync {
    /// Runs `work` for `seat`.
    fn run(&self, seat: Seat, work: &mut dyn FnMut());
}

/// Runs the work and measures nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct Untimed;

impl Stopwatch for Untimed {
    fn run(&self, _seat: Seat, work: &mut dyn FnMut()) {
        work();
    }
}

/// What one round of a secure sum cost on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireCost {
    /// Bytes from all platforms to the server.
    pub upload_bytes: u64,
    /// Bytes from all key holders to the server.
    pub share_bytes: u64,
}

/// A running secure sum, with the scheme's types erased: what the round loop drives.
pub trait SumSession: Send {
    /// Says who is asked in a round, ascending, before its sum; without it, whoever answers was asked. Schemes with a setup
    /// among the asked need it to survive those who drop out.
    fn asked(&mut self, round: u32, clients: &[u32]) {
        let _ = (round, clients);
    }
    /// Sums the updates of one round.
    ///
    /// # Errors
    /// If any step of the scheme fails.
    fn sum(
        &mut self,
        round: u32,
        updates: &[OutgoingUpdate],
        stopwatch: &dyn Stopwatch,
    ) -> Result<(IntSum, WireCost), SumError>;
    /// The plan that the session runs on.
    fn plan(&self) -> &SlotPlan;
    /// What is summed, where the scheme hides nothing (see [`SecureSum::clear`]): whoever holds the session may then sum readable
    /// updates on its own instead of handing them over.
    fn clear(&self) -> Option<&VectorSpec> {
        None
    }
    /// What each seat learns.
    fn leakage(&self) -> LeakageProfile;
}

/// A scheme whose types are erased: what an experiment names.
pub trait DynSecureSum: Send + Sync {
    /// The scheme's name.
    fn name(&self) -> &'static str;
    /// Lays out the vectors, or says what does not fit.
    ///
    /// # Errors
    /// If the sum cannot be held.
    fn plan(&self, spec: &VectorSpec) -> Result<SlotPlan, PlanError>;
    /// Makes keys and starts a session.
    ///
    /// # Errors
    /// If there is no plan or no entropy.
    fn session(&self, spec: &VectorSpec) -> Result<Box<dyn SumSession + '_>, SumError>;
    /// The fewest clients whose sum a round may open.
    fn cohort_floor(&self) -> u32 {
        2
    }
    /// What each seat learns.
    fn leakage(&self) -> LeakageProfile;
}

struct Session<'a, S: SecureSum> {
    scheme: &'a S,
    setup: SetupOf<S>,
    plan: SlotPlan,
    /// The round that was announced, and who is asked in it.
    asked: Option<(u32, Vec<u32>)>,
}

impl<S: SecureSum> DynSecureSum for S {
    fn name(&self) -> &'static str {
        SecureSum::name(self)
    }

    fn plan(&self, spec: &VectorSpec) -> Result<SlotPlan, PlanError> {
        SecureSum::plan(self, spec)
    }

    fn session(&self, spec: &VectorSpec) -> Result<Box<dyn SumSession + '_>, SumError> {
        let plan = SecureSum::plan(self, spec)?;
        let setup = self.setup(spec)?;
        Ok(Box::new(Session { scheme: self, setup, plan, asked: None }))
    }

    fn cohort_floor(&self) -> u32 {
        SecureSum::cohort_floor(self)
    }

    fn leakage(&self) -> LeakageProfile {
        SecureSum::leakage(self)
    }
}

impl<S: SecureSum> SumSession for Session<'_, S> {
    fn asked(&mut self, round: u32, clients: &[u32]) {
        self.asked = Some((round, clients.to_vec()));
    }

    fn sum(
        &mut self,
        round: u32,
        updates: &[OutgoingUpdate],
        stopwatch: &dyn Stopwatch,
    ) -> Result<(IntSum, WireCost), SumError> {
        let (scheme, setup) = (self.scheme, &mut self.setup);
        let mut cost = WireCost::default();
        let mut clients: Vec<u32> = updates.iter().map(OutgoingUpdate::client).collect();
        clients.sort_unstable();
        let asked = match self.asked.take() {
            Some((announced, asked)) if announced == round => asked,
            _ => clients.clone(),
        };
        cost.upload_bytes += timed(stopwatch, Seat::Platform, || {
            scheme.prepare(&setup.public, &mut setup.clients, round, &asked)
        })?;
        let mut sum = scheme.empty(&setup.public, round);
        for update in updates {
            let client = update.client();
            let state = setup.clients.get_mut(client as usize).ok_or_else(|| {
                SumError::Malformed(format!("client {client} is not part of the federation"))
            })?;
            let upload = timed(stopwatch, Seat::Platform, || scheme.protect(&setup.public, state, update))?;
            cost.upload_bytes += upload.wire_bytes();
            timed(stopwatch, Seat::Server, || scheme.accumulate(&setup.public, &mut sum, &upload))?;
        }
        let cohort = CohortRecord { round, clients };
        let mut shares = Vec::with_capacity(setup.holders.len());
        for holder in &mut setup.holders {
            let share = timed(stopwatch, Seat::KeyHolder, || {
                scheme.partial_open(&setup.public, holder, &sum, &cohort)
            })?;
            cost.share_bytes += share.wire_bytes();
            shares.push(share);
        }
        let mut sum = Some(sum);
        let opened = timed(stopwatch, Seat::Server, || {
            scheme.open(&setup.public, sum.take().expect("a sum is opened once"), &shares)
        })?;
        Ok((opened, cost))
    }

    fn plan(&self) -> &SlotPlan {
        &self.plan
    }

    fn clear(&self) -> Option<&VectorSpec> {
        self.scheme.clear(&self.setup.public)
    }

    fn leakage(&self) -> LeakageProfile {
        SecureSum::leakage(self.scheme)
    }
}

/// Runs `work` under the stopwatch and hands its value back.
pub(crate) fn timed<T>(stopwatch: &dyn Stopwatch, seat: Seat, mut work: impl FnMut() -> T) -> T {
    let mut value = None;
    stopwatch.run(seat, &mut || {
        if value.is_none() {
            value = Some(work());
        }
    });
    value.expect("a stopwatch runs the work that it is given")
}
