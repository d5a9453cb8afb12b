//! The rules, of all subjects in one list.

use super::{
    Rule, contradictions, cookies, costs, lifetimes, static_files, validators, vary, wording,
};

/// By subject.
const SUBJECTS: [&[Rule]; 8] = [
    lifetimes::RULES,
    vary::RULES,
    cookies::RULES,
    validators::RULES,
    static_files::RULES,
    contradictions::RULES,
    costs::RULES,
    wording::RULES,
];

/// All of them.
pub static RULES: &[Rule] = &joined();

const COUNT: usize = {
    let (mut count, mut subject) = (0, 0);
    while subject < SUBJECTS.len() {
        count += SUBJECTS[subject].len();
        subject += 1;
    }
    count
};

const fn joined() -> [Rule; COUNT] {
    let mut all = [SUBJECTS[0][0]; COUNT];
    let (mut at, mut subject) = (0, 0);
    while subject < SUBJECTS.len() {
        let mut rule = 0;
        while rule < SUBJECTS[subject].len() {
            all[at] = SUBJECTS[subject][rule];
            at += 1;
            rule += 1;
        }
        subject += 1;
    }
    all
}
