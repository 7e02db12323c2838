//! What can be wrong with a world.

/// Why a world cannot be built or run.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorldError {
    /// Too few or too many platforms.
    #[error("a world needs between 1 and 250 platforms, got {got}: add or remove [[platform]] tables")]
    Platforms {
        /// How many the file names.
        got: usize,
    },
    /// A platform name that is empty or used twice.
    #[error("platform name {name:?} is empty or used twice: give each platform a name of its own")]
    PlatformName {
        /// The name.
        name: String,
    },
    /// A setting outside what can be simulated.
    #[error("{what} must be {range}")]
    Setting {
        /// Its path in the file.
        what: String,
        /// What is allowed.
        range: String,
    },
    /// The caller's policies do not fit the platforms.
    #[error("{got} policies for {platforms} platforms: give one for each")]
    Policies {
        /// How many were given.
        got: usize,
        /// How many platforms there are.
        platforms: usize,
    },
}
