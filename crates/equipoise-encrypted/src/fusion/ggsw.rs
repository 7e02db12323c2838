//! The GGSW designs with all parties in one process: every message goes through its bytes.

use super::design::{AccountScores, Fused, FusionCost, FusionDesign, RiskFusion, check_accounts, timed};
use super::error::FusionError;
use super::holders::{FusionHolder, open_flag};
use super::keys::{FusionPlatform, JointKey};
use super::messages::{FlagBody, FlagMask, FlagShare, ScoreUpload};
use super::plan::{FusionKeys, FusionPlan};
use super::public::FusionPublic;
use super::record::Opening;
use super::rule::FusionRule;
use super::server::{FusionServer, FusionWorkspace};
use super::shared::SharedOpener;
use super::wire::FusionMessage;
use equipoise_federated::{LeakageProfile, Seat, Stopwatch};
use rayon::prelude::*;

/// Accounts in flight, at 192 KiB an account of three platforms under a joint key.
const BATCH: usize = 128;

enum Openers {
    Shared(Box<SharedOpener>),
    Joint(Vec<FusionHolder>),
}

/// A session of either key setting. Its record of openings is in memory: it ends with the session, as do the keys.
pub(crate) struct GgswFusion {
    public: FusionPublic,
    platforms: Vec<FusionPlatform>,
    server: FusionServer,
    openers: Openers,
    journals: Vec<Vec<Opening>>,
}

impl GgswFusion {
    pub(crate) fn new(plan: FusionPlan) -> Result<Self, FusionError> {
        let public = FusionPublic::new(plan)?;
        let server = FusionServer::new(&public);
        let (openers, platforms, seats) = match public.plan.keys {
            FusionKeys::Shared => {
                let (opener, platforms) = SharedOpener::setup(&public)?;
                (Openers::Shared(Box::new(opener)), platforms, 1)
            }
            FusionKeys::Joint { holders } => {
                let joined = (0..holders).map(|holder| FusionHolder::join(&public, holder));
                let joined = joined.collect::<Result<Vec<_>, _>>()?;
                let commitments: Vec<_> = joined.iter().map(|(_, commitment, _)| *commitment).collect();
                let contributions: Vec<_> = joined.iter().map(|(_, _, part)| part.clone()).collect();
                let key = JointKey::combine(&public, &commitments, &contributions)?;
                let platforms = (0..).zip(&public.plan.spec.weights);
                let platforms = platforms.map(|(at, _)| FusionPlatform::joint(&public, at, &key)).collect();
                let all = joined.into_iter().map(|(holder, ..)| holder).collect();
                (Openers::Joint(all), platforms, holders as usize)
            }
        };
        Ok(Self { public, platforms, server, openers, journals: vec![vec![]; seats] })
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

    fn open(
        &mut self,
        masks: &[Vec<u8>],
        bodies: &[Vec<u8>],
        cost: &mut FusionCost,
    ) -> Result<Vec<u32>, FusionError> {
        let sent = |messages: &[Vec<u8>]| messages.iter().map(|bytes| bytes.len() as u64).sum::<u64>();
        let (flags, bodies_read) = (self.read::<FlagMask>(masks)?, self.read::<FlagBody>(bodies)?);
        let seats = self.journals.len() as u64;
        cost.server_bytes += seats * sent(masks) + sent(bodies);
        let holders = match &mut self.openers {
            Openers::Shared(opener) => return opener.open(&flags, &bodies_read, &mut self.journals[0]),
            Openers::Joint(holders) => holders,
        };
        let mut answers = Vec::with_capacity(holders.len());
        for (holder, journal) in holders.iter_mut().zip(&mut self.journals) {
            let shares = holder.answer(&flags, journal)?;
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
        // One upload, one request, one answer.
        let mut cost = FusionCost { rounds: 3, ..FusionCost::default() };
        let mut values = Vec::with_capacity(accounts.len());
        for batch in accounts.chunks(BATCH) {
            let sealed = timed(stopwatch, Seat::Platform, || {
                batch.par_iter().map(|account| self.seal(account)).collect::<Result<Vec<_>, _>>()
            })?;
            cost.upload_bytes += sealed.iter().flatten().map(|bytes| bytes.len() as u64).sum::<u64>();
            let flags = timed(stopwatch, Seat::Server, || {
                let evaluate = |workspace: &mut FusionWorkspace, messages: &Vec<Vec<u8>>| {
                    let uploads = self.read::<ScoreUpload>(messages)?;
                    let (mask, body) = self.server.evaluate(&prepared, &uploads, workspace)?;
                    Ok::<_, FusionError>((mask.to_bytes(&self.public), body.to_bytes(&self.public)))
                };
                let flags = sealed.par_iter().map_init(|| self.server.workspace(), evaluate);
                let flags = flags.collect::<Result<Vec<_>, _>>()?;
                Ok::<(Vec<_>, Vec<_>), FusionError>(flags.into_iter().unzip())
            })?;
            values.extend(timed(stopwatch, Seat::KeyHolder, || self.open(&flags.0, &flags.1, &mut cost))?);
        }
        Ok(Fused { values, cost })
    }
}
