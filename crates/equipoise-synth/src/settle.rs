//! What a tick leaves behind: accepted requests become contacts, blocks end dyads, requests will be answered, decisions are
//! filed. What takes thought (who knows whom, what somebody will answer) is weighed side by side, since it hangs on the world
//! as the tick left it; what it changes is applied in order, so that the number of threads changes nothing.

use crate::commit::pair;
use crate::contacts::Bond;
use crate::simulation::{Effects, Filed, Simulation};
use crate::world::NONE;
use equipoise_core::{CounterRng, Draw, EventKind};
use rayon::prelude::*;

/// How somebody will answer a request.
struct Reply {
    request: Filed,
    /// Whether the request is that of a dyad of a role, which another answer of the tick may have ended.
    own: bool,
    noticed: bool,
    accepted: bool,
    declined: bool,
    /// Stands before the draw of the delay.
    rng: CounterRng,
}

impl Simulation<'_> {
    /// Applies what happened on every platform in this tick.
    pub(crate) fn settle(&mut self) {
        let mut effects: Vec<Effects> =
            self.sites.iter_mut().map(|live| std::mem::take(&mut live.effects)).collect();
        let bonds: Vec<Vec<Bond>> = effects
            .par_iter()
            .enumerate()
            .map(|(platform, effects)| {
                effects.accepts.par_iter().map(|one| self.bond(platform, one.by, one.about)).collect()
            })
            .collect();
        for (platform, (effects, bonds)) in effects.iter_mut().zip(bonds).enumerate() {
            self.note_contacts(platform);
            self.note_screened(platform);
            self.end_refused(platform);
            self.befriend(platform, effects, bonds);
        }
        let replies: Vec<Vec<Reply>> = effects
            .par_iter()
            .enumerate()
            .map(|(platform, effects)| {
                effects.requests.par_iter().map(|request| self.weigh(platform, *request)).collect()
            })
            .collect();
        for (platform, (mut effects, replies)) in effects.into_iter().zip(replies).enumerate() {
            replies.into_iter().for_each(|reply| self.respond(platform, reply));
            self.file_decisions(platform);
            effects.requests.clear();
            self.sites[platform].effects = effects;
        }
    }

    /// Notes when roles first reached their targets.
    fn note_contacts(&mut self, platform: usize) {
        let mut contacted = std::mem::take(&mut self.sites[platform].contacted);
        for (role, peer, time) in contacted.drain(..) {
            self.actors[role as usize].reached(peer, time);
        }
        self.sites[platform].contacted = contacted;
    }

    /// Makes contacts of accepted requests and ends what a block ends.
    fn befriend(&mut self, platform: usize, effects: &mut Effects, bonds: Vec<Bond>) {
        let end = (self.tick + 1) * self.tick_seconds;
        for (accept, bond) in effects.accepts.drain(..).zip(bonds) {
            self.sites[platform].contacts.add_at(accept.by, accept.about, end, bond);
            let role = self.world.sites[platform].role_of[accept.about as usize];
            if role != NONE {
                self.accepted(role as usize, accept.by, accept.time);
            }
        }
        for block in effects.blocks.drain(..) {
            for (one, other) in [(block.by, block.about), (block.about, block.by)] {
                let role = self.world.sites[platform].role_of[one as usize];
                if role != NONE {
                    self.ended(role as usize, other, block.time);
                }
            }
        }
    }

    /// What an accepted request makes of two accounts.
    fn bond(&self, platform: usize, one: u32, other: u32) -> Bond {
        if self.sites[platform].contacts.acquainted(one, other) {
            return Bond::Known;
        }
        let (low, high) = pair(one, other);
        let of_both = (u64::from(low) << 32) | u64::from(high);
        let address = self.seeds.respond.derive("platform", platform as u64).derive("bond", of_both);
        let talks = self.world.spec.behaviour.stranger_talk.p();
        if address.rng().chance(talks) { Bond::Stranger } else { Bond::Quiet }
    }

    /// Whether a request is that of a dyad of a role.
    fn own(&self, platform: usize, request: Filed) -> bool {
        let role = self.world.sites[platform].role_of[request.by as usize];
        role != NONE && self.actors[role as usize].has(request.about)
    }

    /// Draws the answer to a request, as of now.
    fn weigh(&self, platform: usize, request: Filed) -> Reply {
        let world = self.world;
        let (from, to) = (request.by, request.about);
        let (site, responses) = (&world.sites[platform], &world.spec.responses);
        let pair = (u64::from(from) << 32) | u64::from(to);
        let address = self.seeds.respond.derive("platform", platform as u64).derive("pair", pair);
        let mut rng: CounterRng = address.derive("at", u64::from(request.time.unsigned_abs())).rng();
        let person = &world.people[site.accounts[to as usize].person as usize];
        let own = self.own(platform, request);
        let acquainted = self.sites[platform].contacts.acquainted_by(request.tied, from, to);
        let (accept, notice) = if own {
            let theta = &world.roles[site.role_of[from as usize] as usize].theta;
            let open = acquainted || person.openness > 0.0;
            (if open { theta.accepts(person) } else { 0.0 }, theta.notice[0])
        } else if acquainted {
            (responses.accept_known.p(), responses.notice_ordinary.p() / 4.0)
        } else {
            (person.accepts_strangers, responses.notice_ordinary.p())
        };
        let noticed = rng.chance((notice * self.noticing(platform, from, to)).min(1.0));
        let accepted = rng.chance(accept);
        let declined = rng.chance(responses.decline.p());
        Reply { request, own, noticed, accepted, declined, rng }
    }

    /// Lets a request be answered, later.
    fn respond(&mut self, platform: usize, reply: Reply) {
        let own = self.own(platform, reply.request);
        let reply = if own == reply.own { reply } else { self.weigh(platform, reply.request) };
        let Reply { request, noticed, accepted, declined, mut rng, .. } = reply;
        // Whoever neither notices nor answers, and ends nothing by that, needs no time.
        if !(noticed || accepted || declined || own) {
            return;
        }
        let (world, responses) = (self.world, &self.world.spec.responses);
        #[allow(clippy::cast_possible_truncation)]
        let delay = (rng.log_normal(responses.delay_hours.get(), responses.delay_sigma.get()).min(240.0)
            * 3_600.0) as i32;
        let (from, to) = (request.by, request.about);
        let role = world.sites[platform].role_of[from as usize];
        let now = (self.tick + 1) * self.tick_seconds;
        if noticed {
            let theta = &world.roles.get(role as usize).filter(|_| own).map(|r| &r.theta);
            match theta {
                Some(theta) => _ = self.answer_notice(platform, to, from, theta, now, &mut rng),
                None if rng.chance(world.spec.responses.block.p()) => {
                    self.sites[platform].queue.plain(now + delay, to, from, EventKind::Block);
                }
                None => {}
            }
        }
        let kind = if accepted && !noticed {
            EventKind::ContactAccept
        } else {
            if own {
                self.ended(role as usize, to, now + delay);
            }
            if !declined {
                return;
            }
            EventKind::ContactDecline
        };
        self.sites[platform].queue.plain(now + delay, to, from, kind);
    }
}
