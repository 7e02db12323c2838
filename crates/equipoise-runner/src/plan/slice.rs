//! What of an experiment an arm reads.

use super::ArmSlice;
use crate::config::{ArmKind, Experiment, Tuning};
use equipoise_features::UnitScale;
use equipoise_federated::{FedAvg, LocalSpec};
use equipoise_model::ModelSpec;
use equipoise_model::calibration::CalibrationSpec;
use equipoise_synth::WorldSpec;

/// The slice of an experiment that an arm reads. What is not in here cannot change the arm.
pub(crate) fn slice(arm: ArmKind, e: &Experiment, world: &WorldSpec) -> ArmSlice {
    let network = arm.trains() && !arm.grows_trees();
    let private = arm.federates() && e.privacy.epsilon.is_finite();
    let model = match arm {
        _ if !arm.trains() || arm.grows_trees() => None,
        ArmKind::FederatedLogistic => Some(ModelSpec::LogisticRegression {}),
        _ if arm.is_binned() => e.binned.map(|binned| ModelSpec::BinnedLogistic { bins: binned.bins }),
        _ => Some(e.model.clone()),
    };
    let schemas = || (0..world.platform.len()).map(|platform| world.schema(platform)).collect::<Vec<_>>();
    let scaled = model.as_ref().is_some_and(ModelSpec::reads_unit_interval);
    let Tuning { learning_rates, private_learning_rates, .. } = &e.tuning;
    let rates = if private { private_learning_rates } else { learning_rates };
    let mut federation = arm.federates().then(|| e.federation.clone());
    if let (ArmKind::FederatedBinned, Some(section)) = (arm, &mut federation) {
        // A baseline stays the same whatever rule is studied beside it, and it has one layer.
        section.local = LocalSpec::FedAvg(FedAvg {});
    }
    if let (true, Some(section)) = (private, &mut federation) {
        // One clipped step a round on the server's own optimiser: the local-epoch settings are not read. Platforms that take noised steps
        // by themselves send where these led, as federated averaging does.
        section.rounds = e.privacy.rounds;
        if e.privacy.local_steps().is_none() {
            section.server = e.privacy.server.clone();
        }
    }
    ArmSlice {
        arm,
        schema: e.schema.filter(|_| arm.trains()),
        model,
        trees: if arm.grows_trees() { e.trees.clone() } else { None },
        scale: scaled.then(|| UnitScale::new(e.features.label_adjacent, &schemas())),
        calibration: e.calibration.filter(|spec| arm.trains() && *spec != CalibrationSpec::None {}),
        start: network.then_some(e.start),
        training: network.then(|| e.training.clone()),
        passes: (network && (!arm.federates() || e.federation.partition.members().is_some()))
            .then_some(e.federation.rounds),
        federation,
        aggregation: arm.federates().then(|| e.aggregation.clone()),
        fusion: e.fusion.as_ref().filter(|_| arm.fuses()).map(|fusion| fusion.of(arm)),
        privacy: private.then(|| e.privacy.of_arm()),
        learning_rates: if arm.trains() { rates.clone() } else { vec![] },
        seed: e.experiment.seed,
    }
}
