//! The proxy in this process, over real sockets, by a clock that the test turns.

use super::{Origin, Response, get, request};
use larder::app::{self, Running};
use larder::clock::ManualClock;
use larder::config::{AccessLog, Cache, Listen, Settings, Target};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A running proxy and its clock.
pub struct House {
    pub running: Running,
    pub clock: Arc<ManualClock>,
}

impl House {
    /// One with the defaults, but for what is set, and for what makes lifetimes and fetches hard
    /// to count.
    pub fn in_front_of(origin: &Origin, set: impl FnOnce(&mut Cache)) -> House {
        let (host, port) = (origin.address.ip().to_string(), origin.address.port());
        let mut settings = Settings::new(Target::Tcp { host, port });
        (settings.cache.jitter, settings.cache.early_refresh) = (0, 0);
        set(&mut settings.cache);
        House::with(settings)
    }

    /// One with these settings, but where it listens, and with one thread and no log.
    pub fn with(mut settings: Settings) -> House {
        let any = "127.0.0.1:0".parse().expect("an address");
        settings.listen = vec![Listen { text: "any".into(), addresses: vec![any] }];
        settings.admin.listen = Some(any);
        settings.log.access = AccessLog::Off;
        settings.threads = 1;
        let clock = Arc::new(ManualClock::default());
        let running = app::start_with_clock(&settings, clock.clone()).expect("it starts");
        House { running, clock }
    }

    /// Where clients connect.
    pub fn proxy(&self) -> SocketAddr {
        self.running.addresses()[0]
    }

    /// Turns the clock forward.
    pub fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Asks for a path.
    pub fn get(&self, path: &str) -> Response {
        get(self.proxy(), path, &[])
    }

    /// Asks for a path; its `Cache-Status`.
    pub fn status(&self, path: &str) -> String {
        self.get(path).cache_status().to_string()
    }

    /// Purges a tag softly.
    pub fn purge_softly(&self, tag: &str) {
        self.purge_all_of(&format!("{{\"tags\": [\"{tag}\"], \"soft\": true}}"));
    }

    /// Purges what a document names.
    pub fn purge_all_of(&self, document: &str) {
        let admin = self.running.admin().expect("an admin port");
        let answer =
            request(admin, "POST", "/v1/purge", &[("Host", "localhost")], document.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}
