//! How numbers become words: fixed formats, so that the same data give the same bytes.
//! A number never leaves this file without its interval or the words "single run", unless it is a count.

use super::data::{Estimate, Interval};

/// The largest number of decimals shown.
const MOST_DECIMALS: usize = 6;

/// An estimate reduced to what a figure can draw; `None` where nothing finite stands.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Mark {
    /// Where the marker sits.
    pub(super) at: f64,
    /// The interval; `None` for a single run.
    pub(super) ends: Option<(f64, f64)>,
}

impl Mark {
    /// The lowest and highest value that has to fit on an axis.
    pub(super) fn extent(&self) -> (f64, f64) {
        self.ends.map_or((self.at, self.at), |(low, high)| (low.min(self.at), high.max(self.at)))
    }
}

/// What a figure draws for `estimate`.
pub(super) fn mark(estimate: &Estimate) -> Option<Mark> {
    match estimate {
        Estimate::Value { mean, low, high, seeds }
            if *seeds > 1 && [mean, low, high].iter().all(|v| v.is_finite()) =>
        {
            Some(Mark { at: *mean, ends: Some((*low, *high)) })
        }
        Estimate::Value { mean, seeds: 0 | 1, .. } if mean.is_finite() => {
            Some(Mark { at: *mean, ends: None })
        }
        Estimate::SingleRun { value } if value.is_finite() => Some(Mark { at: *value, ends: None }),
        _ => None,
    }
}

/// The mark of an interval, if it is finite.
pub(super) fn interval_mark(interval: Interval) -> Option<Mark> {
    let Interval { mean, low, high } = interval;
    (mean.is_finite() && low.is_finite() && high.is_finite())
        .then_some(Mark { at: mean, ends: Some((low, high)) })
}

/// `0.412 [0.390, 0.434]`, `0.412 (single run)` or `not assessable (reason)`.
pub(super) fn estimate_words(estimate: &Estimate) -> String {
    match (mark(estimate), estimate) {
        (Some(mark), _) => mark_words(mark),
        (None, Estimate::NotAssessable { reason }) => format!("not assessable ({reason})"),
        (None, _) => "not assessable (the value is not a finite number)".to_owned(),
    }
}

/// `0.412 [0.390, 0.434]` or `0.412 (single run)`.
pub(super) fn mark_words(mark: Mark) -> String {
    match mark.ends {
        Some((low, high)) => {
            let places = places_for(high - low);
            format!("{} [{}, {}]", fixed(mark.at, places), fixed(low, places), fixed(high, places))
        }
        None => format!("{} (single run)", plain(mark.at)),
    }
}

/// The same with a sign in front of positive values, for differences.
pub(super) fn difference_words(estimate: &Estimate) -> String {
    let words = estimate_words(estimate);
    if mark(estimate).is_some_and(|m| m.at > 0.0) && !words.starts_with('-') {
        format!("+{words}")
    } else {
        words
    }
}

/// Decimals so that the width of an interval shows two digits.
fn places_for(width: f64) -> usize {
    let mut scaled = width.abs();
    if scaled <= 0.0 {
        return 3;
    }
    let mut places = 0;
    while scaled < 20.0 && places < MOST_DECIMALS {
        scaled *= 10.0;
        places += 1;
    }
    places
}

/// A number with `places` decimals, thousands grouped, never "-0".
pub(super) fn fixed(value: f64, places: usize) -> String {
    if !value.is_finite() {
        return "not assessable".to_owned();
    }
    let text = format!("{:.*}", places, value.abs());
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let grouped = if whole.len() > 4 { group(whole) } else { whole.to_owned() };
    let negative = value < 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b));
    format!("{}{grouped}{rest}", if negative { "-" } else { "" })
}

/// A number with about three significant digits.
pub(super) fn plain(value: f64) -> String {
    let size = value.abs();
    if size > 0.0 && size < 1e-4 {
        return format!("{value:.1e}").replace(".0e", "e");
    }
    let places = match size {
        s if s >= 100.0 => 0,
        s if s >= 10.0 => 1,
        s if s >= 1.0 => 2,
        s if s >= 0.1 || s <= 0.0 => 3,
        s if s >= 0.01 => 4,
        _ => MOST_DECIMALS,
    };
    let text = fixed(value, places);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A whole number with its thousands grouped.
pub(super) fn count(value: u64) -> String {
    let digits = value.to_string();
    if digits.len() > 4 { group(&digits) } else { digits }
}

fn group(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// The shortest text that reads back to the same number; empty where it is not finite. For CSV files.
pub(super) fn exact(value: f64) -> String {
    if value.is_finite() { format!("{value}") } else { String::new() }
}

/// The value or a dash for tables.
pub(super) fn optional(value: Option<f64>) -> String {
    value.filter(|v| v.is_finite()).map_or_else(|| "–".to_owned(), plain)
}

/// A p-value: `= 0.031`, or `< 0.001`.
pub(super) fn p_words(p: f64) -> String {
    if !p.is_finite() {
        return "not assessable".to_owned();
    }
    if p < 0.001 { "< 0.001".to_owned() } else { format!("= {p:.3}") }
}

/// An epsilon as words; never a number where no guarantee exists.
pub(super) fn epsilon_words(epsilon: Option<f64>) -> String {
    match epsilon {
        Some(value) if value.is_finite() => bound(value),
        _ => "no guarantee".to_owned(),
    }
}

/// An epsilon with at most three decimals, rounded up as the promises are: a printed bound must not be smaller than the computed one.
pub(super) fn bound(epsilon: f64) -> String {
    format!("{}", (epsilon * 1e3).ceil() / 1e3)
}

/// "1 seed", "5 seeds".
pub(super) fn seeds_words(seeds: usize) -> String {
    if seeds == 1 { "1 seed (single run, no interval)".to_owned() } else { format!("{seeds} seeds") }
}

/// The line under a figure of means over seeds.
pub(super) fn means_words(seeds: usize) -> String {
    match seeds {
        1 => "1 seed: single runs, no interval.".to_owned(),
        n => format!("Mean with 95% interval, {n} seeds."),
    }
}

/// The line under a figure whose intervals come with its data.
pub(super) fn bands_words(what: &str, seeds: usize) -> String {
    match seeds {
        1 => format!("{what}, 1 seed: an interval within one world does not cover other worlds."),
        n => format!("{what}, {n} seeds."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_decides_how_many_decimals_are_shown() {
        let value = Estimate::Value { mean: 0.41234, low: 0.39, high: 0.434, seeds: 5 };
        assert_eq!(estimate_words(&value), "0.412 [0.390, 0.434]");
        let wide = Estimate::Value { mean: 41234.4, low: 39000.0, high: 43400.0, seeds: 5 };
        assert_eq!(estimate_words(&wide), "41,234 [39,000, 43,400]");
    }

    #[test]
    fn an_epsilon_is_never_printed_smaller_than_it_is() {
        assert_eq!(epsilon_words(Some(0.974_452)), "0.975");
        assert_eq!((bound(8.0), bound(2.931_000_1)), ("8".to_owned(), "2.932".to_owned()));
        assert_eq!(epsilon_words(None), "no guarantee");
        assert_eq!((plain(1e-5), plain(2.5e-6)), ("1e-5".to_owned(), "2.5e-6".to_owned()));
    }

    #[test]
    fn a_number_without_an_interval_says_single_run() {
        assert_eq!(estimate_words(&Estimate::SingleRun { value: 0.5 }), "0.5 (single run)");
        let one = Estimate::Value { mean: 0.5, low: 0.5, high: 0.5, seeds: 1 };
        assert_eq!(estimate_words(&one), "0.5 (single run)");
    }

    #[test]
    fn what_cannot_be_assessed_is_never_zero() {
        let none = Estimate::NotAssessable { reason: "no upheld case".to_owned() };
        assert_eq!(estimate_words(&none), "not assessable (no upheld case)");
        let nan = Estimate::SingleRun { value: f64::NAN };
        assert_eq!(estimate_words(&nan), "not assessable (the value is not a finite number)");
    }

    #[test]
    fn a_p_value_is_never_shown_as_nothing() {
        assert_eq!((p_words(1e-9), p_words(0.0314)), ("< 0.001".to_owned(), "= 0.031".to_owned()));
    }

    #[test]
    fn small_large_and_negative_numbers_keep_their_digits() {
        assert_eq!(plain(0.000_012), "1.2e-5");
        assert_eq!(plain(0.002), "0.002");
        assert_eq!(plain(-0.0), "0");
        assert_eq!(plain(1_234_567.0), "1,234,567");
        assert_eq!(fixed(-0.0004, 2), "0.00");
        assert_eq!(count(20_000), "20,000");
    }
}
