//! How the rows of one world are dealt out to the clients of a federation. Natural is by platform; the others are the studies of skew
//! that the literature compares on, over the same rows.

use crate::data::TrainRows;
use equipoise_core::{Draw, Seed};
use equipoise_federated::DevicesSpec;
use serde::{Deserialize, Serialize};

/// How rows are dealt out. Only the clients change; the rows and what is tested stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PartitionSpec {
    /// Each platform is a client.
    Platform {},
    /// Some platforms are clients; the others abstain, train alone and score with their own models.
    Members {
        /// Which, by their place in the world file from 0, ascending; at least two.
        platforms: Vec<u8>,
    },
    /// Each account is a client: what devices would hold.
    Account {},
    /// Each platform is a client and holds a federation of its own accounts: two levels.
    Devices(DevicesSpec),
    /// Each class is spread over the clients by shares from a symmetric Dirichlet distribution (Hsu, Qi, Brown, 2019).
    LabelSkew {
        /// Clients.
        clients: u32,
        /// Concentration: small values give clients of nearly one class, large ones equal shares.
        alpha: f64,
    },
    /// Clients of unequal size, shares from a symmetric Dirichlet distribution.
    QuantitySkew {
        /// Clients.
        clients: u32,
        /// Concentration.
        alpha: f64,
    },
    /// Rows in the order of one feature, cut into equal runs.
    FeatureSkew {
        /// Clients.
        clients: u32,
        /// Which feature, by its place in the dictionary.
        column: usize,
    },
    /// Rows in the order of their cut-off, cut into equal runs.
    Temporal {
        /// Clients.
        clients: u32,
    },
}

impl PartitionSpec {
    /// Whether a client is a platform, so that a client's own model can score a platform's accounts.
    #[must_use]
    pub const fn is_natural(&self) -> bool {
        matches!(self, Self::Platform {} | Self::Devices(_))
    }

    /// How platforms ask their accounts, where there are two levels.
    #[must_use]
    pub const fn devices(&self) -> Option<&DevicesSpec> {
        if let Self::Devices(spec) = self { Some(spec) } else { None }
    }

    /// The platforms that take part, where some abstain.
    #[must_use]
    pub fn members(&self) -> Option<&[u8]> {
        if let Self::Members { platforms } = self { Some(platforms) } else { None }
    }

    /// How many clients there are at most, for a world of so many platforms and rows.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // Fewer than 2^8 platforms.
    pub const fn clients(&self, platforms: u32, rows: u32) -> u32 {
        match *self {
            Self::Platform {} | Self::Devices(_) => platforms,
            Self::Members { platforms: ref members } => members.len() as u32,
            Self::Account {} => rows,
            Self::LabelSkew { clients, .. }
            | Self::QuantitySkew { clients, .. }
            | Self::FeatureSkew { clients, .. }
            | Self::Temporal { clients } => clients,
        }
    }

    /// What cannot be right about it for a world of so many platforms and rows of so many features.
    ///
    /// # Errors
    /// Begins with the key that mends it.
    pub fn check(&self, platforms: usize, columns: usize) -> Result<(), String> {
        if let Some(members) = self.members() {
            let ascending = members.windows(2).all(|pair| pair[0] < pair[1]);
            let there = members.iter().all(|&member| usize::from(member) < platforms);
            if members.len() < 2 || !ascending || !there {
                return Err(format!(
                    "platforms: two or more of 0 to {}, ascending",
                    platforms.saturating_sub(1)
                ));
            }
        }
        if self.clients(1, 1) == 0 {
            return Err("clients: at least one".into());
        }
        match *self {
            Self::LabelSkew { alpha, .. } | Self::QuantitySkew { alpha, .. }
                if !(alpha > 0.0 && alpha.is_finite()) =>
            {
                Err(format!("alpha: must be above 0 and finite, got {alpha}"))
            }
            Self::Devices(spec) => spec.check(),
            Self::FeatureSkew { column, .. } if column >= columns => {
                Err(format!("column: there is no feature {column}; there are {columns}, counted from 0"))
            }
            _ => Ok(()),
        }
    }

    /// The client of each row, below what [`PartitionSpec::clients`] says, or `u32::MAX` for a row that no client holds. With two levels,
    /// the device of each row; [`PartitionSpec::platforms_of`] says which devices are whose.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // Fewer than 2^32 rows.
    pub fn deal(&self, rows: &TrainRows, seed: Seed) -> Vec<u32> {
        let seed = seed.derive("partition", 0);
        match *self {
            Self::Platform {} => rows.platform.iter().map(|&platform| u32::from(platform)).collect(),
            Self::Members { ref platforms } => {
                let of = |platform: &u8| platforms.binary_search(platform).map_or(u32::MAX, |at| at as u32);
                rows.platform.iter().map(of).collect()
            }
            // Accounts are numbered by their platform, platforms in order.
            Self::Account {} | Self::Devices(_) => {
                let all: Vec<(u8, u32)> =
                    rows.platform.iter().copied().zip(rows.account.iter().copied()).collect();
                let mut known = all.clone();
                known.sort_unstable();
                known.dedup();
                let of = |account| known.binary_search(account).map_or(u32::MAX, |at| at as u32);
                all.iter().map(of).collect()
            }
            Self::LabelSkew { clients, alpha } => {
                let mut dealt = vec![0; rows.label.len()];
                for class in [false, true] {
                    let own: Vec<usize> =
                        (0..rows.label.len()).filter(|&row| (rows.label[row] > 0.5) == class).collect();
                    spread(&own, clients, alpha, seed.derive("class", u64::from(class)), &mut dealt);
                }
                dealt
            }
            Self::QuantitySkew { clients, alpha } => {
                let mut dealt = vec![0; rows.label.len()];
                let all: Vec<usize> = (0..dealt.len()).collect();
                spread(&all, clients, alpha, seed, &mut dealt);
                dealt
            }
            Self::FeatureSkew { clients, column } => {
                in_order(rows.label.len(), clients, |row| rows.values[row * rows.columns + column])
            }
            Self::Temporal { clients } => {
                in_order(rows.label.len(), clients, |row| f64::from(rows.cutoff[row]) as f32)
            }
        }
    }

    /// The devices of each platform, as [`PartitionSpec::deal`] numbered them with two levels.
    #[must_use]
    pub fn platforms_of(rows: &TrainRows, dealt: &[u32], platforms: usize) -> Vec<std::ops::Range<u32>> {
        let mut end = 0;
        let last = |platform| {
            let own = rows.platform.iter().zip(dealt).filter(|(p, _)| usize::from(**p) == platform);
            let start = end;
            end = own.map(|(_, device)| device + 1).max().unwrap_or(end);
            start..end
        };
        (0..platforms).map(last).collect()
    }

    /// One of each, for tests and the reference page.
    ///
    /// # Panics
    /// Never: the numbers are in range.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        let fraction = |value| equipoise_core::Fraction::new(value).expect("in range");
        let devices = DevicesSpec {
            participation: fraction(0.1),
            dropout: fraction(0.0),
            minimum: 2,
            rounds: 1,
            weight_levels: 4,
        };
        vec![
            Self::Platform {},
            Self::Members { platforms: vec![0, 2] },
            Self::Account {},
            Self::Devices(devices),
            Self::LabelSkew { clients: 5, alpha: 0.3 },
            Self::QuantitySkew { clients: 5, alpha: 0.5 },
            Self::FeatureSkew { clients: 5, column: 0 },
            Self::Temporal { clients: 5 },
        ]
    }
}

/// Deals `rows` out by shares from a symmetric Dirichlet distribution, in a drawn order.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn spread(rows: &[usize], clients: u32, alpha: f64, seed: Seed, dealt: &mut [u32]) {
    let draws: Vec<f64> = (0..clients)
        .map(|client| seed.derive("share", u64::from(client)).rng().gamma(alpha).max(f64::MIN_POSITIVE))
        .collect();
    let total: f64 = draws.iter().sum();
    let mut order = rows.to_vec();
    seed.derive("order", 0).rng().shuffle(&mut order);
    let (mut client, mut reached) = (0_u32, draws[0]);
    for (rank, &row) in order.iter().enumerate() {
        let at = (rank as f64 + 0.5) / order.len() as f64 * total;
        while at > reached && client + 1 < clients {
            client += 1;
            reached += draws[client as usize];
        }
        dealt[row] = client;
    }
}

/// Equal runs of the rows in ascending order of a key, ties by row.
#[allow(clippy::cast_possible_truncation)] // Below the number of clients.
fn in_order(rows: usize, clients: u32, key: impl Fn(usize) -> f32) -> Vec<u32> {
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_by(|&a, &b| key(a).total_cmp(&key(b)).then(a.cmp(&b)));
    let mut dealt = vec![0; rows];
    for (rank, row) in order.into_iter().enumerate() {
        dealt[row] = (rank as u64 * u64::from(clients) / rows.max(1) as u64) as u32;
    }
    dealt
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> TrainRows {
        let n: u32 = 4_000;
        TrainRows {
            columns: 1,
            platform: (0..n).map(|row| (row % 3) as u8).collect(),
            account: (0..n).map(|row| row / 2).collect(),
            cutoff: (0..n).map(|row| (row % 7) as i32).collect(),
            label: (0..n).map(|row| f32::from(row % 10 == 0)).collect(),
            values: (0..n).map(|row| ((row * 37) % n) as f32).collect(),
        }
    }

    fn sizes(spec: &PartitionSpec) -> Vec<usize> {
        let dealt = spec.deal(&rows(), Seed::root(3));
        let clients = if spec.devices().is_some() { 4_000 } else { spec.clients(3, 4_000) };
        let mut sizes = vec![0; clients as usize];
        dealt.iter().filter(|client| **client != u32::MAX).for_each(|&client| sizes[client as usize] += 1);
        sizes
    }

    #[test]
    fn every_row_goes_to_one_client_that_exists_and_a_seed_decides_where() {
        for spec in PartitionSpec::examples() {
            let held = if spec.members().is_some() { 2_667 } else { 4_000 };
            assert_eq!(sizes(&spec).iter().sum::<usize>(), held, "{spec:?}");
            assert_eq!(spec.deal(&rows(), Seed::root(3)), spec.deal(&rows(), Seed::root(3)));
        }
    }

    /// Accounts are numbered anew on every platform: the same number on two of them is two accounts.
    #[test]
    fn an_account_is_one_client_and_of_one_platform() {
        let rows = TrainRows {
            columns: 1,
            platform: vec![0, 0, 0, 2, 2],
            account: vec![7, 7, 3, 7, 1],
            cutoff: vec![0; 5],
            label: vec![0.0; 5],
            values: vec![0.0; 5],
        };
        let dealt = PartitionSpec::Account {}.deal(&rows, Seed::root(3));
        assert_eq!(dealt, [1, 1, 0, 3, 2]);
        assert_eq!(PartitionSpec::platforms_of(&rows, &dealt, 3), [0..2, 2..2, 2..4]);
    }

    #[test]
    fn runs_in_order_are_equal_and_do_not_overlap() {
        let spec = PartitionSpec::FeatureSkew { clients: 4, column: 0 };
        assert_eq!(sizes(&spec), [1_000; 4]);
        let (dealt, rows) = (spec.deal(&rows(), Seed::root(3)), rows());
        let reach = |client| {
            let own = (0..4_000).filter(|&row| dealt[row] == client).map(|row| rows.values[row]);
            own.fold((f32::MAX, f32::MIN), |(low, high), x| (low.min(x), high.max(x)))
        };
        assert!((0..3).all(|client| reach(client).1 <= reach(client + 1).0));
    }

    /// The share of positives differs more between clients at a small concentration.
    #[test]
    fn a_small_concentration_skews_labels() {
        let spread = |alpha| {
            let dealt = PartitionSpec::LabelSkew { clients: 5, alpha }.deal(&rows(), Seed::root(3));
            let share = |client| {
                let own: Vec<f32> =
                    (0..4_000).filter(|&row| dealt[row] == client).map(|row| rows().label[row]).collect();
                own.iter().sum::<f32>() / own.len().max(1) as f32
            };
            let shares: Vec<f32> = (0..5).map(share).collect();
            shares.iter().fold(0.0_f32, |a, b| a.max(*b)) - shares.iter().fold(1.0_f32, |a, b| a.min(*b))
        };
        assert!(spread(0.2) > 0.2 && spread(1_000.0) < 0.05, "{} {}", spread(0.2), spread(1_000.0));
    }

    #[test]
    fn what_cannot_be_is_named() {
        assert!(PartitionSpec::Temporal { clients: 0 }.check(3, 1).unwrap_err().starts_with("clients"));
        assert!(
            PartitionSpec::LabelSkew { clients: 2, alpha: 0.0 }.check(3, 1).unwrap_err().starts_with("alpha")
        );
        assert!(
            PartitionSpec::FeatureSkew { clients: 2, column: 1 }
                .check(3, 1)
                .unwrap_err()
                .starts_with("column")
        );
    }
}
