//! How many may come in: in all, and from one address.

use ipnet::IpNet;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Counts connections over all runtimes.
#[derive(Debug)]
pub struct Gate {
    most: usize,
    most_per_address: usize,
    exempt: Vec<IpNet>,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
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
    /// At most so many connections; zero per address means no such bound. The
    /// bound per address is not for loopback and the exempt networks: they are
    /// proxies that bring many clients.
    pub fn new(most: usize, most_per_address: usize, exempt: Vec<IpNet>) -> Gate {
        Gate { most, most_per_address, exempt, inside: Mutex::default() }
    }

    /// Lets a connection in, unless there are too many.
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Ticket> {
        let address = address.to_canonical();
        let counted = self.most_per_address > 0
            && !address.is_loopback()
            && !self.exempt.iter().any(|net| net.contains(&address));
        let mut inside = self.inside.lock();
        if inside.total >= self.most {
            return None;
        }
        if counted {
            let count = inside.by_address.entry(address).or_default();
            if *count >= self.most_per_address {
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
        let proxies = vec!["10.0.0.0/8".parse().expect("a network")];
        let gate = Arc::new(Gate::new(5, 2, proxies));
        let enter = |address: &str| gate.enter(address.parse().expect("an address"));
        let one = enter("192.0.2.1").expect("room");
        let _two = enter("::ffff:192.0.2.1").expect("room");
        assert!(enter("192.0.2.1").is_none());
        let _proxy: Vec<Ticket> = (0..3).map(|_| enter("10.0.0.1").expect("room")).collect();
        assert!(enter("127.0.0.1").is_none(), "five are inside");
        drop(one);
        assert_eq!(gate.inside(), 4);
        assert!(enter("192.0.2.1").is_some());
    }
}
