//! Where the rows of a dataset come from. The one seam between publishing and the world: whoever makes rows another way (block
//! by block, on several machines) implements [`RowSource`] and nothing else changes.

use crate::fault::{Fault, runtime};
use equipoise_core::{AccountId, EventSink, Observer, PlatformId, PlatformView, Seed};
use equipoise_synth::{Outcome, World, WorldSpec};

/// Makes the rows of a dataset.
///
/// Law: the set of rows (equal keys merged), the outcome and everything that stands still depend on the specification and the
/// seed alone; the rows of a platform arrive week by week.
pub trait RowSource {
    /// What the operators of the platforms hold besides events.
    fn views(&self) -> &[PlatformView];

    /// Noisy linkage tokens, `[platform][account]`.
    fn tokens(&self) -> &[Vec<u64>];

    /// Contacts at the start of the window, each once as (smaller, larger), sorted.
    fn contacts(&self, platform: PlatformId) -> Vec<(u32, u32)>;

    /// The block that an account's rows are filed under.
    fn block_of(&self, platform: PlatformId, account: AccountId) -> u16;

    /// Hands every row to `sink`, until the window ends or `stop` says so.
    ///
    /// # Errors
    /// If the world cannot be run.
    fn stream(
        &self,
        sink: &mut dyn EventSink,
        stop: &dyn Fn() -> bool,
        observer: &dyn Observer,
    ) -> Result<Outcome, Fault>;
}

/// The whole world in memory, stepped through time; blocks are ranges of account numbers.
#[derive(Debug)]
pub struct WholeWorld {
    world: World,
    blocks: u16,
}

impl WholeWorld {
    /// Builds the world.
    ///
    /// # Errors
    /// If the specification cannot be simulated.
    pub fn new(spec: &WorldSpec, seed: u64, blocks: u16) -> Result<Self, Fault> {
        Ok(Self { world: World::build(spec, Seed::root(seed)).map_err(runtime)?, blocks })
    }
}

impl RowSource for WholeWorld {
    fn views(&self) -> &[PlatformView] {
        self.world.views()
    }

    fn tokens(&self) -> &[Vec<u64>] {
        self.world.tokens()
    }

    fn contacts(&self, platform: PlatformId) -> Vec<(u32, u32)> {
        let accounts = u32::try_from(self.world.views()[platform.index()].profiles.len()).unwrap_or(u32::MAX);
        let later = |a: u32| {
            let all = self.world.contacts(platform, AccountId(a));
            all[all.partition_point(|&b| b <= a)..].iter().map(move |&b| (a, b))
        };
        (0..accounts).flat_map(later).collect()
    }

    fn block_of(&self, platform: PlatformId, account: AccountId) -> u16 {
        let accounts = self.world.views()[platform.index()].profiles.len().max(1);
        let block = account.index() * usize::from(self.blocks) / accounts;
        u16::try_from(block).unwrap_or(u16::MAX).min(self.blocks - 1)
    }

    fn stream(
        &self,
        sink: &mut dyn EventSink,
        stop: &dyn Fn() -> bool,
        observer: &dyn Observer,
    ) -> Result<Outcome, Fault> {
        let mut simulation = self.world.start();
        while !stop() && simulation.step(None, sink, observer).map_err(runtime)? {}
        Ok(simulation.finish())
    }
}
