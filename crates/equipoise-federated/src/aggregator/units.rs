//! What rules look at: each update per unit of its public weight, as one flat matrix. Weights are what clients say of
//! themselves, so no rule of this folder but the mean lets them count.

use equipoise_privacy::OutgoingUpdate;

/// `[clients, len]` values per unit of weight, in integer units of the quantiser.
#[derive(Debug)]
pub(super) struct Units {
    len: usize,
    values: Vec<f64>,
    clients: Vec<u32>,
}

impl Units {
    #[allow(clippy::cast_precision_loss)] // Update values stay below 2^53: the plan bounds them.
    pub(super) fn of(updates: &[OutgoingUpdate]) -> Self {
        let len = updates.first().map_or(0, |update| update.values().len());
        let mut values = Vec::with_capacity(updates.len() * len);
        for update in updates {
            let weight = f64::from(update.weight().max(1));
            values.extend(update.values().iter().map(|value| *value as f64 / weight));
        }
        Self { len, values, clients: updates.iter().map(OutgoingUpdate::client).collect() }
    }

    pub(super) fn count(&self) -> usize {
        self.clients.len()
    }

    pub(super) fn row(&self, at: usize) -> &[f64] {
        &self.values[at * self.len..(at + 1) * self.len]
    }

    /// The client that sent a row: what ties are broken by, so that order does not matter.
    pub(super) fn client(&self, at: usize) -> u32 {
        self.clients[at]
    }

    /// Squared distance of two rows.
    pub(super) fn distance2(&self, a: usize, b: usize) -> f64 {
        self.row(a).iter().zip(self.row(b)).map(|(x, y)| (x - y) * (x - y)).sum()
    }

    /// The mean of some rows, added in the order of clients.
    #[allow(clippy::cast_precision_loss)] // Cohorts are small.
    pub(super) fn mean_of(&self, rows: &[usize]) -> Vec<f64> {
        let mut rows = rows.to_vec();
        rows.sort_unstable_by_key(|row| self.client(*row));
        let mut mean = vec![0.0; self.len];
        for row in &rows {
            mean.iter_mut().zip(self.row(*row)).for_each(|(total, value)| *total += value);
        }
        mean.iter_mut().for_each(|total| *total /= rows.len() as f64);
        mean
    }

    /// Each coordinate's sorted values, turned into one by `rule`.
    pub(super) fn by_coordinate(&self, rows: &[usize], mut rule: impl FnMut(&mut [f64]) -> f64) -> Vec<f64> {
        let mut column = vec![0.0; rows.len()];
        (0..self.len)
            .map(|at| {
                column
                    .iter_mut()
                    .zip(rows)
                    .for_each(|(value, row)| *value = self.values[row * self.len + at]);
                column.sort_unstable_by(f64::total_cmp);
                rule(&mut column)
            })
            .collect()
    }

    /// All rows.
    pub(super) fn all(&self) -> Vec<usize> {
        (0..self.count()).collect()
    }
}

/// The middle of sorted values; the mean of the middle two for an even number.
pub(super) fn middle(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}
