//! The draft's steps on one report: sharding by the platform, and what each aggregator does before its share joins the aggregate.

use super::{Client, Message, Public, State, Upload, Verifier};
use crate::entropy::SystemSource;
use crate::roles::SessionId;
use equipoise_federated::{SumError, VectorSpec};
use prio::codec::Encode;
use prio::field::Field128;
use prio::vdaf::{Aggregatable, AggregateShare, Aggregator, Client as _, VdafError, VerifyTransition};

pub(super) fn failed(error: VdafError) -> SumError {
    SumError::Malformed(format!("prio3: {error}"))
}

/// The largest absolute value of one weighted coordinate.
pub(super) fn reach(spec: &VectorSpec) -> u128 {
    u128::from(spec.quantizer.max_integer().unsigned_abs()) * u128::from(spec.max_weight)
}

/// The largest raised value and the length of the proof's chunks: it is shortest when they are about the square root of all bits.
pub(super) fn circuit(spec: &VectorSpec) -> (u128, usize) {
    let most = 2 * reach(spec);
    let bits = spec.len * (most.ilog2() as usize + 1);
    (most, bits.isqrt().max(1))
}

pub(super) fn context(session: SessionId, round: u32) -> Vec<u8> {
    [b"equipoise-encrypted 2026-11-27".as_slice(), &session.0, &round.to_le_bytes()].concat()
}

pub(super) fn encoded(part: &impl Encode) -> u64 {
    part.encoded_len().map_or(0, |len| len as u64)
}

impl Client {
    pub(super) fn seal(
        &self,
        public: &Public,
        round: u32,
        weight: u32,
        values: &[i64],
    ) -> Result<Upload, SumError> {
        let shift = i128::try_from(reach(&public.spec)).expect("below 2^63");
        let raised = values.iter().map(|value| u128::try_from(i128::from(*value) + shift));
        let raised: Vec<u128> = raised
            .collect::<Result<_, _>>()
            .map_err(|_| SumError::BeyondPlan { round, client: self.client })?;
        let mut nonce = [0; 16];
        SystemSource.fill(&mut nonce)?;
        let context = context(public.session, round);
        let (shared, inputs) = public.vdaf.shard(&context, &raised, &nonce).map_err(failed)?;
        let inputs = inputs.try_into().map_err(|_| SumError::Malformed("two aggregators".into()))?;
        let (session, client) = (public.session, self.client);
        Ok(Upload { session, round, client, weight, nonce, public: shared, inputs })
    }
}

/// One aggregator's first step on a report.
pub(super) fn verify(
    public: &Public,
    upload: &Upload,
    aggregator: usize,
) -> Result<(State, Verifier), SumError> {
    let context = context(public.session, upload.round);
    let input = &upload.inputs[aggregator];
    public
        .vdaf
        .verify_init(&public.verify.0, &context, aggregator, &(), &upload.nonce, &upload.public, input)
        .map_err(failed)
}

/// One aggregator's last step on a report: its share joins the aggregate.
pub(super) fn accept(
    public: &Public,
    context: &[u8],
    state: State,
    verdict: Message,
    aggregate: &mut AggregateShare<Field128>,
) -> Result<(), SumError> {
    match public.vdaf.verify_next(context, state, verdict).map_err(failed)? {
        VerifyTransition::Finish(output) => aggregate.accumulate(&output).map_err(failed),
        VerifyTransition::Continue(..) => Err(SumError::Malformed("prio3 has one round".into())),
    }
}
