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
use crate::joint::JOINT128_N4096;
use crate::layout128::Layout128;
use crate::members::{Members, check_client};
use crate::opening::{JointHolder, OpenAnswer, Opening, Quorum};
use crate::smudge::Smudging;
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
    quorum: Quorum,
    source: S,
}

/// What everybody knows.
#[derive(Debug)]
pub struct Public {
    pub(crate) spec: VectorSpec,
    pub(crate) slots: SlotPlan,
    pub(crate) layout: Layout128,
    pub(crate) opening: Opening,
}

impl JointKey {
    /// The scheme with `holders` key holders, none of them a platform, and no opening below `floor` clients.
    #[must_use]
    pub fn new(holders: u32, floor: u32, smudging: Smudging) -> Self {
        Self { quorum: Quorum { holders, floor, smudging }, source: SystemSource }
    }
}

impl<S: CryptoSource> JointKey<S> {
    /// The same scheme on another source of randomness.
    #[must_use]
    pub fn on<T: CryptoSource>(self, source: T) -> JointKey<T> {
        JointKey { quorum: self.quorum, source }
    }

    /// Lays out the update; `bits_left` of the layout says what no slot uses.
    ///
    /// # Errors
    /// If smudging leaves too few bits: the error says how many are missing and which knobs give them.
    pub fn layout(&self, spec: &VectorSpec) -> Result<Layout128, PlanError> {
        let crowd = self.quorum.crowd(NAME, spec)?;
        Layout128::new(NAME, &JOINT128_N4096, crowd, self.quorum.smudging, (spec.len, spec.sum_bits()))
    }

    pub(crate) fn setup_with(&self, spec: &VectorSpec, layout: Layout128) -> Result<SetupOf<Self>, SumError> {
        let (opening, holders) = self.quorum.join(&JOINT128_N4096, spec, &layout, self.source)?;
        let public = Public { spec: spec.clone(), slots: slot_plan(&layout), layout, opening };
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

    /// How a round is opened.
    #[must_use]
    pub const fn opening(&self) -> &Opening {
        &self.opening
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
        Accumulator {
            members: Members::new(public.opening.session, round),
            c0: vec![0; public.layout.coefficients()],
            c1: vec![0; polynomials(&public.layout) * public.opening.joint.ring.size()],
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
        public.opening.answer(holder, &sum.request(), cohort, self.source)
    }

    fn open(&self, public: &Public, sum: Accumulator, shares: &[OpenAnswer]) -> Result<IntSum, SumError> {
        let request = sum.request();
        let mut phases = Zeroizing::new(sum.c0);
        public.opening.combine(&request, shares, &mut phases)?;
        let (values, error) = public.layout.unpack(&phases);
        let most = u64::try_from(public.spec.max_abs_sum()).expect("a sum that fits a slot fits 64 bits");
        if error > public.layout.noise_bound || values.iter().any(|value| value.unsigned_abs() > most) {
            return Err(SumError::Malformed("the sum does not open: not a sum of this session".into()));
        }
        Ok(IntSum { values, weight: sum.members.weight(), clients: sum.members.count() })
    }

    fn leakage(&self) -> LeakageProfile {
        let Quorum { holders, floor, smudging } = self.quorum;
        let claim = smudging.claim();
        let headline = S::headline(&format!(
            "Joint key: the server reads the sum over at least {floor} platforms and nothing else; single updates only if all \
             {holders} key holders and the server collude (honest but curious; answers {claim})."
        ));
        let server = "sizes, weights and who took part in which round; the opened sum";
        LeakageProfile::new(NAME, &headline, &Quorum::seats(server))
    }
}
