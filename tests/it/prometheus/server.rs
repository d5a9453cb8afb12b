//! A real Prometheus scrapes larder.

use super::busy;
use super::files::dashboard_queries;
use crate::harness::{get, wait_until};
use serde_json::Value;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};

/// A running Prometheus with its files; ends when dropped.
struct Prometheus {
    child: Child,
    address: SocketAddr,
    _directory: tempfile::TempDir,
}

impl Prometheus {
    /// One that scrapes this address again and again.
    fn of(larder: SocketAddr) -> Prometheus {
        let directory = tempfile::tempdir().expect("a directory");
        let config = directory.path().join("prometheus.yml");
        let text = format!(
            "global:\n  scrape_interval: 100ms\n  scrape_timeout: 100ms\n\
             scrape_configs:\n  - job_name: larder\n    static_configs:\n      \
             - targets: ['{larder}']\n"
        );
        std::fs::write(&config, text).expect("a file");
        // Nobody else is given this port so soon again.
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|why| panic!("prometheus: {why}: run scripts/setup-tests"));
        let prometheus = Prometheus { child, address, _directory: directory };
        wait_until("Prometheus listens", || std::net::TcpStream::connect(address).is_ok());
        prometheus
    }

    /// The answer to this query.
    fn answer(&self, query: &str) -> Value {
        let query: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let answer = get(self.address, &format!("/api/v1/query?query={query}"), &[]);
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    /// The one number that this query gives, if there is one.
    fn asked(&self, query: &str) -> Option<f64> {
        self.answer(query)["data"]["result"][0]["value"][1].as_str()?.parse().ok()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn prometheus_knows_what_the_stats_tell() {
    let (larder, _origin) = busy();
    let stats = get(larder.admin, "/v1/stats", &[("Host", "localhost")]);
    let stats: Value = serde_json::from_slice(&stats.body).expect("a document");
    let prometheus = Prometheus::of(larder.admin);
    wait_until("larder is up", || prometheus.asked("up{job=\"larder\"}") == Some(1.0));
    for (query, pointer) in [
        ("larder_requests_total{outcome=\"hit\"}", "/requests/hit"),
        ("larder_requests_total{outcome=\"uri-miss\"}", "/requests/forwarded/uri-miss"),
        ("larder_requests_total{outcome=\"none\"}", "/requests/own"),
        ("sum(larder_requests_total{outcome=~\"hit|none\"})", ""),
        ("larder_request_reasons_total{reason=\"set-cookie\"}", "/requests/reasons/set-cookie"),
        ("larder_stale_responses_total{cause=\"soft-purge\"}", "/requests/reasons/soft-purge"),
        ("larder_short_way_hits_total", "/requests/short_way"),
        ("larder_response_body_bytes_total", "/bytes_sent"),
        ("larder_miss_duration_seconds_count", "/requests/forwarded/uri-miss"),
        ("larder_origin_requests_total", "/origin/requests"),
        ("larder_origin_responses_total{class=\"5xx\"}", "/origin/answers/5xx"),
        ("larder_origin_duration_seconds_sum", "/origin/seconds"),
        ("larder_stored_responses", "/memory/responses"),
        ("larder_stored_limit_bytes", "/memory/limit"),
        ("larder_memory_limit_bytes", "/memory/with_in_flight/limit"),
        ("larder_responses_stored_total", "/stored"),
        ("larder_evictions_total", "/evicted"),
        ("larder_purges_total", "/purges"),
        ("larder_connections_limit", "/connections/limit"),
        ("larder_troubles_total{kind=\"refused\"}", "/troubles/refused"),
        ("larder_upstream_state{state=\"well\"}", ""),
    ] {
        let known = prometheus.asked(query).unwrap_or_else(|| panic!("{query}: nothing"));
        if let Some(told) = stats.pointer(pointer).filter(|_| !pointer.is_empty()) {
            assert_eq!(Some(known), told.as_f64(), "{query}");
        } else {
            assert!(known > 0.0, "{query}");
        }
    }
    // What Grafana would ask on behalf of the dashboard.
    let queries = dashboard_queries();
    assert!(queries.len() > 30, "{queries:?}");
    for query in queries {
        let query = query.replace("$__rate_interval", "1m").replace("\"$job\"", "\"larder\"");
        let query = query.replace("\"$instance\"", "\".*\"");
        let answer = prometheus.answer(&query);
        assert_eq!(answer["status"], "success", "{query}: {answer}");
    }
}
