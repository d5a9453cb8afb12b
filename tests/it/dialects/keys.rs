//! Purges by tag.

use super::site::{Case, Page, Site, with_document};

const XKEY: &[Page] = &[
    ("a.test", "/1", "xkey: one all"),
    ("a.test", "/2", "xkey: two all"),
    ("b.test", "/3", "xkey: three one"),
    ("b.test", "/one", ""),
];

const LISTS: &[Case] = &[
    Case {
        client: "FOSHttpCache, xkey, soft",
        pages: XKEY,
        sent: "PURGEKEYS / HTTP/1.1\nHost: a.test\nxkey-softpurge: one other\n\n",
        answer: "200 Purged 0 objects, expired 2 objects",
        says: "",
        gone: &[],
        stale: &[0, 2],
    },
    Case {
        client: "FOSHttpCache, xkey, hard",
        pages: XKEY,
        sent: "PURGEKEYS / HTTP/1.1\nHost: a.test\nxkey-purge: two three\n\n",
        answer: "200 Purged 2 objects, expired 0 objects",
        says: "",
        gone: &[1, 2],
        stale: &[],
    },
    Case {
        client: "Ibexa",
        pages: XKEY,
        sent: "PURGE / HTTP/1.1\nHost: a.test\nkey: two\nx-invalidate-token: s3cret\n\n",
        answer: "200 Purged",
        says: "",
        gone: &[1],
        stale: &[],
    },
    Case {
        client: "FOSHttpCache, Symfony",
        pages: XKEY,
        sent: "PURGETAGS / HTTP/1.1\nHost: a.test\nX-Cache-Tags: two,none\n\n",
        answer: "200 Purged",
        says: "",
        gone: &[1],
        stale: &[],
    },
    Case {
        client: "FOSHttpCache, Symfony, nothing there",
        pages: XKEY,
        sent: "PURGETAGS / HTTP/1.1\nHost: a.test\nX-Cache-Tags: none\n\n",
        answer: "200 Not found",
        says: "",
        gone: &[],
        stale: &[],
    },
    Case {
        client: "FOSHttpCache, Symfony, clear",
        pages: XKEY,
        sent: "PURGE / HTTP/1.1\nHost: a.test\nClear-Cache: true\n\n",
        answer: "200 Purged",
        says: "{\"purged\":4}",
        gone: &[0, 1, 2, 3],
        stale: &[],
    },
    Case {
        client: "API Platform and Shopware, xkey",
        pages: XKEY,
        sent: "PURGE / HTTP/1.1\nHost: varnish\nxkey: one\n\n",
        answer: "200 Invalidated 2 objects",
        says: "{\"purged\":2}",
        gone: &[0, 2],
        stale: &[],
    },
    Case {
        client: "Varnish toolbox",
        pages: XKEY,
        sent: "PURGETAG / HTTP/1.1\nHost: a.test\npurgetag-list: one, two, four\n\
               authorization: bearer s3cret\n\n",
        answer: "200 Successful purgetag request: 3 objects removed",
        says: "",
        gone: &[0, 1, 2],
        stale: &[],
    },
    Case {
        client: "TYPO3 (opsone), a tag",
        pages: XKEY,
        sent: "BAN / HTTP/1.1\nHost: a.test\nVarnish-Ban-TYPO3-Sitename: s\n\
               xkey-purge: two\n\n",
        answer: "200 Purged 1 objects, expired 0 objects",
        says: "",
        gone: &[1],
        stale: &[],
    },
];

#[test]
fn lists_of_tags() {
    let site = Site::with(&[]);
    for case in LISTS {
        site.play(case);
    }
}

#[test]
fn tags_in_the_fields_of_responses() {
    let site = Site::with(&[]);
    let commas: &[Page] = &[
        ("a.test", "/books", "Surrogate-Key: /books, /books/1"),
        ("a.test", "/books/1", "Surrogate-Key: /books/1"),
        ("a.test", "/books/12", "Cache-Tag: /books/12"),
    ];
    for case in [
        Case {
            client: "API Platform for Souin",
            pages: commas,
            sent: "PURGE /souin-api/souin HTTP/1.1\nHost: a.test\n\
                   Surrogate-Key: /books/1, /books/7\n\n",
            answer: "200 Purged",
            says: "{\"purged\":2}",
            gone: &[0, 1],
            stale: &[],
        },
        Case {
            client: "nginx pilot, soft",
            pages: commas,
            sent: "PURGE / HTTP/1.1\nHost: a.test\nCache-Tag: /books, /books/12\n\
                   X-Purge-Mode: soft\n\n",
            answer: "200 Purged",
            says: "{\"purged\":2}",
            gone: &[],
            stale: &[0, 2],
        },
    ] {
        site.play(&case);
    }
}

const FASTLY: &[Page] = &[
    ("www.example.com", "/blog/1", "Surrogate-Key: article-1 list"),
    ("www.example.com", "/blog/2", "Surrogate-Key: article-2 list"),
    ("www.example.com", "/about", ""),
];

#[test]
fn fastlys_api() {
    let site = Site::with(&[]);
    let fields = "Host: api.fastly.test\nFastly-Key: s3cret\nAccept: application/json\n\
                  User-Agent: fastly-py/15.0.0\n";
    let post = |path: &str, more: &str, document: &str| -> &'static str {
        let head = format!("POST {path} HTTP/1.1\n{fields}{more}");
        let text = match document {
            "" => format!("{head}Content-Length: 0\n\n"),
            document => with_document(&head, document),
        };
        text.leak()
    };
    let ok = "\"status\":\"ok\"";
    for (sent, says, gone, stale) in [
        (post("/service/SID/purge/article-1", "", ""), ok, &[0][..], &[][..]),
        (post("/service/SID/purge/article-1", "fastly-soft-purge: 1\n", ""), ok, &[], &[0]),
        (post("/service/SID/purge/none", "", ""), ok, &[], &[]),
        (
            post("/service/SID/purge", "", r#"{"surrogate_keys": ["article-1", "article-2"]}"#),
            "{\"article-1\":\"",
            &[0, 1],
            &[],
        ),
        (post("/service/SID/purge", "Surrogate-Key: list none\n", ""), "\"list\":\"", &[0, 1], &[]),
        (post("/service/SID/purge_all", "", ""), ok, &[0, 1, 2], &[]),
        (post("/purge/www.example.com/blog/2", "", ""), ok, &[1], &[]),
    ] {
        let (client, pages, answer) = ("Fastly's clients", FASTLY, "200 OK");
        site.play(&Case { client, pages, sent, answer, says, gone, stale });
    }
}

const CLOUDFLARE: &[Page] = &[
    ("www.example.com", "/css/a.css", "Cache-Tag: css,all"),
    ("www.example.com", "/img/b.png", "Cache-Tag: img,all"),
    ("img.example.com", "/b.png", "Cache-Tag: img"),
];

#[test]
fn cloudflares_api() {
    let site = Site::with(&[]);
    let post = |credentials: &str, document: &str| -> &'static str {
        let line = "POST /client/v4/zones/023e105f4ecef8ad9ca31a8372d0c353/purge_cache HTTP/1.1";
        let head = format!("{line}\nHost: api.cloudflare.test\n{credentials}");
        with_document(&head, document).leak()
    };
    let bearer = "Authorization: Bearer s3cret\n";
    let key = "X-Auth-Email: me@example.com\nX-Auth-Key: s3cret\n";
    for (credentials, document, gone) in [
        (bearer, r#"{"files":["https://www.example.com/css/a.css"]}"#, &[0][..]),
        (
            key,
            r#"{"files":[{"url":"http://www.example.com/css/a.css","headers":{"Origin":"x"}}]}"#,
            &[0],
        ),
        (bearer, r#"{"tags":["img","none"]}"#, &[1, 2]),
        (bearer, r#"{"hosts":["www.example.com"]}"#, &[0, 1]),
        (bearer, r#"{"prefixes":["www.example.com/css"]}"#, &[0]),
        (key, r#"{"purge_everything":true}"#, &[0, 1, 2]),
    ] {
        let (client, pages, stale) = ("Cloudflare's clients", CLOUDFLARE, &[][..]);
        let (answer, says) = ("200 OK", "\"success\":true");
        let sent = post(credentials, document);
        site.play(&Case { client, pages, sent, answer, says, gone, stale });
    }
}

#[test]
fn souins_document() {
    let site = Site::with(&[]);
    let post = |document: &str| -> &'static str {
        let head = "POST /souin-api/souin HTTP/1.1\nHost: a.test\nAuthorization: Bearer s3cret\n";
        with_document(head, document).leak()
    };
    for (document, gone, stale) in [
        (r#"{"type":"uri","selectors":["http://a.test/1"],"purge":true}"#, &[0][..], &[][..]),
        (r#"{"type":"uri","selectors":["http://a.test/1"]}"#, &[], &[0]),
        (r#"{"type":"uri-prefix","selectors":["http://a.test/"],"purge":true}"#, &[0, 1], &[]),
        (r#"{"type":"origin","selectors":["http://b.test"],"purge":true}"#, &[2, 3], &[]),
        (r#"{"type":"group","groups":["one"],"purge":true}"#, &[0, 2], &[]),
    ] {
        let (client, pages, answer, says) = ("Souin's clients", XKEY, "200 Purged", "purged");
        site.play(&Case { client, pages, sent: post(document), answer, says, gone, stale });
    }
}
