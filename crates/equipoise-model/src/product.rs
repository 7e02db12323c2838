//! Matrix products on flat slices: the one place of this crate where `unsafe` stands (here and in the files below), behind a door that
//! checks every length. AVX-512, AVX2 with FMA, or plain Rust are chosen at run time; one thread, nothing allocated.
//!
//! Each number of a result is one chain of fused multiply-adds in the order of the depth: the same bytes whatever the instructions, the
//! machine, or the numbers in other rows and columns. What a layer does before and after its product ([`Start`], [`Finish`]) is done
//! while the sums are in registers, as separate passes over the same numbers would do it, to the bit.
//!
//! The `gemm` crate on which burn's own backend stands would do as well where its `x86-v4` feature is on; switched on, it builds burn
//! anew for longer, and its sums differ between instruction sets.
#![allow(unsafe_code)]

mod kernel;
mod lanes;
#[cfg(target_arch = "x86_64")]
mod x86;

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

    /// A single row of ones: its product with a matrix is the sum of that matrix's rows.
    pub(crate) const fn ones(columns: usize) -> Self {
        Self { values: &[1.0], rows: 1, columns, strides: [0, 0] }
    }

    /// The same numbers, seen with rows and columns exchanged.
    pub(crate) const fn transposed(self) -> Self {
        let [down, right] = self.strides;
        Self { values: self.values, rows: self.columns, columns: self.rows, strides: [right, down] }
    }
}

/// What a sum starts from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start<'a> {
    /// Nothing.
    Zero,
    /// The number of its column in this row: a bias.
    Row(&'a [f32]),
    /// What stands in the result's place.
    Out,
}

/// What is written for a sum.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Finish<'a> {
    /// The sum.
    Keep,
    /// The sum where it is above zero, else zero.
    Relu,
    /// The sum where the number at its place is above zero, else zero: the way back through a ReLU.
    WherePositive(&'a [f32]),
    /// `w - rate (sum + decay w)`, where `w` stands in the result's place: a step of gradient descent.
    Descend { rate: f32, decay: f32 },
}

/// `out = left right`, or `out += left right` if `add`; `out` is row-major.
///
/// # Panics
/// If the shapes do not fit.
pub(crate) fn product(out: &mut [f32], add: bool, left: Matrix<'_>, right: Matrix<'_>) {
    let start = if add { Start::Out } else { Start::Zero };
    product_with(out, start, left, right, Finish::Keep);
}

/// `out = finish(start + left right)`; `out` is row-major.
///
/// # Panics
/// If the shapes do not fit, or a descent's right side lies turned and is deeper than a block: sums would be kept in its weights' place.
pub(crate) fn product_with(
    out: &mut [f32],
    start: Start<'_>,
    left: Matrix<'_>,
    right: Matrix<'_>,
    finish: Finish<'_>,
) {
    Instructions::here().product(out, start, left, right, finish);
}

/// The instructions that products run on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Instructions {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

impl Instructions {
    /// The fastest that this machine has. Asked once, then remembered by the standard library.
    fn here() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx512f") {
                return Self::Avx512;
            }
            if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
                return Self::Avx2;
            }
        }
        Self::Portable
    }

    fn product(
        self,
        out: &mut [f32],
        start: Start<'_>,
        left: Matrix<'_>,
        right: Matrix<'_>,
        finish: Finish<'_>,
    ) {
        assert_eq!(left.columns, right.rows, "inner lengths of a product");
        assert_eq!(out.len(), left.rows * right.columns, "the length of a product");
        if let Start::Row(row) = start {
            assert_eq!(row.len(), right.columns, "the length of a row that sums start from");
        }
        if let Finish::WherePositive(of) = finish {
            assert_eq!(of.len(), out.len(), "the length of what a product is masked by");
        }
        assert!(
            !matches!(finish, Finish::Descend { .. }) || right.strides[1] == 1 || right.rows <= kernel::BLOCK,
            "a descent over a deep right side that lies turned would lose the weights that it steps from"
        );
        let mut task = kernel::Task {
            shape: [left.rows, left.columns, right.columns],
            out,
            left: left.values,
            left_strides: left.strides,
            right: right.values,
            right_strides: right.strides,
            start,
            finish,
        };
        // SAFETY: `Matrix::new` holds each side's slice to rows times columns, a row of ones has strides of zero, and transposing
        // exchanges shape and strides alike, so every index `row * down + column * right` lies inside its slice; the lines above
        // hold `out`, the row and the mask to the shape. `out` is borrowed mutably, so it overlaps none of the others. `here`
        // gives instructions that this machine has, and so do the tests.
        unsafe {
            match self {
                #[cfg(target_arch = "x86_64")]
                Self::Avx512 => kernel::multiply_avx512(&mut task),
                #[cfg(target_arch = "x86_64")]
                Self::Avx2 => kernel::multiply_avx2(&mut task),
                Self::Portable => kernel::multiply_portable(&mut task),
            }
        }
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
        // Deeper than a block of the turned side, and wider than a tile.
        let deep = [(3, 300, 35), (11, 600, 5)];
        let flat = [(1, 1, 1), (3, 5, 2), (64, 88, 32), (7, 1, 9), (1, 40, 1), (50, 64, 128)];
        for (m, k, n) in flat.into_iter().chain(deep) {
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
                        assert!((got - want).abs() < 2e-4 * (1.0 + want.abs()), "{m} {k} {n}: {got} {want}");
                    }
                }
            }
        }
    }

    fn all() -> Vec<Instructions> {
        let mut all = vec![Instructions::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            // Whatever has AVX-512 has AVX2 and FMA.
            let here = Instructions::here();
            all.extend((here != Instructions::Portable).then_some(Instructions::Avx2));
            all.extend((here == Instructions::Avx512).then_some(here));
        }
        all
    }

    /// Every start and finish at every shape around the edges of tiles, strips and blocks, between guards on both sides.
    #[test]
    fn all_instructions_give_the_same_bytes_and_touch_nothing_else() {
        const GUARD: f32 = 7.25;
        let sides = [1, 2, 7, 8, 9, 16, 17, 33];
        for (m, n) in sides.iter().flat_map(|m| sides.iter().map(move |n| (*m, *n))) {
            for k in [0, 1, 5, 8, 31, 255, 257] {
                let (a, b) = (numbers(m * k, 1), numbers(k * n, 2));
                let (row, mask, first) = (numbers(n, 3), numbers(m * n, 4), numbers(m * n, 5));
                let left = [Matrix::new(&a, m, k), Matrix::new(&a, k, m).transposed()];
                let right = [Matrix::new(&b, k, n), Matrix::new(&b, n, k).transposed()];
                let starts = [Start::Zero, Start::Row(&row), Start::Out];
                let descend = Finish::Descend { rate: 0.1, decay: 0.01 };
                let finishes = [Finish::Keep, Finish::Relu, Finish::WherePositive(&mask), descend];
                for (at, finish) in finishes.into_iter().enumerate() {
                    let (left, right, start) = (left[at % 2], right[(at + k) % 2], starts[(at + n) % 3]);
                    let run = |instructions: Instructions| {
                        let mut out = vec![GUARD; m * n + 64];
                        out[32..32 + m * n].copy_from_slice(&first);
                        instructions.product(&mut out[32..32 + m * n], start, left, right, finish);
                        let (before, rest) = out.split_at(32);
                        let (inside, after) = rest.split_at(m * n);
                        assert!(before.iter().chain(after).all(|guard| guard.to_bits() == GUARD.to_bits()));
                        inside.iter().map(|value| value.to_bits()).collect::<Vec<u32>>()
                    };
                    let runs: Vec<_> = all().into_iter().map(run).collect();
                    assert!(runs.windows(2).all(|two| two[0] == two[1]), "{m} {k} {n} {start:?} {finish:?}");
                }
            }
        }
    }

    /// What stands around a product inside it is what separate passes over its result would give, to the bit.
    #[test]
    fn starts_and_finishes_are_separate_passes() {
        // Deeper than a block of the turned side, so that some sums are taken up again.
        let (m, k, n) = (13, 300, 37);
        let (a, b, row) = (numbers(m * k, 1), numbers(k * n, 2), numbers(n, 3));
        let (mask, first) = (numbers(m * n, 4), numbers(m * n, 5));
        let (left, right) = (Matrix::new(&a, m, k), Matrix::new(&b, n, k).transposed());
        let with = |start: Start<'_>, finish: Finish<'_>| {
            let mut out = first.clone();
            product_with(&mut out, start, left, right, finish);
            out
        };
        let plain = with(Start::Zero, Finish::Keep);
        let mut biased: Vec<f32> = row.iter().copied().cycle().take(m * n).collect();
        product(&mut biased, true, left, right);
        assert_eq!(with(Start::Row(&row), Finish::Keep), biased);
        let relu: Vec<f32> = biased.iter().map(|value| value.max(0.0)).collect();
        assert_eq!(with(Start::Row(&row), Finish::Relu), relu);
        let kept = plain.iter().zip(&mask).map(|(value, of)| if *of > 0.0 { *value } else { 0.0 });
        assert_eq!(with(Start::Zero, Finish::WherePositive(&mask)), kept.collect::<Vec<_>>());
        // A descent keeps its weights where others keep sums, so its right side must be one block.
        let right = Matrix::new(&b, k, n);
        let with = |start: Start<'_>, finish: Finish<'_>| {
            let mut out = first.clone();
            product_with(&mut out, start, left, right, finish);
            out
        };
        let plain = with(Start::Zero, Finish::Keep);
        let (rate, decay) = (0.3, 0.02);
        let down = first.iter().zip(&plain).map(|(weight, slope)| weight - rate * (slope + decay * weight));
        assert_eq!(with(Start::Zero, Finish::Descend { rate, decay }), down.collect::<Vec<_>>());
    }

    #[test]
    fn a_row_of_ones_sums_rows() {
        let values = numbers(5 * 20, 1);
        let mut out = vec![0.0; 20];
        product(&mut out, false, Matrix::ones(5), Matrix::new(&values, 5, 20));
        let sum = |column: usize| (0..5).fold(0.0, |sum, row| sum + values[row * 20 + column]);
        assert_eq!(out, (0..20).map(sum).collect::<Vec<_>>());
    }

    #[test]
    fn a_row_does_not_depend_on_the_others() {
        let (k, n) = (88, 32);
        let (a, b) = (numbers(64 * k, 1), numbers(k * n, 2));
        let of = |rows: std::ops::Range<usize>| {
            let mut out = vec![0.0; rows.len() * n];
            let left = Matrix::new(&a[rows.start * k..rows.end * k], rows.len(), k);
            product(&mut out, false, left, Matrix::new(&b, k, n));
            out
        };
        let whole = of(0..64);
        for rows in [0..1, 3..14, 40..64] {
            assert_eq!(of(rows.clone()), whole[rows.start * n..rows.end * n]);
        }
    }

    #[test]
    #[should_panic(expected = "would lose the weights")]
    fn a_descent_that_would_lose_its_weights_is_refused() {
        let values = [0.0; 257];
        let (left, right) = (Matrix::new(&values, 1, 257), Matrix::new(&values, 1, 257).transposed());
        let finish = Finish::Descend { rate: 0.1, decay: 0.0 };
        product_with(&mut [0.0], Start::Zero, left, right, finish);
    }

    #[test]
    #[should_panic(expected = "masked by")]
    fn a_mask_of_another_length_is_refused() {
        let (left, right) = (Matrix::new(&[0.0; 4], 2, 2), Matrix::new(&[0.0; 4], 2, 2));
        product_with(&mut [0.0; 4], Start::Zero, left, right, Finish::WherePositive(&[0.0; 3]));
    }

    #[test]
    #[should_panic(expected = "sums start from")]
    fn a_bias_of_another_length_is_refused() {
        let (left, right) = (Matrix::new(&[0.0; 4], 2, 2), Matrix::new(&[0.0; 4], 2, 2));
        product_with(&mut [0.0; 4], Start::Row(&[0.0; 3]), left, right, Finish::Keep);
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
