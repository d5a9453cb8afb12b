//! The truth: which pages there are, what each says just now, and what it allows
//! a cache to do.

use super::random::Random;
use std::fmt;

/// Whose answer may be kept for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// For everybody.
    Everybody,
    /// For everybody who bears the same cookie.
    ByCookie,
    /// For nobody: `no-store`.
    Nobody,
    /// For one visitor: `private`.
    Private,
    /// It sets a cookie.
    SetCookie,
    /// Who bears credentials is told something of their own.
    Credentials,
}

/// What a page says of its keeping, in seconds.
#[derive(Clone, Debug)]
pub struct Rules {
    pub keeping: Keeping,
    pub max_age: u64,
    pub revalidate: u64,
    pub on_error: u64,
    pub must_revalidate: bool,
    pub no_cache: bool,
    pub s_maxage: bool,
}

impl Rules {
    /// Nothing may come from the store without the origin's word.
    pub fn never_fresh(&self) -> bool {
        self.no_cache || self.max_age == 0
    }

    /// A response may answer more than the request that brought it.
    pub fn storable(&self) -> bool {
        matches!(self.keeping, Keeping::Everybody | Keeping::ByCookie | Keeping::Credentials)
    }

    pub fn cache_control(&self) -> String {
        let mut text = match self.keeping {
            Keeping::Nobody => "no-store, ".to_string(),
            Keeping::Private => "private, ".to_string(),
            _ => String::new(),
        };
        let directive = if self.s_maxage { "s-maxage" } else { "max-age" };
        text += &format!("{directive}={}", self.max_age);
        for (name, span) in
            [("stale-while-revalidate", self.revalidate), ("stale-if-error", self.on_error)]
        {
            if span > 0 {
                text += &format!(", {name}={span}");
            }
        }
        for (name, said) in [("must-revalidate", self.must_revalidate), ("no-cache", self.no_cache)]
        {
            if said {
                text += &format!(", {name}");
            }
        }
        text
    }
}

/// A page as it is now.
#[derive(Clone, Debug)]
pub struct Page {
    pub path: String,
    pub rules: Rules,
    pub by_language: bool,
    pub has_etag: bool,
    pub tags: Vec<String>,
    pub group: Option<String>,
    pub length: usize,
    pub version: u32,
    /// It isn't there: 404, which may be kept like any other.
    pub gone: bool,
}

/// What makes two bodies of a page differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edition {
    pub page: usize,
    pub version: u32,
    pub language: String,
    /// Whom it was made for; `-` is anybody.
    pub who: String,
    pub query: String,
    pub gone: bool,
    pub length: usize,
}

impl Edition {
    /// The body: says all over what it is, so that no two can be mixed.
    pub fn body(&self) -> Vec<u8> {
        let Edition { page, version, language, who, query, gone, length } = self;
        let word = format!("[{page} v{version} {language} {who} {query} {gone}]");
        word.bytes().cycle().take(*length).collect()
    }

    pub fn etag(&self) -> String {
        format!("\"{}-{}-{}-{}-{}\"", self.page, self.version, self.language, self.who, self.gone)
    }
}

/// The largest response that is stored, in bytes.
pub const MAX_OBJECT: u64 = 16 * 1024;

impl Page {
    /// One of the many kinds of pages.
    pub fn draw(number: usize, random: &mut Random) -> Page {
        use Keeping::{ByCookie, Credentials, Everybody, Nobody, Private, SetCookie};
        let keeping = random.pick(&[
            Everybody,
            Everybody,
            Everybody,
            Everybody,
            Everybody,
            ByCookie,
            Credentials,
            Nobody,
            Private,
            SetCookie,
        ]);
        let rules = Rules {
            keeping,
            max_age: random.pick(&[0, 2, 5, 5, 30, 30]),
            revalidate: random.pick(&[0, 0, 4, 10]),
            on_error: random.pick(&[0, 0, 6, 15]),
            must_revalidate: random.percent(10),
            no_cache: random.percent(7),
            s_maxage: keeping != Credentials && random.percent(10),
        };
        let mut tags = vec!["t0", "t1", "t2"];
        tags.retain(|_| random.percent(35));
        Page {
            path: format!("/{}/{number}", random.pick(&["a", "b"])),
            rules,
            by_language: random.percent(30),
            has_etag: random.percent(65),
            tags: tags.into_iter().map(String::from).collect(),
            group: random.percent(30).then(|| "g0".to_string()),
            length: random.pick(&[0, 60, 300, 2_000, 2_000, 6_000, 9_000, 40_000]),
            version: 1,
            gone: false,
        }
    }

    /// What it says to this visitor.
    pub fn edition(&self, page: usize, language: &str, who: &Who, query: &str) -> Edition {
        let language = if self.by_language { language } else { "-" };
        let who = match self.rules.keeping {
            Keeping::Everybody => "-",
            Keeping::Credentials if who.credentials.is_none() => "-",
            Keeping::Credentials => who.credentials.as_deref().unwrap_or("-"),
            Keeping::ByCookie => who.cookie.as_deref().unwrap_or("-"),
            Keeping::Nobody | Keeping::Private | Keeping::SetCookie => who.name(),
        };
        Edition {
            page,
            version: self.version,
            language: language.into(),
            who: who.into(),
            query: query.into(),
            gone: self.gone,
            length: if self.length == 0 { 0 } else { self.length + self.version as usize * 7 },
        }
    }
}

/// What a request says of its visitor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    pub cookie: Option<String>,
    pub credentials: Option<String>,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.cookie, &self.credentials) {
            (None, None) => f.write_str("of anybody"),
            (Some(cookie), None) => write!(f, "of cookie {cookie}"),
            (None, Some(name)) => write!(f, "of credentials {name}"),
            (Some(cookie), Some(name)) => write!(f, "of cookie {cookie}, credentials {name}"),
        }
    }
}

impl Who {
    pub fn draw(random: &mut Random) -> Who {
        let name = |random: &mut Random| random.pick(&["u1", "u2"]).to_string();
        let cookie = random.percent(20).then(|| name(random));
        let credentials = random.percent(8).then(|| name(random));
        Who { cookie, credentials }
    }

    pub fn is_anybody(&self) -> bool {
        *self == Who::default()
    }

    fn name(&self) -> &str {
        self.credentials.as_deref().or(self.cookie.as_deref()).unwrap_or("-")
    }
}
