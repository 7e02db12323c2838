//! A check: one statement about a world, with its target and where the target comes from.

use super::evidence::Evidence;
use super::finding::{Finding, Header, Kind};

/// One check of design table 3.
///
/// Laws: a check is a pure function of the evidence; it gives at least one finding, also where it can say nothing (then
/// the reason); it never looks at the outcome of another check.
pub trait Check: Sync {
    /// `V1` to `V22`.
    fn id(&self) -> &'static str;

    /// What is measured, in a few words.
    fn statistic(&self) -> &'static str;

    /// Where its targets come from.
    fn source(&self) -> &'static str;

    /// What a failure means.
    fn kind(&self) -> Kind;

    /// Measures and judges.
    fn run(&self, evidence: &Evidence) -> Vec<Finding>;

    /// What all findings of the check share.
    fn header(&self) -> Header {
        Header { id: self.id(), kind: self.kind(), source: self.source() }
    }
}

/// Declares a check: one struct, its four facts and its function.
macro_rules! check {
    ($(#[$doc:meta])* $name:ident, $id:literal, $kind:ident, $statistic:literal, $source:literal, $run:path) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub(super) struct $name;

        impl $crate::validate::Check for $name {
            fn id(&self) -> &'static str {
                $id
            }
            fn statistic(&self) -> &'static str {
                $statistic
            }
            fn source(&self) -> &'static str {
                $source
            }
            fn kind(&self) -> $crate::validate::Kind {
                $crate::validate::Kind::$kind
            }
            fn run(&self, evidence: &$crate::validate::Evidence) -> Vec<$crate::validate::Finding> {
                $run(&$crate::validate::Check::header(self), evidence)
            }
        }
    };
}

pub(super) use check;
