//! A federation from its section: assembled, checked, stepped round by round and written down, until its models are ready.

use super::{Setting, Trained, expect};
use crate::config::AggregationSpec;
use crate::exec::checkpoint;
use crate::fault::{Fault, runtime};
use crate::plan::ArmSlice;
use equipoise_attack::PoisonSpec;
use equipoise_core::Params;
use equipoise_federated::{Aggregation, Divisor, Federation, FederationState, TrainerFactory, VectorSpec};
use equipoise_privacy::{Mechanism, Quantizer};

/// What a federation gets beside its section.
pub(in crate::exec) struct Parts<'a> {
    pub(in crate::exec) trainers: &'a dyn TrainerFactory,
    pub(in crate::exec) spec: VectorSpec,
    pub(in crate::exec) mechanism: &'a dyn Mechanism,
    pub(in crate::exec) divisor: Divisor,
    pub(in crate::exec) quantizer: Quantizer,
}

/// Steps a federation to its last round.
pub(in crate::exec) fn rounds(
    slice: &ArmSlice,
    params: Params,
    parts: &Parts<'_>,
    setting: &Setting<'_>,
) -> Result<Trained, Fault> {
    let section = expect(slice.federation.as_ref(), "federation")?;
    let scheme = match expect(slice.aggregation.as_ref(), "aggregation")? {
        AggregationSpec::Hidden(scheme) => Ok(scheme.build()),
        AggregationSpec::Visible(rule) => Err(rule),
    };
    let aggregation = match (&scheme, section.compression.sparsifier()) {
        (Ok(scheme), _) => Aggregation::Hidden(scheme.session(&parts.spec).map_err(runtime)?),
        (Err(rule), None) => Aggregation::Visible(rule.rule()),
        (Err(rule), Some(choice)) => Aggregation::Chosen(rule.rule(), choice),
    };
    // With a guarantee, the tuned rate is the server's: platforms take one clipped step and have none of their own.
    let one_step = slice.privacy.as_ref().is_some_and(|privacy| privacy.local_steps().is_none());
    let server = if one_step {
        section.server.with_learning_rate(setting.learning_rate)
    } else {
        section.server.clone()
    };
    let poison = section.poison.as_ref().map(PoisonSpec::attack);
    let tamper = |update, seed| match poison {
        Some(attack) => attack.tamper(update, &parts.quantizer, seed),
        None => update,
    };
    let mut federation = Federation {
        trainers: parts.trainers,
        local: section.local.rule(),
        compression: section.compression.map(),
        schedule: section.schedule,
        tamper: section.poison.is_some().then_some(&tamper),
        cohorts: section.cohort,
        quantizer: parts.quantizer,
        rounding: section.rounding.unwrap_or_default(),
        update_clip: section.update_clip,
        aggregation,
        mechanism: parts.mechanism,
        divisor: parts.divisor,
        server: server.optimizer(),
        seed: setting.seed.derive("federation", 0),
        stopwatch: setting.stopwatch,
    };
    federation.check().map_err(runtime)?;
    let mut state = checkpoint::read(setting.checkpoint)?.unwrap_or_else(|| FederationState::new(params));
    let mut keeper = checkpoint::Keeper::new(setting.checkpoint);
    while state.round < section.rounds {
        state = federation.step(state).map_err(runtime)?;
        keeper.keep(&state)?;
    }
    let rule = section.local.rule();
    let models = if rule.personal() {
        let (layers, none) = (parts.trainers.layers(), Vec::new());
        let own = |client| state.kept.get(&client).unwrap_or(&none);
        let model = |client| Params(rule.own_model(&state.params.0, own(client), &layers));
        (0..parts.trainers.clients()).map(model).collect()
    } else {
        vec![state.params.clone()]
    };
    Ok(Trained { models, plan: federation.plan().cloned(), federation: Some(state), ..Trained::default() })
}
