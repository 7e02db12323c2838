//! The report as Markdown: the same blocks as the page, with figures as links to their files.

use super::Head;
use super::sections::{BANNER, Block, Part};

/// The report as Markdown.
pub(super) fn document(head: &Head<'_>, parts: &[Part]) -> String {
    let mut out = format!("# {}\n\n{}\n\n> **{BANNER}**\n\n", words(head.name), words(head.question));
    for part in parts {
        out.push_str(&format!("## {}\n\n", part.title));
        for block in &part.blocks {
            out.push_str(&text(block));
        }
    }
    out.push_str(&format!("Plan {}, equipoise {}.\n", words(head.id), words(head.version)));
    out
}

fn text(block: &Block) -> String {
    match block {
        Block::Headline(line) => format!("**{}**\n\n", words(line)),
        Block::Text(line) => format!("{}\n\n", words(line)),
        Block::Heading(line) => format!("### {}\n\n", words(line)),
        Block::Figure(figure) => {
            let picture = format!("![{}](figures/{}.svg)", words(&figure.title), figure.id);
            let seeds =
                if figure.seeds.is_empty() { String::new() } else { format!(" {}", words(&figure.seeds)) };
            format!("{picture}\n\n*{}*{seeds}\n\n", words(&figure.caption))
        }
        Block::Table(table) | Block::Folded(table) => {
            format!("**{}**\n\n{}\n", words(&table.title), table.markdown())
        }
        Block::Card { title, sentence, facts, not } => {
            let mut out = format!("### {}\n\n", words(title));
            if !sentence.is_empty() {
                out.push_str(&format!("{}\n\n", words(sentence)));
            }
            for (name, value) in facts {
                out.push_str(&format!("- {}: {}\n", words(name), words(value)));
            }
            for line in not {
                out.push_str(&format!("- Not claimed: {}\n", words(line)));
            }
            out.push('\n');
            out
        }
        Block::Group(title, blocks) => {
            format!("**{title}**\n\n{}", blocks.iter().map(text).collect::<String>())
        }
        Block::List(lines, missing) if lines.is_empty() => format!("{}\n\n", words(missing)),
        Block::List(lines, _) => {
            let items: Vec<String> = lines.iter().map(|line| format!("- {}\n", words(line))).collect();
            format!("{}\n", items.concat())
        }
        Block::Code(lines) => format!("```text\n{}\n```\n\n", lines.join("\n").replace("```", "'''")),
        Block::Plain(line) => format!("> In plain words. {}\n\n", words(line)),
    }
}

/// Text on one line that cannot start a block, a link or HTML.
fn words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '*' | '_' | '`' | '\\' | '[' | ']' | '#' => out.extend(['\\', c]),
            '\n' | '\r' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}
