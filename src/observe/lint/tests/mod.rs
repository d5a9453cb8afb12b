//! Each rule with an answer that has it and one that nearly has; answers that have none.

mod clean;
mod given;
mod hostile;
mod table;

use super::RULES;
use given::Given;

/// The rules that an answer meets.
fn met(given: &Given) -> Vec<&'static str> {
    let sample = given.sample().expect("an answer that is judged");
    RULES.iter().filter(|rule| (rule.has)(&sample)).map(|rule| rule.code).collect()
}

#[test]
fn each_rule_is_met_by_what_has_it_and_not_by_what_nearly_has() {
    for (code, has, nearly) in table::all() {
        for given in &has {
            assert!(met(given).contains(&code), "{code} is not met by {given:?}");
        }
        for given in &nearly {
            assert!(!met(given).contains(&code), "{code} is met by {given:?}");
        }
    }
}

#[test]
fn the_table_has_every_rule_both_ways() {
    let table = table::all();
    for rule in RULES {
        let rows: Vec<_> = table.iter().filter(|row| row.0 == rule.code).collect();
        let both = |row: &&(_, Vec<Given>, Vec<Given>)| !row.1.is_empty() && !row.2.is_empty();
        assert!(rows.len() == 1 && rows.iter().all(both), "{}", rule.code);
    }
    assert_eq!(table.len(), RULES.len());
}

#[test]
fn every_rule_has_a_code_of_its_own_and_says_what_to_do() {
    for (at, rule) in RULES.iter().enumerate() {
        assert!(RULES[..at].iter().all(|other| other.code != rule.code), "{}", rule.code);
        let is_token = |c: char| c.is_ascii_lowercase() || c == '-';
        assert!(rule.code.chars().all(is_token), "{}", rule.code);
        let begin = rule.sentence.chars().next();
        assert!(begin.is_some_and(char::is_lowercase), "{}", rule.sentence);
        assert!(!rule.sentence.ends_with('.'), "{}", rule.sentence);
        for text in [Some(rule.fix.0), rule.fix.1, rule.fix.2].into_iter().flatten() {
            assert!(!text.is_empty() && !text.contains("  "), "{text}");
        }
    }
}
