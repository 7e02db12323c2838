//! Matrix products on flat slices: the one place of this crate where `unsafe` stands, a checked door to the `gemm` crate
//! (run-time choice of AVX2 and AVX-512, one thread). Every other product in the hot path goes through [`product`].
//!
//! Rows of the left matrix do not mix: a row of the result is the same bytes whatever stands in the others, for a fixed shape.

/// A matrix in a flat slice, as it lies or transposed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    /// Distance in memory of neighbours in a column, and of neighbours in a row.
    strides: [usize; 2],
}

impl<'a> Matrix<'a> {
    /// `[rows, columns]` row-major.
    pub(crate) fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(values.len(), rows * columns, "a matrix has as many numbers as its shape says");
        Self { values, rows, columns, strides: [columns, 1] }
    }

    /// The same numbers, seen with rows and columns exchanged.
    pub(crate) const fn transposed(self) -> Self {
        let [down, right] = self.strides;
        Self { values: self.values, rows: self.columns, columns: self.rows, strides: [right, down] }
    }
}

/// `out = left right`, or `out += left right` if `add`; `out` is row-major.
///
/// # Panics
/// If the shapes do not fit.
#[allow(unsafe_code, clippy::cast_possible_wrap)] // Strides are lengths of slices, below 2^63.
pub(crate) fn product(out: &mut [f32], add: bool, left: Matrix<'_>, right: Matrix<'_>) {
    assert_eq!(left.columns, right.rows, "inner lengths of a product");
    assert_eq!(out.len(), left.rows * right.columns, "the length of a product");
    let ([left_down, left_right], [right_down, right_right]) = (left.strides, right.strides);
    let width = right.columns;
    // SAFETY: `Matrix::new` holds each side's slice to rows times columns, transposing exchanges shape and strides alike, and
    // the lines above hold `out` to its shape, so every index `row * down + column * right` lies inside its slice. `out` is
    // borrowed mutably, so it overlaps neither side.
    unsafe {
        gemm::gemm(
            left.rows,
            width,
            left.columns,
            out.as_mut_ptr(),
            1,
            width as isize,
            add,
            left.values.as_ptr(),
            left_right as isize,
            left_down as isize,
            right.values.as_ptr(),
            right_right as isize,
            right_down as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// The inner product in eight lanes, so that it needs no reassociation to use wide registers.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a8.remainder().iter().zip(b8.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a8.zip(b8) {
        for lane in 0..8 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum::<f32>() + rest
}

/// `out += scale * row`.
pub(crate) fn add_scaled(out: &mut [f32], scale: f32, row: &[f32]) {
    out.iter_mut().zip(row).for_each(|(out, value)| *out += scale * value);
}

/// Loops that are worth the widest registers there are. Their `run` is `#[inline(always)]`, so that it is compiled anew for each
/// instruction set.
pub(crate) trait Wide {
    fn run(self);
}

/// Runs `work` as compiled for AVX-512, for AVX2 or for any processor of its kind, whichever this one has. The operations are the
/// same in all of them and none is contracted, so the bytes are too.
#[allow(unsafe_code)]
pub(crate) fn widest<W: Wide>(work: W) {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
            // SAFETY: the processor has what the function is compiled for.
            return unsafe { with_avx512(work) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: as above.
            return unsafe { with_avx2(work) };
        }
    }
    work.run();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq")]
fn with_avx512<W: Wide>(work: W) {
    work.run();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2<W: Wide>(work: W) {
    work.run();
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::{Draw, Seed};

    fn numbers(count: usize, seed: u64) -> Vec<f32> {
        let mut rng = Seed::root(seed).rng();
        (0..count).map(|_| rng.normal() as f32).collect()
    }

    /// The sum as the definition has it.
    fn slow(left: Matrix<'_>, right: Matrix<'_>) -> Vec<f32> {
        let at = |m: Matrix<'_>, row: usize, column: usize| {
            f64::from(m.values[row * m.strides[0] + column * m.strides[1]])
        };
        let cell =
            |row, column| (0..left.columns).map(|k| at(left, row, k) * at(right, k, column)).sum::<f64>();
        (0..left.rows)
            .flat_map(|row| (0..right.columns).map(move |c| (row, c)))
            .map(|(r, c)| cell(r, c) as f32)
            .collect()
    }

    #[test]
    fn products_of_every_orientation_are_the_definition() {
        for (m, k, n) in [(1, 1, 1), (3, 5, 2), (64, 88, 32), (7, 1, 9), (1, 40, 1), (50, 64, 128)] {
            let (a, b) = (numbers(m * k, 1), numbers(k * n, 2));
            let plain = (Matrix::new(&a, m, k), Matrix::new(&b, k, n));
            let turned = (Matrix::new(&a, k, m).transposed(), Matrix::new(&b, n, k).transposed());
            for (left, right) in [plain, turned, (plain.0, turned.1), (turned.0, plain.1)] {
                let start = numbers(m * n, 3);
                for add in [false, true] {
                    let mut out = start.clone();
                    product(&mut out, add, left, right);
                    for ((got, want), start) in out.iter().zip(slow(left, right)).zip(&start) {
                        let want = want + if add { *start } else { 0.0 };
                        assert!((got - want).abs() < 1e-4 * (1.0 + want.abs()), "{m} {k} {n}: {got} {want}");
                    }
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "inner lengths")]
    fn shapes_that_do_not_fit_are_refused() {
        product(&mut [0.0; 4], false, Matrix::new(&[0.0; 4], 2, 2), Matrix::new(&[0.0; 6], 3, 2));
    }

    #[test]
    fn an_inner_product_of_any_length_is_the_sum() {
        for length in [0, 1, 7, 8, 9, 88, 100] {
            let (a, b) = (numbers(length, 4), numbers(length, 5));
            let want: f64 = a.iter().zip(&b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            assert!((f64::from(dot(&a, &b)) - want).abs() < 1e-4, "{length}");
        }
    }
}
