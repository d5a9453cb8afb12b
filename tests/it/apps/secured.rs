//! gunicorn that speaks TLS itself, with `--certfile` and `--keyfile`.

use super::gunicorn::{App, Kind, Place};
use super::{assert_forwarded, assert_hit};
use crate::harness::request;
use crate::tls::Trust;

#[test]
fn a_shop_behind_tls_is_cached_like_any() {
    let trust = Trust::new();
    let (chain, key) = trust.issued().files(trust.directory.path(), "shop");
    let args = format!("--certfile={chain} --keyfile={key}");
    let env = [("SHOP_SLOW", "0".to_owned()), ("GUNICORN_CMD_ARGS", args)];
    let env = env.map(|(name, value)| (name.to_owned(), value));
    let app = App::start(Kind::Shop, Place::new(), 2, &env);
    let larder = trust.larder(&format!("https://{}", app.address), &[]);
    let page = larder.get("/products/1");
    assert_forwarded(&page);
    assert_eq!(page.status, 200);
    let again = larder.get("/products/1");
    assert_hit(&again);
    assert_eq!(again.body, page.body);
    let large = larder.get("/large?mib=2");
    assert!(large.complete && large.body.len() == 2 << 20);
    assert_hit(&larder.get("/large?mib=2"));
    let sent = vec![7; 1 << 20];
    let answer = request(larder.proxy, "POST", "/upload", &[], &sent);
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("1048576"), "{}", answer.text());
}
