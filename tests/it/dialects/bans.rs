//! Bans.

use super::site::{Case, Page, Site};

const TAGGED: &[Page] = &[
    ("a.test", "/1", "X-Cache-Tags: tag1,both"),
    ("a.test", "/2", "X-Cache-Tags: tag2,both"),
    ("a.test", "/12", "X-Cache-Tags: tag12"),
    ("a.test", "/none", ""),
];

fn banned(
    client: &'static str,
    pages: &'static [Page],
    sent: &'static str,
    gone: &'static [usize],
) -> Case {
    Case { client, pages, sent, answer: "200 Banned", says: "x-cache", gone, stale: &[] }
}

#[test]
fn foshttpcache() {
    let urls: &[Page] = &[
        ("a.test", "/blog/1", ""),
        ("a.test", "/blogger", "Content-Type: image/png"),
        ("b.test", "/blog/1", ""),
    ];
    let site = Site::with(&[]);
    for case in [
        banned(
            "FOSHttpCache, tags",
            TAGGED,
            "BAN / HTTP/1.1\nHost: a.test\nX-Host: .*\nX-Url: .*\nX-Content-Type: .*\n\
             X-Cache-Tags: (^|,)(tag1|tag2)(,|$)\n\n",
            &[0, 1],
        ),
        banned(
            "FOSHttpCache, hosts and URLs",
            urls,
            "BAN / HTTP/1.1\nHost: a.test\nX-Host: ^(a\\.test|c\\.test)$\nX-Url: ^/blog\n\
             X-Content-Type: .*\n\n",
            &[0, 1],
        ),
        banned(
            "FOSHttpCache, types",
            urls,
            "BAN / HTTP/1.1\nHost: a.test\nX-Host: .*\nX-Url: .*\nX-Content-Type: image/.*\n\n",
            &[1],
        ),
        banned(
            "TYPO3 (mittwald)",
            urls,
            "BAN / HTTP/1.1\nHost: varnish\nX-Host: a.test\nX-Url: ^/blog/.*\n\n",
            &[0],
        ),
    ] {
        site.play(&case);
    }
}

#[test]
fn api_platform() {
    let pages: &[Page] = &[
        ("a.test", "/books", "Cache-Tags: /books,/books/1"),
        ("a.test", "/books/1", "Cache-Tags: /books/1"),
        ("a.test", "/books/12", "Cache-Tags: /books/12"),
    ];
    Site::with(&[]).play(&banned(
        "API Platform",
        pages,
        "BAN / HTTP/1.1\nHost: a.test\nApiPlatform-Ban-Regex: (/books/1|/books)($|\\,)\n\n",
        &[0, 1],
    ));
}

#[test]
fn drupal() {
    let pages: &[Page] = &[
        ("a.test", "/node/1", "Purge-Cache-Tags: node:1 node_list"),
        ("a.test", "/node/12", "Cache-Tags: node:12 node_list"),
        ("a.test", "/news/x", "X-Drupal-Cache-Tags: node:3"),
        ("b.test", "/news/x", ""),
    ];
    let site = Site::with(&[]);
    for case in [
        banned(
            "purge_purger_http",
            pages,
            "BAN / HTTP/1.1\nHost: a.test\nPurge-Cache-Tags: node:1|node:3\n\n",
            &[0, 2],
        ),
        banned(
            "varnish_purger",
            pages,
            "BAN / HTTP/1.1\nHost: a.test\nCache-Tags: node:1\n\n",
            &[0],
        ),
        banned(
            "varnish_purger zeroconfig, tags",
            pages,
            "BAN /tags HTTP/1.1\nHost: a.test\nAccept-Encoding: gzip\n\
             Cache-Tags: node_list node:4\n\n",
            &[0, 1],
        ),
        banned(
            "varnish_purger zeroconfig, wildcard",
            pages,
            "BAN /news/* HTTP/1.1\nHost: a.test\nAccept-Encoding: gzip\n\n",
            &[2],
        ),
        banned(
            "varnish_purger zeroconfig, the site",
            pages,
            "BAN /site HTTP/1.1\nHost: a.test\nAccept-Encoding: gzip\n\n",
            &[0, 1, 2],
        ),
        Case {
            answer: "200 Ban added.",
            ..banned(
                "varnish_image_purge",
                pages,
                "URIBAN /node/12 HTTP/1.1\nHost: a.test\n\n",
                &[1],
            )
        },
        Case {
            answer: "200 Ban added.",
            ..banned("Lagoon", pages, "URIBAN /news/.* HTTP/1.1\nHost: varnish:8080\n\n", &[2, 3])
        },
    ] {
        site.play(&case);
    }
}

#[test]
fn magento() {
    let pages: &[Page] = &[
        ("shop.test", "/p1", "X-Magento-Tags: cat_p_1,cat_p,store"),
        ("shop.test", "/c3", "X-Magento-Tags: cat_c_3,cat_p,store"),
        ("shop.test", "/p12", "X-Magento-Tags: cat_p_12,store"),
        ("shop.test", "/none", ""),
    ];
    let site = Site::with(&[]);
    let case = |sent, gone, stale| Case {
        client: "Magento 2",
        pages,
        sent,
        answer: "200 Purged",
        says: "x-purged-count",
        gone,
        stale,
    };
    for case in [
        case(
            "PURGE / HTTP/1.1\nHost: varnish:6081\n\
             X-Magento-Tags-Pattern: ((^|,)cat_p_1(,|$))|((^|,)cat_c_3(,|$))\n\n",
            &[0, 1],
            &[],
        ),
        case(
            "PURGE / HTTP/1.1\nHost: varnish:6081\n\
             X-Magento-Tags-Pattern: ((^|,)cat_p_1(,|$))\nX-Magento-Purge-Soft: 1\n\n",
            &[],
            &[0],
        ),
        case(
            "PURGE / HTTP/1.1\nHost: varnish:6081\nX-Magento-Tags-Pattern: .*\n\n",
            &[0, 1, 2, 3],
            &[],
        ),
    ] {
        site.play(&case);
    }
}

/// Whoever has a field of their own for a deployment's tags.
#[test]
fn magentos_pools() {
    let pages: &[Page] = &[
        ("a.test", "/1", "X-Pool: blue"),
        ("a.test", "/2", "X-Pool: green"),
        ("a.test", "/3", ""),
    ];
    let site = Site::with(&[("LARDER_CACHE__TAG_FIELDS", "X-Pool")]);
    site.play(&Case {
        answer: "200 Purged",
        ..banned(
            "Magento 2, a pool",
            pages,
            "PURGE / HTTP/1.1\nHost: varnish:6081\nX-Pool: ((^|,)blue(,|$))\n\n",
            &[0],
        )
    });
}

#[test]
fn typo3() {
    let pages: &[Page] = &[
        ("a.test", "/page", "TYPO3-Pid: 12"),
        ("a.test", "/other", "TYPO3-Pid: 1"),
        ("a.test", "/site", "TYPO3-Sitename: My site"),
    ];
    let site = Site::with(&[]);
    for case in [
        banned(
            "TYPO3 (opsone), a page",
            pages,
            "BAN / HTTP/1.1\nHost: a.test\nVarnish-Ban-TYPO3-Pid: 12\n\
             Varnish-Ban-TYPO3-Sitename: My site\n\n",
            &[0],
        ),
        banned(
            "TYPO3 (opsone), a site",
            pages,
            "BAN / HTTP/1.1\nHost: a.test\nVarnish-Ban-All: 1\n\
             Varnish-Ban-TYPO3-Sitename: My site\n\n",
            &[2],
        ),
        banned(
            "TYPO3 (opsone), everything",
            pages,
            "BAN / HTTP/1.1\nHost: a.test\nVarnish-Ban-All: 1\n\n",
            &[0, 1, 2],
        ),
    ] {
        site.play(&case);
    }
}

#[test]
fn shopware_and_the_vcl_that_people_share() {
    let pages: &[Page] =
        &[("a.test", "/shop/1", ""), ("b.test", "/shop/1", ""), ("b.test", "/other", "")];
    let site = Site::with(&[]);
    for case in [
        banned("Shopware, all", pages, "BAN / HTTP/1.1\nHost: varnish\n\n", &[0, 1, 2]),
        banned("Shopware, a URL", pages, "BAN /shop/1 HTTP/1.1\nHost: varnish\n\n", &[0, 1]),
    ] {
        site.play(&case);
    }
}
