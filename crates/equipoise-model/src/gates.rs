//! The gates of a recurrent unit, element by element, over a whole step of a batch at once.
//!
//! Plain loops over flat slices that the compiler turns into vector code, compiled for several instruction sets and chosen at run time
//! (see [`crate::product::widest`]). The exponential is a polynomial (Cephes `expf`: reduction by the logarithm of two, degree
//! 5, below two units in the last place) made of sums, products and bits only, so that every machine and every width of
//! register computes the same bytes; nothing is fused.

use crate::product::{Wide, widest};

/// 1.5 · 2²³: added and taken away again it rounds to a whole number, and its lowest bits hold that number.
const ROUND: f32 = 12_582_912.0;
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// `e^x` for `x` in ±87; not a number stays none.
#[inline(always)]
fn exp(x: f32) -> f32 {
    let x = x.clamp(-87.0, 87.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let rest = (x - whole * LN_2_HIGH) - whole * LN_2_LOW;
    let mut series = 1.987_569_1e-4_f32;
    for coefficient in [1.398_2e-3, 8.333_452e-3, 4.166_58e-2, 1.666_666_6e-1, 0.5] {
        series = series * rest + coefficient;
    }
    let mantissa = series * (rest * rest) + rest + 1.0;
    f32::from_bits(mantissa.to_bits().wrapping_add(shifted.to_bits() << 23))
}

/// The logistic function.
#[inline(always)]
fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The hyperbolic tangent to 2⁻²² of one: exact enough for a gate, not for a small argument by itself.
#[inline(always)]
fn tanh(x: f32) -> f32 {
    2.0 * logistic(2.0 * x) - 1.0
}

/// What is computed at once. Blocks of their own hold off the question whether slices overlap, which keeps a compiler from vector code.
const LANES: usize = 16;
type Lanes = [f32; LANES];

/// The block of `values` at `at`; past the end there are zeros.
#[inline(always)]
fn load(values: &[f32], at: usize) -> Lanes {
    let rest = &values[at..];
    rest.first_chunk().copied().unwrap_or_else(|| {
        let mut lanes = [0.0; LANES];
        lanes[..rest.len()].copy_from_slice(rest);
        lanes
    })
}

/// Puts a block back, as far as there is room.
#[inline(always)]
fn store(values: &mut [f32], at: usize, lanes: &Lanes) {
    let rest = &mut values[at..];
    match rest.first_chunk_mut() {
        Some(chunk) => *chunk = *lanes,
        None => rest.copy_from_slice(&lanes[..rest.len()]),
    }
}

/// Adds a block, as far as there is room.
#[inline(always)]
fn add(values: &mut [f32], at: usize, by: &Lanes) {
    let old = load(values, at);
    store(values, at, &lanes(|i| old[i] + by[i]));
}

/// A function of each lane.
#[inline(always)]
fn lanes(of: impl Fn(usize) -> f32) -> Lanes {
    let mut out = [0.0; LANES];
    for (at, out) in out.iter_mut().enumerate() {
        *out = of(at);
    }
    out
}

/// `1 + e^-(x + h)`, below which a gate is one.
#[inline(always)]
fn below(x: &[f32], h: &[f32], at: usize) -> Lanes {
    // Not `map` over the two: that is a call, which copies blocks through memory (a sixth of a step's time).
    let (x, h) = (load(x, at), load(h, at));
    lanes(|i| 1.0 + exp(-(x[i] + h[i])))
}

/// One step forward: `r = σ(x_r + h_r)`, `z = σ(x_z + h_z)`, `n = tanh(x_n + r h_n)`, state `n + z (state - n)`, where each `x` and `h` has its
/// bias. Both logistic functions share one division, the dearest instruction of a gate: `1/a = b/(ab)`.
pub(crate) struct Forward<'a> {
    /// Width of the state.
    pub(crate) hidden: usize,
    /// What the input says, `[rows, 3 hidden]`: reset, update, new.
    pub(crate) input: &'a [f32],
    /// What the state says, `[rows, 3 hidden]`.
    pub(crate) recurrent: &'a [f32],
    /// The state, `[rows, hidden]`, which becomes the next one.
    pub(crate) state: &'a mut [f32],
    /// Left for the way back, `[rows, 4 hidden]`: `r`, `z`, `n`, `h_n`.
    pub(crate) gates: &'a mut [f32],
}

impl Forward<'_> {
    pub(crate) fn run(self) {
        widest(self);
    }
}

impl Wide for Forward<'_> {
    #[inline(always)]
    fn run(self) {
        let hidden = self.hidden;
        let parts = self.input.chunks_exact(3 * hidden).zip(self.recurrent.chunks_exact(3 * hidden));
        let kept = self.state.chunks_exact_mut(hidden).zip(self.gates.chunks_exact_mut(4 * hidden));
        for ((input, recurrent), (state, gates)) in parts.zip(kept) {
            let ([xr, xz, xn], [hr, hz, hn]) = (thirds(input, hidden), thirds(recurrent, hidden));
            let (reset, gates) = gates.split_at_mut(hidden);
            let (update, gates) = gates.split_at_mut(hidden);
            let (new, from_state) = gates.split_at_mut(hidden);
            for at in (0..hidden).step_by(LANES) {
                let (of_reset, of_update) = (below(xr, hr, at), below(xz, hz, at));
                let share = lanes(|i| 1.0 / (of_reset[i] * of_update[i]));
                let (r, z) = (lanes(|i| share[i] * of_update[i]), lanes(|i| share[i] * of_reset[i]));
                let (x, m, before) = (load(xn, at), load(hn, at), load(state, at));
                let n = lanes(|i| tanh(x[i] + r[i] * m[i]));
                let next = lanes(|i| n[i] + z[i] * (before[i] - n[i]));
                store(reset, at, &r);
                store(update, at, &z);
                store(new, at, &n);
                store(from_state, at, &m);
                store(state, at, &next);
            }
        }
    }
}

/// One step back.
pub(crate) struct Backward<'a> {
    /// Width of the state.
    pub(crate) hidden: usize,
    /// As [`Forward`] left them.
    pub(crate) gates: &'a [f32],
    /// The state before the step, `[rows, hidden]`.
    pub(crate) state: &'a [f32],
    /// Derivative by the state after the step, which becomes the part of that by the state before it which does not pass through
    /// the recurrent weights, `[rows, hidden]`.
    pub(crate) carry: &'a mut [f32],
    /// Derivative by what the input said, `[rows, 3 hidden]`.
    pub(crate) input: &'a mut [f32],
    /// Derivative by what the state said, `[rows, 3 hidden]`.
    pub(crate) recurrent: &'a mut [f32],
    /// To which these derivatives are added over rows, `[4 hidden]`: by reset, by update, by what the input and by what the state said of
    /// the new.
    pub(crate) sums: &'a mut [f32],
}

impl Backward<'_> {
    pub(crate) fn run(self) {
        widest(self);
    }
}

impl Wide for Backward<'_> {
    #[inline(always)]
    fn run(self) {
        let hidden = self.hidden;
        let seen = self.gates.chunks_exact(4 * hidden).zip(self.state.chunks_exact(hidden));
        let deltas = self.input.chunks_exact_mut(3 * hidden).zip(self.recurrent.chunks_exact_mut(3 * hidden));
        let (sum_reset, sums) = self.sums.split_at_mut(hidden);
        let (sum_update, sums) = sums.split_at_mut(hidden);
        let (sum_input, sum_state) = sums.split_at_mut(hidden);
        for (((gates, state), carry), (input, recurrent)) in
            seen.zip(self.carry.chunks_exact_mut(hidden)).zip(deltas)
        {
            let [reset, update, new] = thirds(gates, hidden);
            let from_state = &gates[3 * hidden..];
            let (input_reset, input) = input.split_at_mut(hidden);
            let (input_update, input_new) = input.split_at_mut(hidden);
            let (state_reset, recurrent) = recurrent.split_at_mut(hidden);
            let (state_update, state_new) = recurrent.split_at_mut(hidden);
            for at in (0..hidden).step_by(LANES) {
                let (r, z, n) = (load(reset, at), load(update, at), load(new, at));
                let (m, before, by_state) = (load(from_state, at), load(state, at), load(carry, at));
                let by_new = lanes(|i| by_state[i] * (1.0 - z[i]) * (1.0 - n[i] * n[i]));
                let by_update = lanes(|i| by_state[i] * (before[i] - n[i]) * (z[i] * (1.0 - z[i])));
                let by_reset = lanes(|i| by_new[i] * m[i] * (r[i] * (1.0 - r[i])));
                store(input_reset, at, &by_reset);
                store(state_reset, at, &by_reset);
                store(input_update, at, &by_update);
                store(state_update, at, &by_update);
                store(input_new, at, &by_new);
                let by_recurrent = lanes(|i| by_new[i] * r[i]);
                store(state_new, at, &by_recurrent);
                store(carry, at, &lanes(|i| by_state[i] * z[i]));
                add(sum_reset, at, &by_reset);
                add(sum_update, at, &by_update);
                add(sum_input, at, &by_new);
                add(sum_state, at, &by_recurrent);
            }
        }
    }
}

/// The first three stretches of `hidden` numbers.
#[inline(always)]
fn thirds(values: &[f32], hidden: usize) -> [&[f32]; 3] {
    let (first, rest) = values.split_at(hidden);
    let (second, rest) = rest.split_at(hidden);
    [first, second, &rest[..hidden]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_within_two_units_in_the_last_place() {
        let mut largest = 0.0_f64;
        for step in -870_000..=870_000 {
            let x = step as f32 * 1e-4;
            let want = f64::from(x).exp();
            largest = largest.max((f64::from(exp(x)) - want).abs() / want);
        }
        assert!(largest < 2.4e-7, "{largest}");
        assert!(exp(f32::NAN).is_nan());
        assert!(exp(f32::INFINITY).is_finite() && exp(f32::NEG_INFINITY) > 0.0);
    }

    #[test]
    fn gates_saturate_and_keep_what_is_no_number() {
        assert_eq!((logistic(0.0), tanh(0.0)), (0.5, 0.0));
        assert!(logistic(f32::INFINITY) >= 1.0 && logistic(f32::NEG_INFINITY) < 1e-37);
        assert_eq!((tanh(90.0), tanh(-90.0)), (1.0, -1.0));
        assert!(logistic(f32::NAN).is_nan() && tanh(f32::NAN).is_nan());
        for step in -2000..=2000 {
            let x = step as f32 * 5e-3;
            assert!((f64::from(tanh(x)) - f64::from(x).tanh()).abs() < 3e-7, "{x}");
        }
    }

    /// r = σ(0) = 1/2, z = σ(ln 3) = 3/4, n = tanh(0 + 1/2 · 0) = 0: a state of 1 becomes 3/4.
    #[test]
    fn a_step_is_worked_by_hand() {
        let (mut state, mut gates) = ([1.0], [0.0; 4]);
        Forward {
            hidden: 1,
            input: &[0.0; 3],
            recurrent: &[0.0, 3.0_f32.ln(), 0.0],
            state: &mut state,
            gates: &mut gates,
        }
        .run();
        assert!((state[0] - 0.75).abs() < 1e-6, "{state:?}");
        // Back: by n = (1 - 3/4) = 1/4; by z = (1 - 0) 3/16; by r = 1/4 · 0 = 0; through z the state keeps 3/4.
        let (mut carry, mut by_input, mut by_state, mut sums) = ([1.0], [0.0; 3], [0.0; 3], [1.0; 4]);
        Backward {
            hidden: 1,
            gates: &gates,
            state: &[1.0],
            carry: &mut carry,
            input: &mut by_input,
            recurrent: &mut by_state,
            sums: &mut sums,
        }
        .run();
        for (got, want) in
            by_input.iter().chain(&by_state).chain(&carry).zip([0.0, 0.1875, 0.25, 0.0, 0.1875, 0.125, 0.75])
        {
            assert!((got - want).abs() < 1e-6, "{by_input:?} {by_state:?} {carry:?}");
        }
        for (got, want) in sums.iter().zip([1.0, 1.1875, 1.25, 1.125]) {
            assert!((got - want).abs() < 1e-6, "{sums:?}");
        }
    }

    /// What is computed in wide registers is to the bit what is computed without.
    #[test]
    fn the_width_of_registers_does_not_change_a_byte() {
        let hidden = 21;
        let numbers = |count: usize, by: f32| -> Vec<f32> {
            (0..count).map(|at| ((at as f32 * by).sin() * 9.0).fract() * 6.0).collect()
        };
        let (input, recurrent) = (numbers(5 * 3 * hidden, 0.7), numbers(5 * 3 * hidden, 1.3));
        let run = |wide: bool| {
            let (mut state, mut gates) = (numbers(5 * hidden, 2.1), vec![0.0; 5 * 4 * hidden]);
            let before = state.clone();
            let step = Forward {
                hidden,
                input: &input,
                recurrent: &recurrent,
                state: &mut state,
                gates: &mut gates,
            };
            if wide {
                step.run()
            } else {
                Wide::run(step)
            }
            let (mut carry, mut sums) = (numbers(5 * hidden, 0.3), vec![0.0; 4 * hidden]);
            let mut deltas = [vec![0.0; 5 * 3 * hidden], vec![0.0; 5 * 3 * hidden]];
            let [by_input, by_state] = &mut deltas;
            let step = Backward {
                hidden,
                gates: &gates,
                state: &before,
                carry: &mut carry,
                input: by_input,
                recurrent: by_state,
                sums: &mut sums,
            };
            if wide {
                step.run()
            } else {
                Wide::run(step)
            }
            let all = state.iter().chain(&gates).chain(&carry).chain(&sums).chain(deltas.iter().flatten());
            all.map(|value| value.to_bits()).collect::<Vec<_>>()
        };
        assert_eq!(run(true), run(false));
    }

    /// Sums over rows are those of the rows' own derivatives, whose first two thirds are the same for input and state.
    #[test]
    fn what_is_added_up_is_what_was_written() {
        let (rows, hidden) = (3, 5);
        let numbers =
            |count: usize, by: f32| -> Vec<f32> { (0..count).map(|at| (at as f32 * by).sin()).collect() };
        let (mut carry, mut sums) = (numbers(rows * hidden, 0.3), vec![0.0; 4 * hidden]);
        let (mut input, mut recurrent) = (vec![0.0; rows * 3 * hidden], vec![0.0; rows * 3 * hidden]);
        let (gates, state) = (numbers(rows * 4 * hidden, 0.7), numbers(rows * hidden, 1.1));
        Backward {
            hidden,
            gates: &gates,
            state: &state,
            carry: &mut carry,
            input: &mut input,
            recurrent: &mut recurrent,
            sums: &mut sums,
        }
        .run();
        for j in 0..hidden {
            let sum = |of: &[f32], third: usize| -> f32 {
                of.chunks_exact(3 * hidden).map(|row| row[third * hidden + j]).sum()
            };
            let want = [sum(&input, 0), sum(&input, 1), sum(&input, 2), sum(&recurrent, 2)];
            for (part, want) in want.into_iter().enumerate() {
                assert!((sums[part * hidden + j] - want).abs() < 1e-6);
            }
            assert_eq!((sum(&input, 0), sum(&input, 1)), (sum(&recurrent, 0), sum(&recurrent, 1)));
        }
    }
}
