//! Limits of connections, and the limit of open files above them.

use ipnet::IpNet;
use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::net::{TcpListener, TcpSocket};

/// Connections that the system holds until they are accepted. The standard library's 128 fill up
/// within milliseconds of an attack, and others then wait a second for their repeated SYN.
const BACKLOG: u32 = 4_096;

/// Files that connections leave free: 480 for calls to models, Meta and tools, the others for the
/// database.
const RESERVED: usize = 640;

/// The soft limit is not raised above this: more is of no use to us.
#[cfg(unix)]
const ENOUGH: u64 = 65_536;

#[derive(Debug, Clone)]
pub struct ConnectionLimits {
    /// Open connections in all.
    pub total: usize,
    /// Open connections of an address, or of a /64 network of IPv6; 0 for no limit.
    pub per_address: usize,
    /// Networks to which `per_address` does not apply.
    pub proxies: Vec<IpNet>,
    /// Time from the first byte of a request to the end of its headers; of the first request, from
    /// the start of the connection.
    pub headers: Duration,
    /// Time without a request on an open connection.
    pub idle: Duration,
    /// Time in which the peer accepts no byte of a response.
    pub stalled: Duration,
}

impl ConnectionLimits {
    pub const DEFAULT: Self = Self {
        total: 4_096,
        per_address: 512,
        proxies: Vec::new(),
        headers: Duration::from_secs(10),
        idle: Duration::from_secs(60),
        stalled: Duration::from_secs(30),
    };

    /// Limits of the operations listener, which few programs use.
    pub(crate) fn of_operations() -> Self {
        Self { total: 64, ..Self::DEFAULT }
    }

    /// Lowers the total so that the process keeps files for the database and its own calls. With
    /// few files, connections may take half of them.
    #[must_use]
    pub fn within(mut self, open_files: Option<usize>) -> Self {
        if let Some(files) = open_files {
            let most = files - RESERVED.min(files / 2);
            if self.total > most {
                tracing::warn!(
                    open_files = files,
                    connections = most,
                    "fewer connections: the limit of open files is low"
                );
                self.total = most;
            }
        }
        self
    }

    pub(super) fn is_limited(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.per_address > 0 && !self.proxies.iter().any(|network| network.contains(&address))
    }
}

/// Binds a listener with a long queue.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Raises the soft limit of open files to the hard one. Returns the limit, if there is one.
#[cfg(unix)]
pub(crate) fn raise_open_files() -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let current = limit.current?;
    let wanted = limit.maximum.unwrap_or(ENOUGH).min(ENOUGH).max(current);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum });
    usize::try_from(if raised.is_ok() { wanted } else { current }).ok()
}

#[cfg(not(unix))]
pub(crate) fn raise_open_files() -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_the_database() {
        let total = |files| ConnectionLimits::DEFAULT.within(files).total;
        assert_eq!(total(None), 4_096);
        assert_eq!(total(Some(65_536)), 4_096);
        assert_eq!(total(Some(4_096)), 3_456);
        assert_eq!(total(Some(1_024)), 512);
    }

    #[test]
    fn address_limit_does_not_apply_to_proxies_in_either_spelling() {
        let limits = ConnectionLimits { proxies: vec!["10.0.0.0/8".parse().unwrap()], ..ConnectionLimits::DEFAULT };
        let limited = |text: &str| limits.is_limited(text.parse().unwrap());
        assert!(limited("192.0.2.1") && limited("2001:db8::1"));
        assert!(!limited("10.1.2.3") && !limited("::ffff:10.1.2.3"));
        assert!(!ConnectionLimits { per_address: 0, ..limits.clone() }.is_limited("192.0.2.1".parse().unwrap()));
    }

    #[test]
    #[cfg(unix)]
    fn raised_limit_of_open_files_is_in_effect() {
        use rustix::process::{Resource, getrlimit};
        let files = raise_open_files().map(|files| files as u64);
        assert_eq!(files, getrlimit(Resource::Nofile).current);
    }
}
