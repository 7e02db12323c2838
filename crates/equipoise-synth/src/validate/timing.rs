//! V10, bursts, and V11, the hours of the day. Daily and weekly rhythm does not explain bursts (Jo et al. 2012), so the
//! control of V10 has the same dyads, the same counts and the same rhythm but no bursts, and must miss the band.

use super::check::check;
use super::evidence::{Evidence, SeedRun};
use super::finding::{Finding, Header, Target};
use crate::contact_log::{BurstSummary, ContactLog, Control, Dyads, Trains, distance};
use equipoise_core::{Archetype, Seed};

check!(
    /// V10.
    Bursts, "V10", Gated, "burstiness of dyads and accounts",
    "Goh and Barabasi 2008, Jo et al. 2012, Karsai et al. 2012; CollegeMsg in buckets of 300 s: B_n .59; band assumed",
    bursts
);

check!(
    /// V11.
    DailyRhythm, "V11", Gated, "hours of the day", "the world file; trough over peak assumed", rhythm
);

/// Trains with fewer gaps say nothing (Kim and Jo 2016).
const GAPS: usize = 10;
/// Both a simulated and a real log are seen in buckets of this many seconds.
const BUCKET: u32 = 300;

fn social(run: &SeedRun) -> Option<usize> {
    run.facts.views.iter().position(|view| view.archetype == Archetype::SocialNetwork)
}

fn summary(log: &ContactLog, by_dyad: bool) -> Option<BurstSummary> {
    let log = log.bucketed(BUCKET).ok()?;
    let trains = if by_dyad { Trains::by_dyad(&log, &Dyads::of(&log)) } else { Trains::by_sender(&log) };
    BurstSummary::of(&trains, &[GAPS]).pop()
}

fn sample(run: &SeedRun, by_dyad: bool) -> Option<ContactLog> {
    let at = social(run)?;
    let messages = &run.watch.messages;
    if by_dyad { messages.dyad_log(at, |_| true).ok() } else { messages.sender_log(at, |_| true).ok() }
}

fn bursts(header: &Header, evidence: &Evidence) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (by_dyad, who) in [(true, "dyads"), (false, "accounts")] {
        let logs: Vec<Option<ContactLog>> = evidence.runs.iter().map(|run| sample(run, by_dyad)).collect();
        let plain: Vec<Option<BurstSummary>> =
            logs.iter().map(|log| summary(log.as_ref()?, by_dyad)).collect();
        let trains: u64 = plain.iter().flatten().map(|s| s.trains as u64).sum();
        let b_n = values(&plain, |s| Some(s.b_n?.p50));
        let memory = values(&plain, |s| Some(s.memory?.p50));
        findings.push(header.judge(
            format!("median B_n of {who} with at least {GAPS} gaps"),
            &b_n,
            trains,
            Target::Band(0.45, 0.75),
        ));
        findings.push(header.judge(
            format!("median memory of {who} with at least {GAPS} gaps"),
            &memory,
            trains,
            Target::Band(-0.1, 0.1),
        ));
        let control: Vec<Option<BurstSummary>> = (0_u64..)
            .zip(&logs)
            .map(|(index, log)| {
                let control = Control::Rhythm.apply(log.as_ref()?, 0, Seed::root(index));
                summary(&control, by_dyad)
            })
            .collect();
        findings.push(header.judge(
            format!("control, Poisson with the same rhythm: median B_n of {who}"),
            &values(&control, |s| Some(s.b_n?.p50)),
            trains,
            Target::AtMost(0.45),
        ));
    }
    findings
}

fn values(all: &[Option<BurstSummary>], of: impl Fn(&BurstSummary) -> Option<f64>) -> Vec<f64> {
    all.iter().map(|s| s.as_ref().and_then(&of).unwrap_or(f64::NAN)).collect()
}

fn rhythm(header: &Header, evidence: &Evidence) -> Vec<Finding> {
    let mut findings = Vec::new();
    let classes = [(0, "adults"), (1, "minors")];
    for (class, who) in classes {
        for (weekend, days) in [(0, "weekdays"), (1, "weekends")] {
            let gaps: Vec<f64> = evidence
                .runs
                .iter()
                .map(|run| {
                    let habits = &run.facts.spec.behaviour;
                    let table = match (class, weekend) {
                        (_, 1) => &habits.hours_weekend,
                        (0, _) => &habits.hours_adult_weekday,
                        _ => &habits.hours_minor_weekday,
                    };
                    let opens = &run.watch.hours.opens[class][weekend];
                    if opens.iter().sum::<f64>() < 1_000.0 { f64::NAN } else { distance(opens, &table.value) }
                })
                .collect();
            let n = evidence.runs.iter().map(|run| run.watch.hours.opens[class][weekend].iter().sum::<f64>());
            let n = super::population::whole(n.sum());
            let name = format!("KS distance of {who}' session hours on {days} from the file");
            findings.push(header.judge(name, &gaps, n, Target::AtMost(0.02)));
        }
    }
    let (mut ratios, mut n) = (Vec::new(), 0.0);
    for run in &evidence.runs {
        let mut hours = [0.0_f64; 24];
        for day in &run.watch.hours.messages {
            hours.iter_mut().zip(day).for_each(|(sum, count)| *sum += count);
        }
        n += hours.iter().sum::<f64>();
        let (least, most) = hours.iter().fold((f64::INFINITY, 0.0_f64), |(l, m), h| (l.min(*h), m.max(*h)));
        ratios.push(least / most);
    }
    let n = super::population::whole(n);
    findings.push(header.judge(
        "messages in the emptiest hour over the fullest",
        &ratios,
        n,
        Target::Band(0.03, 0.12),
    ));
    findings
}

/// What a page draws of one world's timing.
#[derive(Clone, PartialEq, Debug)]
pub struct TimingCurves {
    /// Gaps between events of one dyad, seconds, ascending.
    pub gaps: Vec<i64>,
    /// The same of the control without bursts.
    pub control: Vec<i64>,
    /// Share of messages by hour on weekdays and weekends.
    pub hours: [[f64; 24]; 2],
}

/// The curves of one world; `None` without a social network.
#[must_use]
pub fn timing_curves(run: &SeedRun) -> Option<TimingCurves> {
    let log = sample(run, true)?.bucketed(BUCKET).ok()?;
    let gaps = |log: &ContactLog| {
        let mut gaps = Trains::by_dyad(log, &Dyads::of(log)).gaps();
        gaps.sort_unstable();
        gaps
    };
    let control = Control::Rhythm.apply(&log, 0, Seed::root(0));
    let mut hours = [[0.0; 24]; 2];
    for (day, counts) in run.watch.hours.messages.iter().enumerate() {
        for (hour, count) in counts.iter().enumerate() {
            hours[usize::from(day >= 5)][hour] += count;
        }
    }
    for side in &mut hours {
        let total = side.iter().sum::<f64>().max(1.0);
        side.iter_mut().for_each(|count| *count /= total);
    }
    Some(TimingCurves { gaps: gaps(&log), control: gaps(&control), hours })
}
