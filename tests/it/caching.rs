//! What RFC 9111 asks of a cache, over real sockets.

use crate::harness::{Larder, Origin, reply};

#[test]
fn a_page_is_computed_once_and_served_many_times() {
    let origin = Origin::answering(|_| reply(200, &["Cache-Control: max-age=60"], "hello"));
    let larder = Larder::in_front_of(origin.address, &[]);
    let first = larder.get("/page");
    assert_eq!((first.status, first.text().as_str()), (200, "hello"));
    assert_eq!(first.cache_status(), "larder; fwd=uri-miss; stored");
    for _ in 0..5 {
        let again = larder.get("/page");
        assert_eq!((again.status, again.text().as_str()), (200, "hello"));
        assert!(again.is_hit(), "{again:?}");
        assert_eq!(again.field("content-length"), Some("5"));
        assert!(again.field("age").is_some());
    }
    assert_eq!(origin.count(), 1);
}
