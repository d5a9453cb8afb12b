//! Purge requests as the clients of other caches send them, and what these
//! clients wait to hear.
//!
//! A request is recognised by its head alone ([`recognise`]), so that it is known
//! who has to be let in before any of it is read ([`Claim::read`]). Nothing here
//! purges, or talks: values in, values out. `forms::FORMS` is the table of what is
//! understood, and of who says it.

mod bans;
mod cloudflare;
mod fastly;
mod forms;
pub mod litespeed;
mod patterns;
mod plone;
mod reply;
mod souin;
mod tagged;
mod urls;
mod words;

pub use reply::{Manner, Said};

use crate::key::Target;
use crate::purge::{Selectors, Softness, bearer};
use forms::{FORMS, Form, Kind};
use http::header::{AUTHORIZATION, HeaderMap};
use http::{Method, StatusCode};
use std::fmt;

/// A client, or a family of them, with a way of purging of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `PURGE` of a URL: Wagtail, Django's packages, MediaWiki, curl.
    Url,
    /// plone.cachepurging, whose paths may be those of a virtual host monster.
    Plone,
    /// FOSHttpCache, and Ibexa on top of it.
    FosHttpCache,
    /// API Platform.
    ApiPlatform,
    /// Shopware 6.
    Shopware,
    /// Drupal's purge modules.
    Drupal,
    /// Lagoon, where the path of a purge is a regular expression for every host.
    Lagoon,
    /// Magento 2.
    Magento,
    /// WordPress: Proxy Cache Purge.
    WordPress,
    /// TYPO3's extensions for Varnish.
    Typo3,
    /// nginx's purge modules.
    Nginx,
    /// The VCL that people share: `BAN`, `BANDIR`, `PURGEALL`, xkey.
    Varnish,
    /// Fastly's API.
    Fastly,
    /// Cloudflare's API.
    Cloudflare,
    /// Souin, and the draft of an invalidation API that it follows.
    Souin,
    /// LiteSpeed's response fields.
    LiteSpeed,
}

use Dialect::*;

impl Dialect {
    /// Every dialect, with the name that the configuration has for it.
    pub const ALL: [(Dialect, &str); 16] = [
        (Url, "url"),
        (Plone, "plone"),
        (FosHttpCache, "foshttpcache"),
        (ApiPlatform, "api-platform"),
        (Shopware, "shopware"),
        (Drupal, "drupal"),
        (Lagoon, "lagoon"),
        (Magento, "magento"),
        (WordPress, "wordpress"),
        (Typo3, "typo3"),
        (Nginx, "nginx"),
        (Varnish, "varnish"),
        (Fastly, "fastly"),
        (Cloudflare, "cloudflare"),
        (Souin, "souin"),
        (LiteSpeed, "litespeed"),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Dialect::ALL.iter().find(|(known, _)| *known == self).map_or("", |(_, name)| name)
    }

    /// The dialect of this name.
    pub fn named(name: &str) -> Option<Dialect> {
        Dialect::ALL.iter().find(|(_, known)| *known == name).map(|(dialect, _)| *dialect)
    }
}

/// Which dialects are understood.
#[derive(Clone, Debug, Default)]
pub enum Understood {
    /// All of them. What looks like a request for the app needs a right token.
    #[default]
    All,
    /// These, which somebody has named: they are known to be in use.
    Only(Vec<Dialect>),
}

impl Understood {
    /// Whether this dialect is one of them.
    pub fn has(&self, dialect: Dialect) -> bool {
        match self {
            Understood::All => true,
            Understood::Only(these) => these.contains(&dialect),
        }
    }

    fn names_one_of(&self, dialects: &[Dialect]) -> bool {
        match self {
            Understood::All => false,
            Understood::Only(these) => dialects.iter().any(|dialect| these.contains(dialect)),
        }
    }
}

/// The head of a request that may be a purge.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The method.
    pub method: &'a Method,
    /// The target, with the host that the request is for.
    pub target: &'a Target,
    /// All fields as they came.
    pub fields: &'a HeaderMap,
}

/// What is wrong with a purge, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong and where, in a sentence.
    pub detail: String,
}

impl Mistake {
    fn at(place: impl fmt::Display, what: impl fmt::Display) -> Mistake {
        Mistake { detail: format!("{place}: {what}") }
    }
}

/// What a request wants.
#[derive(Clone, Debug)]
pub enum Wish {
    /// To forget.
    Purge(Box<Purge>),
    /// To be given a page that is fetched anew and stored.
    Refresh,
}

/// What is to be forgotten, and how that is answered.
#[derive(Clone, Debug)]
pub struct Purge {
    /// What is to be gone.
    pub hard: Selectors,
    /// What is to be stale.
    pub soft: Selectors,
    /// How the client is answered.
    pub manner: Manner,
}

impl Purge {
    fn wish(selectors: Selectors, softness: Softness, manner: Manner) -> Result<Wish, Mistake> {
        let (hard, soft) = match softness {
            Softness::Hard => (selectors, Selectors::default()),
            Softness::Soft => (Selectors::default(), selectors),
        };
        Ok(Wish::Purge(Box::new(Purge { hard, soft, manner })))
    }
}

/// The most selectors of one request.
const MOST_SELECTORS: usize = 1000;

/// The methods that are for caches alone. No app ever sees one of them.
const OWN_METHODS: [&str; 11] = [
    "PURGE",
    "BAN",
    "PURGEKEYS",
    "PURGETAGS",
    "PURGETAG",
    "PURGEALL",
    "BANDIR",
    "FULLBAN",
    "URIBAN",
    "REFRESH",
    "XKEYPURGE",
];

/// Whether a method is for caches alone.
pub fn is_for_caches(method: &Method) -> bool {
    OWN_METHODS.contains(&method.as_str())
}

/// A request that says, by its head, that it is a purge.
#[derive(Clone)]
pub struct Claim {
    form: &'static Form,
    /// The name of the first dialect that is understood and says it so.
    pub dialect: &'static str,
    /// Whether only who bears a right token is believed, and not by the network that
    /// the request comes from.
    pub by_token_only: bool,
    /// The app may have a page there: whoever may not purge is sent to it.
    pub may_be_a_page: bool,
    /// To [read](Claim::read) it an expression may have to be compiled, which takes up to
    /// 40 ms: to be done where that is allowed.
    pub compiles: bool,
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").field("of", &self.form.of).finish_non_exhaustive()
    }
}

/// Tells whether a request is a purge in one of these dialects.
pub fn recognise(head: &Head<'_>, understood: &Understood) -> Option<Claim> {
    let form = FORMS.iter().find(|form| {
        let named = understood.names_one_of(form.of);
        let on = named || form.of.iter().any(|dialect| understood.has(*dialect));
        on && (named || form.kind != Kind::OnlyNamed) && form.fits(head)
    })?;
    let may_be_a_page = form.kind == Kind::Ordinary;
    let is_named = understood.names_one_of(form.of);
    let by_token_only = is_from_a_web_page(head) || (may_be_a_page && !is_named);
    let dialect = form.of.iter().copied().find(|dialect| understood.has(*dialect))?.name();
    let compiles = form.compiles;
    Some(Claim { form, dialect, by_token_only, may_be_a_page, compiles })
}

/// Whether a browser may have sent a request for a web page, which is never let in
/// by where the browser runs: a name that somebody points at larder's address lets
/// his pages send any method. What is not GET has `Origin` then. GET has
/// `Sec-Fetch-Site`, but not over plain HTTP, and `Accept-Language` always.
fn is_from_a_web_page(head: &Head<'_>) -> bool {
    let names = ["origin", "sec-fetch-site", "accept-language"];
    // Some HTTP clients send the last with whatever they send.
    let told_by = if head.method == Method::GET { &names[..] } else { &names[..2] };
    told_by.iter().any(|name| head.fields.contains_key(*name))
}

impl Claim {
    /// Reads what is wanted, all or nothing. `body` is empty unless
    /// [`may_be_a_page`](Claim::may_be_a_page).
    ///
    /// # Errors
    /// [`Mistake`], by what is wrong and where.
    pub fn read(&self, head: &Head<'_>, body: &[u8]) -> Result<Wish, Mistake> {
        let wish = (self.form.read)(head, body)?;
        if let Wish::Purge(purge) = &wish {
            let count = patterns::count(&purge.hard) + patterns::count(&purge.soft);
            if count > MOST_SELECTORS {
                let what = format!("{count} selectors; {MOST_SELECTORS} may be purged at once");
                return Err(Mistake { detail: what });
            }
        }
        Ok(wish)
    }

    /// The answer to a purge that can't be done.
    pub fn refusal(&self, status: StatusCode, detail: &str) -> Said {
        match self.form.of {
            [Fastly] => reply::fastly_refusal(status, detail),
            [Cloudflare] => reply::cloudflare_refusal(status, detail),
            _ => reply::refusal(status, detail),
        }
    }
}

/// The token that a purge bears: in one of the fields that clients have for nothing
/// else, or in `Authorization: Bearer`, which may be about something else.
pub fn credential(fields: &HeaderMap) -> Option<&[u8]> {
    let given = TOKEN_FIELDS.iter().find_map(|name| Some(fields.get(*name)?.as_bytes()));
    given.or_else(|| bearer(fields))
}

/// Takes the field off in which the [credential] stands, if there is one.
pub fn take_credential(fields: &mut HeaderMap) {
    let own = TOKEN_FIELDS.into_iter().find(|name| fields.contains_key(*name));
    if let Some(name) = own.or_else(|| bearer(fields).map(|_| AUTHORIZATION.as_str())) {
        fields.remove(name);
    }
}

/// The fields that clients have for a token and nothing else.
const TOKEN_FIELDS: [&str; 3] = ["fastly-key", "x-auth-key", "x-invalidate-token"];

#[cfg(test)]
mod tests;
