//! How many messages, when, where and with whom.

use super::sight::needs;
use super::{Feature, Group};
use crate::summary::{burstiness, log_scaled, share};

const GROUP: Group = Group::Messages;

/// The columns, in order.
pub(super) const FEATURES: &[Feature] = &[
    Feature::new(
        GROUP,
        "messages-sent-per-day",
        "messages per active day",
        "scaled up from the sample; log-scaled, cap 1000",
        needs::MESSAGES,
        |s| log_scaled(s.daily(s.all.messages[0]), 1000.0),
    ),
    Feature::new(
        GROUP,
        "messages-received-per-day",
        "messages per active day",
        "scaled up from the sample; log-scaled, cap 1000",
        needs::MESSAGES,
        |s| log_scaled(s.daily(s.all.messages[1]), 1000.0),
    ),
    Feature::new(GROUP, "sent-share", "share", "messages sent of all messages", needs::MESSAGES, |s| {
        share(s.all.messages[0], s.all.messages[0] + s.all.messages[1])
    }),
    Feature::new(
        GROUP,
        "minor-message-share",
        "share",
        "messages sent that went to declared minors",
        needs::MINOR_MESSAGES,
        |s| share(s.minors.messages[0], s.all.messages[0]),
    ),
    Feature::new(
        GROUP,
        "off-hours-share",
        "share",
        "messages sent from 22:00 to 06:00",
        needs::MESSAGES,
        |s| share(s.all.off_hours, s.all.messages[0]),
    ),
    Feature::new(
        GROUP,
        "school-hours-share",
        "share",
        "messages sent Monday to Friday, 09:00 to 15:00",
        needs::MESSAGES,
        |s| share(s.all.school_hours, s.all.messages[0]),
    ),
    Feature::new(
        GROUP,
        "minor-off-hours-share",
        "share",
        "messages sent to declared minors from 22:00 to 06:00",
        needs::MINOR_MESSAGES,
        |s| share(s.minors.off_hours, s.minors.messages[0]),
    ),
    Feature::new(
        GROUP,
        "message-burstiness",
        "burstiness",
        "(sd - mean) / (sd + mean) of gaps between own messages, pooled over dyads; 0 below two gaps",
        needs::MESSAGES,
        |s| burstiness(s.all.gap_moments),
    )
    .signed(),
    Feature::new(GROUP, "media-sent-share", "share", "messages sent with media", needs::MEDIA, |s| {
        share(s.all.media[0], s.all.messages[0])
    }),
    Feature::new(GROUP, "media-received-share", "share", "messages received with media", needs::MEDIA, |s| {
        share(s.all.media[1], s.all.messages[1])
    }),
    Feature::new(
        GROUP,
        "minor-media-sent-share",
        "share",
        "messages sent to declared minors with media",
        needs::MINOR_MEDIA,
        |s| share(s.minors.media[0], s.minors.messages[0]),
    ),
    Feature::new(
        GROUP,
        "minor-media-received-share",
        "share",
        "messages received from declared minors with media",
        needs::MINOR_MEDIA,
        |s| share(s.minors.media[1], s.minors.messages[1]),
    ),
    Feature::new(
        GROUP,
        "call-minutes-per-day",
        "minutes per active day",
        "calls of either side, scaled up; log-scaled, cap 300",
        needs::CALLS,
        |s| log_scaled(s.daily(s.all.call_minutes), 300.0),
    ),
    Feature::new(GROUP, "direct-share", "share", "messages sent one to one", needs::MESSAGES, |s| {
        share(s.all.messages[0] - s.all.group - s.all.lobby, s.all.messages[0])
    }),
    Feature::new(GROUP, "group-share", "share", "messages sent in groups", needs::MESSAGES, |s| {
        share(s.all.group, s.all.messages[0])
    }),
    Feature::new(GROUP, "lobby-share", "share", "messages sent in lobbies", needs::MESSAGES, |s| {
        share(s.all.lobby, s.all.messages[0])
    }),
    Feature::new(
        GROUP,
        "top-contact-share",
        "share",
        "messages sent to the contact that got the most",
        needs::MESSAGES,
        |s| share(s.all.top, s.all.messages[0]),
    ),
    Feature::new(
        GROUP,
        "minor-top-contact-share",
        "share",
        "messages sent to the declared minor that got the most, of all messages sent",
        needs::MINOR_MESSAGES,
        |s| share(s.minors.top, s.all.messages[0]),
    ),
    Feature::new(
        GROUP,
        "message-recency",
        "share of rates",
        "messages sent in the last 7 days against before, as session-recency",
        needs::MESSAGES,
        |s| s.recency(s.all.recent, s.all.messages[0]),
    ),
    Feature::new(
        GROUP,
        "dyad-persistence",
        "share",
        "mean over dyads: days with a message over days from first to latest",
        needs::MESSAGES,
        |s| share(s.all.persistence, s.all.talks),
    ),
    Feature::new(
        GROUP,
        "quiet-dyad-share",
        "share",
        "dyads with messages but none in the last 14 days",
        needs::MESSAGES,
        |s| share(s.all.quiet, s.all.talks),
    ),
    Feature::new(
        GROUP,
        "short-dyad-share",
        "share",
        "quiet dyads that spanned under three days, of all dyads with messages",
        needs::MESSAGES,
        |s| share(s.all.short, s.all.talks),
    ),
];
