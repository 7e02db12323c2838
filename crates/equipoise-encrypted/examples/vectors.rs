//! Recorded vectors: whole rounds of the schemes that open from public messages alone, as JSON on the standard output, for an opener in
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
//!
//! A fusion's vector holds flags instead: `bodies` and each holder's `shares`, as they travel, and the opened `values` of `bands` bands.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::unwrap_used)] // A generator for people and scripts.

use equipoise_core::{ClipNorm, Seed};
use equipoise_encrypted::fusion::{
    FUSE_N2048, FlagBody, FlagShare, FusionHolder, FusionKeys, FusionMessage, FusionPlan, FusionPlatform,
    FusionPublic, FusionRule, FusionServer, FusionSpec, JointKey as FusionKey, open_flag, plain_hash,
};
use equipoise_encrypted::{JointKey, OneShot, OpenAnswer, ReplaySource, Smudging, joint_key, one_shot};
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

/// A round of `scheme`: its uploads and answers by the given writers, and the sum.
fn round<S: SecureSum<Share = OpenAnswer>>(
    scheme: &S,
    parties: &mut SetupOf<S>,
    upload_bytes: impl Fn(&S::Upload) -> Vec<u8>,
    clients: impl Fn(&S::Accumulator) -> Vec<u32>,
    answer_bytes: impl Fn(&S::Public, &OpenAnswer) -> Vec<u8>,
) -> Value {
    let public = &parties.public;
    let mut sum = scheme.empty(public, 0);
    let mut uploads = vec![];
    for (client, state) in (0..).zip(&mut parties.clients) {
        let upload = scheme.protect(public, state, &update(client)).unwrap();
        scheme.accumulate(public, &mut sum, &upload).unwrap();
        uploads.push(hex(&upload_bytes(&upload)));
    }
    let cohort = CohortRecord { round: 0, clients: clients(&sum) };
    let open = |holder| scheme.partial_open(public, holder, &sum, &cohort).unwrap();
    let answers: Vec<OpenAnswer> = parties.holders.iter_mut().map(open).collect();
    let written: Vec<String> = answers.iter().map(|answer| hex(&answer_bytes(public, answer))).collect();
    let opened = scheme.open(public, sum, &answers).unwrap();
    json!({ "scheme": scheme.name(), "clients": CLIENTS, "len": LEN, "polynomial_size": 4096, "uploads": uploads, "answers": written, "sum": opened.values })
}

fn sums(all: &mut Vec<Value>) {
    let seed = ReplaySource::new([7; 32]);
    for smudging in [Smudging::Total { rounds: 1000 }, Smudging::PerCoefficient {}] {
        let scheme = OneShot::new(3, 2, smudging).on(seed);
        let mut parties = scheme.setup(&spec()).unwrap();
        let plan = *parties.public.plan();
        let mut vector = round(
            &scheme,
            &mut parties,
            one_shot::Upload::to_bytes,
            one_shot::Accumulator::clients,
            one_shot::Public::answer_bytes,
        );
        let (body, key) = (plan.bodies, plan.key);
        vector["layout"] = json!([body.slots, body.width_bits, body.delta_log2]);
        vector["key_layout"] = json!([key.slots, key.width_bits, key.delta_log2]);
        all.push(vector);
    }
    let scheme = JointKey::new(2, 2, Smudging::PerCoefficient {});
    let mut parties = scheme.setup(&spec()).unwrap();
    let layout = *parties.public.layout();
    let mut vector = round(
        &scheme,
        &mut parties,
        joint_key::Upload::to_bytes,
        joint_key::Accumulator::clients,
        joint_key::Public::answer_bytes,
    );
    vector["layout"] = json!([layout.slots, layout.width_bits, layout.delta_log2]);
    all.push(vector);
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
    all.push(fusion());
    println!("{}", Value::Array(all));
}
