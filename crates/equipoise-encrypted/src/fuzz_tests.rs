//! Every reader of bytes from outside against changed messages, with what it allocates counted: a short run here, a million inputs each
//! in `--ignored`. The messages of masking, Prio3 and the fusion are held beside their own tests, by the same function.

use crate::fusion::{Matcher, PendingMatch};
use crate::record::RoundRecord;
use crate::testing::{fuzz, fuzz_within, integers, parties, spec};
use crate::{
    Accumulator, JointKey, KeyContribution, MemoryRecord, OneShot, RecordStore, Share, Smudging,
    SystemSource, Upload,
};
use equipoise_core::Seed;
use equipoise_federated::{CohortRecord, SecureSum, SumError};

const SHORT: u32 = 3_000;
const LONG: u32 = 1_000_000;
const LEN: usize = 40;

fn values(client: u64) -> Vec<i64> {
    integers(Seed::root(1).derive("client", client), LEN, 8)
}

fn shared_key(cases: u32) {
    let mut parties = parties(&spec(LEN, 8, 5));
    let public = &parties.public;
    let upload = parties.clients[1].seal(public, 3, 1, &values(1)).unwrap();
    fuzz(&upload.to_bytes(), cases, |bytes| Upload::from_bytes(bytes, public).map(|read| read.to_bytes()));
    let mut sum = Accumulator::new(public, 3);
    let other = parties.clients[0].seal(public, 3, 1, &values(0)).unwrap();
    sum.add_all(public, &[other, upload]).unwrap();
    let cohort = CohortRecord { round: 3, clients: sum.clients() };
    let share = parties.holders[0].open_round(public, &sum, &cohort).unwrap();
    fuzz(&share.to_bytes(), cases, |bytes| Share::from_bytes(bytes, public).map(|read| read.to_bytes()));
}

fn one_shot(cases: u32) {
    let scheme = OneShot::new(2, 2, Smudging::PerCoefficient {});
    let mut parties = scheme.setup(&spec(LEN, 8, 5)).unwrap();
    let public = &parties.public;
    let seal = |client: usize| {
        parties.clients[client].seal(public, 0, 1, &values(client as u64), SystemSource).unwrap()
    };
    let uploads = [0, 1].map(seal);
    let bytes = uploads[0].to_bytes();
    fuzz(&bytes, cases, |bytes| {
        crate::one_shot::Upload::from_bytes(bytes, public).map(|read| read.to_bytes())
    });
    let mut sum = crate::one_shot::Accumulator::new(public, 0);
    sum.add_all(public, &uploads).unwrap();
    let cohort = CohortRecord { round: 0, clients: sum.clients() };
    let request = public.opening.request_bytes(&sum.request());
    fuzz(&request, cases, |bytes| {
        public.opening.read_request(bytes).map(|read| public.opening.request_bytes(&read))
    });
    let answer = scheme.partial_open(public, &mut parties.holders[0], &sum, &cohort).unwrap();
    let answer = public.opening.answer_bytes(&answer);
    fuzz(&answer, cases, |bytes| {
        public.opening.read_answer(bytes).map(|read| public.opening.answer_bytes(&read))
    });
}

fn joint_key(cases: u32) {
    let scheme = JointKey::new(2, 2, Smudging::PerCoefficient {});
    let parties = scheme.setup(&spec(LEN, 8, 5)).unwrap();
    let public = &parties.public;
    let source = SystemSource;
    let bytes = parties.clients[0].seal(public, 0, 1, &values(0), source).unwrap().to_bytes();
    fuzz(&bytes, cases, |bytes| {
        crate::joint_key::Upload::from_bytes(bytes, public).map(|read| read.to_bytes())
    });
}

fn contribution(cases: u32) {
    let (params, session) = (crate::JOINT128_N4096, crate::SessionId([7; 16]));
    let source = SystemSource;
    let (_, own) = crate::joint::JointSecret::generate(&params, session, 1, source).unwrap();
    fuzz(&own.to_bytes(), cases, |bytes| {
        KeyContribution::from_bytes(bytes, &params, session).map(|read| read.to_bytes())
    });
}

/// A record on disk is bytes from outside too.
fn record(cases: u32) {
    let (store, key) = (MemoryRecord::default(), [3; 32]);
    let mut whole = RoundRecord::open(key, Box::new(store.clone())).unwrap();
    (0..3).for_each(|round| whole.commit(round, [9; 32], 9).unwrap());
    fuzz_within(&store.read().unwrap(), cases, 4, |bytes| {
        // An empty store is no record: a new one begins in it.
        if bytes.is_empty() {
            return Err(SumError::Record("empty".into()));
        }
        let mut store = MemoryRecord::default();
        store.append(bytes).map_err(SumError::Record)?;
        RoundRecord::open(key, Box::new(store.clone()))?;
        store.read().map_err(SumError::Record)
    });
}

#[test]
fn changed_messages_of_every_sum_are_errors_or_themselves() {
    [shared_key, one_shot, joint_key, contribution, record].iter().for_each(|check| check(SHORT));
}

#[test]
#[ignore = "a million inputs a message"]
fn a_million_changed_messages_of_every_sum_are_errors_or_themselves() {
    [shared_key, one_shot, joint_key, contribution, record].iter().for_each(|check| check(LONG));
}

/// What a matcher is asked and what it answers: group elements and a proof, where nearly every change is an error. An answer that
/// verifies is the one that was given.
fn matching(cases: u32) {
    let mut matcher = Matcher::new(u64::MAX).unwrap();
    let key = matcher.public_key();
    let ask = || PendingMatch::blind(vec![b"an identifier".to_vec()]).unwrap();
    let (pending, asked) = ask();
    let answer = matcher.evaluate(0, &asked).unwrap();
    pending.finish(&answer, &key).unwrap();
    let mut rng = Seed::root(4).rng();
    let mut below =
        |limit: usize| usize::try_from(rand::rand_core::Rng::next_u64(&mut rng) % limit as u64).unwrap();
    let mut refused = 0;
    for case in 0..cases {
        let mut changed = if case % 2 == 0 { asked.clone() } else { answer.clone() };
        (0..=below(3)).for_each(|_| changed[below(asked.len())] ^= 1 << below(8));
        // Lengths that are no list of elements end first; so that the group's arithmetic is not all of the time, most are.
        if below(16) > 0 {
            changed.truncate(below(changed.len()));
        }
        let (pending, mut wrong) = (ask().0, false);
        let spent = allocation_counter::measure(|| {
            wrong = if case % 2 == 0 {
                matcher.evaluate(0, &changed).is_err()
            } else {
                pending.finish(&changed, &key).is_err()
            };
        });
        // Points of the group are larger than their bytes, and a proof is checked on more of them.
        assert!(spent.bytes_max <= 16_384, "{} bytes for {}", spent.bytes_max, changed.len());
        refused += u32::from(wrong);
    }
    assert!(refused * 10 > 9 * cases, "{refused} of {cases} were refused");
}

#[test]
fn changed_questions_and_answers_of_matching_are_errors() {
    matching(SHORT);
}

#[test]
#[ignore = "a million inputs, some of which cost a group operation"]
fn a_million_changed_questions_and_answers_of_matching_are_errors() {
    matching(LONG);
}
