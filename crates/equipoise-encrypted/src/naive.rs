//! `naive-fheint`: every integer its own `FheInt32`, as a first reading of tfhe-rs suggests. For the cost table only.
//!
//! One key of the platforms encrypts, the server adds under a bootstrapping key, the key holder decrypts: seconds of
//! processor time a parameter where the packed schemes take microseconds. At most [`MAX_LEN`] parameters, so that nobody
//! waits for it by accident; the table extrapolates from there and says so. Adversary as for `shared-key-glwe`: one platform
//! with the server reads everything.

use crate::entropy::SystemSource;
use crate::members::Members;
use crate::roles::SessionId;
use equipoise_federated::{
    CohortRecord, IntSum, LeakageProfile, PlanError, SecureSum, Setup, SetupOf, SlotPlan, SumError,
    VectorSpec, Wire, check_update,
};
use equipoise_privacy::OutgoingUpdate;
use std::fmt;
use std::sync::Arc;
use tfhe::prelude::*;
use tfhe::{ClientKey, ConfigBuilder, FheInt32, ServerKey, generate_keys, set_server_key};

const NAME: &str = "naive-fheint";
/// Parameters of one update, at most.
pub const MAX_LEN: usize = 8;
/// Bytes of one `FheInt32` of sixteen two-bit blocks, expanded (`encryption.md` 2.2).
const CIPHERTEXT_BYTES: u64 = 262_272;

/// The scheme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NaiveFheInt;

/// What everybody knows, and the server's evaluation key.
pub struct Public {
    spec: VectorSpec,
    session: SessionId,
    server: ServerKey,
}

/// A platform; all of them hold one key.
pub struct Client {
    client: u32,
    key: Arc<ClientKey>,
}

/// The party that decrypts sums.
pub struct Holder {
    key: Arc<ClientKey>,
    opened: Vec<u32>,
}

/// One platform's encrypted integers.
pub struct Upload {
    session: SessionId,
    round: u32,
    client: u32,
    weight: u32,
    values: Vec<FheInt32>,
}

/// The running encrypted sums.
pub struct Accumulator {
    members: Members,
    values: Vec<FheInt32>,
}

/// The decrypted sums.
#[derive(Debug)]
pub struct Share(Vec<i64>);

impl SecureSum for NaiveFheInt {
    type Public = Public;
    type Client = Client;
    type Holder = Holder;
    type Upload = Upload;
    type Accumulator = Accumulator;
    type Share = Share;

    fn name(&self) -> &'static str {
        NAME
    }

    fn plan(&self, spec: &VectorSpec) -> Result<SlotPlan, PlanError> {
        let (scheme, clients, weight) = (NAME, spec.max_clients, spec.max_weight);
        if spec.len == 0 {
            return Err(PlanError::Empty);
        }
        if clients < 2 {
            return Err(PlanError::CohortTooSmall { scheme, clients, floor: 2 });
        }
        if spec.len > MAX_LEN {
            let (coefficients, limit) = (spec.len as u64, MAX_LEN as u64);
            return Err(PlanError::KeyExhausted { scheme, coefficients, limit });
        }
        let need_bits = spec.sum_bits();
        if need_bits > 32 {
            return Err(PlanError::SlotOverflow { scheme, need_bits, have_bits: 32, clients, weight });
        }
        Ok(SlotPlan {
            slots: 0,
            width_bits: 32,
            delta_log2: 0,
            noise_bound_log2: 0.0,
            polynomials: 0,
            upload_bytes: CIPHERTEXT_BYTES * spec.len as u64,
        })
    }

    fn setup(&self, spec: &VectorSpec) -> Result<SetupOf<Self>, SumError> {
        SecureSum::plan(self, spec)?;
        let mut session = SessionId([0; 16]);
        SystemSource.fill(&mut session.0)?;
        let (key, server) = generate_keys(ConfigBuilder::default().build());
        let key = Arc::new(key);
        let clients = (0..spec.max_clients).map(|client| Client { client, key: Arc::clone(&key) }).collect();
        let public = Public { spec: spec.clone(), session, server };
        Ok(Setup { public, clients, holders: vec![Holder { key, opened: vec![] }] })
    }

    fn protect(
        &self,
        public: &Public,
        client: &mut Client,
        update: &OutgoingUpdate,
    ) -> Result<Upload, SumError> {
        check_update(&public.spec, update)?;
        let (round, client_id, weight) = (update.round(), update.client(), update.weight());
        if client_id != client.client {
            return Err(SumError::Malformed(format!("an update of client {client_id}")));
        }
        let encrypt = |value: &i64| {
            let value = i32::try_from(*value).expect("the plan keeps values within 32 bits");
            FheInt32::encrypt(value, client.key.as_ref())
        };
        let values = update.values().iter().map(encrypt).collect();
        Ok(Upload { session: public.session, round, client: client_id, weight, values })
    }

    fn empty(&self, public: &Public, round: u32) -> Accumulator {
        Accumulator { members: Members::new(public.session, round), values: vec![] }
    }

    fn accumulate(&self, public: &Public, sum: &mut Accumulator, upload: &Upload) -> Result<(), SumError> {
        let who = (upload.client, upload.weight);
        sum.members.admit(&public.spec, upload.session, upload.round, who)?;
        set_server_key(public.server.clone());
        if sum.values.is_empty() {
            sum.values = upload.values.clone();
        } else {
            sum.values.iter_mut().zip(&upload.values).for_each(|(sum, value)| *sum = &*sum + value);
        }
        Ok(())
    }

    fn partial_open(
        &self,
        _public: &Public,
        holder: &mut Holder,
        sum: &Accumulator,
        cohort: &CohortRecord,
    ) -> Result<Share, SumError> {
        let round = cohort.round;
        sum.members.check_cohort(cohort, 2)?;
        if holder.opened.contains(&round) {
            return Err(SumError::Refused { round, reason: "the round was opened before".into() });
        }
        holder.opened.push(round);
        let decrypt = |value: &FheInt32| {
            let value: i32 = value.decrypt(&holder.key);
            i64::from(value)
        };
        Ok(Share(sum.values.iter().map(decrypt).collect()))
    }

    fn open(&self, _public: &Public, sum: Accumulator, shares: &[Share]) -> Result<IntSum, SumError> {
        let [share] = shares else {
            return Err(SumError::Malformed("this scheme has one key holder".into()));
        };
        let (weight, clients) = (sum.members.weight(), sum.members.count());
        Ok(IntSum { values: share.0.clone(), weight, clients })
    }

    fn leakage(&self) -> LeakageProfile {
        LeakageProfile::new(
            NAME,
            "Naive FheInt32 under one shared key, for the cost table: the server with any one platform reads every update.",
            &[
                ("server", "sizes, weights and who took part in which round; the opened sum", false),
                ("server with one platform", "every platform's update of every round", true),
                ("platform", "the broadcast model only", false),
                ("key holder", "every round's sum, and who took part", false),
            ],
        )
    }
}

impl Wire for Upload {
    fn wire_bytes(&self) -> u64 {
        CIPHERTEXT_BYTES * self.values.len() as u64
    }
}

impl Wire for Share {
    fn wire_bytes(&self) -> u64 {
        8 * self.0.len() as u64
    }
}

macro_rules! silent {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )*};
}
silent!(Public, Client, Holder, Upload, Accumulator);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::spec;
    use equipoise_federated::laws::outgoing_integers;
    use equipoise_federated::{DynSecureSum, Untimed};

    #[test]
    fn two_platforms_sum_exactly_and_more_parameters_are_refused() {
        let spec = VectorSpec { quantizer: equipoise_federated::laws::unit_quantizer(), ..spec(2, 12, 2) };
        let mut session = NaiveFheInt.session(&spec).unwrap();
        let updates = [outgoing_integers(0, 0, 1, &[5, -2047]), outgoing_integers(0, 1, 1, &[-7, -2047])];
        assert_eq!(session.sum(0, &updates, &Untimed).unwrap().0.values, [-2, -4094]);
        let many = SecureSum::plan(&NaiveFheInt, &VectorSpec { len: MAX_LEN + 1, ..spec });
        assert!(matches!(many, Err(PlanError::KeyExhausted { .. })));
    }
}
