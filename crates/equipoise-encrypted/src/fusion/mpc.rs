//! The peer without lattices: secret-shared comparison among three servers, honest majority, honest but curious.
//!
//! Replicated shares (Araki et al., CCS 2016): a value is the sum of three parts, server `i` holds the parts `i` and
//! `i + 1`. Sums are local. The sign of `sum - threshold` comes from three numbers of which two servers know each one: they
//! are added as bits, first by a carry-save step, then by a tree of carries, sixty-four accounts a word. An AND costs
//! every server one bit; fresh zero sharings come from keys that pairs of servers hold. Seven rounds, whatever the number
//! of accounts. Two servers together read every score; one reads nothing, by statistics and not by lattices.

use super::design::{AccountScores, Fused, FusionCost, FusionDesign, RiskFusion, check_accounts, timed};
use super::error::FusionError;
use super::noise::fill;
use super::plan::FusionPlan;
use super::rule::FusionRule;
use equipoise_federated::{LeakageProfile, Seat, Stopwatch};
use std::array::from_fn;
use zeroize::Zeroizing;

/// Bits of the ring of sums: a sum is below 2^11 in every plan of three platforms, so its sign fits with room.
const BITS: usize = 16;
/// Accounts in a word.
const LANES: usize = 64;

/// One server's two parts of a bit-sliced word.
type Pair = [u64; 2];
/// All three servers' parts of a list of words; a server's code reads its own entry only.
type Shared = [Vec<Pair>; 3];

/// Streams of the keys that server `i` shares with the server before it and with the one after it.
struct Server {
    before: blake3::OutputReader,
    after: blake3::OutputReader,
}

/// The three servers and their traffic.
pub(crate) struct MpcFusion {
    plan: FusionPlan,
    servers: [Server; 3],
}

impl MpcFusion {
    pub(crate) fn new(plan: FusionPlan) -> Result<Self, FusionError> {
        if plan.max_sum >= 1 << (BITS - 1) {
            return Err(FusionError::Rule("sums beyond the servers' ring".into()));
        }
        let mut keys = Zeroizing::new([[0_u8; 32]; 3]);
        keys.iter_mut().try_for_each(|key| fill(key))?;
        let stream = |at: usize| blake3::Hasher::new_keyed(&keys[at % 3]).finalize_xof();
        let servers = from_fn(|at| Server { before: stream(at), after: stream(at + 1) });
        Ok(Self { plan, servers })
    }

    /// The bitwise AND of shared words: one word from every server to the one before it.
    fn and(&mut self, left: &Shared, right: &Shared, cost: &mut FusionCost) -> Shared {
        let sent: [Vec<u64>; 3] = from_fn(|at| {
            let server = &mut self.servers[at];
            left[at]
                .iter()
                .zip(&right[at])
                .map(|(x, y)| {
                    let zero = word(&mut server.before) ^ word(&mut server.after);
                    (x[0] & y[0]) ^ (x[0] & y[1]) ^ (x[1] & y[0]) ^ zero
                })
                .collect()
        });
        cost.server_bytes += 3 * 8 * left[0].len() as u64;
        cost.rounds += 1;
        from_fn(|at| sent[at].iter().zip(&sent[(at + 1) % 3]).map(|(own, next)| [*own, *next]).collect())
    }

    /// Whether each lane's shared number is negative, still shared. `parts[i]` holds server `i`'s pair of every lane.
    fn negative(&mut self, parts: &[Vec<[u16; 2]>; 3], cost: &mut FusionCost) -> Shared {
        // Part `j` is known to server `j` as its first and to server `j - 1` as its second part: as a sharing of bits it
        // is that part in the place `j` and zeros elsewhere.
        let number = |j: usize| -> Shared {
            from_fn(|at| {
                let place = |place: usize| {
                    let mine = (at + place) % 3 == j;
                    slices(parts[at].iter().map(move |pair| if mine { pair[place] } else { 0 }))
                };
                place(0).into_iter().zip(place(1)).map(|(first, second)| [first, second]).collect()
            })
        };
        let [a, b, c] = from_fn(number);
        let majority = self.and(&xor(&a, &c), &xor(&b, &c), cost);
        let (sum, mut carry) = (xor(&xor(&a, &b), &c), xor(&majority, &c));
        carry.iter_mut().for_each(|words| {
            words.pop();
            words.insert(0, [0, 0]);
        });
        let mut propagate = xor(&sum, &carry);
        let mut generate = self.and(&sum, &carry, cost);
        let top = slice(&propagate, BITS - 1..BITS);
        for words in [&mut propagate, &mut generate] {
            words.iter_mut().for_each(|words| words.truncate(BITS - 1));
        }
        // The carry out of bits 0 to 14, two neighbours at a time.
        while generate[0].len() > 1 {
            let pairs = generate[0].len() / 2;
            let (high_p, low_p) = (every(&propagate, 1, pairs), every(&propagate, 0, pairs));
            let (high_g, low_g) = (every(&generate, 1, pairs), every(&generate, 0, pairs));
            let both = self.and(&join(&high_p, &high_p), &join(&low_g, &low_p), cost);
            let odd = 2 * pairs..generate[0].len();
            generate = join(&xor(&high_g, &slice(&both, 0..pairs)), &slice(&generate, odd.clone()));
            propagate = join(&slice(&both, pairs..2 * pairs), &slice(&propagate, odd));
        }
        xor(&top, &generate)
    }
}

fn word(stream: &mut blake3::OutputReader) -> u64 {
    let mut bytes = [0; 8];
    stream.fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

fn xor(left: &Shared, right: &Shared) -> Shared {
    from_fn(|at| left[at].iter().zip(&right[at]).map(|(x, y)| [x[0] ^ y[0], x[1] ^ y[1]]).collect())
}

fn slice(words: &Shared, range: std::ops::Range<usize>) -> Shared {
    from_fn(|at| words[at][range.clone()].to_vec())
}

fn every(words: &Shared, offset: usize, pairs: usize) -> Shared {
    from_fn(|at| words[at].iter().skip(offset).step_by(2).take(pairs).copied().collect())
}

fn join(left: &Shared, right: &Shared) -> Shared {
    from_fn(|at| left[at].iter().chain(&right[at]).copied().collect())
}

/// Bit `b` of every lane, as a word, for each `b`.
fn slices(lanes: impl Iterator<Item = u16>) -> Vec<u64> {
    let mut words = vec![0; BITS];
    for (lane, value) in lanes.enumerate() {
        for (bit, word) in words.iter_mut().enumerate() {
            *word |= u64::from(value >> bit & 1) << lane;
        }
    }
    words
}

/// Draws three parts of a score: what a platform sends, two to each server.
fn share(score: u16) -> Result<[u16; 3], FusionError> {
    let mut bytes = Zeroizing::new([0_u8; 4]);
    fill(bytes.as_mut_slice())?;
    let (first, second) =
        (u16::from_le_bytes([bytes[0], bytes[1]]), u16::from_le_bytes([bytes[2], bytes[3]]));
    Ok([first, second, score.wrapping_sub(first).wrapping_sub(second)])
}

/// A number that the plan keeps below the ring.
fn small(value: u32) -> u16 {
    u16::try_from(value).expect("the plan bounds it")
}

impl RiskFusion for MpcFusion {
    fn name(&self) -> &'static str {
        "mpc"
    }

    fn leakage(&self) -> LeakageProfile {
        FusionDesign::Mpc {}.leakage()
    }

    fn fuse(
        &mut self,
        rule: &FusionRule,
        accounts: &[AccountScores],
        stopwatch: &dyn Stopwatch,
    ) -> Result<Fused, FusionError> {
        check_accounts(&self.plan, accounts)?;
        rule.table(&self.plan)?;
        let cuts = match rule {
            FusionRule::Threshold { at } => vec![*at],
            FusionRule::Bands { cuts } => cuts.clone(),
            FusionRule::Table { .. } => {
                return Err(FusionError::Rule("three servers compare: thresholds and bands only".into()));
            }
        };
        let weights: Vec<u16> = self.plan.spec.weights.iter().map(|&weight| small(weight)).collect();
        let mut fused = Fused { values: vec![], cost: FusionCost::default() };
        for batch in accounts.chunks(LANES) {
            let sealed = timed(stopwatch, Seat::Platform, || {
                let shares = |account: &AccountScores| {
                    account
                        .scores
                        .iter()
                        .map(|score| score.map(|score| share(small(score))).transpose())
                        .collect()
                };
                batch.iter().map(shares).collect::<Result<Vec<Vec<Option<[u16; 3]>>>, _>>()
            })?;
            let scores: usize = sealed.iter().flatten().flatten().count();
            // Two parts to each of three servers, under one pseudonym each.
            fused.cost.upload_bytes += 3 * (32 + 4) * scores as u64;
            let mut values = vec![0; batch.len()];
            let before = fused.cost.rounds;
            for &cut in &cuts {
                fused.cost.rounds = before;
                let opened = timed(stopwatch, Seat::Server, || {
                    let parts = from_fn(|at| {
                        let part = |shares: &Vec<Option<[u16; 3]>>, at: usize| {
                            let weighted = weights.iter().zip(shares).filter_map(|(w, s)| Some((w, (*s)?)));
                            let sum =
                                weighted.fold(0_u16, |sum, (w, s)| sum.wrapping_add(w.wrapping_mul(s[at])));
                            if at == 0 {
                                sum.wrapping_sub(small(cut.min(self.plan.max_sum + 1)))
                            } else {
                                sum
                            }
                        };
                        sealed.iter().map(|shares| [part(shares, at), part(shares, (at + 1) % 3)]).collect()
                    });
                    self.negative(&parts, &mut fused.cost)
                });
                fused.cost.share_bytes += 3 * 8;
                timed(stopwatch, Seat::KeyHolder, || {
                    let negative = opened[0][0][0] ^ opened[1][0][0] ^ opened[2][0][0];
                    values
                        .iter_mut()
                        .enumerate()
                        .for_each(|(lane, value)| *value += u32::from(negative >> lane & 1 == 0));
                });
            }
            fused.values.extend(values);
            // Batches and cuts run side by side: rounds do not add up.
            if fused.values.len() < accounts.len() {
                fused.cost.rounds = 0;
            }
        }
        // The upload and the opening.
        fused.cost.rounds += 2;
        Ok(fused)
    }
}
