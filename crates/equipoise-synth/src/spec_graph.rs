//! The graph's part of a world file: two families of ties side by side, each with its own table; `generator` picks.

use crate::WorldError;
use crate::sourced::Sourced;
use crate::spec::{Number, Rate};
use serde::{Deserialize, Serialize};

/// Who knows whom.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GraphSpec {
    /// Adults of the wider family around each child.
    pub relatives: u8,
    /// Shares of households that use a platform, by archetype.
    pub household_on_platform: Sourced<[f64; 4]>,
    /// Shares of wider families that use a platform, by archetype.
    pub family_on_platform: Sourced<[f64; 4]>,
    /// Shares of callings (an adult with the children of a class, a team, a helpline) on a platform, by archetype.
    pub calling_on_platform: Sourced<[f64; 4]>,
    /// Family "a".
    pub circles: CirclesSpec,
    /// Family "b".
    pub latent_space: LatentSpaceSpec,
    /// How ordinary accounts find those whom they ask for contact.
    pub new_ties: NewTieSpec,
}

/// Typed, assortative, overlapping circles.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CirclesSpec {
    /// Log-scale, over persons, of the number of circles joined by choice.
    pub sigma: Number,
    /// How the probability of a tie falls with the circles of both sides: `(g_a g_b / mean^2)^(-crowding / 2)`. 0: not.
    pub crowding: Number,
    /// How much of the growth of degrees with the world comes from larger circles; the rest comes from more of them.
    pub growth_by_size: Rate,
    /// Everybody of one year of age and one school.
    pub school_year: CircleSpec,
    /// A part of a school year.
    pub class: CircleSpec,
    /// Sports, music, neighbourhood groups of about one age.
    pub team: CircleSpec,
    /// Adults of one workplace.
    pub work: CircleSpec,
    /// People who play together, wherever they live.
    pub gaming: CircleSpec,
    /// Friends of about one age.
    pub friends: CircleSpec,
    /// Age-mixed circles: clubs, congregations, neighbourhoods.
    pub club: CircleSpec,
    /// Single acquaintances, anywhere: pairs instead of circles.
    pub loose: CircleSpec,
}

/// One type of circle. `rate` and `size` hold in a world of 10,000 persons.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CircleSpec {
    /// Mean number of such circles of a person, by age band.
    pub rate: Sourced<[f64; 4]>,
    /// Median size.
    pub size: Number,
    /// Log-scale of the size.
    pub size_sigma: Number,
    /// Probability of a tie in a circle of median size; it falls with the root of the size.
    pub link: Rate,
    /// Who comes together.
    pub sorting: Sourced<Sorting>,
    /// Shares of such circles that use a platform, by archetype. A circle is on a platform as a whole or not at all.
    pub on_platform: Sourced<[f64; 4]>,
}

/// Who comes together in a circle: people are sorted and cut into circles.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sorting {
    /// Members share a town (one a region, in worlds below 22,500 persons).
    pub local: bool,
    /// Members share a year of age; nobody chooses to be in such a circle, so sociability has no part in it.
    pub cohort: bool,
    /// Jitter, in years, of the age by which minors are sorted; 100 or more: age has no part in it.
    pub years: f64,
    /// What each year above 18 adds to that jitter.
    pub growth: f64,
    /// How finely people are sorted by sociability: levels per standard deviation. 0: not.
    pub levels: f64,
}

/// Ties by distance in a hidden space.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LatentSpaceSpec {
    /// Mean number of ties by distance in a world of 10,000 persons.
    pub degree: Number,
    /// Exponent of the power law of activity, above 2; the tail is cut at 12 times the mean.
    pub exponent: Number,
    /// How fast the probability of a tie falls with distance, above 1.
    pub decay: Number,
    /// Jitter, in years, of the age that gives a minor's position.
    pub years: Number,
    /// What each year above 18 adds to that jitter.
    pub growth: Number,
    /// Shares of ties that exist on a platform, by archetype: between minors.
    pub minors_on_platform: Sourced<[f64; 4]>,
    /// The same between a minor and an adult.
    pub mixed_on_platform: Sourced<[f64; 4]>,
    /// The same between adults.
    pub adults_on_platform: Sourced<[f64; 4]>,
}

/// Shares of contact requests by how the other side was found; they sum to 1.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NewTieSpec {
    /// A contact's contact.
    pub triadic: Rate,
    /// A member of one of the person's circles.
    pub group: Rate,
    /// Somebody whom the platform recommended.
    pub recommendation: Rate,
    /// Somebody found by a search.
    pub search: Rate,
}

impl GraphSpec {
    /// Checks what types cannot.
    ///
    /// # Errors
    /// Names the first setting that cannot be simulated.
    pub(crate) fn validate(&self) -> Result<(), WorldError> {
        let bad = |what: String, range: &str| Err(WorldError::Setting { what, range: range.into() });
        let share = |shares: &[f64; 4]| shares.iter().all(|share| (0.0..=1.0).contains(share));
        for (name, circle) in self.circles.named() {
            let sorting = circle.sorting.value;
            if !circle.rate.value.iter().all(|rate| (0.0..=50.0).contains(rate)) {
                return bad(format!("graph.circles.{name}.rate"), "four numbers between 0 and 50");
            }
            if !(2.0..=250.0).contains(&circle.size.get()) || !(0.0..=2.0).contains(&circle.size_sigma.get())
            {
                return bad(
                    format!("graph.circles.{name}.size"),
                    "between 2 and 250, its log-scale at most 2",
                );
            }
            if !share(&circle.on_platform.value) {
                return bad(format!("graph.circles.{name}.on-platform"), "four shares between 0 and 1");
            }
            let jitters = [sorting.years, sorting.growth, sorting.levels];
            if !jitters.iter().all(|jitter| (0.0..=1_000.0).contains(jitter)) {
                return bad(format!("graph.circles.{name}.sorting"), "numbers between 0 and 1,000");
            }
        }
        let latent = &self.latent_space;
        for (name, shares) in [
            ("household-on-platform", &self.household_on_platform),
            ("family-on-platform", &self.family_on_platform),
            ("calling-on-platform", &self.calling_on_platform),
            ("latent-space.minors-on-platform", &latent.minors_on_platform),
            ("latent-space.mixed-on-platform", &latent.mixed_on_platform),
            ("latent-space.adults-on-platform", &latent.adults_on_platform),
        ] {
            if !share(&shares.value) {
                return bad(format!("graph.{name}"), "four shares between 0 and 1");
            }
        }
        let (sigma, crowding) = (self.circles.sigma.get(), self.circles.crowding.get());
        if !(0.0..=2.0).contains(&sigma) || !(0.0..=2.0).contains(&crowding) {
            return bad("graph.circles.sigma and crowding".into(), "between 0 and 2");
        }
        let limits = [
            ("degree", latent.degree.get(), 1.0, 500.0),
            ("exponent", latent.exponent.get(), 2.05, 10.0),
            ("decay", latent.decay.get(), 1.05, 20.0),
            ("years", latent.years.get(), 0.0, 1_000.0),
            ("growth", latent.growth.get(), 0.0, 1_000.0),
        ];
        for (name, value, least, most) in limits {
            if !(least..=most).contains(&value) {
                return bad(format!("graph.latent-space.{name}"), &format!("between {least} and {most}"));
            }
        }
        let ways = &self.new_ties;
        let total = ways.triadic.p() + ways.group.p() + ways.recommendation.p() + ways.search.p();
        if (total - 1.0).abs() > 1e-9 {
            return bad("graph.new-ties".into(), "four shares that sum to 1");
        }
        Ok(())
    }
}

impl CirclesSpec {
    /// Every type with its key in the file.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, &CircleSpec); 8] {
        [
            ("school-year", &self.school_year),
            ("class", &self.class),
            ("team", &self.team),
            ("work", &self.work),
            ("gaming", &self.gaming),
            ("friends", &self.friends),
            ("club", &self.club),
            ("loose", &self.loose),
        ]
    }
}
