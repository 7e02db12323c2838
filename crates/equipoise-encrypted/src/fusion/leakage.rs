//! Who learns what in a fusion, by name of the seat: the rows that stand beside every cost.

use super::design::FusionDesign;
use equipoise_federated::LeakageProfile;

const MATCHING: &str = "which blinded identifiers were asked about and by whom, by number; no identifier, no pseudonym, no score";
const METADATA: &str = "pseudonyms, which platforms have which account (so the sizes of all overlaps), the rule and when; no score, no sum, no flag";

impl FusionDesign {
    /// What each seat learns. The third entry is whether it reads a single platform's score.
    #[must_use]
    pub fn leakage(&self) -> LeakageProfile {
        match self {
            Self::Plain {} => LeakageProfile::new(
                "plain",
                "Plain fusion: the server reads every platform's score of every matched account.",
                &[
                    ("platform", "nothing of the others", false),
                    ("server", "every score, every sum, every value; who has which account", true),
                    ("matcher", MATCHING, false),
                ],
            ),
            Self::GgswSecret {} => LeakageProfile::new(
                "ggsw-secret",
                "Shared-key fusion: value only towards the opener, but the server together with any one platform reads every score.",
                &[
                    ("platform", "nothing of the others while it sees no upload", false),
                    ("platform that sees the wire", "every score: one key opens them all", true),
                    ("server", METADATA, false),
                    ("server with one platform", "every score of every account", true),
                    (
                        "opener",
                        "one value of the rule an account and opening, log2(bands) bits; it could open uploads, which it is not sent",
                        false,
                    ),
                    ("server with the opener", "every score of every account", true),
                    ("matcher", MATCHING, false),
                ],
            ),
            Self::GgswJoint { .. } => LeakageProfile::new(
                "ggsw-joint",
                "Joint-key fusion: towards the opener one value of the rule, log2(bands) bits, an account and opening; every other seat alone reads no score and no value. The error that the opener sees is smudged by 5 bits, not 40.",
                &[
                    ("platform", "nothing of the others; it holds no secret", false),
                    ("server", METADATA, false),
                    ("server with platforms", "the same, and those platforms' own scores", false),
                    (
                        "key holder",
                        "which pseudonym was asked about, under which named rule, how often; no flag",
                        false,
                    ),
                    ("all key holders together", "the same: without a flag's body they read no value", false),
                    ("opener", "one value an account and opening, and a smudged error", false),
                    (
                        "server with the opener",
                        "that value and the metadata; more only after more openings, which every holder limits",
                        false,
                    ),
                    ("server with all key holders", "every score of every account", true),
                    ("matcher", MATCHING, false),
                    (
                        "server with the matcher",
                        "whose account a pseudonym is, for every identifier that they can list; no score",
                        false,
                    ),
                ],
            ),
            Self::Mpc {} => LeakageProfile::new(
                "mpc",
                "Three-server comparison: the opener reads one value an account; any two servers together read every score.",
                &[
                    ("platform", "nothing of the others", false),
                    ("server", METADATA, false),
                    ("two servers together", "every score of every account", true),
                    (
                        "opener",
                        "one value of the rule an account and comparison; nothing here limits how many",
                        false,
                    ),
                    ("matcher", MATCHING, false),
                ],
            ),
            #[cfg(feature = "high-level-fhe")]
            Self::PbsChain {} => high_level("pbs-chain"),
            #[cfg(feature = "high-level-fhe")]
            Self::FheUint8 {} => high_level("fheuint8"),
        }
    }
}

#[cfg(feature = "high-level-fhe")]
fn high_level(name: &str) -> LeakageProfile {
    LeakageProfile::new(
        name,
        "One client key of all platforms and the opener: the server together with any one platform reads every score.",
        &[
            ("platform", "nothing of the others while it sees no upload", false),
            ("server", METADATA, false),
            ("server with one platform", "every score of every account", true),
            ("opener", "one value of the rule an account and opening", false),
            ("server with the opener", "every score of every account", true),
            ("matcher", MATCHING, false),
        ],
    )
}
