//! All parties of a fusion in one place, and the errors that only a test may see.

use super::holders::value_of;
use super::*;
use std::sync::Arc;

pub(crate) fn spec(max_score: u32, weights: &[u32], bands: u32, openings_per_account: u32) -> FusionSpec {
    FusionSpec { max_score, weights: weights.to_vec(), bands, openings_per_account }
}

pub(crate) fn account(index: u64) -> Pseudonym {
    plain_hash(&index.to_le_bytes())
}

/// Errors of evaluated flags: phase less the middle of the interval that it was rounded to.
#[derive(Debug, Default)]
pub(crate) struct Errors(Vec<f64>);

#[allow(clippy::cast_precision_loss)]
impl Errors {
    pub(crate) fn note(&mut self, plan: &FusionPlan, phase: u64, value: u32) {
        self.0.push(phase.wrapping_sub(plan.encode(value)).cast_signed() as f64);
    }

    pub(crate) fn extend(&mut self, other: &Self) {
        self.0.extend(&other.0);
    }

    pub(crate) fn largest(&self) -> f64 {
        self.0.iter().fold(0.0, |largest, error| largest.max(error.abs()))
    }

    pub(crate) fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    pub(crate) fn deviation(&self) -> f64 {
        (self.0.iter().map(|error| error * error).sum::<f64>() / self.0.len() as f64).sqrt()
    }

    pub(crate) fn share_within(&self, deviations: f64) -> f64 {
        let bound = deviations * self.deviation();
        self.0.iter().filter(|error| error.abs() <= bound).count() as f64 / self.0.len() as f64
    }

    /// No error beyond the planned bound.
    pub(crate) fn hold(&self, plan: &FusionPlan) {
        assert!(!self.0.is_empty() && self.largest().log2() < plan.error_bound_log2, "{}", self.largest());
    }
}

/// Everybody under a joint key.
pub(crate) struct Joint {
    pub(crate) public: FusionPublic,
    pub(crate) holders: Vec<FusionHolder>,
    pub(crate) key: Arc<JointKey>,
    pub(crate) platforms: Vec<FusionPlatform>,
    pub(crate) errors: Errors,
}

pub(crate) fn joint(params: FusionParams, spec: FusionSpec, holders: u32) -> Joint {
    let platforms = 0..u32::try_from(spec.weights.len()).unwrap();
    let plan = FusionPlan::new(params, FusionKeys::Joint { holders }, spec).unwrap();
    let public = FusionPublic::new(plan).unwrap();
    let (mut all, mut commitments, mut contributions) = (vec![], vec![], vec![]);
    for holder in 0..holders {
        let (holder, commitment, contribution) = FusionHolder::join(&public, holder).unwrap();
        all.push(holder);
        commitments.push(commitment);
        contributions.push(contribution);
    }
    let key = JointKey::combine(&public, &commitments, &contributions).unwrap();
    let platforms = platforms.map(|platform| FusionPlatform::joint(&public, platform, &key)).collect();
    Joint { public, holders: all, key, platforms, errors: Errors::default() }
}

impl Joint {
    /// The phase without any smudging, from all secrets at once: an oracle that no seat is.
    pub(crate) fn phase(&self, mask: &FlagMask, body: &FlagBody) -> u64 {
        self.holders.iter().fold(body.body, |phase, holder| phase.wrapping_sub(holder.bare_share(mask)))
    }

    pub(crate) fn evaluate(&self, rule: &FusionRule, accounts: &[Vec<u32>]) -> Vec<(FlagMask, FlagBody)> {
        let table = rule.table(self.public.plan()).unwrap();
        let server = FusionServer::new(&self.public);
        let uploads: Vec<Vec<ScoreUpload>> = (0..)
            .zip(accounts)
            .map(|(at, scores)| {
                let seal =
                    |(platform, score): (&FusionPlatform, &u32)| platform.seal(account(at), *score).unwrap();
                self.platforms.iter().zip(scores).map(seal).collect()
            })
            .collect();
        server.evaluate_all(&server.prepare(&table), &uploads).unwrap()
    }

    /// The protocol from scores to opened values.
    pub(crate) fn fuse(&mut self, rule: &FusionRule, accounts: &[Vec<u32>]) -> Vec<u32> {
        let flags = self.evaluate(rule, accounts);
        for (mask, body) in &flags {
            let phase = self.phase(mask, body);
            let value = value_of(&self.public, phase).unwrap();
            self.errors.note(&self.public.plan, phase, value);
        }
        self.open(&flags).unwrap()
    }

    pub(crate) fn open(&mut self, flags: &[(FlagMask, FlagBody)]) -> Result<Vec<u32>, FusionError> {
        let masks: Vec<FlagMask> = flags.iter().map(|(mask, _)| mask.clone()).collect();
        let mut journal: Vec<Opening> = vec![];
        let shares: Vec<Vec<FlagShare>> = self
            .holders
            .iter_mut()
            .map(|holder| holder.answer(&masks, &mut journal))
            .collect::<Result<_, _>>()?;
        (0..)
            .zip(flags)
            .map(|(at, (_, body))| {
                let of: Vec<FlagShare> =
                    shares.iter().map(|all: &Vec<FlagShare>| all[at as usize].clone()).collect();
                open_flag(&self.public, body, &of)
            })
            .collect()
    }
}

/// Everybody under a shared key.
pub(crate) struct Shared {
    pub(crate) public: FusionPublic,
    pub(crate) opener: SharedOpener,
    pub(crate) platforms: Vec<FusionPlatform>,
}

pub(crate) fn shared(params: FusionParams, spec: FusionSpec) -> Shared {
    let public = FusionPublic::new(FusionPlan::new(params, FusionKeys::Shared, spec).unwrap()).unwrap();
    let (opener, platforms) = SharedOpener::setup(&public).unwrap();
    Shared { public, opener, platforms }
}

impl Shared {
    pub(crate) fn fuse(&mut self, rule: &FusionRule, accounts: &[Vec<u32>]) -> Vec<u32> {
        let table = rule.table(self.public.plan()).unwrap();
        let server = FusionServer::new(&self.public);
        let uploads: Vec<Vec<ScoreUpload>> = (0..)
            .zip(accounts)
            .map(|(at, scores)| {
                let seal =
                    |(platform, score): (&FusionPlatform, &u32)| platform.seal(account(at), *score).unwrap();
                self.platforms.iter().zip(scores).map(seal).collect()
            })
            .collect();
        let flags = server.evaluate_all(&server.prepare(&table), &uploads).unwrap();
        let (masks, bodies): (Vec<_>, Vec<_>) = flags.into_iter().unzip();
        self.opener.open(&masks, &bodies, &mut Vec::new()).unwrap()
    }
}
