//! From points to units: worlds, then each arm's tuning and trials, each with the address of what it reads.

use super::names::name;
use super::{ArmPlan, ArmSlice, CODE, Stage, Unit, Work, WorldRole, WorldSlice, hash};
use crate::config::{Experiment, Loaded};
use crate::fault::Fault;
use std::collections::BTreeMap;

/// Units as they are asked for, each once.
#[derive(Default)]
pub(super) struct Builder {
    pub(super) units: Vec<Unit>,
    seen: BTreeMap<String, ()>,
}

impl Builder {
    fn add(&mut self, stage: Stage, label: String, needs: Vec<String>, work: Work) -> Result<String, Fault> {
        let version = CODE.iter().find(|(s, _)| *s == stage).map_or(0, |(_, version)| *version);
        let inputs: Vec<&str> = needs.iter().map(String::as_str).collect();
        let id = hash(stage.name(), version, &work, &inputs)?[..12].to_owned();
        if self.seen.insert(id.clone(), ()).is_none() {
            self.units.push(Unit { id: id.clone(), stage, label, needs, work });
        }
        Ok(id)
    }

    pub(super) fn worlds(
        &mut self,
        loaded: &Loaded,
        role: WorldRole,
        count: u32,
    ) -> Result<Vec<String>, Fault> {
        let e = loaded.first();
        let networks = e.arms.iter().any(|arm| arm.trains() && !arm.grows_trees());
        let reads = loaded.points.iter().any(|point| point.experiment.model.reads_sequences());
        let sums = |point: &crate::config::Point| point.experiment.privacy.sums_over_contacts();
        let contacts = e.arms.iter().any(|arm| arm.federates()) && loaded.points.iter().any(sums);
        (0..count)
            .map(|index| {
                let slice = WorldSlice {
                    world: loaded.world.clone(),
                    features: e.features,
                    protocol: e.protocol.clone(),
                    seed: e.experiment.seed,
                    role,
                    index,
                    sequences: networks && reads,
                    tokens: e.arms.iter().any(|arm| arm.fuses()),
                    contacts,
                };
                let what = if role == WorldRole::Test { "test world" } else { "development world" };
                self.add(Stage::World, format!("{what} {index}"), vec![], Work::World(slice))
            })
            .collect()
    }

    pub(super) fn arm(
        &mut self,
        slice: ArmSlice,
        experiment: &Experiment,
        worlds: &[String],
        development: &[String],
    ) -> Result<ArmPlan, Fault> {
        let (id, label) = name(&slice);
        let tune = if slice.arm.trains() {
            Some(self.add(
                Stage::Tune,
                format!("tune {label}"),
                development.to_vec(),
                Work::Tune(slice.clone()),
            )?)
        } else {
            None
        };
        let trials = worlds
            .iter()
            .enumerate()
            .map(|(index, world)| {
                let needs = std::iter::once(world.clone()).chain(tune.clone()).collect();
                let work = Work::Trial { arm: slice.clone(), evaluation: experiment.evaluation.clone() };
                self.add(Stage::Trial, format!("{label}, world {index}"), needs, work)
            })
            .collect::<Result<_, _>>()?;
        Ok(ArmPlan { id, label, slice, tune, trials })
    }
}
