//! A platform's behaviour log as a table: nine fixed-width columns, codes checked on the way back.

use crate::{ColumnData, StoreError, Table};
use equipoise_core::{AccountId, Event, EventKind, ReportCategory, SimTime, Surface};

/// The events as columns `time`, `actor`, `peer`, `kind`, `surface`, `count`, `media`, `mutuals`, `detail`, in the given order.
/// An event without another side has [`AccountId::NONE`] (`4294967295`) as its peer.
///
/// # Panics
/// Never: the names are fixed and the columns are as long as `events`.
#[must_use]
pub fn events_to_table(events: &[Event]) -> Table {
    let columns: [(&str, ColumnData); 9] = [
        ("time", ColumnData::I32(events.iter().map(|e| e.time.0).collect())),
        ("actor", ColumnData::U32(events.iter().map(|e| e.actor.0).collect())),
        ("peer", ColumnData::U32(events.iter().map(|e| e.peer.0).collect())),
        ("kind", ColumnData::U8(events.iter().map(|e| e.kind.code()).collect())),
        ("surface", ColumnData::U8(events.iter().map(|e| e.surface as u8).collect())),
        ("count", ColumnData::U16(events.iter().map(|e| e.count).collect())),
        ("media", ColumnData::U8(events.iter().map(|e| e.media).collect())),
        ("mutuals", ColumnData::U8(events.iter().map(|e| e.mutuals).collect())),
        ("detail", ColumnData::U8(events.iter().map(|e| e.detail).collect())),
    ];
    columns.into_iter().fold(Table::new(), |table, (name, data)| {
        table.with(name, data).expect("the names are valid and distinct and the lengths equal")
    })
}

/// The events of a table that [`events_to_table`] made.
///
/// # Errors
/// If a column is missing or of another type, or if a kind, surface or report category is not a known code.
pub fn events_from_table(table: &Table) -> Result<Vec<Event>, StoreError> {
    let (time, actor, peer) = (table.i32("time")?, table.u32("actor")?, table.u32("peer")?);
    let (kind, surface, count) = (table.u8("kind")?, table.u8("surface")?, table.u16("count")?);
    let (media, mutuals, detail) = (table.u8("media")?, table.u8("mutuals")?, table.u8("detail")?);
    (0..table.rows())
        .map(|row| {
            let unknown = |column, code| StoreError::Code { column, row, code };
            let known = EventKind::from_code(kind[row]).ok_or_else(|| unknown("kind", kind[row]))?;
            if known == EventKind::Report && detail[row] > ReportCategory::ChildSafety as u8 {
                return Err(unknown("detail", detail[row]));
            }
            Ok(Event {
                time: SimTime(time[row]),
                actor: AccountId(actor[row]),
                peer: AccountId(peer[row]),
                kind: known,
                surface: Surface::from_code(surface[row]).ok_or_else(|| unknown("surface", surface[row]))?,
                count: count[row],
                media: media[row],
                mutuals: mutuals[row],
                detail: detail[row],
            })
        })
        .collect()
}
