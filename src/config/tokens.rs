//! Tokens with a name and a scope: `[[admin.tokens]]` and `[[purge.tokens]]`.

use super::diagnose::{Place, Problem, wrong};
use super::keys::closest;
use super::read;
use super::settings::{Scope, Token, TokenText};
use super::value::{Given, Kind, Value};

/// What stands in such a table.
const NAMES: [&str; 5] = ["name", "token", "scope", "hosts", "networks"];
/// How a token is written of which only the SHA-256 is known.
const DIGEST: &str = "sha256:";

/// The tokens of a list of tables, no two with the same name.
pub(super) fn tokens(value: &Value) -> Result<Vec<Token>, Problem> {
    let tables = match &value.given {
        Given::List(tables) => tables,
        Given::Text(text) | Given::Word(text) if text == "none" => return Ok(Vec::new()),
        Given::Word(_) => {
            let message = "tokens with a scope can't be given in a variable";
            return Err(wrong(message, "write them in the file").at(&value.place));
        }
        _ => return Err(value.not_a(TABLES)),
    };
    let mut tokens: Vec<Token> = Vec::new();
    // A text where a table should be may be the token itself: its line isn't shown.
    if tables.iter().any(|table| !matches!(table.given, Given::Table(_))) {
        return Err(value.not_a(TABLES));
    }
    for table in tables {
        let token = token(table)?;
        if tokens.iter().any(|other| other.name == token.name) {
            let message = format!("there are two tokens named `{}`", token.name);
            return Err(wrong(message, "give each its own").at(&table.place));
        }
        tokens.push(token);
    }
    Ok(tokens)
}

const TABLES: Kind =
    Kind { name: "tables", example: "[{ name = \"deploy\", token = \"...\", scope = \"tags\" }]" };

fn token(table: &Value) -> Result<Token, Problem> {
    let Given::Table(entries) = &table.given else {
        return Err(table.not_a(TABLES));
    };
    if let Some((name, place, _)) = entries.iter().find(|(name, ..)| !NAMES.contains(&&**name)) {
        return Err(unknown(name, place));
    }
    let find =
        |wanted: &str| entries.iter().find(|(name, ..)| name == wanted).map(|(_, _, value)| value);
    let missing = |name: &str| {
        wrong(format!("`{name}` of a token is missing"), "a token has a name, and what to send")
            .at(&table.place)
    };
    let name = find("name").ok_or_else(|| missing("name"))?.text(NAME, |text| {
        let good = |c: char| c.is_ascii_alphanumeric() || "-_@".contains(c);
        match (1..=64).contains(&text.len()) && text.chars().all(good) {
            true => Ok(text.to_owned()),
            false => Err(wrong(
                format!("`{text}` can't be the name of a token"),
                "at most 64 letters, digits and `-_@`",
            )),
        }
    })?;
    Ok(Token {
        name,
        token: text(find("token").ok_or_else(|| missing("token"))?)?,
        scope: scope(table, find("scope"), find("hosts"))?,
        networks: find("networks").map(read::networks).transpose()?,
    })
}

const NAME: Kind = Kind { name: "a name", example: "\"deploy\"" };

fn unknown(name: &str, place: &Place) -> Problem {
    let note = match closest(name, NAMES) {
        Some(similar) => format!("did you mean `{similar}`?"),
        None => format!("expected one of {}", NAMES.join(", ")),
    };
    wrong(format!("unknown key `{name}`"), note).at(place)
}

/// The token itself, or its digest. Complaints never show it.
fn text(value: &Value) -> Result<TokenText, Problem> {
    let bad = |message: &str, note: &str| Err(wrong(message, note).at(&value.place));
    let secret = read::secret(value)?;
    let Some(secret) = secret else {
        return bad("a token of a list can't be `off`", "leave the table out");
    };
    let Some(digits) = secret.expose().strip_prefix(DIGEST) else {
        return Ok(TokenText::Plain(secret));
    };
    match digest(digits) {
        Some(digest) => Ok(TokenText::Digest(digest)),
        None => bad("this can't be a SHA-256", "`sha256:` and 64 hexadecimal digits"),
    }
}

fn digest(digits: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if pairs.len() != digest.len() || !rest.is_empty() {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(pairs) {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
        *byte = u8::try_from(high? * 16 + low?).ok()?;
    }
    Some(digest)
}

/// What it is good for: all, if nothing is said.
fn scope(table: &Value, scope: Option<&Value>, hosts: Option<&Value>) -> Result<Scope, Problem> {
    let known = |text: &str| match text {
        "all" => Ok(Scope::All),
        "read" => Ok(Scope::Read),
        "tags" => Ok(Scope::Tags),
        "hosts" => Ok(Scope::Hosts(Vec::new())),
        _ => {
            let note = "one of `all`, `read`, `tags`, `hosts`";
            Err(wrong(format!("`{text}` is not a scope"), note))
        }
    };
    let kind = Kind { name: "a scope", example: "\"tags\"" };
    let given = scope.map(|value| value.text(kind, known)).transpose()?;
    match (given.unwrap_or(Scope::All), hosts) {
        (Scope::Hosts(_), Some(hosts)) => read::hosts(hosts).map(Scope::Hosts),
        (Scope::Hosts(_), None) => {
            let note = "such as `hosts = [\"www.example.org\"]`";
            Err(wrong("the scope `hosts` needs `hosts`", note).at(&table.place))
        }
        (_, Some(hosts)) => {
            let note = "say `scope = \"hosts\"` too, or leave them out";
            Err(wrong("`hosts` says nothing without its scope", note).at(&hosts.place))
        }
        (scope, None) => Ok(scope),
    }
}
