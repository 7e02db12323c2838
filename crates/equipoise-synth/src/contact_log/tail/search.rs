//! Maxima of smooth functions of one and two numbers, without derivatives.

/// Golden-section search for the maximum of a unimodal function between `low` and `high`.
pub(super) fn golden(f: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    const RATIO: f64 = 0.618_033_988_749_894_8;
    let (mut a, mut b) = (high - RATIO * (high - low), low + RATIO * (high - low));
    let (mut at_a, mut at_b) = (f(a), f(b));
    while high - low > 1e-7 {
        if at_a > at_b {
            high = b;
            (b, at_b) = (a, at_a);
            a = high - RATIO * (high - low);
            at_a = f(a);
        } else {
            low = a;
            (a, at_a) = (b, at_b);
            b = low + RATIO * (high - low);
            at_b = f(b);
        }
    }
    f64::midpoint(low, high)
}

type Point = ([f64; 2], f64);

/// Nelder and Mead (1965): the maximum of `f` near `start`. Where `f` is not defined it gives negative infinity.
pub(super) fn nelder_mead(f: impl Fn([f64; 2]) -> f64, start: [f64; 2], step: f64) -> [f64; 2] {
    let at = |x: [f64; 2]| (x, f(x));
    let mut simplex: [Point; 3] =
        [at(start), at([start[0] + step, start[1]]), at([start[0], start[1] + step])];
    for _ in 0..400 {
        simplex.sort_by(|a, b| b.1.total_cmp(&a.1));
        let [best, middle, worst] = simplex;
        let size = (0..2).map(|i| (best.0[i] - worst.0[i]).abs().max((best.0[i] - middle.0[i]).abs()));
        if size.fold(0.0, f64::max) < 1e-7 {
            break;
        }
        let centre = [f64::midpoint(best.0[0], middle.0[0]), f64::midpoint(best.0[1], middle.0[1])];
        let along =
            |t: f64| at([centre[0] + t * (worst.0[0] - centre[0]), centre[1] + t * (worst.0[1] - centre[1])]);
        let reflected = along(-1.0);
        if reflected.1 > best.1 {
            let expanded = along(-2.0);
            simplex[2] = if expanded.1 > reflected.1 { expanded } else { reflected };
        } else if reflected.1 > middle.1 {
            simplex[2] = reflected;
        } else {
            let contracted = if reflected.1 > worst.1 { along(-0.5) } else { along(0.5) };
            if contracted.1 > worst.1.max(reflected.1) {
                simplex[2] = contracted;
            } else {
                let toward =
                    |p: Point| at([f64::midpoint(p.0[0], best.0[0]), f64::midpoint(p.0[1], best.0[1])]);
                simplex = [best, toward(middle), toward(worst)];
            }
        }
    }
    simplex.sort_by(|a, b| b.1.total_cmp(&a.1));
    simplex[0].0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maxima_are_found() {
        assert!((golden(|x| -(x - 1.3) * (x - 1.3), 0.0, 8.0) - 1.3).abs() < 1e-6);
        let hill = |[x, y]: [f64; 2]| -(x - 1.0) * (x - 1.0) - 10.0 * (y + 2.0 - x) * (y + 2.0 - x);
        let [x, y] = nelder_mead(hill, [4.0, 4.0], 0.5);
        assert!((x - 1.0).abs() < 1e-4 && (y + 1.0).abs() < 1e-4, "{x} {y}");
    }
}
