//! A number together with where it comes from. The only form in which a research rate enters a world file.

use serde::{Deserialize, Serialize};

/// A value and its source: a citation, or the word "assumed".
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sourced<T> {
    /// The value that the world uses.
    pub value: T,
    /// Where the value comes from.
    pub source: String,
}

impl<T: Copy> Sourced<T> {
    /// The value alone.
    #[must_use]
    pub const fn get(&self) -> T {
        self.value
    }
}

impl Sourced<equipoise_core::Fraction> {
    /// The fraction as a number.
    #[must_use]
    pub const fn p(&self) -> f64 {
        self.value.get()
    }
}

/// A parameter of a harmful pattern beside the same parameter of its matched benign look-alike.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Shift<T> {
    /// What the look-alike does.
    pub matched: T,
    /// What the harmful pattern does at detectability 1.
    pub full: T,
}
