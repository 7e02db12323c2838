//! Are measures that are introduced together more, or less, than the sum of what each does alone? Arithmetic over a table
//! of outcomes: one row a cell of the factorial (which measures are on), one column a seed, paired by common random numbers.
//!
//! With `H` the mean outcome of a cell, `eta = ln(H / H of none)`. A main effect is the mean of what a measure adds to `eta`
//! over all cells without it; an interaction of two is the mean of `eta_AB - eta_A - eta_B + eta` over all cells with
//! neither: below 0 they are more together than apart (synergy), above 0 less (redundancy). Shares are Shapley values of the
//! prevented fraction `1 - H / H of none`, and add up to that of all measures. Intervals and tests are jackknifes over seeds
//! with Student's t, so they say how a world's chance moves the numbers, and nothing about parameters that were assumed.

mod effects;
pub mod half;
mod holm;
mod paired;
mod student;

pub use effects::{Effects, Interaction, MeasureEffect, Table};
pub use holm::holm;
pub use paired::{Estimate, difference, jackknife, mean, prevented_variance_ratio, variance_ratio};
pub use student::{t_quantile, t_tail};
