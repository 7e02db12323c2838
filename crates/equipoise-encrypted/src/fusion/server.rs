//! The server's side of the fusion: one external product a platform, no bootstrap, no evaluation key.
//!
//! It starts from the public polynomial of the rule (a trivial ciphertext), multiplies by X^-score for every platform,
//! and sends coefficient 0: the rule at the sum. The first product needs the body rows of its GGSW only, because the
//! public polynomial has no mask and its digits stand in the coarsest level: their transform is kept with the rule. The
//! other products are tfhe's (`add_external_product_assign_mem_optimized`), so that the error of a 64-bit float transform
//! is part of every result; the plan counts it. Ciphertext bits differ between machines, opened values do not.

use super::error::FusionError;
use super::messages::{FlagBody, FlagMask, ScoreUpload};
use super::public::FusionPublic;
use super::rule::FusionTable;
use rayon::prelude::*;
use std::fmt;
use tfhe::core_crypto::fft_impl::fft64::c64;
use tfhe::core_crypto::fft_impl::fft64::math::polynomial::{
    FourierPolynomialMutView, FourierPolynomialOwned, FourierPolynomialView,
};
use tfhe::core_crypto::prelude::*;

/// The evaluating server. It holds no secret.
pub struct FusionServer {
    public: FusionPublic,
    fft: Fft,
}

/// A rule whose polynomial is decomposed and transformed.
pub struct PreparedRule {
    fingerprint: [u8; 32],
    digits: FourierPolynomialOwned,
}

/// Working space of one thread.
pub struct FusionWorkspace {
    standard: Vec<u64>,
    fourier: FourierGgswCiphertext<tfhe::core_crypto::fft_impl::fft64::ABox<[c64]>>,
    product: FourierPolynomialOwned,
    current: GlweCiphertextOwned<u64>,
    next: GlweCiphertextOwned<u64>,
    buffers: ComputationBuffers,
}

impl FusionServer {
    /// A server for one session.
    #[must_use]
    pub fn new(public: &FusionPublic) -> Self {
        Self { public: public.clone(), fft: Fft::new(PolynomialSize(public.plan.params.polynomial_size)) }
    }

    /// Prepares a rule for any number of accounts.
    #[must_use]
    pub fn prepare(&self, table: &FusionTable) -> PreparedRule {
        let params = &self.public.plan.params;
        let drop = 64 - params.base_log2;
        // At most 64 bands: every value is a multiple of 2^57, hence of the coarsest gadget.
        let digits: Vec<u64> = table
            .polynomial(&self.public.plan)
            .iter()
            .map(|value| (value.cast_signed() >> drop).cast_unsigned())
            .collect();
        let mut fourier = FourierPolynomialOwned::new(PolynomialSize(params.polynomial_size));
        let mut buffers = self.buffers();
        let digits = Polynomial::from_container(digits);
        self.fft.as_view().forward_as_integer(fourier.as_mut_view(), digits.as_view(), buffers.stack());
        PreparedRule { fingerprint: table.fingerprint, digits: fourier }
    }

    fn buffers(&self) -> ComputationBuffers {
        let size = PolynomialSize(self.public.plan.params.polynomial_size);
        let fft = self.fft.as_view();
        let product = add_external_product_assign_mem_optimized_requirement::<u64>(GlweSize(2), size, fft);
        let all = product.or(fft.forward_scratch()).or(fft.backward_scratch());
        let mut buffers = ComputationBuffers::new();
        buffers.resize(all.unaligned_bytes_required());
        buffers
    }

    /// Working space for [`Self::evaluate`].
    #[must_use]
    pub fn workspace(&self) -> FusionWorkspace {
        let params = &self.public.plan.params;
        let (size, glwe) = (PolynomialSize(params.polynomial_size), GlweSize(2));
        let zero = || GlweCiphertext::new(0, glwe, size, CiphertextModulus::new_native());
        FusionWorkspace {
            standard: vec![0; size.0],
            fourier: FourierGgswCiphertext::new(
                glwe,
                size,
                DecompositionBaseLog(params.base_log2 as usize),
                DecompositionLevelCount(params.levels),
            ),
            product: FourierPolynomialOwned::new(size),
            current: zero(),
            next: zero(),
            buffers: self.buffers(),
        }
    }

    /// Evaluates the rule on one account's uploads, at most one a platform; a platform that sent none counts as zero.
    ///
    /// # Errors
    /// If there are fewer than two uploads, a platform is there twice, or they are of different accounts or another form
    /// than the plan's.
    pub fn evaluate(
        &self,
        rule: &PreparedRule,
        uploads: &[ScoreUpload],
        workspace: &mut FusionWorkspace,
    ) -> Result<(FlagMask, FlagBody), FusionError> {
        let (first, rest) = self.check(uploads)?;
        self.first_product(rule, first, workspace);
        for upload in rest {
            self.product(upload, workspace);
        }
        Ok(self.flag(first, rule, &workspace.current))
    }

    /// Evaluates many accounts on all threads; the flags come in the accounts' order.
    ///
    /// # Errors
    /// The first account's, if any is refused.
    pub fn evaluate_all(
        &self,
        rule: &PreparedRule,
        accounts: &[Vec<ScoreUpload>],
    ) -> Result<Vec<(FlagMask, FlagBody)>, FusionError> {
        accounts
            .par_iter()
            .map_init(|| self.workspace(), |workspace, uploads| self.evaluate(rule, uploads, workspace))
            .collect()
    }

    fn check<'a>(
        &self,
        uploads: &'a [ScoreUpload],
    ) -> Result<(&'a ScoreUpload, &'a [ScoreUpload]), FusionError> {
        let mismatch = |what: &str| Err(FusionError::Mismatch(what.into()));
        let (Some((first, rest)), plan) = (uploads.split_first(), &self.public.plan) else {
            return mismatch("an account without uploads");
        };
        if rest.is_empty() {
            return mismatch("a fusion of one platform's score would open that score");
        }
        if rest.iter().any(|upload| upload.account != first.account) {
            return mismatch("uploads of different accounts");
        }
        let mut seen = vec![false; plan.spec.weights.len()];
        for upload in uploads {
            match seen.get_mut(upload.platform as usize) {
                Some(seen) if !*seen => *seen = true,
                Some(_) => return mismatch("a platform is twice in an account's uploads"),
                None => return mismatch("a platform that the plan does not have"),
            }
            let polynomials = match (plan.keys, upload.seed) {
                (super::FusionKeys::Shared, Some(_)) => 2,
                (super::FusionKeys::Joint { .. }, None) => 4,
                _ => return mismatch("an upload of another key setting than the plan's"),
            };
            if upload.rows.len() != polynomials * plan.params.levels * plan.params.polynomial_size {
                return mismatch("an upload of another parameter set");
            }
        }
        Ok((first, rest))
    }

    /// Transforms the polynomials of one row, mask then body.
    fn import_row(
        &self,
        upload: &ScoreUpload,
        header: Option<&[u8]>,
        row: usize,
        standard: &mut [u64],
        out: &mut [c64],
        buffers: &mut ComputationBuffers,
    ) {
        let size = self.public.plan.params.polynomial_size;
        let (mask, body) = out.split_at_mut(size / 2);
        let (mask_words, body_words): (&[u64], &[u64]) = match header {
            Some(header) => {
                self.public.upload_mask(header, row, standard);
                (standard, &upload.rows[row * size..(row + 1) * size])
            }
            None => upload.rows[2 * row * size..2 * (row + 1) * size].split_at(size),
        };
        for (out, words) in [(mask, mask_words), (body, body_words)] {
            let words = Polynomial::from_container(words);
            let out = FourierPolynomialMutView { data: out };
            self.fft.as_view().forward_as_torus(out, words, buffers.stack());
        }
    }

    fn first_product(&self, rule: &PreparedRule, upload: &ScoreUpload, workspace: &mut FusionWorkspace) {
        let params = &self.public.plan.params;
        let (size, header) = (params.polynomial_size, upload.mask_header());
        let FusionWorkspace { standard, fourier, product, current, buffers, .. } = workspace;
        let mut view = fourier.as_mut_view();
        let row = &mut view.as_mut_view().data()[..size];
        // The coarsest level lies last, its body row after its mask row.
        self.import_row(upload, header.as_deref(), 2 * params.levels - 1, standard, row, buffers);
        current.as_mut().fill(0);
        let mut halves = current.as_mut_polynomial_list();
        for (row, mut out) in row.chunks(size / 2).zip(halves.iter_mut()) {
            for ((out, row), digit) in product.data.iter_mut().zip(row).zip(rule.digits.data.iter()) {
                *out = row * digit;
            }
            let product = FourierPolynomialView { data: &product.data[..] };
            self.fft.as_view().add_backward_as_torus(out.as_mut_view(), product, buffers.stack());
        }
    }

    fn product(&self, upload: &ScoreUpload, workspace: &mut FusionWorkspace) {
        let params = &self.public.plan.params;
        let (size, header) = (params.polynomial_size, upload.mask_header());
        let FusionWorkspace { standard, fourier, current, next, buffers, .. } = workspace;
        let rows = fourier.as_mut_view().data();
        for (row, out) in rows.chunks_mut(size).enumerate() {
            self.import_row(upload, header.as_deref(), row, standard, out, buffers);
        }
        next.as_mut().fill(0);
        let fft = self.fft.as_view();
        add_external_product_assign_mem_optimized(next, fourier, current, fft, buffers.stack());
        std::mem::swap(current, next);
    }

    /// Coefficient 0 as an LWE ciphertext, split into what key holders and what the opener is sent.
    fn flag(
        &self,
        upload: &ScoreUpload,
        rule: &PreparedRule,
        glwe: &GlweCiphertextOwned<u64>,
    ) -> (FlagMask, FlagBody) {
        let size = self.public.plan.params.polynomial_size;
        let (mask, body) = glwe.as_ref().split_at(size);
        let extracted =
            std::iter::once(mask[0]).chain(mask[1..].iter().rev().map(|word| word.wrapping_neg()));
        let half = |word: u64| u32::try_from(word.wrapping_add(1 << 31) >> 32).expect("the upper half");
        let account = upload.account;
        let mask = FlagMask { account, rule: rule.fingerprint, mask: extracted.map(half).collect() };
        let body = FlagBody { account, mask: mask.fingerprint(), body: body[0] };
        (mask, body)
    }
}

impl fmt::Debug for FusionServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FusionServer").field("session", &self.public.session).finish_non_exhaustive()
    }
}

impl fmt::Debug for PreparedRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PreparedRule(..)")
    }
}

impl fmt::Debug for FusionWorkspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FusionWorkspace(..)")
    }
}
