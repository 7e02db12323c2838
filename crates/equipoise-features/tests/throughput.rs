//! How many events a second one core takes. Ignored: a measurement, not a claim that can fail.
//! `cargo test --release -p equipoise-features --test throughput -- --ignored --nocapture`

use equipoise_core::{
    AccountId, AccountProfile, AgeBand, Archetype, DAY, Draw, Event, EventKind, HOUR, PlatformId,
    PlatformSchema, PlatformView, Seed, SimTime,
};
use equipoise_features::{FeatureSpec, FeatureStream};

const DAYS: i32 = 60;

fn view(accounts: usize) -> PlatformView {
    let schema = PlatformSchema {
        visible_kinds: 0x7FFF,
        bucket_seconds: 300,
        sees_age: true,
        sees_region: true,
        sees_media: true,
        sees_mutuals: true,
        retention_days: 90,
    };
    let profile = |account: usize| AccountProfile {
        declared_age: Some(AgeBand::ALL[account % 4]),
        region: Some(0),
        created: SimTime(-DAY),
    };
    let profiles = (0..accounts).map(profile).collect();
    PlatformView {
        id: PlatformId(0),
        name: "social-1".into(),
        archetype: Archetype::SocialNetwork,
        schema,
        profiles,
    }
}

/// Eight in ten events are messages with one of about 40 neighbours, two in ten are sessions.
fn log(accounts: usize, events: usize) -> Vec<Event> {
    let mut rng = Seed::root(5).derive("throughput", 0).rng();
    let mut log: Vec<Event> = (0..events)
        .map(|_| {
            let time =
                SimTime(i32::try_from(rng.below((DAYS * DAY / 300) as usize)).expect("60 days fit") * 300);
            let actor = rng.below(accounts);
            let step = 1 + (rng.uniform().powi(3) * 20.0) as usize;
            let peer = if rng.chance(0.5) {
                (actor + step) % accounts
            } else {
                (actor + accounts - step) % accounts
            };
            let id = |account: usize| AccountId(u32::try_from(account).expect("few accounts"));
            if rng.chance(0.2) {
                Event::new(time, id(actor), AccountId::NONE, EventKind::SessionOpen)
            } else {
                Event { count: 3, ..Event::new(time, id(actor), id(peer), EventKind::Message) }
            }
        })
        .collect();
    log.sort_unstable();
    log
}

/// Seconds that this thread spent on a core (Linux): unlike the wall clock, it holds on a shared machine.
fn core_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanoseconds = text.split_whitespace().next().expect("three fields");
    nanoseconds.parse::<f64>().expect("a number") / 1e9
}

#[test]
#[ignore = "a measurement"]
fn events_per_second() {
    for (accounts, events, sequence_length) in
        [(2_000, 500_000, 0), (20_000, 3_000_000, 0), (20_000, 3_000_000, 64)]
    {
        let spec = FeatureSpec { max_contacts: 32, contact_seed: 1, label_adjacent: true, sequence_length };
        let log = log(accounts, events);
        let mut stream = FeatureStream::new(&view(accounts), &spec).unwrap();
        let (mut start, mut half, mut done) = (core_seconds(), 0, 0);
        for tick in 1..=DAYS * 24 {
            if tick == DAYS * 12 {
                // The first half fills the samples and pays for their memory; the second half is the steady state.
                (start, half) = (core_seconds(), done);
            }
            let until = SimTime(tick * HOUR);
            let end = done + log[done..].partition_point(|event| event.time < until);
            stream.observe(until, &log[done..end]);
            done = end;
        }
        let observed = core_seconds() - start;
        let all = stream.existing(stream.until());
        let start = core_seconds();
        let block = stream.snapshot(&all);
        let taken = core_seconds() - start;
        println!(
            "{accounts} accounts, L = {sequence_length}: {:.2} M events/s; snapshot {:.0} k rows/s, {} columns, {:.1} reads a row",
            (events - half) as f64 / observed / 1e6,
            block.rows() as f64 / taken / 1e3,
            block.columns,
            block.reads.len() as f64 / block.rows() as f64
        );
    }
}
