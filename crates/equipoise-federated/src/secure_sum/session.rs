//! A running sum with the scheme's types erased: what the round loop drives, made from any [`SecureSum`].

use super::stopwatch::timed;
use super::{
    CohortRecord, IntSum, PlanError, Seat, SecureSum, SetupOf, SlotPlan, Stopwatch, SumError, VectorSpec,
    Wire,
};
use crate::leakage::LeakageProfile;
use equipoise_privacy::OutgoingUpdate;
use serde::{Deserialize, Serialize};

/// What one round of a secure sum cost on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireCost {
    /// Bytes from all platforms to the server.
    pub upload_bytes: u64,
    /// Bytes from all key holders to the server.
    pub share_bytes: u64,
}

/// A running secure sum, with the scheme's types erased: what the round loop drives.
pub trait SumSession: Send {
    /// Says who is asked in a round, ascending, before its sum; without it, whoever answers was asked. Schemes with a setup
    /// among the asked need it to survive those who drop out.
    fn asked(&mut self, round: u32, clients: &[u32]) {
        let _ = (round, clients);
    }
    /// Sums the updates of one round.
    ///
    /// # Errors
    /// If any step of the scheme fails.
    fn sum(
        &mut self,
        round: u32,
        updates: &[OutgoingUpdate],
        stopwatch: &dyn Stopwatch,
    ) -> Result<(IntSum, WireCost), SumError>;
    /// The plan that the session runs on.
    fn plan(&self) -> &SlotPlan;
    /// What is summed, where the scheme hides nothing (see [`SecureSum::clear`]): whoever holds the session may then sum readable
    /// updates on its own instead of handing them over.
    fn clear(&self) -> Option<&VectorSpec> {
        None
    }
    /// What each seat learns.
    fn leakage(&self) -> LeakageProfile;
}

/// A scheme whose types are erased: what an experiment names.
pub trait DynSecureSum: Send + Sync {
    /// The scheme's name.
    fn name(&self) -> &'static str;
    /// Lays out the vectors, or says what does not fit.
    ///
    /// # Errors
    /// If the sum cannot be held.
    fn plan(&self, spec: &VectorSpec) -> Result<SlotPlan, PlanError>;
    /// Makes keys and starts a session.
    ///
    /// # Errors
    /// If there is no plan or no entropy.
    fn session(&self, spec: &VectorSpec) -> Result<Box<dyn SumSession + '_>, SumError>;
    /// The fewest clients whose sum a round may open.
    fn cohort_floor(&self) -> u32 {
        2
    }
    /// What each seat learns.
    fn leakage(&self) -> LeakageProfile;
}

struct Session<'a, S: SecureSum> {
    scheme: &'a S,
    setup: SetupOf<S>,
    plan: SlotPlan,
    /// The round that was announced, and who is asked in it.
    asked: Option<(u32, Vec<u32>)>,
}

impl<S: SecureSum> DynSecureSum for S {
    fn name(&self) -> &'static str {
        SecureSum::name(self)
    }

    fn plan(&self, spec: &VectorSpec) -> Result<SlotPlan, PlanError> {
        SecureSum::plan(self, spec)
    }

    fn session(&self, spec: &VectorSpec) -> Result<Box<dyn SumSession + '_>, SumError> {
        let plan = SecureSum::plan(self, spec)?;
        let setup = self.setup(spec)?;
        Ok(Box::new(Session { scheme: self, setup, plan, asked: None }))
    }

    fn cohort_floor(&self) -> u32 {
        SecureSum::cohort_floor(self)
    }

    fn leakage(&self) -> LeakageProfile {
        SecureSum::leakage(self)
    }
}

impl<S: SecureSum> SumSession for Session<'_, S> {
    fn asked(&mut self, round: u32, clients: &[u32]) {
        self.asked = Some((round, clients.to_vec()));
    }

    fn sum(
        &mut self,
        round: u32,
        updates: &[OutgoingUpdate],
        stopwatch: &dyn Stopwatch,
    ) -> Result<(IntSum, WireCost), SumError> {
        let (scheme, setup) = (self.scheme, &mut self.setup);
        let mut cost = WireCost::default();
        let mut clients: Vec<u32> = updates.iter().map(OutgoingUpdate::client).collect();
        clients.sort_unstable();
        let asked = match self.asked.take() {
            Some((announced, asked)) if announced == round => asked,
            _ => clients.clone(),
        };
        cost.upload_bytes += timed(stopwatch, Seat::Platform, || {
            scheme.prepare(&setup.public, &mut setup.clients, round, &asked)
        })?;
        let mut sum = scheme.empty(&setup.public, round);
        for update in updates {
            let client = update.client();
            let state = setup.clients.get_mut(client as usize).ok_or_else(|| {
                SumError::Malformed(format!("client {client} is not part of the federation"))
            })?;
            let upload = timed(stopwatch, Seat::Platform, || scheme.protect(&setup.public, state, update))?;
            cost.upload_bytes += upload.wire_bytes();
            timed(stopwatch, Seat::Server, || scheme.accumulate(&setup.public, &mut sum, &upload))?;
        }
        let cohort = CohortRecord { round, clients };
        let mut shares = Vec::with_capacity(setup.holders.len());
        for holder in &mut setup.holders {
            let share = timed(stopwatch, Seat::KeyHolder, || {
                scheme.partial_open(&setup.public, holder, &sum, &cohort)
            })?;
            cost.share_bytes += share.wire_bytes();
            shares.push(share);
        }
        let mut sum = Some(sum);
        let opened = timed(stopwatch, Seat::Server, || {
            scheme.open(&setup.public, sum.take().expect("a sum is opened once"), &shares)
        })?;
        Ok((opened, cost))
    }

    fn plan(&self) -> &SlotPlan {
        &self.plan
    }

    fn clear(&self) -> Option<&VectorSpec> {
        self.scheme.clear(&self.setup.public)
    }

    fn leakage(&self) -> LeakageProfile {
        SecureSum::leakage(self.scheme)
    }
}
