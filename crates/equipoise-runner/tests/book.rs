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

#[test]
fn the_contents_name_every_page_and_every_page_is_there() {
    let docs = root().join("docs");
    let summary = std::fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    let named: Vec<&str> = summary.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
    assert!(named.len() > 10);
    for page in &named {
        assert!(docs.join(page).is_file(), "{page} is named and missing");
    }
    for place in ["tutorial", "how-to", "reference", "explanation"] {
        for entry in std::fs::read_dir(docs.join(place)).unwrap() {
            let page = format!("{place}/{}", entry.unwrap().file_name().to_str().unwrap());
            assert!(named.contains(&page.as_str()), "{page} is not in SUMMARY.md");
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
    for page in [
        "tutorial/first-run",
        "tutorial/first-sweep",
        "how-to/resume",
        "how-to/publish-a-bundle",
        "how-to/bring-your-log",
        "reference/keys",
    ] {
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
    assert!(count >= 8, "only {count} blocks: the pages have changed");
}
