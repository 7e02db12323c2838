//! Whose turn it is in a tick. Roles look for targets and let their dyads talk side by side; a role that does not look in this
//! tick and whose dyads have nothing to say that anybody hears is not looked at, and a dyad that stays silent costs a bound
//! ([`crate::lull`]). What is skipped would have changed nothing: a run that skips is the run that does not, byte for byte
//! (tests of the world's measures).

use crate::actor::{Actor, Voice};
use crate::agenda::Agenda;
use crate::queue::Outbox;
use crate::roles::Role;
use crate::simulation::Simulation;
use crate::world::World;
use equipoise_core::{AgeBand, Reach, Seed, SimTime};
use rayon::prelude::*;

/// Roles of one task: those of one word of bits.
const ROLES_OF_A_TASK: usize = 64;

/// The little of a role that a turn reads, side by side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Post {
    pub(crate) platform: u8,
    pub(crate) persona: AgeBand,
    seeks: bool,
    /// Has no mates on its platform.
    alone: bool,
    spare: bool,
    pub(crate) account: u32,
    start: i32,
}

impl Post {
    pub(crate) fn new(role: &Role, persona: AgeBand) -> Self {
        let (platform, account, start) = (role.platform, role.account, role.start);
        let (alone, spare) = (role.mates.is_empty(), role.spare_of.is_some());
        Self { platform, persona, seeks: role.seeks, alone, spare, account, start }
    }
}

fn stir(stirring: &mut [u64], index: usize) {
    stirring[index / ROLES_OF_A_TASK] |= 1 << (index % ROLES_OF_A_TASK);
}

/// One bit a role that is nobody's spare: a spare stirs when it is made.
pub(crate) fn all_stir(world: &World) -> Vec<u64> {
    let mut stirring = vec![0; world.posts.len().div_ceil(ROLES_OF_A_TASK)];
    let origins = world.posts.iter().enumerate().filter(|(_, post)| !post.spare);
    origins.for_each(|(index, _)| stir(&mut stirring, index));
    stirring
}

/// The roles of one task, with what is known of them side by side.
type Task<'a> = ((&'a mut [Actor], &'a mut [i32]), &'a mut u64);

impl Simulation<'_> {
    /// Lets every role act in this tick. What an actor does hangs on the world as the tick began, on its own dyads and, in a
    /// team, on those of its mates; so the members of teams look for targets one after the other, and all else happens side
    /// by side.
    pub(crate) fn play_roles(&mut self) {
        let mut actors = std::mem::take(&mut self.actors);
        let mut stirring = std::mem::take(&mut self.stirring);
        let mut next_end = std::mem::take(&mut self.next_end);
        let mut outboxes = vec![self.outboxes()];
        for &index in &self.teamed {
            let role = &self.world.roles[index];
            if self.looks(index, &actors[index])
                && let Some(address) = self.turn(index)
            {
                let mut own = std::mem::take(&mut actors[index]);
                let outbox = &mut outboxes[0][usize::from(role.platform)];
                self.seek(role, &mut own, &actors, &mut address.derive("seek", 0).rng(), outbox);
                next_end[index] = own.next_end();
                if own.talks() {
                    stir(&mut stirring, index);
                }
                actors[index] = own;
            }
        }
        let tasks = actors.par_chunks_mut(ROLES_OF_A_TASK).zip(next_end.par_chunks_mut(ROLES_OF_A_TASK));
        outboxes.par_extend(tasks.zip(&mut stirring).enumerate().map(|(task, roles)| self.play(task, roles)));
        (self.actors, self.stirring, self.next_end) = (actors, stirring, next_end);
        self.sites.par_iter_mut().enumerate().for_each(|(platform, live)| {
            let own = outboxes.iter().filter_map(|boxes| boxes.get(platform));
            own.flat_map(|outbox| &outbox.intents).for_each(|intent| live.queue.push(*intent));
        });
    }

    /// Plays the roles of one task; no outboxes where nobody has a turn.
    fn play(&self, task: usize, ((actors, next_end), stirring): Task<'_>) -> Vec<Outbox> {
        let looking = self.agenda.map_or(u64::MAX, |agenda| agenda.looking(self.tick, task));
        let mut left = *stirring | looking;
        let mut outboxes = if left == 0 { Vec::new() } else { self.outboxes() };
        while left != 0 {
            let at = left.trailing_zeros();
            left &= left - 1;
            let Some(actor) = actors.get_mut(at as usize) else { break };
            let index = task * ROLES_OF_A_TASK + at as usize;
            self.play_role(index, actor, &mut outboxes);
            next_end[at as usize] = actor.next_end();
            let post = &self.world.posts[index];
            // The agenda's words leave spares out, and when a role first looks.
            let looks = post.seeks && (post.spare || !actor.begun);
            *stirring = *stirring & !(1 << at) | u64::from(looks || actor.talks()) << at;
        }
        outboxes
    }

    /// Has a role looked at in the next tick.
    pub(crate) fn stir(&mut self, index: usize) {
        stir(&mut self.stirring, index);
    }

    /// Notes that a dyad of a role began, went on or ended.
    pub(crate) fn changed(&mut self, index: usize) {
        if self.actors[index].talks() {
            self.stir(index);
        }
        self.next_end[index] = self.actors[index].next_end();
    }

    /// One empty outbox a platform.
    fn outboxes(&self) -> Vec<Outbox> {
        self.sites.iter().map(|live| Outbox::new(live.queue.bucket)).collect()
    }

    /// When the account of a role closes.
    pub(crate) fn closes(&self, index: usize) -> i32 {
        let post = &self.world.posts[index];
        self.sites[usize::from(post.platform)].closed_at[post.account as usize]
    }

    /// The address of a role's turn in this tick, unless it has none.
    fn turn(&self, index: usize) -> Option<Seed> {
        let post = &self.world.posts[index];
        let created = || self.sites[usize::from(post.platform)].created(post.account);
        let start = if post.spare { created() } else { post.start };
        let (from, to) = (self.tick * self.tick_seconds, (self.tick + 1) * self.tick_seconds);
        let tick = u64::from(self.tick.unsigned_abs());
        (start < to && self.closes(index) > from).then(|| self.own_seeds[index].derive("tick", tick))
    }

    /// Whether a role may look for anybody in this tick; the agenda knows most of those that will not.
    fn looks(&self, index: usize, actor: &Actor) -> bool {
        let post = &self.world.posts[index];
        let known = |agenda: &Agenda| {
            if post.spare { agenda.spare_may_look(self, index) } else { agenda.may_look(self.tick, index) }
        };
        post.seeks && (!actor.begun || self.agenda.is_none_or(known))
    }

    fn play_role(&self, index: usize, actor: &mut Actor, outboxes: &mut [Outbox]) {
        let post = &self.world.posts[index];
        let looks = post.alone && self.looks(index, actor);
        if !looks && !actor.talks() {
            return;
        }
        let Some(address) = self.turn(index) else { return };
        let platform = usize::from(post.platform);
        let outbox = &mut outboxes[platform];
        if looks {
            let role = &self.world.roles[index];
            self.seek(role, actor, &[], &mut address.derive("seek", 0).rng(), outbox);
        }
        actor.listen(|number, dyad| {
            let role = &self.world.roles[index];
            let (pace, off) = (Self::pace_of(role, dyad), role.theta.off_hours[usize::from(dyad.stage) - 1]);
            let matters = self.matters(dyad);
            (matters != Reach::Nothing).then_some(Voice { number, matters, pace, off })
        });
        let now = SimTime(self.tick * self.tick_seconds);
        let (weekend, hours) = (now.is_weekend(), self.hours());
        let usage = self.world.drift.usage(platform, now.0);
        for (voice, dyad) in actor.talking() {
            let mut rng = address.derive("dyad", u64::from(voice.number)).rng();
            let most = self.world.rhythm.most(post.persona, weekend, voice.off, hours.start, hours.end);
            if !self.world.lull.silent(voice.pace * usage * most, &rng) {
                self.talk(&self.world.roles[index], dyad, &mut rng, outbox, voice.matters);
            }
        }
    }
}
