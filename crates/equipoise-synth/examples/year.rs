//! What V8 counts in a year, in worlds of any file and size: `cargo run --release -p equipoise-synth --example year -- FILE
//! PERSONS SEEDS`. The frames are those of [`equipoise_synth::StrangerWatch`]; harm is as rare as in the check.
#![allow(clippy::print_stdout, clippy::disallowed_methods, clippy::unwrap_used, clippy::cast_precision_loss)]

use equipoise_core::{Fraction, Seed, Silent};
use equipoise_synth::{Counted, StrangerWatch, World, WorldSpec};

fn main() {
    let number = |at, or: u32| std::env::args().nth(at).map_or(or, |text| text.parse().unwrap());
    let file = std::env::args().nth(1).unwrap_or_else(|| "datasets/research.toml".into());
    let mut spec: WorldSpec = toml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    (spec.persons, spec.days) = (number(2, 10_000), 365);
    spec.harm.prevalence.value = Fraction::new(1e-4).unwrap();
    let mut sums = [Counted::default(); 4];
    for index in 0..u64::from(number(3, 5)) {
        let world = World::build(&spec, Seed::root(1).derive("year", index)).unwrap();
        let mut watch = StrangerWatch::new(&world);
        world.run(None, &mut watch, &Silent).unwrap();
        let c = watch.counts();
        for (sum, one) in sums.iter_mut().zip([c.accepted, c.exchanged, c.unwanted, c.games]) {
            sum.persons += one.persons;
            sum.counted += one.counted;
        }
    }
    for (name, sum) in ["accepted .333", "exchanged .192", "unwanted .30", "games .16"].iter().zip(sums) {
        let share = f64::from(sum.counted) / f64::from(sum.persons);
        let error = (share * (1.0 - share) / f64::from(sum.persons)).sqrt();
        println!("{name}: {share:.4} +- {error:.4} of {}", sum.persons);
    }
}
