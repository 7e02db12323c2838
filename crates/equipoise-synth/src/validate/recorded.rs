//! V7 and V9: recorded offences by platform and by the child's gender, on the founding document's own footing (UK police
//! figures, Nov 2025): 2,111 of 7,263 recorded offences name a platform; 40% of these name one, 9% another ("9% Facebook
//! and Instagram" can be read in two ways, and both are held against it). Shares are separate marginals: an offence may name
//! several platforms. Units are offences, never accounts or children.

use super::check::check;
use super::evidence::{Evidence, RecordedOffences};
use super::finding::{Finding, Header, Pass, Target};

check!(
    /// V7.
    PlatformShares, "V7", Gated, "platforms named in recorded offences",
    "founding article, Nov 2025 (2,111 of 7,263 recorded offences name a platform); intervals binomial at 2,111",
    shares
);

check!(
    /// V9.
    Gender, "V9", Gated, "recorded gender of the child",
    "founding article, Nov 2025: 80% girls where the gender is known", gender
);

/// Known offences below which the published intervals cannot be tested.
const NEEDED: u64 = 2_111;

/// A share of counts, with its clustered standard error, against a published share with its interval.
#[allow(clippy::cast_precision_loss)]
fn share(
    header: &Header,
    name: String,
    (part, whole, error): (u64, u64, f64),
    (want, room): (f64, f64),
) -> Finding {
    let target = Target::Band(want - room, want + room);
    if whole == 0 {
        return header.absent(name, target, "no such offence");
    }
    let p = part as f64 / whole as f64;
    let finding = header.judge_with(name, &[p], Some(error), whole, target);
    if whole < NEEDED {
        let short = format!("{whole} known offences, {NEEDED} are needed");
        return Finding { pass: Pass::NotAssessable, ..finding }.noting(short);
    }
    finding
}

/// The standard error of a share of independent counts.
#[allow(clippy::cast_precision_loss)]
fn binomial(part: u64, whole: u64) -> f64 {
    let p = part as f64 / whole as f64;
    libm::sqrt(p * (1.0 - p) / whole as f64)
}

fn absent(header: &Header, name: &str, target: Target) -> Vec<Finding> {
    vec![header.absent(name, target, "no recorded offences were simulated (calibration block not given)")]
}

fn shares(header: &Header, evidence: &Evidence) -> Vec<Finding> {
    if evidence.recorded.is_empty() {
        return absent(header, "share of offences that name a platform", Target::Band(0.38, 0.42));
    }
    let one = |offences: &RecordedOffences| {
        let of = |text: &str| format!("{text}, targeting `{}`", offences.parameterisation);
        let known = share(
            header,
            of("share of offences with a platform known"),
            (
                offences.platform_known,
                offences.offences,
                binomial(offences.platform_known, offences.offences),
            ),
            (0.291, 0.010),
        );
        let named = offences.mentions.iter().map(|mention| {
            let name = of(&format!("share of offences that name {}", mention.name));
            let counts = (mention.count, offences.platform_known, mention.error);
            share(header, name, counts, (mention.share, mention.room))
        });
        std::iter::once(known).chain(named).collect::<Vec<_>>()
    };
    evidence.recorded.iter().flat_map(one).collect()
}

fn gender(header: &Header, evidence: &Evidence) -> Vec<Finding> {
    if evidence.recorded.is_empty() {
        return absent(header, "share of girls where the gender is known", Target::Band(0.78, 0.82));
    }
    let mut findings: Vec<Finding> = evidence
        .recorded
        .iter()
        .map(|offences| {
            let name = format!("share of girls where known, targeting `{}`", offences.parameterisation);
            share(header, name, (offences.girls, offences.gender_known, offences.girls_error), (0.80, 0.02))
        })
        .collect();
    if evidence.recorded.len() < 3 {
        let why = format!(
            "{} parameterisations of targeting; three are needed, since weight, acceptance and disclosure cannot be told apart from one number",
            evidence.recorded.len()
        );
        findings.push(header.absent("all three parameterisations", Target::Shown, why));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::{Check, Mention};

    /// Ten times the published counts, so that three standard errors are about half of the bands.
    fn evidence(girls: u64, named: u64) -> Evidence {
        let recorded = RecordedOffences {
            parameterisation: "weight".into(),
            offences: 72_630,
            platform_known: 21_110,
            mentions: vec![Mention {
                name: "a".into(),
                count: named,
                error: 0.0035,
                share: 0.40,
                room: 0.021,
            }],
            gender_known: 50_000,
            girls,
            girls_error: 0.0018,
        };
        Evidence { recorded: vec![recorded; 3], ..Evidence::default() }
    }

    #[test]
    fn the_published_counts_pass_and_shifted_ones_fail() {
        let all = |findings: Vec<Finding>, pass: Pass| findings.iter().all(|f| f.pass == pass);
        let good = evidence(40_000, 8_440);
        assert!(all(Gender.run(&good), Pass::Pass) && all(PlatformShares.run(&good), Pass::Pass));
        let bad = evidence(37_000, 9_600);
        assert!(all(Gender.run(&bad), Pass::Fail));
        let found = PlatformShares.run(&bad);
        assert_eq!(found.iter().filter(|f| f.pass == Pass::Fail).count(), 3, "{found:?}");
    }

    #[test]
    fn too_few_offences_say_nothing() {
        let mut few = evidence(40_000, 8_440);
        few.recorded.iter_mut().for_each(|r| (r.gender_known, r.girls) = (100, 100));
        assert!(Gender.run(&few).iter().all(|f| f.pass == Pass::NotAssessable));
        assert!(Gender.run(&Evidence::default()).iter().all(|f| f.pass == Pass::NotAssessable));
    }
}
