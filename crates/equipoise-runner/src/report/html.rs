//! The page: one file, no request to anywhere, readable with scripts off, printable, usable from the keyboard.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::Head;
use super::sections::{BANNER, Block, Part};
use super::theme;

/// Refuses every request: the page can be opened where nothing may leave the machine.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/// A page around `body`.
pub(super) fn shell(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="robots" content="noindex";
                title { (title) }
                style { (PreEscaped(theme::page_css())) }
            }
            body {
                a.skip href="#main" { "Skip to the results" }
                (body)
                script { (PreEscaped(theme::SCRIPT)) }
            }
        }
    };
    let mut text = page.into_string();
    text.push('\n');
    text
}

/// The report as a page.
pub(super) fn page(head: &Head<'_>, parts: &[Part]) -> String {
    let body = html! {
        header {
            h1 { (head.name) }
            p.question { (head.question) }
            p.banner role="note" { (BANNER) }
            nav aria-label="Sections" { ul { @for part in parts { li { a href={ "#" (part.id) } { (part.title) } } } } }
        }
        main id="main" tabindex="-1" { @for part in parts {
            section id=(part.id) aria-labelledby={ (part.id) "-h" } {
                h2 id={ (part.id) "-h" } { (part.title) }
                @for block in &part.blocks { (markup(block)) }
            }
        } }
        footer { p.small { "Plan " (head.id) ", equipoise " (head.version) ". " (BANNER) } }
    };
    shell(&format!("{} – Equipoise report", head.name), &body)
}

/// Text of the page: what stands between grave accents is set as code, and "ε = 8" is not broken into lines.
pub(super) fn inline(text: &str) -> Markup {
    let text = text.replace("ε = ", "ε\u{a0}=\u{a0}");
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return html! { (text) };
    }
    html! { @for (at, part) in parts.iter().enumerate() { @if at % 2 == 1 { code { (part) } } @else { (part) } } }
}

fn markup(block: &Block) -> Markup {
    match block {
        Block::Headline(text) => html! { p.headline { (text) } },
        Block::Text(text) => html! { p { (inline(text)) } },
        Block::Heading(text) => html! { h3 { (text) } },
        Block::Figure(figure) => figure.markup(),
        Block::Table(table) => table.markup(),
        Block::Folded(table) => html! { details { summary { (table.title) } (table.markup()) } },
        Block::Card { title, sentence, facts, not } => html! {
            div.card {
                h3 { (title) }
                @if !sentence.is_empty() { p { (sentence) } }
                dl { @for (name, value) in facts { dt { (name) } dd { (value) } } }
                @if !not.is_empty() {
                    p { strong { "Not claimed:" } }
                    ul { @for line in not { li { (line) } } }
                }
            }
        },
        Block::Group(title, blocks) => html! {
            details { summary { (title) } @for block in blocks { (markup(block)) } }
        },
        Block::List(lines, missing) => html! {
            @if lines.is_empty() { p { (missing) } } @else { ul { @for line in lines { li { (inline(line)) } } } }
        },
        Block::Code(lines) => html! { pre tabindex="0" { code { (lines.join("\n")) } } },
        Block::Plain(text) => {
            html! { aside.plain aria-label="In plain words" { p { strong { "In plain words. " } (text) } } }
        }
    }
}
