//! Listening sockets: of our own, one for each runtime on the same address, or
//! passed on by whoever started the process, and shared with them.

use listenfd::ListenFd;
use socket2::{Domain, Protocol, Socket, Type};
use std::io::Result;
use std::net::{SocketAddr, TcpListener};

/// Connections that may wait to be accepted, on each socket.
const BACKLOG: i32 = 1024;

/// The listening sockets of one address.
#[derive(Debug)]
pub struct Sockets {
    /// The address, with the port that was found if none was asked for.
    pub address: SocketAddr,
    /// One for each runtime; the kernel shares connections out between them.
    pub listeners: Vec<Listener>,
}

/// A listening socket.
#[derive(Debug)]
pub struct Listener {
    /// The socket itself, which does not block.
    pub socket: TcpListener,
    /// Others hold it too: it goes on listening when it is closed here.
    pub passed: bool,
}

/// Sockets that were passed on to this process as systemd does
/// (sd_listen_fds(3): `LISTEN_FDS`, `LISTEN_PID`), and are not used yet.
#[derive(Debug, Default)]
pub struct Passed(Vec<(SocketAddr, TcpListener)>);

impl Passed {
    /// Takes them all; the environment's variables are gone afterwards. To be
    /// called once, before there are threads.
    ///
    /// # Errors
    /// If one of them is not a listening TCP socket.
    pub fn on() -> Result<Passed> {
        let mut given = ListenFd::from_env();
        let mut passed = Vec::new();
        for number in 0..given.len() {
            if let Some(socket) = given.take_tcp_listener(number)? {
                passed.push((socket.local_addr()?, socket));
            }
        }
        Ok(Passed(passed))
    }

    /// The address of one that nobody has asked for.
    pub fn left(&self) -> Option<SocketAddr> {
        self.0.first().map(|(address, _)| *address)
    }

    fn take(&mut self, address: SocketAddr) -> Option<TcpListener> {
        let at = self.0.iter().position(|(own, _)| *own == address)?;
        Some(self.0.remove(at).1)
    }
}

/// Opens `count` sockets on an address, or shares the one that was passed on.
///
/// # Errors
/// If the address cannot be listened on; also if another process, another
/// larder too, already does.
pub fn bind(address: SocketAddr, count: usize, passed: &mut Passed) -> Result<Sockets> {
    if let Some(socket) = passed.take(address) {
        return share(address, socket, count);
    }
    if address.port() != 0 {
        // With SO_REUSEPORT two servers could share a port and not know it.
        drop(open(address, false)?);
    }
    let first = open(address, true)?;
    let address = first.local_addr()?;
    let mut listeners = vec![Listener { socket: first, passed: false }];
    for _ in 1..count {
        listeners.push(Listener { socket: open(address, true)?, passed: false });
    }
    Ok(Sockets { address, listeners })
}

/// The same socket for each runtime: whichever is free accepts.
fn share(address: SocketAddr, socket: TcpListener, count: usize) -> Result<Sockets> {
    socket.set_nonblocking(true)?;
    let mut listeners = Vec::new();
    for _ in 1..count {
        listeners.push(Listener { socket: socket.try_clone()?, passed: true });
    }
    listeners.push(Listener { socket, passed: true });
    Ok(Sockets { address, listeners })
}

fn open(address: SocketAddr, shared: bool) -> Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_in_use_is_an_error_even_between_ourselves() {
        let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        let sockets = bind(any, 3, &mut Passed::default()).expect("a free port");
        assert_eq!(sockets.listeners.len(), 3);
        assert!(bind(sockets.address, 1, &mut Passed::default()).is_err());
    }

    #[test]
    fn a_socket_that_was_passed_on_is_shared_by_its_address_and_once() {
        let held = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = held.local_addr().expect("an address");
        let mut passed = Passed(vec![(address, held.try_clone().expect("the same socket"))]);
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        assert!(!bind(any, 1, &mut passed).expect("a free port").listeners[0].passed);
        assert_eq!(passed.left(), Some(address));
        let sockets = bind(address, 3, &mut passed).expect("it is there");
        assert!(sockets.listeners.len() == 3 && sockets.listeners.iter().all(|l| l.passed));
        assert_eq!(passed.left(), None);
        assert!(bind(address, 1, &mut passed).is_err(), "it is in use");
    }
}
