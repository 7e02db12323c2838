//! Where the rows of a dataset come from: a simulated world, week by week. The one seam between publishing and the world.

use crate::fault::{Fault, runtime};
use equipoise_core::{AccountId, PlatformId, PlatformView, Seed};
use equipoise_synth::{Skeleton, World, WorldSpec};
use std::ops::Range;

/// A world whose accounts are filed in blocks: ranges of account numbers, of nearly equal length, on every platform.
#[derive(Debug)]
pub struct Source {
    world: World,
    blocks: u16,
}

impl Source {
    /// Builds the world.
    ///
    /// # Errors
    /// If the specification cannot be simulated.
    pub fn new(spec: &WorldSpec, seed: u64, blocks: u16) -> Result<Self, Fault> {
        Ok(Self { world: World::build(spec, Seed::root(seed)).map_err(runtime)?, blocks })
    }

    /// What the operators of the platforms hold besides events.
    #[must_use]
    pub fn views(&self) -> &[PlatformView] {
        self.world.views()
    }

    /// Noisy linkage tokens, `[platform][account]`.
    #[must_use]
    pub fn tokens(&self) -> &[Vec<u64>] {
        self.world.tokens()
    }

    /// Contacts at the start of the window, each once as (smaller, larger), sorted.
    #[must_use]
    pub fn contacts(&self, platform: PlatformId) -> Vec<(u32, u32)> {
        let later = |a: u32| {
            let all = self.world.contacts(platform, AccountId(a));
            all[all.partition_point(|&b| b <= a)..].iter().map(move |&b| (a, b))
        };
        (0..self.accounts(platform)).flat_map(later).collect()
    }

    /// The accounts of every block of a platform, in order.
    pub(super) fn ranges(&self, platform: PlatformId) -> Vec<Range<u32>> {
        let (accounts, blocks) = (u64::from(self.accounts(platform)), u64::from(self.blocks));
        let edge = |block: u64| u32::try_from((block * accounts).div_ceil(blocks)).unwrap_or(u32::MAX);
        (0..blocks).map(|block| edge(block)..edge(block + 1)).collect()
    }

    /// The run without policies, to play week by week.
    pub(super) fn skeleton(&self) -> Skeleton<'_> {
        self.world.skeleton()
    }

    fn accounts(&self, platform: PlatformId) -> u32 {
        u32::try_from(self.world.views()[platform.index()].profiles.len()).unwrap_or(u32::MAX)
    }
}
