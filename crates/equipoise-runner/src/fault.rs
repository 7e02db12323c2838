//! What can go wrong for whoever types a command, and the exit code that says so.

/// A failure with an exit code.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The command or a file is wrong; nothing was written.
    #[error("{0}")]
    Config(String),
    /// Something failed while working.
    #[error("{0}")]
    Runtime(String),
    /// Some units failed; the others are kept.
    #[error("{0}")]
    Partial(String),
    /// A result is not what it was said to be.
    #[error("{0}")]
    Mismatch(String),
    /// A privacy budget would be overdrawn; nothing was run.
    #[error("{0}")]
    Budget(String),
}

impl Fault {
    /// The process's exit code.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Runtime(_) => 1,
            Self::Config(_) => 2,
            Self::Partial(_) => 3,
            Self::Mismatch(_) => 4,
            Self::Budget(_) => 5,
        }
    }
}

/// A [`Fault::Config`].
pub fn config(why: impl Into<String>) -> Fault {
    Fault::Config(why.into())
}

/// A [`Fault::Runtime`] with the whole chain of causes.
pub fn runtime(error: impl Into<anyhow::Error>) -> Fault {
    Fault::Runtime(format!("{:#}", error.into()))
}
