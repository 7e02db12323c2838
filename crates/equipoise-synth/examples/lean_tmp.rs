use equipoise_core::*;
use equipoise_policy::*;
use equipoise_synth::{World, WorldSpec};
fn main() {
    let text = std::fs::read_to_string("datasets/research.toml").unwrap();
    let mut spec: WorldSpec = toml::from_str(&text).unwrap();
    spec.persons = 10_000;
    spec.days = 180;
    spec.harm.prevalence.value = Fraction::new(0.03).unwrap();
    #[derive(serde::Deserialize)]
    struct A { adaptation: equipoise_synth::AdaptationSpec, review: ReviewRules, measure: Vec<M> }
    #[derive(serde::Deserialize)]
    struct M { pools: Vec<PolicySpec> }
    let a: A = toml::from_str(&std::fs::read_to_string("experiments/policy/in-tandem.toml").unwrap()).unwrap();
    spec.adaptation = Some(a.adaptation);
    let on: usize = std::env::args().nth(1).map_or(31, |s| s.parse().unwrap());
    let reps: usize = std::env::args().nth(2).map_or(3, |s| s.parse().unwrap());
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().unwrap();
    let world = World::build(&spec, Seed::root(5)).unwrap();
    let agenda = world.agenda();
    let roster = world.roster();
    let harmful = |x: AccountRef| roster[x.platform.index()][x.account.index()];
    if on >= 1000 { for _ in 0..reps { let b = std::time::Instant::now(); let mut s = world.start(); while s.step(None, &mut NullSink, &Silent).unwrap() {} println!("full {:?} {}", b.elapsed(), s.finish().events);} return; }
    for _ in 0..reps {
        let begin = std::time::Instant::now();
        let mut policies: Vec<Box<dyn Policy>> = (0..4).map(|_| -> Box<dyn Policy> {
            let mut v = Vec::new();
            for (i, m) in a.measure.iter().enumerate() { if on >> i & 1 == 1 { for p in &m.pools { v.push(Since { day: 0, policy: p.build() }); } } }
            Box::new(Together::new(v)) }).collect();
        let mut desk = Desk::new(a.review, Seed::root(7));
        let mut score = RuleScore::new(4);
        let mut sim = world.start_lean_on(&agenda).reached_by(policies.iter().map(|p| p.reach()).max().unwrap());
        let ledger = run_closed_loop(&mut sim, &mut policies, &mut score, &mut desk, &mut NullSink, &harmful);
        let out = sim.finish();
        let h = equipoise_synth::harm_counts::HarmCounts::of(&out);
        println!("{:?} {} {:?} upheld {}", begin.elapsed(), out.events, h.all, ledger.upheld);
    }
}
