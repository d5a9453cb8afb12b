//! The operator: purges, and reads the numbers.

use super::client::connect;
use super::site::Page;
use super::wire;
use super::world::{Met, Shared};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::io::{AsyncWriteExt, BufReader};

/// Where a purge is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// To the admin port.
    Admin,
    /// To the proxy's own: `PURGE /path`.
    Proxy,
}

/// Asks on a connection of its own. Gives back the status, 0 if no whole answer
/// came, and the document.
async fn ask(to: SocketAddr, line: &str, host: &str, content: &str) -> (u16, Value) {
    let mut stream = BufReader::new(connect(to).await);
    let length = content.len();
    let request = format!(
        "{line} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{content}"
    );
    stream.get_mut().write_all(request.as_bytes()).await.expect("it is sent");
    let Some(head) = wire::head(&mut stream).await else { return (0, Value::Null) };
    let mut body = Vec::new();
    let whole = wire::body(&mut stream, &head, &mut body).await;
    let status = head.word(1).parse().ok().filter(|_| whole).unwrap_or(0);
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

/// How many bytes are stored.
pub async fn stored(admin: SocketAddr) -> u64 {
    let (_, stats) = ask(admin, "GET /v1/stats", "localhost", "").await;
    stats["memory"]["bytes"].as_u64().expect("a number of bytes")
}

/// Purges a page, or what it has in common with others, and has it noted when.
pub async fn purge(world: Shared, door: Door, to: SocketAddr, met: Met, soft: bool) {
    let (at, line, content) = {
        let mut world = world.lock();
        let line = match (door, &met) {
            (Door::Proxy, Met::Page(page)) => format!("PURGE {}", world.pages[*page].path),
            _ => "POST /v1/purge".to_string(),
        };
        let content = selectors(&world.pages, &met, soft).to_string();
        (world.purge_begins(met, soft, door), line, content)
    };
    let (host, content) = match door {
        Door::Admin => ("localhost", content.as_str()),
        Door::Proxy => ("site.test", ""),
    };
    let (status, _) = ask(to, &line, host, content).await;
    world.lock().purge_ends(at, status);
}

fn selectors(pages: &[Page], met: &Met, soft: bool) -> Value {
    let url = |path: &str| format!("http://site.test{path}");
    match met {
        Met::Page(page) => json!({ "urls": [url(&pages[*page].path)], "soft": soft }),
        Met::Tag(tag) | Met::Group(tag) => json!({ "tags": [tag], "soft": soft }),
        Met::Prefix(prefix) => json!({ "prefixes": [url(prefix)], "soft": soft }),
        Met::All => json!({ "all": true, "soft": soft }),
    }
}
