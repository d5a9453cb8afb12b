//! Sitemaps (sitemaps.org), and indexes of them.

use super::urls::Wanted;
use crate::cli::connection::{Asked, Connection, Place};
use crate::cli::{asking, lines};
use crate::key::Target;
use flate2::read::MultiGzDecoder;
use quick_xml::Reader;
use quick_xml::events::Event;
use std::collections::HashSet;
use std::io::Read;
use std::path::Path;

/// The largest sitemap, unpacked. The protocol allows 50 MiB.
const LARGEST: usize = 64 << 20;

/// How deep indexes may lie in one another. The protocol allows one.
const DEEPEST: usize = 3;

/// The most sitemaps that are read.
const MOST: usize = 5000;

/// What a document lists.
#[derive(Debug, Default, PartialEq)]
struct Listed {
    pages: Vec<(usize, String)>,
    sitemaps: Vec<(usize, String)>,
}

/// Adds the pages of a sitemap, and of those that it lists.
pub(super) async fn gather(
    place: &str,
    via: Option<&str>,
    wanted: &mut Wanted,
) -> Result<(), String> {
    let mut waiting = vec![(place.to_string(), 1)];
    let mut seen = HashSet::new();
    let mut foreign = 0_u64;
    while let Some((place, depth)) = waiting.pop() {
        if !seen.insert(place.clone()) {
            continue;
        }
        if seen.len() > MOST || depth > DEEPEST {
            return Err(format!("{place}: more than {MOST} sitemaps, or {DEEPEST} deep"));
        }
        // Whoever reads a file trusts it; what a site says goes for that site.
        let own = Target::from_url(&place).ok();
        let bytes = match &own {
            Some(target) => {
                fetched(target, via).await.map_err(|error| format!("{place}: {error}"))?
            }
            None => read(Path::new(&place))?,
        };
        let text = String::from_utf8(bytes).map_err(|_| format!("{place}: this is not UTF-8"))?;
        let listed = listed(&text).map_err(|(line, error)| format!("{place}:{line}: {error}"))?;
        for (line, url) in listed.pages {
            let target = Target::from_url(&url);
            let target = target.map_err(|error| format!("{place}:{line}: {url:?}: {error}"))?;
            match own.as_ref().is_none_or(|own| own.host() == target.host()) {
                true => wanted.add(target),
                false => foreign += 1,
            }
        }
        for (line, url) in listed.sitemaps.into_iter().rev() {
            let target = Target::from_url(&url);
            let target = target.map_err(|error| format!("{place}:{line}: {url:?}: {error}"))?;
            match own.as_ref().is_none_or(|own| own.host() == target.host()) {
                true => waiting.push((url, depth + 1)),
                false => foreign += 1,
            }
        }
    }
    if foreign > 0 {
        wanted
            .notes
            .push(format!("{foreign} URLs of other hosts than the sitemap's were left out"));
    }
    Ok(())
}

async fn fetched(target: &Target, via: Option<&str>) -> Result<Vec<u8>, String> {
    let address = asking::address(target, via)?;
    let asked = Asked::of(target, Vec::new());
    let mut connection = Connection::to(Place::Tcp(address));
    let (seen, body) = connection.fetch(&asked, LARGEST).await?;
    match seen.status.is_success() {
        true => unpacked(body),
        false => Err(format!("the answer is {}", seen.status)),
    }
}

fn unpacked(body: Vec<u8>) -> Result<Vec<u8>, String> {
    match body.starts_with(&[0x1f, 0x8b]) {
        true => bounded(MultiGzDecoder::new(body.as_slice())),
        false => Ok(body),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    bounded(lines::open(path)?).map_err(|error| format!("{}: {error}", path.display()))
}

fn bounded(from: impl Read) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    from.take(LARGEST as u64 + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    match bytes.len() > LARGEST {
        true => Err(format!("larger than {LARGEST} bytes")),
        false => Ok(bytes),
    }
}

/// Reads a document; an error comes with its line.
fn listed(text: &str) -> Result<Listed, (usize, String)> {
    let line_at = |offset: u64| {
        let end = usize::try_from(offset).unwrap_or(usize::MAX).min(text.len());
        text.as_bytes()[..end].iter().filter(|byte| **byte == b'\n').count() + 1
    };
    let mut reader = Reader::from_str(text);
    let (mut listed, mut path, mut content) =
        (Listed::default(), Vec::<String>::new(), String::new());
    let mut is_sitemap = false;
    loop {
        let begun = reader.buffer_position();
        let event = reader.read_event();
        let event = event.map_err(|error| (line_at(reader.error_position()), error.to_string()))?;
        match event {
            Event::Start(tag) => {
                path.push(tag.name().as_ref().to_string());
                is_sitemap |= path.len() == 1
                    && ["urlset", "sitemapindex"].contains(&tag.local_name().as_ref());
                content.clear();
                if path.len() > 32 {
                    return Err((
                        line_at(begun),
                        "elements lie too deep in one another".to_string(),
                    ));
                }
            }
            Event::Text(piece) => content.push_str(&piece),
            Event::CData(piece) => content.push_str(&piece),
            Event::GeneralRef(name) => match entity(&name) {
                Some(c) => content.push(c),
                None => {
                    return Err((line_at(begun), "an entity that XML does not have".to_string()));
                }
            },
            Event::End(_) => {
                let names: Vec<&str> = path.iter().map(String::as_str).collect();
                let place = || (line_at(begun), content.trim().to_string());
                match names.as_slice() {
                    [_, "url", "loc"] => listed.pages.push(place()),
                    [_, "sitemap", "loc"] => listed.sitemaps.push(place()),
                    _ => {}
                }
                path.pop();
            }
            Event::Eof if !path.is_empty() => {
                return Err((line_at(begun), "the document is cut off".to_string()));
            }
            Event::Eof if !is_sitemap => {
                return Err((
                    1,
                    "this is no sitemap: neither <urlset> nor <sitemapindex>".to_string(),
                ));
            }
            Event::Eof => return Ok(listed),
            _ => {}
        }
    }
}

/// `amp` of `&amp;`, `#38` of `&#38;`.
fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_sitemaps_are_told_apart() {
        let pages = "<?xml version=\"1.0\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\" \
            xmlns:image=\"x\">\n<url><loc> http://a/?a=1&amp;b=&#50; </loc><image:image>\
            <image:loc>http://a/x.png</image:loc></image:image></url>\n\
            <url>\n<lastmod>2026</lastmod><loc><![CDATA[http://a/2]]></loc></url></urlset>";
        let found = listed(pages).expect("a sitemap");
        assert_eq!(found.pages, [(3, "http://a/?a=1&b=2".into()), (5, "http://a/2".into())]);
        let index = "<sitemapindex><sitemap><loc>http://a/1.xml</loc></sitemap></sitemapindex>";
        let found = listed(index).expect("an index");
        assert_eq!(found.sitemaps, [(1, "http://a/1.xml".into())]);
        assert_eq!(listed("<urlset></urlset>"), Ok(Listed::default()));
    }

    #[test]
    fn what_is_no_sitemap_is_refused_with_its_line() {
        let deep = format!("<urlset>\n{}", "<a>".repeat(40));
        for (text, line) in [
            ("", 1),
            ("<html></html>", 1),
            ("<urlset>\n<url><loc>http://a/", 2),
            ("<urlset>\n<url>\n</urlset>", 3),
            ("<urlset>\n&nbsp;</urlset>", 2),
            (deep.as_str(), 2),
        ] {
            assert_eq!(listed(text).map_err(|(at, _)| at), Err(line), "{text}");
        }
    }
}
