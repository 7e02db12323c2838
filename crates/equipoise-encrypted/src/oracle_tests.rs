//! Three products, one ring; and tfhe's own GLWE encryption as the oracle of ours, both ways.

use crate::GLWE64_N4096;
use crate::entropy::SystemSource;
use crate::mask::MaskStream;
use crate::ring::{BinaryKey, Ring};
use crate::testing::{integers, parties, spec};
use equipoise_core::Seed;
use rand::rand_core::Rng;
use tfhe::core_crypto::prelude::*;
use zeroize::Zeroizing;

const N: usize = GLWE64_N4096.polynomial_size;

/// The definition: X^N = -1.
fn schoolbook(mask: &[u64], key: &[u64]) -> Vec<u64> {
    let mut out = vec![0_u64; N];
    for (shift, _) in key.iter().enumerate().filter(|&(_, &bit)| bit == 1) {
        for (at, &word) in mask.iter().enumerate() {
            if at + shift < N {
                out[at + shift] = out[at + shift].wrapping_add(word);
            } else {
                out[at + shift - N] = out[at + shift - N].wrapping_sub(word);
            }
        }
    }
    out
}

fn product(ring: &Ring, mask: &[u64], bits: &[u64]) -> Vec<u64> {
    let key = ring.key(Zeroizing::new(bits.to_vec()));
    let mut scratch = ring.scratch();
    scratch.mask.copy_from_slice(mask);
    ring.multiply(&key, &mut scratch);
    scratch.product.to_vec()
}

fn assert_all_agree(mask: &[u64], bits: &[u64]) {
    let expected = schoolbook(mask, bits);
    for ring in [Ring::new(N), Ring::portable(N), Ring::karatsuba(N)] {
        assert!(product(&ring, mask, bits) == expected, "{ring:?} differs from the schoolbook");
    }
}

fn monomial(at: usize) -> Vec<u64> {
    let mut bits = vec![0; N];
    bits[at] = 1;
    bits
}

#[test]
fn every_product_equals_the_schoolbook_on_random_words() {
    let mut rng = Seed::root(1).rng();
    let mut word = || rng.next_u64();
    let mask: Vec<u64> = (0..N).map(|_| word()).collect();
    let bits: Vec<u64> = (0..N).map(|_| word() & 1).collect();
    assert_all_agree(&mask, &bits);
}

#[test]
fn every_product_equals_the_schoolbook_at_the_extremes() {
    for mask in [vec![u64::MAX; N], vec![1 << 63; N], vec![0; N]] {
        for bits in [vec![1; N], vec![0; N], monomial(N - 1)] {
            assert_all_agree(&mask, &bits);
        }
    }
}

#[test]
fn rings_are_compared_before_they_are_trusted() {
    assert!(Ring::new(N).agrees_with(&Ring::karatsuba(N)));
    assert!(!Ring::new(N).agrees_with(&Ring::karatsuba(N / 2)));
}

#[test]
fn x_to_the_n_is_minus_one() {
    let wrapped = product(&Ring::new(N), &monomial(1), &monomial(N - 1));
    assert_eq!((wrapped[0], wrapped[1]), (u64::MAX, 0));
}

fn tfhe_key(key: &BinaryKey) -> GlweSecretKey<Vec<u64>> {
    GlweSecretKey::from_container(key.coefficients().to_vec(), PolynomialSize(N))
}

#[test]
fn tfhe_opens_our_ciphertexts() {
    let spec = spec(3 * N + 5, 16, 5);
    let parties = parties(&spec);
    let (public, client) = (&parties.public, &parties.clients[3]);
    let values = integers(Seed::root(2), spec.len, 16);
    let upload = client.seal(public, 7, 1, &values).unwrap();
    let masks = MaskStream::new(&GLWE64_N4096, &upload.header);
    let mut messages = vec![];
    for (index, body) in upload.bodies().chunks(N).enumerate() {
        // Mask first, then body; the cut part of the last body is not read.
        let mut ciphertext = vec![0; 2 * N];
        masks.add_polynomial(index, &mut ciphertext[..N]);
        ciphertext[N..N + body.len()].copy_from_slice(body);
        let native = CiphertextModulus::new_native();
        let ciphertext = GlweCiphertext::from_container(ciphertext, PolynomialSize(N), native);
        let mut phase = PlaintextList::new(0, PlaintextCount(N));
        decrypt_glwe_ciphertext(&tfhe_key(&client.key), &ciphertext, &mut phase);
        messages.extend(phase.as_ref()[..body.len()].iter().map(|&phase| public.layout().round(phase).0));
    }
    assert_eq!(public.layout().unpack(&messages), values);
}

#[test]
fn we_open_the_ciphertexts_of_tfhe() {
    let ring = Ring::new(N);
    let key = ring.new_key(SystemSource).unwrap();
    let mut seeder = new_seeder();
    let seeder = seeder.as_mut();
    let mut generator = EncryptionRandomGenerator::<DefaultRandomGenerator>::new(seeder.seed(), seeder);
    let message: Vec<u64> = integers(Seed::root(3), N, 50).iter().map(|m| m.cast_unsigned() << 10).collect();
    let native = CiphertextModulus::new_native();
    let mut ciphertext = GlweCiphertext::new(0_u64, GlweSize(2), PolynomialSize(N), native);
    let plain = PlaintextList::from_container(message.clone());
    encrypt_glwe_ciphertext(&tfhe_key(&key), &mut ciphertext, &plain, GLWE64_N4096.noise(), &mut generator);
    let mut scratch = ring.scratch();
    scratch.mask.copy_from_slice(ciphertext.get_mask().as_ref());
    ring.multiply(&key, &mut scratch);
    let body = ciphertext.get_body();
    for ((body, product), message) in body.as_ref().iter().zip(scratch.product.iter()).zip(&message) {
        let error = body.wrapping_sub(*product).wrapping_sub(*message).cast_signed();
        assert!(error.unsigned_abs() <= GLWE64_N4096.noise_bound(), "error {error}");
    }
}

#[test]
fn a_fresh_key_is_binary_and_balanced() {
    let key = Ring::new(N).new_key(SystemSource).unwrap();
    let ones: u64 = key.coefficients().iter().sum();
    // 4096 fair bits: mean 2048, standard deviation 32; nine of them, false alarms below 1e-18.
    assert!(ones.abs_diff(2048) < 9 * 32, "{ones} ones");
    assert_eq!(format!("{key:?}"), "BinaryKey(..)");
}
