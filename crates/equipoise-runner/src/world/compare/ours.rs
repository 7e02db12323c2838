//! Our side: the direct messages of one platform of a world, made on the spot or read from a built dataset.

use super::Named;
use crate::config::{parse, read};
use crate::fault::{Fault, config, runtime};
use equipoise_core::{
    Archetype, Event, EventKind, EventSink, PlatformId, PlatformSchema, Seed, Silent, SimTime, Surface,
};
use equipoise_synth::contact_log::{Contact, ContactLog};
use equipoise_synth::{World, WorldSpec};
use std::path::{Path, PathBuf};

/// Runs a world and keeps the direct messages of one platform.
///
/// # Errors
/// If the world file is wrong, has no such platform, or its buckets do not fit into `bucket`.
pub(super) fn simulated(
    file: &Path,
    persons: u32,
    days: u16,
    seed: u64,
    platform: Option<&str>,
    bucket: u32,
) -> Result<Named, Fault> {
    let mut spec: WorldSpec = parse(file, &read(file, "world file")?)?;
    (spec.persons, spec.days) = (persons, days);
    let wrong = |error: equipoise_synth::WorldError| config(format!("{}: {error}", file.display()));
    let chosen = choose(file, &spec, platform)?;
    fits(&spec.schema(chosen), bucket)?;
    let world = World::build(&spec, Seed::root(seed)).map_err(wrong)?;
    let mut sink =
        Messages { platform: PlatformId(u8::try_from(chosen).map_err(runtime)?), rows: Vec::new() };
    world.run(None, &mut sink, &Silent).map_err(wrong)?;
    let name = format!(
        "{} of {}, {persons} persons, {days} days, seed {seed}",
        spec.platform[chosen].name,
        file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
    );
    Ok(Named { log: ContactLog::from_rows(sink.rows).map_err(runtime)?, monday: 0, name })
}

/// Reads the event files of one platform of a built dataset.
///
/// # Errors
/// If the directory is no dataset, has no such platform, or a file cannot be read.
pub(super) fn from_dataset(dir: &Path, platform: Option<&str>, bucket: u32) -> Result<Named, Fault> {
    let file = dir.join("config.toml");
    let spec: WorldSpec = parse(&file, &read(&file, "world file of the dataset")?)?;
    let chosen = choose(&file, &spec, platform)?;
    fits(&spec.schema(chosen), bucket)?;
    let events = dir.join(format!("platform={chosen}")).join("table=events");
    let mut files = Vec::new();
    parts(&events, &mut files)?;
    if files.is_empty() {
        return Err(config(format!("{}: no event files; build the dataset again", events.display())));
    }
    files.sort();
    let name = format!("{} of a built dataset", spec.platform[chosen].name);
    Ok(Named { log: super::parquet::events(&files)?, monday: 0, name })
}

fn parts(dir: &Path, found: &mut Vec<PathBuf>) -> Result<(), Fault> {
    let entries = std::fs::read_dir(dir).map_err(|error| {
        config(format!("{}: cannot be read ({error}); give the directory of a built dataset", dir.display()))
    })?;
    for entry in entries {
        let path = entry.map_err(runtime)?.path();
        if path.is_dir() {
            parts(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "parquet") {
            found.push(path);
        }
    }
    Ok(())
}

/// The platform of a name, or the first social network, or the first platform.
fn choose(file: &Path, spec: &WorldSpec, name: Option<&str>) -> Result<usize, Fault> {
    let Some(name) = name else {
        let social = spec.platform.iter().position(|p| p.archetype == Archetype::SocialNetwork);
        return Ok(social.unwrap_or(0));
    };
    spec.platform.iter().position(|p| p.name == name).ok_or_else(|| {
        let names: Vec<&str> = spec.platform.iter().map(|p| p.name.as_str()).collect();
        config(format!("--platform {name}: {} has {}", file.display(), names.join(", ")))
    })
}

fn fits(schema: &PlatformSchema, bucket: u32) -> Result<(), Fault> {
    let own = schema.bucket_seconds.unsigned_abs().max(1);
    if bucket.is_multiple_of(own) {
        return Ok(());
    }
    Err(config(format!("--bucket {bucket}: our platform sees buckets of {own} s; give a multiple of it")))
}

/// Keeps the direct messages of one platform.
struct Messages {
    platform: PlatformId,
    rows: Vec<Contact>,
}

impl EventSink for Messages {
    fn on_events(&mut self, platform: PlatformId, _until: SimTime, events: &[Event]) {
        if platform != self.platform {
            return;
        }
        let direct =
            |e: &&Event| e.kind == EventKind::Message && e.surface == Surface::Direct && e.peer.is_some();
        self.rows.extend(events.iter().filter(direct).map(|e| Contact {
            time: i64::from(e.time.0),
            src: e.actor.0,
            dst: e.peer.0,
            count: u32::from(e.count.max(1)),
        }));
    }
}
