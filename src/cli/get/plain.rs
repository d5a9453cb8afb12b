//! The Markdown of `docs/reasons/` as lines for a terminal: a link is its text, and code is
//! set in.

/// What stands before and behind code.
const FENCE: &str = "```";

/// The lines.
pub(super) fn lines(markdown: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for (at, part) in markdown.split(FENCE).enumerate() {
        let is_code = at % 2 == 1;
        match is_code {
            // The first line of code names its language.
            true => lines.extend(part.lines().skip(1).map(|line| format!("    {line}"))),
            false => {
                lines.extend(unlinked(part).trim_start_matches('\n').lines().map(String::from))
            }
        }
        if is_code {
            lines.push(String::new());
        }
    }
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    lines
}

/// `[text](target)` as its text.
fn unlinked(mut markdown: &str) -> String {
    let mut plain = String::new();
    while let Some((before, behind)) = markdown.split_once("](") {
        match (before.rfind('['), behind.split_once(')')) {
            (Some(open), Some((_, rest))) => {
                plain.push_str(&before[..open]);
                plain.push_str(&before[open + 1..]);
                markdown = rest;
            }
            _ => {
                plain.push_str(before);
                plain.push_str("](");
                markdown = behind;
            }
        }
    }
    plain + markdown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::Fix;
    use crate::semantics::reason::Reason;

    #[test]
    fn a_link_is_its_text_and_code_is_set_in() {
        let text = "See [`a`](a.md), [b\nc](../b.md#c) or x[1].\n\n```python\nx[0](y)\n```\n\nThen\n\
            this.\n";
        let expected =
            ["See `a`, b", "c or x[1].", "", "    x[0](y)", "", "Then", "this."].map(String::from);
        assert_eq!(lines(text), expected);
    }

    #[test]
    fn nothing_of_the_markup_is_left_in_what_is_said_of_a_reason() {
        for reason in Reason::all() {
            let fix = Fix::of(reason);
            for text in [fix.any, fix.django, fix.flask].into_iter().flatten() {
                let plain = lines(text).join("\n");
                assert!(!plain.contains(FENCE) && !plain.contains(".md)"), "{reason}: {plain}");
            }
        }
    }
}
