//! A site whose pages a test names, and a client that sends bytes as they were
//! recorded.

use crate::harness::{DEADLINE, Larder, Origin, get, reply};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

/// The token that may purge.
pub const TOKEN: &str = "s3cret";

/// A page: its host, its path, and a field line that its response bears.
pub type Page = (&'static str, &'static str, &'static str);

/// Bytes that a client sends, and what they are to do.
pub struct Case {
    /// Who sends them.
    pub client: &'static str,
    /// What is stored before.
    pub pages: &'static [Page],
    /// The request. Lines end as they do here; they are sent with CRLF.
    pub sent: &'static str,
    /// The first line of the answer, without the version.
    pub answer: &'static str,
    /// What its body or its fields have to say.
    pub says: &'static str,
    /// The pages that are gone then, by their place.
    pub gone: &'static [usize],
    /// Those that are stale.
    pub stale: &'static [usize],
}

/// A larder in front of pages that can be changed.
pub struct Site {
    pub origin: Origin,
    pub larder: Larder,
    fields: Arc<Mutex<HashMap<(String, String), &'static str>>>,
}

impl Site {
    /// With these settings beside the token.
    pub fn with(env: &[(&str, &str)]) -> Site {
        let env = [&[("LARDER_PURGE__TOKEN", TOKEN)], env].concat();
        Site::in_front(|origin| Larder::with_env(origin.address, &[], &env))
    }

    /// By a file with these lines.
    pub fn configured(lines: &str) -> Site {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("larder.toml");
        Site::in_front(|origin| {
            let to = format!("origin.to = '{}'\n", origin.address);
            let text = format!("listen = '127.0.0.1:0'\n{to}admin.listen = '127.0.0.1:0'\n{lines}");
            std::fs::write(&path, text).expect("a file");
            Larder::spawn(&["run", "--config", &path.display().to_string()], &[])
        })
    }

    fn in_front(larder: impl FnOnce(&Origin) -> Larder) -> Site {
        let fields: Arc<Mutex<HashMap<(String, String), &'static str>>> = Arc::default();
        let known = Arc::clone(&fields);
        let origin = Origin::answering(move |seen| {
            let host = seen.field("host").unwrap_or_default().to_owned();
            let known = known.lock().expect("the pages");
            let own = known.get(&(host, seen.target.clone())).copied().unwrap_or("X-None: 1");
            let typed = own.to_ascii_lowercase().starts_with("content-type:");
            let kind = if typed { "X-None: 1" } else { "Content-Type: text/html" };
            reply(200, &["Cache-Control: max-age=60", kind, own], &seen.method)
        });
        let larder = larder(&origin);
        Site { origin, larder, fields }
    }

    /// Forgets all, and stores these.
    pub fn store(&self, pages: &[Page]) {
        assert_eq!(self.larder.purge(r#"{"all":true}"#).status, 200);
        let mut known = self.fields.lock().expect("the pages");
        known.clear();
        for (host, path, line) in pages {
            let line = if line.is_empty() { "X-None: 1" } else { line };
            known.insert((host.to_string(), path.to_string()), line);
        }
        drop(known);
        for (host, path, _) in pages {
            get(self.larder.proxy, path, &[("Host", host)]);
            let again = get(self.larder.proxy, path, &[("Host", host)]);
            assert!(again.is_hit(), "{host}{path} is not stored: {}", again.cache_status());
        }
    }

    /// Whether a page is fresh, gone, or stale after a soft purge.
    pub fn state(&self, (host, path, _): &Page) -> &'static str {
        let answer = get(self.larder.proxy, path, &[("Host", host)]);
        match answer.cache_status() {
            status if status.contains("soft-purge") => "stale",
            _ if answer.is_hit() => "fresh",
            _ => "gone",
        }
    }

    /// Plays a case, and looks at every page after it.
    pub fn play(&self, case: &Case) {
        let Case { client, pages, sent, .. } = case;
        self.store(pages);
        let before = self.origin.count();
        let answer = replay(self.larder.proxy, sent);
        assert_eq!(self.origin.count(), before, "{client}: the app is asked: {sent}");
        let first = answer.lines().next().unwrap_or_default().split_once(' ');
        let first = first.map(|(_, status)| status);
        assert_eq!(first, Some(case.answer), "{client}: {sent}\n{answer}");
        assert!(answer.contains(case.says), "{client}: {sent}\n{answer}");
        for (at, page) in pages.iter().enumerate() {
            let expected = match at {
                at if case.gone.contains(&at) => "gone",
                at if case.stale.contains(&at) => "stale",
                _ => "fresh",
            };
            assert_eq!(self.state(page), expected, "{client}: {page:?} after {sent}");
        }
    }
}

/// Sends a request, and gives all that comes back.
pub fn replay(to: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(to).expect("a connection");
    stream.set_read_timeout(Some(DEADLINE)).expect("a time-out");
    stream.write_all(request.replace('\n', "\r\n").as_bytes()).expect("the bytes are sent");
    stream.shutdown(Shutdown::Write).expect("the end is sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

/// A request with a document, and its length.
pub fn with_document(head: &str, document: &str) -> String {
    format!(
        "{head}Content-Type: application/json\nContent-Length: {}\n\n{document}",
        document.len()
    )
}
