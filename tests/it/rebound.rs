//! Purges that are made once more, for applications whose readers lag behind.

use crate::harness::{Larder, Origin, get, reply, request, wait_until};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// An application whose reader has heard of the change, or not yet.
fn lagging() -> (Origin, Arc<AtomicBool>) {
    let heard = Arc::new(AtomicBool::new(false));
    let reader = Arc::clone(&heard);
    let origin = Origin::answering(move |_| {
        let text = if reader.load(Ordering::SeqCst) { "new" } else { "old" };
        reply(200, &["Cache-Control: max-age=3600", "Cache-Tag: tag"], text)
    });
    (origin, heard)
}

fn becomes_new_after(purge: impl Fn(&Larder)) {
    let (origin, heard) = lagging();
    let larder = Larder::with_env(origin.address, &[], &[("LARDER_PURGE__REBOUND", "3s")]);
    larder.get("/page");
    purge(&larder);
    assert_eq!(larder.get("/page").text(), "old", "the reader lags");
    heard.store(true, Ordering::SeqCst);
    wait_until("it is purged again", || get(larder.proxy, "/page", &[]).text() == "new");
}

#[test]
fn a_purge_of_the_admin_port_is_made_again() {
    becomes_new_after(|larder| drop(larder.purge(r#"{"tags":["tag"]}"#)));
}

#[test]
fn so_is_a_soft_one() {
    becomes_new_after(|larder| drop(larder.purge(r#"{"tags":["tag"],"soft":true}"#)));
}

#[test]
fn so_is_one_by_method_and_what_an_unsafe_request_changes() {
    for method in ["PURGE", "POST"] {
        becomes_new_after(|larder| drop(request(larder.proxy, method, "/page", &[], b"")));
    }
}

#[test]
fn a_soft_purge_that_was_made_again_is_taken_back_whole() {
    let (origin, _) = lagging();
    let env = [("LARDER_PURGE__REBOUND", "300ms"), ("LARDER_LOG__LEVEL", "debug")];
    let larder = Larder::with_env(origin.address, &[], &env);
    let undo = |number: u32| {
        let path = format!("/v1/purges/{number}/undo");
        request(larder.admin, "POST", &path, &[("Host", "localhost")], b"").text()
    };
    larder.get("/page");
    larder.purge(r#"{"tags":["tag"],"soft":true}"#);
    wait_until("it is made again", || larder.events().contains("a purge was made again"));
    assert_eq!(undo(1), "{\"number\":1,\"undone\":1}\n");
    assert!(larder.get("/page").is_hit(), "it is as fresh as it was");
    // One that is taken back before is not made again: the later one is, and alone.
    larder.purge(r#"{"tags":["tag"],"soft":true}"#);
    assert_eq!(undo(2), "{\"number\":2,\"undone\":1}\n");
    larder.purge(r#"{"tags":["other"]}"#);
    let made = || larder.events().matches("a purge was made again").count();
    wait_until("the other one is made again", || made() == 2);
    assert!(larder.get("/page").is_hit(), "nothing has made it stale");
}
