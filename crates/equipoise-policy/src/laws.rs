//! The laws of [`Policy`], as functions: the examples of this crate must pass, wrong measures in `tests/` must not, and a
//! measure of your own can be held to them in your tests.
//!
//! They run a small fixed world: 24 accounts, 12 ticks of 6 hours, requests and messages drawn by address. Passing is
//! evidence, not proof: a measure that breaks a law only on larger worlds is not found.

use equipoise_core::{
    AccountId, AccountProfile, Action, AgeBand, Budget, ContactView, Draw, Event, EventKind, HOUR, Levers,
    PlatformId, PlatformState, Policy, Reach, RiskScore, Seed, SimTime, Verdict,
};

const ACCOUNTS: u32 = 24;
const TICKS: u32 = 12;
/// Enough that a declared adult asks a declared minor about five times a day: a cap of three must bind.
const INTENTS: usize = 240;

/// Accounts are in contact if their numbers differ by one.
#[derive(Debug)]
struct Line;

impl ContactView for Line {
    fn connected(&self, a: AccountId, b: AccountId) -> bool {
        a.0.abs_diff(b.0) == 1
    }

    fn mutuals(&self, a: AccountId, b: AccountId) -> u32 {
        u32::from(a.0.abs_diff(b.0) == 2)
    }
}

/// The account that an action is about.
#[must_use]
pub const fn subject(action: Action) -> AccountId {
    match action {
        Action::Friction(account)
        | Action::ContactFreeze(account)
        | Action::Ban(account)
        | Action::Reinstate(account) => account,
    }
}

fn profiles() -> Vec<AccountProfile> {
    let age = |account: u32| match account % 4 {
        0 | 1 => Some(AgeBand::Adult),
        2 => Some(AgeBand::From13To15),
        _ => None,
    };
    (0..ACCOUNTS)
        .map(|a| AccountProfile { declared_age: age(a), region: None, created: SimTime(0) })
        .collect()
}

fn tick_start(tick: u32) -> SimTime {
    SimTime(tick.cast_signed() * 6 * HOUR)
}

fn intents(tick: u32) -> Vec<Event> {
    let kinds = [EventKind::ContactRequest, EventKind::ContactRequest, EventKind::Message, EventKind::Search];
    let mut rng = Seed::root(17).derive("law-intents", u64::from(tick)).rng();
    let account = |rng: &mut _| AccountId(u32::try_from(Draw::below(rng, ACCOUNTS as usize)).unwrap_or(0));
    let mut drawn: Vec<Event> = (0..INTENTS)
        .map(|_| {
            let (actor, peer) = (account(&mut rng), account(&mut rng));
            let kind = kinds[rng.below(kinds.len())];
            let peer = if kind.has_peer() { peer } else { AccountId::NONE };
            let mutuals = if rng.chance(0.5) { Event::UNSEEN } else { 0 };
            let detail = if kind == EventKind::ContactRequest { rng.below(4) } else { 0 };
            let detail = u8::try_from(detail).unwrap_or(0);
            Event { mutuals, detail, ..Event::new(tick_start(tick), actor, peer, kind) }
        })
        .collect();
    drawn.sort_unstable();
    drawn
}

/// Scores of every second account, on a grid so that there are ties.
#[allow(clippy::cast_precision_loss, reason = "the grid has five points")]
fn scores(tick: u32) -> Vec<(AccountId, RiskScore)> {
    let mut rng = Seed::root(17).derive("law-scores", u64::from(tick)).rng();
    (0..ACCOUNTS)
        .filter(|account| (account + tick).is_multiple_of(2))
        .map(|account| (AccountId(account), RiskScore::new(rng.below(5) as f32 / 4.0)))
        .collect()
}

/// Everything that a measure said over the whole run.
#[derive(PartialEq, Debug, Default)]
struct Story {
    verdicts: Vec<Verdict>,
    actions: Vec<Action>,
}

/// Runs a measure through the world. `reversed` gives it each tick's questions and scores in the opposite order, and asks
/// every question a second time.
fn tell(policy: &mut dyn Policy, reversed: bool) -> Result<Story, String> {
    let (profiles, mut story) = (profiles(), Story::default());
    for tick in 0..TICKS {
        let state = PlatformState {
            platform: PlatformId(0),
            now: tick_start(tick),
            profiles: &profiles,
            contacts: &Line,
        };
        let intents = intents(tick);
        let mut verdicts: Vec<Verdict> = if reversed {
            intents.iter().rev().map(|intent| policy.permit(intent, &state)).collect()
        } else {
            intents.iter().map(|intent| policy.permit(intent, &state)).collect()
        };
        if reversed {
            verdicts.reverse();
            for (intent, first) in intents.iter().zip(&verdicts) {
                let second = policy.permit(intent, &state);
                if second != *first {
                    return Err(format!(
                        "permit said {first:?}, then {second:?}, about the same intent in tick {tick}"
                    ));
                }
            }
        }
        let happened: Vec<Event> = intents
            .into_iter()
            .zip(&verdicts)
            .filter(|(_, v)| **v == Verdict::Permit)
            .map(|(e, _)| e)
            .collect();
        story.verdicts.append(&mut verdicts);
        policy.tick_end(&happened);
        story.actions.append(&mut act(policy, tick, reversed)?);
    }
    Ok(story)
}

/// One decision, checked against its budget (0 to 3) and against the accounts given.
fn act(policy: &mut dyn Policy, tick: u32, reversed: bool) -> Result<Vec<Action>, String> {
    let mut given = scores(tick);
    if reversed {
        given.reverse();
    }
    let budget = Budget(tick % 4);
    let actions = policy.act(&given, budget);
    if actions.len() > budget.0 as usize {
        return Err(format!(
            "act took {} actions with a budget of {} in tick {tick}",
            actions.len(),
            budget.0
        ));
    }
    for (at, action) in actions.iter().enumerate() {
        let account = subject(*action);
        if !given.iter().any(|(known, _)| *known == account) {
            return Err(format!("act spoke about {account}, which it was not given in tick {tick}"));
        }
        if actions[..at].iter().any(|earlier| subject(*earlier) == account) {
            return Err(format!("act spoke twice about {account} in tick {tick}"));
        }
    }
    Ok(actions)
}

/// Runs a measure that is told only the events that it says it hears.
struct Deaf(Box<dyn Policy>);

impl Policy for Deaf {
    fn permit(&self, intent: &Event, state: &PlatformState<'_>) -> Verdict {
        self.0.permit(intent, state)
    }
    fn act(&mut self, scores: &[(AccountId, RiskScore)], budget: Budget) -> Vec<Action> {
        self.0.act(scores, budget)
    }
    fn tick_end(&mut self, happened: &[Event]) {
        let heard: Vec<Event> = happened.iter().copied().filter(|event| self.0.hears(event.kind)).collect();
        self.0.tick_end(&heard);
    }
}

/// The levers and the answer to a signal.
fn side_effects(make: &dyn Fn() -> Box<dyn Policy>) -> Result<(), String> {
    let mut policy = make();
    for tick in 0..TICKS {
        let now = tick_start(tick);
        policy.clock(now);
        if policy.levers(now) != policy.levers(now) {
            return Err("the levers differ from one question to the next".to_owned());
        }
        let given = [AccountId(3), AccountId(5)];
        let actions = policy.signalled(&given, now);
        if let Some(other) = actions.iter().map(|action| subject(*action)).find(|one| !given.contains(one)) {
            return Err(format!("signalled spoke about {other}, which it was not given"));
        }
        if !actions.is_empty() && !policy.shares_signals(now) {
            return Err("acts on signals and sends none".to_owned());
        }
    }
    Ok(())
}

/// What a measure does not reach between accounts in contact, it permits, and pulls no lever over.
fn reached(make: &dyn Fn() -> Box<dyn Policy>) -> Result<(), String> {
    let (mut policy, profiles) = (make(), profiles());
    let reach = policy.reach();
    let kinds = [EventKind::Message, EventKind::SessionOpen, EventKind::SessionClose];
    for tick in 0..TICKS {
        let now = tick_start(tick);
        policy.clock(now);
        if reach == Reach::Nothing && policy.levers(now).media_screen.is_some() {
            return Err("pulls the filter's lever, which it says it does not reach".to_owned());
        }
        let state = PlatformState { platform: PlatformId(0), now, profiles: &profiles, contacts: &Line };
        for (actor, kind, media) in (0..ACCOUNTS - 1).flat_map(|a| kinds.map(|kind| (a, kind, (a % 2) as u8)))
        {
            let peer = if kind.has_peer() { AccountId(actor + 1) } else { AccountId::NONE };
            let intent = Event { media, ..Event::new(now, AccountId(actor), peer, kind) };
            let free = reach == Reach::Nothing || (reach == Reach::Media && media == 0);
            if free && policy.permit(&intent, &state) != Verdict::Permit {
                return Err(format!("answers {kind:?} between contacts, which it says it does not reach"));
            }
        }
        policy.tick_end(&intents(tick));
    }
    Ok(())
}

/// Holds a measure to the laws; `make` gives a fresh one each time.
///
/// 1. `act` stays within its budget, speaks only about accounts that it was given, and about each once.
/// 2. `permit` is pure between tick ends: asking again, or asking in another order, changes no answer.
/// 3. The order of the scores does not matter.
/// 4. Two fresh measures that are told the same say the same.
/// 5. Events of kinds that it does not hear change nothing.
/// 6. Levers are the same however often they are asked for; signals are answered about the accounts that were named.
/// 7. Sessions and messages between contacts that it says it does not reach are permitted, and no lever of its own touches them.
///
/// # Errors
/// The law that was broken, and where.
pub fn check_laws(make: &dyn Fn() -> Box<dyn Policy>) -> Result<(), String> {
    let first = tell(make().as_mut(), false)?;
    if tell(make().as_mut(), false)? != first {
        return Err("two fresh measures that were told the same differ".to_owned());
    }
    let reversed = tell(make().as_mut(), true)?;
    if reversed.verdicts != first.verdicts {
        return Err("the verdicts depend on the order or the number of the questions".to_owned());
    }
    if reversed.actions != first.actions {
        return Err("the actions depend on the order of the scores or on questions asked before".to_owned());
    }
    if tell(&mut Deaf(make()), false)? != first {
        return Err("events of kinds that it says it does not hear change what it says".to_owned());
    }
    side_effects(make)?;
    reached(make)
}

/// Checks that a measure does nothing: permits every intent and takes no action.
///
/// # Errors
/// What it did.
pub fn check_does_nothing(make: &dyn Fn() -> Box<dyn Policy>) -> Result<(), String> {
    let story = tell(make().as_mut(), false)?;
    if let Some(at) = story.verdicts.iter().position(|verdict| *verdict != Verdict::Permit) {
        return Err(format!("intent {at} was answered with {:?}", story.verdicts[at]));
    }
    if let Some(action) = story.actions.first() {
        return Err(format!("an action was taken: {action:?}"));
    }
    let policy = make();
    if policy.levers(tick_start(1)) != Levers::default() || policy.shares_signals(tick_start(1)) {
        return Err("a lever is pulled or signals are shared".to_owned());
    }
    Ok(())
}
