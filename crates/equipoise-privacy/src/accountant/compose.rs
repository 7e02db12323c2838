//! Sums of independent privacy losses, on a circle of lattice points, by one complex transform for both directions.

use super::fourier::{Complex, transform, transform_back};
use super::lattice::{Lattice, Pair, index, offset};

impl Pair {
    /// The sum of independent losses: each of `parts`, so many times. All have one spacing. Direction `d` is held on `points`
    /// points from `lows[d]` up; what falls outside comes in again at the other end, so the caller makes the window wide. All parts
    /// have one tilt as well.
    pub(super) fn sum_of(parts: &[(&Self, u64)], points: usize, lows: [f64; 2]) -> Self {
        let spacing = parts[0].0.spacing;
        let mut product: Option<Vec<Complex>> = None;
        let (mut shifts, mut scales) = ([0.0; 2], [0.0; 2]);
        for &(pair, times) in parts.iter().filter(|(_, times)| *times > 0) {
            for (d, lattice) in pair.directions.iter().enumerate() {
                #[allow(clippy::cast_precision_loss, reason = "steps are far below 2^52")]
                let times = times as f64;
                shifts[d] += times * lattice.shift;
                scales[d] += times * lattice.scale;
            }
            let spectrum = transform(pair.folded(points));
            product = Some(raise(spectrum, times, product));
        }
        let packed = transform_back(product.expect("something is composed"));
        let length = i64::try_from(points).expect("a lattice fits in memory");
        let unfold = |d: usize| {
            let first = index(libm::ceil((lows[d] - shifts[d]) / spacing));
            let start = offset(first.rem_euclid(length));
            let part = |value: &Complex| if d == 0 { value.re } else { value.im };
            let masses = packed[start..].iter().chain(&packed[..start]).map(part).collect();
            Lattice { first, shift: shifts[d], masses, tilt: parts[0].0.directions[d].tilt, scale: scales[d] }
        };
        Self { spacing, directions: [unfold(0), unfold(1)] }
    }

    /// Both directions on a circle of `points` points, as one complex vector.
    fn folded(&self, points: usize) -> Vec<Complex> {
        let mut circle = vec![Complex::default(); points];
        let length = i64::try_from(points).expect("a lattice fits in memory");
        for (d, lattice) in self.directions.iter().enumerate() {
            let mut at = offset(lattice.first.rem_euclid(length));
            for mass in &lattice.masses {
                let slot = if d == 0 { &mut circle[at].re } else { &mut circle[at].im };
                *slot += mass;
                at = if at + 1 == points { 0 } else { at + 1 };
            }
        }
        circle
    }
}

/// Raises each direction's spectrum to a power and multiplies it into `product`.
fn raise(mut packed: Vec<Complex>, times: u64, product: Option<Vec<Complex>>) -> Vec<Complex> {
    let n = packed.len();
    for k in 0..=n / 2 {
        let mirror = (n - k) % n;
        let (z, m) = (packed[k], packed[mirror].conj());
        // Twice the spectrum of the real part, and 2i times that of the imaginary part.
        let (removed, added) = (z.plus(m), z.minus(m).turned_back());
        let halved = |c: Complex| Complex::new(0.5 * c.re, 0.5 * c.im).power(times);
        let (removed, added) = (halved(removed), halved(added));
        let join = |r: Complex, a: Complex| Complex::new(r.re - a.im, r.im + a.re);
        packed[k] = join(removed, added);
        packed[mirror] = join(removed.conj(), added.conj());
    }
    let Some(other) = product else { return packed };
    // Products of packed spectra do not pack: split both, multiply, and join again.
    let mut joined = vec![Complex::default(); n];
    for k in 0..n {
        let mirror = (n - k) % n;
        let split = |v: &[Complex]| {
            let (z, m) = (v[k], v[mirror].conj());
            let (r, a) = (z.plus(m), z.minus(m).turned_back());
            (Complex::new(0.5 * r.re, 0.5 * r.im), Complex::new(0.5 * a.re, 0.5 * a.im))
        };
        let ((r1, a1), (r2, a2)) = (split(&packed), split(&other));
        let (r, a) = (r1.times(r2), a1.times(a2));
        joined[k] = Complex::new(r.re - a.im, r.im + a.re);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coin(spacing: f64) -> Pair {
        let lattice = |first| Lattice {
            first,
            shift: 0.25 * spacing,
            masses: vec![0.75, 0.0, 0.25],
            tilt: 0.0,
            scale: 0.0,
        };
        Pair { spacing, directions: [lattice(-1), lattice(2)] }
    }

    #[test]
    fn three_coins_are_binomial_in_both_directions() {
        let sum = Pair::sum_of(&[(&coin(0.1), 2), (&coin(0.1), 1)], 16, [-0.45, 0.4]);
        for (lattice, start) in sum.directions.iter().zip([-3, 6]) {
            assert!((lattice.shift - 0.075).abs() < 1e-15);
            for (k, want) in [27.0, 27.0, 9.0, 1.0].into_iter().enumerate() {
                let at = offset(start + 2 * i64::try_from(k).unwrap() - lattice.first);
                assert!((lattice.masses[at] - want / 64.0).abs() < 1e-15, "{lattice:?}");
            }
            assert!((lattice.masses.iter().sum::<f64>() - 1.0).abs() < 1e-15);
        }
    }
}
