//! An explanation, in lines for a terminal.

use super::plain;
use super::words::capitalized;
use crate::explain::Fix;
use crate::semantics::reason::Reason;
use serde_json::Value;

/// What steps are about of which it is enough to say that all is well.
const STORING: &str = "storing";

/// The lines; each may be longer than a terminal is wide.
pub(super) fn lines(told: &Value) -> Vec<String> {
    let mut lines = vec![String::new(), "How it came to that:".to_string()];
    let mut good = 0;
    for step in list(&told["steps"]) {
        let (question, answer) = (text(&step["question"]), text(&step["answer"]));
        if answer == "yes" && text(&step["about"]) == STORING {
            good += 1;
            continue;
        }
        if good > 0 {
            lines.push(format!("  {good} questions about storing were answered well. Then:"));
            good = 0;
        }
        lines.push(format!("  {question} {}  [{}]", capitalized(answer), text(&step["by"])));
    }
    if good > 0 {
        lines.push(format!("  All {good} questions about storing were answered well."));
    }
    variants(told, &mut lines);
    for left in list(&told["request"]["left_out"]) {
        let (what, why) = (text(&left["what"]), text(&left["why"]));
        lines.push(format!("Makes no difference: {what} ({why})."));
    }
    if let Some(sentence) = told["browser"]["sentence"].as_str() {
        lines.push(format!("The visitor's browser {sentence}."));
    }
    would(told, &mut lines);
    lines
}

fn variants(told: &Value, lines: &mut Vec<String>) {
    let variants = list(&told["variants"]);
    if variants.is_empty() {
        return;
    }
    lines.push(String::new());
    lines.push(format!("Stored under {}:", text(&told["request"]["key"])));
    for variant in variants {
        let mark = if variant["selected"] == true { "*" } else { " " };
        let mut line = format!(
            "  {mark} {} with {} bytes, hits {}, age {} s, ttl {} s",
            variant["status"], variant["bytes"], variant["hits"], variant["age"], variant["ttl"]
        );
        for (name, words) in [("nominated", "told apart by"), ("tags", "tags")] {
            let all: Vec<&str> = list(&variant[name]).iter().map(text).collect();
            if !all.is_empty() {
                line.push_str(&format!("; {words} {}", all.join(", ")));
            }
        }
        lines.push(line);
    }
}

fn would(told: &Value, lines: &mut Vec<String>) {
    let would = list(&told["would"]);
    if would.is_empty() {
        return;
    }
    lines.push(String::new());
    let all = if would.len() > 1 { ", all of it" } else { "" };
    lines.push(format!("What would change that{all}:"));
    for change in would {
        lines.push(format!("- {}.", capitalized(text(&change["sentence"]))));
        let fix = Reason::from_code(text(&change["code"])).map(Fix::of).unwrap_or_default();
        if fix.any.is_some() {
            lines.push(String::new());
        }
        lines.extend(fixed(fix));
    }
}

/// What to do where the app gave no answer that could be handed on.
pub(super) fn mending(reason: Reason) -> Vec<String> {
    let mut lines = vec![String::new(), "What to do:".to_string()];
    lines.extend(fixed(Fix::of(reason)));
    lines
}

/// What to do, in general and in each framework.
fn fixed(fix: Fix) -> Vec<String> {
    let mut lines = Vec::new();
    for (told, title) in [(fix.any, ""), (fix.django, "In Django:"), (fix.flask, "In Flask:")] {
        let Some(told) = told else { continue };
        if !title.is_empty() {
            lines.extend([String::new(), format!("  {title}")]);
        }
        let within = |line: String| if line.is_empty() { line } else { format!("  {line}") };
        lines.extend(plain::lines(told).into_iter().map(within));
    }
    lines
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
