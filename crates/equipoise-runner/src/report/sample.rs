//! A handmade report for tests: every kind of estimate, every role, no computation.

use super::*;

fn value(mean: f64, half: f64) -> Estimate {
    Estimate::Value { mean, low: mean - half, high: mean + half, seeds: 5 }
}

fn metric(name: &str, label: &str, unit: &str, section: Section) -> MetricInfo {
    MetricInfo {
        name: name.to_owned(),
        label: label.to_owned(),
        unit: unit.to_owned(),
        higher_is_better: !name.starts_with("children"),
        definition: format!("{label}, as the experiment file states it."),
        section,
    }
}

fn arm(id: &str, label: &str, role: ArmRole, epsilon: Option<f64>, recall: f64) -> ArmReport {
    let mut summaries = std::collections::BTreeMap::new();
    summaries.insert("recall-at-budget".to_owned(), value(recall, 0.03));
    summaries.insert("children-contacted".to_owned(), value(4.0 - 5.0 * recall, 0.4));
    let reason = "no upheld case".to_owned();
    summaries.insert("children-restricted-per-upheld-case".to_owned(), Estimate::NotAssessable { reason });
    summaries.insert("average-precision".to_owned(), Estimate::SingleRun { value: recall * 0.8 });
    let per_seed = [-0.03, -0.01, 0.0, 0.01, 0.03].map(|d| Some(recall + d)).to_vec();
    let learns = role != ArmRole::Reference;
    let together = matches!(role, ArmRole::Federated | ArmRole::Private);
    let curve = |i: u32| {
        let r = f64::from(i) / 60.0;
        (r, (0.95 * recall.sqrt() / (1.0 + (r / recall) * (r / recall))).clamp(0.002, 1.0))
    };
    let step = |i: u32| {
        let days = f64::from(i) * 5.0;
        let share = recall * 1.4 * days / (days + 25.0);
        StepPoint { days, share, low: (share - 0.04).max(0.0), high: share + 0.04 }
    };
    let groups = ["teacher", "newcomer", "youth worker", "grandparent", "child, 10 to 12", "child, 13 to 15"];
    let burden = |(i, group): (u32, &str)| {
        let mean = 0.4 + 0.5 * f64::from(i) * (1.2 - recall);
        let interval = (i != 3).then_some(Interval { mean, low: mean * 0.7, high: mean * 1.4 });
        BurdenRow {
            group: group.to_owned(),
            accounts: 12_000 / u64::from(i + 1),
            reviewed: (i != 3).then_some(f64::from(30 + i)),
            restricted_per_10k_days: interval,
        }
    };
    ArmReport {
        id: id.to_owned(),
        label: label.to_owned(),
        role,
        epsilon,
        summaries,
        per_seed: [("recall-at-budget".to_owned(), per_seed)].into(),
        pr_curve: if learns { (1..=60).map(curve).collect() } else { Vec::new() },
        detection: (0..=18).map(step).collect(),
        burden: if learns { (0_u32..).zip(groups).map(burden).collect() } else { Vec::new() },
        by_platform: vec![
            ("games".to_owned(), value(recall, 0.05)),
            ("chat".to_owned(), value(recall * 0.9, 0.06)),
        ],
        by_archetype: vec![("slow".to_owned(), value(recall * 0.7, 0.05))],
        reliability: if learns { (1..=8).map(|i| reliable(i, recall)).collect() } else { Vec::new() },
        aggregation: together.then(|| "plain".to_owned()),
        clients: together.then_some(if id == "federated" { 6 } else { 50 }),
        hostile: together.then_some(if id == "federated" { 0.0 } else { 0.25 }),
    }
}

fn reliable(i: u32, recall: f64) -> ReliabilityPoint {
    let score = 0.9 / f64::from(1 << i);
    let share = if i > 6 { 0.0 } else { score * recall };
    ReliabilityPoint { score, share, low: share * 0.6, high: share * 1.5 + 1e-4, accounts: 10 * 3_u64.pow(i) }
}

fn comparison(a: &str, b: &str, mean: f64, half: f64, share: Option<&str>, verdict: Verdict) -> Comparison {
    Comparison {
        a: a.to_owned(),
        b: b.to_owned(),
        metric: "recall-at-budget".to_owned(),
        difference: value(mean, half),
        share: share.map(str::to_owned),
        verdict,
        p_holm: Some(if mean.abs() > half { 0.000_4 } else { 0.4 }),
    }
}

fn cost(arm: &str, scheme: &str, bytes: f64, slots: Option<u64>) -> CostRow {
    CostRow {
        arm: arm.to_owned(),
        scheme: scheme.to_owned(),
        parameters: 20_481,
        rounds: 60,
        virtual_time: None,
        upload_bytes_per_platform_round: bytes * 20_481.0,
        bytes_per_parameter: bytes,
        slots,
        width_bits: slots.map(|_| 27),
        noise_headroom_bits: slots.map(|_| 6.5),
    }
}

/// The sample.
pub(crate) fn sample() -> ReportData {
    use ArmRole::{Federated, Local, Pooled, Private, Reference};
    let text = str::to_owned;
    let fact = |(name, value): (&str, &str)| Fact { name: text(name), value: text(value) };
    let seat = |scheme: &str, seat: &str, learns: &str, reads| SeatRow {
        scheme: text(scheme),
        headline: format!("{scheme} adds numbers that the server cannot read one by one"),
        seat: text(seat),
        learns: text(learns),
        reads_single_updates: reads,
    };
    ReportData {
        name: text("frontier"),
        question: text("How much early detection does each level of privacy cost?"),
        plan_id: text("7f3a9c"),
        version: text("0.1.0"),
        seeds: 5,
        facts: [("persons", "20,000"), ("days", "90"), ("platforms", "6"), ("prevalence", "0.2 %")]
            .map(fact)
            .to_vec(),
        prevalence: Some(0.002),
        primary: text("recall-at-budget"),
        metrics: vec![
            metric("recall-at-budget", "Recall at the review budget", "share", Section::Safety),
            metric("children-contacted", "Children contacted before review", "children", Section::Safety),
            metric(
                "children-restricted-per-upheld-case",
                "Children wrongly restricted per upheld case",
                "children",
                Section::Fairness,
            ),
            metric("average-precision", "Average precision", "", Section::Other),
        ],
        arms: vec![
            arm("reports", "reports only", Reference, None, 0.18),
            arm("local", "local only", Local, None, 0.31),
            arm("federated", "federated", Federated, None, 0.44),
            arm("encrypted", "federated, encrypted sum", Federated, None, 0.438),
            arm("private-8", "private, ε = 8", Private, Some(8.0), 0.42),
            arm("private-2", "private, ε = 2", Private, Some(2.0), 0.39),
            arm("private-05", "private, ε = 0.5", Private, Some(0.5), 0.29),
            arm("pooled", "pooled", Pooled, None, 0.47),
        ],
        calibration: vec![CalibrationRow {
            arm: text("federated"),
            map: text("logit / 1.310; logit / 1.274"),
            held_out: (4_120, 31),
            metric: text("average-precision"),
            before: value(0.31, 0.02),
            after: value(0.22, 0.02),
        }],
        coalitions: vec![CoalitionRow {
            platform: text("games"),
            share: Estimate::Value { mean: 0.02, low: -0.01, high: 0.05, seeds: 10 },
            missed: Estimate::NotAssessable { reason: text("worlds do not pair") },
        }],
        closed: vec![ClosedRow {
            arm: text("federated"),
            metric: text("recall-at-budget"),
            share: Estimate::Value { mean: 0.8, low: 0.5, high: 1.2, seeds: 10 },
        }],
        patterns: vec![PatternRow {
            pattern: text("slow-single-target"),
            arm: text("federated"),
            persons: 61,
            alone: value(0.2, 0.05),
            value: value(0.3, 0.05),
            difference: value(0.1, 0.04),
            verdict: Verdict::Higher,
            closed: Some(Estimate::NotAssessable {
                reason: text("the gap itself is not shown to differ from 0"),
            }),
        }],
        comparisons: vec![
            comparison("federated", "local", 0.13, 0.03, Some("learning share"), Verdict::Higher),
            comparison("pooled", "federated", 0.03, 0.04, Some("linkage share"), Verdict::Higher),
            comparison("encrypted", "federated", -0.002, 0.004, None, Verdict::NoDifference),
            comparison("private-05", "federated", -0.15, 0.04, None, Verdict::Lower),
            Comparison {
                difference: Estimate::NotAssessable { reason: text("fewer than two seeds have both arms") },
                p_holm: None,
                ..comparison("local", "reports", 0.0, 0.0, None, Verdict::NotAssessable)
            },
        ],
        front: [
            ("reports", 0.18, 0.9, Some(0.0), true, 0.7),
            ("local", 0.31, 1.1, Some(0.0), true, 0.98),
            ("federated", 0.44, 1.0, None, true, 0.9),
            ("encrypted", 0.438, 1.05, None, false, 0.2),
            ("private-8", 0.42, 1.2, Some(8.0), false, 0.31),
            ("private-2", 0.39, 1.2, Some(2.0), true, 0.8),
        ]
        .map(|(arm, safety, burden, epsilon, on_front, membership)| FrontRow {
            arm: text(arm),
            safety,
            burden,
            epsilon,
            on_front,
            membership,
        })
        .to_vec(),
        front_burden: text("children-contacted"),
        platforms: ["games", "chat", "forum", "video", "market", "dating"].map(text).to_vec(),
        promises: vec![text(
            "private-2: epsilon 2 at delta 1e-6 for one account. Not protected: who contacts whom.",
        )],
        cards: vec![MechanismCard {
            arm: text("private-2"),
            sentence: text(
                "For any two logs that differ by one account, the released model is (2, 1e-6)-close.",
            ),
            unit: text("account"),
            relation: text("null one account"),
            epsilon: Some(2.0),
            delta: Some(1e-6),
            adversary: text("whoever holds the released model"),
            noise_multiplier: Some(1.1),
            sampling_rate: Some(0.05),
            steps: Some(600),
            planned: Some(650),
            opened: Some(620),
            planned_epsilon: Some(2.1),
            rows: Some(4),
            contacts: Some(8),
            survivors: Some((410, 1000)),
            renyi_epsilon: Some(2.2),
            clip_norm: Some(0.5),
            accountant: text("Rényi, orders 2 to 64"),
            not_protected: vec![text("who contacts whom"), text("a person with accounts on many platforms")],
        }],
        seats: vec![
            seat("plain", "server", "every platform's update", true),
            seat("one-shot", "server", "the sum", false),
            seat("one-shot", "key holder", "a share of the opened sum", false),
        ],
        ledger: vec![LedgerRow {
            release: text("model"),
            epsilon: Some(2.0),
            delta: Some(1e-6),
            unit: text("account"),
        }],
        explanations: vec![ExplanationRow {
            arm: text("federated"),
            words: text("contacts-minor-share: share of contacts that declare an age under 18"),
            part: 0.31,
            mean: 1.2,
            accounts: 48,
            stable: 0.97,
            gap: 0.0004,
        }],
        released: vec![ReleasedRow {
            arm: text("federated, ε = 2"),
            epsilon: 0.5,
            delta: 1e-6,
            scope: text("for any two data sets that differ by nulling one training row"),
            deviation: 11.5,
            told: Estimate::Value { mean: 0.31, low: 0.2, high: 0.42, seeds: 5 },
            untold: 0,
            oracle: Estimate::Value { mean: 0.3, low: 0.25, high: 0.35, seeds: 5 },
        }],
        costs: vec![
            cost("federated", "plain", 4.0, None),
            cost("encrypted", "one-shot", 8.25, Some(2)),
            cost("private-8", "plain", 4.0, None),
            cost("x", "per value", 131.5, Some(1)),
        ],
        fusions: vec![FusionRow {
            arm: text("federated"),
            design: text("ggsw-joint"),
            matching: text("keyed pseudonym"),
            sessions: 4.0,
            accounts: 900.0,
            bits_per_account: 4,
            raised: 0.01,
            bytes_per_score: 65_600.0,
            bytes_per_opening: 80_000.0,
            bytes_per_match: 128.0,
            rounds: 3,
            smudging_bits: Some(11),
            overlaps: text("games 700, chat 800; games and chat 300"),
        }],
        outcomes: vec![OutcomeRow {
            arm: text("federated"),
            client: text("games"),
            what: text("one-class"),
            rounds: 12,
            of: 40,
        }],
        dictionary: vec![FeatureRow {
            name: text("messages_7d"),
            formula: text("count of messages in the last 7 days"),
            unit: text("count"),
            group: text("volume"),
            platforms: vec![text("games"), text("chat")],
            reads: vec![text("message")],
            label_adjacent: false,
        }],
        tuning: vec![TuningRow {
            arm: text("federated"),
            candidates: vec![(text("rate 0.1"), Some(0.41)), (text("rate 1"), None)],
            chosen: text("rate 0.1"),
        }],
        limits: vec![text("Synthetic data: effects depend on assumed rates.")],
        reproduce: vec![text("equipoise run experiments/frontier.toml")],
        failures: vec![text("unit 4f, seed 3, arm pooled: out of memory")],
    }
}
