//! `pairwise-masking`: secure aggregation by masks that cancel (Bonawitz et al., CCS 2017), the honest-but-curious form.
//!
//! Before a round every client that is asked publishes two X25519 keys and gives every other one a sealed share of (i) the
//! secret of its mask key and (ii) the seed of its own mask. It then sends its integers, modulo 2^32 or 2^64, plus its own
//! mask, plus a mask with every later client and minus one with every earlier client (ChaCha20 of the agreed secret). Of a
//! client in the sum the others give back shares of its own seed, of one that dropped out shares of its mask key; never
//! both, which is why an update that comes late, after its masks were taken off, still hides behind its own mask.
//! `threshold` clients can rebuild any secret: below that many survivors the round cannot be opened, and as many colluders
//! with the server read everything.
//!
//! Exact: arithmetic is modular, and the plan keeps every sum inside. A wrong share is noticed (keys and seeds are published
//! as hashes or public keys). Not promised: anything against a server that lies about who dropped out (the paper's signed
//! consistency check is not here), or about keys (no public-key infrastructure is modelled); O(P) masks a client.

mod agree;
mod client;
mod open;
mod public;
mod shamir;
mod wire;

#[cfg(test)]
mod tests;

pub use client::{Client, Keeper};
pub use open::Accumulator;
pub use public::{Modulus, Public};
pub use wire::{Advert, Parcel, Shares, Upload};

use crate::entropy::{CryptoSource, SystemSource};
use crate::roles::SessionId;
use equipoise_federated::{
    CohortRecord, IntSum, LeakageProfile, PlanError, SecureSum, Setup, SetupOf, SlotPlan, SumError,
    VectorSpec, Wire, check_update,
};
use equipoise_privacy::OutgoingUpdate;
use public::slot_plan;
use std::collections::BTreeMap;
use std::sync::Mutex;

pub(crate) const NAME: &str = "pairwise-masking";

/// The scheme. Stateless: keys are made in every round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairwiseMasking<S = SystemSource> {
    threshold: u32,
    source: S,
}

impl PairwiseMasking {
    /// The scheme whose secrets any `threshold` of the asked clients can rebuild.
    #[must_use]
    pub fn new(threshold: u32) -> Self {
        Self { threshold, source: SystemSource }
    }
}

impl<S: CryptoSource> PairwiseMasking<S> {
    /// The same scheme on another source of randomness.
    #[must_use]
    pub fn on<T: CryptoSource>(self, source: T) -> PairwiseMasking<T> {
        PairwiseMasking { threshold: self.threshold, source }
    }

    fn modulus(&self, spec: &VectorSpec) -> Result<Modulus, PlanError> {
        let (scheme, clients) = (NAME, spec.max_clients);
        if spec.len == 0 {
            return Err(PlanError::Empty);
        }
        let floor = self.threshold.max(2);
        if clients < floor {
            return Err(PlanError::CohortTooSmall { scheme, clients, floor });
        }
        match spec.sum_bits() {
            0..=32 => Ok(Modulus::Narrow),
            33..=63 => Ok(Modulus::Wide),
            need_bits => {
                let weight = spec.max_weight;
                Err(PlanError::SlotOverflow { scheme, need_bits, have_bits: 63, clients, weight })
            }
        }
    }
}

impl<S: CryptoSource> SecureSum for PairwiseMasking<S> {
    type Public = Public;
    type Client = Client;
    type Holder = Keeper;
    type Upload = Upload;
    type Accumulator = Accumulator;
    type Share = Shares;

    fn name(&self) -> &'static str {
        NAME
    }

    fn cohort_floor(&self) -> u32 {
        self.threshold.max(2)
    }

    fn plan(&self, spec: &VectorSpec) -> Result<SlotPlan, PlanError> {
        Ok(slot_plan(spec, self.modulus(spec)?))
    }

    fn setup(&self, spec: &VectorSpec) -> Result<SetupOf<Self>, SumError> {
        let modulus = self.modulus(spec)?;
        let mut session = SessionId([0; 16]);
        self.source.at("session", 0).fill(&mut session.0)?;
        let public = Public {
            spec: spec.clone(),
            slots: slot_plan(spec, modulus),
            modulus,
            session,
            threshold: self.threshold.max(2),
            board: Mutex::default(),
        };
        let (clients, holders) = (0..spec.max_clients).map(client::pair).unzip();
        Ok(Setup { public, clients, holders })
    }

    fn prepare(
        &self,
        public: &Public,
        clients: &mut [Client],
        round: u32,
        asked: &[u32],
    ) -> Result<u64, SumError> {
        let refuse = |reason: String| Err(SumError::Refused { round, reason });
        if asked.len() < public.threshold as usize {
            return refuse(format!(
                "{} clients are asked, {} are needed to rebuild a mask",
                asked.len(),
                public.threshold
            ));
        }
        if asked.windows(2).any(|pair| pair[0] >= pair[1])
            || asked.last().is_some_and(|last| *last as usize >= clients.len())
        {
            return refuse("the asked clients must ascend and be part of the federation".into());
        }
        let mut bytes = 0;
        let mut adverts = BTreeMap::new();
        for &client in asked {
            let advert = clients[client as usize].advertise(public, round, self.source)?;
            bytes += advert.wire_bytes();
            adverts.insert(client, advert);
        }
        let mut parcels = vec![];
        for &client in asked {
            parcels.extend(clients[client as usize].share(public, &adverts, self.source)?);
        }
        for parcel in &parcels {
            bytes += parcel.wire_bytes();
            clients[parcel.to as usize].receive(public, &adverts, parcel)?;
        }
        public.publish(round, adverts);
        Ok(bytes)
    }

    fn protect(
        &self,
        public: &Public,
        client: &mut Client,
        update: &OutgoingUpdate,
    ) -> Result<Upload, SumError> {
        check_update(&public.spec, update)?;
        client.seal(public, update)
    }

    fn empty(&self, public: &Public, round: u32) -> Accumulator {
        Accumulator::new(public, round)
    }

    fn accumulate(&self, public: &Public, sum: &mut Accumulator, upload: &Upload) -> Result<(), SumError> {
        sum.add(public, upload)
    }

    fn partial_open(
        &self,
        public: &Public,
        keeper: &mut Keeper,
        sum: &Accumulator,
        cohort: &CohortRecord,
    ) -> Result<Shares, SumError> {
        sum.members.check_cohort(cohort, 0)?;
        keeper.unmask(public, cohort)
    }

    fn open(&self, public: &Public, sum: Accumulator, shares: &[Shares]) -> Result<IntSum, SumError> {
        open::open(public, sum, shares)
    }

    fn leakage(&self) -> LeakageProfile {
        let threshold = self.threshold.max(2);
        let headline = S::headline(&format!(
            "Pairwise masking: the server reads the sum over at least {threshold} platforms; with {threshold} platforms it reads \
             every update (honest but curious; below {threshold} answers a round is lost)."
        ));
        LeakageProfile::new(
            NAME,
            &headline,
            &[
                ("server", "sizes, weights and who took part in which round; the opened sum", false),
                (
                    "server with fewer platforms than the threshold",
                    "the sum over the other platforms (their update, if only one is left)",
                    false,
                ),
                (
                    "server with as many platforms as the threshold",
                    "every platform's update of every round",
                    true,
                ),
                ("platform", "the broadcast model; who took part in which round", false),
            ],
        )
    }
}
