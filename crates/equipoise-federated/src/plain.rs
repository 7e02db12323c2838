//! The secure sum's do-nothing form: integers in the clear. The control arm of every encrypted experiment, and the
//! oracle that encrypted sums must equal to the bit. It protects nothing: the server reads every update.

use crate::leakage::LeakageProfile;
use crate::roll::Roll;
use crate::secure_sum::{
    CohortRecord, IntSum, PlanError, SecureSum, Setup, SetupOf, SlotPlan, SumError, VectorSpec, Wire,
};
use equipoise_core::wide;
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
    clients: Roll,
}

impl PlainSum {
    /// Nobody's sum of `round`.
    pub(crate) fn new(spec: &VectorSpec, round: u32) -> Self {
        Self { round, values: vec![0; spec.len], weight: 0, clients: Roll::empty(spec.max_clients) }
    }

    /// Adds one update. Integers: the sum is the same in any order and in any number of parts.
    ///
    /// # Errors
    /// If the update does not belong here or lies beyond the plan; the sum is as it was.
    pub(crate) fn add(&mut self, spec: &VectorSpec, update: &OutgoingUpdate) -> Result<(), SumError> {
        check_frame(spec, update)?;
        let (round, client) = (self.round, update.client());
        if update.round() != round {
            return Err(SumError::Round { client, got: update.round(), want: round });
        }
        if self.clients.has(client) {
            return Err(SumError::Twice { round, client });
        }
        if !add_within(&mut self.values, update.values(), bound(spec, update)) {
            return Err(SumError::BeyondPlan { round, client });
        }
        self.clients.add(client);
        self.weight += u64::from(update.weight());
        Ok(())
    }

    /// Adds a part of the same sum.
    ///
    /// # Errors
    /// If a client is in both.
    pub(crate) fn join(&mut self, part: &Self) -> Result<(), SumError> {
        if let Some(client) = self.clients.join(&part.clients) {
            return Err(SumError::Twice { round: self.round, client });
        }
        for (total, value) in self.values.iter_mut().zip(&part.values) {
            *total += value;
        }
        self.weight += part.weight;
        Ok(())
    }

    /// How many are in it.
    pub(crate) fn clients(&self) -> u32 {
        self.clients.len()
    }

    /// Numbers of one update.
    pub(crate) const fn len(&self) -> usize {
        self.values.len()
    }

    /// What its uploads took on the wire.
    pub(crate) fn wire_bytes(&self) -> u64 {
        u64::from(self.clients()) * wire_bytes(self.values.len())
    }

    /// The integers.
    pub(crate) fn open(self) -> IntSum {
        let clients = self.clients();
        IntSum { values: self.values, weight: self.weight, clients }
    }
}

/// Bytes of one readable upload: a word a value, and the round, the client and the weight.
const fn wire_bytes(values: usize) -> u64 {
    4 * values as u64 + 12
}

/// What a platform sends: its integers, readable.
#[derive(Debug, Clone)]
pub struct PlainUpload(OutgoingUpdate);

impl Wire for PlainUpload {
    fn wire_bytes(&self) -> u64 {
        wire_bytes(self.0.values().len())
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
            upload_bytes: wire_bytes(spec.len),
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
        PlainSum::new(public, round)
    }

    fn accumulate(
        &self,
        public: &VectorSpec,
        sum: &mut PlainSum,
        upload: &PlainUpload,
    ) -> Result<(), SumError> {
        sum.add(public, &upload.0)
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
        Ok(sum.open())
    }

    fn clear<'p>(&self, public: &'p VectorSpec) -> Option<&'p VectorSpec> {
        Some(public)
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
    check_frame(spec, update)?;
    let (round, client) = (update.round(), update.client());
    if within(update.values(), bound(spec, update)) {
        Ok(())
    } else {
        Err(SumError::BeyondPlan { round, client })
    }
}

/// Everything but the values.
fn check_frame(spec: &VectorSpec, update: &OutgoingUpdate) -> Result<(), SumError> {
    let (round, client) = (update.round(), update.client());
    if update.values().len() != spec.len {
        return Err(SumError::Length { round, client, got: update.values().len(), want: spec.len });
    }
    let fits = update.weight() <= spec.max_weight && client < spec.max_clients;
    if fits { Ok(()) } else { Err(SumError::BeyondPlan { round, client }) }
}

/// The largest distance from zero of an honest value.
fn bound(spec: &VectorSpec, update: &OutgoingUpdate) -> u64 {
    u64::from(update.weight()) * spec.quantizer.max_integer().unsigned_abs()
}

/// Whether no value is farther from zero than `bound`.
fn within(values: &[i64], bound: u64) -> bool {
    values.iter().fold(0, |all, value| all | reach(*value)) < bound
        || values.iter().all(|value| value.unsigned_abs() <= bound)
}

/// A value's bits, or those of its distance from -1. All of them together are no less than the largest: a check without a branch for
/// each value, which a compiler lays side by side and which most updates pass, staying far below their bound.
const fn reach(value: i64) -> u64 {
    (value ^ (value >> 63)).cast_unsigned()
}

/// Adds values if none is farther from zero than `bound`, in one pass over them; otherwise leaves the sum as it was.
fn add_within(sum: &mut [i64], values: &[i64], bound: u64) -> bool {
    let all = wide(|| {
        let mut all = 0;
        for (total, &value) in sum.iter_mut().zip(values) {
            *total = total.wrapping_add(value);
            all |= reach(value);
        }
        all
    });
    let fits = all < bound || within(values, bound);
    if !fits {
        sum.iter_mut().zip(values).for_each(|(total, &value)| *total = total.wrapping_sub(value));
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::outgoing;
    use equipoise_privacy::Quantizer;

    #[test]
    fn a_value_beyond_the_bound_is_found_on_either_side() {
        for (values, fits) in [
            (vec![7, -7, 0], true),
            (vec![1, 2, -3], true),
            (vec![8], false),
            (vec![-8], false),
            (vec![0, i64::MIN], false),
            (vec![i64::MAX], false),
            (vec![], true),
        ] {
            assert_eq!(within(&values, 7), fits, "{values:?}");
            let (before, mut sum) = (vec![5; values.len()], vec![5; values.len()]);
            assert_eq!(add_within(&mut sum, &values, 7), fits);
            let added = values.iter().map(|value| value.wrapping_add(5)).collect();
            assert_eq!(sum, if fits { added } else { before });
        }
    }

    #[test]
    fn parts_are_the_whole_and_nobody_is_in_two() {
        let quantizer = Quantizer { clip_abs: 1.0, bits: 8 };
        let spec = VectorSpec { len: 2, quantizer, max_weight: 3, max_clients: 4 };
        let update = |client: u32| outgoing(client, 3, &[client as i32, -1]);
        let sum = |clients: &[u32]| {
            let mut sum = PlainSum::new(&spec, 0);
            clients.iter().for_each(|&client| sum.add(&spec, &update(client)).unwrap());
            sum
        };
        let mut parts = sum(&[3, 0]);
        parts.join(&sum(&[2])).unwrap();
        assert_eq!(parts.wire_bytes(), 3 * 20);
        let twice = SumError::Twice { round: 0, client: 2 };
        assert_eq!(parts.join(&sum(&[1, 2])).unwrap_err(), twice);
        assert_eq!(parts.add(&spec, &update(2)).unwrap_err(), twice);
        assert_eq!(sum(&[0, 2, 3]).open(), {
            let mut parts = sum(&[2]);
            parts.join(&sum(&[3, 0])).unwrap();
            parts.open()
        });
    }
}
