//! When things happen: session openings of ordinary accounts by hour, and messages by hour and by day of the week.

use super::facts::WorldFacts;
use equipoise_core::{Event, EventKind, EventSink, PlatformId, SimTime};

/// Counts by hour and day.
#[derive(Clone, Debug)]
pub struct Hours {
    /// Session openings of ordinary accounts, `[adult, minor][weekday, weekend][hour]`.
    pub opens: [[[f64; 24]; 2]; 2],
    /// Messages of everybody, `[day of the week][hour]`; day 0 is a Monday.
    pub messages: [[f64; 24]; 7],
    /// `[platform][account]`: 0 an adult's, 1 a minor's, 2 a role's account.
    class: Vec<Vec<u8>>,
}

impl Hours {
    pub(super) fn new(facts: &WorldFacts) -> Self {
        let class = |a: &super::facts::AccountFacts| if a.role { 2 } else { u8::from(a.minor) };
        Self {
            opens: [[[0.0; 24]; 2]; 2],
            messages: [[0.0; 24]; 7],
            class: facts.accounts.iter().map(|list| list.iter().map(class).collect()).collect(),
        }
    }
}

impl EventSink for Hours {
    #[allow(clippy::cast_sign_loss)] // Hours and days of the week are not negative.
    fn on_events(&mut self, platform: PlatformId, _: SimTime, events: &[Event]) {
        let class = &self.class[platform.index()];
        for e in events {
            let hour = e.time.hour() as usize;
            match e.kind {
                EventKind::Message => {
                    let day = e.time.day().rem_euclid(7) as usize;
                    self.messages[day][hour] += f64::from(e.count);
                }
                EventKind::SessionOpen => {
                    let of = class.get(e.actor.index()).copied().unwrap_or(2);
                    if of < 2 {
                        let weekend = usize::from(e.time.is_weekend());
                        self.opens[usize::from(of)][weekend][hour] += 1.0;
                    }
                }
                _ => {}
            }
        }
    }
}
