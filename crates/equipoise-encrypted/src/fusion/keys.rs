//! The platforms' side of the fusion: a score becomes GGSW(X^-score).
//!
//! Under the joint public key (`b = a s + e`, `s` the sum of the holders' secrets) a row is a fresh encryption of zero,
//! `(a r + e1, b r + e0)`, plus the gadget times X^-score on its mask or its body: the public-key form of RGSW, which
//! needs no circular assumption and nobody's secret. tfhe has no such encryption; the arithmetic is our own over
//! `tfhe_ntt`. Under a shared key the rows are seeded, as in tfhe's seeded GGSW.

use super::error::FusionError;
use super::messages::{SEED, ScoreUpload};
use super::noise::{add_errors, fill, ternary};
use super::pseudonym::Pseudonym;
use super::public::FusionPublic;
use super::ring::{Image, ProductScratch, add_monomial, add_rotated};
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A ternary secret with its transform. Wiped on drop; cannot be cloned, serialised or printed.
pub(crate) struct TernaryKey {
    pub(crate) coefficients: Zeroizing<Vec<u64>>,
    pub(crate) image: Image,
}

impl TernaryKey {
    pub(crate) fn new(public: &FusionPublic) -> Result<Self, FusionError> {
        Ok(Self::from_coefficients(public, ternary(public.plan.params.polynomial_size)?))
    }

    pub(crate) fn from_coefficients(public: &FusionPublic, coefficients: Zeroizing<Vec<u64>>) -> Self {
        let image = public.ring.image(&coefficients);
        Self { coefficients, image }
    }

    /// `<mask, key>` for the mask of a flag, whose words are the upper halves of coefficients.
    pub(crate) fn inner_product(&self, mask: &[u32]) -> u64 {
        mask.iter()
            .zip(self.coefficients.iter())
            .fold(0_u64, |sum, (word, key)| sum.wrapping_add((u64::from(*word) << 32).wrapping_mul(*key)))
    }
}

impl fmt::Debug for TernaryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TernaryKey(..)")
    }
}

/// The joint public key, transformed. Public.
#[derive(Debug)]
pub struct JointKey {
    pub(crate) common_reference: Image,
    pub(crate) body: Image,
}

#[derive(Debug)]
enum SealingKey {
    Shared(Arc<TernaryKey>),
    Joint(Arc<JointKey>),
}

/// A platform. Under a joint key it holds no secret at all: what it sealed it cannot open.
#[derive(Debug)]
pub struct FusionPlatform {
    platform: u32,
    key: SealingKey,
    public: FusionPublic,
}

impl FusionPlatform {
    pub(crate) fn shared(public: &FusionPublic, platform: u32, key: &Arc<TernaryKey>) -> Self {
        Self { platform, key: SealingKey::Shared(Arc::clone(key)), public: public.clone() }
    }

    /// A platform that seals under the holders' joint key.
    #[must_use]
    pub fn joint(public: &FusionPublic, platform: u32, key: &Arc<JointKey>) -> Self {
        Self { platform, key: SealingKey::Joint(Arc::clone(key)), public: public.clone() }
    }

    /// The secret that a platform holds under a shared key, for the attack in tests.
    #[cfg(test)]
    pub(crate) fn shared_key(&self) -> Option<&TernaryKey> {
        match &self.key {
            SealingKey::Shared(key) => Some(key),
            SealingKey::Joint(_) => None,
        }
    }

    /// Encrypts the score of an account. The weight of this platform is applied here, by choosing the monomial.
    ///
    /// # Errors
    /// If the score is beyond the plan, this platform is not in it, or the system gives no randomness.
    pub fn seal(&self, account: Pseudonym, score: u32) -> Result<ScoreUpload, FusionError> {
        let (plan, platform) = (&self.public.plan, self.platform);
        let largest = plan.spec.max_score;
        let Some(weight) = plan.spec.weights.get(platform as usize) else {
            return Err(FusionError::Mismatch(format!("platform {platform} is not in the plan")));
        };
        if score > largest {
            return Err(FusionError::ScoreBeyondPlan { platform, largest });
        }
        let exponent = (weight * score) as usize;
        let mut scratch = self.public.ring.scratch();
        match &self.key {
            SealingKey::Shared(key) => self.seal_shared(key, account, exponent, &mut scratch),
            SealingKey::Joint(key) => self.seal_joint(key, account, exponent, &mut scratch),
        }
    }

    fn seal_joint(
        &self,
        key: &JointKey,
        account: Pseudonym,
        exponent: usize,
        scratch: &mut ProductScratch,
    ) -> Result<ScoreUpload, FusionError> {
        let (params, ring) = (&self.public.plan.params, &self.public.ring);
        let size = params.polynomial_size;
        let mut rows = vec![0; 4 * params.levels * size];
        let mut image = ring.blank();
        let mut pairs = rows.chunks_mut(2 * size);
        for (masks, level) in params.levels_in_memory().flat_map(|level| [(true, level), (false, level)]) {
            ring.image_into(&ternary(size)?, &mut image);
            let (mask, body) = pairs.next().expect("two rows a level").split_at_mut(size);
            // Errors first: a product without them, left behind by a failing entropy call, would say something.
            add_errors(mask, params.noise_bound_log2)?;
            add_errors(body, params.noise_bound_log2)?;
            ring.add_product(&image, &key.common_reference, scratch, mask);
            ring.add_product(&image, &key.body, scratch, body);
            add_monomial(if masks { mask } else { body }, exponent, 1 << params.gadget_log2(level));
        }
        Ok(ScoreUpload { platform: self.platform, account, seed: None, rows })
    }

    fn seal_shared(
        &self,
        key: &TernaryKey,
        account: Pseudonym,
        exponent: usize,
        scratch: &mut ProductScratch,
    ) -> Result<ScoreUpload, FusionError> {
        let (params, ring) = (&self.public.plan.params, &self.public.ring);
        let size = params.polynomial_size;
        let mut seed = [0; SEED];
        fill(&mut seed)?;
        let mut upload = ScoreUpload { platform: self.platform, account, seed: Some(seed), rows: vec![] };
        let header = upload.mask_header().expect("it has a seed");
        let mut rows = vec![0; 2 * params.levels * size];
        let (mut mask, mut image) = (vec![0; size], ring.blank());
        let kinds = params.levels_in_memory().flat_map(|level| [(true, level), (false, level)]);
        for ((index, body), (masks, level)) in rows.chunks_mut(size).enumerate().zip(kinds) {
            add_errors(body, params.noise_bound_log2)?;
            self.public.upload_mask(&header, index, &mut mask);
            ring.image_into(&mask, &mut image);
            ring.add_product(&image, &key.image, scratch, body);
            let gadget = 1_u64 << params.gadget_log2(level);
            if masks {
                add_rotated(body, &key.coefficients, exponent, gadget.wrapping_neg());
            } else {
                add_monomial(body, exponent, gadget);
            }
        }
        upload.rows = rows;
        Ok(upload)
    }
}

impl ScoreUpload {
    /// What the masks of a seeded upload are bound to: platform, account and seed.
    pub(crate) fn mask_header(&self) -> Option<Vec<u8>> {
        let seed = self.seed?;
        Some([&self.platform.to_le_bytes()[..], self.account.bytes(), &seed].concat())
    }
}
