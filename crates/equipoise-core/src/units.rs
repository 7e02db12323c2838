//! Numbers with a meaning, checked once, where they are parsed.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A number outside the range that its meaning allows.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{what} must be {range}, got {got}")]
pub struct UnitError {
    what: &'static str,
    range: &'static str,
    got: f64,
}

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident, $what:literal, $range:literal, |$value:ident| $ok:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, PartialOrd, Debug, Serialize, Deserialize)]
        #[serde(try_from = "f64", into = "f64")]
        pub struct $name(f64);

        impl $name {
            /// Checks the range.
            ///
            /// # Errors
            /// If the number lies outside it.
            pub fn new($value: f64) -> Result<Self, UnitError> {
                if $ok { Ok(Self($value)) } else { Err(UnitError { what: $what, range: $range, got: $value }) }
            }

            /// The number.
            #[must_use]
            pub const fn get(self) -> f64 {
                self.0
            }
        }

        impl TryFrom<f64> for $name {
            type Error = UnitError;
            fn try_from(value: f64) -> Result<Self, UnitError> {
                Self::new(value)
            }
        }

        impl From<$name> for f64 {
            fn from(value: $name) -> f64 {
                value.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

unit! {
    /// A share of something.
    Fraction, "a fraction", "between 0 and 1", |value| (0.0..=1.0).contains(&value)
}
unit! {
    /// The delta of (epsilon, delta)-differential privacy. Below 1e-10 double precision no longer resolves it.
    Delta, "delta", "between 1e-10 and 1, ends excluded above", |value| (1e-10..1.0).contains(&value)
}
unit! {
    /// The largest L2 norm that one unit's contribution may have.
    ClipNorm, "a clip norm", "positive and finite", |value| value > 0.0 && value.is_finite()
}
unit! {
    /// Standard deviation of noise over sensitivity.
    NoiseMultiplier, "a noise multiplier", "positive and finite", |value| value > 0.0 && value.is_finite()
}

/// The epsilon of differential privacy; `"inf"` in a file means that no guarantee is asked for.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct Epsilon(f64);

impl Epsilon {
    /// No guarantee.
    pub const INFINITE: Self = Self(f64::INFINITY);

    /// Checks that `value` is positive; infinity is allowed.
    ///
    /// # Errors
    /// If it is not.
    pub fn new(value: f64) -> Result<Self, UnitError> {
        if value > 0.0 {
            Ok(Self(value))
        } else {
            Err(UnitError { what: "epsilon", range: "positive", got: value })
        }
    }

    /// The number, possibly infinite.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }

    /// Whether a guarantee is asked for.
    #[must_use]
    pub const fn is_finite(self) -> bool {
        self.0.is_finite()
    }
}

impl fmt::Display for Epsilon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_finite() { self.0.fmt(f) } else { f.write_str("inf") }
    }
}

impl Serialize for Epsilon {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() { serializer.serialize_f64(self.0) } else { serializer.serialize_str("inf") }
    }
}

impl<'de> Deserialize<'de> for Epsilon {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Epsilon;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a positive number or \"inf\"")
            }
            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Epsilon, E> {
                Epsilon::new(value).map_err(E::custom)
            }
            #[allow(clippy::cast_precision_loss)]
            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Epsilon, E> {
                Epsilon::new(value as f64).map_err(E::custom)
            }
            #[allow(clippy::cast_precision_loss)]
            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Epsilon, E> {
                Epsilon::new(value as f64).map_err(E::custom)
            }
            fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Epsilon, E> {
                if value == "inf" {
                    Ok(Epsilon::INFINITE)
                } else {
                    Err(E::invalid_value(serde::de::Unexpected::Str(value), &self))
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_above_one_is_refused_with_its_value() {
        let error = Fraction::new(1.25).unwrap_err();
        assert_eq!(error.to_string(), "a fraction must be between 0 and 1, got 1.25");
        assert!(Fraction::new(f64::NAN).is_err());
    }

    #[test]
    fn infinity_is_written_as_a_word() {
        assert_eq!(serde_json::to_string(&Epsilon::INFINITE).unwrap(), "\"inf\"");
        assert_eq!(serde_json::from_str::<Epsilon>("\"inf\"").unwrap(), Epsilon::INFINITE);
        assert!(serde_json::from_str::<Epsilon>("0").is_err());
        assert!(serde_json::from_str::<Epsilon>("\"none\"").is_err());
    }
}
