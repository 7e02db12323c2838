//! What mends a mistake in a file: of a misspelt word, the nearest that would have been understood (Damerau's distance with
//! transpositions of neighbours, Damerau 1964); of everything else, what to look at.

/// The mend of a message of the TOML reader.
pub(super) fn mend(message: &str) -> String {
    let words: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if let (true, [wrong, expected @ ..]) = (message.starts_with("unknown "), words.as_slice()) {
        return match nearest(wrong, expected) {
            Some(near) => format!("unknown {} `{wrong}`, did you mean `{near}`?", what(message)),
            None => format!("remove `{wrong}`, or write one of the words that are expected here"),
        };
    }
    match words.as_slice() {
        [missing, ..] if message.starts_with("missing field") => {
            format!("add `{missing} = ...` to this table; a research choice has no hidden default")
        }
        [_, ..] if message.starts_with("duplicate") => "keep one of the two".to_owned(),
        _ if ["u8", "u16", "u32", "u64", "usize"]
            .iter()
            .any(|kind| message.ends_with(&format!("expected {kind}"))) =>
        {
            "write a whole number, 0 or more".to_owned()
        }
        _ if message.ends_with("expected f64") => "write a number".to_owned(),
        _ if message.starts_with("invalid type") => "write a value of the kind that is expected".to_owned(),
        _ if message.contains("must be") => "write a value within these bounds".to_owned(),
        _ if message.starts_with("wanted exactly 1") => {
            "choose one of these keys and remove the others".to_owned()
        }
        _ => "mend this place; `equipoise new` writes a whole file that is right".to_owned(),
    }
}

/// A field is a key; a variant may be a key or a value.
fn what(message: &str) -> &'static str {
    if message.starts_with("unknown variant") { "word" } else { "key" }
}

/// The nearest word, if it is near enough to have been meant.
pub(crate) fn nearest<'a>(wrong: &str, words: &[&'a str]) -> Option<&'a str> {
    let far = |word: &str| distance(wrong, word);
    let near = words.iter().copied().min_by_key(|word| far(word))?;
    (far(near) <= 1 + wrong.chars().count() / 4).then_some(near)
}

/// Insertions, deletions, replacements and swaps of neighbours between two words, where `_` and `-` are the same.
fn distance(a: &str, b: &str) -> usize {
    let letters = |word: &str| word.to_lowercase().replace('_', "-").chars().collect::<Vec<_>>();
    let (a, b) = (letters(a), letters(b));
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_answered_with_the_nearest() {
        let message =
            "unknown field `cilp_norm`, expected one of `epsilon`, `delta`, `clip-norm`, `sampling-rate`";
        assert_eq!(mend(message), "unknown key `cilp_norm`, did you mean `clip-norm`?");
        assert!(mend("unknown field `zzzzz`, expected `epsilon`").starts_with("remove `zzzzz`"));
        assert!(mend("missing field `seed`").contains("`seed = ...`"));
        let variant = "unknown variant `fedrated`, expected one of `local-only`, `federated`";
        assert_eq!(mend(variant), "unknown word `fedrated`, did you mean `federated`?");
    }

    #[test]
    fn a_value_of_the_wrong_kind_or_size_is_answered_in_plain_words() {
        let whole = "write a whole number, 0 or more";
        assert_eq!(mend("invalid value: integer `-4`, expected u32"), whole);
        assert_eq!(mend("invalid type: string \"many\", expected u32"), whole);
        assert_eq!(mend("a fraction must be between 0 and 1, got 3"), "write a value within these bounds");
    }

    #[test]
    fn a_swap_of_neighbours_is_one_mistake() {
        assert_eq!((distance("cilp", "clip"), distance("clip", "clip"), distance("", "ab")), (1, 0, 2));
        assert_eq!(distance("clip_norm", "clip-norm"), 0);
        assert_eq!(nearest("rounds", &["seeds", "privacy"]), None);
    }
}
