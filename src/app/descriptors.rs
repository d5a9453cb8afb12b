//! File descriptors: how many the process may have, and for whom.

use super::workers;
use crate::config::Settings;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors for the log, the admin port, and what the machine's libraries open.
const OWN: usize = 27;

/// Those of each worker's runtime; it has a socket for each address too.
const OF_A_WORKER: usize = 4;

/// The most connections to the admin port: a sixteenth of the descriptors, but not fewer
/// than the first, nor more than the second. The processes of many applications keep one
/// each to send purges, a browser has six, and there are streams of events and of the log.
const TO_THE_ADMIN_PORT: (usize, usize) = (32, 256);

/// The most connections to the admin port, streams included.
pub(super) fn for_the_operator(descriptors: Option<usize>) -> usize {
    let (least, most) = TO_THE_ADMIN_PORT;
    descriptors.map_or(most, |descriptors| (descriptors / 16).clamp(least, most))
}

/// Descriptors that neither clients nor the application are given. Of few it is half.
fn reserved(settings: &Settings, descriptors: usize) -> usize {
    let addresses: usize = settings.listen.iter().map(|listen| listen.addresses.len()).sum();
    let workers = workers::count(settings) * (OF_A_WORKER + addresses);
    (OWN + workers + for_the_operator(Some(descriptors))).min(descriptors / 2)
}

/// Raises the soft limit to the hard one. Returns how many descriptors the process may
/// have; `None` is without limit.
pub(super) fn raise() -> Option<usize> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
    {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
    getrlimit(Resource::Nofile).current.map(|most| usize::try_from(most).unwrap_or(usize::MAX))
}

/// The most connections of clients: what is configured, or less if that many can't be
/// open. What is left besides is for the application, at most half of it.
pub(super) fn for_clients(settings: &Settings, descriptors: Option<usize>) -> usize {
    let (wanted, origin) = (settings.limits.connections, &settings.origin);
    let Some(descriptors) = descriptors else { return wanted };
    let to_origin = origin.max_connections.saturating_mul(origin.to.len());
    let free = descriptors - reserved(settings, descriptors);
    wanted.min(free.saturating_sub(to_origin).max(free / 2)).max(1)
}

/// Says so if there are fewer than what is configured.
pub(super) fn warn_if_fewer(settings: &Settings, descriptors: Option<usize>) {
    let (most, wanted) = (for_clients(settings, descriptors), settings.limits.connections);
    if most < wanted {
        let descriptors = descriptors.unwrap_or_default();
        let reserved = reserved(settings, descriptors);
        tracing::warn!(
            "at most {most} connections, though limits.connections is {wanted}: the process may \
             have {descriptors} open files (ulimit -n), of which {reserved} are reserved, and \
             others are for connections to the application"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Target;

    #[test]
    fn clients_leave_room_for_the_application_and_the_operator() {
        let target = |port| Target::Tcp { host: "127.0.0.1".into(), port };
        let mut settings = Settings::new(target(1));
        settings.origin.max_connections = 100;
        settings.threads = 1;
        for (connections, descriptors, most) in [
            (10_000, None, 10_000),
            (10_000, Some(1 << 20), 10_000),
            (1000, Some(1207), 1000),
            (1000, Some(1203), 996),
            (1000, Some(264), 100),
            (1000, Some(164), 50),
            (1000, Some(66), 16),
            (1000, Some(10), 2),
            (1000, Some(0), 1),
            (20, Some(164), 20),
        ] {
            settings.limits.connections = connections;
            assert_eq!(for_clients(&settings, descriptors), most, "{connections} {descriptors:?}");
        }
        settings.origin.to.push(target(2));
        settings.limits.connections = 1000;
        assert_eq!(for_clients(&settings, Some(1207)), 900);
    }

    #[test]
    fn what_is_reserved_has_room_for_all_workers_and_who_may_be_at_the_admin_port() {
        let mut settings = Settings::new(Target::Tcp { host: "127.0.0.1".into(), port: 1 });
        for (descriptors, most) in [(164, 32), (1024, 64), (4096, 256), (1 << 20, 256)] {
            assert_eq!(for_the_operator(Some(descriptors)), most);
            for threads in [1, 8] {
                settings.threads = threads;
                let reserved = reserved(&settings, descriptors);
                assert_eq!(reserved, (OWN + threads * 5 + most).min(descriptors / 2));
            }
        }
        assert_eq!(for_the_operator(None), 256);
    }
}
