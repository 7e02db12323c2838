//! What a world is, in numbers: sizes, times, names, and how much of the truth its labels tell.

use super::{Cut, days, number, word};
use crate::data::{CaseRows, TrainRows, WorldMeta};
use equipoise_synth::truth;

impl Cut<'_> {
    /// Of a world with these decisions and rows.
    pub(super) fn meta(&self, decisions: &[i32], train: &TrainRows, cases: &CaseRows) -> WorldMeta {
        let platforms = self.views.len();
        let count = |of: &[u8]| {
            (0..platforms).map(|p| number(of.iter().filter(|&&q| usize::from(q) == p).count())).collect()
        };
        let positive: Vec<u8> = train
            .platform
            .iter()
            .zip(&train.label)
            .filter(|(_, label)| **label > 0.5)
            .map(|(p, _)| *p)
            .collect();
        let cutoff = self.label_cutoff();
        let (mut before, mut labelled, mut wrongly) = (0, 0, 0);
        for (platform, truth) in self.truth().platforms.iter().enumerate() {
            for (account, about) in truth.accounts.iter().enumerate() {
                let known = self.known[platform][account] <= cutoff;
                let began = about.harm_start.is_some_and(|start| start.0 < cutoff);
                before += u32::from(began);
                labelled += u32::from(began && known);
                wrongly += u32::from(about.harmful.is_none() && known);
            }
        }
        WorldMeta {
            index: self.slice.index,
            platforms: self.views.iter().map(|view| view.name.clone()).collect(),
            columns: equipoise_features::dictionary(self.slice.features.label_adjacent)
                .iter()
                .map(|f| f.name.to_string())
                .collect(),
            seen: crate::schema::seen_in(&self.slice.world, self.slice.features.label_adjacent),
            persons: self.slice.world.persons,
            accounts: self.views.iter().map(|view| number(view.profiles.len())).collect(),
            tested: count(&cases.platform),
            events: self.outcome.events,
            decisions: decisions.to_vec(),
            test_from: cutoff,
            test_until: days(u32::from(self.slice.world.days)),
            groups: truth::BenignGroup::ALL.iter().map(word).collect(),
            archetypes: std::iter::once("none".to_owned())
                .chain(truth::HarmArchetype::ALL.iter().map(word))
                .collect(),
            positives: count(&positive),
            rows: count(&train.platform),
            harmful_before_cutoff: before,
            harmful_labelled: labelled,
            wrongly_labelled: wrongly,
        }
    }
}
