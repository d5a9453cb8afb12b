//! What makes threads of a test wait for each other, and places where nobody
//! answers.

use super::DEADLINE;
use socket2::{Domain, Socket, Type};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Closed until it is opened, and open from then on.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub fn closed() -> Gate {
        Gate::default()
    }

    pub fn open(&self) {
        *self.0.0.lock().expect("the gate") = true;
        self.0.1.notify_all();
    }

    /// Waits until it is open; fails after the deadline.
    pub fn pass(&self) {
        let guard = self.0.0.lock().expect("the gate");
        let (open, _) =
            self.0.1.wait_timeout_while(guard, DEADLINE, |open| !*open).expect("the gate");
        assert!(*open, "waited in vain at a gate");
    }
}

/// Does something in so many threads at once; the results in order.
pub fn together<T: Send + 'static>(
    count: usize,
    work: impl Fn(usize) -> T + Send + Sync + 'static,
) -> Vec<T> {
    let work = Arc::new(work);
    let threads: Vec<_> = (0..count)
        .map(|number| {
            let work = Arc::clone(&work);
            std::thread::spawn(move || work(number))
        })
        .collect();
    threads.into_iter().map(|thread| thread.join().expect("the thread's work")).collect()
}

/// An address where connections are refused, as long as the socket is held.
pub fn nobody() -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    socket.bind(&any.into()).expect("a port");
    let address = socket.local_addr().expect("an address").as_socket().expect("an address");
    (socket, address)
}

/// An address where connecting takes for ever: nobody accepts, and the queue of
/// those who wait is full.
pub struct Limping {
    pub address: SocketAddr,
    _socket: Socket,
    _waiting: Vec<TcpStream>,
}

impl Limping {
    pub fn start() -> Limping {
        let (socket, address) = nobody();
        socket.listen(0).expect("it listens");
        let mut waiting = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
            waiting.push(stream);
            assert!(waiting.len() < 100, "the queue is never full");
        }
        Limping { address, _socket: socket, _waiting: waiting }
    }
}
