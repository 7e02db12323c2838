//! The seats of a joint key: its holders, and the opener, who has no secret.
//!
//! A joint key is made in two moves: everybody commits to a contribution, then shows it. Without the commitment the last
//! holder could choose a contribution that cancels the others' and hold the whole key alone. N-of-N: one holder that
//! does not answer, or refuses, and nothing is opened; one honest holder is enough for the rate limit to hold.

use super::error::FusionError;
use super::keys::{JointKey, TernaryKey};
use super::messages::{FlagBody, FlagMask, FlagShare, KeyContribution};
use super::noise::{add_errors, tuniform};
use super::plan::FusionKeys;
use super::public::FusionPublic;
use super::record::{Journal, Opening, RateLimit};
use super::wire::FusionMessage;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What a holder publishes before anybody shows a contribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyCommitment {
    holder: u32,
    hash: [u8; 32],
}

/// A key holder: not a platform, not the server. It answers with partial decryptions of masks and never sees a flag.
#[derive(Debug)]
pub struct FusionHolder {
    holder: u32,
    secret: TernaryKey,
    limit: RateLimit,
    public: FusionPublic,
}

impl KeyContribution {
    pub(crate) fn commitment(&self, public: &FusionPublic) -> KeyCommitment {
        let mut hasher =
            blake3::Hasher::new_derive_key("equipoise-encrypted 2026-11-27 fusion commitment v1");
        hasher.update(&self.to_bytes(public));
        KeyCommitment { holder: self.holder, hash: *hasher.finalize().as_bytes() }
    }
}

impl JointKey {
    /// Adds up the contributions of all holders, given what they committed to before.
    ///
    /// # Errors
    /// If holders are missing or twice, or a contribution is not the one that was committed to.
    pub fn combine(
        public: &FusionPublic,
        commitments: &[KeyCommitment],
        contributions: &[KeyContribution],
    ) -> Result<Arc<Self>, FusionError> {
        let FusionKeys::Joint { holders } = public.plan.keys else {
            return Err(FusionError::Mismatch("the plan has no joint key".into()));
        };
        let everybody = contributions.iter().map(|c| c.holder).eq(0..holders);
        if !everybody || commitments.len() != contributions.len() {
            let what = "a joint key needs one contribution and one commitment of every holder, in order";
            return Err(FusionError::Mismatch(what.into()));
        }
        let mut body = vec![0_u64; public.plan.params.polynomial_size];
        for (commitment, contribution) in commitments.iter().zip(contributions) {
            if contribution.commitment(public) != *commitment {
                let holder = contribution.holder;
                let what = format!("holder {holder} shows another contribution than it committed to");
                return Err(FusionError::Mismatch(what));
            }
            body.iter_mut().zip(&contribution.body).for_each(|(sum, part)| *sum = sum.wrapping_add(*part));
        }
        let common_reference = public.ring.image(&public.common_reference());
        Ok(Arc::new(Self { common_reference, body: public.ring.image(&body) }))
    }
}

impl FusionHolder {
    /// Draws a secret. Publish the commitment, wait for everybody's, then publish the contribution.
    ///
    /// # Errors
    /// If the plan has no such holder, or the system gives no randomness.
    pub fn join(
        public: &FusionPublic,
        holder: u32,
    ) -> Result<(Self, KeyCommitment, KeyContribution), FusionError> {
        let secret = TernaryKey::new(public)?;
        let mut body = vec![0; public.plan.params.polynomial_size];
        add_errors(&mut body, public.plan.params.noise_bound_log2)?;
        let reference = public.ring.image(&public.common_reference());
        public.ring.add_product(&reference, &secret.image, &mut public.ring.scratch(), &mut body);
        let contribution = KeyContribution { holder, body };
        let holder = Self::with_secret(public, holder, secret)?;
        Ok((holder, contribution.commitment(public), contribution))
    }

    fn with_secret(public: &FusionPublic, holder: u32, secret: TernaryKey) -> Result<Self, FusionError> {
        match public.plan.keys {
            FusionKeys::Joint { holders } if holder < holders => {}
            _ => return Err(FusionError::Mismatch(format!("the plan has no key holder {holder}"))),
        }
        let name = [&public.session.0[..], &holder.to_le_bytes()].concat();
        let limit = RateLimit::new(public.plan.spec.openings_per_account, &to_trits(&secret), &name);
        Ok(Self { holder, secret, limit, public: public.clone() })
    }

    /// Partial decryptions of flags, for the opener alone. All are written to `journal` before any is made; one that must
    /// be refused refuses all.
    ///
    /// # Errors
    /// If the limit refuses, the journal fails, or a mask is not of this plan.
    pub fn answer(
        &mut self,
        flags: &[FlagMask],
        journal: &mut dyn Journal,
    ) -> Result<Vec<FlagShare>, FusionError> {
        if flags.iter().any(|flag| flag.mask.len() != self.public.plan.params.polynomial_size) {
            return Err(FusionError::Mismatch("a flag of another parameter set".into()));
        }
        let fingerprints = self.limit.book(flags, journal)?;
        let bits = self.public.plan.smudge_log2.expect("a joint plan has smudging");
        flags
            .iter()
            .zip(fingerprints)
            .map(|(flag, mask)| {
                let smudge = tuniform(u64::from_le_bytes(self.limit.smudge(&mask)), bits).cast_unsigned();
                let value = self.secret.inner_product(&flag.mask).wrapping_add(smudge);
                Ok(FlagShare { holder: self.holder, account: flag.account, mask, value })
            })
            .collect()
    }

    /// The secret's bytes, for a store.
    pub(crate) fn secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        to_trits(&self.secret)
    }

    /// The answer without smudging, for the error oracle of tests.
    #[cfg(test)]
    pub(crate) fn bare_share(&self, flag: &FlagMask) -> u64 {
        self.secret.inner_product(&flag.mask)
    }

    /// Ends this process's use of the secret: hands it out for sealed storage. The record is with the journal.
    #[must_use]
    pub fn suspend(self) -> SuspendedHolder {
        SuspendedHolder { holder: self.holder, trits: to_trits(&self.secret) }
    }
}

/// A holder's secret on its way to or from sealed storage; wiped on drop, not clonable, printed as `..`.
pub struct SuspendedHolder {
    holder: u32,
    trits: Zeroizing<Vec<u8>>,
}

impl SuspendedHolder {
    /// The secret's bytes. Whoever has those of all holders reads every upload.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.trits
    }

    /// Reads bytes that [`Self::expose`] gave.
    #[must_use]
    pub fn from_exposed(holder: u32, bytes: Zeroizing<Vec<u8>>) -> Self {
        Self { holder, trits: bytes }
    }

    /// The holder again, with everything that it ever opened. There is no way back without the record.
    ///
    /// # Errors
    /// If the bytes are no secret of this plan, or the record is of other keys or was changed.
    pub fn resume(self, public: &FusionPublic, record: &[Opening]) -> Result<FusionHolder, FusionError> {
        let secret = from_trits(public, &self.trits)?;
        let mut holder = FusionHolder::with_secret(public, self.holder, secret)?;
        holder.limit.resume(record)?;
        Ok(holder)
    }
}

impl std::fmt::Debug for SuspendedHolder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SuspendedHolder").field("holder", &self.holder).finish_non_exhaustive()
    }
}

pub(crate) fn to_trits(key: &TernaryKey) -> Zeroizing<Vec<u8>> {
    let trit = |word: &u64| u8::try_from(word.wrapping_add(1)).expect("a ternary coefficient");
    Zeroizing::new(key.coefficients.iter().map(trit).collect())
}

pub(crate) fn from_trits(public: &FusionPublic, trits: &[u8]) -> Result<TernaryKey, FusionError> {
    let size = public.plan.params.polynomial_size;
    if trits.len() != size || trits.iter().any(|&trit| trit > 2) {
        return Err(FusionError::Malformed("not a secret of this parameter set".into()));
    }
    let coefficients = trits.iter().map(|&trit| u64::from(trit).wrapping_sub(1)).collect();
    Ok(TernaryKey::from_coefficients(public, Zeroizing::new(coefficients)))
}

/// Combines what the holders answered into the rule's value; holds no secret. This seat, and no other, learns flags.
///
/// # Errors
/// If a share is missing, twice, or of another flag, or the value is not one of the plan's.
pub fn open_flag(public: &FusionPublic, body: &FlagBody, shares: &[FlagShare]) -> Result<u32, FusionError> {
    let FusionKeys::Joint { holders } = public.plan.keys else {
        return Err(FusionError::Mismatch("the plan has no joint key".into()));
    };
    if !shares.iter().map(|share| share.holder).eq(0..holders) {
        return Err(FusionError::Mismatch("a flag needs one share of every holder, in order".into()));
    }
    if shares.iter().any(|share| share.mask != body.mask || share.account != body.account) {
        return Err(FusionError::Mismatch("a share of another flag".into()));
    }
    let phase = shares.iter().fold(body.body, |phase, share| phase.wrapping_sub(share.value));
    value_of(public, phase)
}

/// The rule's value that a phase stands for.
pub(crate) fn value_of(public: &FusionPublic, phase: u64) -> Result<u32, FusionError> {
    let value = public.plan.decode(phase);
    if value < public.plan.spec.bands {
        Ok(value)
    } else {
        Err(FusionError::Mismatch("an opened value that the rule cannot return".into()))
    }
}
