//! Laws of a rendered report.

use super::sample::sample;
use super::*;

fn everything(rendered: &Rendered) -> String {
    let files = [&rendered.figures, &rendered.figure_data, &rendered.vega, &rendered.tables];
    let texts = files.into_iter().flatten().map(|file| file.1.as_str());
    [rendered.html.as_str(), rendered.markdown.as_str()]
        .into_iter()
        .chain(texts)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_page_fetches_nothing() {
    let html = render(&sample()).html.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for banned in ["http://", "https://", "src=", "@import", "url(", "fetch(", "XMLHttp", "<link"] {
        assert!(!html.contains(banned), "{banned}");
    }
}

#[test]
fn the_script_stays_small() {
    assert!(theme::SCRIPT.len() <= 3072, "{}", theme::SCRIPT.len());
}

#[test]
fn the_same_data_give_the_same_bytes() {
    assert_eq!(render(&sample()), render(&sample()));
    let json = serde_json::to_string(&sample()).unwrap();
    let again: ReportData = serde_json::from_str(&json).unwrap();
    assert_eq!(render(&again), render(&sample()));
}

#[test]
fn numbers_that_are_not_finite_never_reach_a_reader() {
    let mut data = sample();
    for arm in &mut data.arms {
        let nan = Estimate::Value { mean: f64::NAN, low: f64::NEG_INFINITY, high: f64::INFINITY, seeds: 5 };
        arm.summaries.insert("recall-at-budget".to_owned(), nan);
        arm.pr_curve.push((f64::NAN, f64::INFINITY));
        arm.detection.push(StepPoint { days: f64::NAN, share: 1.0, low: 0.0, high: f64::INFINITY });
        arm.epsilon = Some(f64::INFINITY);
    }
    data.costs[0].bytes_per_parameter = f64::NAN;
    data.prevalence = Some(f64::NAN);
    let all = everything(&render(&data));
    assert!(!all.contains("NaN") && !all.contains("inf,") && !all.contains("Infinity"));
    assert!(all.contains("not assessable (the value is not a finite number)"));
}

#[test]
fn every_figure_has_a_title_a_description_and_a_caption() {
    let rendered = render(&sample());
    // F1, F3, F4, F5, F8, F9, F13 to F17.
    let count = rendered.figures.len();
    assert_eq!(count, 11);
    for (name, svg) in &rendered.figures {
        assert!(
            svg.contains("<title id=") && svg.contains("<desc id=") && svg.contains("role=\"img\""),
            "{name}"
        );
        assert!(!svg.contains("<desc id=\"\">") && svg.contains("aria-labelledby"), "{name}");
    }
    assert_eq!(rendered.html.matches("<figcaption><p>").count(), count);
    assert!(!rendered.html.contains("<figcaption><p></p>"));
    assert_eq!(rendered.html.matches("Data (CSV)").count(), count);
}

#[test]
fn tags_in_every_picture_are_closed() {
    for (name, svg) in render(&sample()).figures {
        for tag in ["g", "text", "svg", "polygon", "circle", "rect", "title", "desc"] {
            let opened = svg.matches(&format!("<{tag} ")).count() + svg.matches(&format!("<{tag}>")).count();
            assert_eq!(opened, svg.matches(&format!("</{tag}>")).count(), "{tag} in {name}");
        }
    }
}

#[test]
fn hostile_words_stay_words() {
    let hostile = "</title><script>alert('x')</script>\"|&\n[a](javascript:b)";
    let mut data = sample();
    data.name = hostile.to_owned();
    data.question = hostile.to_owned();
    data.limits.push(hostile.to_owned());
    data.arms[2].label = hostile.to_owned();
    data.arms[3].burden[0].group = hostile.to_owned();
    data.comparisons[0].share = Some(hostile.to_owned());
    data.costs[1].scheme = hostile.to_owned();
    data.cards[0].sentence = hostile.to_owned();
    let rendered = render(&data);
    assert_eq!(rendered.html.matches("<script>").count(), 1);
    assert!(!rendered.html.contains("<script>alert") && !rendered.markdown.contains("<script>"));
    assert!(!rendered.markdown.contains("[a](javascript"));
    assert!(rendered.figures.iter().all(|figure| !figure.1.contains("<script>")));
}

#[test]
fn what_is_not_assessable_is_said_with_its_reason() {
    let html = render(&sample()).html;
    assert!(html.contains("not assessable (no upheld case)"));
    assert!(html.contains("not assessable (fewer than two seeds have both arms)"));
}

#[test]
fn a_step_whose_interval_contains_zero_is_not_called_higher() {
    // The sample claims "higher" for the linkage share although its interval is [-0.01, 0.07].
    let html = render(&sample()).html;
    assert!(
        html.contains("Linkage share (pooled − federated): +0.030 [-0.010, 0.070], no difference at 95%")
            || html
                .contains("linkage share (pooled − federated): +0.030 [-0.010, 0.070], no difference at 95%")
    );
}

#[test]
fn a_report_without_arms_says_so() {
    let rendered = render(&ReportData::default());
    assert!(rendered.html.contains("Nothing can be said yet"));
    assert!(rendered.html.contains("Not assessable (no arm has the pre-registered metric)"));
    // What a run always has; a front, clients and hostile clients are drawn only where an experiment varies them.
    assert_eq!(rendered.figures.len(), 8);
    assert!(!everything(&rendered).contains("NaN"));
}

#[test]
fn single_runs_are_named_as_such() {
    let mut data = sample();
    data.seeds = 1;
    for arm in &mut data.arms {
        arm.summaries.insert("recall-at-budget".to_owned(), Estimate::SingleRun { value: 0.4 });
    }
    let rendered = render(&data);
    assert!(
        rendered.html.contains("0.4 (single run)")
            && rendered.html.contains("1 seed (single run, no interval)")
    );
}

#[test]
fn each_table_comes_in_three_formats_with_the_same_rows() {
    let rendered = render(&sample());
    let file =
        |name: &str| rendered.tables.iter().find(|file| file.0 == name).map(|file| file.1.clone()).unwrap();
    assert_eq!(rendered.tables.len() % 3, 0);
    for stem in ["arms", "comparisons", "costs", "fusions", "ledger", "per-seed"] {
        let rows = file(&format!("{stem}.csv")).lines().count();
        assert_eq!(file(&format!("{stem}.md")).lines().count(), rows + 1, "{stem}");
        let tex = file(&format!("{stem}.tex"));
        assert_eq!(tex.lines().filter(|line| line.ends_with("\\\\")).count(), rows, "{stem}");
    }
    for text in [file("arms.csv"), file("arms.md"), file("arms.tex")] {
        assert!(text.contains("0.440 [0.410, 0.470]"));
    }
}

#[test]
fn words_that_judge_people_do_not_appear() {
    let all = everything(&render(&sample())).to_lowercase();
    for banned in ["predator", "offender", "guilty", "criminal", "pervert"] {
        assert!(!all.contains(banned), "{banned}");
    }
    assert!(all.contains(&sections::BANNER.to_lowercase()));
}

#[test]
fn file_names_and_anchors_are_unique() {
    let rendered = render(&sample());
    let mut names: Vec<&str> = [&rendered.figures, &rendered.figure_data, &rendered.vega, &rendered.tables]
        .into_iter()
        .flatten()
        .map(|file| file.0.as_str())
        .collect();
    let before = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), before);
    let mut ids: Vec<&str> =
        rendered.html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let before = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), before);
}
