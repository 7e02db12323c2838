//! `joint-key`: updates encrypted directly under the joint key of a few holders, on the 128-bit torus.
//!
//! The plain use of a multiparty scheme (Mouchet et al., PoPETs 2021): every coefficient of the update is a ciphertext
//! coefficient, and every holder answers as many coefficients as the update has. 32 bytes a coefficient, and smudging eats
//! the room: with a total claim over many parameters and rounds few bits are left, which [`JointKey::layout`] says before
//! any work. It stands here as the peer of `one_shot`, which sends keys in this way and updates in a cheaper one. Nothing
//! but the sum opens, not even sums of keys. Adversary: honest but curious; all holders must answer.

use crate::codec::{FRAME_BYTES, Frame, put_wide_words};
use crate::entropy::{CryptoSource, SystemSource};
use crate::joint::{Ciphertext, JOINT128_N4096, JointPublic, JointSecret, add_wide};
use crate::members::Members;
use crate::opening::{JointHolder, OpenAnswer, OpenRequest, Rules, combine};
use crate::record::MemoryRecord;
use crate::roles::SessionId;
use crate::smudge::{Crowd, Layout128, Smudging, check_crowd};
use equipoise_federated::{
    CohortRecord, IntSum, LeakageProfile, PlanError, SecureSum, Setup, SetupOf, SlotPlan, SumError,
    VectorSpec, Wire, check_update,
};
use equipoise_privacy::OutgoingUpdate;
use rayon::prelude::*;
use std::fmt;
use zeroize::Zeroizing;

const NAME: &str = "joint-key";
const MAGIC: [u8; 4] = *b"EQJU";
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

/// A platform's state: who it is.
#[derive(Debug)]
pub struct Client {
    client: u32,
}

/// One platform's protected update.
#[derive(Clone, PartialEq, Eq)]
pub struct Upload {
    pub(crate) session: SessionId,
    pub(crate) round: u32,
    pub(crate) client: u32,
    pub(crate) weight: u32,
    pub(crate) c0: Vec<u128>,
    pub(crate) c1: Vec<u128>,
}

/// The running encrypted sum of one round.
#[derive(Clone)]
pub struct Accumulator {
    pub(crate) members: Members,
    pub(crate) c0: Vec<u128>,
    pub(crate) c1: Vec<u128>,
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
        let mut session = SessionId([0; 16]);
        self.source.at("session", 0).fill(&mut session.0)?;
        let drawn = (0..self.holders).map(|holder| {
            let source = self.source.at("holder", u64::from(holder));
            JointSecret::generate(&JOINT128_N4096, session, holder, source)
        });
        let (secrets, parts): (Vec<_>, Vec<_>) = drawn.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
        let joint = JointPublic::combine(&JOINT128_N4096, session, &parts)?;
        let holders = (0..)
            .zip(secrets)
            .map(|(index, secret)| {
                JointHolder::new(index, secret, joint.name, Box::new(MemoryRecord::default()))
            })
            .collect::<Result<_, _>>()?;
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
}

impl Client {
    pub(crate) fn seal(
        &self,
        public: &Public,
        round: u32,
        weight: u32,
        values: &[i64],
        source: impl CryptoSource,
    ) -> Result<Upload, SumError> {
        let source = source.at("client", u64::from(self.client)).at("round", u64::from(round));
        let mut message = Zeroizing::new(vec![0; public.layout.coefficients()]);
        public.layout.add_packed(values, &mut message);
        let size = public.joint.ring.size();
        let parts: Vec<Ciphertext> = message
            .par_chunks(size)
            .enumerate()
            .map(|(index, part)| public.joint.encrypt(part, source.at("polynomial", index as u64)))
            .collect::<Result<_, _>>()?;
        let mut upload = Upload {
            session: public.session,
            round,
            client: self.client,
            weight,
            c0: Vec::with_capacity(message.len()),
            c1: Vec::with_capacity(parts.len() * size),
        };
        for part in parts {
            upload.c0.extend(part.c0);
            upload.c1.extend(part.c1);
        }
        Ok(upload)
    }
}

impl Accumulator {
    /// Clients in the sum, ascending.
    #[must_use]
    pub fn clients(&self) -> Vec<u32> {
        self.members.clients()
    }

    /// Adds one upload.
    ///
    /// # Errors
    /// If it is of another session or round, beyond the plan, or of a client that is in the sum already.
    pub fn add(&mut self, public: &Public, upload: &Upload) -> Result<(), SumError> {
        let (round, client) = (self.members.round, upload.client);
        if upload.c0.len() != self.c0.len() || upload.c1.len() != self.c1.len() {
            let (got, want) = (upload.c0.len() * public.layout.slots, public.layout.len);
            return Err(SumError::Length { round, client, got, want });
        }
        self.members.admit(&public.spec, upload.session, upload.round, (client, upload.weight))?;
        add_wide(&mut self.c0, &upload.c0);
        add_wide(&mut self.c1, &upload.c1);
        Ok(())
    }

    /// What every key holder is asked.
    #[must_use]
    pub fn request(&self) -> OpenRequest {
        OpenRequest { members: self.members.clone(), c1: self.c1.clone() }
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
        if update.client() != client.client {
            let (holder, named) = (client.client, update.client());
            return Err(SumError::Malformed(format!(
                "client {holder} was given an update of client {named}"
            )));
        }
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

impl Upload {
    fn frame(session: SessionId) -> Frame {
        Frame { magic: MAGIC, params: JOINT128_N4096.wire_id, session }
    }

    /// The message's bytes: frame, client, weight, first polynomials (the last one cut), second polynomials.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let payload = 8 + 16 * (self.c0.len() + self.c1.len());
        let mut bytes = Self::frame(self.session).start(self.round, payload);
        bytes.extend(self.client.to_le_bytes());
        bytes.extend(self.weight.to_le_bytes());
        put_wide_words(&mut bytes, &self.c0);
        put_wide_words(&mut bytes, &self.c1);
        bytes
    }

    /// Reads a message of `public`'s session. Nothing is allocated before the length and the frame are right.
    ///
    /// # Errors
    /// [`SumError::Malformed`] if length, magic, version, parameter set or session differ.
    pub fn from_bytes(bytes: &[u8], public: &Public) -> Result<Self, SumError> {
        let c0 = public.layout.coefficients();
        let c1 = polynomials(&public.layout) * public.joint.ring.size();
        let (round, mut reader) = Self::frame(public.session).read(bytes, 8 + 16 * (c0 + c1))?;
        let (client, weight) = (reader.number(), reader.number());
        let (c0, c1) = (reader.wide_words(c0), reader.wide_words(c1));
        Ok(Self { session: public.session, round, client, weight, c0, c1 })
    }
}

impl Wire for Upload {
    fn wire_bytes(&self) -> u64 {
        (HEADER_BYTES + 16 * (self.c0.len() + self.c1.len())) as u64
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("round", &self.round)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Accumulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accumulator").field("members", &self.members).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smudge::noise_deviation;
    use crate::testing::{integers, spec};
    use equipoise_core::Seed;

    const TOTAL: Smudging = Smudging::Total { rounds: 1000 };
    const EACH: Smudging = Smudging::PerCoefficient {};

    fn sealed(parties: &SetupOf<JointKey>, client: usize, values: &[i64]) -> Upload {
        parties.clients[client].seal(&parties.public, 0, 1, values, SystemSource).unwrap()
    }

    /// Sums under `scheme`, and the phases without the message.
    fn round_trip(
        parties: &mut SetupOf<JointKey>,
        scheme: &JointKey,
        uploads: &[Upload],
    ) -> Result<IntSum, SumError> {
        let public = &parties.public;
        let mut sum = scheme.empty(public, 0);
        uploads.iter().for_each(|upload| sum.add(public, upload).unwrap());
        let cohort = CohortRecord { round: 0, clients: sum.clients() };
        let answers = parties
            .holders
            .iter_mut()
            .map(|holder| scheme.partial_open(public, holder, &sum, &cohort))
            .collect::<Result<Vec<_>, _>>()?;
        scheme.open(public, sum, &answers)
    }

    #[test]
    fn the_plan_says_how_many_bits_are_left_and_how_many_are_missing() {
        let plan = JointKey::new(3, 2, EACH).layout(&spec(100_000, 16, 5)).unwrap();
        assert_eq!((plan.slots, plan.width_bits, plan.smudge_log2, plan.bits_left), (2, 19, 80, 7));
        let total = JointKey::new(3, 2, TOTAL);
        let plan = total.layout(&spec(100_000, 15, 5)).unwrap();
        assert_eq!((plan.slots, plan.width_bits, plan.smudge_log2), (1, 18, 107));
        let beyond = total.layout(&spec(100_000, 16, 5));
        let Err(PlanError::SmudgingTooLarge { need_bits: 19, have_bits, missing_bits, .. }) = beyond else {
            panic!("{beyond:?}")
        };
        assert_eq!((have_bits + missing_bits, have_bits), (19, 18));
        let said = beyond.unwrap_err().to_string();
        assert!(said.contains("bits missing: 1") && said.contains("`rounds`"), "{said}");
        // A tenth of the parameters costs 3.3 bits less.
        assert!(total.layout(&spec(10_000, 16, 5)).is_ok());
    }

    #[test]
    fn two_polynomials_at_the_extremes_open_exactly() {
        let scheme = JointKey::new(2, 2, EACH);
        let spec = spec(2 * 4096 + 5, 16, 5);
        let mut parties = scheme.setup(&spec).unwrap();
        let values: Vec<i64> = (0..spec.len).map(|at| [32_767, -32_767][at % 2]).collect();
        let uploads: Vec<_> = (0..5).map(|client| sealed(&parties, client, &values)).collect();
        let bytes = uploads[0].to_bytes();
        assert_eq!(bytes.len() as u64, parties.public.slots().upload_bytes);
        assert_eq!(Upload::from_bytes(&bytes, &parties.public).unwrap(), uploads[0]);
        for len in [0, 3, 35, bytes.len() - 1] {
            assert!(matches!(
                Upload::from_bytes(&bytes[..len], &parties.public),
                Err(SumError::Malformed(_))
            ));
        }
        let total = round_trip(&mut parties, &scheme, &uploads).unwrap();
        assert!(total.values.iter().zip(&values).all(|(total, value)| *total == 5 * value));
    }

    /// All errors of one sum of five random updates under fresh keys of three holders, unsmudged.
    fn errors(run: u64) -> Vec<i128> {
        let scheme = JointKey::new(3, 2, EACH);
        let spec = spec(2 * 4096, 16, 5);
        let mut parties = scheme.setup(&spec).unwrap();
        parties.public.rules.smudge_log2 = 1;
        let public = &parties.public;
        let mut sum = scheme.empty(public, 0);
        let mut expected = vec![0_u128; 4096];
        for client in 0..5 {
            let values = integers(Seed::root(run).derive("client", client as u64), spec.len, 16);
            public.layout.add_packed(&values, &mut expected);
            sum.add(public, &sealed(&parties, client, &values)).unwrap();
        }
        let cohort = CohortRecord { round: 0, clients: sum.clients() };
        let mut phases = sum.c0.clone();
        for holder in &mut parties.holders {
            add_wide(&mut phases, &scheme.partial_open(public, holder, &sum, &cohort).unwrap().words);
        }
        phases.iter().zip(&expected).map(|(phase, want)| phase.wrapping_sub(*want).cast_signed()).collect()
    }

    #[test]
    #[allow(clippy::cast_precision_loss)]
    fn noise_keeps_its_bound_and_its_deviation_over_twenty_keys() {
        let all: Vec<i128> = (0..20).flat_map(errors).collect();
        let crowd = Crowd { clients: 5, holders: 3 };
        let bound = crate::smudge::noise_bound(&JOINT128_N4096, crowd) + 6;
        assert!(all.iter().all(|error| error.unsigned_abs() <= bound));
        let variance = all.iter().map(|&error| (error as f64).powi(2)).sum::<f64>() / all.len() as f64;
        let ratio = variance.sqrt() / noise_deviation(&JOINT128_N4096, crowd);
        assert!((ratio - 1.0).abs() < 0.05, "measured over predicted deviation: {ratio}");
    }

    #[test]
    fn one_bit_less_of_scale_than_planned_opens_wrongly() {
        // Three holders' smudges of 2^81 reach 2^82.6: a step of 2^82 puts many errors beyond its half.
        let scheme = JointKey::new(3, 2, EACH);
        let spec = spec(4096, 8, 5);
        let plan = scheme.layout(&spec).unwrap();
        let tight = plan.noise_bound.ilog2();
        let short = Layout128 {
            slots: 1,
            width_bits: 128 - tight,
            delta_log2: tight,
            noise_bound: u128::MAX,
            ..plan
        };
        let mut parties = scheme.setup_with(&spec, short).unwrap();
        let uploads: Vec<_> = (0..5).map(|client| sealed(&parties, client, &[1; 4096])).collect();
        let wrong = round_trip(&mut parties, &scheme, &uploads).unwrap().values;
        assert!(wrong.iter().any(|value| *value != 5), "the bound is real");
        let mut parties = scheme.setup(&spec).unwrap();
        let uploads: Vec<_> = (0..5).map(|client| sealed(&parties, client, &[1; 4096])).collect();
        assert_eq!(round_trip(&mut parties, &scheme, &uploads).unwrap().values, vec![5; 4096]);
    }

    #[test]
    fn all_but_one_answer_open_nothing() {
        let scheme = JointKey::new(3, 2, EACH);
        let spec = spec(4096, 8, 5);
        let mut parties = scheme.setup(&spec).unwrap();
        let uploads: Vec<_> = (0..3).map(|client| sealed(&parties, client, &[1; 4096])).collect();
        let public = &parties.public;
        let mut sum = scheme.empty(public, 0);
        uploads.iter().for_each(|upload| sum.add(public, upload).unwrap());
        let cohort = CohortRecord { round: 0, clients: sum.clients() };
        let answers: Vec<_> = parties.holders[..2]
            .iter_mut()
            .map(|holder| scheme.partial_open(public, holder, &sum, &cohort).unwrap())
            .collect();
        assert!(matches!(scheme.open(public, sum.clone(), &answers), Err(SumError::Malformed(_))));
        let mut phases = sum.c0;
        answers.iter().for_each(|answer| add_wide(&mut phases, &answer.words));
        let (guess, _) = public.layout.unpack(&phases);
        // A slot is 11 bits: 4,096 guesses are right twice on average; 30 of them has probability below 1e-22.
        assert!(guess.iter().filter(|value| **value == 3).count() < 30);
    }
}
