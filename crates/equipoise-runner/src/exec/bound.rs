//! Which training rows an account's guarantee leaves: those that a public order keeps while no account stands in more than K of
//! them. A row that is not kept is not trained on; nulling an account afterwards nulls at most K rows (`equipoise_privacy::Ownership`).
//!
//! The choice looks at who reads whom and at nothing else, which is public in this unit, and so is how many rows it keeps.

use crate::config::Contribution;
use crate::data::{Reads, TrainRows};
use crate::fault::Fault;
use equipoise_core::Seed;
use equipoise_privacy::{BoundedContribution, Ownership};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// What a bound left of a world's rows. The counts of labels are for people who judge the simulation: nobody releases them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BoundRecord {
    /// What the claim says of it.
    pub bound: BoundedContribution,
    /// Rows that read more contacts than a row may.
    pub read_too_many: u64,
    /// Rows with a positive label, before.
    pub positives: u64,
    /// And of those kept.
    pub positives_kept: u64,
}

/// Whether each row is kept, and the record.
pub(crate) fn keep(
    contribution: Contribution,
    train: &TrainRows,
    reads: &Reads,
) -> Result<(Vec<bool>, BoundRecord), Fault> {
    let rows = train.label.len();
    let mut accounts: Vec<Vec<u64>> =
        (0..rows).map(|row| vec![address(train.platform[row], train.account[row])]).collect();
    for (row, account) in reads.row.iter().zip(&reads.account) {
        let Some(own) = accounts.get_mut(*row as usize) else {
            return Err(Fault::Runtime(format!("reads.parquet: row {row} of {rows}; make the world anew")));
        };
        own.push(address(train.platform[*row as usize], *account));
    }
    let all = Ownership::new(accounts);
    let may: Vec<usize> =
        (0..rows).filter(|&row| all.accounts(row).len() <= 1 + usize::from(contribution.contacts)).collect();
    let eligible = Ownership::new(may.iter().map(|&row| all.accounts(row).to_vec()).collect());
    let most = NonZeroU32::new(contribution.rows)
        .ok_or_else(|| Fault::Config("rows: K = 0 leaves no account in any row".into()))?;
    let bounded = eligible.bound(most, Seed::root(contribution.seed));
    let mut kept = vec![false; rows];
    bounded.kept.iter().for_each(|&at| kept[may[at]] = true);
    let positive = |row: &usize| train.label[*row] > 0.5;
    let record = BoundRecord {
        bound: BoundedContribution {
            rows_per_account: contribution.rows,
            contacts: u32::from(contribution.contacts),
            kept: bounded.kept.len() as u64,
            of: rows as u64,
        },
        read_too_many: (rows - may.len()) as u64,
        positives: (0..rows).filter(positive).count() as u64,
        positives_kept: (0..rows).filter(|&row| kept[row]).filter(positive).count() as u64,
    };
    Ok((kept, record))
}

/// An account of one platform: accounts of one number on two platforms are two.
pub(super) fn address(platform: u8, account: u32) -> u64 {
    (u64::from(platform) << 32) | u64::from(account)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, UnitSpec};
    use crate::data::WorldData;
    use crate::exec::arms::{Setting, train};
    use crate::plan::{Plan, Work};
    use equipoise_privacy::PrivacyUnit;

    /// Rows of accounts 0, 1, 2, ... of one platform each, and what they read besides themselves.
    fn rows(platforms: &[u8], read: &[&[u32]]) -> (TrainRows, Reads) {
        let count = u32::try_from(platforms.len()).unwrap();
        let train = TrainRows {
            platform: platforms.to_vec(),
            account: (0..count).collect(),
            label: (0..count).map(|row| f32::from(u8::from(row == 0))).collect(),
            ..TrainRows::default()
        };
        let mut reads = Reads::default();
        for (row, contacts) in (0..).zip(read) {
            for account in std::iter::once(&row).chain(*contacts) {
                reads.row.push(row);
                reads.account.push(*account);
            }
        }
        (train, reads)
    }

    const OF: Contribution = Contribution { rows: 1, contacts: 8, seed: 3 };

    #[test]
    fn rows_that_share_an_account_are_not_both_kept_beyond_the_bound() {
        let (train, reads) = rows(&[0, 0, 0], &[&[2], &[2], &[]]);
        let (kept, record) = keep(OF, &train, &reads).unwrap();
        assert_eq!(kept.iter().filter(|kept| **kept).count(), 1, "account 2 stands in all three");
        assert_eq!((record.bound.kept, record.bound.of, record.positives), (1, 3, 1));
        let (kept, _) = keep(Contribution { rows: 3, ..OF }, &train, &reads).unwrap();
        assert_eq!(kept, [true; 3]);
    }

    #[test]
    fn accounts_of_one_number_on_two_platforms_are_two() {
        let (train, reads) = rows(&[0, 1], &[&[9], &[9]]);
        assert_eq!(keep(OF, &train, &reads).unwrap().0, [true; 2]);
        let (train, reads) = rows(&[1, 1], &[&[9], &[9]]);
        assert_eq!(keep(OF, &train, &reads).unwrap().1.bound.kept, 1);
    }

    #[test]
    fn rows_that_read_too_many_contacts_are_left_out_and_counted() {
        let (train, reads) = rows(&[0, 0], &[&[5, 6, 7], &[8]]);
        let (kept, record) = keep(Contribution { contacts: 2, ..OF }, &train, &reads).unwrap();
        assert_eq!((kept, record.read_too_many, record.positives_kept), (vec![false, true], 1, 0));
    }

    /// K = 1 asks for the noise of a row, so an account's arm is a row's arm on the kept rows, to the last bit of the model.
    #[test]
    fn rows_that_are_not_kept_are_not_trained_on() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../experiments/smoke/smoke.toml");
        let plan = Plan::new(&config::load(file.as_ref(), &[]).unwrap()).unwrap();
        let slice = plan.units.iter().find_map(|unit| match &unit.work {
            Work::World(slice) => Some(slice),
            _ => None,
        });
        let world = crate::exec::make_world(slice.unwrap(), &equipoise_core::Silent).unwrap();
        let private = |arm: &&crate::plan::ArmPlan| arm.id == "federated-logistic-eps-8";
        let mut arm = plan.arms.iter().find(private).unwrap().slice.clone();
        let setting = Setting {
            seed: Seed::root(1),
            learning_rate: 0.03,
            checkpoint: None,
            stopwatch: &equipoise_federated::Untimed,
        };
        let contribution = Contribution { rows: 1, contacts: 4, seed: 7 };
        let (kept, record) = keep(contribution, &world.train, &world.reads).unwrap();
        assert!(record.bound.kept > 50 && 2 * record.bound.kept < record.bound.of, "{record:?}");
        let by_hand = WorldData { train: world.train.keep(|row| kept[row]), ..world.clone() };
        let expected = train(&arm, &by_hand, &setting).unwrap();
        let all = train(&arm, &world, &setting).unwrap();
        arm.privacy.as_mut().unwrap().unit = Some(UnitSpec::AccountFixedGraph(contribution));
        let trained = train(&arm, &world, &setting).unwrap();
        assert_eq!(trained.models, expected.models);
        assert_ne!(trained.models, all.models, "leaving rows out changes nothing, so nothing was shown");
        let claim = trained.claim.unwrap();
        assert_eq!((claim.unit, claim.contribution), (PrivacyUnit::AccountFixedGraph, Some(record.bound)));
        assert_eq!(expected.claim.unwrap().unit, PrivacyUnit::Row);
    }
}
