//! What is bounded besides the size of messages: memory, descriptors, and what one address
//! may have under way; and how each refusal is told.

mod descriptors;
mod memory;
mod one_address;
mod told;

use crate::harness::{Gate, Origin, Response, reply, wait_until};
use socket2::{Domain, Socket, Type};
use std::io::Write;
use std::net::{SocketAddr, TcpStream};

const MIB: usize = 1 << 20;

/// A client that asks for a path and takes as little of the answer as it can.
struct Slow(TcpStream);

impl Slow {
    fn ask(address: SocketAddr, path: &str) -> Slow {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a small buffer");
        socket.connect(&address.into()).expect("a connection");
        let mut stream = TcpStream::from(socket);
        let head = format!("GET {path} HTTP/1.1\r\nHost: site.test\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("a request");
        Slow(stream)
    }

    /// The status line of the answer, which stays unread.
    fn status(&self) -> String {
        let mut first = [0; 12];
        wait_until(
            "there is a head",
            || matches!(self.0.peek(&mut first), Ok(count) if count == first.len()),
        );
        String::from_utf8_lossy(&first[9..]).into_owned()
    }
}

/// One that answers `/large...` with so many bytes, and all else with few.
fn origin_of_large_bodies(size: usize) -> Origin {
    let body = vec![b'x'; size];
    Origin::scripted(move |seen, stream| {
        let body = if seen.target.starts_with("/large") { &body[..] } else { b"small" };
        let head = format!(
            "HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).is_ok() && stream.write_all(body).is_ok()
    })
}

/// An origin that holds what is asked for below `/held` until the gate opens.
fn holding(gate: &Gate) -> Origin {
    let gate = gate.clone();
    Origin::answering(move |seen| {
        if seen.target.starts_with("/held") {
            gate.pass();
        }
        let cache = if seen.target.starts_with("/held") { "no-store" } else { "max-age=60" };
        reply(200, &[&format!("Cache-Control: {cache}")], "page")
    })
}

fn is_refused(answer: &Response, detail: &str) {
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(answer.field("retry-after"), Some("1"));
    let status = answer.cache_status();
    assert!(status.ends_with(&format!("detail={detail}")), "{status}");
}
