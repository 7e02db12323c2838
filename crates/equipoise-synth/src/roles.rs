//! One actor's parameters: the look-alike's plus `detectability` times the difference, on the link scale, plus the
//! actor's own offset. Harmful and benign actors come out of the same function; a benign one has detectability 0.

use crate::Shift;
use crate::generator::HarmProcess;
use crate::population::Person;
use crate::spec::WorldSpec;
use crate::spec_harm::{ArchetypeSpec, RateShift, ShareShift};
use crate::spec_targeting::by_gender;
use equipoise_core::{CounterRng, Draw, Fraction};

/// Resolved parameters of one actor. Five numbers stand for stages S1 to S5.
#[derive(Clone, Debug)]
pub(crate) struct Theta {
    pub(crate) requests: f64,
    pub(crate) concurrent: u16,
    pub(crate) minors: f64,
    pub(crate) girls: f64,
    /// Relative weights of under 13, 13 to 15, 16 and 17.
    pub(crate) ages: [f64; 3],
    pub(crate) triadic: f64,
    pub(crate) existing: f64,
    pub(crate) overlap: f64,
    pub(crate) accept: f64,
    pub(crate) accept_girls: f64,
    pub(crate) disclose_girls: f64,
    pub(crate) initiation: [f64; 5],
    pub(crate) off_hours: [f64; 5],
    pub(crate) media: [f64; 5],
    pub(crate) reply: f64,
    pub(crate) conversations: f64,
    pub(crate) stage_rate: [f64; 5],
    pub(crate) moves: [f64; 5],
    pub(crate) hand_over: f64,
    pub(crate) recent: f64,
    pub(crate) notice: [f64; 5],
    pub(crate) child_safety: f64,
    pub(crate) recontact: f64,
    pub(crate) action: f64,
    /// Probability in 30 days of being flagged by the platform's own detector.
    pub(crate) proactive: f64,
}

/// A role on one account.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    pub(crate) platform: u8,
    pub(crate) account: u32,
    pub(crate) harmful: bool,
    pub(crate) theta: Theta,
    /// The role of the same actor on another platform.
    pub(crate) sibling: Option<u32>,
    /// The team, and the roles of the others of it on this platform.
    pub(crate) team: Option<u32>,
    pub(crate) mates: Vec<u32>,
    /// Whether this account finds targets itself or only takes over dyads.
    pub(crate) seeks: bool,
    /// When the actor begins.
    pub(crate) start: i32,
    /// Set if the account is another role's spare, unused until that actor makes it.
    pub(crate) spare_of: Option<u32>,
}

fn logit(p: f64) -> f64 {
    let p = p.clamp(1e-6, 1.0 - 1e-6);
    libm::log(p / (1.0 - p))
}

pub(crate) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

/// Moves a probability by `by` on the logit scale.
pub(crate) fn nudge(p: f64, by: f64) -> f64 {
    logistic(logit(p) + by)
}

fn share(shift: Shift<Fraction>, delta: f64, offset: f64) -> f64 {
    let (matched, full) = (logit(shift.matched.get()), logit(shift.full.get()));
    logistic(matched + delta * (full - matched) + offset)
}

fn rate(matched: f64, full: f64, delta: f64, offset: f64) -> f64 {
    let (matched, full) = (libm::log(matched), libm::log(full));
    libm::exp(matched + delta * (full - matched) + offset)
}

/// What moves between look-alike and pattern: the detectability, with the draws of one actor's own offsets.
struct Knob<'a> {
    delta: f64,
    sigma: f64,
    rng: &'a mut CounterRng,
}

impl Knob<'_> {
    /// A probability with the actor's own offset.
    fn own(&mut self, shift: &ShareShift) -> f64 {
        share(shift.value, self.delta, self.sigma * self.rng.normal())
    }

    fn shared(&self, shift: &ShareShift) -> f64 {
        share(shift.value, self.delta, 0.0)
    }

    fn rate(&self, shift: &RateShift) -> f64 {
        rate(shift.value.matched, shift.value.full, self.delta, 0.0)
    }

    fn rates<const N: usize>(&self, shift: Shift<[f64; N]>) -> [f64; N] {
        std::array::from_fn(|s| rate(shift.matched[s], shift.full[s], self.delta, 0.0))
    }

    /// The odds of `p` times the stage's multiplier.
    fn by_stage(&self, p: f64, odds: Shift<[f64; 5]>) -> [f64; 5] {
        self.rates(odds).map(|factor| nudge(p, libm::log(factor)))
    }
}

impl Theta {
    /// Draws one actor's parameters; `delta` is 0 for a look-alike.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(crate) fn draw(
        spec: &WorldSpec,
        archetype: &ArchetypeSpec,
        delta: f64,
        rng: &mut CounterRng,
    ) -> Self {
        let (harm, targeting) = (&spec.harm, spec.harm.targeting.in_force());
        let mut knob = Knob { delta, sigma: harm.actor_sigma.get(), rng };
        let [minors, triadic, accept, initiation, off_hours, media, reply] = [
            &archetype.minors,
            &archetype.triadic,
            &archetype.accept,
            &archetype.initiation,
            &archetype.off_hours,
            &archetype.media,
            &archetype.reply,
        ]
        .map(|shift| knob.own(shift));
        let requests =
            knob.rate(&archetype.requests) * knob.rng.log_normal(1.0, archetype.requests_sigma.get());
        let conversations =
            knob.rate(&archetype.conversations) * knob.rng.log_normal(1.0, harm.actor_sigma.get());
        let median = knob.rate(&archetype.concurrency);
        let concurrent = libm::round(knob.rng.log_normal(median, harm.concurrency_sigma.get()));
        let moves = knob.shared(&archetype.moves);
        let notices = spec.responses.notice.value;
        let team = archetype.team.as_ref();
        let theta = Self {
            requests,
            concurrent: concurrent.clamp(1.0, f64::from(harm.concurrency_most)) as u16,
            minors,
            girls: knob.shared(&targeting.girls),
            ages: knob.rates(harm.targeting.ages.value),
            triadic,
            existing: knob.shared(&archetype.existing),
            overlap: team.map_or(0.0, |t| knob.shared(&t.overlap)),
            accept,
            accept_girls: knob.rate(&targeting.accept_girls),
            disclose_girls: knob.rate(&targeting.disclose_girls),
            initiation: knob.by_stage(initiation, harm.stage_initiation.value),
            off_hours: knob.by_stage(off_hours, harm.stage_off_hours.value),
            media: knob.by_stage(media, harm.stage_media.value),
            reply,
            conversations,
            stage_rate: knob.rates(archetype.stage_rate.value),
            moves: harm.stage_moves.value.map(|factor| moves * factor),
            hand_over: team.map_or(0.0, |t| knob.shared(&t.hand_over)),
            recent: knob.shared(&archetype.recent),
            notice: std::array::from_fn(|s| {
                share(Shift { matched: notices.matched[s], full: notices.full[s] }, delta, 0.0)
            }),
            child_safety: knob.shared(&spec.responses.category),
            recontact: knob.shared(&spec.responses.recontact),
            action: knob.shared(&spec.moderation.action),
            proactive: knob.shared(&spec.moderation.proactive),
        };
        match spec.generator.harm() {
            HarmProcess::Staged => theta,
            HarmProcess::ConstantRate => theta.constant(),
        }
    }

    /// The second mechanism: every stage has the mean of all, so that nothing in a dyad's behaviour changes with time and
    /// the stages of the truth are a clock alone.
    fn constant(self) -> Self {
        let flat = |rates: [f64; 5]| [rates.iter().sum::<f64>() / 5.0; 5];
        Self {
            initiation: flat(self.initiation),
            off_hours: flat(self.off_hours),
            media: flat(self.media),
            stage_rate: flat(self.stage_rate),
            moves: flat(self.moves),
            notice: flat(self.notice),
            ..self
        }
    }

    /// The probability that `person` accepts a request of this actor.
    pub(crate) fn accepts(&self, person: &Person) -> f64 {
        let accept = if person.band.is_minor() {
            by_gender(self.accept, self.accept_girls, person.girl)
        } else {
            self.accept
        };
        nudge(accept, person.log_vulnerability)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_way_between_one_fifth_and_one_half_is_one_third_on_the_logit_scale() {
        let shift = Shift { matched: Fraction::new(0.2).unwrap(), full: Fraction::new(0.5).unwrap() };
        assert!((share(shift, 0.0, 0.0) - 0.2).abs() < 1e-12);
        assert!((share(shift, 0.5, 0.0) - 1.0 / 3.0).abs() < 1e-12);
        assert!((share(shift, 1.0, 0.0) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn in_the_second_mechanism_no_rate_depends_on_the_stage() {
        let mut spec: WorldSpec = toml::from_str(include_str!("../../../datasets/research.toml")).unwrap();
        let draw = |spec: &WorldSpec| {
            Theta::draw(spec, &spec.harm.archetype[0], 1.0, &mut equipoise_core::Seed::root(1).rng())
        };
        let staged = draw(&spec);
        spec.generator = crate::Generator::B;
        let constant = draw(&spec);
        assert!(staged.stage_rate[2] > staged.stage_rate[0]);
        for rates in [constant.stage_rate, constant.off_hours, constant.notice] {
            assert!(rates.iter().all(|rate| (rate - rates[0]).abs() < 1e-12), "{rates:?}");
        }
        let mean = staged.stage_rate.iter().sum::<f64>() / 5.0;
        assert!((constant.stage_rate[4] - mean).abs() < 1e-12);
    }

    #[test]
    fn half_way_between_one_and_four_is_two_on_the_log_scale() {
        assert!((rate(1.0, 4.0, 0.5, 0.0) - 2.0).abs() < 1e-12);
    }
}
