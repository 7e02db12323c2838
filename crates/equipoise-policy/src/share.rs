//! Which share of accounts or pairs a setting holds for: a public draw at an address, so that the same ones are in it
//! whenever they are asked about, and a larger share contains a smaller one.

use equipoise_core::{AccountId, Draw, Fraction, PlatformId, Seed};

/// Whether the pair is in the share. One account alone stands with itself.
pub(crate) fn in_share(
    what: &str,
    platform: PlatformId,
    a: AccountId,
    b: AccountId,
    share: Fraction,
) -> bool {
    let pair = (u64::from(a.0) << 32) | u64::from(b.0);
    let address = Seed::root(0).derive(what, u64::from(platform.0)).derive("pair", pair);
    address.rng().chance(share.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    // 20,000 draws at one third: five standard errors are 0.017.
    #[test]
    fn a_share_holds_for_that_many_and_contains_smaller_ones() {
        let share = |value| Fraction::new(value).unwrap();
        let of = |value: f64| {
            let one = move |a| in_share("x", PlatformId(1), AccountId(a), AccountId(7), share(value));
            (0..20_000).map(one).collect::<Vec<bool>>()
        };
        let (third, half) = (of(1.0 / 3.0), of(0.5));
        let count = third.iter().filter(|hit| **hit).count() as f64 / 20_000.0;
        assert!((count - 1.0 / 3.0).abs() < 0.017, "{count}");
        assert!(third.iter().zip(&half).all(|(small, large)| !small || *large));
        assert!(of(0.0).iter().all(|hit| !hit) && of(1.0).iter().all(|hit| *hit));
    }
}
