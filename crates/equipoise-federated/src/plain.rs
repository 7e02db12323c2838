//! The secure sum's do-nothing form: integers in the clear. The control arm of every encrypted experiment, and the
//! oracle that encrypted sums must equal to the bit. It protects nothing: the server reads every update.

use crate::leakage::LeakageProfile;
use crate::secure_sum::{
    CohortRecord, IntSum, PlanError, SecureSum, Setup, SetupOf, SlotPlan, SumError, VectorSpec, Wire,
};
use equipoise_privacy::OutgoingUpdate;

/// Plain integer addition.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

/// The running plain sum.
#[derive(Debug)]
pub struct PlainSum {
    round: u32,
    values: Vec<i64>,
    weight: u64,
    clients: Vec<u32>,
}

/// What a platform sends: its integers, readable.
#[derive(Debug, Clone)]
pub struct PlainUpload(OutgoingUpdate);

impl Wire for PlainUpload {
    fn wire_bytes(&self) -> u64 {
        4 * self.0.values().len() as u64 + 12
    }
}

/// There is no key, so there is nothing to share.
#[derive(Debug, Clone, Copy)]
pub struct NoShare;

impl Wire for NoShare {
    fn wire_bytes(&self) -> u64 {
        0
    }
}

impl SecureSum for Plain {
    type Public = VectorSpec;
    type Client = ();
    type Holder = ();
    type Upload = PlainUpload;
    type Accumulator = PlainSum;
    type Share = NoShare;

    fn name(&self) -> &'static str {
        "plain"
    }

    fn plan(&self, spec: &VectorSpec) -> Result<SlotPlan, PlanError> {
        if spec.len == 0 {
            return Err(PlanError::Empty);
        }
        let need_bits = spec.sum_bits();
        if need_bits > 63 {
            let (clients, weight) = (spec.max_clients, spec.max_weight);
            return Err(PlanError::SlotOverflow {
                scheme: "plain",
                need_bits,
                have_bits: 63,
                clients,
                weight,
            });
        }
        Ok(SlotPlan {
            slots: 1,
            width_bits: 63,
            delta_log2: 0,
            noise_bound_log2: 0.0,
            polynomials: 0,
            upload_bytes: 4 * spec.len as u64 + 12,
        })
    }

    fn setup(&self, spec: &VectorSpec) -> Result<SetupOf<Self>, SumError> {
        SecureSum::plan(self, spec)?;
        Ok(Setup { public: spec.clone(), clients: vec![(); spec.max_clients as usize], holders: vec![] })
    }

    fn protect(
        &self,
        public: &VectorSpec,
        _client: &mut (),
        update: &OutgoingUpdate,
    ) -> Result<PlainUpload, SumError> {
        check_update(public, update)?;
        Ok(PlainUpload(update.clone()))
    }

    fn empty(&self, public: &VectorSpec, round: u32) -> PlainSum {
        PlainSum { round, values: vec![0; public.len], weight: 0, clients: vec![] }
    }

    fn accumulate(
        &self,
        public: &VectorSpec,
        sum: &mut PlainSum,
        upload: &PlainUpload,
    ) -> Result<(), SumError> {
        let update = &upload.0;
        check_update(public, update)?;
        let (round, client) = (sum.round, update.client());
        if update.round() != round {
            return Err(SumError::Round { client, got: update.round(), want: round });
        }
        if sum.clients.contains(&client) {
            return Err(SumError::Twice { round, client });
        }
        for (total, value) in sum.values.iter_mut().zip(update.values()) {
            *total += value;
        }
        sum.weight += u64::from(update.weight());
        sum.clients.push(client);
        Ok(())
    }

    fn partial_open(
        &self,
        _public: &VectorSpec,
        _holder: &mut (),
        _sum: &PlainSum,
        _cohort: &CohortRecord,
    ) -> Result<NoShare, SumError> {
        Ok(NoShare)
    }

    fn open(&self, _public: &VectorSpec, sum: PlainSum, _shares: &[NoShare]) -> Result<IntSum, SumError> {
        let clients = u32::try_from(sum.clients.len()).expect("a cohort fits into 32 bits");
        Ok(IntSum { values: sum.values, weight: sum.weight, clients })
    }

    fn leakage(&self) -> LeakageProfile {
        LeakageProfile::new(
            "plain",
            "Nothing is hidden: the server reads every platform's update of every round.",
            &[
                ("server", "every platform's clipped and quantised update, every round", true),
                ("server with one platform", "the same", true),
                ("platform", "the broadcast model only", false),
            ],
        )
    }
}

/// Checks an update against the plan; every scheme calls it on the platform and on the server.
///
/// # Errors
/// If the length, the weight or a value lies beyond the plan.
pub fn check_update(spec: &VectorSpec, update: &OutgoingUpdate) -> Result<(), SumError> {
    let (round, client) = (update.round(), update.client());
    if update.values().len() != spec.len {
        return Err(SumError::Length { round, client, got: update.values().len(), want: spec.len });
    }
    let bound = u64::from(update.weight()) * spec.quantizer.max_integer().unsigned_abs();
    let fits =
        update.weight() <= spec.max_weight && update.values().iter().all(|v| v.unsigned_abs() <= bound);
    if fits && client < spec.max_clients { Ok(()) } else { Err(SumError::BeyondPlan { round, client }) }
}
