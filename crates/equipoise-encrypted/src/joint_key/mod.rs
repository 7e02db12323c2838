//! `joint-key`: updates encrypted directly under the joint key of a few holders, on the 128-bit torus.
//!
//! The plain use of a multiparty scheme (Mouchet et al., PoPETs 2021): every coefficient of the update is a ciphertext
//! coefficient, and every holder answers as many coefficients as the update has. 32 bytes a coefficient, and smudging eats
//! the room: with a total claim over many parameters and rounds few bits are left, which [`JointKey::layout`] says before
//! any work. It stands here as the peer of `one_shot`, which sends keys in this way and updates in a cheaper one. Nothing
//! but the sum opens, not even sums of keys. Adversary: honest but curious; all holders must answer.

mod message;
mod sum;

#[cfg(test)]
mod tests;

pub use message::{Client, Upload};
pub use sum::Accumulator;

use crate::codec::FRAME_BYTES;
use crate::entropy::{CryptoSource, SystemSource};
use crate::joint::{JOINT128_N4096, JointPublic};
use crate::members::{Members, check_client};
use crate::opening::{JointHolder, OpenAnswer, OpenRequest, Rules, combine, join};
use crate::roles::SessionId;
use crate::smudge::{Crowd, Layout128, Smudging, check_crowd};
use equipoise_federated::{
    CohortRecord, IntSum, LeakageProfile, PlanError, SecureSum, Setup, SetupOf, SlotPlan, SumError,
    VectorSpec, check_update,
};
use equipoise_privacy::OutgoingUpdate;
use zeroize::Zeroizing;

const NAME: &str = "joint-key";
const HEADER_BYTES: usize = FRAME_BYTES + 8;

/// The scheme. Stateless: keys are made by [`SecureSum::setup`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JointKey<S = SystemSource> {
    holders: u32,
    floor: u32,
    smudging: Smudging,
    source: S,
}

/// What everybody knows.
#[derive(Debug)]
pub struct Public {
    pub(crate) spec: VectorSpec,
    pub(crate) slots: SlotPlan,
    pub(crate) layout: Layout128,
    pub(crate) session: SessionId,
    pub(crate) joint: JointPublic,
    pub(crate) holders: u32,
    pub(crate) rules: Rules,
}

impl JointKey {
    /// The scheme with `holders` key holders, none of them a platform, and no opening below `floor` clients.
    #[must_use]
    pub fn new(holders: u32, floor: u32, smudging: Smudging) -> Self {
        Self { holders, floor, smudging, source: SystemSource }
    }
}

impl<S: CryptoSource> JointKey<S> {
    /// Lays out the update; `bits_left` of the layout says what no slot uses.
    ///
    /// # Errors
    /// If smudging leaves too few bits: the error says how many are missing and which knobs give them.
    pub fn layout(&self, spec: &VectorSpec) -> Result<Layout128, PlanError> {
        check_crowd(NAME, spec, self.holders, self.floor)?;
        let crowd = Crowd { clients: spec.max_clients, holders: self.holders };
        Layout128::new(NAME, &JOINT128_N4096, crowd, self.smudging, (spec.len, spec.sum_bits()))
    }

    pub(crate) fn setup_with(&self, spec: &VectorSpec, layout: Layout128) -> Result<SetupOf<Self>, SumError> {
        let (session, joint, holders) = join(&JOINT128_N4096, self.holders, self.source)?;
        let rules = Rules {
            floor: self.floor,
            rounds: self.smudging.rounds(),
            smudge_log2: layout.smudge_log2,
            max_clients: spec.max_clients,
            answers: layout.coefficients(),
        };
        let slots = slot_plan(&layout);
        let public =
            Public { spec: spec.clone(), slots, layout, session, joint, holders: self.holders, rules };
        let clients = (0..spec.max_clients).map(|client| Client { client }).collect();
        Ok(Setup { public, clients, holders })
    }
}

/// Polynomials of a layout.
fn polynomials(layout: &Layout128) -> usize {
    layout.coefficients().div_ceil(JOINT128_N4096.polynomial_size)
}

/// The layout in the words of the trait.
fn slot_plan(layout: &Layout128) -> SlotPlan {
    let words = layout.coefficients() + polynomials(layout) * JOINT128_N4096.polynomial_size;
    #[allow(clippy::cast_precision_loss, reason = "a logarithm for reports")]
    let noise_bound_log2 = libm::log2(layout.noise_bound as f64);
    SlotPlan {
        slots: u32::try_from(layout.slots).expect("a coefficient has at most 128 slots"),
        width_bits: layout.width_bits,
        delta_log2: layout.delta_log2,
        noise_bound_log2,
        polynomials: u32::try_from(polynomials(layout)).unwrap_or(u32::MAX),
        upload_bytes: (HEADER_BYTES + 16 * words) as u64,
    }
}

impl Public {
    /// How the update is laid out.
    #[must_use]
    pub const fn layout(&self) -> &Layout128 {
        &self.layout
    }

    /// The plan in the words of the trait.
    #[must_use]
    pub const fn slots(&self) -> &SlotPlan {
        &self.slots
    }

    /// The request that the server sends to every key holder, as bytes.
    #[must_use]
    pub fn request_bytes(&self, request: &OpenRequest) -> Vec<u8> {
        request.write(self.joint.params.wire_id)
    }

    /// Reads a request of this session.
    ///
    /// # Errors
    /// [`SumError::Malformed`] if length, frame or clients are not what the plan says.
    pub fn read_request(&self, bytes: &[u8]) -> Result<OpenRequest, SumError> {
        let frame = (self.joint.params.wire_id, self.session);
        OpenRequest::read(bytes, frame, self.joint.ring.size(), &self.rules)
    }

    /// A key holder's answer as bytes.
    #[must_use]
    pub fn answer_bytes(&self, answer: &OpenAnswer) -> Vec<u8> {
        answer.write(self.joint.params.wire_id)
    }

    /// Reads an answer of this session.
    ///
    /// # Errors
    /// [`SumError::Malformed`] if length or frame are not what the plan says.
    pub fn read_answer(&self, bytes: &[u8]) -> Result<OpenAnswer, SumError> {
        OpenAnswer::read(bytes, (self.joint.params.wire_id, self.session), &self.rules)
    }
}

impl<S: CryptoSource> SecureSum for JointKey<S> {
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
        self.floor.max(2)
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
        Accumulator {
            members: Members::new(public.session, round),
            c0: vec![0; public.layout.coefficients()],
            c1: vec![0; polynomials(&public.layout) * public.joint.ring.size()],
        }
    }

    fn accumulate(&self, public: &Public, sum: &mut Accumulator, upload: &Upload) -> Result<(), SumError> {
        sum.add(public, upload)
    }

    fn partial_open(
        &self,
        public: &Public,
        holder: &mut JointHolder,
        sum: &Accumulator,
        cohort: &CohortRecord,
    ) -> Result<OpenAnswer, SumError> {
        holder.answer(&public.joint, &public.rules, &sum.request(), cohort, self.source)
    }

    fn open(&self, public: &Public, sum: Accumulator, shares: &[OpenAnswer]) -> Result<IntSum, SumError> {
        let request = sum.request();
        let mut phases = Zeroizing::new(sum.c0);
        combine(&request, public.holders, shares, &mut phases)?;
        let (values, error) = public.layout.unpack(&phases);
        let most = u64::try_from(public.spec.max_abs_sum()).expect("a sum that fits a slot fits 64 bits");
        if error > public.layout.noise_bound || values.iter().any(|value| value.unsigned_abs() > most) {
            return Err(SumError::Malformed("the sum does not open: not a sum of this session".into()));
        }
        Ok(IntSum { values, weight: sum.members.weight(), clients: sum.members.count() })
    }

    fn leakage(&self) -> LeakageProfile {
        let (holders, floor, claim) = (self.holders, self.floor, self.smudging.claim());
        let headline = S::headline(&format!(
            "Joint key: the server reads the sum over at least {floor} platforms and nothing else; single updates only if all \
             {holders} key holders and the server collude (honest but curious; answers {claim})."
        ));
        LeakageProfile::new(
            NAME,
            &headline,
            &[
                ("server", "sizes, weights and who took part in which round; the opened sum", false),
                (
                    "server with some platforms",
                    "the sum over the other platforms (their update, if only one is left)",
                    false,
                ),
                ("platform", "the broadcast model only", false),
                ("key holder", "who took part in which round", false),
                (
                    "server with all key holders but one",
                    "no more than the server, by the lattice assumption and smudging",
                    false,
                ),
                ("server with all key holders", "every platform's update of every round", true),
            ],
        )
    }
}
