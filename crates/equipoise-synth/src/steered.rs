//! A run as the closed loop of measures and reviews steers it ([`equipoise_core::Steered`]).

use crate::simulation::Simulation;
use equipoise_core::{
    AccountId, AccountRef, Action, EventSink, KnownLabel, PlatformId, Policy, Silent, SimTime, Steered,
};

impl Steered for Simulation<'_> {
    fn now(&self) -> SimTime {
        Simulation::now(self)
    }

    fn platforms(&self) -> usize {
        self.sites.len()
    }

    /// # Panics
    /// If the number of policies is not that of the platforms.
    fn step_under(&mut self, policies: &mut [Box<dyn Policy>], sink: &mut dyn EventSink) -> bool {
        self.step(Some(policies), sink, &Silent).expect("one policy for each platform")
    }

    fn carry_out(&mut self, platform: PlatformId, actions: &[Action]) {
        self.apply(platform, actions);
    }

    #[allow(clippy::cast_possible_truncation, reason = "at most 250 platforms")]
    fn carriers(&self, account: AccountRef) -> Vec<AccountRef> {
        let tokens = self.world.tokens();
        let token = tokens[account.platform.index()][account.account.index()];
        let others = (0..self.sites.len()).filter(|other| *other != account.platform.index());
        let on = |other: usize| {
            let found = self.world.token_index.carriers(tokens, other, token);
            let there = move |id: &u32| self.sites[other].created(*id) <= self.now().0;
            found
                .filter(there)
                .map(move |id| AccountRef { platform: PlatformId(other as u8), account: AccountId(id) })
        };
        others.flat_map(on).collect()
    }

    fn known(&self, platform: PlatformId) -> &[KnownLabel] {
        Simulation::known(self, platform)
    }
}
