//! One cell on one world: what is written down, so that a run that was cut off goes on where it stopped.

use super::canaries::{self, CanaryResult};
use super::facts::{self, FactResult};
use super::file::{AuditSection, Defence, Target};
use super::inversion::{self, Bench, InversionResult};
use super::linking::{self, LinkResult};
use super::membership::{self, MembershipResult};
use super::model::Recipe;
use super::poisoning::{self, PoisoningResult};
use crate::data::WorldData;
use crate::exec::{self, Told};
use crate::fault::Fault;
use equipoise_core::{Seed, Silent};
use equipoise_model::ModelSpec;
use serde::{Deserialize, Serialize};

/// What a cell is of: indices into the file.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Work {
    /// A claim.
    Audit(usize),
    /// A defence and a batch.
    Inversion(Defence, usize),
    /// An attack and a rule.
    Poisoning(usize, usize),
}

/// What came of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CellResult {
    Audit(AuditCell),
    Inversion(Vec<InversionResult>),
    Poisoning(PoisoningResult),
}

impl CellResult {
    pub(super) fn audit(&self) -> Option<&AuditCell> {
        if let Self::Audit(cell) = self { Some(cell) } else { None }
    }

    pub(super) fn inversion(&self) -> Option<&Vec<InversionResult>> {
        if let Self::Inversion(cell) = self { Some(cell) } else { None }
    }

    pub(super) fn poisoning(&self) -> Option<&PoisoningResult> {
        if let Self::Poisoning(cell) = self { Some(cell) } else { None }
    }
}

/// Every attack on one claim's model.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct AuditCell {
    /// Rows trained on, and rows that there were.
    pub(crate) rows: (u64, u64),
    pub(crate) canaries: Option<CanaryResult>,
    pub(crate) membership: Vec<MembershipResult>,
    pub(crate) facts: Vec<FactResult>,
    pub(crate) linkage: Vec<LinkResult>,
}

/// A file's cells on one world.
pub(super) fn cells(target: &Target) -> Vec<Work> {
    let file = &target.file;
    let mut cells = Vec::new();
    if let Some(audit) = &file.audit {
        cells.extend((0..audit.claim.len()).map(Work::Audit));
    }
    if let Some(inversion) = &file.inversion {
        let of = |&defence| inversion.batches.iter().map(move |&batch| Work::Inversion(defence, batch));
        cells.extend(inversion.defence.iter().flat_map(of));
    }
    if let Some(poisoning) = &file.poisoning {
        let of = |rule| (0..poisoning.attack.len()).map(move |attack| Work::Poisoning(attack, rule));
        cells.extend((0..poisoning.rule.len()).flat_map(of));
    }
    cells
}

/// What the cells of one world share.
pub(super) struct Ground {
    world: WorldData,
    told: Told,
    bench: Option<Bench>,
    seed: Seed,
}

/// Makes a world, and what its cells share.
///
/// # Errors
/// If the world cannot be made from its specification.
pub(super) fn ground(target: &Target, index: usize) -> Result<Ground, Fault> {
    let (mut world, told) = exec::make_told(&target.worlds[index], &Silent)?;
    let seed = Seed::root(target.file.experiment.seed).derive("attacked-world", index as u64);
    let bench = match &target.file.inversion {
        Some(section) => Some(Bench::new(target, section, &world, seed)?),
        None => None,
    };
    if target.file.poisoning.is_some() {
        world = poisoning::with_reserved(&world);
    }
    Ok(Ground { world, told, bench, seed })
}

/// Plays one cell.
///
/// # Errors
/// If something cannot be trained or computed.
pub(super) fn play(target: &Target, ground: &Ground, work: Work) -> Result<CellResult, Fault> {
    let file = &target.file;
    match (work, &file.audit, &file.inversion, &file.poisoning, &ground.bench) {
        (Work::Audit(claim), Some(section), ..) => {
            audited(target, section, ground, claim).map(CellResult::Audit)
        }
        (Work::Inversion(defence, batch), _, Some(section), _, Some(bench)) => {
            inversion::run(target, section, bench, (defence, batch), ground.seed).map(CellResult::Inversion)
        }
        (Work::Poisoning(attack, rule), _, _, Some(section), _) => {
            let pair = (&section.attack[attack], &section.rule[rule]);
            poisoning::run(target, section, &ground.world, pair, ground.seed).map(CellResult::Poisoning)
        }
        _ => Err(Fault::Config("a cell of another file; make the run anew".into())),
    }
}

fn audited(
    target: &Target,
    section: &AuditSection,
    ground: &Ground,
    claim: usize,
) -> Result<AuditCell, Fault> {
    let (world, told, seed) = (&ground.world, &ground.told, ground.seed);
    let rows = &world.train;
    let mut recipe = Recipe::new(target, &section.claim[claim])?;
    let kept = match recipe.privacy.contribution() {
        Some(contribution) => exec::bounded_rows(contribution, rows, &world.reads)?.0,
        None => vec![true; rows.label.len()],
    };
    let share = (world.meta.platforms.len(), kept.as_slice());
    // The claim is about the mechanism, which the broken control weakens; its model is attacked as it would be released.
    let at = seed.derive("audited", 0);
    let (attacked, membership) =
        membership::run(&recipe, &section.membership, (rows, &world.reads), share, at)?;
    let mut facts = facts::run(&recipe, &attacked, (rows, &world.reads, told), at.derive("facts", 0))?;
    facts.extend(facts::property(&recipe, &section.property, (rows, told), share, at.derive("property", 0))?);
    let linkage = linking::run(&recipe, &attacked.params, &section.linkage, world, at.derive("linkage", 0))?;
    recipe.model = ModelSpec::LogisticRegression {};
    let canaries =
        canaries::run(&recipe, &section.canaries, rows, share, at.derive("canaries", claim as u64))?;
    let used = kept.iter().filter(|kept| **kept).count() as u64;
    Ok(AuditCell { rows: (used, kept.len() as u64), canaries, membership, facts, linkage })
}
