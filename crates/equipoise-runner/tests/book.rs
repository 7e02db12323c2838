//! The book: every page is there and in the table of contents, and every shell block of tutorials and how-tos runs.
#![allow(clippy::unwrap_used)] // Helpers of tests fail by panicking.
#![cfg(unix)]

mod common;

use common::root;
use std::path::Path;
use std::process::Command;

/// Blocks of a page that begin with a fence of this language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// Pages whose blocks take minutes; each is run by a test of its own.
const EXEMPT: [&str; 1] = ["how-to/audit-a-claim"];

/// Every page of the book that has a shell block; new ones are found by themselves.
fn pages() -> Vec<String> {
    let docs = root().join("docs");
    let summary = std::fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    let named = summary.split("](").skip(1).map(|rest| rest.split(".md)").next().unwrap().to_owned());
    let has = |page: &String| {
        !blocks(&std::fs::read_to_string(docs.join(format!("{page}.md"))).unwrap(), "sh").is_empty()
    };
    named.filter(|page| !page.contains(')')).filter(has).collect()
}

/// Each relative link of the book leads to a file.
#[test]
fn no_link_of_the_book_leads_nowhere() {
    let docs = root().join("docs");
    let mut checked = 0;
    for place in ["", "tutorial", "how-to", "reference", "explanation", "gallery"] {
        for entry in std::fs::read_dir(docs.join(place)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|kind| kind != "md") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
                if link.starts_with("http") || link.starts_with('#') {
                    continue;
                }
                let target = path.parent().unwrap().join(link.split('#').next().unwrap());
                assert!(target.exists(), "{}: {link}", path.display());
                checked += 1;
            }
        }
    }
    assert!(checked > 40, "only {checked} links were found");
}

#[test]
fn the_contents_name_every_page_and_every_page_is_there() {
    let docs = root().join("docs");
    let summary = std::fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    let named: Vec<&str> = summary.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
    assert!(named.len() > 10);
    for page in &named {
        assert!(docs.join(page).is_file(), "{page} is named and missing");
    }
    // The book renders no page that its contents do not name.
    for place in ["tutorial", "how-to", "reference", "explanation", "gallery"] {
        for entry in std::fs::read_dir(docs.join(place)).unwrap() {
            let page = format!("{place}/{}", entry.unwrap().file_name().to_str().unwrap());
            assert!(!page.ends_with(".md") || named.contains(&page.as_str()), "{page} is not in SUMMARY.md");
        }
    }
}

#[test]
fn every_shell_block_runs() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["experiments", "datasets"] {
        std::os::unix::fs::symlink(root().join(name), dir.path().join(name)).unwrap();
    }
    let binary = Path::new(env!("CARGO_BIN_EXE_equipoise")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let mut count = 0;
    for page in pages() {
        if EXEMPT.contains(&page.as_str()) {
            continue;
        }
        let text = std::fs::read_to_string(root().join(format!("docs/{page}.md"))).unwrap();
        let _ = std::fs::remove_dir_all(dir.path().join("runs"));
        for block in blocks(&text, "sh") {
            let output =
                Command::new("sh").args(["-ec", &block]).env("PATH", &path).current_dir(dir.path()).output();
            let output = output.unwrap();
            assert!(output.status.success(), "{page}\n{block}\n{}", String::from_utf8_lossy(&output.stderr));
            count += 1;
        }
    }
    assert!(count >= 12, "only {count} blocks: the pages have changed");
}

/// Pages that the code writes: every strategy, and what every command says of itself. `EQUIPOISE_BLESS=1 cargo test --release --test book`
/// writes them again.
#[test]
fn the_reference_is_what_the_code_says() {
    let says = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_equipoise")).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}");
        // No line may end with spaces: editors take them away.
        String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(|line| line.trim_end().to_owned() + "\n")
            .collect::<String>()
    };
    let note =
        "Written by the code itself; `EQUIPOISE_BLESS=1 cargo test --release --test book` writes it again.";
    let strategies =
        format!("# Strategies and their parameters\n\n{note}\n\n```text\n{}```\n", says(&["describe"]));
    let mut commands = format!("# Commands\n\n{note}\n");
    let top = says(&["--help"]);
    let verbs = |help: &str| -> Vec<String> {
        let lines = help.split("Commands:\n").nth(1).unwrap_or_default().lines();
        let verbs = lines.take_while(|line| line.starts_with("  ")).filter(|line| !line.starts_with("   "));
        let words = verbs.filter_map(|line| line.split_whitespace().next().map(str::to_owned));
        words.filter(|verb| verb != "help").collect()
    };
    commands.push_str(&format!("\n```text\n{top}```\n"));
    for verb in verbs(&top) {
        let help = says(&[&verb, "--help"]);
        commands.push_str(&format!("\n## {verb}\n\n```text\n{help}```\n"));
        for under in verbs(&help) {
            let help = says(&[&verb, &under, "--help"]);
            commands.push_str(&format!("\n### {verb} {under}\n\n```text\n{help}```\n"));
        }
    }
    assert!(commands.contains("--sigma <SIGMA>"), "options of verbs under verbs are not listed");
    for (page, text) in [("strategies", strategies), ("commands", commands)] {
        let path = root().join(format!("docs/reference/{page}.md"));
        if std::env::var_os("EQUIPOISE_BLESS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == text,
            "docs/reference/{page}.md is not what the code says; bless it (see this test)"
        );
    }
}
