//! `No-Vary-Search`: queries are one exactly if a reader of forms finds the same in
//! what matters of them.

use super::reference::{lines, value};
use http::{HeaderMap, HeaderName};
use larder::semantics::no_vary_search::{MOST_PARAMETERS, SearchVariance};
use percent_encoding::percent_decode_str;
use sfv::{BareItem, Dictionary, InnerList, ListEntry, Parser};

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// What a field says: which names it lists, whether those matter or the others, and
/// whether their order does.
struct Says {
    listed: Vec<Vec<u8>>,
    only_listed: bool,
    order: bool,
}

fn says(field: &[u8]) -> Option<Says> {
    let field: Dictionary = Parser::new(field).parse().ok()?;
    let flag = |key: &str| match field.get(key) {
        Some(ListEntry::Item(item)) => item.bare_item.as_boolean(),
        _ => None,
    };
    let list = |key: &str| match field.get(key) {
        Some(ListEntry::InnerList(list)) => names(list),
        _ => None,
    };
    let order = !(field.contains_key("key-order") && flag("key-order")?);
    let says = match (field.contains_key("params"), field.contains_key("except")) {
        (_, true) => (flag("params") == Some(true)).then(|| list("except"))?.map(|l| (l, true))?,
        (false, false) => (Vec::new(), false),
        (true, false) => match flag("params") {
            Some(all) => (Vec::new(), all),
            None => (list("params")?, false),
        },
    };
    Some(Says { listed: says.0, only_listed: says.1, order })
}

fn names(list: &InnerList) -> Option<Vec<Vec<u8>>> {
    let name = |item: &BareItem| item.as_string().map(|name| decoded(name.as_str()));
    list.items.iter().map(|item| name(&item.bare_item)).collect()
}

fn decoded(text: &str) -> Vec<u8> {
    percent_decode_str(&text.replace('+', " ")).collect()
}

/// What matters of a query.
fn pairs(query: &str, says: &Says) -> Pairs {
    let mut all = Pairs::new();
    for piece in query.split('&').filter(|piece| !piece.is_empty()) {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        let (name, value) = (decoded(name), decoded(value));
        if says.listed.contains(&name) == says.only_listed {
            all.push((name, value));
        }
    }
    if !says.order {
        all.sort_by(|one, other| one.0.cmp(&other.0));
    }
    all
}

/// The field, and two queries: three lines.
pub fn check(data: &[u8]) {
    let mut lines = lines(data);
    let Some(field) = lines.next().and_then(value) else { return };
    let name = HeaderName::from_static("no-vary-search");
    let response = HeaderMap::from_iter([(name, field.clone())]);
    let Some(variance) = SearchVariance::of(&response) else { return };
    let says = says(field.as_bytes()).expect("it says something");
    let text = |line: Option<&[u8]>| String::from_utf8_lossy(line.unwrap_or_default()).into_owned();
    let (one, other) = (text(lines.next()), text(lines.next()));
    let canonical = variance.canonical(&one);
    let is_long =
        |query: &str| query.split('&').filter(|pair| !pair.is_empty()).count() > MOST_PARAMETERS;
    if is_long(&one) || is_long(&other) {
        assert!(!is_long(&one) || canonical == one);
        assert_eq!(variance.canonical(&other) == canonical, one == other);
        return;
    }
    assert_eq!(variance.canonical(&canonical), canonical);
    assert!(canonical.bytes().all(|b| b.is_ascii_graphic() && b != b'#'));
    assert_eq!(pairs(&canonical, &says), pairs(&one, &says));
    let same = pairs(&one, &says) == pairs(&other, &says);
    assert_eq!(variance.canonical(&other) == canonical, same, "{one:?} {other:?}");
}
