//! How many may be inside: in all, and from one address.

use ipnet::IpNet;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

/// Counts who is inside, for all threads.
#[derive(Debug)]
pub struct Gate {
    inside: Mutex<Inside>,
}

/// How many may be inside.
#[derive(Clone, Debug)]
pub struct Most {
    /// In all.
    pub in_all: usize,
    /// From one address; zero is no bound. It is not for loopback and the exempt
    /// networks: they are proxies that bring many clients.
    pub of_one: usize,
    /// These networks.
    pub exempt: Vec<IpNet>,
}

/// Of whom there are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooMany {
    /// Of all.
    InAll,
    /// Of those from this address.
    OfOne,
}

#[derive(Debug)]
struct Inside {
    most: Most,
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One who is inside until this is dropped.
#[derive(Debug)]
pub struct Ticket {
    gate: Arc<Gate>,
    address: Option<IpAddr>,
}

/// Everybody may.
impl Default for Most {
    fn default() -> Most {
        Most { in_all: usize::MAX, of_one: 0, exempt: Vec::new() }
    }
}

impl Gate {
    /// One with nobody inside.
    pub fn new(most: Most) -> Gate {
        let inside = Inside { most, total: 0, by_address: HashMap::new() };
        Gate { inside: Mutex::new(inside) }
    }

    /// Other bounds from now on. Who is inside stays, and is counted as before.
    pub fn set(&self, most: Most) {
        self.inside.lock().most = most;
    }

    /// Lets somebody in. Addresses of IPv6 are one if their first 64 bits are: so many
    /// has whoever has one.
    ///
    /// # Errors
    /// [`TooMany`] are inside.
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Result<Ticket, TooMany> {
        let mut inside = self.inside.lock();
        let counted = inside.counted(address);
        inside.has_room(counted)?;
        if let Some(address) = counted {
            *inside.by_address.entry(address).or_default() += 1;
        }
        inside.total += 1;
        Ok(Ticket { gate: Arc::clone(self), address: counted })
    }

    /// Whether somebody would be let in now.
    pub fn would_admit(&self, address: IpAddr) -> bool {
        let inside = self.inside.lock();
        inside.has_room(inside.counted(address)).is_ok()
    }

    /// How many are inside.
    pub fn inside(&self) -> usize {
        self.inside.lock().total
    }

    /// How many may be.
    pub fn most(&self) -> usize {
        self.inside.lock().most.in_all
    }
}

impl Inside {
    /// As whom somebody with this address is counted, if there is a bound for them.
    fn counted(&self, address: IpAddr) -> Option<IpAddr> {
        let (Most { of_one, exempt, .. }, address) = (&self.most, address.to_canonical());
        let is_exempt = address.is_loopback() || exempt.iter().any(|net| net.contains(&address));
        (*of_one > 0 && !is_exempt).then(|| subscriber(address))
    }

    fn has_room(&self, counted: Option<IpAddr>) -> Result<(), TooMany> {
        if self.total >= self.most.in_all {
            return Err(TooMany::InAll);
        }
        let count = counted.and_then(|address| self.by_address.get(&address));
        match count.is_some_and(|count| *count >= self.most.of_one) {
            true => Err(TooMany::OfOne),
            false => Ok(()),
        }
    }
}

/// Who has this address, and perhaps its neighbours: a network of IPv6 is not
/// divided further than at its 64th bit (RFC 4291 section 2.5.4).
fn subscriber(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
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
        let most = Most { in_all: 5, of_one: 2, exempt };
        let gate = Arc::new(Gate::new(most.clone()));
        let enter = |address: &str| gate.enter(address.parse().expect("an address"));
        let one = enter("192.0.2.1").expect("room");
        let _two = enter("::ffff:192.0.2.1").expect("room");
        assert_eq!(enter("192.0.2.1").err(), Some(TooMany::OfOne));
        let _proxy: Vec<Ticket> = (0..3).map(|_| enter("10.0.0.1").expect("room")).collect();
        assert_eq!(enter("127.0.0.1").err(), Some(TooMany::InAll), "five are inside");
        drop(one);
        assert_eq!(gate.inside(), 4);
        let _again = enter("192.0.2.1").expect("room");
        gate.set(Most { in_all: 4, ..most.clone() });
        let refused = enter("192.0.2.2").err();
        assert_eq!(refused, Some(TooMany::InAll), "who is inside is counted by the new bound");
        gate.set(Most { in_all: 9, of_one: 3, ..most });
        assert!(enter("192.0.2.1").is_ok());
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        let gate = Arc::new(Gate::new(Most { in_all: 9, of_one: 2, exempt: Vec::new() }));
        let enter = |address: &str| gate.enter(address.parse().expect("an address"));
        let one = enter("2001:db8:0:1::1").expect("room");
        let _two = enter("2001:db8:0:1:ffff::2").expect("room");
        assert_eq!(enter("2001:db8:0:1::3").err(), Some(TooMany::OfOne));
        let _other = enter("2001:db8:0:2::1").expect("room");
        drop(one);
        assert!(enter("2001:db8:0:1::3").is_ok());
        let here: Vec<Ticket> =
            (0..4).map(|_| enter("::1").expect("loopback is nobody's")).collect();
        assert_eq!(here.len(), 4);
    }
}
