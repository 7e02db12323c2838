//! A batch of sequences without padding: longest first, step after step, as `PyTorch` packs them.
//!
//! At step `t` the rows that still have a step are a prefix, so a recurrent layer works on `[rows alive, ..]` and computes nothing
//! for a row that has ended. Scoring needs more: a score must be the same bytes whatever stands beside it, and a product promises that
//! for one fixed shape only. So a block for scoring keeps all its rows at every step, fed with zeros past their end.

use crate::sequences::Steps;

/// Steps of a batch in the order in which a recurrent layer meets them. A worker keeps one; filling it again allocates nothing
/// once the largest batch has been seen.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    /// Which row of the batch stands at each place: longest first, the earlier one first among equals.
    pub(crate) order: Vec<u32>,
    /// Rows that have a step `t`, for each `t`; then a zero.
    pub(crate) alive: Vec<usize>,
    /// Rows that are computed at step `t`, the first `alive[t]` of them for a purpose.
    pub(crate) width: Vec<usize>,
    /// Where step `t` begins among all packed steps; then their number.
    pub(crate) starts: Vec<usize>,
    /// Features, `[packed steps, columns]`.
    pub(crate) inputs: Vec<f32>,
}

impl Packed {
    /// How many steps the longest row has.
    pub(crate) const fn steps(&self) -> usize {
        self.width.len()
    }

    /// Rows of the batch.
    pub(crate) const fn rows(&self) -> usize {
        self.order.len()
    }

    /// Packs the rows in `batch`; with `width`, every step is as wide as that, which is at least the batch.
    pub(crate) fn fill(&mut self, steps: &Steps<'_>, batch: &[u32], width: Option<usize>) {
        let sequence = |place: u32| steps.sequence(batch[place as usize] as usize);
        self.order.clear();
        self.order.extend((0_u32..).zip(batch).map(|(place, _)| place));
        self.order.sort_unstable_by_key(|&place| (std::cmp::Reverse(sequence(place).len()), place));
        let longest = self.order.first().map_or(0, |&place| sequence(place).len());
        for list in [&mut self.alive, &mut self.width, &mut self.starts] {
            list.clear();
        }
        self.inputs.clear();
        let (mut alive, mut start) = (batch.len(), 0);
        for step in 0..longest {
            while sequence(self.order[alive - 1]).len() <= step {
                alive -= 1;
            }
            for &place in &self.order[..alive] {
                self.inputs.extend_from_slice(steps.codebook.step(sequence(place)[step]));
            }
            let width = width.unwrap_or(alive);
            self.alive.push(alive);
            self.width.push(width);
            self.starts.push(start);
            start += width;
            self.inputs.resize(start * steps.codebook.columns(), 0.0);
        }
        self.alive.push(0);
        self.starts.push(start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Codebook;

    /// Rows of 2, 0, 3 and 2 steps: the third stands first, the empty one last.
    #[test]
    fn a_batch_is_packed_by_hand() {
        let codebook = Codebook::new(1, (0..10_u8).map(f32::from).collect()).unwrap();
        let steps = Steps { codebook: &codebook, codes: &[1, 2, 3, 4, 5, 6, 7], ends: &[2, 2, 5, 7] };
        let mut packed = Packed::default();
        packed.fill(&steps, &[0, 1, 2, 3], None);
        assert_eq!(packed.order, [2, 0, 3, 1]);
        assert_eq!(packed.alive, [3, 3, 1, 0]);
        assert_eq!(packed.starts, [0, 3, 6, 7]);
        assert_eq!(packed.inputs, [3.0, 1.0, 6.0, 4.0, 2.0, 7.0, 5.0]);
        packed.fill(&steps, &[3, 1], Some(3));
        assert_eq!((packed.alive, packed.width), (vec![1, 1, 0], vec![3, 3]));
        assert_eq!(packed.inputs, [6.0, 0.0, 0.0, 7.0, 0.0, 0.0]);
    }

    #[test]
    fn batches_without_rows_or_steps_have_no_steps() {
        let codebook = Codebook::new(1, vec![0.0]).unwrap();
        let steps = Steps { codebook: &codebook, codes: &[], ends: &[0, 0] };
        let mut packed = Packed::default();
        packed.fill(&steps, &[], None);
        assert_eq!((packed.rows(), packed.steps()), (0, 0));
        packed.fill(&steps, &[1, 0], None);
        assert_eq!((packed.rows(), packed.steps()), (2, 0));
    }
}
