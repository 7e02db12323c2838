//! The schemes that an experiment file can name.

use crate::shared_key::SharedKeyGlwe;
use equipoise_federated::DynSecureSum;
use equipoise_federated::Plain;
use serde::{Deserialize, Serialize};

/// How updates are summed: `[secure-sum.shared-key-glwe]`, or `[secure-sum.plain]` for the control arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SchemeSpec {
    /// Integers in the clear: hides nothing, and is the oracle of every other scheme.
    Plain {},
    /// Packed GLWE additions under one key that all platforms share.
    SharedKeyGlwe {},
}

impl SchemeSpec {
    /// One of each; law tests and the reference page run over them.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        vec![Self::Plain {}, Self::SharedKeyGlwe {}]
    }

    /// The scheme.
    #[must_use]
    pub fn build(&self) -> Box<dyn DynSecureSum> {
        match self {
            Self::Plain {} => Box::new(Plain),
            Self::SharedKeyGlwe {} => Box::new(SharedKeyGlwe::default()),
        }
    }

    /// One sentence for the reference page, on what it costs to trust it.
    #[must_use]
    pub fn describe(&self) -> String {
        let scheme = self.build();
        format!("`{}`: {}", scheme.name(), scheme.leakage().headline)
    }
}
