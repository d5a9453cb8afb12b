//! How a filter is read.

use super::{Comparison, Condition, Filter, Flag, Glob, Mistake, Number, Text};
use crate::semantics::cache_status::{Forward, Outcome};
use crate::semantics::reason::Reason;

/// The most conditions, and the most bytes of all of them.
const MOST: usize = 16;
const LONGEST: usize = 1024;

/// What may be written before the sign.
const TEXTS: [(&str, Text); 12] = [
    ("outcome", Text::Outcome),
    ("reason", Text::Reason),
    ("method", Text::Method),
    ("host", Text::Host),
    ("path", Text::Path),
    ("target", Text::Target),
    ("client", Text::Client),
    ("agent", Text::Agent),
    ("referer", Text::Referer),
    ("id", Text::Id),
    ("trace", Text::Trace),
    ("tag", Text::Tag),
];
const NUMBERS: [(&str, Number); 6] = [
    ("status", Number::Status),
    ("bytes", Number::Bytes),
    ("seconds", Number::Seconds),
    ("origin_seconds", Number::OriginSeconds),
    ("age", Number::Age),
    ("ttl", Number::Ttl),
];
const FLAGS: [(&str, Flag); 3] =
    [("stored", Flag::Stored), ("collapsed", Flag::Collapsed), ("broken", Flag::Broken)];

/// The signs; one that begins as another does stands before it.
const SIGNS: [(&str, Comparison); 6] = [
    ("!=", Comparison::NotEqual),
    (">=", Comparison::AtLeast),
    ("<=", Comparison::AtMost),
    ("=", Comparison::Equal),
    (">", Comparison::More),
    ("<", Comparison::Less),
];

/// A part of a filter, and the number of its first byte.
#[derive(Clone, Copy)]
struct Part<'a> {
    text: &'a str,
    at: usize,
}

impl Filter {
    /// Reads one. A value with spaces stands in double quotes.
    ///
    /// # Errors
    /// [`Mistake`]: what is wrong with it, and where.
    pub fn parse(text: &str) -> Result<Filter, Mistake> {
        let whole = Part { text, at: 0 };
        let read = || -> Result<Filter, (usize, String)> {
            if text.len() > LONGEST {
                return Err((LONGEST, format!("it has more than {LONGEST} bytes")));
            }
            let mut conditions = Vec::new();
            let mut rest = whole;
            while let Some(part) = next(&mut rest)? {
                if conditions.len() == MOST {
                    return Err((part.at, format!("there are more than {MOST} conditions")));
                }
                conditions.push(condition(part)?);
            }
            Ok(Filter(conditions))
        };
        read().map_err(|(at, what)| {
            let before = text.char_indices().take_while(|(index, _)| *index < at).count();
            Mistake { at: before + 1, what }
        })
    }
}

/// The next part: up to a space that doesn't stand between quotes.
fn next<'a>(rest: &mut Part<'a>) -> Result<Option<Part<'a>>, (usize, String)> {
    let text = rest.text.trim_start();
    let at = rest.at + (rest.text.len() - text.len());
    let mut quoted = None;
    let mut end = text.len();
    for (index, c) in text.char_indices() {
        match c {
            '"' => quoted = if quoted.is_some() { None } else { Some(index) },
            c if c.is_whitespace() && quoted.is_none() => {
                end = index;
                break;
            }
            _ => {}
        }
    }
    if let Some(quote) = quoted {
        return Err((at + quote, "a quotation mark has no other".to_string()));
    }
    *rest = Part { text: &text[end..], at: at + end };
    Ok((end > 0).then_some(Part { text: &text[..end], at }))
}

fn condition(part: Part<'_>) -> Result<Condition, (usize, String)> {
    let Part { text, at } = part;
    let sign = text.find(['=', '!', '<', '>']);
    let found = sign.and_then(|sign| {
        let behind = &text[sign..];
        SIGNS.iter().find(|(written, _)| behind.starts_with(written)).map(|found| (sign, found))
    });
    let Some((sign, (written, comparison))) = found else {
        let what =
            format!("`{text}` is no condition: a name, a sign and a value, such as status>=500");
        return Err((at, what));
    };
    let (name, value) = (&text[..sign], &text[sign + written.len()..]);
    let value_at = at + sign + written.len();
    let value = Part { text: unquoted(value), at: value_at };
    if let Some(text) = named(&TEXTS, name) {
        let wanted = equality(*comparison, at + sign, name)?;
        return Ok(Condition::Text(text, glob(text, value)?, wanted));
    }
    if let Some(number) = named(&NUMBERS, name) {
        let than = value.text.parse::<f64>().ok().filter(|than| than.is_finite());
        let than = than.ok_or_else(|| (value.at, format!("`{}` is no number", value.text)))?;
        return Ok(Condition::Number(number, *comparison, than));
    }
    if let Some(flag) = named(&FLAGS, name) {
        let wanted = equality(*comparison, at + sign, name)?;
        return match value.text {
            "true" => Ok(Condition::Flag(flag, wanted)),
            "false" => Ok(Condition::Flag(flag, !wanted)),
            other => Err((value.at, format!("`{other}` is neither true nor false"))),
        };
    }
    let names: Vec<&str> = (TEXTS.iter().map(|text| text.0))
        .chain(NUMBERS.iter().map(|number| number.0))
        .chain(FLAGS.iter().map(|flag| flag.0))
        .collect();
    Err((at, format!("`{name}` is not known; there are {}", names.join(", "))))
}

fn named<T: Copy>(all: &[(&str, T)], name: &str) -> Option<T> {
    all.iter().find(|(known, _)| *known == name).map(|(_, found)| *found)
}

fn unquoted(value: &str) -> &str {
    let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    inner.unwrap_or(value)
}

/// Whether a comparison wants the same; texts are not larger or smaller.
fn equality(comparison: Comparison, at: usize, name: &str) -> Result<bool, (usize, String)> {
    match comparison {
        Comparison::Equal => Ok(true),
        Comparison::NotEqual => Ok(false),
        _ => Err((at, format!("{name} is compared by = or !="))),
    }
}

/// What a text is to be like. A word that there isn't would never be met.
fn glob(text: Text, value: Part<'_>) -> Result<Glob, (usize, String)> {
    let Part { text: written, at } = value;
    let is_word = !written.contains('*');
    let outcomes = || {
        let forwarded = Forward::ALL.map(Forward::token);
        let others = ["pass", Outcome::Hit.token(), Outcome::Own.token()];
        others.into_iter().chain(forwarded).collect::<Vec<&str>>()
    };
    match text {
        Text::Outcome if is_word && !outcomes().contains(&written) => {
            let all = outcomes().join(", ");
            Err((at, format!("`{written}` is no outcome; there are {all}")))
        }
        Text::Reason if is_word && Reason::from_code(written).is_none() => {
            Err((at, format!("`{written}` is no reason; docs/reasons has all of them")))
        }
        _ => Ok(Glob(written.into())),
    }
}
