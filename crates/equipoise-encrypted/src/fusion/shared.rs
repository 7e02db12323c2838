//! The shared-key baseline: one secret that every platform and the opener hold.
//!
//! As fast as the joint design and half its bytes; worthless against a server that works with a single platform, which
//! `guard_tests.rs` plays through.

use super::error::FusionError;
use super::holders::{from_trits, to_trits, value_of};
use super::keys::{FusionPlatform, TernaryKey};
use super::messages::{FlagBody, FlagMask};
use super::plan::FusionKeys;
use super::public::FusionPublic;
use super::record::{Journal, Opening, RateLimit};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The opener of the shared-key baseline: the same secret as every platform's, and a record.
#[derive(Debug)]
pub struct SharedOpener {
    secret: Arc<TernaryKey>,
    limit: RateLimit,
    public: FusionPublic,
}

impl SharedOpener {
    /// Draws the one key; hands it to every platform.
    ///
    /// # Errors
    /// If the plan is of a joint key, or the system gives no randomness.
    pub fn setup(public: &FusionPublic) -> Result<(Self, Vec<FusionPlatform>), FusionError> {
        if public.plan.keys != FusionKeys::Shared {
            return Err(FusionError::Mismatch("the plan has a joint key".into()));
        }
        let opener = Self::with_secret(public, TernaryKey::new(public)?);
        let platforms = opener.platforms();
        Ok((opener, platforms))
    }

    fn with_secret(public: &FusionPublic, secret: TernaryKey) -> Self {
        let secret = Arc::new(secret);
        let limit =
            RateLimit::new(public.plan.spec.openings_per_account, &to_trits(&secret), &public.session.0);
        Self { secret, limit, public: public.clone() }
    }

    /// Every platform, with the one key.
    pub(crate) fn platforms(&self) -> Vec<FusionPlatform> {
        let platforms = (0..).zip(&self.public.plan.spec.weights);
        platforms.map(|(at, _)| FusionPlatform::shared(&self.public, at, &self.secret)).collect()
    }

    /// The secret's bytes, for a store.
    pub(crate) fn secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        to_trits(&self.secret)
    }

    /// The opener again, with everything that it ever opened.
    pub(crate) fn resume(
        public: &FusionPublic,
        secret: &[u8],
        record: &[Opening],
    ) -> Result<Self, FusionError> {
        let mut opener = Self::with_secret(public, from_trits(public, secret)?);
        opener.limit.resume(record)?;
        Ok(opener)
    }

    /// Opens flags; all are written to `journal` first, and one that must be refused refuses all.
    ///
    /// # Errors
    /// If the limit refuses, the journal fails, or a mask and a body do not belong together.
    pub fn open(
        &mut self,
        flags: &[FlagMask],
        bodies: &[FlagBody],
        journal: &mut dyn Journal,
    ) -> Result<Vec<u32>, FusionError> {
        let size = self.public.plan.params.polynomial_size;
        let fits = |(flag, body): (&FlagMask, &FlagBody)| {
            flag.mask.len() == size && flag.account == body.account && flag.fingerprint() == body.mask
        };
        if flags.len() != bodies.len() || !flags.iter().zip(bodies).all(fits) {
            return Err(FusionError::Mismatch("masks and bodies are of different flags".into()));
        }
        self.limit.book(flags, journal)?;
        let open = |(flag, body): (&FlagMask, &FlagBody)| {
            value_of(&self.public, body.body.wrapping_sub(self.secret.inner_product(&flag.mask)))
        };
        flags.iter().zip(bodies).map(open).collect()
    }
}
