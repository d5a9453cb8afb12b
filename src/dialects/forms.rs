//! The table of what is understood, and of who says it.

use super::Dialect::*;
use super::{Dialect, Head, Mistake, Wish};
use super::{bans, cloudflare, fastly, plone, souin, tagged, urls};

/// A way of saying what is to be purged.
pub(super) struct Form {
    /// Who says it so.
    pub of: &'static [Dialect],
    pub methods: &'static [&'static str],
    when: When,
    pub kind: Kind,
    /// An expression may have to be compiled.
    pub compiles: bool,
    pub read: fn(&Head<'_>, &[u8]) -> Result<Wish, Mistake>,
}

/// What tells a form from others with its method.
pub(super) enum When {
    Always,
    /// One of these fields is there.
    Bears(&'static [&'static str]),
    /// Its path looks so.
    Path(fn(&str) -> bool),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Its method is for caches alone.
    Own,
    /// The same, but it means something else to others: only where it is named.
    OnlyNamed,
    /// The app may have a page of its own there.
    Ordinary,
}

const PURGE: &[&str] = &["PURGE"];
const BAN: &[&str] = &["BAN"];
const EITHER: &[&str] = &["PURGE", "BAN"];

/// Every form, the more special before the more general: the first that fits is
/// the one that counts.
pub(super) const FORMS: &[Form] = &[
    own(&[FosHttpCache, Typo3, Varnish], EITHER, When::Bears(tagged::XKEY_WISHES), tagged::xkey),
    own(&[FosHttpCache, Varnish], &["PURGEKEYS", "XKEYPURGE"], When::Always, tagged::xkey),
    own(&[FosHttpCache], &["PURGETAGS"], When::Always, tagged::purgetags),
    own(&[Varnish], &["PURGETAG"], When::Always, tagged::purgetag),
    own(&[FosHttpCache], PURGE, When::Bears(&["clear-cache"]), tagged::clear),
    compiling(own(&[Magento], PURGE, When::Bears(tagged::MAGENTO), tagged::magento)),
    own(&[Shopware, ApiPlatform, Varnish], PURGE, When::Bears(&["xkey"]), tagged::shopware),
    own(TAGGERS, PURGE, When::Bears(tagged::LISTS), tagged::listed),
    own(&[Typo3], EITHER, When::Bears(bans::TYPO3), bans::typo3),
    compiling(own(
        &[ApiPlatform],
        BAN,
        When::Bears(&["apiplatform-ban-regex"]),
        bans::api_platform,
    )),
    compiling(own(&[FosHttpCache], BAN, When::Bears(&["x-cache-tags"]), bans::foshttpcache_tags)),
    own(&[Drupal, Lagoon, ApiPlatform], BAN, When::Bears(bans::DRUPAL), bans::drupal),
    compiling(own(&[FosHttpCache, Typo3], BAN, When::Bears(bans::BY_URL), bans::by_url)),
    compiling(own(&[Drupal], BAN, When::Path(bans::is_wildcard), bans::wildcard)),
    compiling(own(&[Varnish, Shopware], BAN, When::Always, bans::path)),
    own(&[Varnish], &["BANDIR"], When::Always, bans::directory),
    own(&[Varnish, Drupal], &["PURGEALL", "FULLBAN"], When::Always, bans::everything_there_is),
    compiling(own(&[Drupal, Lagoon], &["URIBAN"], When::Always, bans::uri)),
    own(&[Lagoon, Varnish], &["REFRESH"], When::Always, |_, _| Ok(Wish::Refresh)),
    compiling(own(&[WordPress], PURGE, When::Bears(&["x-purge-method"]), urls::wordpress)),
    compiling(own(&[Souin, ApiPlatform], PURGE, When::Path(souin::is_api), souin::by_key)),
    own(&[Plone], PURGE, When::Path(plone::is_virtual), plone::page),
    Form { kind: Kind::OnlyNamed, ..compiling(own(&[Lagoon], PURGE, When::Always, bans::uri)) },
    compiling(own(
        &[Nginx, WordPress, Varnish],
        PURGE,
        When::Path(urls::is_wildcard),
        urls::wildcard,
    )),
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
    Form { of, methods, when, kind: Kind::Own, compiles: false, read }
}

const fn ordinary(
    of: &'static [Dialect],
    methods: &'static [&'static str],
    is_there: fn(&str) -> bool,
    read: fn(&Head<'_>, &[u8]) -> Result<Wish, Mistake>,
) -> Form {
    let (when, kind, compiles) = (When::Path(is_there), Kind::Ordinary, false);
    Form { of, methods, when, kind, compiles, read }
}

/// One whose reading may take long.
const fn compiling(form: Form) -> Form {
    Form { compiles: true, ..form }
}

impl Form {
    /// Whether a request is of this form.
    pub fn fits(&self, head: &Head<'_>) -> bool {
        self.methods.contains(&head.method.as_str())
            && match self.when {
                When::Always => true,
                When::Bears(names) => names.iter().any(|name| head.fields.contains_key(*name)),
                When::Path(looks_so) => looks_so(head.target.path()),
            }
    }
}
