//! False-positive burden by benign group: who pays for the search, and how unevenly.
//! Equal burden and equal precision cannot both hold at unequal base rates (Chouldechova, 2017); both are reported.

use crate::Case;
use crate::metric::ratio;
use serde::{Deserialize, Serialize};

/// A group of fewer accounts gets no number.
pub const MINIMUM_COHORT: usize = 20;

/// What one benign group paid.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct GroupBurden {
    /// Name of the group.
    pub group: String,
    /// Benign cases.
    pub accounts: usize,
    /// Of them reviewed.
    pub reviewed: usize,
    /// Of them restricted in error.
    pub wrongly_restricted: usize,
    /// Reviewed share; `None` below the minimum cohort.
    pub false_positive_rate: Option<f64>,
    /// Account-days under a wrong restriction per 10,000 account-days; `None` below the minimum cohort.
    pub per_10k_account_days: Option<f64>,
    /// Whether the group is large enough for a number.
    pub assessable: bool,
}

/// The unevenness over assessable groups.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BurdenGap {
    /// The group with the highest burden.
    pub most: String,
    /// The group with the lowest burden.
    pub least: String,
    /// Highest minus lowest, account-days per 10,000.
    pub difference: f64,
    /// Highest over lowest; `None` where the lowest is 0.
    pub ratio: Option<f64>,
}

/// The burden of each named group, in order of `names`; a case's `group` is its index there, other codes are left out.
#[must_use]
pub fn burden_by_group(cases: &[Case], names: &[&str]) -> Vec<GroupBurden> {
    let mut sums = vec![(0_usize, 0_usize, 0_usize, 0.0_f64, 0.0_f64); names.len()];
    for case in cases.iter().filter(|case| !case.harmful) {
        if let Some((accounts, reviewed, restricted, restricted_days, days)) =
            sums.get_mut(usize::from(case.group))
        {
            *accounts += 1;
            *reviewed += usize::from(case.reviewed.is_some());
            *restricted += usize::from(case.wrongly_restricted_at.is_some());
            *restricted_days += case.wrongly_restricted_days();
            *days += f64::from(case.active_days);
        }
    }
    let burden = |(name, (accounts, reviewed, wrongly_restricted, restricted_days, days)): (&&str, _)| {
        let assessable = accounts >= MINIMUM_COHORT;
        GroupBurden {
            group: (*name).to_owned(),
            accounts,
            reviewed,
            wrongly_restricted,
            false_positive_rate: ratio(reviewed as u64, accounts as u64).filter(|_| assessable),
            per_10k_account_days: (assessable && days > 0.0).then(|| 1e4 * restricted_days / days),
            assessable,
        }
    };
    names.iter().zip(sums).map(burden).collect()
}

/// The unevenness over assessable groups; `None` with fewer than two.
#[must_use]
pub fn burden_gap(groups: &[GroupBurden]) -> Option<BurdenGap> {
    let mut known: Vec<(f64, &str)> =
        groups.iter().filter_map(|group| Some((group.per_10k_account_days?, group.group.as_str()))).collect();
    known.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (least, most) = (known.first()?, known.last()?);
    (known.len() > 1).then(|| BurdenGap {
        most: most.1.to_owned(),
        least: least.1.to_owned(),
        difference: most.0 - least.0,
        ratio: (least.0 > 0.0).then(|| most.0 / least.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::benign;
    use equipoise_core::SimTime;

    fn cohort(group: u8, accounts: u32, restricted: u32) -> impl Iterator<Item = Case> {
        let at = Some(SimTime::from_days(15));
        (0..accounts).map(move |account| {
            let case = Case { group, ..benign(account, account) };
            if account < restricted { Case { reviewed: at, wrongly_restricted_at: at, ..case } } else { case }
        })
    }

    /// 20 teachers, 2 of them restricted for 15 of 30 days: 30 of 600 days are 500 in 10,000; 40 coaches, 2: 250.
    #[test]
    fn the_burden_of_three_groups_worked_by_hand() {
        let cases: Vec<Case> = cohort(0, 20, 2).chain(cohort(1, 40, 2)).chain(cohort(2, 19, 5)).collect();
        let groups = burden_by_group(&cases, &["teacher", "coach", "newcomer"]);
        assert_eq!((groups[0].accounts, groups[0].reviewed, groups[0].wrongly_restricted), (20, 2, 2));
        assert!((groups[0].per_10k_account_days.unwrap() - 500.0).abs() < 1e-9);
        assert!((groups[1].per_10k_account_days.unwrap() - 250.0).abs() < 1e-9);
        let gap = burden_gap(&groups).unwrap();
        assert_eq!((gap.most.as_str(), gap.least.as_str()), ("teacher", "coach"));
        assert!((gap.ratio.unwrap() - 2.0).abs() < 1e-9 && (gap.difference - 250.0).abs() < 1e-9);
    }

    #[test]
    fn nineteen_accounts_get_no_number() {
        let groups = burden_by_group(&cohort(0, 19, 5).collect::<Vec<_>>(), &["newcomer"]);
        assert!(!groups[0].assessable);
        assert_eq!((groups[0].per_10k_account_days, groups[0].false_positive_rate), (None, None));
        assert_eq!(burden_gap(&groups), None);
    }
}
