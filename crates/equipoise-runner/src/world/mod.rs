//! `equipoise world`: what can be done with a world besides running experiments on it.

mod compare;

use crate::fault::Fault;
use clap::Subcommand;

/// Verbs about worlds.
#[derive(Debug, Subcommand)]
pub(crate) enum WorldVerb {
    /// Hold a contact log against our world: aggregates side by side, nothing is stored
    Compare(Box<compare::CompareArgs>),
}

/// Does what was asked.
pub(crate) fn dispatch(verb: &WorldVerb, json: bool) -> Result<(), Fault> {
    match verb {
        WorldVerb::Compare(args) => compare::compare(args, json),
    }
}
