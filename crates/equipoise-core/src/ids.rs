//! Ids. Each is a dense index, so that arrays replace maps everywhere.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty), $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl $name {
            /// The id as an array index.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

id! {
    /// A simulated person. Truth only: no platform ever holds one.
    PersonId(u32), "person "
}
id! {
    /// An account, numbered from 0 *within its platform*. The same number on two platforms means nothing.
    AccountId(u32), "account "
}
id! {
    /// A platform instance, numbered in the order of the world file.
    PlatformId(u8), "platform "
}

impl AccountId {
    /// Stands where an event has no other side (a session, a search).
    pub const NONE: Self = Self(u32::MAX);

    /// Whether this is a real account rather than [`AccountId::NONE`].
    #[must_use]
    pub const fn is_some(self) -> bool {
        self.0 != u32::MAX
    }
}

/// An account together with its platform: unique in a world.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct AccountRef {
    /// The platform.
    pub platform: PlatformId,
    /// The account on that platform.
    pub account: AccountId,
}
