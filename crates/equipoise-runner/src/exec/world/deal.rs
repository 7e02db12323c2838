//! Labels and truth dealt anew within each platform: the control in which nothing can be learned.

use super::{Cut, number};
use crate::config::Labels;
use crate::data::{CaseRows, TrainRows};
use equipoise_core::Draw;

impl Cut<'_> {
    /// Of permuted labels: deals the labels of each platform's rows anew.
    pub(super) fn deal_labels(&self, purpose: &str, rows: &mut TrainRows) {
        if self.slice.protocol.labels != Labels::Permuted {
            return;
        }
        for platform in 0..self.views.len() {
            let own = |&row: &usize| usize::from(rows.platform[row]) == platform;
            let places: Vec<usize> = (0..rows.label.len()).filter(own).collect();
            let mut labels: Vec<f32> = places.iter().map(|&row| rows.label[row]).collect();
            self.seed.derive(purpose, platform as u64).rng().shuffle(&mut labels);
            places.into_iter().zip(labels).for_each(|(row, label)| rows.label[row] = label);
        }
    }

    /// Of permuted labels: deals what happened to each platform's tested accounts anew, so that every score meets the truth of an
    /// account that was drawn without looking at either.
    pub(super) fn deal_cases(&self, cases: &mut CaseRows) {
        if self.slice.protocol.labels != Labels::Permuted {
            return;
        }
        let mut from: Vec<usize> = (0..cases.platform.len()).collect();
        for (platform, dealt) in
            from.chunk_by_mut(|&a, &b| cases.platform[a] == cases.platform[b]).enumerate()
        {
            self.seed.derive("cases", platform as u64).rng().shuffle(dealt);
        }
        cases.archetype = from.iter().map(|&case| cases.archetype[case]).collect();
        cases.harm_start = from.iter().map(|&case| cases.harm_start[case]).collect();
        let (offsets, children, times) = (&cases.contact_offsets, &cases.contact_child, &cases.contact_time);
        let (mut ends, mut child, mut time) = (vec![0], vec![], vec![]);
        for case in from {
            let span = offsets[case] as usize..offsets[case + 1] as usize;
            child.extend_from_slice(&children[span.clone()]);
            time.extend_from_slice(&times[span]);
            ends.push(number(child.len()));
        }
        (cases.contact_offsets, cases.contact_child, cases.contact_time) = (ends, child, time);
    }
}
