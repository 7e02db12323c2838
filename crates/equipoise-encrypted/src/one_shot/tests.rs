//! Exact sums, bounds that are real, refusals, and messages from outside.

use super::{Accumulator, OneShot, Plan, Public, Upload};
use crate::entropy::{CryptoSource, ReplaySource, SystemSource};
use crate::mask::MaskStream;
use crate::opening::JointHolder;
use crate::record::MemoryRecord;
use crate::sample::CBD8_BOUND;
use crate::smudge::Smudging;
use crate::testing::{integers, spec};
use equipoise_core::Seed;
use equipoise_federated::{CohortRecord, IntSum, PlanError, SecureSum, SetupOf, SumError, VectorSpec, Wire};

const TOTAL: Smudging = Smudging::Total { rounds: 1000 };

pub(super) fn scheme() -> OneShot {
    OneShot::new(3, 2, TOTAL)
}

pub(super) type Parties = SetupOf<OneShot>;

pub(super) fn sealed(parties: &Parties, round: u32, client: usize, values: &[i64]) -> Upload {
    parties.clients[client].seal(&parties.public, round, 1, values, SystemSource).unwrap()
}

pub(super) fn sum_of(public: &Public, round: u32, uploads: &[Upload]) -> Accumulator {
    let mut sum = Accumulator::new(public, round);
    sum.add_all(public, uploads).unwrap();
    sum
}

pub(super) fn cohort(sum: &Accumulator) -> CohortRecord {
    CohortRecord { round: sum.members.round, clients: sum.clients() }
}

/// All holders answer, the server opens.
pub(super) fn opened(parties: &mut Parties, sum: Accumulator) -> Result<IntSum, SumError> {
    let cohort = cohort(&sum);
    let public = &parties.public;
    let answers = parties
        .holders
        .iter_mut()
        .map(|holder| scheme().partial_open(public, holder, &sum, &cohort))
        .collect::<Result<Vec<_>, _>>()?;
    scheme().open(public, sum, &answers)
}

fn refusal(parties: &mut Parties, sum: &Accumulator, cohort: &CohortRecord) -> String {
    match scheme().partial_open(&parties.public, &mut parties.holders[0], sum, cohort) {
        Err(SumError::Refused { reason, .. }) => reason,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn the_default_plan_at_fifty_platforms_is_the_documented_one() {
    let plan = scheme().layout(&spec(100_000, 12, 50)).unwrap();
    assert_eq!((plan.bodies.slots, plan.bodies.width_bits), (3, 18));
    assert_eq!((plan.key.slots, plan.key.width_bits, plan.key.smudge_log2), (2, 10, 103));
    let bytes = SecureSum::plan(&scheme(), &spec(100_000, 12, 50)).unwrap().upload_bytes;
    // 33,334 bodies, 2,048 and 4,096 words of the key part, 36 bytes of frame: 3.65 B a parameter.
    assert_eq!(bytes, 8 * 33_334 + 16 * (2_048 + 4_096) + 36);
    let each = OneShot::new(3, 2, Smudging::PerCoefficient {}).layout(&spec(100_000, 12, 50)).unwrap();
    assert_eq!((each.key.slots, each.key.smudge_log2), (4, 82));
}

#[test]
fn more_parameters_than_the_estimates_cover_are_refused() {
    let limit = usize::try_from(super::MAX_COEFFICIENTS_PER_KEY).unwrap();
    assert!(scheme().layout(&spec(3 * limit, 12, 50)).is_ok());
    let beyond = scheme().layout(&spec(3 * limit + 1, 12, 50));
    assert!(matches!(beyond, Err(PlanError::KeyExhausted { .. })), "{beyond:?}");
}

#[test]
fn one_holder_six_holders_and_five_hundred_and_thirteen_platforms_are_refused() {
    let with = |holders| OneShot::new(holders, 2, TOTAL).layout(&spec(10, 8, 5));
    assert!(matches!(with(1), Err(PlanError::KeyHolders { .. })));
    assert!(matches!(with(6), Err(PlanError::KeyHolders { .. })));
    assert!((2..=5).all(|holders| with(holders).is_ok()));
    assert!(scheme().layout(&spec(10, 8, 512)).is_ok());
    assert!(matches!(scheme().layout(&spec(10, 8, 513)), Err(PlanError::CohortTooLarge { .. })));
}

#[test]
fn fifty_platforms_at_their_extremes_open_exactly() {
    let spec = spec(3 * 4096 + 1, 12, 50);
    let mut parties = scheme().setup(&spec).unwrap();
    for (round, sign) in [(0, 1), (1, -1)] {
        let values: Vec<i64> =
            (0..spec.len).map(|at| if at % 2 == 0 { 2047 * sign } else { -2047 }).collect();
        let uploads: Vec<_> = (0..50).map(|client| sealed(&parties, round, client, &values)).collect();
        let sum = sum_of(&parties.public, round, &uploads);
        let total = opened(&mut parties, sum).unwrap();
        assert_eq!((total.weight, total.clients), (50, 50));
        assert!(total.values.iter().zip(&values).all(|(total, value)| *total == 50 * value));
    }
}

/// All body errors of one sum of five random updates under fresh keys; opened with the keys' true sum.
fn body_errors(run: u64) -> Vec<i64> {
    let spec = spec(3 * 4096, 16, 5);
    let mut parties = scheme().setup(&spec).unwrap();
    let mut expected = vec![0_u64; 4096];
    let uploads: Vec<_> = (0..5)
        .map(|client| {
            let values = integers(Seed::root(run).derive("client", client as u64), spec.len, 16);
            parties.public.plan.bodies.add_packed(&values, &mut expected);
            sealed(&parties, 0, client, &values)
        })
        .collect();
    let sum = sum_of(&parties.public, 0, &uploads);
    let cohort = cohort(&sum);
    let public = &parties.public;
    let answers: Vec<_> = parties
        .holders
        .iter_mut()
        .map(|holder| scheme().partial_open(public, holder, &sum, &cohort).unwrap())
        .collect();
    let keys = super::open::open_keys(public, &sum, &answers).unwrap();
    let mut scratch = public.ring.scratch();
    MaskStream::of_round(&public.params, public.opening.session, 0).add_polynomial(0, &mut scratch.mask);
    public.ring.multiply_wide(&public.ring.wide_key(&keys), &mut scratch);
    let bodies = sum.bodies.iter().zip(scratch.product.iter()).zip(&expected);
    bodies.map(|((b, p), e)| b.wrapping_sub(*p).wrapping_sub(*e).cast_signed()).collect()
}

#[test]
#[allow(clippy::cast_precision_loss)]
fn the_errors_of_five_bodies_keep_their_bound_and_their_variance_over_twenty_keys() {
    let all: Vec<i64> = (0..20).flat_map(body_errors).collect();
    assert!(all.iter().all(|error| error.unsigned_abs() <= 5 * CBD8_BOUND));
    // Five CBD(8) have variance 20; 81,920 samples put 5 % at ten standard errors.
    let variance = all.iter().map(|&error| (error * error) as f64).sum::<f64>() / all.len() as f64;
    assert!((variance / 20.0 - 1.0).abs() < 0.05, "variance {variance}");
}

#[test]
fn a_plan_with_one_bit_too_few_for_the_sum_of_keys_opens_nothing() {
    // Sums of fifty keys of standard deviation 2 stay within 128 often, but not 4,096 times within 32.
    let spec = spec(100, 8, 50);
    let plan = scheme().layout(&spec).unwrap();
    let mut key = plan.key;
    (key.width_bits, key.delta_log2) = (6, 128 - 2 * 6);
    let mut parties = scheme().setup_with(&spec, Plan { key, ..plan }).unwrap();
    let uploads: Vec<_> = (0..50).map(|client| sealed(&parties, 0, client, &[1; 100])).collect();
    let sum = sum_of(&parties.public, 0, &uploads);
    assert!(matches!(opened(&mut parties, sum), Err(SumError::Malformed(_))));
}

#[test]
fn smudging_beyond_the_plan_opens_nothing() {
    let spec = spec(100, 8, 5);
    let mut parties = scheme().setup(&spec).unwrap();
    parties.public.opening.rules.smudge_log2 = parties.public.plan.key.delta_log2 + 1;
    let uploads: Vec<_> = (0..5).map(|client| sealed(&parties, 0, client, &[1; 100])).collect();
    let sum = sum_of(&parties.public, 0, &uploads);
    assert!(matches!(opened(&mut parties, sum), Err(SumError::Malformed(_))));
}

#[test]
fn a_round_opens_once_for_one_cohort_above_the_floor() {
    let spec = spec(300, 8, 5);
    let strict = OneShot::new(2, 3, TOTAL);
    let mut parties = strict.setup(&spec).unwrap();
    let uploads: Vec<_> = (0..4).map(|client| sealed(&parties, 7, client, &[1; 300])).collect();
    let two = sum_of(&parties.public, 7, &uploads[..2]);
    assert!(refusal(&mut parties, &two, &cohort(&two)).contains("too small"));
    let four = sum_of(&parties.public, 7, &uploads);
    for clients in [vec![0, 1, 2], vec![0, 1, 2, 3, 4], vec![3, 2, 1, 0]] {
        let claimed = CohortRecord { round: 7, clients };
        assert!(refusal(&mut parties, &four, &claimed).contains("not the one in the sum"));
    }
    let elsewhere = CohortRecord { round: 8, clients: vec![0, 1, 2, 3] };
    assert!(refusal(&mut parties, &four, &elsewhere).contains("another round"));
    // Refusals use nothing up.
    strict.partial_open(&parties.public, &mut parties.holders[0], &four, &cohort(&four)).unwrap();
    assert!(refusal(&mut parties, &four, &cohort(&four)).contains("opened before"));
    let three = sum_of(&parties.public, 7, &uploads[..3]);
    assert!(refusal(&mut parties, &three, &cohort(&three)).contains("another cohort"));
}

#[test]
fn the_round_after_the_last_smudged_one_is_refused() {
    let short = OneShot::new(2, 2, Smudging::Total { rounds: 2 });
    let spec = spec(10, 8, 3);
    let mut parties = short.setup(&spec).unwrap();
    for round in 0..3 {
        let uploads: Vec<_> = (0..2).map(|client| sealed(&parties, round, client, &[1; 10])).collect();
        let sum = sum_of(&parties.public, round, &uploads);
        let answer = short.partial_open(&parties.public, &mut parties.holders[0], &sum, &cohort(&sum));
        assert_eq!(answer.is_ok(), round < 2, "{answer:?}");
    }
}

#[test]
fn answers_must_be_all_distinct_and_of_this_sum() {
    let spec = spec(300, 8, 5);
    let mut parties = scheme().setup(&spec).unwrap();
    let uploads: Vec<_> = (0..3).map(|client| sealed(&parties, 0, client, &[1; 300])).collect();
    let sum = sum_of(&parties.public, 0, &uploads);
    let public = &parties.public;
    let answers: Vec<_> = parties
        .holders
        .iter_mut()
        .map(|holder| scheme().partial_open(public, holder, &sum, &cohort(&sum)).unwrap())
        .collect();
    let open = |sum: &Accumulator, answers: &[_]| scheme().open(public, sum.clone(), answers);
    let missing = open(&sum, &answers[..2]).unwrap_err().to_string();
    assert!(missing.contains("2 answers, all of 3 key holders are needed"), "{missing}");
    let twice = [answers[0].clone(), answers[1].clone(), answers[1].clone()];
    assert!(open(&sum, &twice).unwrap_err().to_string().contains("two answers come from one key holder"));
    let other = sum_of(public, 0, &uploads[..2]);
    assert!(matches!(open(&other, &answers), Err(SumError::Malformed(_))));
    assert_eq!(open(&sum, &answers).unwrap().values, vec![3; 300]);
}

#[test]
fn a_changed_body_or_key_part_never_gives_a_silent_wrong_sum() {
    let spec = spec(300, 8, 5);
    let mut parties = scheme().setup(&spec).unwrap();
    let honest: Vec<_> = (0..2).map(|client| sealed(&parties, 0, client, &[1; 300])).collect();
    let changes: [fn(&mut Upload); 3] = [
        |upload| upload.bodies[5] ^= 1 << 5,
        |upload| upload.key.c0[7] ^= 1 << 127,
        |upload| upload.key.c1[0] ^= 1 << 120,
    ];
    for (round, change) in (0..).zip(changes) {
        let mut uploads = honest.clone();
        uploads.iter_mut().for_each(|upload| upload.round = round);
        if round > 0 {
            uploads = (0..2).map(|client| sealed(&parties, round, client, &[1; 300])).collect();
        }
        change(&mut uploads[1]);
        let sum = sum_of(&parties.public, round, &uploads);
        assert!(matches!(opened(&mut parties, sum), Err(SumError::Malformed(_))), "change {round}");
    }
}

#[test]
fn messages_survive_the_wire_and_every_cut_or_changed_frame_is_a_typed_error() {
    let spec = spec(301, 8, 5);
    let mut parties = scheme().setup(&spec).unwrap();
    let uploads: Vec<_> = (0..2).map(|client| sealed(&parties, 0, client, &[1; 301])).collect();
    let public = &parties.public;
    let bytes = uploads[0].to_bytes();
    assert_eq!(bytes.len() as u64, public.slots().upload_bytes);
    assert_eq!(Upload::from_bytes(&bytes, public).unwrap(), uploads[0]);
    let sum = sum_of(public, 0, &uploads);
    let request = sum.request();
    let asked = public.opening.request_bytes(&request);
    assert_eq!(asked.len() as u64, request.wire_bytes());
    assert_eq!(public.opening.read_request(&asked).unwrap(), request);
    let holder = &mut parties.holders[0];
    let answer = scheme().partial_open(public, holder, &sum, &cohort(&sum)).unwrap();
    let answered = public.opening.answer_bytes(&answer);
    assert_eq!(answered.len() as u64, answer.wire_bytes());
    assert!(answered.len() <= 33_000, "{} bytes a round and holder", answered.len());
    assert_eq!(public.opening.read_answer(&answered).unwrap(), answer);
    let malformed = |result: Result<(), SumError>| assert!(matches!(result, Err(SumError::Malformed(_))));
    for (whole, read) in [
        (&bytes, &(|b: &[u8]| Upload::from_bytes(b, public).map(|_| ())) as &dyn Fn(&[u8]) -> _),
        (&asked, &|b: &[u8]| public.opening.read_request(b).map(|_| ())),
        (&answered, &|b: &[u8]| public.opening.read_answer(b).map(|_| ())),
    ] {
        for len in (0..40).chain([whole.len() - 16, whole.len() - 1]) {
            malformed(read(&whole[..len]));
        }
        malformed(read(&[whole.as_slice(), &[0]].concat()));
        // Magic, version, parameter set, session.
        for at in 0..24 {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            malformed(read(&changed));
        }
    }
    // A count of clients that must not be believed, and clients out of order.
    let mut changed = asked.clone();
    changed[28..32].fill(0xff);
    malformed(public.opening.read_request(&changed).map(|_| ()));
    let mut changed = asked;
    changed[32] = 1;
    malformed(public.opening.read_request(&changed).map(|_| ()));
}

#[test]
fn a_foreign_session_and_a_replayed_round_are_refused() {
    let spec = spec(300, 8, 5);
    let (mut ours, theirs) = (scheme().setup(&spec).unwrap(), scheme().setup(&spec).unwrap());
    let mut sum = Accumulator::new(&ours.public, 1);
    let foreign = sealed(&theirs, 1, 0, &[1; 300]);
    assert!(matches!(sum.add_all(&ours.public, &[foreign]), Err(SumError::Malformed(_))));
    let old = sealed(&ours, 0, 0, &[1; 300]);
    assert_eq!(
        sum.add_all(&ours.public, std::slice::from_ref(&old)),
        Err(SumError::Round { client: 0, got: 0, want: 1 })
    );
    // Relabelled, it is under other masks: nothing opens.
    let mut relabelled = old;
    relabelled.round = 1;
    let fresh = sealed(&ours, 1, 1, &[1; 300]);
    sum.add_all(&ours.public, &[relabelled, fresh]).unwrap();
    assert!(matches!(opened(&mut ours, sum), Err(SumError::Malformed(_))));
    // A holder of another key refuses.
    let uploads: Vec<_> = (0..2).map(|client| sealed(&ours, 2, client, &[1; 300])).collect();
    let sum = sum_of(&ours.public, 2, &uploads);
    let mut theirs = theirs;
    let answer = scheme().partial_open(&ours.public, &mut theirs.holders[0], &sum, &cohort(&sum));
    assert!(matches!(answer, Err(SumError::Refused { .. })));
}

#[test]
fn a_holder_that_comes_back_with_another_record_is_refused() {
    let spec = spec(300, 8, 5);
    let (ours, theirs) = (scheme().setup(&spec).unwrap(), scheme().setup(&spec).unwrap());
    let store = MemoryRecord::default();
    let mut holders = ours.holders.into_iter().zip(theirs.holders);
    let (our_holder, their_holder) = holders.next().unwrap();
    JointHolder::resume(our_holder.stop(), Box::new(store.clone())).unwrap();
    let foreign = JointHolder::resume(their_holder.stop(), Box::new(store));
    assert!(matches!(foreign, Err(SumError::Record(_))));
}

#[test]
fn no_two_uploads_share_a_key_and_debug_prints_no_secret() {
    let spec = spec(300, 8, 5);
    let parties = scheme().setup(&spec).unwrap();
    let (first, second) = (sealed(&parties, 0, 0, &[1; 300]), sealed(&parties, 0, 0, &[1; 300]));
    // 100 coefficients of 64 bits: an equal pair has probability below 2^-57.
    assert!(first.bodies.iter().zip(&second.bodies).all(|(a, b)| a != b));
    let shown = format!("{:?} {:?} {first:?}", parties.holders[0], parties.clients[0]);
    assert!(shown.contains("JointSecret(..)") && shown.len() < 600, "{shown}");
}

#[test]
fn a_replayable_scheme_is_exact_repeats_itself_and_says_that_it_is_not_secure() {
    let replayed = scheme().on(ReplaySource::new([5; 32]));
    assert!(replayed.leakage().headline.starts_with("NOT SECURE: replayable"));
    assert!(!scheme().leakage().headline.contains("NOT SECURE"));
    let spec: VectorSpec = spec(50, 8, 3);
    let source = ReplaySource::new([5; 32]);
    let seal = || {
        let parties = replayed.setup(&spec).unwrap();
        parties.clients[1].seal(&parties.public, 0, 1, &[3; 50], source.at("test", 0)).unwrap().to_bytes()
    };
    assert!(seal() == seal());
}
