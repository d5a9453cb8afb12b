//! Deployments while visitors go on: the app is restarted, and nobody sees it.

use super::gunicorn::{App, Kind, Place};
use crate::harness::{Larder, request, wait_until};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// How larder reaches the app.
#[derive(Clone, Copy, Debug)]
enum By {
    Tcp,
    Unix,
}

fn app() -> (App, String) {
    let place = Place::new();
    let socket = place.origin();
    (App::start(Kind::Shop, place, 2, &[("SHOP_SLOW".into(), "0".into())]), socket)
}

/// What the visitors are to do, and how much they have done.
#[derive(Default)]
struct Load {
    stop: AtomicBool,
    posts: AtomicBool,
    asked: AtomicUsize,
}

impl Load {
    fn goes_on(&self) {
        let before = self.asked.load(Ordering::SeqCst);
        wait_until("it goes on", || self.asked.load(Ordering::SeqCst) > before + 100);
    }
}

/// Asks for what is not stored, and posts in between, until told to stop: what was
/// answered with an error of the server.
fn visit(proxy: SocketAddr, number: usize, load: &Load) -> Vec<String> {
    let mut errors = Vec::new();
    for visit in 0.. {
        if load.stop.load(Ordering::SeqCst) {
            break;
        }
        let posts = load.posts.load(Ordering::SeqCst);
        let method = if posts && visit % 3 == 2 { "POST" } else { "GET" };
        let path = format!("/products/3?visit={number}-{visit}");
        let answer = request(proxy, method, &path, &[], b"");
        load.asked.fetch_add(1, Ordering::SeqCst);
        if answer.status >= 500 || !answer.complete {
            errors.push(format!("{method}: {} {}", answer.status, answer.cache_status()));
        }
    }
    errors
}

/// What six visitors see of the server's errors while something is done.
fn errors_while(larder: &Larder, done: impl FnOnce(&Load)) -> Vec<String> {
    let (proxy, load) = (larder.proxy, &Load::default());
    let errors: Vec<String> = std::thread::scope(|scope| {
        let visitors: Vec<_> =
            (0..6).map(|number| scope.spawn(move || visit(proxy, number, load))).collect();
        load.goes_on();
        done(load);
        load.goes_on();
        load.stop.store(true, Ordering::SeqCst);
        visitors.into_iter().flat_map(|visitor| visitor.join().expect("a visitor")).collect()
    });
    println!("{} visits", load.asked.load(Ordering::SeqCst));
    errors
}

impl By {
    fn address(self, (app, socket): &(App, String)) -> String {
        match self {
            By::Tcp => app.address.to_string(),
            By::Unix => socket.clone(),
        }
    }
}

#[test]
fn a_restart_of_the_only_app_is_waited_for() {
    for by in [By::Tcp, By::Unix] {
        let mut app = app();
        // gunicorn takes as long to start as the machine is busy.
        let hold = [("LARDER_ORIGIN__HOLD", "60s")];
        let larder = Larder::with_env(by.address(&app), &[], &hold);
        let errors = errors_while(&larder, |load| {
            app.0.restart();
            load.goes_on();
            app.0.restart();
        });
        assert!(errors.is_empty(), "{by:?}: {errors:?}");
    }
}

/// While gunicorn reloads, those who post see nothing either. When it is stopped, the
/// kernel resets what it has accepted and gunicorn has not: nobody can tell whether
/// a POST was taken, so it is not sent again.
#[test]
fn nobody_sees_a_rolling_restart() {
    for by in [By::Tcp, By::Unix] {
        let mut apps = [app(), app()];
        let addresses = apps.each_ref().map(|app| by.address(app));
        let larder = Larder::in_front_of(addresses.join(","), &[]);
        let errors = errors_while(&larder, |load| {
            for (app, _) in &mut apps {
                app.restart();
                load.posts.store(true, Ordering::SeqCst);
                load.goes_on();
                app.reload();
                load.goes_on();
                load.posts.store(false, Ordering::SeqCst);
                // A visit is one or the other from beginning to end.
                load.goes_on();
            }
        });
        assert!(errors.is_empty(), "{by:?}: {errors:?}");
    }
}
