//! An origin that notes every byte that it is sent, and answers each whole request.

use crate::fuzz::reference::{Message, head, message};
use crate::harness::DEADLINE;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// After so many requests it asks for another connection.
const REQUESTS: usize = 12;

/// Where a request has come: the connection, and its place there.
pub type Place = (usize, usize);

/// What has come so far.
#[derive(Clone, Default)]
pub struct Noted {
    /// The bytes of each connection.
    pub connections: Vec<Vec<u8>>,
    /// The whole requests of all connections, in the order in which they came.
    pub whole: Vec<(Place, Message)>,
}

pub struct Recorder {
    pub address: SocketAddr,
    noted: Arc<Mutex<Noted>>,
}

impl Recorder {
    pub fn start() -> Recorder {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let noted: Arc<Mutex<Noted>> = Arc::default();
        let all = Arc::clone(&noted);
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().map_while(Result::ok).enumerate() {
                all.lock().expect("what has come").connections.push(Vec::new());
                let noted = Arc::clone(&all);
                std::thread::spawn(move || serve(stream, number, &noted));
            }
        });
        Recorder { address, noted }
    }

    /// How many whole requests have come.
    pub fn count(&self) -> usize {
        self.noted.lock().expect("what has come").whole.len()
    }

    /// The whole requests, but for the first ones.
    pub fn since(&self, first: usize) -> Vec<(Place, Message)> {
        self.noted.lock().expect("what has come").whole[first..].to_vec()
    }

    /// All that has come.
    pub fn noted(&self) -> Noted {
        self.noted.lock().expect("what has come").clone()
    }
}

/// `X-Read` tells the client which request it is that has been answered.
fn serve(mut stream: TcpStream, connection: usize, noted: &Mutex<Noted>) {
    stream.set_write_timeout(Some(DEADLINE)).expect("a time-out");
    let (mut bytes, mut at, mut index) = (Vec::new(), 0, 0);
    let mut piece = vec![0; 1 << 16];
    while let Ok(count @ 1..) = stream.read(&mut piece) {
        bytes.extend_from_slice(&piece[..count]);
        noted.lock().expect("what has come").connections[connection].extend(&piece[..count]);
        while let Some((message, count)) = message(&bytes[at..]).filter(|one| one.0.complete) {
            at += count;
            noted.lock().expect("what has come").whole.push(((connection, index), message));
            if index < REQUESTS {
                let last = if index + 1 == REQUESTS { "Connection: close\r\n" } else { "" };
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nX-Read: {connection}.{index}\r\n\
                     Cache-Control: no-store\r\n{last}Content-Length: 0\r\n\r\n"
                );
                let _ = stream.write_all(answer.as_bytes());
            }
            index += 1;
            if index == REQUESTS {
                // Whatever comes all the same is noted.
                let _ = stream.shutdown(Shutdown::Write);
            }
        }
        if head(&bytes[at..]).is_some() && message(&bytes[at..]).is_none() {
            // Nobody knows where it ends.
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
            return;
        }
    }
}
