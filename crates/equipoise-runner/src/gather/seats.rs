//! Who sees what: the leakage profiles of the designs that a plan uses, seat by seat.

use crate::config::{AggregationSpec, ArmKind};
use crate::exec::Context;
use crate::report::data::SeatRow;
use equipoise_federated::LeakageProfile;

pub(super) fn seats(context: &Context<'_>) -> Vec<SeatRow> {
    let mut profiles: Vec<LeakageProfile> = Vec::new();
    for arm in &context.plan.arms {
        let profile = if let Some(section) = &arm.slice.fusion {
            section.design.leakage()
        } else if arm.slice.arm == ArmKind::FederatedTrees {
            histograms()
        } else {
            match &arm.slice.aggregation {
                Some(AggregationSpec::Hidden(scheme)) => scheme.build().leakage(),
                Some(AggregationSpec::Visible(rule)) => visible(rule.rule().name()),
                None => continue,
            }
        };
        let section = arm.slice.federation.as_ref();
        let two_levels = section.is_some_and(|section| section.partition.devices().is_some());
        for profile in std::iter::once(profile).chain(two_levels.then(devices)) {
            if !profiles.contains(&profile) {
                profiles.push(profile);
            }
        }
    }
    let row = |profile: &LeakageProfile, view: &equipoise_federated::SeatView| SeatRow {
        scheme: profile.scheme.clone(),
        headline: profile.headline.clone(),
        seat: view.seat.clone(),
        learns: view.learns.clone(),
        reads_single_updates: view.reads_single_updates,
    };
    profiles.iter().flat_map(|profile| profile.seats.iter().map(move |view| row(profile, view))).collect()
}

fn histograms() -> LeakageProfile {
    LeakageProfile::new(
        HISTOGRAMS,
        "Histograms are added in the clear: the server reads, for every leaf, how many rows of each platform lie in each bin, and their gradients.",
        &[
            (
                "server",
                "every platform's histograms, its smallest and largest value of each feature, its numbers of rows and positives",
                true,
            ),
            ("platform", "the splits and leaves that are broadcast", false),
        ],
    )
}

/// The scheme of trees that grow together.
pub(super) const HISTOGRAMS: &str = "histograms in the clear";

fn visible(rule: &str) -> LeakageProfile {
    LeakageProfile::new(
        rule,
        "Updates are visible so that they can be ranked: the server reads every platform's update.",
        &[
            ("server", "every platform's clipped and quantised update, every round", true),
            ("platform", "the broadcast model only", false),
        ],
    )
}

/// The scheme inside a platform that holds a federation of devices.
pub(super) const DEVICES: &str = "devices to their platform";

fn devices() -> LeakageProfile {
    LeakageProfile::new(
        DEVICES,
        "A platform adds up its own devices in the clear; between platforms the scheme of the aggregation holds.",
        &[
            ("platform", "every clipped and quantised update of its own devices, every round", true),
            ("server", "nothing of a single device beyond what the platforms' aggregation shows", false),
        ],
    )
}
