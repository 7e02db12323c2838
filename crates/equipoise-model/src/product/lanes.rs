//! Vector registers under one name: AVX-512, AVX2 with FMA, and plain arrays. The methods are thin names for instructions; what each
//! computes is the same number to the bit under all three.

/// A register of `f32`.
///
/// # Safety
/// Every method: the instructions of the register exist on this machine, and the caller is compiled with them switched on (the
/// methods are inlined into it). Loads and stores: each place that takes part lies inside one allocation.
pub(super) trait Lanes: Copy {
    /// Numbers in one register.
    const COUNT: usize;
    /// Rows of a strip, so that twice as many sums, two registers of the right side and one factor fit into the register file.
    const ROWS: usize;
    /// Which lanes take part in a load or store.
    type Mask: Copy;

    /// The first `count` lanes; all of them from [`Lanes::COUNT`] on.
    unsafe fn first(count: usize) -> Self::Mask;
    /// One number in every lane.
    unsafe fn splat(value: f32) -> Self;
    /// Zero in lanes that take no part; memory under them is not touched.
    unsafe fn load(from: *const f32, mask: Self::Mask) -> Self;
    /// Memory under lanes that take no part is not touched.
    unsafe fn store(self, to: *mut f32, mask: Self::Mask);
    /// `self * by + to`, rounded once.
    unsafe fn times_plus(self, by: Self, to: Self) -> Self;
    /// `self + other`.
    unsafe fn plus(self, other: Self) -> Self;
    /// `self - other`.
    unsafe fn minus(self, other: Self) -> Self;
    /// `self * other`.
    unsafe fn times(self, other: Self) -> Self;
    /// `self` where `of` is above zero, else zero; a NaN is not above zero.
    unsafe fn where_positive(self, of: Self) -> Self;

    /// Turns a block of 8 x 8: number `j` of row `from + i * from_step` goes to `to + j * to_step + i`.
    #[inline(always)]
    unsafe fn transpose8(from: *const f32, from_step: usize, to: *mut f32, to_step: usize) {
        for i in 0..8 {
            for j in 0..8 {
                // SAFETY: as the caller promises.
                unsafe { *to.add(j * to_step + i) = *from.add(i * from_step + j) };
            }
        }
    }
}

// SAFETY of every block below: as the callers promise.
impl Lanes for [f32; 8] {
    const COUNT: usize = 8;
    const ROWS: usize = 4;
    type Mask = usize;
    #[inline(always)]
    unsafe fn first(count: usize) -> usize {
        count.min(8)
    }
    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        [value; 8]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32, mask: usize) -> Self {
        let mut out = [0.0; 8];
        for (lane, out) in out.iter_mut().enumerate().take(mask) {
            *out = unsafe { *from.add(lane) };
        }
        out
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, mask: usize) {
        for (lane, value) in self.into_iter().enumerate().take(mask) {
            unsafe { *to.add(lane) = value };
        }
    }
    #[inline(always)]
    unsafe fn times_plus(self, by: Self, to: Self) -> Self {
        std::array::from_fn(|lane| self[lane].mul_add(by[lane], to[lane]))
    }
    #[inline(always)]
    unsafe fn plus(self, other: Self) -> Self {
        std::array::from_fn(|lane| self[lane] + other[lane])
    }
    #[inline(always)]
    unsafe fn minus(self, other: Self) -> Self {
        std::array::from_fn(|lane| self[lane] - other[lane])
    }
    #[inline(always)]
    unsafe fn times(self, other: Self) -> Self {
        std::array::from_fn(|lane| self[lane] * other[lane])
    }
    #[inline(always)]
    unsafe fn where_positive(self, of: Self) -> Self {
        std::array::from_fn(|lane| if of[lane] > 0.0 { self[lane] } else { 0.0 })
    }
}
