//! `prio3`: two aggregators, secret-shared inputs and a proof that every value lies in its range (Prio3SumVec of
//! draft-irtf-cfrg-vdaf-18, crate `prio`, MPL-2.0). The one scheme here under which a malicious platform cannot send what
//! lies beyond the quantiser; it can still send anything within.
//!
//! Integers are shifted by the largest value, so that signed ones become a range from zero, and the shift is taken off the
//! sum. The proven range is that of the largest public weight, not of each platform's own. One aggregator is the server, the
//! other one sits in the key holder's seat; if one of them is honest, no update is read. Each report carries proofs for
//! every bit: more than a hundred bytes a parameter, so use it at small widths. The parts for the two aggregators travel in one
//! [`Upload`], whose encryption to each (HPKE in deployments) is not modelled. Sharding draws from `rand`'s thread
//! generator, which the operating system seeds; messages use the crate's own encoding.

mod report;
mod wire;

#[cfg(test)]
mod tests;

pub use wire::Upload;

use crate::entropy::SystemSource;
use crate::members::Members;
use crate::roles::SessionId;
use equipoise_federated::{
    CohortRecord, IntSum, LeakageProfile, PlanError, SecureSum, Setup, SetupOf, SlotPlan, SumError,
    VectorSpec, Wire, check_update,
};
use equipoise_privacy::OutgoingUpdate;
use prio::field::Field128;
use prio::vdaf::prio3::{
    Prio3InputShare, Prio3SumVec, Prio3VerifierMessage, Prio3VerifierShare, Prio3VerifyState,
};
use prio::vdaf::{AggregateShare, Aggregator, Collector};
use report::{accept, circuit, context, encoded, failed, reach, verify};
use std::collections::BTreeMap;
use std::fmt;

const NAME: &str = "prio3";
const SEED: usize = 32;

type Input = Prio3InputShare<Field128, SEED>;
type State = Prio3VerifyState<Field128, SEED>;
type Verifier = Prio3VerifierShare<Field128, SEED>;
type Message = Prio3VerifierMessage<SEED>;

/// The scheme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prio3;

/// The key under which the two aggregators draw their checks. Clients must not know it before they send: it stands in
/// [`Public`] because the trait gives a server no secret state, and nothing hands it out.
struct VerifyKey([u8; SEED]);

/// What everybody knows, and the aggregators' key.
pub struct Public {
    spec: VectorSpec,
    slots: SlotPlan,
    session: SessionId,
    vdaf: Prio3SumVec,
    verify: VerifyKey,
    report_bytes: usize,
}

/// A platform's state: who it is.
#[derive(Debug)]
pub struct Client {
    client: u32,
}

/// The second aggregator.
#[derive(Debug, Default)]
pub struct Helper {
    opened: BTreeMap<u32, [u8; 32]>,
}

/// What the first aggregator keeps of one report.
#[derive(Clone)]
struct Kept {
    upload: Upload,
    state: State,
    verifier: Verifier,
}

/// The reports of one round.
pub struct Accumulator {
    members: Members,
    kept: BTreeMap<u32, Kept>,
}

/// What the second aggregator sends: its share of the sum, and one verdict a report.
pub struct HelperShare {
    aggregate: AggregateShare<Field128>,
    verdicts: BTreeMap<u32, Message>,
    bytes: u64,
}

impl Prio3 {
    fn vdaf(spec: &VectorSpec) -> Result<Prio3SumVec, PlanError> {
        let (scheme, clients, weight) = (NAME, spec.max_clients, spec.max_weight);
        if spec.len == 0 {
            return Err(PlanError::Empty);
        }
        if clients < 2 {
            return Err(PlanError::CohortTooSmall { scheme, clients, floor: 2 });
        }
        let need_bits = spec.sum_bits();
        let overflow = PlanError::SlotOverflow { scheme, need_bits, have_bits: 63, clients, weight };
        if need_bits > 63 {
            return Err(overflow);
        }
        let (most, chunk) = circuit(spec);
        Prio3SumVec::new_sum_vec(2, most, spec.len, chunk).map_err(|_| overflow)
    }
}

impl SecureSum for Prio3 {
    type Public = Public;
    type Client = Client;
    type Holder = Helper;
    type Upload = Upload;
    type Accumulator = Accumulator;
    type Share = HelperShare;

    fn name(&self) -> &'static str {
        NAME
    }

    fn plan(&self, spec: &VectorSpec) -> Result<SlotPlan, PlanError> {
        Self::vdaf(spec)?;
        let width_bits = (2 * reach(spec)).ilog2() + 1;
        let upload_bytes = wire::upload_bytes(spec).unwrap_or_default() as u64;
        Ok(SlotPlan {
            slots: 1,
            width_bits,
            delta_log2: 0,
            noise_bound_log2: 0.0,
            polynomials: 0,
            upload_bytes,
        })
    }

    fn setup(&self, spec: &VectorSpec) -> Result<SetupOf<Self>, SumError> {
        let slots = SecureSum::plan(self, spec)?;
        let (mut session, mut verify) = (SessionId([0; 16]), VerifyKey([0; SEED]));
        SystemSource.fill(&mut session.0)?;
        SystemSource.fill(&mut verify.0)?;
        let report_bytes = usize::try_from(slots.upload_bytes).expect("a message lies in memory");
        let public =
            Public { spec: spec.clone(), slots, session, vdaf: Self::vdaf(spec)?, verify, report_bytes };
        let clients = (0..spec.max_clients).map(|client| Client { client }).collect();
        Ok(Setup { public, clients, holders: vec![Helper::default()] })
    }

    fn protect(
        &self,
        public: &Public,
        client: &mut Client,
        update: &OutgoingUpdate,
    ) -> Result<Upload, SumError> {
        check_update(&public.spec, update)?;
        crate::members::check_client(client.client, update)?;
        client.seal(public, update.round(), update.weight(), update.values())
    }

    fn empty(&self, public: &Public, round: u32) -> Accumulator {
        Accumulator { members: Members::new(public.session, round), kept: BTreeMap::new() }
    }

    fn accumulate(&self, public: &Public, sum: &mut Accumulator, upload: &Upload) -> Result<(), SumError> {
        let who = (upload.client, upload.weight);
        sum.members.admit(&public.spec, upload.session, upload.round, who)?;
        let first = verify(public, upload, 0);
        let (state, verifier) = first.inspect_err(|_| {
            sum.members.weights.remove(&upload.client);
        })?;
        sum.kept.insert(upload.client, Kept { upload: upload.clone(), state, verifier });
        Ok(())
    }

    fn partial_open(
        &self,
        public: &Public,
        helper: &mut Helper,
        sum: &Accumulator,
        cohort: &CohortRecord,
    ) -> Result<HelperShare, SumError> {
        let round = cohort.round;
        sum.members.check_cohort(cohort, 2)?;
        let refuse = |reason: String| Err(SumError::Refused { round, reason });
        if helper.opened.contains_key(&round) {
            return refuse("the round was opened before".into());
        }
        helper.opened.insert(round, sum.members.hash());
        let context = context(public.session, round);
        let mut aggregate = public.vdaf.aggregate_init(&());
        let mut verdicts = BTreeMap::new();
        let mut bytes = 0;
        for (client, kept) in &sum.kept {
            let (state, verifier) = verify(public, &kept.upload, 1)?;
            let both = [kept.verifier.clone(), verifier];
            let Ok(verdict) = public.vdaf.verifier_shares_to_message(&context, &(), both) else {
                return refuse(format!(
                    "the proof of client {client} does not hold: a value beyond its range"
                ));
            };
            bytes += encoded(&verdict);
            accept(public, &context, state, verdict.clone(), &mut aggregate)?;
            verdicts.insert(*client, verdict);
        }
        bytes += encoded(&aggregate);
        Ok(HelperShare { aggregate, verdicts, bytes })
    }

    fn open(&self, public: &Public, sum: Accumulator, shares: &[HelperShare]) -> Result<IntSum, SumError> {
        let [share] = shares else {
            return Err(SumError::Malformed(format!("{} shares, there is one helper", shares.len())));
        };
        if !share.verdicts.keys().eq(sum.kept.keys()) {
            return Err(SumError::Malformed("the share does not belong to this sum".into()));
        }
        let context = context(public.session, sum.members.round);
        let mut own = public.vdaf.aggregate_init(&());
        for (kept, verdict) in sum.kept.into_values().zip(share.verdicts.values()) {
            accept(public, &context, kept.state, verdict.clone(), &mut own)?;
        }
        let clients = sum.members.count();
        let both = [own, share.aggregate.clone()];
        let total = public.vdaf.unshard(&(), both, clients as usize).map_err(failed)?;
        let shift = i128::try_from(reach(&public.spec)).expect("below 2^63") * i128::from(clients);
        let values = total
            .into_iter()
            .map(|value| i128::try_from(value).ok().and_then(|value| i64::try_from(value - shift).ok()))
            .collect::<Option<Vec<i64>>>()
            .ok_or_else(|| SumError::Malformed("the two shares do not belong together".into()))?;
        Ok(IntSum { values, weight: sum.members.weight(), clients })
    }

    fn leakage(&self) -> LeakageProfile {
        LeakageProfile::new(
            NAME,
            "Prio3: two aggregators, of which one must be honest; every value is proven to lie in the quantiser's range.",
            &[
                ("server", "sizes, weights and who took part in which round; the opened sum", false),
                (
                    "server with some platforms",
                    "the sum over the other platforms (their update, if only one is left)",
                    false,
                ),
                ("platform", "the broadcast model only", false),
                ("second aggregator", "who took part in which round; its share of the sum", false),
                ("server with the second aggregator", "every platform's update of every round", true),
            ],
        )
    }
}

impl Wire for HelperShare {
    fn wire_bytes(&self) -> u64 {
        self.bytes
    }
}

impl Public {
    /// The plan in the words of the trait.
    #[must_use]
    pub const fn slots(&self) -> &SlotPlan {
        &self.slots
    }
}

impl fmt::Debug for Public {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Public").field("spec", &self.spec).finish_non_exhaustive()
    }
}

impl fmt::Debug for Accumulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accumulator").field("members", &self.members).finish_non_exhaustive()
    }
}

impl fmt::Debug for HelperShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HelperShare").finish_non_exhaustive()
    }
}
