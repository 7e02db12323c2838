//! Evidence of V7 and V9: the harm-and-report block alone, for each parameterisation of targeting and each reading of "9%
//! Facebook and Instagram", until its own error is a third of the published interval.

use crate::config::{parse, read};
use crate::fault::{Fault, runtime};
use equipoise_core::Seed;
use equipoise_synth::calibration::Calibration;
use equipoise_synth::recorded::{Offences, Platform, Reading, RecordedCounts, draw};
use equipoise_synth::validate::{Mention, RecordedOffences};
use equipoise_synth::{TargetingPreset, WorldSpec};
use std::path::Path;

/// Offences with a known platform: twenty times the published 2,111, since records of one account are not independent.
const KNOWN: Offences = Offences(20 * 2_111);

/// Draws every parameterisation and reading; nothing where there is no calibration file.
///
/// # Errors
/// If the file is wrong or no such offence can come about.
pub(super) fn recorded(spec: &WorldSpec, file: &Path, seed: u64) -> Result<Vec<RecordedOffences>, Fault> {
    if !file.exists() {
        return Ok(Vec::new());
    }
    let calibration: Calibration = parse(file, &read(file, "calibration file")?)?;
    let share = |id: &str| calibration.anchor(id).map(|anchor| anchor.value);
    let (mut all, mut spec) = (Vec::new(), spec.clone());
    for preset in TargetingPreset::ALL {
        spec.harm.targeting.active = preset;
        for reading in Reading::ALL {
            let address =
                Seed::root(seed).derive("recorded", preset as u64).derive("reading", reading as u64);
            let counts = draw(&spec, &calibration.recorded, reading, KNOWN, address).map_err(runtime)?;
            let name = format!("{preset:?}, {reading:?} reading");
            all.push(offences(name, &counts, reading, &share));
        }
    }
    Ok(all)
}

fn offences(
    parameterisation: String,
    counts: &RecordedCounts,
    reading: Reading,
    share: &dyn Fn(&str) -> Option<f64>,
) -> RecordedOffences {
    let at = |platform: Platform| counts.mentions[platform as usize].0;
    let social = match reading {
        Reading::Joint => counts.social_either.0,
        Reading::Each => at(Platform::SocialA),
    };
    // Half-widths of the published shares' 95% intervals at 2,111 offences.
    let rows = [
        (
            "the ephemeral messenger",
            "mention-ephemeral",
            0.021,
            at(Platform::Ephemeral),
            counts.mention_error(Platform::Ephemeral),
        ),
        (
            "the end-to-end messenger",
            "mention-end-to-end",
            0.012,
            at(Platform::EndToEnd),
            counts.mention_error(Platform::EndToEnd),
        ),
        ("the social networks", "mention-social", 0.012, social, counts.social_error(reading)),
    ];
    let mention = |(name, id, room, count, error): (&str, &str, f64, u64, f64)| {
        share(id).map(|share| Mention { name: name.to_owned(), count, error, share, room })
    };
    RecordedOffences {
        parameterisation,
        offences: counts.offences.0,
        platform_known: counts.known.0,
        mentions: rows.into_iter().filter_map(mention).collect(),
        gender_known: counts.girls.0 + counts.boys.0,
        girls: counts.girls.0,
        girls_error: counts.girls_error(),
    }
}
