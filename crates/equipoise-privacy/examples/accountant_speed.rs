//! tmp
#![allow(missing_docs, clippy::all, clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout)]
use equipoise_core::*;
use equipoise_privacy::*;
use std::time::Instant;
fn main() {
    let text = std::fs::read_to_string(std::env::args().nth(1).unwrap()).unwrap();
    let mut lines = text.lines();
    let names: Vec<_> = lines.next().unwrap().split(',').collect();
    for line in lines {
        let cells: Vec<_> = line.split(',').collect();
        let get = |name: &str| names.iter().position(|n| *n == name).and_then(|i| cells[i].parse::<f64>().ok());
        let k = get("K").unwrap_or(1.0) as u32;
        let Ok(delta) = Delta::new(get("delta").unwrap()) else { continue };
        let step = SampledStep::of_rows(Fraction::new(get("q").unwrap()).unwrap(), NoiseMultiplier::new(get("sigma").unwrap()).unwrap(), std::num::NonZeroU32::new(k).unwrap()).unwrap();
        let t = get("T").unwrap() as u64;
        let a = Instant::now();
        let est = prv_estimate(&step, t, delta);
        let b = Instant::now();
        let full = prv_bracket(&step, t, delta, std::env::var("ERR").map_or(0.01, |v| v.parse().unwrap()));
        let c = Instant::now();
        let want = get("eps_prv_est").or(get("eps_mog_binomial")).or(get("eps_gauss_analytic"));
        println!("{} {:?} est {:?} ({:.1} ms) {:?} ({:.1} ms) {:?} {:?}", cells[0], want, est, (b-a).as_secs_f64()*1e3, full, (c-b).as_secs_f64()*1e3, get("eps_prv_lo"), get("eps_pld_up"));
    }
}
