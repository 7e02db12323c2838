//! What everybody knows of a federation under masks: its plan, the modulus, and the keys of the round under way.

use super::wire::{self, Advert};
use crate::roles::SessionId;
use equipoise_federated::{SlotPlan, VectorSpec};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Bits of one masked integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modulus {
    /// 2^32.
    Narrow,
    /// 2^64.
    Wide,
}

impl Modulus {
    /// Bytes of one masked integer.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::Narrow => 4,
            Self::Wide => 8,
        }
    }
}

/// What everybody knows, and the server's bulletin board with the keys of the round under way.
#[derive(Debug)]
pub struct Public {
    pub(crate) spec: VectorSpec,
    pub(crate) slots: SlotPlan,
    pub(crate) modulus: Modulus,
    pub(crate) session: SessionId,
    pub(crate) threshold: u32,
    pub(super) board: Mutex<(u32, BTreeMap<u32, Advert>)>,
}

impl Public {
    /// The plan in the words of the trait.
    #[must_use]
    pub const fn slots(&self) -> &SlotPlan {
        &self.slots
    }

    /// How integers are masked.
    #[must_use]
    pub const fn modulus(&self) -> Modulus {
        self.modulus
    }

    /// The keys that were published for a round, by client; empty for any but the one under way.
    #[must_use]
    pub fn adverts(&self, round: u32) -> BTreeMap<u32, Advert> {
        let board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        if board.0 == round { board.1.clone() } else { BTreeMap::new() }
    }

    pub(super) fn publish(&self, round: u32, adverts: BTreeMap<u32, Advert>) {
        *self.board.lock().unwrap_or_else(PoisonError::into_inner) = (round, adverts);
    }
}

pub(super) fn slot_plan(spec: &VectorSpec, modulus: Modulus) -> SlotPlan {
    let bytes = modulus.bytes();
    SlotPlan {
        slots: 1,
        width_bits: 8 * u32::try_from(bytes).expect("four or eight"),
        delta_log2: 0,
        noise_bound_log2: 0.0,
        polynomials: 0,
        upload_bytes: (wire::UPLOAD_HEADER + bytes * spec.len) as u64,
    }
}
