//! Blocks, mutes and reports between the account and its sampled contacts: what reviews are opened on, so next to the label.
//! A report by an account that never was a contact is not counted.

use super::sight::needs;
use super::{Feature, Group};
use crate::summary::log_scaled;

const GROUP: Group = Group::LabelAdjacent;

/// The columns, in order.
pub(super) const FEATURES: &[Feature] = &[
    Feature::new(
        GROUP,
        "blocks-received-per-contact",
        "blocks per contact",
        "blocks by contacts over contacts; log-scaled, cap 3",
        needs::BLOCKS,
        |s| log_scaled(s.all.blocks[1] / s.all.contacts.max(1.0), 3.0),
    ),
    Feature::new(
        GROUP,
        "mutes-received-per-contact",
        "mutes per contact",
        "mutes by contacts over contacts; log-scaled, cap 3",
        needs::MUTES,
        |s| log_scaled(s.all.mutes[1] / s.all.contacts.max(1.0), 3.0),
    ),
    Feature::new(
        GROUP,
        "reports-received-per-contact",
        "reports per contact",
        "reports by contacts over contacts; log-scaled, cap 3",
        needs::REPORTS,
        |s| log_scaled(s.all.reports[1] / s.all.contacts.max(1.0), 3.0),
    ),
    Feature::new(
        GROUP,
        "safety-reports-received-per-contact",
        "reports per contact",
        "reports by contacts in the category child safety over contacts; log-scaled, cap 3",
        needs::REPORTS,
        |s| log_scaled(s.all.safety_reports[1] / s.all.contacts.max(1.0), 3.0),
    ),
    Feature::new(
        GROUP,
        "blocks-given-per-contact",
        "blocks per contact",
        "blocks by the account over contacts; log-scaled, cap 3",
        needs::BLOCKS,
        |s| log_scaled(s.all.blocks[0] / s.all.contacts.max(1.0), 3.0),
    ),
    Feature::new(
        GROUP,
        "reports-given-per-contact",
        "reports per contact",
        "reports by the account over contacts; log-scaled, cap 3",
        needs::REPORTS,
        |s| log_scaled(s.all.reports[0] / s.all.contacts.max(1.0), 3.0),
    ),
];
