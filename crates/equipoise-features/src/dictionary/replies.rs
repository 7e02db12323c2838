//! Who answers whom and how fast. Terms as in the statistics of a dyad: opening, turn, reply.

use super::sight::needs;
use super::{Feature, Group};
use crate::summary::{median_bucket, share, smoothed};

const GROUP: Group = Group::Replies;

/// The columns, in order.
pub(super) const FEATURES: &[Feature] = &[
    Feature::new(
        GROUP,
        "reciprocity",
        "share",
        "dyads with messages of both sides, of dyads with messages",
        needs::MESSAGES,
        |s| share(s.all.mutual_talks, s.all.talks),
    ),
    Feature::new(
        GROUP,
        "minor-reciprocity",
        "share",
        "the same with declared minors",
        needs::MINOR_MESSAGES,
        |s| share(s.minors.mutual_talks, s.minors.talks),
    ),
    Feature::new(
        GROUP,
        "one-sided-share",
        "share",
        "dyads with messages of the account only",
        needs::MESSAGES,
        |s| share(s.all.one_sided_talks, s.all.talks),
    ),
    Feature::new(
        GROUP,
        "opening-share",
        "share",
        "openings by the account, (o + 1) / (n + 2)",
        needs::MESSAGES,
        |s| smoothed(s.all.opens[0], s.all.opens[0] + s.all.opens[1]),
    ),
    Feature::new(
        GROUP,
        "minor-opening-share",
        "share",
        "the same with declared minors",
        needs::MINOR_MESSAGES,
        |s| smoothed(s.minors.opens[0], s.minors.opens[0] + s.minors.opens[1]),
    ),
    Feature::new(
        GROUP,
        "replies-received-ratio",
        "share",
        "own turns that the contact replied to",
        needs::MESSAGES,
        |s| share(s.all.replies[1], s.all.turns[0]),
    ),
    Feature::new(
        GROUP,
        "minor-replies-received-ratio",
        "share",
        "the same with declared minors",
        needs::MINOR_MESSAGES,
        |s| share(s.minors.replies[1], s.minors.turns[0]),
    ),
    Feature::new(
        GROUP,
        "replies-given-ratio",
        "share",
        "turns of contacts that the account replied to",
        needs::MESSAGES,
        |s| share(s.all.replies[0], s.all.turns[1]),
    ),
    Feature::new(
        GROUP,
        "own-reply-gap",
        "bucket",
        "median bucket of own reply gaps (5 min, 30 min, 2 h, 12 h, 1 d, more), over 5; 1 without any",
        needs::MESSAGES,
        |s| median_bucket(&s.all.gaps[0]),
    ),
    Feature::new(
        GROUP,
        "contact-reply-gap",
        "bucket",
        "the same of the contacts' replies",
        needs::MESSAGES,
        |s| median_bucket(&s.all.gaps[1]),
    ),
];
