//! Purge requests as the clients of other caches send them, and what these
//! clients wait to hear.
//!
//! A request is recognised by its head alone ([`recognise`]), so that it is known
//! who has to be let in before any of it is read ([`Claim::read`]). Nothing here
//! purges, or talks: values in, values out. `FORMS` is the table of what is
//! understood, and of who says it.

mod bans;
mod cloudflare;
mod fastly;
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

/// A way of saying what is to be purged.
struct Form {
    /// Who says it so.
    of: &'static [Dialect],
    methods: &'static [&'static str],
    when: When,
    kind: Kind,
    read: fn(&Head<'_>, &[u8]) -> Result<Wish, Mistake>,
}

/// What tells a form from others with its method.
enum When {
    Always,
    /// One of these fields is there.
    Bears(&'static [&'static str]),
    /// Its path looks so.
    Path(fn(&str) -> bool),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Its method is for caches alone.
    Own,
    /// The same, but it means something else to others: only where it is named.
    OnlyNamed,
    /// The app may have a page of its own there.
    Ordinary,
}

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

const PURGE: &[&str] = &["PURGE"];
const BAN: &[&str] = &["BAN"];
const EITHER: &[&str] = &["PURGE", "BAN"];

/// Every form, the more special before the more general: the first that fits is
/// the one that counts.
const FORMS: &[Form] = &[
    own(&[FosHttpCache, Typo3, Varnish], EITHER, When::Bears(tagged::XKEY_WISHES), tagged::xkey),
    own(&[FosHttpCache, Varnish], &["PURGEKEYS", "XKEYPURGE"], When::Always, tagged::xkey),
    own(&[FosHttpCache], &["PURGETAGS"], When::Always, tagged::purgetags),
    own(&[Varnish], &["PURGETAG"], When::Always, tagged::purgetag),
    own(&[FosHttpCache], PURGE, When::Bears(&["clear-cache"]), tagged::clear),
    own(&[Magento], PURGE, When::Bears(tagged::MAGENTO), tagged::magento),
    own(&[Shopware, ApiPlatform, Varnish], PURGE, When::Bears(&["xkey"]), tagged::shopware),
    own(TAGGERS, PURGE, When::Bears(tagged::LISTS), tagged::listed),
    own(&[Typo3], EITHER, When::Bears(bans::TYPO3), bans::typo3),
    own(&[ApiPlatform], BAN, When::Bears(&["apiplatform-ban-regex"]), bans::api_platform),
    own(&[FosHttpCache], BAN, When::Bears(&["x-cache-tags"]), bans::foshttpcache_tags),
    own(&[Drupal, Lagoon, ApiPlatform], BAN, When::Bears(bans::DRUPAL), bans::drupal),
    own(&[FosHttpCache, Typo3], BAN, When::Bears(bans::BY_URL), bans::by_url),
    own(&[Drupal], BAN, When::Path(bans::is_wildcard), bans::wildcard),
    own(&[Varnish, Shopware], BAN, When::Always, bans::path),
    own(&[Varnish], &["BANDIR"], When::Always, bans::directory),
    own(&[Varnish, Drupal], &["PURGEALL", "FULLBAN"], When::Always, bans::everything_there_is),
    own(&[Drupal, Lagoon], &["URIBAN"], When::Always, bans::uri),
    own(&[Lagoon, Varnish], &["REFRESH"], When::Always, |_, _| Ok(Wish::Refresh)),
    own(&[WordPress], PURGE, When::Bears(&["x-purge-method"]), urls::wordpress),
    own(&[Souin, ApiPlatform], PURGE, When::Path(souin::is_api), souin::by_key),
    own(&[Plone], PURGE, When::Path(plone::is_virtual), plone::page),
    Form { kind: Kind::OnlyNamed, ..own(&[Lagoon], PURGE, When::Always, bans::uri) },
    own(&[Nginx, WordPress, Varnish], PURGE, When::Path(urls::is_wildcard), urls::wildcard),
    own(&[Nginx], PURGE, When::Path(urls::is_below_purge), urls::below_purge),
    own(&[Url, Plone, FosHttpCache, WordPress, Fastly], PURGE, When::Always, urls::page),
    own(&[Nginx, Drupal, Varnish, Shopware], PURGE, When::Always, urls::page),
    ordinary(&[Fastly], POST, fastly::is_api, fastly::read),
    ordinary(&[Cloudflare], &["POST", "DELETE"], cloudflare::is_api, cloudflare::read),
    ordinary(&[Souin], POST, souin::is_api, souin::by_document),
    ordinary(&[Nginx], &["GET"], urls::is_below_purge, urls::below_purge),
];

const POST: &[&str] = &["POST"];
const TAGGERS: &[Dialect] = &[Souin, ApiPlatform, Nginx, FosHttpCache, Drupal, Fastly, Varnish];

const fn own(
    of: &'static [Dialect],
    methods: &'static [&'static str],
    when: When,
    read: fn(&Head<'_>, &[u8]) -> Result<Wish, Mistake>,
) -> Form {
    Form { of, methods, when, kind: Kind::Own, read }
}

const fn ordinary(
    of: &'static [Dialect],
    methods: &'static [&'static str],
    is_there: fn(&str) -> bool,
    read: fn(&Head<'_>, &[u8]) -> Result<Wish, Mistake>,
) -> Form {
    Form { of, methods, when: When::Path(is_there), kind: Kind::Ordinary, read }
}

impl Form {
    fn fits(&self, head: &Head<'_>) -> bool {
        self.methods.contains(&head.method.as_str())
            && match self.when {
                When::Always => true,
                When::Bears(names) => names.iter().any(|name| head.fields.contains_key(*name)),
                When::Path(looks_so) => looks_so(head.target.path()),
            }
    }
}

/// A request that says, by its head, that it is a purge.
pub struct Claim {
    form: &'static Form,
    /// The name of the first dialect that is understood and says it so.
    pub dialect: &'static str,
    /// Whether only who bears a right token is believed, and not by the network that
    /// the request comes from.
    pub by_token_only: bool,
    /// The app may have a page there: whoever may not purge is sent to it.
    pub may_be_a_page: bool,
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
    Some(Claim { form, dialect, by_token_only, may_be_a_page })
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
