//! The syntax of `Cache-Control` (RFC 9111 section 5.2): a list of names, each
//! with a token or a quoted string, and what to make of everything else.

/// What stands after a directive's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// Nothing.
    None,
    /// The value, without quotes and escapes.
    Text(Vec<u8>),
    /// Something that is not in the grammar.
    Malformed,
}

/// A member of the list: a directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member<'a> {
    /// Its name, in any case.
    pub name: &'a [u8],
    /// What stands after the name.
    pub argument: Argument,
}

/// The members of one line, in order.
#[derive(Clone, Debug)]
pub struct Members<'a> {
    rest: &'a [u8],
    /// Quotes still pair up; after one that never closes, all are ordinary.
    quotes: bool,
}

/// Reads a line, member by member.
///
/// ```
/// use larder::semantics::cache_control::{Argument, members};
/// let read: Vec<_> = members(b"max-age=\"60\", x=\"a,b\", no-store").collect();
/// assert_eq!(read[0].argument, Argument::Text(b"60".to_vec()));
/// assert_eq!((read[2].name, &read[2].argument), (&b"no-store"[..], &Argument::None));
/// ```
pub fn members(line: &[u8]) -> Members<'_> {
    Members { rest: line, quotes: true }
}

impl<'a> Iterator for Members<'a> {
    type Item = Member<'a>;

    fn next(&mut self) -> Option<Member<'a>> {
        loop {
            let member = self.cut_member()?;
            let member = member.trim_ascii();
            if !member.is_empty() {
                return Some(read_member(member));
            }
        }
    }
}

impl<'a> Members<'a> {
    /// Cuts at the next comma outside a quoted string. A quote that never closes
    /// is an ordinary byte, so that what follows it is still read.
    fn cut_member(&mut self) -> Option<&'a [u8]> {
        let line = self.rest;
        if line.is_empty() {
            return None;
        }
        let mut at = 0;
        while at < line.len() {
            match line[at] {
                b',' => {
                    self.rest = &line[at + 1..];
                    return Some(&line[..at]);
                }
                b'"' if self.quotes => match closing_quote(line, at) {
                    Some(close) => at = close + 1,
                    None => self.quotes = false,
                },
                _ => at += 1,
            }
        }
        self.rest = &[];
        Some(line)
    }
}

fn closing_quote(line: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    while at < line.len() {
        match line[at] {
            b'\\' => at += 2,
            b'"' => return Some(at),
            _ => at += 1,
        }
    }
    None
}

fn read_member(member: &[u8]) -> Member<'_> {
    let end =
        member.iter().position(|b| matches!(b, b'=' | b' ' | b'\t' | b'"')).unwrap_or(member.len());
    let (name, rest) = member.split_at(end);
    let argument = match rest {
        [] => Argument::None,
        [b'=', b'"', quoted @ ..] => unquote(quoted),
        [b'=', token @ ..] if !token.is_empty() && token.iter().all(|b| is_value_byte(*b)) => {
            Argument::Text(token.to_vec())
        }
        _ => Argument::Malformed,
    };
    Member { name, argument }
}

fn is_value_byte(byte: u8) -> bool {
    byte > b' ' && byte != 0x7f && byte != b'"'
}

fn unquote(quoted: &[u8]) -> Argument {
    let mut text = Vec::with_capacity(quoted.len());
    let mut bytes = quoted.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' if bytes.as_slice().is_empty() => return Argument::Text(text),
            b'"' => return Argument::Malformed,
            b'\\' => text.extend(bytes.next()),
            _ => text.push(*byte),
        }
    }
    Argument::Malformed
}
