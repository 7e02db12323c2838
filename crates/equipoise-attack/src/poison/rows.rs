//! Poison in the rows of a platform, before any training: flipped labels, and a backdoor. The backdoor's trigger is a reserved column
//! that means nothing (a dummy feature that is zero in every honest row); it never stands for a pattern of behaviour.

use equipoise_core::{Draw, Fraction, Seed};
use serde::{Deserialize, Serialize};

/// What a platform that poisons its rows does to them.
///
/// Laws (see [`crate::laws::check_row_poison`]): the number of rows and columns stays; no more than the stated share of rows changes;
/// only labels and the reserved column change; the same seed gives the same rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum RowPoisonSpec {
    /// Honest rows: the control arm.
    None {},
    /// Labels turned round (Biggio, Nelson, Laskov, 2011).
    LabelFlip {
        /// Share of rows.
        share: Fraction,
    },
    /// The reserved column is set and the label made `target` (Gu, Dolan-Gavitt, Garg, 2017).
    Backdoor {
        /// Share of rows.
        share: Fraction,
        /// The reserved column.
        column: usize,
        /// What it is set to.
        value: f32,
        /// The label that the trigger is to bring about.
        target: bool,
    },
}

impl RowPoisonSpec {
    /// Poisons rows of `width` columns, stored one after the other. `rows` and `labels` must be of the same rows.
    ///
    /// # Panics
    /// If they are not, or the reserved column lies outside a row.
    pub fn apply(&self, rows: &mut [f32], width: usize, labels: &mut [bool], seed: Seed) {
        assert_eq!(rows.len(), width * labels.len(), "one label a row");
        let share = match self {
            Self::None {} => return,
            Self::LabelFlip { share } | Self::Backdoor { share, .. } => share.get(),
        };
        let mut order: Vec<usize> = (0..labels.len()).collect();
        seed.derive("row-poison", 0).rng().shuffle(&mut order);
        for &row in &order[..libm::floor(share * labels.len() as f64) as usize] {
            match *self {
                Self::None {} => {}
                Self::LabelFlip { .. } => labels[row] = !labels[row],
                Self::Backdoor { column, value, target, .. } => {
                    assert!(column < width, "the reserved column is one of the row's");
                    rows[row * width + column] = value;
                    labels[row] = target;
                }
            }
        }
    }

    /// One sentence for the reference page.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::None {} => "honest rows",
            Self::LabelFlip { .. } => "a byzantine platform turns the labels of a share of its rows round",
            Self::Backdoor { .. } => {
                "a byzantine platform sets a reserved column that means nothing in a share of its rows and labels them as it likes"
            }
        }
        .into()
    }

    /// One of each.
    ///
    /// # Panics
    /// Never: the share is in range.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        let share = Fraction::new(0.25).expect("in range");
        let backdoor = Self::Backdoor { share, column: 0, value: 1.0, target: false };
        vec![Self::None {}, Self::LabelFlip { share }, backdoor]
    }
}
