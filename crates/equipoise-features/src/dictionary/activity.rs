//! What the account does without a contact, per active day. An active day has at least one such event.

use super::sight::needs;
use super::{Feature, Group};
use crate::summary::{burstiness, log_scaled, share};

const GROUP: Group = Group::Activity;

/// The columns, in order.
pub(super) const FEATURES: &[Feature] = &[
    Feature::new(
        GROUP,
        "active-day-share",
        "share",
        "active days over observed days",
        needs::SESSIONS,
        |s| share(s.active_days, s.observed_days),
    )
    .own(),
    Feature::new(
        GROUP,
        "sessions-per-day",
        "sessions per active day",
        "log-scaled, cap 50",
        needs::SESSIONS,
        |s| log_scaled(f64::from(s.own.sessions) / s.active_days, 50.0),
    )
    .own(),
    Feature::new(
        GROUP,
        "session-hours-per-day",
        "hours per active day",
        "from opening to the closing after it; log-scaled, cap 24",
        needs::SESSION_LENGTH,
        |s| log_scaled(f64::from(s.own.session_seconds) / 3600.0 / s.active_days, 24.0),
    )
    .own(),
    Feature::new(
        GROUP,
        "off-hours-session-share",
        "share",
        "sessions opened from 22:00 to 06:00",
        needs::SESSIONS,
        |s| share(f64::from(s.own.off_hours_sessions), f64::from(s.own.sessions)),
    )
    .own(),
    Feature::new(
        GROUP,
        "session-burstiness",
        "burstiness",
        "(sd - mean) / (sd + mean) of gaps between session openings; 0 below two gaps",
        needs::SESSIONS,
        |s| burstiness([f64::from(s.own.sessions) - 1.0, f64::from(s.own.gap_sum), s.own.gap_squares]),
    )
    .own()
    .signed(),
    Feature::new(
        GROUP,
        "session-recency",
        "share of rates",
        "daily sessions of the last 7 days against those before: late / (late + early); 0.5 unknown",
        needs::SESSIONS,
        |s| s.recency(s.recent_sessions(), f64::from(s.own.sessions)),
    )
    .own(),
    Feature::new(
        GROUP,
        "searches-per-day",
        "searches per active day",
        "log-scaled, cap 100",
        needs::SEARCH,
        |s| log_scaled(f64::from(s.own.searches) / s.active_days, 100.0),
    )
    .own(),
    Feature::new(
        GROUP,
        "group-joins-per-day",
        "joins per active day",
        "groups joined; log-scaled, cap 20",
        needs::JOINS,
        |s| log_scaled(f64::from(s.own.group_joins) / s.active_days, 20.0),
    )
    .own(),
    Feature::new(
        GROUP,
        "lobby-joins-per-day",
        "joins per active day",
        "lobbies joined; log-scaled, cap 50",
        needs::JOINS,
        |s| log_scaled(f64::from(s.own.lobby_joins) / s.active_days, 50.0),
    )
    .own(),
    Feature::new(
        GROUP,
        "profile-changes-per-day",
        "changes per active day",
        "log-scaled, cap 5",
        needs::PROFILE_CHANGE,
        |s| log_scaled(f64::from(s.own.profile_changes) / s.active_days, 5.0),
    )
    .own(),
];
