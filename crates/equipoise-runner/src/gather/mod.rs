//! From finished units to one report: loads every trial's cases, summarises over worlds, compares arms pair by pair and
//! hands plain numbers to the report module. Pure in the units: the same units give the same bytes.

mod arm;
mod baseline;
mod calibration;
mod cards;
mod coalitions;
mod compare;
mod costs;
mod explanation;
mod facts;
mod front;
mod fusion;
mod metrics;
mod outcomes;
mod patterns;
mod promise;
mod seats;
mod told;

use crate::exec::{Context, Failure, TrialRecord, TuneRecord, read_cases, read_trial};
use crate::fault::Fault;
use crate::plan::{ArmPlan, Stage};
use crate::report::data::ReportData;
use equipoise_eval::Case;
use equipoise_federated::RoundRecord;
use equipoise_privacy::PrivacyClaim;

/// One arm with everything that its trials left.
pub(crate) struct ArmResults<'a> {
    pub(crate) plan: &'a ArmPlan,
    pub(crate) tune: Option<TuneRecord>,
    /// By test world; none where the trial failed.
    pub(crate) trials: Vec<Option<Trial>>,
}

impl ArmResults<'_> {
    /// What the arm claims: of its worlds, whose faults differ, the largest epsilon.
    pub(crate) fn claim(&self) -> Option<&PrivacyClaim> {
        let claims = self.trials.iter().flatten().filter_map(|trial| trial.record.claim.as_ref());
        claims.max_by(|a, b| a.epsilon.total_cmp(&b.epsilon))
    }
}

impl ArmResults<'_> {
    /// What the same models promise other units: of each, the largest epsilon over worlds.
    pub(crate) fn also(&self) -> Vec<&PrivacyClaim> {
        let mut largest: Vec<&PrivacyClaim> = Vec::new();
        for claim in self.trials.iter().flatten().flat_map(|trial| &trial.record.also) {
            match largest.iter_mut().find(|known| known.unit == claim.unit) {
                Some(known) if known.epsilon >= claim.epsilon => {}
                Some(known) => *known = claim,
                None => largest.push(claim),
            }
        }
        largest
    }
}

pub(crate) struct Trial {
    pub(crate) record: TrialRecord,
    pub(crate) rounds: Vec<RoundRecord>,
    pub(crate) cases: Vec<Case>,
}

/// Everything that the run measured, in the report's words.
///
/// # Errors
/// If a finished unit cannot be read, or no trial finished at all.
pub fn gather(context: &Context<'_>, failures: &[Failure]) -> Result<ReportData, Fault> {
    let plan = context.plan;
    let mut arms: Vec<ArmResults<'_>> = plan
        .arms
        .iter()
        .map(|arm| Ok(ArmResults { plan: arm, tune: read_tune(context, arm)?, trials: vec![] }))
        .collect::<Result<_, Fault>>()?;
    let mut metas = Vec::new();
    for (index, world) in plan.worlds.iter().enumerate() {
        let made = context.is_done(context.unit(world)?);
        let data = if made { Some(context.tested(world)?) } else { None };
        for arm in &mut arms {
            let unit = context.unit(&arm.plan.trials[index])?;
            let trial = match &data {
                Some(world) if context.is_done(unit) => Some(read(context, world, unit, index)?),
                _ => None,
            };
            arm.trials.push(trial);
        }
        metas.extend(data.map(|world| world.meta));
    }
    if arms.iter().all(|arm| arm.trials.iter().all(Option::is_none)) {
        return Err(Fault::Runtime("no trial has finished; nothing can be reported".into()));
    }
    let mut data = facts::describe(context, &arms, &metas);
    data.arms = arms.iter().map(|arm| arm::report(arm, &metas, plan.first())).collect();
    data.comparisons = compare::ladder(&arms, plan.first());
    data.comparisons.extend(baseline::rows(&arms, &plan.baseline, plan.first()));
    compare::adjust(&mut data.comparisons);
    (data.front_burden, data.front) = front::rows(&arms, plan.first());
    data.calibration = arms.iter().flat_map(calibration::rows).collect();
    data.closed = compare::closed(&arms, plan.first());
    data.coalitions = coalitions::shares(&arms, &metas, plan.first());
    data.patterns = patterns::gaps(&arms, &metas, plan.first());
    data.failures = failures.iter().map(|f| format!("unit {} ({}): {}", f.unit, f.label, f.why)).collect();
    Ok(data)
}

fn read_tune(context: &Context<'_>, arm: &ArmPlan) -> Result<Option<TuneRecord>, Fault> {
    let Some(id) = &arm.tune else { return Ok(None) };
    let unit = context.unit(id)?;
    debug_assert_eq!(unit.stage, Stage::Tune);
    if !context.is_done(unit) {
        return Ok(None);
    }
    equipoise_store::read_json(&context.dir(unit).join("tune.json")).map(Some).map_err(crate::fault::runtime)
}

fn read(
    context: &Context<'_>,
    world: &crate::data::Tested,
    unit: &crate::plan::Unit,
    index: usize,
) -> Result<Trial, Fault> {
    let dir = context.dir(unit);
    equipoise_store::verify_dir(&dir).map_err(|error| {
        Fault::Runtime(format!(
            "{error}\n  mend: remove {} and run again; it is computed anew",
            dir.display()
        ))
    })?;
    let (record, rounds) = read_trial(&dir)?;
    let mut cases = read_cases(world, &dir)?;
    // Persons of different worlds are different persons.
    let offset = u32::try_from(index).unwrap_or(0).wrapping_mul(world.meta.persons);
    cases.iter_mut().for_each(|case| case.person = case.person.wrapping_add(offset));
    Ok(Trial { record, rounds, cases })
}
