//! How many may come in: in all, and from one address.

use ipnet::IpNet;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Counts connections over all runtimes.
#[derive(Debug)]
pub struct Gate {
    inside: Mutex<Inside>,
}

/// How many may be inside.
#[derive(Clone, Debug)]
pub struct Room {
    /// In all.
    pub most: usize,
    /// From one address; zero is no bound. It is not for loopback and the exempt
    /// networks: they are proxies that bring many clients.
    pub most_per_address: usize,
    /// These networks.
    pub exempt: Vec<IpNet>,
}

#[derive(Debug)]
struct Inside {
    room: Room,
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A connection that is counted until this is dropped.
#[derive(Debug)]
pub struct Ticket {
    gate: Arc<Gate>,
    address: Option<IpAddr>,
}

impl Gate {
    /// One with nobody inside.
    pub fn new(room: Room) -> Gate {
        let inside = Inside { room, total: 0, by_address: HashMap::new() };
        Gate { inside: Mutex::new(inside) }
    }

    /// Other bounds from now on. Who is inside stays, and is counted as before.
    pub fn set(&self, room: Room) {
        self.inside.lock().room = room;
    }

    /// Lets a connection in, unless there are too many.
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Ticket> {
        let address = address.to_canonical();
        let mut inside = self.inside.lock();
        let Room { most, most_per_address, exempt } = &inside.room;
        let (most, most_per_address) = (*most, *most_per_address);
        let counted = most_per_address > 0
            && !address.is_loopback()
            && !exempt.iter().any(|net| net.contains(&address));
        if inside.total >= most {
            return None;
        }
        if counted {
            let count = inside.by_address.entry(address).or_default();
            if *count >= most_per_address {
                return None;
            }
            *count += 1;
        }
        inside.total += 1;
        Some(Ticket { gate: Arc::clone(self), address: counted.then_some(address) })
    }

    /// The number of connections.
    pub fn inside(&self) -> usize {
        self.inside.lock().total
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut inside = self.gate.inside.lock();
        inside.total -= 1;
        if let Some(address) = self.address
            && let Some(count) = inside.by_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                inside.by_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_in_all_and_so_many_from_one_address() {
        let exempt = vec!["10.0.0.0/8".parse().expect("a network")];
        let room = Room { most: 5, most_per_address: 2, exempt };
        let gate = Arc::new(Gate::new(room.clone()));
        let enter = |address: &str| gate.enter(address.parse().expect("an address"));
        let one = enter("192.0.2.1").expect("room");
        let _two = enter("::ffff:192.0.2.1").expect("room");
        assert!(enter("192.0.2.1").is_none());
        let _proxy: Vec<Ticket> = (0..3).map(|_| enter("10.0.0.1").expect("room")).collect();
        assert!(enter("127.0.0.1").is_none(), "five are inside");
        drop(one);
        assert_eq!(gate.inside(), 4);
        let _again = enter("192.0.2.1").expect("room");
        gate.set(Room { most: 4, ..room.clone() });
        assert!(enter("192.0.2.2").is_none(), "who is inside is counted by the new bound");
        gate.set(Room { most: 9, most_per_address: 3, ..room });
        assert!(enter("192.0.2.1").is_some());
    }
}
