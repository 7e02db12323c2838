//! What the account declared about itself. Declared ages are often wrong.

use super::sight::needs;
use super::{Feature, Group};
use crate::summary::log_scaled;

const GROUP: Group = Group::Profile;

/// The columns, in order.
pub(super) const FEATURES: &[Feature] = &[
    Feature::new(
        GROUP,
        "account-age",
        "days",
        "log-scaled days since the account was made, cap 3650",
        needs::NOTHING,
        |s| log_scaled(s.account_days(), 3650.0),
    )
    .own(),
    Feature::new(
        GROUP,
        "own-age-under-13",
        "0 or 1",
        "the account declared the band under-13",
        needs::AGE,
        |s| f64::from(u8::from(s.codes.age == 0)),
    )
    .own(),
    Feature::new(GROUP, "own-age-13-15", "0 or 1", "the account declared the band 13-15", needs::AGE, |s| {
        f64::from(u8::from(s.codes.age == 1))
    })
    .own(),
    Feature::new(GROUP, "own-age-16-17", "0 or 1", "the account declared the band 16-17", needs::AGE, |s| {
        f64::from(u8::from(s.codes.age == 2))
    })
    .own(),
    Feature::new(GROUP, "own-age-adult", "0 or 1", "the account declared the band adult", needs::AGE, |s| {
        f64::from(u8::from(s.codes.age == 3))
    })
    .own(),
    Feature::new(
        GROUP,
        "own-age-unknown",
        "0 or 1",
        "the platform does not hold a declared age of the account",
        needs::NOTHING,
        |s| f64::from(u8::from(s.codes.age == 4)),
    )
    .own(),
];
