//! The slow, obvious version: every row recomputed from the whole log, and the laws that the fast one must keep.

use crate::account::OwnActivity;
use crate::dictionary::features;
use crate::dyad::{Dyad, GAP_EDGES, NEVER, OPEN_AFTER, REPLY_WITHIN};
use crate::moment::{Moment, Week};
use crate::sample::Samples;
use crate::stream::codes;
use crate::summary::Summary;
use crate::test_world::{ACCOUNTS, DAYS, OPEN, accounts, log, profiles, rows, run, spec, view};
use crate::{FeatureSpec, FeatureStream, MultiStream, SnapshotPlan};
use equipoise_core::{
    AccountId, DAY, Event, EventKind as K, EventSink, PlatformId, PlatformView, SimTime, Surface,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

const FORMING: [K; 6] =
    [K::ContactRequest, K::ContactAccept, K::ContactDecline, K::Message, K::Call, K::GroupInvite];
const BEGINNING: [K; 4] = [K::ContactRequest, K::Message, K::Call, K::GroupInvite];

fn tally<'a>(events: impl Iterator<Item = &'a Event>, weight: impl Fn(&Event) -> u16) -> u16 {
    events.map(weight).sum()
}

/// The statistics of a dyad from the list of its events, one question at a time.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn dyad(own: AccountId, log: &[Event]) -> Dyad {
    let start = log.iter().position(|event| FORMING.contains(&event.kind)).unwrap();
    let log = &log[start..];
    let side = |event: &Event| usize::from(event.actor != own);
    let of = |kind: K, who: usize| log.iter().filter(move |e| e.kind == kind && side(e) == who);
    let number = |kind| [0, 1].map(|who| of(kind, who).count() as u8);
    let messages: Vec<&Event> = log.iter().filter(|event| event.kind == K::Message).collect();
    let out: Vec<&Event> = of(K::Message, 0).collect();
    let mut new = Dyad {
        turned: log.iter().any(|event| FORMING.contains(&event.kind) && side(event) == 0),
        first_message: messages.first().map_or(NEVER, |event| event.time.0),
        last_message: messages.last().map_or(NEVER, |event| event.time.0),
        last_side: messages.last().map_or(2, |event| side(event) as u8),
        last_out: out.last().map_or(NEVER, |event| event.time.0),
        messages: [0, 1].map(|who| tally(of(K::Message, who), |e| e.count)),
        media: [0, 1].map(|who| tally(of(K::Message, who), |e| u16::from(e.media).min(e.count))),
        buckets_out: out.len() as u16,
        off_hours_out: tally(
            out.iter().copied(),
            |e| if (6..22).contains(&e.time.hour()) { 0 } else { e.count },
        ),
        school_hours_out: tally(out.iter().copied(), |e| {
            if (9..15).contains(&e.time.hour()) && !e.time.is_weekend() { e.count } else { 0 }
        }),
        group_out: tally(out.iter().copied().filter(|e| e.surface == Surface::Group), |e| e.count),
        lobby_out: tally(out.iter().copied().filter(|e| e.surface == Surface::Lobby), |e| e.count),
        call_minutes: tally(log.iter().filter(|e| e.kind == K::Call), |e| e.count),
        days: messages.iter().map(|event| event.time.day()).collect::<BTreeSet<_>>().len() as u16,
        requests: number(K::ContactRequest),
        accepts: number(K::ContactAccept),
        declines: number(K::ContactDecline),
        invites: number(K::GroupInvite),
        exposures: of(K::Exposure, 0).count() as u8,
        blocks: number(K::Block),
        mutes: number(K::Mute),
        reports: number(K::Report),
        safety_reports: [0, 1].map(|who| of(K::Report, who).filter(|e| e.detail == 1).count() as u8),
        mutuals: of(K::ContactRequest, 0).next().map_or(Event::UNSEEN, |event| event.mutuals),
        ..Dyad::EMPTY
    };
    if let Some(first) = log.iter().find(|event| BEGINNING.contains(&event.kind)) {
        (new.began, new.began_by) = (first.time.0, side(first) as u8);
    }
    for pair in out.windows(2) {
        let gap = pair[1].time.since(pair[0].time);
        new.gap_sum += gap as u32;
        new.gap_squares += f64::from(gap).powi(2);
    }
    for (at, event) in messages.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| messages[before]);
        let gap = before.map(|before| event.time.since(before.time));
        let changed = before.is_some_and(|before| before.actor != event.actor);
        let opens = gap.is_none_or(|gap| gap > OPEN_AFTER);
        new.opens[side(event)] += u16::from(opens);
        new.turns[side(event)] += u16::from(opens || changed);
        if let Some(gap) = gap.filter(|&gap| changed && gap <= REPLY_WITHIN) {
            new.replies[side(event)] += 1;
            let bucket = GAP_EDGES.iter().position(|&edge| gap <= edge).unwrap_or(5);
            new.gaps[side(event)][bucket] += 1;
        }
    }
    new.week_out = week(&out, |event| event.count);
    new
}

fn week(events: &[&Event], weight: impl Fn(&Event) -> u16) -> Week {
    let mut week = Week::default();
    let Some(last) = events.last().map(|event| event.time.day()) else { return week };
    for day in last - 6..=last {
        week.add(Some(day - 1), day, events.iter().filter(|e| e.time.day() == day).map(|e| weight(e)).sum());
    }
    week
}

/// The own activity, by replaying the own events: simple enough to be its own oracle, hand-worked beside it.
fn own_activity(own: AccountId, log: &[Event]) -> OwnActivity {
    let mut activity = OwnActivity::EMPTY;
    for event in log.iter().filter(|event| event.actor == own && !event.kind.has_peer()) {
        activity.add(event, Moment::new(event.time));
    }
    activity
}

/// The row of `own` and the accounts that it reads.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
fn slow_row(
    view: &PlatformView,
    spec: &FeatureSpec,
    own: AccountId,
    log: &[Event],
) -> (Vec<f32>, Vec<AccountId>) {
    let with = |peer: AccountId| {
        move |e: &&Event| (e.actor, e.peer) == (own, peer) || (e.actor, e.peer) == (peer, own)
    };
    let ranks = Samples::new(spec.contact_seed, spec.max_contacts, 0);
    let mut peers: Vec<AccountId> = accounts()
        .into_iter()
        .filter(|&p| p != own && log.iter().filter(with(p)).any(|e| FORMING.contains(&e.kind)))
        .collect();
    peers.sort_by_key(|&peer| ranks.priority(own, peer));
    peers.truncate(usize::from(spec.max_contacts));
    let worst = peers.last().map(|&peer| (ranks.priority(own, peer) as f64 + 1.0) / 2.0_f64.powi(64));
    let full = peers.len() == usize::from(spec.max_contacts);
    let contacts = if full {
        ((peers.len() as f64 - 1.0) / worst.unwrap()).max(peers.len() as f64)
    } else {
        peers.len() as f64
    };
    peers.sort_unstable();
    let mut summary = Summary::new(spec.max_contacts);
    let profile = |account: AccountId| codes(&view.profiles[account.index()], &OPEN);
    summary.begin(profile(own), own_activity(own, log), SimTime::from_days(DAYS), true);
    for &peer in &peers {
        let events: Vec<Event> = log.iter().filter(with(peer)).copied().collect();
        summary.add(profile(peer), &dyad(own, &events));
    }
    summary.end(contacts);
    let row = features(spec.label_adjacent).map(|feature| (feature.value)(&summary) as f32).collect();
    (row, [vec![own], peers].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_equal_the_slow_recomputation(profiles in profiles(), log in log(500), m in 1_u16..9) {
        let (view, spec) = (view(profiles), spec(m, true));
        let block = rows(&view, &spec, &log);
        for (row, &own) in block.accounts.iter().enumerate() {
            let (want, reads) = slow_row(&view, &spec, own, &log);
            prop_assert_eq!(block.reads_of(row), &reads[..]);
            prop_assert_eq!(block.row(row), &want[..]);
        }
    }

    /// One run goes on past the cut-off and ends later; the other's log simply stops there.
    #[test]
    fn events_after_the_cutoff_do_not_change_the_features(profiles in profiles(), log in log(300), day in 1..DAYS) {
        let (views, spec, cutoff) = ([view(profiles)], spec(4, true), SimTime::from_days(day));
        let feed = |days: i32, plan: &[SimTime]| {
            let plan = SnapshotPlan::new(plan.to_vec()).unwrap();
            let mut stream = MultiStream::new(&views, &spec, plan).unwrap();
            for day in 0..days {
                let at = |day| log.partition_point(|event| event.time < SimTime::from_days(day));
                stream.on_events(PlatformId(0), SimTime::from_days(day + 1), &log[at(day)..at(day + 1)]);
            }
            stream.finish().unwrap()
        };
        let (rows, rules) = feed(DAYS, &[cutoff, SimTime::from_days(DAYS)]);
        let (early_rows, early_rules) = feed(day, &[cutoff]);
        prop_assert_eq!(&rows[0], &early_rows[0]);
        prop_assert_eq!(&rules[0], &early_rules[0]);
        prop_assert_eq!((rows[0].cutoff, rows.len()), (cutoff, 2));
        prop_assert!(rows[0].accounts.iter().all(|account| views[0].profiles[account.index()].created < cutoff));
    }

    #[test]
    fn batches_do_not_matter(profiles in profiles(), log in log(300), ticks in proptest::collection::btree_set(1..DAYS * 24, 0..30)) {
        let (view, spec) = (view(profiles), spec(4, true));
        let mut stream = FeatureStream::new(&view, &spec).unwrap();
        let mut done = 0;
        for until in ticks.into_iter().map(|hour| SimTime(hour * 3600)).chain([SimTime::from_days(DAYS)]) {
            let end = log.partition_point(|event| event.time < until);
            stream.observe(until, &log[done..end]);
            done = end;
        }
        let whole = run(&view, &spec, &log);
        prop_assert_eq!(stream.snapshot(&accounts()), whole.snapshot(&accounts()));
        prop_assert_eq!(stream.rule_block(&accounts()), whole.rule_block(&accounts()));
        for account in accounts() {
            prop_assert_eq!(stream.sequence(account), whole.sequence(account));
        }
    }

    /// What the privacy unit rests on: nulling an account outside `reads_of(row)` leaves row and sequence as they were.
    #[test]
    fn an_account_that_a_row_does_not_read_cannot_move_it(
        profiles in profiles(), log in log(500), m in 1_u16..6, nulled in 0..ACCOUNTS,
    ) {
        let (view, spec, nulled) = (view(profiles), spec(m, true), AccountId(nulled));
        let before = run(&view, &spec, &log);
        let mut nulled_view = view.clone();
        nulled_view.profiles[nulled.index()].declared_age = None;
        nulled_view.profiles[nulled.index()].region = None;
        let kept: Vec<Event> = log.iter().filter(|e| e.actor != nulled && e.peer != nulled).copied().collect();
        let after = run(&nulled_view, &spec, &kept);
        let (rows, others) = (before.snapshot(&accounts()), after.snapshot(&accounts()));
        for row in 0..rows.rows() {
            if !rows.reads_of(row).contains(&nulled) {
                prop_assert_eq!(rows.row(row), others.row(row));
                prop_assert_eq!(rows.reads_of(row), others.reads_of(row));
                prop_assert_eq!(before.sequence(rows.accounts[row]), after.sequence(rows.accounts[row]));
            }
        }
    }

    #[test]
    fn without_the_group_rows_do_not_depend_on_blocks_mutes_and_reports(profiles in profiles(), log in log(300)) {
        let (view, spec) = (view(profiles), spec(4, false));
        let kept: Vec<Event> = log.iter().filter(|event| !event.kind.is_label_adjacent()).copied().collect();
        let (with, without) = (run(&view, &spec, &log), run(&view, &spec, &kept));
        prop_assert_eq!(with.snapshot(&accounts()), without.snapshot(&accounts()));
        for account in accounts() {
            prop_assert_eq!(with.sequence(account), without.sequence(account));
        }
    }

    #[test]
    fn values_keep_their_range_and_reads_keep_their_bound(profiles in profiles(), log in log(500), m in 1_u16..9) {
        let (view, spec) = (view(profiles), spec(m, true));
        let block = rows(&view, &spec, &log);
        let dictionary = crate::dictionary(true);
        prop_assert_eq!(dictionary.len(), block.columns);
        for row in 0..block.rows() {
            for (def, &value) in dictionary.iter().zip(block.row(row)) {
                prop_assert!(value.is_finite() && (def.range.0..=def.range.1).contains(&value), "{} = {value}", def.name);
            }
            let reads = block.reads_of(row);
            prop_assert!(reads[0] == block.accounts[row] && reads.len() <= usize::from(m) + 1);
        }
    }

    #[test]
    fn a_sequence_is_the_latest_of_what_each_contact_may_hold(profiles in profiles(), log in log(400)) {
        let (view, spec) = (view(profiles), spec(3, true));
        let stream = run(&view, &spec, &log);
        let block = stream.snapshot(&accounts());
        for (row, &own) in block.accounts.iter().enumerate() {
            let tokens = stream.sequence(own);
            prop_assert!(tokens.len() <= 10);
            let single = log.iter().filter(|e| e.actor == own && !e.kind.has_peer()).count().min(3);
            let held = tokens.iter().filter(|token| token.peer_age == 5).count();
            prop_assert!(held <= single);
            if block.reads_of(row).len() == 1 {
                prop_assert_eq!(held, single);
            }
        }
    }
}

#[test]
fn gaps_between_tokens_are_seconds_on_a_log_scale() {
    let profile = equipoise_core::AccountProfile { declared_age: None, region: None, created: SimTime(-DAY) };
    let at = |time, kind| Event::new(SimTime(time), AccountId(0), AccountId::NONE, kind);
    let log = [at(0, K::SessionOpen), at(7, K::Search), at(7, K::SessionClose)];
    let mut sorted = log;
    sorted.sort_unstable();
    let stream = run(&view(vec![profile; ACCOUNTS as usize]), &spec(2, true), &sorted);
    let gaps: Vec<u8> = stream.sequence(AccountId(0)).iter().map(|token| token.gap_bucket).collect();
    assert_eq!(gaps, [0, 3, 0]);
}
