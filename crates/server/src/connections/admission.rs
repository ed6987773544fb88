//! Admits connections. At a limit, the connection that has waited longest for a request gives way
//! to the new one; the new one is refused only if requests are under way on all others.

use super::ConnectionLimits;
use crate::api::rate::network_of;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// Interval of log lines about a reached limit.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

pub(super) struct Admission {
    pub(super) limits: ConnectionLimits,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    /// Last place given in `waiting`.
    last_place: u64,
    count: usize,
    /// Connections without a request under way; the one that has waited longest comes first.
    waiting: BTreeMap<u64, Arc<Connection>>,
    addresses: HashMap<IpAddr, OfAddress>,
    /// Connections that gave way or were refused since the last log line.
    unlogged: u64,
    logged_at: Option<Instant>,
}

#[derive(Default)]
struct OfAddress {
    count: usize,
    waiting: BTreeSet<u64>,
}

/// State of one connection, shared by its stream and its requests.
pub(super) struct Connection {
    address: IpAddr,
    /// Place in `waiting`; 0 while a request is under way. Changed only under the lock of `open`.
    place: AtomicU64,
    /// Changed only under the lock of `open`.
    has_left: AtomicBool,
    gives_way: Notify,
    /// Requests so far.
    pub(super) started: AtomicU64,
    /// Requests whose response was passed on completely.
    pub(super) ended: AtomicU64,
    /// True once a request was answered before its whole body was read.
    pub(super) has_unread_body: AtomicBool,
}

/// Limit that refused a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    Total,
    Address,
}

/// An admitted connection; dropping it frees its place.
pub(super) struct Admitted {
    admission: Arc<Admission>,
    pub(super) connection: Arc<Connection>,
}

/// A request under way; dropping it ends it.
pub(super) struct Busy {
    admission: Arc<Admission>,
    connection: Arc<Connection>,
}

impl Admission {
    pub(super) fn new(limits: ConnectionLimits) -> Arc<Self> {
        Arc::new(Self { limits, open: Mutex::default() })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn admit(self: &Arc<Self>, peer: IpAddr) -> Result<Admitted, Limit> {
        let address = network_of(peer);
        let mut open = self.open();
        let of_address = open.addresses.entry(address).or_default();
        if of_address.count >= self.limits.per_address && self.limits.is_limited(peer) {
            let longest = of_address.waiting.first().copied();
            open.make_room(longest, Limit::Address, address)?;
        }
        if open.count >= self.limits.total {
            let longest = open.waiting.keys().next().copied();
            open.make_room(longest, Limit::Total, address)?;
        }
        let connection = Arc::new(Connection {
            address,
            place: AtomicU64::new(0),
            has_left: AtomicBool::new(false),
            gives_way: Notify::new(),
            started: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            has_unread_body: AtomicBool::new(false),
        });
        open.count += 1;
        open.addresses.entry(address).or_default().count += 1;
        open.wait(&connection);
        metrics::gauge!("chasqui_connections_open").increment(1.0);
        Ok(Admitted { admission: self.clone(), connection })
    }

    /// Ends the connection that has waited longest, for the case that no file is left.
    pub(super) fn free_one(&self) {
        let mut open = self.open();
        if let Some(longest) = open.waiting.keys().next().copied() {
            open.give_way(longest);
        }
    }
}

impl Open {
    /// Ends the given connection, or refuses the new one.
    fn make_room(&mut self, longest: Option<u64>, limit: Limit, address: IpAddr) -> Result<(), Limit> {
        self.unlogged += 1;
        if self.logged_at.is_none_or(|at| at.elapsed() >= LOG_INTERVAL) {
            self.logged_at = Some(Instant::now());
            let count = std::mem::take(&mut self.unlogged);
            match limit {
                Limit::Address => tracing::warn!(%address, count, "connection limit of an address reached; idle \
                    connections are closed (a proxy belongs into CHASQUI_TRUSTED_PROXIES)"),
                Limit::Total => {
                    tracing::warn!(%address, count, "connection limit reached; idle connections are closed")
                }
            }
        }
        if let Some(longest) = longest {
            self.give_way(longest);
            return Ok(());
        }
        let name = if limit == Limit::Total { "total" } else { "address" };
        metrics::counter!("chasqui_connections_refused_total", "limit" => name).increment(1);
        self.forget_if_unused(address);
        Err(limit)
    }

    fn give_way(&mut self, place: u64) {
        let Some(connection) = self.waiting.get(&place).cloned() else { return };
        self.leave(&connection);
        metrics::counter!("chasqui_connections_closed_total", "cause" => "gave_way").increment(1);
        connection.gives_way.notify_one();
    }

    fn wait(&mut self, connection: &Arc<Connection>) {
        self.last_place += 1;
        connection.place.store(self.last_place, Relaxed);
        self.waiting.insert(self.last_place, connection.clone());
        if let Some(of_address) = self.addresses.get_mut(&connection.address) {
            of_address.waiting.insert(self.last_place);
        }
    }

    fn stop_waiting(&mut self, connection: &Connection) {
        let place = connection.place.swap(0, Relaxed);
        self.waiting.remove(&place);
        if let Some(of_address) = self.addresses.get_mut(&connection.address) {
            of_address.waiting.remove(&place);
        }
    }

    fn leave(&mut self, connection: &Connection) {
        if connection.has_left.swap(true, Relaxed) {
            return;
        }
        self.stop_waiting(connection);
        self.count -= 1;
        if let Some(of_address) = self.addresses.get_mut(&connection.address) {
            of_address.count -= 1;
        }
        self.forget_if_unused(connection.address);
        metrics::gauge!("chasqui_connections_open").decrement(1.0);
    }

    fn forget_if_unused(&mut self, address: IpAddr) {
        if self.addresses.get(&address).is_some_and(|of_address| of_address.count == 0) {
            self.addresses.remove(&address);
        }
    }
}

impl Connection {
    pub(super) fn is_busy(&self) -> bool {
        self.started.load(Relaxed) != self.ended.load(Relaxed)
    }
}

impl Admitted {
    /// Completes when the connection has to give way.
    pub(super) async fn gives_way(&self) {
        self.connection.gives_way.notified().await;
    }

    /// Marks a request as under way.
    pub(super) fn begin(&self) -> Busy {
        self.connection.started.fetch_add(1, Relaxed);
        self.admission.open().stop_waiting(&self.connection);
        Busy { admission: self.admission.clone(), connection: self.connection.clone() }
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.admission.open().leave(&self.connection);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.connection.ended.fetch_add(1, Relaxed);
        let mut open = self.admission.open();
        if !self.connection.has_left.load(Relaxed) && !self.connection.is_busy() {
            open.wait(&self.connection);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(total: usize, per_address: usize) -> Arc<Admission> {
        let proxies = vec!["10.0.0.1/32".parse().unwrap()];
        Admission::new(ConnectionLimits { total, per_address, proxies, ..ConnectionLimits::DEFAULT })
    }

    fn admit(admission: &Arc<Admission>, address: &str) -> Result<Admitted, Limit> {
        admission.admit(address.parse().unwrap())
    }

    async fn gave_way(one: &Admitted) -> bool {
        tokio::time::timeout(Duration::ZERO, one.gives_way()).await.is_ok()
    }

    #[tokio::test]
    async fn connection_that_waits_longest_gives_way_at_the_limit() {
        let all = limits(3, 0);
        let [one, two, three] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|address| admit(&all, address).unwrap());
        drop(one.begin());
        let four = admit(&all, "192.0.2.4").unwrap();
        assert!(gave_way(&two).await, "the first one had a request since");
        let _requests = [one.begin(), three.begin(), four.begin()];
        assert_eq!(admit(&all, "192.0.2.5").err(), Some(Limit::Total));
        drop(three);
        assert!(admit(&all, "192.0.2.5").is_ok());
        assert!(!gave_way(&one).await && !gave_way(&four).await);
    }

    #[tokio::test]
    async fn address_at_its_limit_loses_only_its_own_connections() {
        let all = limits(100, 2);
        let other = admit(&all, "192.0.2.9").unwrap();
        let [one, two] = ["192.0.2.1"; 2].map(|address| admit(&all, address).unwrap());
        let third = admit(&all, "192.0.2.1").unwrap();
        assert!(gave_way(&one).await);
        assert!(!gave_way(&two).await && !gave_way(&other).await);
        let _requests = [two.begin(), third.begin()];
        assert_eq!(admit(&all, "192.0.2.1").err(), Some(Limit::Address));
        assert!(admit(&all, "192.0.2.2").is_ok());
        let _proxy: Vec<_> = (0..5).map(|_| admit(&all, "10.0.0.1").unwrap()).collect();
    }

    #[test]
    fn nothing_is_kept_of_closed_connections() {
        let all = limits(2, 1);
        for _ in 0..3 {
            let one = admit(&all, "192.0.2.1").unwrap();
            let busy = one.begin();
            assert_eq!(admit(&all, "192.0.2.1").err(), Some(Limit::Address));
            drop(one);
            drop(busy);
        }
        let open = all.open();
        assert_eq!((open.count, open.waiting.len(), open.addresses.len()), (0, 0, 0));
    }
}
