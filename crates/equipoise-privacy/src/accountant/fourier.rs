//! A fast Fourier transform of our own (Stockham, radix 4), for lengths that are powers of two.
//!
//! Sixty lines instead of a crate, because the crates that do it switch features of `num-traits` on, under which every heavy
//! crate of the workspace would build again. Roots of unity come from two small tables made with `libm`: the same bytes on
//! every machine. Not promised: the speed of a vectorised library (about two to three times slower).

/// A complex number.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Complex {
    pub(super) re: f64,
    pub(super) im: f64,
}

impl Complex {
    pub(super) const fn new(re: f64, im: f64) -> Self {
        Self { re, im }
    }
    pub(super) fn conj(self) -> Self {
        Self::new(self.re, -self.im)
    }
    pub(super) fn plus(self, other: Self) -> Self {
        Self::new(self.re + other.re, self.im + other.im)
    }
    pub(super) fn minus(self, other: Self) -> Self {
        Self::new(self.re - other.re, self.im - other.im)
    }
    pub(super) fn times(self, other: Self) -> Self {
        Self::new(self.re * other.re - self.im * other.im, self.re * other.im + self.im * other.re)
    }
    /// Times `-i`.
    pub(super) fn turned_back(self) -> Self {
        Self::new(self.im, -self.re)
    }
    pub(super) fn square_size(self) -> f64 {
        self.re * self.re + self.im * self.im
    }

    /// The whole power; 0 where it would be below 1e-25.
    pub(super) fn power(self, mut exponent: u64) -> Self {
        #[allow(clippy::cast_precision_loss, reason = "steps are far below 2^52")]
        if libm::log(self.square_size()) * (exponent as f64) < -115.0 {
            return Self::default();
        }
        let (mut result, mut square) = (Self::new(1.0, 0.0), self);
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = result.times(square);
            }
            square = square.times(square);
            exponent >>= 1;
        }
        result
    }
}

/// `e^(-2 pi i k / n)` from a coarse root and a fine one less 1, so that the product rounds only once: errors of a root are
/// raised to the number of steps.
struct Roots {
    coarse: Vec<Complex>,
    fine_less_one: Vec<Complex>,
    bits: u32,
}

impl Roots {
    fn new(n: usize) -> Self {
        let bits = n.trailing_zeros() / 2;
        #[allow(clippy::cast_precision_loss, reason = "transforms are far shorter than 2^52")]
        let angle = |k: usize| std::f64::consts::TAU * (k as f64 / n as f64);
        let root = |k: usize| {
            let (sine, cosine) = libm::sincos(angle(k));
            Complex::new(cosine, -sine)
        };
        let less_one = |k: usize| {
            let half = libm::sin(0.5 * angle(k));
            Complex::new(-2.0 * half * half, -libm::sin(angle(k)))
        };
        let fine_less_one = (0..1_usize << bits).map(less_one).collect();
        let coarse = (0..(n >> bits).max(1)).map(|k| root(k << bits)).collect();
        Self { coarse, fine_less_one, bits }
    }

    fn get(&self, k: usize) -> Complex {
        let coarse = self.coarse[k >> self.bits];
        coarse.plus(coarse.times(self.fine_less_one[k & ((1 << self.bits) - 1)]))
    }
}

/// Transforms `data` forwards, without scaling.
///
/// # Panics
/// If the length is not a power of two.
pub(super) fn transform(data: Vec<Complex>) -> Vec<Complex> {
    let n = data.len();
    assert!(n.is_power_of_two(), "a transform's length is a power of two");
    let roots = Roots::new(n);
    let (mut from, mut to) = (data, vec![Complex::default(); n]);
    let (mut length, mut stride) = (n, 1);
    while length > 1 {
        if length.is_multiple_of(4) {
            fours(&from, &mut to, length, stride, n, &roots);
            (length, stride) = (length / 4, stride * 4);
        } else {
            let half = n / 2;
            for i in 0..half {
                (to[i], to[half + i]) = (from[i].plus(from[half + i]), from[i].minus(from[half + i]));
            }
            (length, stride) = (length / 2, stride * 2);
        }
        std::mem::swap(&mut from, &mut to);
    }
    from
}

/// One pass of radix 4: `length` points each, `stride` transforms side by side.
fn fours(from: &[Complex], to: &mut [Complex], length: usize, stride: usize, n: usize, roots: &Roots) {
    let (quarter, block) = (n / 4, length / 4);
    let (a, rest) = from.split_at(quarter);
    let (b, rest) = rest.split_at(quarter);
    let (c, d) = rest.split_at(quarter);
    for p in 0..block {
        let [w1, w2, w3] = [1, 2, 3].map(|times| roots.get(times * p * stride));
        let at = p * stride..(p + 1) * stride;
        let inputs = a[at.clone()].iter().zip(&b[at.clone()]).zip(c[at.clone()].iter().zip(&d[at]));
        let out = &mut to[4 * p * stride..4 * (p + 1) * stride];
        let (o0, out) = out.split_at_mut(stride);
        let (o1, out) = out.split_at_mut(stride);
        let (o2, o3) = out.split_at_mut(stride);
        let outputs = o0.iter_mut().zip(o1).zip(o2.iter_mut().zip(o3));
        for (((a, b), (c, d)), ((o0, o1), (o2, o3))) in inputs.zip(outputs) {
            let (ac, ac_minus) = (a.plus(*c), a.minus(*c));
            let (bd, bd_turned) = (b.plus(*d), b.minus(*d).turned_back());
            *o0 = ac.plus(bd);
            *o1 = ac_minus.plus(bd_turned).times(w1);
            *o2 = ac.minus(bd).times(w2);
            *o3 = ac_minus.minus(bd_turned).times(w3);
        }
    }
}

/// Transforms back, scaled by `1 / n`, so that it undoes [`transform`].
#[allow(clippy::cast_precision_loss, reason = "transforms are far shorter than 2^52")]
pub(super) fn transform_back(mut data: Vec<Complex>) -> Vec<Complex> {
    let scale = 1.0 / data.len() as f64;
    data.iter_mut().for_each(|value| *value = Complex::new(value.re * scale, -value.im * scale));
    let mut back = transform(data);
    back.iter_mut().for_each(|value| *value = value.conj());
    back
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(n: usize) -> Vec<Complex> {
        (0..n).map(|i| Complex::new((i as f64 * 0.7).sin(), (i as f64 * 1.3 + 0.2).cos())).collect()
    }

    fn slow(data: &[Complex]) -> Vec<Complex> {
        let n = data.len();
        let root = |k: usize| {
            let angle = -std::f64::consts::TAU * (k % n) as f64 / n as f64;
            Complex::new(angle.cos(), angle.sin())
        };
        let at = |k: usize| {
            data.iter()
                .enumerate()
                .fold(Complex::default(), |sum, (j, value)| sum.plus(value.times(root(j * k))))
        };
        (0..n).map(at).collect()
    }

    fn apart(a: &[Complex], b: &[Complex]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a.minus(*b).square_size().sqrt()).fold(0.0, f64::max)
    }

    #[test]
    fn it_agrees_with_the_sum_on_paper_at_every_length() {
        for bits in 0..9 {
            let data = noise(1 << bits);
            assert!(apart(&transform(data.clone()), &slow(&data)) < 1e-11, "{bits}");
        }
    }

    #[test]
    fn back_undoes_it() {
        let data = noise(1 << 15);
        assert!(apart(&transform_back(transform(data.clone())), &data) < 1e-13);
    }

    #[test]
    fn a_power_is_repeated_multiplication() {
        let z = Complex::new(0.9, 0.3);
        let by_hand = (0..13).fold(Complex::new(1.0, 0.0), |p, _| p.times(z));
        assert!(z.power(13).minus(by_hand).square_size() < 1e-30);
        assert!(
            z.power(0) == Complex::new(1.0, 0.0) && Complex::new(0.1, 0.0).power(1000) == Complex::default()
        );
    }
}
