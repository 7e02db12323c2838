//! Who the contacts are. A contact is an account with a request, accept, decline, message, call or invite between the two.

use super::sight::needs;
use super::{Feature, Group};
use crate::summary::{log_scaled, share};

const GROUP: Group = Group::Contacts;

/// The columns, in order.
pub(super) const FEATURES: &[Feature] = &[
    Feature::new(
        GROUP,
        "sampled-contacts",
        "contacts",
        "log-scaled contacts in the sample, cap max-contacts",
        needs::NOTHING,
        |s| log_scaled(s.all.contacts, s.max_contacts),
    ),
    Feature::new(
        GROUP,
        "contacts-estimate",
        "contacts",
        "log-scaled distinct contacts, estimated from the ranks of the sample once it is full, cap 5000",
        needs::NOTHING,
        |s| log_scaled(s.all.contacts * s.scale, 5000.0),
    ),
    Feature::new(
        GROUP,
        "contacts-per-day",
        "contacts per active day",
        "estimated distinct contacts per active day; log-scaled, cap 100",
        needs::NOTHING,
        |s| log_scaled(s.daily(s.all.contacts), 100.0),
    ),
    Feature::new(
        GROUP,
        "contact-share-under-13",
        "share",
        "contacts that declared the band under-13",
        needs::AGE,
        |s| share(s.bands[0], s.all.contacts),
    ),
    Feature::new(
        GROUP,
        "contact-share-13-15",
        "share",
        "contacts that declared the band 13-15",
        needs::AGE,
        |s| share(s.bands[1], s.all.contacts),
    ),
    Feature::new(
        GROUP,
        "contact-share-16-17",
        "share",
        "contacts that declared the band 16-17",
        needs::AGE,
        |s| share(s.bands[2], s.all.contacts),
    ),
    Feature::new(
        GROUP,
        "contact-share-adult",
        "share",
        "contacts that declared the band adult",
        needs::AGE,
        |s| share(s.bands[3], s.all.contacts),
    ),
    Feature::new(
        GROUP,
        "contact-share-unknown",
        "share",
        "contacts without a declared age",
        needs::NOTHING,
        |s| share(s.bands[4], s.all.contacts),
    ),
    Feature::new(
        GROUP,
        "contact-count-under-13",
        "contacts",
        "estimated contacts that declared the band under-13; log-scaled, cap 2000",
        needs::AGE,
        |s| log_scaled(s.bands[0] * s.scale, 2000.0),
    ),
    Feature::new(
        GROUP,
        "contact-count-13-15",
        "contacts",
        "estimated contacts that declared the band 13-15; log-scaled, cap 2000",
        needs::AGE,
        |s| log_scaled(s.bands[1] * s.scale, 2000.0),
    ),
    Feature::new(
        GROUP,
        "contact-count-16-17",
        "contacts",
        "estimated contacts that declared the band 16-17; log-scaled, cap 2000",
        needs::AGE,
        |s| log_scaled(s.bands[2] * s.scale, 2000.0),
    ),
    Feature::new(
        GROUP,
        "contact-count-adult",
        "contacts",
        "estimated contacts that declared the band adult; log-scaled, cap 2000",
        needs::AGE,
        |s| log_scaled(s.bands[3] * s.scale, 2000.0),
    ),
    Feature::new(
        GROUP,
        "age-gap",
        "bands",
        "mean distance between the own declared band and the contact's, over 3",
        needs::AGE,
        |s| share(s.ages[1], 3.0 * s.ages[0]),
    ),
    Feature::new(
        GROUP,
        "younger-contact-share",
        "share",
        "contacts that declared a younger band than the account",
        needs::AGE,
        |s| share(s.ages[2], s.ages[0]),
    ),
    Feature::new(
        GROUP,
        "region-mismatch-share",
        "share",
        "contacts in another coarse region",
        needs::REGION,
        |s| share(s.regions[1], s.regions[0]),
    ),
    Feature::new(
        GROUP,
        "recommended-contact-share",
        "share",
        "contacts that the platform recommended to the account after the contact began",
        needs::EXPOSURE,
        |s| share(s.all.exposed, s.all.contacts),
    ),
];
