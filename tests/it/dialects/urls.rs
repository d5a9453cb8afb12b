//! Purges of a URL.

use super::site::{Case, Page, Site, replay};
use crate::harness::{Gate, Larder, Origin, reply, request};
use std::sync::atomic::{AtomicBool, Ordering};

const PAGES: &[Page] = &[
    ("www.example.com", "/blog/?p=2", ""),
    ("www.example.com", "/blog/", ""),
    ("other.example.com", "/blog/?p=2", ""),
    ("www.example.com", "/blogger", ""),
];

const ONE: &[Case] = &[
    Case {
        client: "Wagtail 8",
        pages: PAGES,
        sent: "PURGE /blog/?p=2 HTTP/1.1\nAccept-Encoding: identity\nHost: www.example.com\n\
               User-Agent: Wagtail-frontendcache/8.0.1\nConnection: close\n\n",
        answer: "200 Purged",
        says: "{\"purged\":1}",
        gone: &[0],
        stale: &[],
    },
    Case {
        client: "Wagtail 8, nothing there",
        pages: PAGES,
        sent: "PURGE /no HTTP/1.1\nAccept-Encoding: identity\nHost: www.example.com\n\
               User-Agent: Wagtail-frontendcache/8.0.1\nConnection: close\n\n",
        answer: "200 Purged",
        says: "x-cache: MISS",
        gone: &[],
        stale: &[],
    },
    Case {
        client: "plone.cachepurging",
        pages: PAGES,
        sent: "PURGE /blog/ HTTP/1.1\nHost: www.example.com\n\
               User-Agent: python-requests/2.34.2\nAccept-Encoding: gzip, deflate\n\
               Accept: */*\nConnection: keep-alive\nContent-Length: 0\n\n",
        answer: "200 Purged",
        says: "x-cache: PURGED",
        gone: &[1],
        stale: &[],
    },
    Case {
        client: "django-cachepurge over HTTP/1.0",
        pages: PAGES,
        sent: "PURGE http://www.example.com/blog/ HTTP/1.0\n\n",
        answer: "200 Purged",
        says: "x-cache: PURGED",
        gone: &[1],
        stale: &[],
    },
    Case {
        client: "django-cache-purge-hooks",
        pages: PAGES,
        sent: "PURGE /blog/ HTTP/1.1\nHost: www.example.com\n\
               User-Agent: python-requests/2.6\nAccept: */*\n\n",
        answer: "200 Purged",
        says: "",
        gone: &[1],
        stale: &[],
    },
    Case {
        client: "FOSHttpCache",
        pages: PAGES,
        sent: "PURGE /blog/ HTTP/1.1\nHost: www.example.com\nConnection: Close\n\n",
        answer: "200 Purged",
        says: "",
        gone: &[1],
        stale: &[],
    },
    Case {
        client: "MediaWiki through a proxy connection",
        pages: PAGES,
        sent: "PURGE http://www.example.com/blog/ HTTP/1.1\nHost: www.example.com\n\
               Accept: */*\nProxy-Connection: Keep-Alive\n\
               User-Agent: MediaWiki/1.43.0 CdnCacheUpdate\n\n",
        answer: "200 Purged",
        says: "",
        gone: &[1],
        stale: &[],
    },
    Case {
        client: "WordPress Proxy Cache Purge, one page",
        pages: PAGES,
        sent: "PURGE /blog/ HTTP/1.1\nHost: www.example.com\nUser-Agent: WordPress/6.8\n\
               X-Purge-Method: default\nConnection: close\n\n",
        answer: "200 Purged",
        says: "",
        gone: &[1],
        stale: &[],
    },
    Case {
        client: "npm fastly-purge, soft",
        pages: PAGES,
        sent: "PURGE /blog/ HTTP/1.1\nFastly-Soft-Purge: 1\nhost: www.example.com\n\
               content-length: 0\nConnection: keep-alive\n\n",
        answer: "200 Purged",
        says: "{\"purged\":1}",
        gone: &[],
        stale: &[1],
    },
    Case {
        client: "node's fetch",
        pages: PAGES,
        sent: "PURGE /blog/ HTTP/1.1\nhost: www.example.com\nconnection: keep-alive\n\
               accept: */*\naccept-language: *\nsec-fetch-mode: cors\nuser-agent: node\n\
               accept-encoding: gzip, deflate\n\n",
        answer: "200 Purged",
        says: "",
        gone: &[1],
        stale: &[],
    },
    Case {
        client: "curl",
        pages: PAGES,
        sent: "PURGE /blogger HTTP/1.1\nHost: www.example.com\nUser-Agent: curl/7.88.1\n\
               Accept: */*\n\n",
        answer: "200 Purged",
        says: "",
        gone: &[3],
        stale: &[],
    },
];

#[test]
fn a_url_and_no_other() {
    let site = Site::with(&[]);
    for case in ONE {
        site.play(case);
    }
}

const MANY: &[Case] = &[
    Case {
        client: "WordPress Proxy Cache Purge, everything below",
        pages: PAGES,
        sent: "PURGE /.* HTTP/1.1\nHost: www.example.com\nX-Purge-Method: regex\n\n",
        answer: "200 Purged",
        says: "{\"purged\":3}",
        gone: &[0, 1, 3],
        stale: &[],
    },
    Case {
        client: "WordPress Proxy Cache Purge, a folder",
        pages: PAGES,
        sent: "PURGE /blog/.* HTTP/1.1\nHost: www.example.com\nX-Purge-Method: regex\n\n",
        answer: "200 Purged",
        says: "{\"purged\":2}",
        gone: &[0, 1],
        stale: &[],
    },
    Case {
        client: "o2w-cache-invalidator",
        pages: PAGES,
        sent: "PURGE /blog.* HTTP/1.1\nHost: www.example.com\n\n",
        answer: "200 Purged",
        says: "{\"purged\":3}",
        gone: &[0, 1, 3],
        stale: &[],
    },
    Case {
        client: "ngx_cache_purge with a star",
        pages: PAGES,
        sent: "PURGE /blog/* HTTP/1.1\nHost: www.example.com\n\n",
        answer: "200 Purged",
        says: "{\"purged\":2}",
        gone: &[0, 1],
        stale: &[],
    },
    Case {
        client: "FOSHttpCache with nginx's location",
        pages: PAGES,
        sent: "PURGE /purge/blog/ HTTP/1.1\nHost: www.example.com\n\n",
        answer: "200 Purged",
        says: "{\"purged\":1}",
        gone: &[1],
        stale: &[],
    },
    Case {
        client: "Varnish toolbox, a directory",
        pages: PAGES,
        sent: "BANDIR /blog/ HTTP/1.1\nHost: www.example.com\n\
               authorization: bearer s3cret\n\n",
        answer: "200 Banned",
        says: "{\"purged\":2}",
        gone: &[0, 1],
        stale: &[],
    },
    Case {
        client: "Varnish toolbox, everything",
        pages: PAGES,
        sent: "PURGEALL / HTTP/1.1\nHost: www.example.com\nauthorization: bearer s3cret\n\n",
        answer: "200 Successful purgeall request: 4 objects removed",
        says: "Successful purgeall request: 4 objects removed\n",
        gone: &[0, 1, 2, 3],
        stale: &[],
    },
    Case {
        client: "Souin, a key",
        pages: PAGES,
        sent: "PURGE /souin-api/souin/GET-http-www.example.com-/blogger HTTP/1.1\n\
               Host: larder\n\n",
        answer: "200 Purged",
        says: "{\"purged\":1}",
        gone: &[3],
        stale: &[],
    },
    Case {
        client: "Souin, an expression",
        pages: PAGES,
        sent: "PURGE /souin-api/souin/.+ HTTP/1.1\nHost: larder\n\n",
        answer: "200 Purged",
        says: "{\"purged\":4}",
        gone: &[0, 1, 2, 3],
        stale: &[],
    },
    Case {
        client: "Souin, flush",
        pages: PAGES,
        sent: "PURGE /souin-api/souin/flush HTTP/1.1\nHost: larder\n\n",
        answer: "200 Purged",
        says: "{\"purged\":4}",
        gone: &[0, 1, 2, 3],
        stale: &[],
    },
];

#[test]
fn many_urls_at_once() {
    let site = Site::with(&[]);
    for case in MANY {
        site.play(case);
    }
}

#[test]
fn plones_virtual_hosts() {
    let pages: &[Page] = &[
        ("example.com", "/page", ""),
        ("example.com", "/VirtualHostBase/http/example.com:80/Plone/VirtualHostRoot/page", ""),
        ("cache.test:6081", "/page", ""),
        ("example.com", "/other", ""),
    ];
    let site = Site::with(&[]);
    site.play(&Case {
        client: "plone.cachepurging",
        pages,
        sent: "PURGE /VirtualHostBase/http/example.com:80/Plone/VirtualHostRoot/page HTTP/1.1\n\
               Host: cache.test:6081\nUser-Agent: python-requests/2.34.2\n\
               Accept-Encoding: gzip, deflate\nAccept: */*\nConnection: keep-alive\n\
               Content-Length: 0\n\n",
        answer: "200 Purged",
        says: "x-cache: PURGED",
        gone: &[0, 1],
        stale: &[],
    });
}

/// MediaWiki writes all its requests at once.
#[test]
fn pipelined_purges_are_all_answered() {
    let site = Site::with(&[]);
    site.store(PAGES);
    let one = |path: &str| {
        format!(
            "PURGE http://www.example.com{path} HTTP/1.1\nHost: www.example.com\n\
             Proxy-Connection: Keep-Alive\n\n"
        )
    };
    let requests = [one("/blog/?p=2"), one("/nothing"), one("/blogger")].concat();
    let answer = replay(site.larder.proxy, &requests);
    let counts: Vec<&str> = answer.matches("200 Purged").collect();
    assert_eq!(counts.len(), 3, "{answer}");
    let states: Vec<&str> = PAGES.iter().map(|page| site.state(page)).collect();
    assert_eq!(states, ["gone", "fresh", "fresh", "gone"]);
}

/// Lagoon's path is an expression for every host, where it is named.
#[test]
fn lagoon_has_to_be_named_for_its_purges() {
    let sent = "PURGE /blog HTTP/1.1\nHost: varnish:8080\n\n";
    let case = |gone, answer| Case {
        client: "Lagoon",
        pages: PAGES,
        sent,
        answer,
        says: "",
        gone,
        stale: &[],
    };
    Site::with(&[]).play(&case(&[], "200 Purged"));
    let site = Site::with(&[("LARDER_PURGE__DIALECTS", "lagoon")]);
    site.play(&case(&[0, 1, 2, 3], "200 Ban added."));
}

#[test]
fn a_refresh_fetches_anew_and_stores() {
    let site = Site::with(&[("LARDER_REFRESH__NETWORKS", "127.0.0.0/8")]);
    let page: Page = ("www.example.com", "/blog/", "");
    for (client, sent) in [
        ("Lagoon", "REFRESH /blog/ HTTP/1.1\nHost: www.example.com\n\n"),
        ("FOSHttpCache", "GET /blog/ HTTP/1.1\nHost: www.example.com\nCache-Control: no-cache\n\n"),
        ("FOSHttpCache, nginx", "GET /blog/ HTTP/1.1\nHost: www.example.com\nX-Refresh: 1\n\n"),
    ] {
        site.store(&[page]);
        let before = site.origin.count();
        let answer = replay(site.larder.proxy, sent);
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("stored"), "{answer}");
        assert_eq!(site.origin.count(), before + 1, "{client}");
        assert_eq!(site.origin.last().method, "GET", "{client}");
        assert_eq!(site.state(&page), "fresh", "{client}");
        assert_eq!(site.origin.count(), before + 1, "{client}: it is stored");
    }
}

#[test]
fn a_refresh_keeps_its_token_from_the_app() {
    let site = Site::with(&[("LARDER_PURGE__NETWORKS", "192.0.2.0/24")]);
    let page: Page = ("www.example.com", "/blog/", "");
    for field in ["Authorization: Bearer s3cret", "Fastly-Key: s3cret", "x-auth-key: s3cret"] {
        site.store(&[page]);
        let sent = format!("REFRESH /blog/ HTTP/1.1\nHost: www.example.com\n{field}\n\n");
        let answer = replay(site.larder.proxy, &sent);
        assert!(answer.contains("; stored"), "{field}\n{answer}");
        assert!(!format!("{:?}", site.origin.last()).contains("s3cret"), "{field}");
    }
    // Beside the token of a field of its own, Authorization is the visitor's.
    let both = "Fastly-Key: s3cret\nAuthorization: Bearer other";
    let sent = format!("REFRESH /blog/ HTTP/1.1\nHost: www.example.com\n{both}\n\n");
    replay(site.larder.proxy, &sent);
    assert_eq!(site.origin.last().field("authorization"), Some("Bearer other"));
    // Without a token there is none to be kept.
    let site = Site::configured("");
    let sent = sent.replace("s3cret", "other");
    assert!(replay(site.larder.proxy, &sent).starts_with("HTTP/1.1 200 "));
    assert_eq!(site.origin.last().field("fastly-key"), Some("other"));
}

/// Whoever has the page refreshed is given what the app makes after that, and so is
/// everybody from then on: not what it was making already.
#[test]
fn a_refresh_does_not_wait_for_what_was_under_way() {
    let (change, land) = (Gate::closed(), Gate::closed());
    let (changed, landing) = (change.clone(), land.clone());
    let has_begun = AtomicBool::new(false);
    let origin = Origin::answering(move |_| {
        if has_begun.swap(true, Ordering::SeqCst) {
            return reply(200, &["Cache-Control: max-age=60"], "new");
        }
        changed.open();
        landing.pass();
        reply(200, &["Cache-Control: max-age=60"], "old")
    });
    let larder = Larder::in_front_of(origin.address, &[]);
    let proxy = larder.proxy;
    let visitor = std::thread::spawn(move || request(proxy, "GET", "/a", &[], b"").text());
    change.pass();
    assert_eq!(request(proxy, "REFRESH", "/a", &[], b"").text(), "new");
    land.open();
    assert_eq!(visitor.join().expect("the visitor"), "old");
    let answer = larder.get("/a");
    assert_eq!((answer.text().as_str(), answer.is_hit()), ("new", true));
}
