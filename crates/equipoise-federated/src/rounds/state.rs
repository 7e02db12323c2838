//! What goes into a round and comes out of it: everything that a restart needs.

use crate::cohort::Cohort;
use crate::levels::Inside;
use crate::schedule::Traffic;
use crate::secure_sum::WireCost;
use crate::server::ServerState;
use crate::trainer::Outcome;
use equipoise_core::Params;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything that a restart needs. A checkpoint is this, written down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FederationState {
    /// Rounds finished.
    pub round: u32,
    /// The global model.
    pub params: Params,
    /// What is broadcast beside it; empty where the local rule sends one vector.
    #[serde(default)]
    pub beside: Params,
    /// What stays on each platform between rounds. In a deployment it never leaves it; here it is written down so that a killed run
    /// goes on.
    #[serde(default)]
    pub kept: BTreeMap<u32, Vec<f32>>,
    /// What compression left behind on each platform, likewise.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub residual: BTreeMap<u32, Vec<f32>>,
    /// Who trains at the moment, where steps do not wait for rounds.
    #[serde(default)]
    pub traffic: Traffic,
    /// The server optimiser's memory.
    pub server: ServerState,
    /// What happened, round by round.
    pub history: Vec<RoundRecord>,
}

impl FederationState {
    /// Before the first round.
    #[must_use]
    pub fn new(params: Params) -> Self {
        Self {
            round: 0,
            params,
            beside: Params(vec![]),
            kept: BTreeMap::new(),
            residual: BTreeMap::new(),
            traffic: Traffic::default(),
            server: ServerState::default(),
            history: vec![],
        }
    }
}

/// What happened in one round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoundRecord {
    /// Who answered and who did not.
    pub cohort: Cohort,
    /// Clients that answered and whose training did not end as it should.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outcomes: Vec<(u32, Outcome)>,
    /// Steps that the model of a client's start was behind, for clients that were behind at all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub staleness: Vec<(u32, u32)>,
    /// Whether the sum was opened and the model moved.
    pub opened: bool,
    /// Coordinates that the quantiser had to clamp, over the cohort.
    pub saturated: u64,
    /// Bytes on the wire.
    pub wire: WireCost,
    /// What happened inside platforms that hold a federation of devices, by platform.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inside: Vec<Inside>,
}
