//! Recorded vectors: whole rounds of our own schemes, as JSON on the standard output, for an opener in
//! another language (`benches/peers/open_vectors.py`). Keys come from a seed: NOT SECURE, for comparisons only.
//!
//! `cargo run --release -p equipoise-encrypted --example vectors > vectors.json`
//!
//! | key | what |
//! |---|---|
//! | `scheme`, `clients`, `len` | what was summed by whom |
//! | `layout`, `key_layout` | slots, bits of one, scale as a power of two: how integers lie in a coefficient |
//! | `polynomial_size` | of every ring |
//! | `uploads`, `answers` | the messages as they travel, hexadecimal; the formats stand in `codec.rs` and the `wire` files |
//! | `sum` | what our code opened |
//! | `adverts`, `threshold` | of masks: the keys that were published, and how many shares give a secret; the last client that was asked drops out |
//! | `key_seed` | of the shared key, which no message carries: the replayable seed, from which `entropy.rs` says how the key comes |
//!
//! Prio3's messages are those of its draft, whose own vectors `prio` is tested with; `naive-fheint`'s are tfhe's. A fusion's vector holds flags instead: `bodies` and each holder's `shares`, as they travel, and the opened `values` of `bands` bands.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::unwrap_used)] // A generator for people and scripts.

use equipoise_core::{ClipNorm, Seed};
use equipoise_encrypted::fusion::{
    FUSE_N2048, FlagBody, FlagShare, FusionHolder, FusionKeys, FusionMessage, FusionPlan, FusionPlatform,
    FusionPublic, FusionRule, FusionServer, FusionSpec, JointKey as FusionKey, open_flag, plain_hash,
};
use equipoise_encrypted::{
    JointKey, OneShot, PairwiseMasking, ReplaySource, SharedKeyGlwe, Smudging, joint_key, masking, one_shot,
};
use equipoise_encrypted::{Share, Upload};
use equipoise_federated::laws::random_integers;
use equipoise_federated::{CohortRecord, SecureSum, SetupOf, VectorSpec};
use equipoise_privacy::{LocalUpdate, OutgoingUpdate, Quantizer};
use serde_json::{Value, json};

const LEN: usize = 10_001;
const CLIENTS: u32 = 4;

fn spec() -> VectorSpec {
    VectorSpec {
        len: LEN,
        quantizer: Quantizer { clip_abs: 2047.0, bits: 12 },
        max_weight: 1,
        max_clients: CLIENTS,
    }
}

fn update(client: u32) -> OutgoingUpdate {
    let drawn = random_integers(Seed::root(3).derive("client", u64::from(client)), LEN);
    #[allow(clippy::cast_precision_loss)]
    let real = drawn.into_iter().map(|value| (value % 2048) as f32).collect();
    let wide = ClipNorm::new(1e12).unwrap();
    LocalUpdate::new(real).clip_l2(wide).quantise(&spec().quantizer, 1).without_noise(0, client)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How a scheme's messages are written.
struct Writers<S: SecureSum> {
    upload: fn(&S::Upload) -> Vec<u8>,
    clients: fn(&S::Accumulator) -> Vec<u32>,
    answer: fn(&S::Public, &S::Share) -> Vec<u8>,
}

/// A round of `scheme` in which everybody is asked and the first `there` clients send.
fn round<S: SecureSum>(scheme: &S, parties: &mut SetupOf<S>, there: u32, writers: &Writers<S>) -> Value {
    let public = &parties.public;
    let asked: Vec<u32> = (0..CLIENTS).collect();
    scheme.prepare(public, &mut parties.clients, 0, &asked).unwrap();
    let mut sum = scheme.empty(public, 0);
    let mut uploads = vec![];
    for (client, state) in (0..there).zip(&mut parties.clients) {
        let upload = scheme.protect(public, state, &update(client)).unwrap();
        scheme.accumulate(public, &mut sum, &upload).unwrap();
        uploads.push(hex(&(writers.upload)(&upload)));
    }
    let cohort = CohortRecord { round: 0, clients: (writers.clients)(&sum) };
    let open = |holder| scheme.partial_open(public, holder, &sum, &cohort).unwrap();
    let answers: Vec<S::Share> = parties.holders.iter_mut().map(open).collect();
    let written: Vec<String> = answers.iter().map(|answer| hex(&(writers.answer)(public, answer))).collect();
    let opened = scheme.open(public, sum, &answers).unwrap();
    json!({ "scheme": scheme.name(), "clients": there, "len": LEN, "polynomial_size": 4096, "uploads": uploads, "answers": written, "sum": opened.values })
}

const SEED: [u8; 32] = [7; 32];

fn sums(all: &mut Vec<Value>) {
    let seed = ReplaySource::new(SEED);
    for smudging in [Smudging::Total { rounds: 1000 }, Smudging::PerCoefficient {}] {
        let scheme = OneShot::new(3, 2, smudging).on(seed);
        let mut parties = scheme.setup(&spec()).unwrap();
        let plan = *parties.public.plan();
        let writers = Writers {
            upload: one_shot::Upload::to_bytes,
            clients: one_shot::Accumulator::clients,
            answer: |public: &one_shot::Public, answer| public.opening().answer_bytes(answer),
        };
        let mut vector = round(&scheme, &mut parties, CLIENTS, &writers);
        let (body, key) = (plan.bodies, plan.key);
        vector["layout"] = json!([body.slots, body.width_bits, body.delta_log2]);
        vector["key_layout"] = json!([key.slots, key.width_bits, key.delta_log2]);
        all.push(vector);
    }
    let scheme = JointKey::new(2, 2, Smudging::PerCoefficient {}).on(seed);
    let mut parties = scheme.setup(&spec()).unwrap();
    let layout = *parties.public.layout();
    let writers = Writers {
        upload: joint_key::Upload::to_bytes,
        clients: joint_key::Accumulator::clients,
        answer: |public: &joint_key::Public, answer| public.opening().answer_bytes(answer),
    };
    let mut vector = round(&scheme, &mut parties, CLIENTS, &writers);
    vector["layout"] = json!([layout.slots, layout.width_bits, layout.delta_log2]);
    all.push(vector);
}

/// Masks that cancel, with a client that dropped out after it was asked.
fn masked() -> Value {
    let scheme = PairwiseMasking::new(CLIENTS - 1).on(ReplaySource::new(SEED));
    let mut parties = scheme.setup(&spec()).unwrap();
    let writers = Writers {
        upload: masking::Upload::to_bytes,
        clients: masking::Accumulator::clients,
        answer: |_: &masking::Public, answer| masking::Shares::to_bytes(answer),
    };
    let mut vector = round(&scheme, &mut parties, CLIENTS - 1, &writers);
    let adverts = parties.public.adverts(0);
    vector["adverts"] = adverts.values().map(|advert| hex(&advert.to_bytes())).collect();
    vector["threshold"] = json!(CLIENTS - 1);
    vector["word_bytes"] = json!(parties.public.modulus().bytes());
    vector
}

/// One key that every platform holds: the opener makes it from the seed, because no message carries it.
fn shared_key() -> Value {
    let scheme = SharedKeyGlwe::default().on(ReplaySource::new(SEED));
    let mut parties = scheme.setup(&spec()).unwrap();
    let layout = *parties.public.layout();
    let writers = Writers {
        upload: Upload::to_bytes,
        clients: equipoise_encrypted::Accumulator::clients,
        answer: |_: &equipoise_encrypted::Public, answer| Share::to_bytes(answer),
    };
    let mut vector = round(&scheme, &mut parties, CLIENTS, &writers);
    vector["layout"] = json!([layout.slots, layout.width_bits, layout.delta_log2]);
    vector["key_seed"] = json!(hex(&SEED));
    vector
}

fn fusion() -> Value {
    let spec = FusionSpec { max_score: 255, weights: vec![1, 2, 1], bands: 4, openings_per_account: 1 };
    let public =
        FusionPublic::new(FusionPlan::new(FUSE_N2048, FusionKeys::Joint { holders: 2 }, spec).unwrap())
            .unwrap();
    let joined: Vec<_> = (0..2).map(|holder| FusionHolder::join(&public, holder).unwrap()).collect();
    let commitments: Vec<_> = joined.iter().map(|(_, commitment, _)| *commitment).collect();
    let parts: Vec<_> = joined.iter().map(|(_, _, part)| part.clone()).collect();
    let key = FusionKey::combine(&public, &commitments, &parts).unwrap();
    let platforms: Vec<_> = (0..3).map(|at| FusionPlatform::joint(&public, at, &key)).collect();
    let table = FusionRule::Bands { cuts: vec![100, 400, 800] }.table(public.plan()).unwrap();
    let scores: Vec<[u32; 3]> = (0..24_u32)
        .map(|at| [(at * 53) % 256, (at * 101) % 256, (at * 29) % 256])
        .chain([[255; 3], [0; 3]])
        .collect();
    let server = FusionServer::new(&public);
    let sealed: Vec<Vec<_>> = (0_u64..)
        .zip(&scores)
        .map(|(at, scores)| {
            let account = plain_hash(&at.to_le_bytes());
            platforms
                .iter()
                .zip(scores)
                .map(|(platform, score)| platform.seal(account, *score).unwrap())
                .collect()
        })
        .collect();
    let flags = server.evaluate_all(&server.prepare(&table), &sealed).unwrap();
    let (masks, bodies): (Vec<_>, Vec<_>) = flags.into_iter().unzip();
    let shares: Vec<Vec<FlagShare>> =
        joined.into_iter().map(|(mut holder, ..)| holder.answer(&masks, &mut Vec::new()).unwrap()).collect();
    let open = |(at, body): (usize, &FlagBody)| {
        let own: Vec<FlagShare> = shares.iter().map(|shares| shares[at].clone()).collect();
        open_flag(&public, body, &own).unwrap()
    };
    let values: Vec<u32> = bodies.iter().enumerate().map(open).collect();
    let sums: Vec<u32> = scores.iter().map(|[a, b, c]| a + 2 * b + c).collect();
    let write = |shares: &Vec<FlagShare>| {
        shares.iter().map(|share| hex(&share.to_bytes(&public))).collect::<Vec<_>>()
    };
    json!({
        "scheme": "fusion", "bands": 4, "cuts": [100, 400, 800], "sums": sums, "values": values,
        "bodies": bodies.iter().map(|body| hex(&body.to_bytes(&public))).collect::<Vec<_>>(),
        "shares": shares.iter().map(write).collect::<Vec<_>>(),
    })
}

fn main() {
    let mut all = vec![];
    sums(&mut all);
    all.extend([masked(), shared_key(), fusion()]);
    println!("{}", Value::Array(all));
}
