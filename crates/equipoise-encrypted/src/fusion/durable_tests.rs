//! A session is killed at every point at which it writes, and goes on; a limit that a restart would lift is none.

use super::design::{AccountScores, Fused, RiskFusion};
use super::ggsw::GgswFusion;
use super::params::TOY_N512;
use super::store::{MemoryStore, NoStore, SessionStore, read_record};
use super::testing::{account, spec};
use super::*;
use equipoise_federated::Untimed;
use std::collections::BTreeMap;

const JOINT: FusionKeys = FusionKeys::Joint { holders: 2 };

/// More accounts than one batch holds.
fn accounts() -> Vec<AccountScores> {
    let scores = |at: u32| vec![Some(at % 256), (at % 3 > 0).then_some(at * 7 % 256), Some(at * 11 % 256)];
    (0..150_u32).map(|at| AccountScores { account: account(u64::from(at)), scores: scores(at) }).collect()
}

fn session(keys: FusionKeys, store: impl SessionStore + 'static) -> Result<GgswFusion, FusionError> {
    let plan = FusionPlan::new(TOY_N512, keys, spec(85, &[1, 1, 1], 2, 1)).unwrap();
    GgswFusion::open(plan, Box::new(store))
}

fn fuse(session: &mut GgswFusion, at: u32) -> Result<Fused, FusionError> {
    let mut accounts = accounts();
    accounts.iter_mut().flat_map(|a| a.scores.iter_mut().flatten()).for_each(|score| *score %= 86);
    session.fuse(&FusionRule::Threshold { at }, &accounts, &Untimed)
}

/// A store whose machine dies at its `left`-th change: an append is torn in the middle, a whole file is not written.
#[derive(Debug)]
struct Dying(MemoryStore, usize);

impl Dying {
    fn dies(&mut self) -> bool {
        self.1 = self.1.saturating_sub(1);
        self.1 == 0
    }
}

impl SessionStore for Dying {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        self.0.read(name)
    }
    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), String> {
        if self.dies() { Err("killed".into()) } else { self.0.write(name, bytes) }
    }
    fn append(&mut self, name: &str, bytes: &[u8]) -> Result<(), String> {
        if self.dies() {
            self.0.append(name, &bytes[..bytes.len() / 2 + 1])?;
            return Err("killed".into());
        }
        self.0.append(name, bytes)
    }
}

#[test]
fn a_session_that_is_killed_at_any_write_goes_on_and_opens_every_account_once() {
    for (keys, seats, least) in [(FusionKeys::Shared, 1, 8), (JOINT, 2, 11)] {
        let calm = fuse(&mut session(keys, NoStore).unwrap(), 100).unwrap();
        let mut deaths = 0;
        for at in 1.. {
            let store = MemoryStore::default();
            let killed =
                session(keys, Dying(store.clone(), at)).and_then(|mut session| fuse(&mut session, 100));
            // A second death, one write after the restart, and then a calm end.
            let again =
                session(keys, Dying(store.clone(), 1)).and_then(|mut session| fuse(&mut session, 100));
            assert_eq!(again.is_ok(), killed.is_ok(), "{at}");
            let whole = fuse(&mut session(keys, store.clone()).unwrap(), 100).unwrap();
            assert_eq!(whole, calm, "killed at write {at}");
            for seat in 0..seats {
                let name = format!("seat-{seat}.record");
                let record = read_record(&mut store.clone(), &name).unwrap();
                let mut opened: BTreeMap<Pseudonym, u32> = BTreeMap::new();
                record.iter().for_each(|opening| *opened.entry(opening.account).or_default() += 1);
                assert_eq!(opened.len(), 150);
                assert!(opened.values().all(|count| *count == 1), "killed at write {at}");
            }
            if killed.is_ok() {
                break;
            }
            deaths += 1;
        }
        assert!(deaths >= least, "{deaths} writes: not every step was killed");
    }
}

#[test]
fn a_restart_gives_no_second_opening_with_a_store_and_one_without() {
    for keys in [FusionKeys::Shared, JOINT] {
        let store = MemoryStore::default();
        let first = fuse(&mut session(keys, store.clone()).unwrap(), 100).unwrap();
        let second = fuse(&mut session(keys, store.clone()).unwrap(), 120);
        let Err(FusionError::Refused { reason, .. }) = second else { panic!("{second:?}") };
        assert!(reason.contains("no further rule"), "{reason}");
        // What was opened is remembered by the opener: no seat is asked again.
        let costs_nothing_new = fuse(&mut session(keys, store).unwrap(), 100).unwrap();
        assert_eq!(costs_nothing_new, first);
        // Without a store every start is a new session, whose keys know of nothing: this is what the store is for.
        assert!((0..5).all(|at| fuse(&mut session(keys, NoStore).unwrap(), 100 + at).is_ok()));
    }
}

#[test]
fn what_was_kept_and_then_changed_is_refused() {
    let kept = || {
        let store = MemoryStore::default();
        fuse(&mut session(JOINT, store.clone()).unwrap(), 100).unwrap();
        store
    };
    let changed = |name: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut store = kept();
        let mut bytes = store.read(name).unwrap().unwrap();
        change(&mut bytes);
        store.write(name, &bytes).unwrap();
        session(JOINT, store).and_then(|mut session| fuse(&mut session, 100)).unwrap_err()
    };
    let errors = [
        changed("seat-1.record", &|bytes| bytes[40] ^= 1),
        changed("seat-1.record", &|bytes| drop(bytes.drain(..128))),
        changed("seat-0.secret", &|bytes| bytes[3] = 3),
        changed("seat-0.secret", &|bytes| bytes[3] = (bytes[3] + 1) % 3),
        changed("session", &|bytes| bytes.truncate(20)),
        changed("session", &|bytes| bytes[20] ^= 1),
    ];
    for error in errors {
        assert!(matches!(error, FusionError::Record(_) | FusionError::Malformed(_)), "{error:?}");
    }
    // Another number of holders is another plan.
    let other = session(FusionKeys::Joint { holders: 3 }, kept());
    assert!(matches!(other.err(), Some(FusionError::Malformed(_) | FusionError::Record(_))));
}

#[test]
fn the_same_mask_is_answered_in_the_same_words_and_another_mask_in_others() {
    let mut parties = super::testing::joint(TOY_N512, spec(255, &[1, 1], 2, 2), 2);
    let flag = |parties: &super::testing::Joint, at| {
        parties.evaluate(&FusionRule::Threshold { at }, &[vec![1, 2]]).remove(0).0
    };
    let (first, second) = (flag(&parties, 1), flag(&parties, 2));
    let mut journal: Vec<Opening> = vec![];
    let holder = &mut parties.holders[0];
    let mut answer =
        |flag: &FlagMask| holder.answer(std::slice::from_ref(flag), &mut journal).unwrap().remove(0);
    let answers = [answer(&first), answer(&first), answer(&second), answer(&first)];
    assert_eq!((&answers[0], &answers[0]), (&answers[1], &answers[3]));
    assert_ne!(answers[0], answers[2]);
    assert_eq!(journal.len(), 2, "an answer that was given before is no opening");
    let smudge =
        |share: &FlagShare, flag: &FlagMask| share.value.wrapping_sub(parties.holders[0].bare_share(flag));
    assert_ne!(smudge(&answers[0], &first), smudge(&answers[2], &second));
    assert_ne!(smudge(&answers[0], &first), 0);
}

/// Smudging words are a keyed hash: they fill their range as fresh ones do.
#[test]
fn smudging_by_a_keyed_hash_fills_its_range() {
    let limit = super::record::RateLimit::new(1, b"secret", b"name");
    let mut bins = [0_u32; 16];
    for at in 0..16_000_u32 {
        let mask: [u8; 32] = *blake3::hash(&at.to_le_bytes()).as_bytes();
        bins[usize::from(limit.smudge(&mask)[0] >> 4)] += 1;
    }
    // A thousand a bin, deviation 31; eight of them.
    assert!(bins.iter().all(|count| count.abs_diff(1000) < 8 * 31), "{bins:?}");
}
