//! Peers on tfhe's bootstrapping interfaces, behind the feature `high-level-fhe`: what a user would write first.
//!
//! Both hold one client key for all platforms and the opener. `pbs-chain`: scores as base-4 digits, digit-wise leveled
//! sums, one programmable bootstrap a digit that carries the difference to the threshold (Bergerat et al.'s 2_2 set, which
//! holds values to 15). `fheuint8`: the high-level type, widened and added. Neither limits openings.

use super::design::{AccountScores, Fused, FusionCost, FusionDesign, RiskFusion, check_accounts, timed};
use super::error::FusionError;
use super::plan::FusionPlan;
use super::rule::FusionRule;
use equipoise_federated::{LeakageProfile, Seat, Stopwatch};
use tfhe::prelude::*;
use tfhe::safe_serialization::safe_serialized_size;
use tfhe::shortint::parameters::v1_8::V1_8_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128;
use tfhe::shortint::{self, CompressedCiphertext};
use tfhe::{ConfigBuilder, FheBool, FheUint8, FheUint16, generate_keys, set_server_key};

/// Base-4 digits of an eight-bit score.
const DIGITS: u32 = 4;

/// The thresholds that a rule is made of.
fn cuts(rule: &FusionRule, plan: &FusionPlan) -> Result<Vec<u32>, FusionError> {
    rule.table(plan)?;
    match rule {
        FusionRule::Threshold { at } => Ok(vec![*at]),
        FusionRule::Bands { cuts } => Ok(cuts.clone()),
        FusionRule::Table { .. } => {
            Err(FusionError::Rule("the peers compare: thresholds and bands only".into()))
        }
    }
}

/// Eight-bit scores with weight one: what the digit sums hold.
fn check_plan(plan: &FusionPlan) -> Result<(), FusionError> {
    let fits = plan.spec.max_score < 1 << 8 && plan.spec.weights.len() <= 3;
    if fits && plan.spec.weights.iter().all(|&weight| weight == 1) {
        Ok(())
    } else {
        Err(FusionError::Rule("the peers fuse at most three eight-bit scores of weight one".into()))
    }
}

/// Digit sums and a chain of bootstraps.
pub(crate) struct PbsChain {
    plan: FusionPlan,
    client: shortint::ClientKey,
    server: shortint::ServerKey,
}

impl PbsChain {
    pub(crate) fn new(plan: FusionPlan) -> Result<Self, FusionError> {
        check_plan(&plan)?;
        let (client, server) = shortint::gen_keys(V1_8_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128);
        Ok(Self { plan, client, server })
    }

    /// 1 if the digit sums reach `at`. The state between digits is the floor of the difference so far over 4, plus one:
    /// from 0 to 4, so that with a digit sum of 9 it stays below 16.
    fn reaches(&self, digits: &[shortint::Ciphertext], at: u32) -> shortint::Ciphertext {
        let high = i64::from(at >> (2 * DIGITS));
        let mut state: Option<shortint::Ciphertext> = None;
        for (index, digit) in (0..DIGITS).zip(digits) {
            let own = i64::from(at >> (2 * index) & 3);
            let (sum, offset) = match &state {
                Some(state) => (self.server.unchecked_add(digit, state), 1),
                None => (digit.clone(), 0),
            };
            let last = index == DIGITS - 1;
            let table = self.server.generate_lookup_table(|value| {
                let carried = (value.cast_signed() - offset - own).div_euclid(4);
                let next = if last { i64::from(carried >= high) } else { carried + 1 };
                next.clamp(0, 15).cast_unsigned()
            });
            state = Some(self.server.apply_lookup_table(&sum, &table));
        }
        state.expect("a score has digits")
    }
}

impl RiskFusion for PbsChain {
    fn name(&self) -> &'static str {
        "pbs-chain"
    }

    fn leakage(&self) -> LeakageProfile {
        FusionDesign::PbsChain {}.leakage()
    }

    fn fuse(
        &mut self,
        rule: &FusionRule,
        accounts: &[AccountScores],
        stopwatch: &dyn Stopwatch,
    ) -> Result<Fused, FusionError> {
        check_accounts(&self.plan, accounts)?;
        let cuts = cuts(rule, &self.plan)?;
        let mut fused = Fused { values: vec![], cost: FusionCost { rounds: 2, ..FusionCost::default() } };
        for account in accounts {
            let sealed: Vec<Vec<CompressedCiphertext>> = timed(stopwatch, Seat::Platform, || {
                let digit = |score: u32, index: u32| {
                    self.client.encrypt_compressed(u64::from(score >> (2 * index) & 3))
                };
                let scores = account.scores.iter().flatten();
                scores.map(|&score| (0..DIGITS).map(|index| digit(score, index)).collect()).collect()
            });
            // A body and a seed for each digit, and the pseudonym.
            fused.cost.upload_bytes += (32 + u64::from(DIGITS) * (8 + 16)) * sealed.len() as u64;
            let flags = timed(stopwatch, Seat::Server, || {
                let digits: Vec<shortint::Ciphertext> = (0..DIGITS as usize)
                    .map(|index| {
                        let mut all = sealed.iter().map(|digits| digits[index].decompress());
                        let first = all.next().expect("an account has uploads");
                        all.fold(first, |sum, digit| self.server.unchecked_add(&sum, &digit))
                    })
                    .collect();
                cuts.iter().map(|&cut| self.reaches(&digits, cut)).collect::<Vec<_>>()
            });
            let bytes: usize = flags.iter().map(|flag| 8 * flag.ct.lwe_size().0).sum();
            fused.cost.server_bytes += bytes as u64;
            let value = timed(stopwatch, Seat::KeyHolder, || {
                flags.iter().map(|flag| self.client.decrypt_message_and_carry(flag)).sum::<u64>()
            });
            fused.values.push(u32::try_from(value).expect("few cuts"));
        }
        Ok(fused)
    }
}

/// tfhe's high-level integers.
pub(crate) struct HighLevel {
    plan: FusionPlan,
    client: tfhe::ClientKey,
    server: tfhe::ServerKey,
}

impl HighLevel {
    pub(crate) fn new(plan: FusionPlan) -> Result<Self, FusionError> {
        check_plan(&plan)?;
        let (client, server) = generate_keys(ConfigBuilder::default().build());
        Ok(Self { plan, client, server })
    }
}

impl RiskFusion for HighLevel {
    fn name(&self) -> &'static str {
        "fheuint8"
    }

    fn leakage(&self) -> LeakageProfile {
        FusionDesign::FheUint8 {}.leakage()
    }

    fn fuse(
        &mut self,
        rule: &FusionRule,
        accounts: &[AccountScores],
        stopwatch: &dyn Stopwatch,
    ) -> Result<Fused, FusionError> {
        check_accounts(&self.plan, accounts)?;
        let cuts = cuts(rule, &self.plan)?;
        set_server_key(self.server.clone());
        let mut fused = Fused { values: vec![], cost: FusionCost { rounds: 2, ..FusionCost::default() } };
        for account in accounts {
            let sealed = timed(stopwatch, Seat::Platform, || {
                let scores = account.scores.iter().flatten();
                scores
                    .map(|&score| {
                        let score = u8::try_from(score).expect("the plan bounds it");
                        FheUint8::try_encrypt(score, &self.client)
                            .map_err(|error| FusionError::Peer(error.to_string()))
                    })
                    .collect::<Result<Vec<_>, _>>()
            })?;
            for score in &sealed {
                let bytes =
                    safe_serialized_size(score).map_err(|error| FusionError::Peer(error.to_string()))?;
                fused.cost.upload_bytes += 32 + bytes;
            }
            let flags: Vec<FheBool> = timed(stopwatch, Seat::Server, || {
                let mut wide = sealed.into_iter().map(FheUint16::cast_from);
                let first = wide.next().expect("an account has uploads");
                let sum = wide.fold(first, |sum, score| sum + score);
                cuts.iter().map(|&cut| sum.ge(u16::try_from(cut).unwrap_or(u16::MAX))).collect()
            });
            for flag in &flags {
                fused.cost.server_bytes +=
                    safe_serialized_size(flag).map_err(|error| FusionError::Peer(error.to_string()))?;
            }
            let value = timed(stopwatch, Seat::KeyHolder, || {
                flags.iter().map(|flag| u32::from(flag.decrypt(&self.client))).sum()
            });
            fused.values.push(value);
        }
        Ok(fused)
    }
}
