//! What the seats of a fusion send each other. `wire` writes and reads them.

use super::pseudonym::Pseudonym;
use std::fmt;

/// Bytes of the seed of an upload's masks.
pub(crate) const SEED: usize = 32;

/// One platform's score of one account, encrypted: GGSW(X^-score), seeded under a shared key. The plan allows either
/// form, never both.
#[derive(Clone, PartialEq, Eq)]
pub struct ScoreUpload {
    pub(crate) platform: u32,
    pub(crate) account: Pseudonym,
    pub(crate) seed: Option<[u8; SEED]>,
    /// `[level, row, mask then body, coefficient]`; the masks are missing where there is a seed.
    pub(crate) rows: Vec<u64>,
}

/// The mask of an evaluated flag: what key holders are sent. Without the body it says nothing about the flag.
#[derive(Clone, PartialEq, Eq)]
pub struct FlagMask {
    pub(crate) account: Pseudonym,
    pub(crate) rule: [u8; 32],
    /// The upper halves of the mask's coefficients; the rounding stands in the plan.
    pub(crate) mask: Vec<u32>,
}

/// The body of an evaluated flag: what only the opener is sent.
#[derive(Clone, PartialEq, Eq)]
pub struct FlagBody {
    pub(crate) account: Pseudonym,
    pub(crate) mask: [u8; 32],
    pub(crate) body: u64,
}

/// One key holder's answer, for the opener alone.
#[derive(Clone, PartialEq, Eq)]
pub struct FlagShare {
    pub(crate) holder: u32,
    pub(crate) account: Pseudonym,
    pub(crate) mask: [u8; 32],
    pub(crate) value: u64,
}

/// One key holder's part of the joint public key.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyContribution {
    pub(crate) holder: u32,
    pub(crate) body: Vec<u64>,
}

impl FlagMask {
    /// Names this mask in shares and records.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_derive_key("equipoise-encrypted 2026-11-27 fusion flag v1");
        hasher.update(self.account.bytes()).update(&self.rule);
        self.mask.iter().for_each(|word| {
            hasher.update(&word.to_le_bytes());
        });
        *hasher.finalize().as_bytes()
    }

    /// The account that the flag is about.
    #[must_use]
    pub const fn account(&self) -> Pseudonym {
        self.account
    }
}

/// Messages print who they are about and nothing of what they carry.
macro_rules! quiet {
    ($($message:ident { $($field:ident),* })*) => {$(
        impl fmt::Debug for $message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($message))$(.field(stringify!($field), &self.$field))*
                    .finish_non_exhaustive()
            }
        }
    )*};
}
quiet! {
    ScoreUpload { platform, account }
    FlagMask { account }
    FlagBody { account }
    FlagShare { holder, account }
    KeyContribution { holder }
}
