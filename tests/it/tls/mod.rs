//! TLS to the origin, over real connections: what works, what is refused, and
//! what a reload changes.

mod believed;
mod framing;
mod refused;
mod reloaded;

use crate::harness::{Authority, Issued, Larder, Origin, Server, reply};
use std::net::{SocketAddr, TcpStream};
use tempfile::TempDir;

/// The Cache-Status of a page that was asked for over TLS in vain.
const IN_VAIN: &str = "larder; fwd=uri-miss; detail=tls";

/// An authority, its file, and a folder for others.
pub struct Trust {
    pub authority: Authority,
    pub file: String,
    pub directory: TempDir,
}

impl Trust {
    pub fn new() -> Trust {
        let directory = tempfile::tempdir().expect("a directory");
        let authority = Authority::new();
        let file = authority.file(directory.path(), "ca.pem");
        Trust { authority, file, directory }
    }

    /// A certificate of the machine's own names.
    pub fn issued(&self) -> Issued {
        self.authority.issue(&["localhost", "127.0.0.1"])
    }

    pub fn server(&self) -> Server {
        Server::with(&self.issued())
    }

    /// `larder proxy`, which believes the authority.
    pub fn larder(&self, to: &str, env: &[(&str, &str)]) -> Larder {
        let mut all = vec![("LARDER_ORIGIN__TLS_CA", self.file.as_str())];
        all.extend(env);
        Larder::with_env(to, &[], &all)
    }
}

/// Hands bytes on between a stream and an address, both ways.
fn pipe(outside: TcpStream, inside: SocketAddr) {
    let inside = TcpStream::connect(inside).expect("the other side");
    let (mut from, mut to) =
        (outside.try_clone().expect("a half"), inside.try_clone().expect("it"));
    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    let (mut from, mut to) = (inside, outside);
    let _ = std::io::copy(&mut from, &mut to);
}

/// An origin of which `/kept` is fresh for a second, and nothing else is stored.
fn origin() -> Origin {
    Origin::answering(|seen| {
        let cache = if seen.target.starts_with("/kept") { "max-age=1" } else { "no-store" };
        reply(200, &[&format!("Cache-Control: {cache}")], &seen.target)
    })
}
