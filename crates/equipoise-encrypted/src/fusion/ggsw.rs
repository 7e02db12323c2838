//! The GGSW designs with all parties in one process: every message goes through its bytes.

use super::design::{AccountScores, Fused, FusionCost, FusionDesign, RiskFusion, check_accounts, timed};
use super::durable::{self, Flight, Progress, record_name};
use super::error::FusionError;
use super::holders::{FusionHolder, open_flag};
use super::keys::{FusionPlatform, JointKey};
use super::messages::{FlagBody, FlagMask, FlagShare, KeyContribution, ScoreUpload};
use super::plan::{FusionKeys, FusionPlan};
use super::public::FusionPublic;
use super::rule::FusionRule;
use super::server::{FusionServer, FusionWorkspace, PreparedRule};
use super::shared::SharedOpener;
use super::store::{SessionStore, StoredJournal};
use super::wire::FusionMessage;
use equipoise_federated::{LeakageProfile, Seat, Stopwatch};
use rayon::prelude::*;

/// Accounts in flight, at 192 KiB an account of three platforms under a joint key.
const BATCH: usize = 128;

enum Openers {
    Shared(Box<SharedOpener>),
    Joint(Vec<FusionHolder>),
}

/// A session of either key setting. What outlives its process lies in its store (`durable`).
pub(crate) struct GgswFusion {
    public: FusionPublic,
    platforms: Vec<FusionPlatform>,
    server: FusionServer,
    openers: Openers,
    store: Box<dyn SessionStore>,
}

impl GgswFusion {
    /// The session of a store, or a new one in an empty store.
    pub(crate) fn open(plan: FusionPlan, mut store: Box<dyn SessionStore>) -> Result<Self, FusionError> {
        let kept = durable::read(&plan, store.as_ref())?;
        let public = match &kept {
            Some(kept) => kept.public.clone(),
            None => FusionPublic::new(plan)?,
        };
        let (openers, platforms) = match (public.plan.keys, kept) {
            (FusionKeys::Shared, Some(_)) => {
                let opener = durable::opener(store.as_mut(), &public)?;
                let platforms = opener.platforms();
                (Openers::Shared(Box::new(opener)), platforms)
            }
            (FusionKeys::Shared, None) => {
                let (opener, platforms) = SharedOpener::setup(&public)?;
                durable::write(store.as_mut(), &public, &[opener.secret_bytes()], &[])?;
                (Openers::Shared(Box::new(opener)), platforms)
            }
            (FusionKeys::Joint { holders }, Some(kept)) => {
                let holders = (0..holders).map(|seat| durable::holder(store.as_mut(), &public, seat));
                let holders = holders.collect::<Result<_, _>>()?;
                let platforms = joined(&public, &kept.contributions)?;
                (Openers::Joint(holders), platforms)
            }
            (FusionKeys::Joint { holders }, None) => {
                let all = (0..holders).map(|seat| FusionHolder::join(&public, seat));
                let all = all.collect::<Result<Vec<_>, _>>()?;
                let parts: Vec<_> = all.iter().map(|(_, _, part)| part.clone()).collect();
                let platforms = joined(&public, &parts)?;
                let holders: Vec<_> = all.into_iter().map(|(holder, ..)| holder).collect();
                let secrets: Vec<_> = holders.iter().map(FusionHolder::secret_bytes).collect();
                durable::write(store.as_mut(), &public, &secrets, &parts)?;
                (Openers::Joint(holders), platforms)
            }
        };
        Ok(Self { server: FusionServer::new(&public), public, platforms, openers, store })
    }

    fn seal(&self, account: &AccountScores) -> Result<Vec<Vec<u8>>, FusionError> {
        self.platforms
            .iter()
            .zip(&account.scores)
            .filter_map(|(platform, score)| Some((platform, (*score)?)))
            .map(|(platform, score)| Ok(platform.seal(account.account, score)?.to_bytes(&self.public)))
            .collect()
    }

    fn read<M: FusionMessage>(&self, messages: &[Vec<u8>]) -> Result<Vec<M>, FusionError> {
        messages.iter().map(|bytes| M::from_bytes(bytes, &self.public)).collect()
    }

    /// A batch's flags: every platform seals, the server evaluates.
    fn flags(
        &self,
        rule: &PreparedRule,
        batch: &[AccountScores],
        stopwatch: &dyn Stopwatch,
    ) -> Result<Flight, FusionError> {
        let sealed = timed(stopwatch, Seat::Platform, || {
            batch.par_iter().map(|account| self.seal(account)).collect::<Result<Vec<_>, _>>()
        })?;
        let upload_bytes = sealed.iter().flatten().map(|bytes| bytes.len() as u64).sum();
        timed(stopwatch, Seat::Server, || {
            let evaluate = |workspace: &mut FusionWorkspace, messages: &Vec<Vec<u8>>| {
                let uploads = self.read::<ScoreUpload>(messages)?;
                let (mask, body) = self.server.evaluate(rule, &uploads, workspace)?;
                Ok::<_, FusionError>((mask.to_bytes(&self.public), body.to_bytes(&self.public)))
            };
            let flags = sealed.par_iter().map_init(|| self.server.workspace(), evaluate);
            let (masks, bodies) = flags.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
            Ok(Flight { upload_bytes, masks, bodies })
        })
    }

    fn answer(
        &mut self,
        masks: &[Vec<u8>],
        bodies: &[Vec<u8>],
        cost: &mut FusionCost,
    ) -> Result<Vec<u32>, FusionError> {
        let sent = |messages: &[Vec<u8>]| messages.iter().map(|bytes| bytes.len() as u64).sum::<u64>();
        let (flags, bodies_read) = (self.read::<FlagMask>(masks)?, self.read::<FlagBody>(bodies)?);
        let store = self.store.as_mut();
        let holders = match &mut self.openers {
            Openers::Shared(opener) => {
                cost.server_bytes += sent(masks) + sent(bodies);
                let mut journal = StoredJournal { store, name: &record_name(0) };
                return opener.open(&flags, &bodies_read, &mut journal);
            }
            Openers::Joint(holders) => holders,
        };
        cost.server_bytes += holders.len() as u64 * sent(masks) + sent(bodies);
        let mut answers = Vec::with_capacity(holders.len());
        for (seat, holder) in holders.iter_mut().enumerate() {
            let mut journal = StoredJournal { store: &mut *store, name: &record_name(seat) };
            let shares = holder.answer(&flags, &mut journal)?;
            let bytes: Vec<Vec<u8>> = shares.iter().map(|share| share.to_bytes(&self.public)).collect();
            cost.share_bytes += sent(&bytes);
            answers.push(bytes);
        }
        let answers =
            answers.iter().map(|bytes| self.read(bytes)).collect::<Result<Vec<Vec<FlagShare>>, _>>()?;
        let open = |(at, body): (usize, &FlagBody)| {
            let shares: Vec<FlagShare> = answers.iter().map(|shares| shares[at].clone()).collect();
            open_flag(&self.public, body, &shares)
        };
        bodies_read.iter().enumerate().map(open).collect()
    }
}

impl RiskFusion for GgswFusion {
    fn name(&self) -> &'static str {
        match self.public.plan.keys {
            FusionKeys::Shared => "ggsw-secret",
            FusionKeys::Joint { .. } => "ggsw-joint",
        }
    }

    fn leakage(&self) -> LeakageProfile {
        match self.public.plan.keys {
            FusionKeys::Shared => FusionDesign::GgswSecret {}.leakage(),
            FusionKeys::Joint { holders } => FusionDesign::GgswJoint { holders }.leakage(),
        }
    }

    fn fuse(
        &mut self,
        rule: &FusionRule,
        accounts: &[AccountScores],
        stopwatch: &dyn Stopwatch,
    ) -> Result<Fused, FusionError> {
        check_accounts(&self.public.plan, accounts)?;
        let table = rule.table(&self.public.plan)?;
        let prepared = timed(stopwatch, Seat::Server, || self.server.prepare(&table));
        let mut progress = Progress::read(self.store.as_mut(), &table, accounts)?;
        while progress.values.len() < accounts.len() {
            let first = progress.values.len();
            let flight = match progress.flight(self.store.as_ref(), first)? {
                Some(flight) => flight,
                None => {
                    let batch = &accounts[first..accounts.len().min(first + BATCH)];
                    let flight = self.flags(&prepared, batch, stopwatch)?;
                    progress.launch(self.store.as_mut(), first, &flight)?;
                    flight
                }
            };
            let mut cost = FusionCost { upload_bytes: flight.upload_bytes, ..FusionCost::default() };
            let open = || self.answer(&flight.masks, &flight.bodies, &mut cost);
            let values = timed(stopwatch, Seat::KeyHolder, open)?;
            progress.add(self.store.as_mut(), &values, &cost)?;
        }
        // One upload, one request, one answer.
        Ok(Fused { values: progress.values, cost: FusionCost { rounds: 3, ..progress.cost } })
    }
}

/// The platforms of a joint key. All holders sit in this process, so that each commits to what it shows.
fn joined(
    public: &FusionPublic,
    contributions: &[KeyContribution],
) -> Result<Vec<FusionPlatform>, FusionError> {
    let commitments: Vec<_> = contributions.iter().map(|part| part.commitment(public)).collect();
    let key = JointKey::combine(public, &commitments, contributions)?;
    let platforms = (0..).zip(&public.plan.spec.weights);
    Ok(platforms.map(|(at, _)| FusionPlatform::joint(public, at, &key)).collect())
}
