//! A session that a restart finds again: its keys, what holders answered, flags in flight, values that were opened.
//!
//! The limit on openings is worth nothing if a crash lifts it. So a session writes down, in this order: secrets and the session (before
//! the first upload), a batch's flags (before a holder is asked), each holder's openings (before it answers, by its own hand), values
//! (before the next batch). Whoever starts again on the same store goes on with the same keys and asks for the flags in flight, mask by
//! mask the same; holders answer a mask that they answered before with the very same words, which tells nobody anything new. What was
//! opened stays opened once; a new rule for an account counts, however often the process starts.
//!
//! Between the batches nothing is lost but time. Not promised: secrets at rest are as safe as the store.

use super::design::{AccountScores, FusionCost};
use super::error::FusionError;
use super::holders::{FusionHolder, SuspendedHolder};
use super::messages::KeyContribution;
use super::plan::{FusionKeys, FusionPlan};
use super::public::FusionPublic;
use super::rule::FusionTable;
use super::shared::SharedOpener;
use super::store::{SessionStore, read_record};
use super::wire::FusionMessage;
use crate::roles::SessionId;
use zeroize::Zeroizing;

const SESSION: &str = "session";

pub(super) fn secret_name(seat: usize) -> String {
    format!("seat-{seat}.secret")
}

pub(super) fn record_name(seat: usize) -> String {
    format!("seat-{seat}.record")
}

fn damaged(what: &str) -> FusionError {
    FusionError::Record(format!("{what}: a session without what it kept must not go on, begin another one"))
}

/// A session as it was kept: what everybody knows, and the contributions to its joint key.
pub(super) struct Kept {
    pub(super) public: FusionPublic,
    pub(super) contributions: Vec<KeyContribution>,
}

/// Reads the session of a store, if there is one.
pub(super) fn read(plan: &FusionPlan, store: &dyn SessionStore) -> Result<Option<Kept>, FusionError> {
    let Some(bytes) = store.read(SESSION).map_err(FusionError::Record)? else { return Ok(None) };
    let Some((session, rest)) = bytes.split_first_chunk() else { return Err(damaged("the session is cut")) };
    let public = FusionPublic::of_session(plan.clone(), SessionId(*session));
    let holders = match public.plan.keys {
        FusionKeys::Shared => 0,
        FusionKeys::Joint { holders } => holders as usize,
    };
    let each = rest.len().checked_div(holders).unwrap_or(0).max(1);
    let contributions = rest.chunks(each).map(|bytes| KeyContribution::from_bytes(bytes, &public));
    let contributions = contributions.collect::<Result<Vec<_>, _>>()?;
    if contributions.len() != holders {
        return Err(damaged("the session is of another plan"));
    }
    Ok(Some(Kept { public, contributions }))
}

/// Writes a session down, its secrets first: a session that stands there is whole.
pub(super) fn write(
    store: &mut dyn SessionStore,
    public: &FusionPublic,
    secrets: &[Zeroizing<Vec<u8>>],
    contributions: &[KeyContribution],
) -> Result<(), FusionError> {
    for (seat, secret) in secrets.iter().enumerate() {
        store.write(&secret_name(seat), secret).map_err(FusionError::Journal)?;
    }
    let parts = contributions.iter().flat_map(|part| part.to_bytes(public));
    let bytes: Vec<u8> = public.session.0.into_iter().chain(parts).collect();
    store.write(SESSION, &bytes).map_err(FusionError::Journal)
}

fn secret(store: &dyn SessionStore, seat: usize) -> Result<Zeroizing<Vec<u8>>, FusionError> {
    let bytes = store.read(&secret_name(seat)).map_err(FusionError::Record)?;
    bytes.map(Zeroizing::new).ok_or_else(|| damaged("a secret is missing"))
}

/// A holder with everything that it ever opened.
pub(super) fn holder(
    store: &mut dyn SessionStore,
    public: &FusionPublic,
    seat: u32,
) -> Result<FusionHolder, FusionError> {
    let secret = secret(store, seat as usize)?;
    let record = read_record(store, &record_name(seat as usize))?;
    SuspendedHolder::from_exposed(seat, secret).resume(public, &record)
}

/// The opener of a shared key with everything that it ever opened.
pub(super) fn opener(
    store: &mut dyn SessionStore,
    public: &FusionPublic,
) -> Result<SharedOpener, FusionError> {
    let secret = secret(store, 0)?;
    let record = read_record(store, &record_name(0))?;
    SharedOpener::resume(public, &secret, &record)
}

/// Flags that are on their way: what was sent to make them, their masks and their bodies, as they travel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flight {
    pub(super) upload_bytes: u64,
    pub(super) masks: Vec<Vec<u8>>,
    pub(super) bodies: Vec<Vec<u8>>,
}

/// One rule over one list of accounts: what was opened of it, and what is in flight.
pub(super) struct Progress {
    values_name: String,
    flight_name: String,
    pub(super) values: Vec<u32>,
    pub(super) cost: FusionCost,
}

/// Bytes before a batch's values: three costs and a count.
const BATCH_HEADER: usize = 3 * 8 + 4;

impl Progress {
    /// What the store knows of this rule over these accounts.
    pub(super) fn read(
        store: &mut dyn SessionStore,
        table: &FusionTable,
        accounts: &[AccountScores],
    ) -> Result<Self, FusionError> {
        let mut hasher = blake3::Hasher::new_derive_key("equipoise-encrypted 2026-11-28 fusion progress v1");
        hasher.update(&table.fingerprint);
        for AccountScores { account, scores } in accounts {
            hasher.update(account.bytes());
            scores.iter().for_each(|score| {
                hasher.update(&[u8::from(score.is_some())]);
            });
        }
        let name = &hasher.finalize().to_hex()[..16];
        let (values_name, flight_name) = (format!("{name}.values"), format!("{name}.flight"));
        let mut all = Self { values_name, flight_name, values: vec![], cost: FusionCost::default() };
        let bytes = store.read(&all.values_name).map_err(FusionError::Record)?.unwrap_or_default();
        let mut rest = bytes.as_slice();
        while let Some((batch, after)) = split_batch(rest) {
            all.take(batch);
            rest = after;
        }
        if !rest.is_empty() {
            // Written in part: its flags are still in flight, and are asked for again.
            let whole = &bytes[..bytes.len() - rest.len()];
            store.write(&all.values_name, whole).map_err(FusionError::Journal)?;
        }
        Ok(all)
    }

    fn take(&mut self, batch: &[u8]) {
        let (costs, values) = batch.split_at(BATCH_HEADER);
        let (costs, _) = costs.as_chunks::<8>();
        let cost = |at: usize| u64::from_le_bytes(costs[at]);
        self.cost.upload_bytes += cost(0);
        self.cost.server_bytes += cost(1);
        self.cost.share_bytes += cost(2);
        let (values, _) = values.as_chunks::<4>();
        self.values.extend(values.iter().map(|value| u32::from_le_bytes(*value)));
    }

    /// Writes a batch's values down, with what it cost.
    pub(super) fn add(
        &mut self,
        store: &mut dyn SessionStore,
        values: &[u32],
        cost: &FusionCost,
    ) -> Result<(), FusionError> {
        let costs = [cost.upload_bytes, cost.server_bytes, cost.share_bytes];
        let mut bytes: Vec<u8> = costs.iter().flat_map(|cost| cost.to_le_bytes()).collect();
        bytes.extend(u32::try_from(values.len()).expect("a batch is small").to_le_bytes());
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        store.append(&self.values_name, &bytes).map_err(FusionError::Journal)?;
        self.take(&bytes);
        Ok(())
    }

    /// The flags in flight, if they are those of the accounts from `first` on.
    pub(super) fn flight(
        &self,
        store: &dyn SessionStore,
        first: usize,
    ) -> Result<Option<Flight>, FusionError> {
        let bytes = store.read(&self.flight_name).map_err(FusionError::Record)?.unwrap_or_default();
        let mut numbers = bytes.as_slice();
        let mut next = || {
            let (number, rest) = numbers.split_first_chunk::<8>()?;
            numbers = rest;
            usize::try_from(u64::from_le_bytes(*number)).ok()
        };
        let header = [next(), next(), next(), next(), next()];
        let [Some(at), Some(upload), Some(count), Some(mask), Some(body)] = header else { return Ok(None) };
        if at != first {
            return Ok(None); // Values of it were written: the flags of a batch that is done.
        }
        let sizes = mask.checked_add(body).and_then(|both| both.checked_mul(count));
        if sizes != Some(numbers.len()) || mask == 0 || body == 0 {
            return Err(damaged("the flags in flight are cut"));
        }
        let (masks, bodies) = numbers.split_at(mask * count);
        let parts = |bytes: &[u8], each| bytes.chunks(each).map(<[u8]>::to_vec).collect();
        Ok(Some(Flight {
            upload_bytes: upload as u64,
            masks: parts(masks, mask),
            bodies: parts(bodies, body),
        }))
    }

    /// Writes flags down before anybody is asked about them. All masks are of one length, and all bodies.
    pub(super) fn launch(
        &self,
        store: &mut dyn SessionStore,
        first: usize,
        flight: &Flight,
    ) -> Result<(), FusionError> {
        let each = |messages: &[Vec<u8>]| messages.first().map_or(0, Vec::len) as u64;
        let sizes = [
            first as u64,
            flight.upload_bytes,
            flight.masks.len() as u64,
            each(&flight.masks),
            each(&flight.bodies),
        ];
        let mut bytes: Vec<u8> = sizes.iter().flat_map(|size| size.to_le_bytes()).collect();
        flight.masks.iter().chain(&flight.bodies).for_each(|message| bytes.extend(message));
        store.write(&self.flight_name, &bytes).map_err(FusionError::Journal)
    }
}

/// One whole batch of values off the front.
fn split_batch(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let count = bytes.get(BATCH_HEADER - 4..)?.first_chunk()?;
    bytes.split_at_checked(BATCH_HEADER + 4 * u32::from_le_bytes(*count) as usize)
}
