//! Federations: cohorts, rounds, aggregators, server optimisers, faults, and the secure sum with its plain form.
//!
//! Runs without any model library and without any encryption: training and sums come in through traits. It never sees
//! rows, labels or truth.
#![forbid(unsafe_code)]

mod aggregator;
mod cohort;
mod compression;
mod faults;
pub mod laws;
mod leakage;
mod levels;
mod local;
mod plain;
mod platforms;
mod roll;
mod rounds;
mod schedule;
mod secure_sum;
mod server;
mod trainer;

pub use aggregator::{
    Aggregator, AggregatorSpec, Bulyan, CoordinateMedian, GeometricMedian, Krum, MultiKrum, NormClippedMean,
    TrimmedMean, WeightedMean,
};
pub use cohort::{Cohort, CohortSpec};
pub use compression::{Compression, CompressionSpec, NoCompression, Rotation, Sparsifier, Subset, TopK};
pub use faults::{FaultSpec, Stragglers};
pub use leakage::{LeakageProfile, SeatView};
pub use levels::{Devices, DevicesSpec, Inside};
pub use local::{Broadcast, Ditto, FedAvg, FedProx, LocalLayers, LocalRule, LocalSpec, Scaffold};
pub use plain::{NoShare, Plain, PlainSum, PlainUpload, check_update};
pub use platforms::Tamper;
pub use rounds::{Aggregation, Divisor, Federation, FederationError, FederationState, RoundRecord};
pub use schedule::{ScheduleSpec, Traffic};
pub use secure_sum::{
    CohortRecord, DynSecureSum, IntSum, PlanError, Seat, SecureSum, Setup, SetupOf, SlotPlan, Stopwatch,
    SumError, SumSession, Untimed, VectorSpec, Wire, WireCost,
};
pub use server::{
    ServerAdagrad, ServerAdam, ServerOptimizer, ServerSgd, ServerSpec, ServerState, ServerYogi,
};
pub use trainer::{
    Contribution, Drift, LocalTrainer, Outcome, RoundCtx, TrainError, TrainStats, TrainerFactory,
};

#[cfg(test)]
mod testing {
    use equipoise_privacy::OutgoingUpdate;

    /// An update of round 0 that holds `weight * values`.
    pub(crate) fn outgoing(client: u32, weight: u32, values: &[i32]) -> OutgoingUpdate {
        crate::laws::outgoing_integers(0, client, weight, values)
    }
}
