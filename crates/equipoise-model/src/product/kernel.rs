//! The product itself, over registers: the right side in tiles two registers wide, the left one in strips of a few rows, so that all
//! sums of a tile stay in registers while the depth runs. Small matrices that lie in a cache are the case it is made for (a layer of
//! a network times a batch); the sums of very large ones are read from farther away than a blocked product would.
//!
//! Each number of the result is one chain of fused multiply-adds in the order of the depth, whatever the register, the tile or the
//! number of rows: the same bytes on every machine that rounds as IEEE 754 says.
#![allow(clippy::needless_range_loop)] // An index is a register and a place in memory at once.

use super::lanes::Lanes;
use super::{Finish, Start};
use std::mem::MaybeUninit;

/// Depth of a block of the right side that is laid out anew because it lies turned: with a tile of 32 numbers, 32 KiB of stack.
pub(super) const BLOCK: usize = 256;
/// The widest tile: two of the widest registers.
const WIDEST: usize = 32;

/// A product whose shapes have been checked.
pub(super) struct Task<'a> {
    /// Rows of `left` and `out`; numbers that are summed; columns of `right` and `out`.
    pub(super) shape: [usize; 3],
    /// Row-major.
    pub(super) out: &'a mut [f32],
    pub(super) left: &'a [f32],
    /// Distance of neighbours in a column, and of neighbours in a row.
    pub(super) left_strides: [usize; 2],
    pub(super) right: &'a [f32],
    pub(super) right_strides: [usize; 2],
    pub(super) start: Start<'a>,
    pub(super) finish: Finish<'a>,
}

/// With AVX-512.
///
/// # Safety
/// As [`multiply`], on a machine that has it.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn multiply_avx512(task: &mut Task<'_>) {
    // SAFETY: as the caller promises.
    unsafe { multiply::<std::arch::x86_64::__m512>(task) }
}

/// With AVX2.
///
/// # Safety
/// As [`multiply`], on a machine that has it and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn multiply_avx2(task: &mut Task<'_>) {
    // SAFETY: as the caller promises.
    unsafe { multiply::<std::arch::x86_64::__m256>(task) }
}

/// With what every machine has: right anywhere, fast where `f32::mul_add` is an instruction of the target.
///
/// # Safety
/// As [`multiply`].
pub(super) unsafe fn multiply_portable(task: &mut Task<'_>) {
    // SAFETY: as the caller promises.
    unsafe { multiply::<[f32; 8]>(task) }
}

/// One tile by one strip, as pointers to their first numbers.
struct Strip<'a> {
    left: *const f32,
    left_strides: [usize; 2],
    right: *const f32,
    right_step: usize,
    depth: usize,
    out: *mut f32,
    /// Columns of the whole result, of this tile, and before it.
    width: usize,
    columns: usize,
    before: usize,
    /// Place of the first number in the whole result.
    place: usize,
    start: Start<'a>,
    finish: Finish<'a>,
}

/// Runs the whole product.
///
/// # Safety
/// With `[rows, depth, width]` the shape: `out` holds `rows * width` numbers; each `r * strides[0] + c * strides[1]` lies inside its
/// side for every row `r` and column `c` of it; a row that sums start from holds `width` numbers and the numbers that a finish
/// looks at are as many as those of `out`. The registers of `L` exist here.
#[inline(always)]
unsafe fn multiply<L: Lanes>(task: &mut Task<'_>) {
    let [rows, depth, width] = task.shape;
    let (tile, [down, right]) = (2 * L::COUNT, task.right_strides);
    let turned = right != 1;
    let block = if turned { BLOCK } else { depth.max(1) };
    let mut room = MaybeUninit::<[f32; BLOCK * WIDEST]>::uninit();
    let room = room.as_mut_ptr().cast::<f32>();
    for before in (0..width).step_by(tile) {
        let columns = tile.min(width - before);
        // At least one block, so that an empty depth gives what a sum starts from.
        for from in (0..depth.max(1)).step_by(block) {
            let last = from + block >= depth;
            let depth = block.min(depth - from);
            // SAFETY: first numbers of a tile and of a strip lie inside their sides, which is what the caller promises; the room
            // holds `BLOCK` rows of a tile, and is written by `pack` before it is read.
            unsafe {
                let side = task.right.as_ptr().add(from * down + before * right);
                if turned {
                    pack::<L>(side, task.right_strides, [depth, columns], room, tile);
                }
                let strips = rows.div_ceil(L::ROWS);
                let mut row = 0;
                for strip in 0..strips {
                    let height = (rows - row).div_ceil(strips - strip);
                    let left = row * task.left_strides[0] + from * task.left_strides[1];
                    let strip = Strip {
                        left: task.left.as_ptr().add(left),
                        left_strides: task.left_strides,
                        right: if turned { room } else { side },
                        right_step: if turned { tile } else { down },
                        depth,
                        out: task.out.as_mut_ptr().add(row * width + before),
                        width,
                        columns,
                        before,
                        place: row * width + before,
                        start: if from > 0 { Start::Out } else { task.start },
                        finish: if last { task.finish } else { Finish::Keep },
                    };
                    strip.run::<L>(height);
                    row += height;
                }
            }
        }
    }
}

/// Lays `[depth, columns]` of a turned side out in rows of `tile` numbers.
///
/// # Safety
/// The side holds them at `strides` from `from`, and `room` has `depth` rows.
#[inline(always)]
unsafe fn pack<L: Lanes>(
    from: *const f32,
    [down, right]: [usize; 2],
    [depth, columns]: [usize; 2],
    room: *mut f32,
    tile: usize,
) {
    let eights = |count: usize| if down == 1 { count - count % 8 } else { 0 };
    let (deep, wide) = (eights(depth), eights(columns));
    // SAFETY: as the caller promises.
    unsafe {
        for c in (0..wide).step_by(8) {
            for k in (0..deep).step_by(8) {
                L::transpose8(from.add(k + c * right), right, room.add(k * tile + c), tile);
            }
        }
        for k in 0..depth {
            for c in if k < deep { wide } else { 0 }..columns {
                *room.add(k * tile + c) = *from.add(k * down + c * right);
            }
        }
    }
}

impl Strip<'_> {
    /// # Safety
    /// As [`multiply`]; `rows` is at most [`Lanes::ROWS`], which is at most 10.
    #[inline(always)]
    unsafe fn run<L: Lanes>(&self, rows: usize) {
        macro_rules! choose {
            ($($rows:literal)*) => {
                match (rows, self.columns > L::COUNT) {
                    $(($rows, true) => self.of_height::<L, $rows, 2>(),
                    ($rows, false) => self.of_height::<L, $rows, 1>(),)*
                    _ => unreachable!("a strip has at most ten rows"),
                }
            };
        }
        // SAFETY: as the caller promises.
        unsafe { choose!(1 2 3 4 5 6 7 8 9 10) }
    }

    #[inline(always)]
    unsafe fn of_height<L: Lanes, const ROWS: usize, const REGISTERS: usize>(&self) {
        let [down, right] = self.left_strides;
        // SAFETY: as the caller promises.
        unsafe {
            // A distance that is known when this is compiled becomes part of the instruction.
            if down == 1 {
                self.sums::<L, ROWS, REGISTERS>(1, right);
            } else {
                self.sums::<L, ROWS, REGISTERS>(down, right);
            }
        }
    }

    #[inline(always)]
    unsafe fn sums<L: Lanes, const ROWS: usize, const REGISTERS: usize>(&self, down: usize, step: usize) {
        // SAFETY: as the caller promises; lanes beyond the tile's columns take no part.
        unsafe {
            let all = L::first(L::COUNT);
            let mut masks = [all; REGISTERS];
            masks[REGISTERS - 1] = L::first(self.columns - (REGISTERS - 1) * L::COUNT);
            let mut sums = [[L::splat(0.0); REGISTERS]; ROWS];
            match self.start {
                Start::Zero => {}
                Start::Row(row) => {
                    let row = row.as_ptr().add(self.before);
                    for v in 0..REGISTERS {
                        let value = L::load(row.add(v * L::COUNT), masks[v]);
                        for r in 0..ROWS {
                            sums[r][v] = value;
                        }
                    }
                }
                Start::Out => {
                    for r in 0..ROWS {
                        for v in 0..REGISTERS {
                            sums[r][v] = L::load(self.out.add(r * self.width + v * L::COUNT), masks[v]);
                        }
                    }
                }
            }
            let (mut left, mut right) = (self.left, self.right);
            for _ in 0..self.depth {
                let mut line = [L::splat(0.0); REGISTERS];
                for v in 0..REGISTERS {
                    line[v] = L::load(right.add(v * L::COUNT), masks[v]);
                }
                for r in 0..ROWS {
                    let factor = L::splat(*left.add(r * down));
                    for v in 0..REGISTERS {
                        sums[r][v] = factor.times_plus(line[v], sums[r][v]);
                    }
                }
                // The step past the last number is never read from.
                left = left.wrapping_add(step);
                right = right.wrapping_add(self.right_step);
            }
            for r in 0..ROWS {
                for v in 0..REGISTERS {
                    let place = r * self.width + v * L::COUNT;
                    self.finished(sums[r][v], place, masks[v]).store(self.out.add(place), masks[v]);
                }
            }
        }
    }

    /// What is written for `sum` at `place` after this strip's first number.
    #[inline(always)]
    unsafe fn finished<L: Lanes>(&self, sum: L, place: usize, mask: L::Mask) -> L {
        // SAFETY: as the caller promises.
        unsafe {
            match self.finish {
                Finish::Keep => sum,
                Finish::Relu => sum.where_positive(sum),
                Finish::WherePositive(of) => {
                    sum.where_positive(L::load(of.as_ptr().add(self.place + place), mask))
                }
                Finish::Descend { rate, decay } => {
                    let weight = L::load(self.out.add(place), mask);
                    let slope = sum.plus(L::splat(decay).times(weight));
                    weight.minus(L::splat(rate).times(slope))
                }
            }
        }
    }
}
