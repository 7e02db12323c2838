//! The two sides, statistic by statistic, with what was expected of each.

use super::COHORT;
use super::bands::{BANDS, Band, HOURS};
use equipoise_core::Seed;
use equipoise_synth::contact_log::{
    BurstSummary, ContactLog, Control, Dyads, LogProfile, ProfileSpec, Statistic, Trains, distance,
};
use serde::Serialize;

/// One log: its statistics, and those of its control with the same rhythm.
pub(super) struct Side {
    name: String,
    statistics: Vec<Statistic>,
    control: Vec<Statistic>,
    controls: Vec<ControlBursts>,
    hours: Option<[f64; 24]>,
}

/// Median `B_n` of a control, trains of at least ten gaps.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct ControlBursts {
    /// Which control.
    pub(super) control: &'static str,
    /// Of dyads.
    pub(super) dyads: Option<f64>,
    /// Of accounts.
    pub(super) accounts: Option<f64>,
}

impl Side {
    /// Measures a log and its controls.
    pub(super) fn of(name: &str, log: &ContactLog, spec: &ProfileSpec, seed: Seed) -> Self {
        let profile = LogProfile::of(log, spec);
        let controls = Control::ALL.map(|control| (control, control.apply(log, spec.monday, seed)));
        let rhythm = controls.iter().find(|(control, _)| *control == Control::Rhythm);
        let control = rhythm.map(|(_, log)| printable(&LogProfile::of(log, spec)));
        Self {
            name: name.to_owned(),
            statistics: printable(&profile),
            control: control.unwrap_or_default(),
            controls: controls.iter().map(|(control, log)| bursts(*control, log)).collect(),
            hours: profile.rhythm.map(|rhythm| rhythm.hours),
        }
    }

    fn value(list: &[Statistic], id: &str) -> Option<f64> {
        list.iter().find(|statistic| statistic.id == id)?.value
    }
}

fn bursts(control: Control, log: &ContactLog) -> ControlBursts {
    let median = |trains: &Trains| {
        let summary = BurstSummary::of(trains, &[10]).pop()?;
        summary.b_n.filter(|_| summary.trains >= COHORT).map(|b_n| b_n.p50)
    };
    ControlBursts {
        control: control.name(),
        dyads: median(&Trains::by_dyad(log, &Dyads::of(log))),
        accounts: median(&Trains::by_sender(log)),
    }
}

/// The statistics that may be shown: no maximum, which is one account's, no percentile with fewer than five accounts
/// beyond it, and no median of fewer than [`COHORT`] trains.
fn printable(profile: &LogProfile) -> Vec<Statistic> {
    let all = profile.statistics();
    let few = |id: &str| {
        let Some((kind, gaps)) = id.rsplit_once('-').filter(|(_, gaps)| gaps.parse::<u32>().is_ok()) else {
            return false;
        };
        let Some((whose, _)) = kind.split_once('-').filter(|(_, kind)| ["b", "bn", "memory"].contains(kind))
        else {
            return false;
        };
        Side::value(&all, &format!("{whose}-trains-{gaps}")).is_none_or(|trains| trains < COHORT as f64)
    };
    let beyond = |id: &str| match id {
        id if id.contains("-p99") => profile.accounts < 500,
        id if id.contains("-p90") || id.contains("-p10") => profile.accounts < 50,
        _ => false,
    };
    all.iter()
        .filter(|statistic| !statistic.id.ends_with("-max"))
        .map(|statistic| {
            let value = statistic.value.filter(|_| !few(&statistic.id) && !beyond(&statistic.id));
            Statistic { value, ..statistic.clone() }
        })
        .collect()
}

/// One statistic of both sides.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Row {
    /// Its name.
    pub(super) id: String,
    /// What it is.
    pub(super) about: String,
    /// Of the log that was given.
    pub(super) theirs: Option<f64>,
    /// Of the log with its timing redrawn by its own rhythm.
    pub(super) theirs_control: Option<f64>,
    /// Of our side.
    pub(super) ours: Option<f64>,
    /// Of our side with its timing redrawn by its own rhythm.
    pub(super) ours_control: Option<f64>,
    /// Where both are expected.
    pub(super) band: Option<[f64; 2]>,
    /// How close the sides are expected to be, in words.
    pub(super) near: Option<String>,
    /// Where the expectation comes from.
    pub(super) source: Option<&'static str>,
    /// Whether the log lies in the band.
    pub(super) theirs_inside: Option<bool>,
    /// Whether our side does.
    pub(super) ours_inside: Option<bool>,
    /// Whether the sides are close enough.
    pub(super) alike: Option<bool>,
}

/// The whole comparison.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Comparison {
    /// The log that was given, by its file name.
    pub(super) theirs: String,
    /// What our side is.
    pub(super) ours: String,
    /// Seconds of the bucket through which both were seen.
    pub(super) bucket_seconds: u32,
    /// Statistics with an expectation, then the others.
    pub(super) rows: Vec<Row>,
    /// Controls of the log.
    pub(super) theirs_controls: Vec<ControlBursts>,
    /// Controls of our side.
    pub(super) ours_controls: Vec<ControlBursts>,
}

impl Comparison {
    /// Lays the sides beside each other.
    pub(super) fn of(theirs: Side, ours: Side, bucket_seconds: u32) -> Self {
        let mut rows: Vec<Row> = BANDS.iter().map(|band| row(&theirs, &ours, band.id, Some(band))).collect();
        rows.extend(hours(&theirs, &ours));
        let others = theirs.statistics.iter().filter(|s| BANDS.iter().all(|band| band.id != s.id));
        rows.extend(others.map(|statistic| row(&theirs, &ours, &statistic.id, None)));
        Self {
            theirs: theirs.name,
            ours: ours.name,
            bucket_seconds,
            rows,
            theirs_controls: theirs.controls,
            ours_controls: ours.controls,
        }
    }

    /// (inside, judged) of our side against the bands.
    pub(super) fn inside(&self) -> (usize, usize) {
        count(self.rows.iter().map(|row| row.ours_inside))
    }

    /// (inside, judged) of the given log against the bands.
    pub(super) fn theirs_inside(&self) -> (usize, usize) {
        count(self.rows.iter().map(|row| row.theirs_inside))
    }

    /// (alike, judged) of the two sides.
    pub(super) fn alike(&self) -> (usize, usize) {
        count(self.rows.iter().map(|row| row.alike))
    }

    /// Names of the controls whose bursts lie inside the band on either side: a band that they pass says nothing.
    pub(super) fn passing_controls(&self) -> Vec<String> {
        let band = |id: &str| BANDS.iter().find(|band| band.id == id).and_then(|band| band.range);
        let sides = [("theirs", &self.theirs_controls), ("ours", &self.ours_controls)];
        let mut passing = Vec::new();
        for (side, controls) in sides {
            for control in controls {
                let values =
                    [("dyads", control.dyads, "dyad-bn-10"), ("accounts", control.accounts, "account-bn-10")];
                for (who, value, id) in values {
                    if let (Some(value), Some((low, high))) = (value, band(id))
                        && (low..=high).contains(&value)
                    {
                        passing.push(format!("{} control of {side}, {who}: {value:.2}", control.control));
                    }
                }
            }
        }
        passing
    }
}

fn count(verdicts: impl Iterator<Item = Option<bool>>) -> (usize, usize) {
    verdicts.flatten().fold((0, 0), |(yes, all), verdict| (yes + usize::from(verdict), all + 1))
}

fn row(theirs: &Side, ours: &Side, id: &str, band: Option<&Band>) -> Row {
    let about = theirs.statistics.iter().find(|s| s.id == id).map_or_else(String::new, |s| s.about.clone());
    let (a, b) = (Side::value(&theirs.statistics, id), Side::value(&ours.statistics, id));
    let range = band.and_then(|band| band.range);
    let inside = |value: Option<f64>| Some((range?.0..=range?.1).contains(&value?));
    Row {
        id: id.to_owned(),
        about,
        theirs: a,
        theirs_control: Side::value(&theirs.control, id),
        ours: b,
        ours_control: Side::value(&ours.control, id),
        band: range.map(|(low, high)| [low, high]),
        near: band.and_then(|band| band.near).map(super::bands::Near::words),
        source: band.map(|band| band.source),
        theirs_inside: inside(a),
        ours_inside: inside(b),
        alike: band.and_then(|band| Some(band.near?.holds(a?, b?))),
    }
}

/// Distance of the hours of the day: as they are, and after the turn of the clock that fits best (time zones of public
/// logs are often unknown, and habits differ).
fn hours(theirs: &Side, ours: &Side) -> Vec<Row> {
    let (Some(a), Some(b)) = (theirs.hours, ours.hours) else { return Vec::new() };
    let turned = |by: usize| {
        let turned: Vec<f64> = (0..24).map(|hour| b[(hour + by) % 24]).collect();
        distance(&a, &turned)
    };
    let best = (0..24).min_by(|x, y| turned(*x).total_cmp(&turned(*y))).unwrap_or(0);
    // Its hour h is like our hour h + best.
    let later = if best > 12 { 24.0 - best as f64 } else { -(best as f64) };
    let line = |id: &str, about: String, value: f64, judged: bool| Row {
        id: id.to_owned(),
        about,
        theirs: None,
        theirs_control: None,
        ours: Some(value),
        ours_control: None,
        band: judged.then_some([0.0, HOURS]),
        near: None,
        source: judged.then_some("assumed"),
        theirs_inside: None,
        ours_inside: None,
        alike: judged.then_some(value <= HOURS),
    };
    vec![
        line(
            "hours-distance",
            "largest cumulative difference of the hours of the day".into(),
            turned(0),
            true,
        ),
        line(
            "hours-distance-turned",
            "the same with our clock turned so that it fits best".into(),
            turned(best),
            false,
        ),
        line("hours-turn", "hours by which the log is later than ours then".into(), later, false),
    ]
}
