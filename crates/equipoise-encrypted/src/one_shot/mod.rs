//! `one-shot`: key-homomorphic packed ciphertexts; a platform speaks once a round and is done.
//!
//! Client i draws a fresh key `s_i` in every round (`CBD(8)`), sends bodies `b_ij = a_j s_i + e_ij + 2^d m_ij` under common
//! public words `a_j`, and its key, encrypted under the joint key of 2 to 5 key holders who are not platforms. The server
//! adds everything. The holders partially decrypt *one* polynomial, whatever the number of parameters; what opens is the
//! sum of keys, and with it the sum of updates: exact integers, always (`layout`). Structure: one-shot aggregation from
//! key-homomorphic and additively homomorphic encryption, as in Willow (eprint 2024/936) and OPA (arXiv 2410.22303).
//!
//! The opening gives the sums of the honest platforms' keys and errors away. For uniform noise that is a full break
//! (`attack_tests` runs it); for `CBD(8)` the best attack model known to us costs 2^191 core-SVP up to 10^9 parameters per
//! key with two honest platforms, heuristically and without a reduction. The plan refuses more. Keys travel under
//! `Joint128N4096`, so that the whole inherits its figure: 2^107 core-SVP, 2^136 MATZOV.
//!
//! Enforced: fresh keys (they live inside `Client::seal`), one cohort a round and a floor under it (key holders, with a
//! durable record), total smudging over a limited number of rounds, a limit of coefficients per key. Not promised: anything
//! against a server that breaks the protocol, honest updates, a holder's absence (all must answer). A patent application
//! describes this structure (US 2025/0358106 A1); `docs/security.md`.

mod client;
mod open;
mod sum;
mod wire;

#[cfg(test)]
mod attack_tests;
#[cfg(test)]
mod tests;

pub use client::Client;
pub use sum::Accumulator;
pub use wire::Upload;

use crate::codec::FRAME_BYTES;
use crate::entropy::{CryptoSource, SystemSource};
use crate::joint::JOINT128_N4096;
use crate::layout::Layout;
use crate::layout128::Layout128;
use crate::members::check_client;
use crate::opening::{JointHolder, OpenAnswer, Opening, Quorum};
use crate::params::{GLWE64_N4096, GlweParams};
use crate::ring::{Ring, WIDEST};
use crate::sample::CBD8_BOUND;
use crate::smudge::Smudging;
use equipoise_federated::{
    CohortRecord, IntSum, LeakageProfile, PlanError, SecureSum, Setup, SetupOf, SlotPlan, SumError,
    VectorSpec, check_update,
};
use equipoise_privacy::OutgoingUpdate;

const NAME: &str = "one-shot";

/// Coefficients of bodies under one key that the estimates of `lattice.md` 2 cover: 10^9 parameters, three to a
/// coefficient.
pub const MAX_COEFFICIENTS_PER_KEY: u64 = 333_333_333;

/// The scheme. Stateless: keys are made by [`SecureSum::setup`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OneShot<S = SystemSource> {
    quorum: Quorum,
    source: S,
}

/// Where everything lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The bodies.
    pub bodies: Layout,
    /// The key part: 4096 key coefficients in slots of 128-bit coefficients.
    pub key: Layout128,
}

/// What everybody knows.
#[derive(Debug)]
pub struct Public {
    pub(crate) params: GlweParams,
    pub(crate) spec: VectorSpec,
    pub(crate) slots: SlotPlan,
    pub(crate) plan: Plan,
    pub(crate) ring: Ring,
    pub(crate) opening: Opening,
}

impl OneShot {
    /// The scheme with `holders` key holders, none of them a platform, and no opening below `floor` clients.
    #[must_use]
    pub fn new(holders: u32, floor: u32, smudging: Smudging) -> Self {
        Self { quorum: Quorum { holders, floor, smudging }, source: SystemSource }
    }
}

impl<S: CryptoSource> OneShot<S> {
    /// The same scheme on another source of randomness.
    #[must_use]
    pub fn on<T: CryptoSource>(self, source: T) -> OneShot<T> {
        OneShot { quorum: self.quorum, source }
    }

    /// Lays out bodies and keys.
    ///
    /// # Errors
    /// If something does not fit; the error says what and which knob moves it.
    pub fn layout(&self, spec: &VectorSpec) -> Result<Plan, PlanError> {
        let crowd = self.quorum.crowd(NAME, spec)?;
        let clients = spec.max_clients;
        let limit = u32::try_from(WIDEST.unsigned_abs() / CBD8_BOUND).expect("a few hundred");
        if clients > limit {
            return Err(PlanError::CohortTooLarge { scheme: NAME, clients, limit });
        }
        let bodies = Layout::new(NAME, &GLWE64_N4096, spec)?;
        let coefficients = bodies.coefficients() as u64;
        if coefficients > MAX_COEFFICIENTS_PER_KEY {
            let limit = MAX_COEFFICIENTS_PER_KEY;
            return Err(PlanError::KeyExhausted { scheme: NAME, coefficients, limit });
        }
        // A sum of keys lies within 8 P: one bit more with its sign.
        let width = (CBD8_BOUND * u64::from(clients)).ilog2() + 2;
        let (params, smudging) = (JOINT128_N4096, self.quorum.smudging);
        let key = Layout128::new(NAME, &params, crowd, smudging, (params.polynomial_size, width))?;
        Ok(Plan { bodies, key })
    }

    pub(crate) fn setup_with(&self, spec: &VectorSpec, plan: Plan) -> Result<SetupOf<Self>, SumError> {
        let (opening, holders) = self.quorum.join(&JOINT128_N4096, spec, &plan.key, self.source)?;
        let public = Public {
            params: GLWE64_N4096,
            spec: spec.clone(),
            slots: slot_plan(&plan),
            plan,
            ring: Ring::new(GLWE64_N4096.polynomial_size),
            opening,
        };
        let clients = (0..spec.max_clients).map(Client::new).collect();
        Ok(Setup { public, clients, holders })
    }
}

/// The layout in the words of the trait.
fn slot_plan(plan: &Plan) -> SlotPlan {
    let key_bytes = 16 * (plan.key.coefficients() + JOINT128_N4096.polynomial_size);
    plan.bodies.plan(wire::HEADER_BYTES + key_bytes)
}

impl Public {
    /// What is summed.
    #[must_use]
    pub const fn spec(&self) -> &VectorSpec {
        &self.spec
    }

    /// Where everything lies.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The plan in the words of the trait.
    #[must_use]
    pub const fn slots(&self) -> &SlotPlan {
        &self.slots
    }

    /// How a round is opened.
    #[must_use]
    pub const fn opening(&self) -> &Opening {
        &self.opening
    }
}

impl<S: CryptoSource> SecureSum for OneShot<S> {
    type Public = Public;
    type Client = Client;
    type Holder = JointHolder;
    type Upload = Upload;
    type Accumulator = Accumulator;
    type Share = OpenAnswer;

    fn name(&self) -> &'static str {
        NAME
    }

    fn cohort_floor(&self) -> u32 {
        self.quorum.cohort_floor()
    }

    fn plan(&self, spec: &VectorSpec) -> Result<SlotPlan, PlanError> {
        Ok(slot_plan(&self.layout(spec)?))
    }

    fn setup(&self, spec: &VectorSpec) -> Result<SetupOf<Self>, SumError> {
        self.setup_with(spec, self.layout(spec)?)
    }

    fn protect(
        &self,
        public: &Public,
        client: &mut Client,
        update: &OutgoingUpdate,
    ) -> Result<Upload, SumError> {
        check_update(&public.spec, update)?;
        check_client(client.client, update)?;
        client.seal(public, update.round(), update.weight(), update.values(), self.source)
    }

    fn empty(&self, public: &Public, round: u32) -> Accumulator {
        Accumulator::new(public, round)
    }

    fn accumulate(&self, public: &Public, sum: &mut Accumulator, upload: &Upload) -> Result<(), SumError> {
        sum.add_all(public, std::slice::from_ref(upload))
    }

    fn partial_open(
        &self,
        public: &Public,
        holder: &mut JointHolder,
        sum: &Accumulator,
        cohort: &CohortRecord,
    ) -> Result<OpenAnswer, SumError> {
        public.opening.answer(holder, &sum.request(), cohort, self.source)
    }

    fn open(&self, public: &Public, sum: Accumulator, shares: &[OpenAnswer]) -> Result<IntSum, SumError> {
        open::open(public, &sum, shares)
    }

    fn leakage(&self) -> LeakageProfile {
        let Quorum { holders, floor, smudging } = self.quorum;
        let claim = smudging.claim();
        let headline = S::headline(&format!(
            "One-shot: the server reads the sum over at least {floor} platforms; single updates only if all {holders} key holders \
             and the server collude (honest but curious; keys {claim})."
        ));
        let server = "sizes, weights and who took part in which round; the opened sum; the sums of the round's keys and errors";
        LeakageProfile::new(NAME, &headline, &Quorum::seats(server))
    }
}

/// Bytes before the first body: frame, client, weight.
pub(crate) const UPLOAD_HEADER: usize = FRAME_BYTES + 8;
