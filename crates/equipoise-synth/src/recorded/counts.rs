//! Four units that are never added to each other: there is no arithmetic between these types.

use super::spec::{Platform, Reading};
use serde::{Deserialize, Serialize};

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// This number as a share of `whole`, a number of the same unit.
            #[must_use]
            #[allow(clippy::cast_precision_loss)]
            pub fn share_of(self, whole: Self) -> f64 {
                self.0 as f64 / whole.0.max(1) as f64
            }
        }
    };
}

unit! {
    /// A number of recorded offences.
    Offences
}
unit! {
    /// A number of accounts.
    Accounts
}
unit! {
    /// A number of (account, child) pairs.
    Dyads
}
unit! {
    /// A number of children named in recorded offences.
    Children
}

/// Second moments of (part, whole) over accounts, for the error of a share of clustered counts: records of one account
/// name the same platform, so that a binomial interval would be too narrow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Spread {
    parts: u64,
    cross: u64,
    wholes: u64,
}

impl Spread {
    pub(super) const fn add(&mut self, part: u64, whole: u64) {
        self.parts += part * part;
        self.cross += part * whole;
        self.wholes += whole * whole;
    }

    /// Standard error of `part / whole` with accounts as independent clusters (ratio estimator).
    #[allow(clippy::cast_precision_loss)]
    fn error(&self, part: u64, whole: u64) -> f64 {
        let whole = whole.max(1) as f64;
        let p = part as f64 / whole;
        let squares = self.parts as f64 - 2.0 * p * self.cross as f64 + p * p * self.wholes as f64;
        libm::sqrt(squares.max(0.0)) / whole
    }
}

/// What the block came to.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RecordedCounts {
    /// Accounts with a harmful pattern.
    pub accounts: Accounts,
    /// Their dyads with children who accepted contact.
    pub dyads: Dyads,
    /// Dyads of these with children under 16, whom the recorded offence concerns.
    pub dyads_in_frame: Dyads,
    /// Offences recorded.
    pub offences: Offences,
    /// Of these: with the platform known.
    pub known: Offences,
    /// Of these: naming each platform, by [`Platform`]; an offence may count several times or nowhere.
    pub mentions: [Offences; 5],
    /// Of the known: naming either social network.
    pub social_either: Offences,
    /// Girls in recorded offences.
    pub girls: Children,
    /// Boys in recorded offences.
    pub boys: Children,
    /// Girls in recorded offences with the platform known.
    pub known_girls: Children,
    /// Boys in recorded offences with the platform known.
    pub known_boys: Children,
    /// Children under 13 in recorded offences.
    pub under_13: Children,
    /// Moments of the mentions of each platform, of either social network, and of girls, over accounts.
    pub spread_mentions: [Spread; 5],
    /// See above.
    pub spread_social: Spread,
    /// See above.
    pub spread_girls: Spread,
}

impl RecordedCounts {
    /// Share of the offences with a known platform that name `platform`.
    #[must_use]
    pub fn mention(&self, platform: Platform) -> f64 {
        self.mentions[platform as usize].share_of(self.known)
    }

    /// The article's third share under a reading: both social networks jointly, or the first of them alone.
    #[must_use]
    pub fn social(&self, reading: Reading) -> f64 {
        match reading {
            Reading::Joint => self.social_either.share_of(self.known),
            Reading::Each => self.mention(Platform::SocialA),
        }
    }

    /// Standard error of [`Self::mention`].
    #[must_use]
    pub fn mention_error(&self, platform: Platform) -> f64 {
        let at = platform as usize;
        self.spread_mentions[at].error(self.mentions[at].0, self.known.0)
    }

    /// Standard error of [`Self::social`].
    #[must_use]
    pub fn social_error(&self, reading: Reading) -> f64 {
        match reading {
            Reading::Joint => self.spread_social.error(self.social_either.0, self.known.0),
            Reading::Each => self.mention_error(Platform::SocialA),
        }
    }

    /// Standard error of [`Self::girls_share`].
    #[must_use]
    pub fn girls_error(&self) -> f64 {
        self.spread_girls.error(self.girls.0, self.girls.0 + self.boys.0)
    }

    /// Share of offences with the platform known.
    #[must_use]
    pub fn platform_known(&self) -> f64 {
        self.known.share_of(self.offences)
    }

    /// Share of girls among children in recorded offences.
    #[must_use]
    pub fn girls_share(&self) -> f64 {
        self.girls.share_of(Children(self.girls.0 + self.boys.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubling_every_record_leaves_the_error_of_the_clusters() {
        let (mut single, mut double) = (Spread::default(), Spread::default());
        for record in 0..100 {
            single.add(u64::from(record < 40), 1);
            double.add(2 * u64::from(record < 40), 2);
        }
        let binomial = (0.4_f64 * 0.6 / 100.0).sqrt();
        assert!((single.error(40, 100) - binomial).abs() < 1e-12);
        assert!((double.error(80, 200) - binomial).abs() < 1e-12);
    }
}
