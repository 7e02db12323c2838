//! Products with a small secret key in Z/2^64 [X] / (X^N + 1).
//!
//! The fast form keeps the key's number-theoretic transform (`tfhe_ntt::native_binary64`: two 50-bit primes with
//! AVX-512 IFMA, else three 30-bit ones). A coefficient of a 64-bit polynomial times a binary one stays below 2^76 at
//! N = 4096, and times one of absolute value at most [`WIDEST`] below 2^88: half the smaller product of primes is
//! 2^88.9, so that both forms are exact. `native_binary64` hides its pointwise product; `native64` shows it for the same
//! first primes of the same pinned release, and the schoolbook tests would see a difference. The slow form is tfhe's own Karatsuba product, kept as the peer to measure and the oracle to test against.
//! Not constant-time by claim: neither tfhe nor this crate promises it.

use crate::entropy::CryptoSource;
use equipoise_federated::SumError;
use std::fmt;
use tfhe::core_crypto::algorithms::polynomial_algorithms::polynomial_wrapping_mul;
use tfhe::core_crypto::prelude::Polynomial;
use tfhe_ntt::{native_binary64, native64};
use zeroize::Zeroizing;

/// The largest absolute coefficient of a wide key.
pub(crate) const WIDEST: i64 = 1 << 12;

/// How products are computed; every form gives the same integers.
enum Method {
    #[cfg(target_arch = "x86_64")]
    Ifma(native_binary64::Plan52, native64::Plan52),
    Portable(native_binary64::Plan32, native64::Plan32),
    Karatsuba,
}

/// The ring for one polynomial size.
pub(crate) struct Ring {
    size: usize,
    method: Method,
}

/// The transform of a key, for the method of its ring.
enum Image {
    #[cfg(target_arch = "x86_64")]
    Ifma([Zeroizing<Vec<u64>>; 2]),
    Portable([Zeroizing<Vec<u32>>; 3]),
    None,
}

/// A binary secret key with its transform. Wiped on drop; cannot be cloned, serialised or printed.
pub(crate) struct BinaryKey {
    coefficients: Zeroizing<Vec<u64>>,
    image: Image,
}

/// A secret key of small signed coefficients with its transform: one client's, or a sum of them. Wiped on drop; cannot be
/// cloned, serialised or printed.
pub(crate) struct WideKey {
    /// Modulo 2^64.
    coefficients: Zeroizing<Vec<u64>>,
    image: Image,
}

/// Working space of one thread. Wiped on drop: products with a public mask give the key away.
pub(crate) struct Scratch {
    /// The public factor.
    pub(crate) mask: Vec<u64>,
    /// The secret product.
    pub(crate) product: Zeroizing<Vec<u64>>,
    /// Room for error bytes.
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    residues: Image,
}

impl Ring {
    /// The fastest form that this machine has and that agrees with the portable one.
    pub(crate) fn new(size: usize) -> Self {
        let portable = Self::portable(size);
        #[cfg(target_arch = "x86_64")]
        if let (Some(plan), Some(wide)) =
            (native_binary64::Plan52::try_new(size), native64::Plan52::try_new(size))
        {
            let fast = Self { size, method: Method::Ifma(plan, wide) };
            if fast.agrees_with(&portable) {
                return fast;
            }
        }
        portable
    }

    /// Whether one dense product comes out the same. Few test machines have the fastest instructions, so every setup
    /// looks before it trusts them; it costs two products.
    pub(crate) fn agrees_with(&self, other: &Self) -> bool {
        let product = |ring: &Self| {
            let bits = (0..ring.size).map(|at| u64::from(at.count_ones() & 1)).collect();
            let mut scratch = ring.scratch();
            let odd = 0x9E37_79B9_7F4A_7C15_u64;
            (odd..)
                .zip(&mut scratch.mask)
                .for_each(|(at, word)| *word = at.wrapping_mul(odd).rotate_left(29));
            ring.multiply(&ring.key(Zeroizing::new(bits)), &mut scratch);
            scratch.product
        };
        self.size == other.size && *product(self) == *product(other)
    }

    /// The form for machines without AVX-512 IFMA.
    pub(crate) fn portable(size: usize) -> Self {
        let plan = native_binary64::Plan32::try_new(size).expect("the named parameter sets have transforms");
        let wide = native64::Plan32::try_new(size).expect("the named parameter sets have transforms");
        Self { size, method: Method::Portable(plan, wide) }
    }

    /// tfhe's own product: slower, and nobody has to trust a transform.
    pub(crate) fn karatsuba(size: usize) -> Self {
        Self { size, method: Method::Karatsuba }
    }

    /// Draws a fresh key.
    pub(crate) fn new_key(&self, source: impl CryptoSource) -> Result<BinaryKey, SumError> {
        let mut bytes = Zeroizing::new(vec![0_u8; self.size]);
        source.fill(&mut bytes)?;
        let coefficients = Zeroizing::new(bytes.iter().map(|byte| u64::from(byte & 1)).collect());
        Ok(self.key(coefficients))
    }

    /// Transforms a key of `size` bits.
    pub(crate) fn key(&self, coefficients: Zeroizing<Vec<u64>>) -> BinaryKey {
        assert!(coefficients.len() == self.size && coefficients.iter().all(|&bit| bit < 2), "a binary key");
        let mut image = self.residues();
        match (&self.method, &mut image) {
            #[cfg(target_arch = "x86_64")]
            (Method::Ifma(plan, _), Image::Ifma([p, q])) => plan.fwd_binary(&coefficients, p, q),
            (Method::Portable(plan, _), Image::Portable([p, q, r])) => {
                plan.fwd_binary(&coefficients, p, q, r)
            }
            _ => {}
        }
        BinaryKey { coefficients, image }
    }

    /// Transforms a key of `size` coefficients of absolute value at most [`WIDEST`].
    pub(crate) fn wide_key(&self, coefficients: &[i64]) -> WideKey {
        assert!(
            coefficients.len() == self.size && coefficients.iter().all(|c| c.abs() <= WIDEST),
            "a wide key's coefficients are small"
        );
        let mut image = self.residues();
        match (&self.method, &mut image) {
            #[cfg(target_arch = "x86_64")]
            (Method::Ifma(_, wide), Image::Ifma([p, q])) => {
                [(wide.ntt_0(), p), (wide.ntt_1(), q)].into_iter().for_each(|(plan, out)| {
                    let modulus = plan.modulus().cast_signed();
                    out.iter_mut()
                        .zip(coefficients)
                        .for_each(|(out, c)| *out = c.rem_euclid(modulus).cast_unsigned());
                    plan.fwd(out);
                });
            }
            (Method::Portable(_, wide), Image::Portable([p, q, r])) => {
                [(wide.ntt_0(), p), (wide.ntt_1(), q), (wide.ntt_2(), r)].into_iter().for_each(
                    |(plan, out)| {
                        out.iter_mut()
                            .zip(coefficients)
                            .for_each(|(out, c)| *out = residue32(*c, plan.modulus()));
                        plan.fwd(out);
                    },
                );
            }
            _ => {}
        }
        let coefficients = Zeroizing::new(coefficients.iter().map(|c| c.cast_unsigned()).collect());
        WideKey { coefficients, image }
    }

    fn residues(&self) -> Image {
        let words = || Zeroizing::new(vec![0_u64; self.size]);
        let halves = || Zeroizing::new(vec![0_u32; self.size]);
        match self.method {
            #[cfg(target_arch = "x86_64")]
            Method::Ifma(..) => Image::Ifma([words(), words()]),
            Method::Portable(..) => Image::Portable([halves(), halves(), halves()]),
            Method::Karatsuba => Image::None,
        }
    }

    /// Working space for [`Ring::multiply`].
    pub(crate) fn scratch(&self) -> Scratch {
        Scratch {
            mask: vec![0; self.size],
            product: Zeroizing::new(vec![0; self.size]),
            bytes: Zeroizing::new(vec![0; 2 * self.size]),
            residues: self.residues(),
        }
    }

    /// Sets `scratch.product` to `scratch.mask * key`.
    pub(crate) fn multiply(&self, key: &BinaryKey, scratch: &mut Scratch) {
        self.multiply_image(&key.coefficients, &key.image, scratch);
    }

    /// Sets `scratch.product` to `scratch.mask * key`.
    pub(crate) fn multiply_wide(&self, key: &WideKey, scratch: &mut Scratch) {
        self.multiply_image(&key.coefficients, &key.image, scratch);
    }

    fn multiply_image(&self, coefficients: &[u64], image: &Image, scratch: &mut Scratch) {
        let Scratch { mask, product, residues, .. } = scratch;
        match (&self.method, residues, image) {
            #[cfg(target_arch = "x86_64")]
            (Method::Ifma(plan, wide), Image::Ifma([a, b]), Image::Ifma([p, q])) => {
                plan.fwd(mask, a, b);
                wide.ntt_0().mul_assign_normalize(a, p);
                wide.ntt_1().mul_assign_normalize(b, q);
                plan.inv(product, a, b);
            }
            (Method::Portable(plan, wide), Image::Portable([a, b, c]), Image::Portable([p, q, r])) => {
                plan.fwd(mask, a, b, c);
                wide.ntt_0().mul_assign_normalize(a, p);
                wide.ntt_1().mul_assign_normalize(b, q);
                wide.ntt_2().mul_assign_normalize(c, r);
                plan.inv(product, a, b, c);
            }
            (Method::Karatsuba, ..) => polynomial_wrapping_mul(
                &mut Polynomial::from_container(product.as_mut_slice()),
                &Polynomial::from_container(mask.as_slice()),
                &Polynomial::from_container(coefficients),
            ),
            _ => unreachable!("a key and its scratch come from the ring that uses them"),
        }
    }
}

/// A signed number modulo a 30-bit prime.
pub(crate) fn residue32(value: i64, modulus: u32) -> u32 {
    u32::try_from(value.rem_euclid(i64::from(modulus))).expect("a residue is below its 32-bit modulus")
}

impl BinaryKey {
    /// The key's bits, for oracles in tests.
    #[cfg(test)]
    pub(crate) fn coefficients(&self) -> &[u64] {
        &self.coefficients
    }
}

impl fmt::Debug for BinaryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BinaryKey(..)")
    }
}

impl fmt::Debug for WideKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WideKey(..)")
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = match self.method {
            #[cfg(target_arch = "x86_64")]
            Method::Ifma(..) => "transform, AVX-512 IFMA",
            Method::Portable(..) => "transform, portable",
            Method::Karatsuba => "Karatsuba",
        };
        f.debug_struct("Ring").field("size", &self.size).field("method", &method).finish()
    }
}
