//! Listening sockets, one for each runtime on the same address.

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
    pub listeners: Vec<TcpListener>,
}

/// Opens `count` sockets on an address.
///
/// # Errors
/// If the address cannot be listened on; also if another process, another
/// larder too, already does.
pub fn bind(address: SocketAddr, count: usize) -> Result<Sockets> {
    if address.port() != 0 {
        // With SO_REUSEPORT two servers could share a port and not know it.
        drop(open(address, false)?);
    }
    let first = open(address, true)?;
    let address = first.local_addr()?;
    let mut listeners = vec![first];
    for _ in 1..count {
        listeners.push(open(address, true)?);
    }
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
        let sockets = bind(any, 3).expect("a free port");
        assert_eq!(sockets.listeners.len(), 3);
        assert!(bind(sockets.address, 1).is_err());
    }
}
