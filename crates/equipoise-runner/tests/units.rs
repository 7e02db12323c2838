//! Whose guarantee an epsilon is, through the whole command: the key, what it refuses, the claim and the report.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.

mod common;

use common::{fail, run, smoke, succeed};
use serde_json::Value;
use std::path::Path;

const ARM: &str = "arms=[\"federated-logistic\"]";
const ACCOUNT: &str = "{ account-fixed-graph = { rows = 2, contacts = 8, seed = 1 } }";

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// One epsilon for a row and for an account in at most two rows: the account's needs more noise and leaves fewer rows, and the report says
/// unit, relation, epsilon, delta, adversary, K, m, survivors and accountant.
#[test]
fn an_account_gets_its_own_guarantee_and_the_report_says_what_it_rests_on() {
    let runs = tempfile::tempdir().unwrap();
    let sweep =
        format!("sweep.grid={{ \"privacy.epsilon\" = [8.0], \"privacy.unit\" = [\"row\", {ACCOUNT}] }}");
    let set = ["--set", "experiment.seeds=1", "--set", ARM, "--set", &sweep];
    succeed(runs.path(), &run(smoke().to_str().unwrap(), &set));
    let entries = std::fs::read_dir(runs.path()).unwrap().map(|entry| entry.unwrap().path());
    let place = entries.into_iter().find(|path| path.join("plan.json").exists()).unwrap();
    let plan = json(&place.join("plan.json"));
    let trial = |id: &str| {
        let arms = plan["arms"].as_array().unwrap();
        let arm = arms.iter().find(|arm| arm["id"] == id).unwrap_or_else(|| panic!("no arm {id}"));
        json(&place.join("units").join(arm["trials"][0].as_str().unwrap()).join("trial.json"))
    };
    let [row, account] = ["federated-logistic-eps-8", "federated-logistic-eps-8-account-k2"]
        .map(|id| trial(id)["claim"].clone());
    let number = |claim: &Value, key: &str| claim[key].as_f64().unwrap();
    assert_eq!((row["unit"].as_str(), account["unit"].as_str()), (Some("row"), Some("account-fixed-graph")));
    for claim in [&row, &account] {
        let planned = claim["rounds"]["planned-epsilon"].as_f64().unwrap();
        assert!(planned <= 8.0 && planned > 7.9, "calibrated to epsilon: {planned}");
        assert!(number(claim, "renyi") > number(claim, "epsilon"), "{claim}");
    }
    assert!(number(&account, "noise-multiplier") > 1.2 * number(&row, "noise-multiplier"));
    let (kept, of) =
        (account["contribution"]["kept"].as_u64().unwrap(), account["contribution"]["of"].as_u64());
    assert!(kept > 0 && kept < of.unwrap() && account["rows"] == 2 && row["contribution"].is_null());
    let report = std::fs::read_to_string(place.join("report.md")).unwrap();
    for line in [
        "Unit of protection: account-fixed-graph",
        "Neighbouring relation: zero-out",
        "Adversary: released-model",
        "Rows a unit reaches (K): 2",
        "Contacts a row reads (m): 8",
        &format!("Rows kept by the bound: {kept} of "),
        "Accountant: exact accounting",
        "Epsilon by Renyi accounting: ",
        "The guarantee for one account on one platform (contact graph fixed and public) (unit account-fixed-graph) holds against",
        "It does not protect who contacts whom",
        "rows that K = 2, m = 8 keeps",
    ] {
        assert!(report.contains(line), "{line}");
    }
}

/// A row is what is meant where nothing is said: the same units, computed once; worlds keep their address whatever the unit.
#[test]
fn a_row_is_what_is_meant_where_nothing_is_said() {
    let runs = tempfile::tempdir().unwrap();
    let file = smoke();
    let units = |set: &[&str]| -> Vec<String> {
        let mut arguments = vec!["plan", file.to_str().unwrap(), "--json"];
        set.iter().for_each(|set| arguments.extend(["--set", set]));
        let plan: Value = serde_json::from_str(&succeed(runs.path(), &arguments)).unwrap();
        plan["units"].as_array().unwrap().iter().map(|unit| unit["id"].to_string()).collect()
    };
    let (absent, row) = (units(&[]), units(&["privacy.unit=\"row\""]));
    assert_eq!(absent, row);
    let account = units(&[&format!("privacy.unit={ACCOUNT}")]);
    assert_eq!(absent[..3], account[..3], "the worlds");
    assert!(absent != account);
}

#[test]
fn a_guarantee_that_cannot_be_given_is_refused_with_the_reason() {
    let runs = tempfile::tempdir().unwrap();
    let file = smoke();
    let with = |bound: &str| format!("privacy.unit={{ account-fixed-graph = {bound} }}");
    let private = |rows: &str| {
        format!(
            "privacy.unit={{ account-private-graph = {{ {rows}, contact-clip = 1.0, share = 0.5, seed = 1, scoring = \"clear\" }} }}"
        )
    };
    for (set, reason) in [
        ("privacy.unit=\"platform\"".to_owned(), "the noise that hides one of them exceeds the sum"),
        ("privacy.unit=\"pair\"".to_owned(), "may stand in the rows of others"),
        (private("rows = 8"), "only noised sums may"),
        ("privacy.unit=\"account-sender-owned\"".to_owned(), "does not null them"),
        ("privacy.unit=\"linked-person\"".to_owned(), "nothing bounds the rows of a person"),
        ("privacy.unit=\"household\"".to_owned(), "unknown variant `household`"),
        (with("{ rows = 0, contacts = 8, seed = 1 }"), "K = 0 leaves no account in any row"),
        (with("{ rows = 5000, contacts = 8, seed = 1 }"), "K = 5000 is no bounded contribution"),
        (with("{ rows = 2, contacts = 99, seed = 1 }"), "no row reads more than the 32 contacts"),
        (with("{ rows = 2, contacts = 8 }"), "missing field `seed`"),
        ("privacy.delta=0.01".to_owned(), "above 1/N"),
    ] {
        let error = fail(runs.path(), &["check", file.to_str().unwrap(), "--set", &set], 2);
        assert!(error.contains(reason), "`{reason}` is not in: {error}");
    }
    // With columns that read no contact, hiding what an account sent nulls its one row.
    let own = ["privacy.unit=\"account-sender-owned\"", "schema={ own = {} }", "arms=[\"federated\"]"];
    let mut arguments = vec!["check", file.to_str().unwrap()];
    own.iter().for_each(|set| arguments.extend(["--set", set]));
    let checked = succeed(runs.path(), &arguments);
    assert!(checked.contains("for what an account sent"), "{checked}");
    // The same columns, with noised sums over contacts behind them, hide who contacts whom.
    let sums = private("rows = 8");
    let mut arguments = vec!["check", file.to_str().unwrap(), "--set", &sums];
    own[1..].iter().for_each(|set| arguments.extend(["--set", set]));
    let checked = succeed(runs.path(), &arguments);
    assert!(checked.contains("for an account, contact graph private"), "{checked}");
    let none = private("rows = 0");
    arguments[3] = &none;
    assert!(fail(runs.path(), &arguments, 2).contains("an account that adds to no row"));
    let account = format!("privacy.unit={ACCOUNT}");
    let skewed = "federation.partition={ account = {} }";
    let both = ["check", file.to_str().unwrap(), "--set", &account, "--set", skewed];
    let error = fail(runs.path(), &both, 2);
    assert!(error.contains("so with `account-fixed-graph` use `platform`"), "{error}");
}

/// Noised sums over contacts: the promise for an account while its contacts are private, and for a pair, stand beside the others, each with
/// what it leaves open; the sums are debited, and an arm without them says that it hides no graph.
#[test]
fn who_contacts_whom_is_promised_beside_the_rest_or_said_to_be_open() {
    let runs = tempfile::tempdir().unwrap();
    let sums = "{ account-private-graph = { rows = 8, contact-clip = 1.0, share = 0.5, seed = 1, scoring = \"clear\" } }";
    let zip = format!(
        "sweep={{ zip = [{{ \"privacy.unit\" = \"row\" }}, {{ \"privacy.unit\" = {ACCOUNT} }}, {{ \"privacy.unit\" = {sums} }}] }}"
    );
    let all =
        ["schema={ own = {} }", "arms=[\"federated\"]", "experiment.seeds=1", "privacy.epsilon=8.0", &zip];
    let set: Vec<&str> = all.iter().flat_map(|set| ["--set", set]).collect();
    let said = succeed(runs.path(), &run(smoke().to_str().unwrap(), &set));
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("privacy: ")).collect();
    assert_eq!(lines.len(), 5, "row, account, graph and pair, and who hides no graph: {said}");
    let hidden: Vec<&&str> =
        lines.iter().filter(|line| line.contains("(unit account-private-graph; ")).collect();
    assert_eq!(hidden.len(), 1, "{lines:?}");
    let level = "epsilon 8 (federated-eps-8-account-private-graph) at delta";
    for part in [level, "relation: nulling", "released models (A1)", "Not protected:", "full list"] {
        assert!(hidden[0].contains(part), "{part} is missing in: {}", hidden[0]);
    }
    assert!(lines.iter().any(|line| line.contains("(unit pair; relation: nulling")), "{lines:?}");
    let open = "for one account on one platform (contact graph private)";
    let without: Vec<&&str> =
        lines.iter().filter(|line| line.contains("no guarantee") && line.contains(open)).collect();
    assert_eq!(without.len(), 1, "{lines:?}");
    assert!(without[0].contains("from federated-eps-8, federated-eps-8-account-k2 for"), "{without:?}");
    let entries = std::fs::read_dir(runs.path()).unwrap().map(|entry| entry.unwrap().path());
    let place = entries.into_iter().find(|path| path.join("plan.json").exists()).unwrap();
    let metrics = json(&place.join("metrics.json"));
    let ledger = metrics["ledger"].as_array().unwrap();
    let debited =
        ledger.iter().find(|row| row["release"].as_str().unwrap().starts_with("noised sums")).unwrap();
    let alone = debited["epsilon"].as_f64().unwrap();
    assert!(
        alone > 3.9 && alone < 4.6,
        "half of epsilon by the exact curve, a little more by Renyi: {alone}"
    );
    let report = std::fs::read_to_string(place.join("report.md")).unwrap();
    assert!(
        report.contains("add to as many rows as they may") && report.contains("(unit account-private-graph)")
    );
}

/// Promises on the same terms are one sentence, each epsilon with the arms that keep it; where no arm hides the graph, none is listed.
#[test]
fn promises_on_the_same_terms_are_one_line() {
    let runs = tempfile::tempdir().unwrap();
    let sweep = "sweep.grid={ \"privacy.epsilon\" = [\"inf\", 8.0, 3.0] }";
    let arms = "arms=[\"federated\", \"federated-logistic\"]";
    let set = ["--set", "experiment.seeds=1", "--set", arms, "--set", sweep];
    let said = succeed(runs.path(), &run(smoke().to_str().unwrap(), &set));
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("privacy: ")).collect();
    assert_eq!(lines.len(), 2, "{said}");
    let [first, second] = ["8", "3"].map(|epsilon| {
        let arms = format!("(federated-eps-{epsilon}, federated-logistic-eps-{epsilon})");
        lines[0].find(&arms).unwrap_or_else(|| panic!("{arms} is missing in: {}", lines[0]))
    });
    assert!(
        first < second && lines[0].contains(" at delta 1e-5 for one training row (unit row; "),
        "{}",
        lines[0]
    );
    assert!(lines[1].contains("no guarantee from any arm for one account"), "{}", lines[1]);
}

/// Tested accounts are private too: what an arm with a guarantee tells of them is noised and debited, and the rest is an oracle's.
#[test]
fn what_is_told_of_tested_accounts_is_noised_debited_and_labelled() {
    let runs = tempfile::tempdir().unwrap();
    let release = "evaluation.release={ epsilon = 1.0, delta = 1e-5 }";
    let sweep = "sweep.grid={ \"privacy.epsilon\" = [\"inf\", 8.0] }";
    let set = ["--set", "experiment.seeds=2", "--set", ARM, "--set", release, "--set", sweep];
    succeed(runs.path(), &run(smoke().to_str().unwrap(), &set));
    let entries = std::fs::read_dir(runs.path()).unwrap().map(|entry| entry.unwrap().path());
    let place = entries.into_iter().find(|path| path.join("plan.json").exists()).unwrap();
    let metrics = json(&place.join("metrics.json"));
    let told = metrics["released"].as_array().unwrap();
    assert_eq!(told.len(), 1, "only the arm with a guarantee has to tell with one: {told:?}");
    assert!(
        told[0]["deviation"].as_f64().unwrap() > 5.0
            && told[0]["scope"].as_str().unwrap().contains("nulling")
    );
    let ledger = metrics["ledger"].as_array().unwrap();
    let row =
        |what: &str| ledger.iter().filter(|row| row["release"].as_str().unwrap().contains(what)).count();
    assert_eq!((row("noised counts of tested accounts"), row("global model")), (1, 2), "{ledger:?}");
    let report = std::fs::read_to_string(place.join("report.md")).unwrap();
    assert!(report.contains("non-private") && report.contains("Oracle (non-private)"));
    for (release, reason) in [
        ("evaluation.release={ epsilon = \"inf\", delta = 1e-5 }", "tell nothing"),
        ("evaluation.release={ epsilon = 0.0, delta = 1e-5 }", "epsilon"),
        ("evaluation.release={ epsilon = 1.0, delta = 0.01 }", "above 1/N"),
    ] {
        let error = fail(runs.path(), &["check", smoke().to_str().unwrap(), "--set", release], 2);
        assert!(error.contains(reason), "`{reason}` is not in: {error}");
    }
}
