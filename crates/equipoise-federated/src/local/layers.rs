//! Layers that stay at home: FedPer (Arivazhagan, Aggarwal, Singh, Choudhary, 2019) keeps the last ones; FedBN (Li, Jiang, Zhang, Kamp,
//! Dou, ICLR 2021) keeps those that normalise, against feature skew. Our models have no normalisation layer; the first layer,
//! which meets a platform's own feature scale, stands in its place.

use super::{Broadcast, LocalRule};
use crate::trainer::{LocalTrainer, RoundCtx, TrainError, TrainStats};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// The named layers never leave their platform, and each platform scores with its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalLayers {
    /// Layers that stay, counted from 0 at the features.
    pub layers: Vec<usize>,
}

impl LocalLayers {
    fn ranges<'a>(&'a self, layers: &'a [Range<usize>]) -> impl Iterator<Item = Range<usize>> + 'a {
        self.layers.iter().filter_map(|&layer| layers.get(layer).cloned())
    }
}

impl LocalRule for LocalLayers {
    fn name(&self) -> &'static str {
        "local-layers"
    }

    fn personal(&self) -> bool {
        true
    }

    fn check(&self, layers: &[Range<usize>]) -> Result<(), String> {
        match self.layers.iter().find(|&&layer| layer >= layers.len()) {
            Some(layer) => Err(format!(
                "layers: there is no layer {layer}; the model has {}, counted from 0",
                layers.len()
            )),
            None => Ok(()),
        }
    }

    fn train(
        &self,
        worker: &mut dyn LocalTrainer,
        sent: Broadcast<'_>,
        client: u32,
        ctx: &RoundCtx<'_>,
        kept: &mut Vec<f32>,
        update: &mut [f32],
    ) -> Result<TrainStats, TrainError> {
        // The client's whole model is kept; what the global one says about layers that travel replaces it.
        let mut own = self.own_model(sent.global, kept, ctx.layers);
        let stats = worker.train(&own, client, ctx, update)?;
        if stats.outcome.takes_part() {
            own.iter_mut().zip(&*update).for_each(|(own, moved)| *own += moved);
            *kept = own;
        }
        self.ranges(ctx.layers).for_each(|range| update[range].fill(0.0));
        Ok(stats)
    }

    fn own_model(&self, global: &[f32], kept: &[f32], layers: &[Range<usize>]) -> Vec<f32> {
        let mut own = global.to_vec();
        for range in self.ranges(layers).filter(|_| !kept.is_empty()) {
            own[range.clone()].copy_from_slice(&kept[range]);
        }
        own
    }
}
