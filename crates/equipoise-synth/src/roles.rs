//! One actor's parameters: the look-alike's plus `detectability` times the difference, on the link scale, plus the
//! actor's own offset. Harmful and benign actors come out of the same function; a benign one has detectability 0.

use crate::Shift;
use crate::spec::WorldSpec;
use crate::spec_harm::ArchetypeSpec;
use equipoise_core::{CounterRng, Draw, Fraction};

/// Resolved parameters of one actor.
#[derive(Clone, Debug)]
pub(crate) struct Theta {
    pub(crate) requests: f64,
    pub(crate) minors: f64,
    pub(crate) girls: f64,
    pub(crate) triadic: f64,
    pub(crate) existing: f64,
    pub(crate) accept: f64,
    pub(crate) initiation: f64,
    pub(crate) off_hours: f64,
    pub(crate) media: f64,
    pub(crate) reply: f64,
    pub(crate) conversations: f64,
    pub(crate) stage_rate: [f64; 5],
    pub(crate) moves: f64,
    pub(crate) recent: f64,
    pub(crate) notice: [f64; 5],
    pub(crate) child_safety: f64,
    pub(crate) action: f64,
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
    /// Whether this account finds targets itself or only takes over dyads.
    pub(crate) seeks: bool,
    /// When the actor begins.
    pub(crate) start: i32,
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

impl Theta {
    /// Draws one actor's parameters; `delta` is 0 for a look-alike.
    pub(crate) fn draw(
        spec: &WorldSpec,
        archetype: &ArchetypeSpec,
        delta: f64,
        rng: &mut CounterRng,
    ) -> Self {
        let sigma = spec.harm.actor_sigma.get();
        let mut own = |shift: &crate::spec_harm::ShareShift| share(shift.value, delta, sigma * rng.normal());
        let minors = own(&archetype.minors);
        let triadic = own(&archetype.triadic);
        let accept = own(&archetype.accept);
        let initiation = own(&archetype.initiation);
        let off_hours = own(&archetype.off_hours);
        let media = own(&archetype.media);
        let reply = own(&archetype.reply);
        let requests = archetype.requests.value;
        let conversations = archetype.conversations.value;
        let stages = archetype.stage_rate.value;
        let notices = spec.responses.notice.value;
        let shared = |shift: &crate::spec_harm::ShareShift| share(shift.value, delta, 0.0);
        let spread = archetype.requests_sigma.get();
        Self {
            requests: rate(requests.matched, requests.full, delta, spread * rng.normal()),
            minors,
            girls: shared(&archetype.girls),
            triadic,
            existing: shared(&archetype.existing),
            accept,
            initiation,
            off_hours,
            media,
            reply,
            conversations: rate(conversations.matched, conversations.full, delta, sigma * rng.normal()),
            stage_rate: std::array::from_fn(|s| rate(stages.matched[s], stages.full[s], delta, 0.0)),
            moves: shared(&archetype.moves),
            recent: shared(&archetype.recent),
            notice: std::array::from_fn(|s| {
                share(Shift { matched: notices.matched[s], full: notices.full[s] }, delta, 0.0)
            }),
            child_safety: share(spec.responses.category.value, delta, 0.0),
            action: share(spec.moderation.action.value, delta, 0.0),
        }
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
    fn half_way_between_one_and_four_is_two_on_the_log_scale() {
        assert!((rate(1.0, 4.0, 0.5, 0.0) - 2.0).abs() < 1e-12);
    }
}
