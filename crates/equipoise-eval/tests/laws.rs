//! Every registered metric keeps the laws; wrong ones are caught.

use equipoise_eval::laws::check_metric;
use equipoise_eval::{About, Case, Metric, MetricSpec, Sample, Unit};

#[test]
fn every_registered_metric_keeps_the_laws() {
    for spec in MetricSpec::examples() {
        check_metric(spec.build().as_ref()).unwrap();
    }
}

#[test]
fn a_metric_is_written_in_files_under_its_own_name() {
    let mut names: Vec<&str> = Vec::new();
    for spec in MetricSpec::examples() {
        let text = serde_json::to_string(&spec).unwrap();
        let name = spec.build().name();
        assert!(text == format!("\"{name}\"") || text.starts_with(&format!("{{\"{name}\":")), "{text}");
        assert_eq!(serde_json::from_str::<MetricSpec>(&text).unwrap(), spec);
        names.push(name);
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), MetricSpec::examples().len());
}

#[test]
fn an_unknown_key_of_a_metric_is_refused() {
    let text = r#"{"rmst-time-to-detection":{"horizon-days":30.0,"removal":"competes","horizont":3}}"#;
    assert!(serde_json::from_str::<MetricSpec>(text).is_err());
}

const WRONG: About = About {
    name: "wrong",
    unit: Unit::Index,
    higher_is_better: true,
    definition: "deliberately wrong, to see the laws reject it",
    counted: |case| case.harmful,
};

/// Average precision that walks through equal scores one by one.
struct SplitsTies;

impl Metric for SplitsTies {
    fn about(&self) -> &'static About {
        &WRONG
    }

    fn compute_weighted(&self, sample: Sample<'_>) -> Option<f64> {
        let (mut found, mut seen, mut sum) = (0.0, 0.0, 0.0);
        for &index in sample.order {
            for _ in 0..sample.weights[index as usize] {
                seen += 1.0;
                if sample.cases[index as usize].harmful {
                    found += 1.0;
                    sum += found / seen;
                }
            }
        }
        (found > 0.0).then(|| sum / found)
    }
}

#[test]
fn a_metric_that_splits_ties_is_caught() {
    let error = check_metric(&SplitsTies).unwrap_err();
    assert!(error.contains("the order of cases matters"), "{error}");
}

/// A broken metric made of a closure.
struct Broken(&'static About, fn(Sample<'_>) -> Option<f64>);

impl Metric for Broken {
    fn about(&self) -> &'static About {
        self.0
    }

    fn compute_weighted(&self, sample: Sample<'_>) -> Option<f64> {
        (self.1)(sample)
    }
}

fn identified(case: &Case) -> bool {
    case.identified.is_some()
}

fn refusal(about: &'static About, compute: fn(Sample<'_>) -> Option<f64>) -> String {
    check_metric(&Broken(about, compute)).expect_err("the laws reject a broken metric")
}

#[test]
fn recall_declared_the_wrong_way_round_is_caught() {
    const ABOUT: About = About { higher_is_better: false, ..WRONG };
    let error = refusal(&ABOUT, |sample| sample.share(|case| case.harmful, identified));
    assert!(error.contains("worse than a random one"), "{error}");
}

#[test]
fn a_metric_that_ignores_weights_is_caught() {
    let error = refusal(&WRONG, |sample| {
        let ones = vec![1; sample.cases.len()];
        Sample { weights: &ones, ..sample }.share(|case| case.harmful, identified)
    });
    assert!(error.contains("a weight is not a number of copies"), "{error}");
}

#[test]
fn a_metric_that_grows_with_the_number_of_cases_is_caught() {
    #[allow(clippy::cast_precision_loss)]
    let error = refusal(&WRONG, |sample| Some(sample.count(identified) as f64).filter(|count| *count > 0.0));
    assert!(error.contains("all cases twice change"), "{error}");
}

#[test]
fn a_number_made_from_no_positives_is_caught() {
    let error = refusal(&WRONG, |sample| Some(sample.share(|case| case.harmful, identified).unwrap_or(0.0)));
    assert!(error.contains("although no case is counted"), "{error}");
}

#[test]
fn a_value_that_is_not_finite_is_caught() {
    let error = refusal(&WRONG, |_| Some(f64::NAN));
    assert!(error.contains("is not finite"), "{error}");
}
