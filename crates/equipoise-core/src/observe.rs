//! How libraries speak: they never print, they send a [`RunEvent`].

/// Something worth showing to whoever waits.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum RunEvent {
    /// A named piece of work began; `total` steps are expected.
    Started {
        /// What.
        what: String,
        /// How many steps.
        total: u64,
    },
    /// `done` steps of the named piece of work are finished.
    Progress {
        /// What.
        what: String,
        /// How many steps are finished.
        done: u64,
    },
    /// What models with a guarantee have spent of the people of one world: the sum of their epsilons, in the world that has given most.
    Spent {
        /// So far.
        epsilon: f64,
        /// When everything is done.
        planned: f64,
    },
    /// The named piece of work ended.
    Finished {
        /// What.
        what: String,
    },
}

/// Receives [`RunEvent`]s.
pub trait Observer: Send + Sync {
    /// Takes one event. Must not block for long.
    fn on(&self, event: &RunEvent);
}

/// Hears nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct Silent;

impl Observer for Silent {
    fn on(&self, _event: &RunEvent) {}
}
