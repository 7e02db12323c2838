//! [`Lanes`] in the registers of x86-64: 16 numbers under AVX-512, 8 under AVX2 with FMA.
#![allow(clippy::needless_range_loop)] // An index is a register and a place in memory at once.

use super::lanes::Lanes;
use std::arch::x86_64::{
    __m256, __m256i, __m512, _CMP_GT_OQ, _mm256_add_ps, _mm256_and_ps, _mm256_cmp_ps, _mm256_cmpgt_epi32,
    _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_maskload_ps, _mm256_maskstore_ps, _mm256_mul_ps,
    _mm256_permute2f128_ps, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setr_epi32, _mm256_setzero_ps,
    _mm256_shuffle_ps, _mm256_storeu_ps, _mm256_sub_ps, _mm256_unpackhi_ps, _mm256_unpacklo_ps,
    _mm512_add_ps, _mm512_cmp_ps_mask, _mm512_fmadd_ps, _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps,
    _mm512_maskz_mov_ps, _mm512_mul_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_sub_ps,
};

// SAFETY of every block below: as the callers of `Lanes` promise.

impl Lanes for __m512 {
    const COUNT: usize = 16;
    const ROWS: usize = 10;
    type Mask = u16;
    #[inline(always)]
    unsafe fn first(count: usize) -> u16 {
        if count >= 16 { u16::MAX } else { (1 << count) - 1 }
    }
    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        unsafe { _mm512_set1_ps(value) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32, mask: u16) -> Self {
        unsafe { _mm512_maskz_loadu_ps(mask, from) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, mask: u16) {
        unsafe { _mm512_mask_storeu_ps(to, mask, self) }
    }
    #[inline(always)]
    unsafe fn times_plus(self, by: Self, to: Self) -> Self {
        unsafe { _mm512_fmadd_ps(self, by, to) }
    }
    #[inline(always)]
    unsafe fn plus(self, other: Self) -> Self {
        unsafe { _mm512_add_ps(self, other) }
    }
    #[inline(always)]
    unsafe fn minus(self, other: Self) -> Self {
        unsafe { _mm512_sub_ps(self, other) }
    }
    #[inline(always)]
    unsafe fn times(self, other: Self) -> Self {
        unsafe { _mm512_mul_ps(self, other) }
    }
    #[inline(always)]
    unsafe fn where_positive(self, of: Self) -> Self {
        unsafe { _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(of, _mm512_setzero_ps()), self) }
    }
    #[inline(always)]
    unsafe fn transpose8(from: *const f32, from_step: usize, to: *mut f32, to_step: usize) {
        unsafe { transpose8(from, from_step, to, to_step) }
    }
}

impl Lanes for __m256 {
    const COUNT: usize = 8;
    const ROWS: usize = 6;
    type Mask = __m256i;
    #[inline(always)]
    unsafe fn first(count: usize) -> __m256i {
        unsafe {
            let lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            _mm256_cmpgt_epi32(_mm256_set1_epi32(count.min(8) as i32), lane)
        }
    }
    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        unsafe { _mm256_set1_ps(value) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32, mask: __m256i) -> Self {
        unsafe { _mm256_maskload_ps(from, mask) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, mask: __m256i) {
        unsafe { _mm256_maskstore_ps(to, mask, self) }
    }
    #[inline(always)]
    unsafe fn times_plus(self, by: Self, to: Self) -> Self {
        unsafe { _mm256_fmadd_ps(self, by, to) }
    }
    #[inline(always)]
    unsafe fn plus(self, other: Self) -> Self {
        unsafe { _mm256_add_ps(self, other) }
    }
    #[inline(always)]
    unsafe fn minus(self, other: Self) -> Self {
        unsafe { _mm256_sub_ps(self, other) }
    }
    #[inline(always)]
    unsafe fn times(self, other: Self) -> Self {
        unsafe { _mm256_mul_ps(self, other) }
    }
    #[inline(always)]
    unsafe fn where_positive(self, of: Self) -> Self {
        unsafe { _mm256_and_ps(self, _mm256_cmp_ps::<_CMP_GT_OQ>(of, _mm256_setzero_ps())) }
    }
    #[inline(always)]
    unsafe fn transpose8(from: *const f32, from_step: usize, to: *mut f32, to_step: usize) {
        unsafe { transpose8(from, from_step, to, to_step) }
    }
}

/// Pairs, then quadruples, then halves of registers change places.
///
/// # Safety
/// As [`Lanes::transpose8`].
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn transpose8(from: *const f32, from_step: usize, to: *mut f32, to_step: usize) {
    let mut fours = [[_mm256_setzero_ps(); 4]; 2];
    for half in 0..2 {
        let mut row = [_mm256_setzero_ps(); 4];
        for i in 0..4 {
            row[i] = unsafe { _mm256_loadu_ps(from.add((4 * half + i) * from_step)) };
        }
        let (a, b) = (_mm256_unpacklo_ps(row[0], row[1]), _mm256_unpackhi_ps(row[0], row[1]));
        let (c, d) = (_mm256_unpacklo_ps(row[2], row[3]), _mm256_unpackhi_ps(row[2], row[3]));
        fours[half] = [
            _mm256_shuffle_ps::<0x44>(a, c),
            _mm256_shuffle_ps::<0xEE>(a, c),
            _mm256_shuffle_ps::<0x44>(b, d),
            _mm256_shuffle_ps::<0xEE>(b, d),
        ];
    }
    for j in 0..4 {
        let (low, high) = (fours[0][j], fours[1][j]);
        unsafe {
            _mm256_storeu_ps(to.add(j * to_step), _mm256_permute2f128_ps::<0x20>(low, high));
            _mm256_storeu_ps(to.add((j + 4) * to_step), _mm256_permute2f128_ps::<0x31>(low, high));
        }
    }
}
