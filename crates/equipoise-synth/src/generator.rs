//! Which mechanisms make a world: three independent switches and two presets.
//!
//! A claim that holds in a world made by one mechanism may be an artefact of that mechanism. World "b" is made by other
//! assumptions throughout (ties from a hidden space instead of circles, self-exciting timing instead of sessions, harm at
//! a constant rate instead of stages) and reads the same world file: each mechanism has its own table there, the switch
//! picks. It does not promise that the two worlds agree in anything but the figures that the example `graph` prints.

use serde::{Deserialize, Serialize};

/// The world's mechanisms: `generator = "a"`, `generator = "b"`, or
/// `generator.mixed = { graph-family = "circles", timing = "hawkes", harm = "staged" }`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Generator {
    /// Circles, sessions, stages.
    A,
    /// A hidden space, Hawkes processes, constant rates.
    B,
    /// Any other combination.
    Mixed {
        /// Where ties come from.
        graph_family: GraphFamily,
        /// What times the messages.
        timing: Timing,
        /// How the simulated harmful patterns proceed.
        harm: HarmProcess,
    },
}

/// Where ties come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GraphFamily {
    /// Typed, assortative, overlapping circles.
    Circles,
    /// Distances in a hidden space with heterogeneous activity.
    LatentSpace,
}

/// What times the messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Timing {
    /// Sessions out of a daily plan.
    Session,
    /// Self-exciting processes.
    Hawkes,
}

/// How the simulated harmful patterns proceed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HarmProcess {
    /// Semi-Markov stages with skips and returns.
    Staged,
    /// One constant rate per dyad.
    ConstantRate,
}

impl Generator {
    /// Where ties come from.
    #[must_use]
    pub const fn graph_family(self) -> GraphFamily {
        match self {
            Self::A => GraphFamily::Circles,
            Self::B => GraphFamily::LatentSpace,
            Self::Mixed { graph_family, .. } => graph_family,
        }
    }

    /// What times the messages.
    #[must_use]
    pub const fn timing(self) -> Timing {
        match self {
            Self::A => Timing::Session,
            Self::B => Timing::Hawkes,
            Self::Mixed { timing, .. } => timing,
        }
    }

    /// How the simulated harmful patterns proceed.
    #[must_use]
    pub const fn harm(self) -> HarmProcess {
        match self {
            Self::A => HarmProcess::Staged,
            Self::B => HarmProcess::ConstantRate,
            Self::Mixed { harm, .. } => harm,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn read(text: &str) -> Result<Generator, toml::de::Error> {
        toml::from_str::<BTreeMap<String, Generator>>(text).map(|mut map| map.remove("generator").unwrap())
    }

    #[test]
    fn a_preset_is_one_letter_and_a_mixture_names_all_three() {
        assert_eq!(read("generator = \"a\"").unwrap(), Generator::A);
        let b = read("generator = \"b\"").unwrap();
        assert_eq!(
            (b.graph_family(), b.timing(), b.harm()),
            (GraphFamily::LatentSpace, Timing::Hawkes, HarmProcess::ConstantRate)
        );
        let mixed =
            "generator.mixed = { graph-family = \"circles\", timing = \"hawkes\", harm = \"staged\" }";
        let mixed = read(mixed).unwrap();
        assert_eq!(
            (mixed.graph_family(), mixed.timing(), mixed.harm()),
            (GraphFamily::Circles, Timing::Hawkes, HarmProcess::Staged)
        );
        assert!(read("generator.mixed = { graph-family = \"circles\", timing = \"hawkes\" }").is_err());
        assert!(read("generator = \"c\"").is_err());
    }
}
