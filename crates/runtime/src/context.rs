//! State shared by all workers and handlers: the database, the clock, randomness and the outbound
//! clients.

use crate::{
    Clock, byte_cache::ByteCache, feed::Feed, in_flight::InFlight, interrupts::Interrupts,
    knowledge_cache::KnowledgeCache, leases::Leases, log_limit::LogLimit, mcp_cache::McpCache,
    provider_cache::ProviderCache, slots::Slots,
};
use domain::{
    Id, Span, Timestamp,
    ids::{ProjectId, SnapshotId},
    limits::AGENT_CACHE,
};
use engine::Compiled;
use gateways::{egress::Egress, hooks::HookClients, llm::Models, whatsapp::GraphClient};
use secrecy::SecretString;
use std::{
    ops::Deref,
    sync::{Arc, Mutex, PoisonError},
};
use store::{Store, secrets::Vault};
use tokio::sync::{Notify, RwLock, Semaphore};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The source of ids, keys and codes.
#[derive(Clone, Default)]
pub enum Randomness {
    #[default]
    System,
    /// For reproducible runs; never for secrets.
    Given(Arc<Fill>),
}

type Fill = dyn Fn(&mut [u8]) + Send + Sync;

/// Owns messages to the sandbox number that belong to no project.
pub const PLATFORM_PROJECT: ProjectId = Id::from_uuid(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0000));

/// The shared sandbox number.
#[derive(Debug, Clone)]
pub struct Sandbox {
    /// Meta's id of the number.
    pub phone_number_id: String,
    /// Digits only.
    pub phone_number: String,
    pub access_token: SecretString,
}

/// Shared by handlers and workers; cloning is cheap.
#[derive(Clone)]
pub struct Context(Arc<Inner>);

/// See [`Context`].
pub struct Inner {
    pub store: Store,
    /// For everything but leases, which use the database's clock.
    pub clock: Clock,
    randomness: Randomness,
    /// Models of the server.
    pub model: Models,
    pub graph: GraphClient,
    /// Requests to URLs that users configured.
    pub egress: Egress,
    /// Connections to receivers of outgoing webhooks.
    pub(crate) hook_clients: HookClients,
    /// Seals and opens secrets.
    pub vault: Vault,
    /// Signs tracking tokens.
    pub tracking_key: [u8; 32],
    /// Any of them may sign a webhook.
    pub app_secrets: Vec<SecretString>,
    /// Expected in the webhook handshake.
    pub verify_token: Option<SecretString>,
    pub sandbox: Option<Sandbox>,
    /// Time that an unconfirmed send waits for a status.
    pub reconcile_window: Span,
    /// Public base URL, without a slash at the end. Without one an agent gets no links to files.
    pub public_url: Option<String>,
    /// Owner of this process's leases: `<node>/<boot>`.
    pub node: String,
    /// Notified when there may be due work.
    pub wake: Notify,
    /// Turns claimed by this node.
    pub(crate) turns: Leases,
    /// Sends claimed by this node.
    pub(crate) sends: Leases,
    /// Jobs claimed by this node.
    pub(crate) jobs: Leases,
    /// Limits of concurrent work, per project and in all.
    pub slots: Slots,
    /// Permits for concurrent uploads to WhatsApp.
    pub(crate) uploads: Semaphore,
    pub interrupts: Interrupts,
    /// Work in progress on this node.
    pub in_flight: InFlight,
    /// Events for live views.
    pub feed: Feed,
    /// Taken by each webhook: one that is suspected of ending the process is processed alone.
    pub(crate) webhooks: RwLock<()>,
    /// Cancelled when the node stops: work in progress goes to a point from which another node can
    /// continue.
    pub stopping: CancellationToken,
    /// For log lines that strangers or a failing service can cause at any rate.
    pub log_limit: LogLimit,
    pub(crate) knowledge: KnowledgeCache,
    pub(crate) mcp: McpCache,
    pub(crate) providers: ProviderCache,
    compiled: Mutex<ByteCache<SnapshotId, Arc<Compiled>>>,
}

impl Deref for Context {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// Parts of a context: `server::build` opens the real ones, the simulator brings its own.
pub struct Parts {
    /// Migrated.
    pub store: Store,
    pub clock: Clock,
    pub randomness: Randomness,
    pub model: Models,
    pub graph: GraphClient,
    pub egress: Egress,
    pub vault: Vault,
    /// The same on all nodes of a database.
    pub tracking_key: [u8; 32],
    pub app_secrets: Vec<SecretString>,
    pub verify_token: Option<SecretString>,
    pub sandbox: Option<Sandbox>,
    pub reconcile_window: Span,
    pub public_url: Option<String>,
    /// `<node>/<boot>`.
    pub node: String,
    pub in_flight: InFlight,
    /// Turns at once of one project on this node; 0 for no limit.
    pub project_turns: usize,
    /// Notified by commits of `store`.
    pub feed: Feed,
}

/// Each may need 100 MiB of memory.
const MAX_UPLOADS: usize = 4;
/// Five or more indexes of the longest texts, and any number of ordinary ones.
const MAX_KNOWLEDGE: usize = 128 << 20;

impl Context {
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner {
            store: parts.store,
            clock: parts.clock,
            randomness: parts.randomness,
            model: parts.model,
            graph: parts.graph,
            egress: parts.egress,
            hook_clients: HookClients::default(),
            vault: parts.vault,
            tracking_key: parts.tracking_key,
            app_secrets: parts.app_secrets,
            verify_token: parts.verify_token,
            sandbox: parts.sandbox,
            reconcile_window: parts.reconcile_window,
            public_url: parts.public_url.map(|url| url.trim_end_matches('/').to_owned()),
            node: parts.node,
            wake: Notify::new(),
            turns: Leases::default(),
            sends: Leases::default(),
            jobs: Leases::default(),
            slots: Slots::new(parts.project_turns),
            uploads: Semaphore::new(MAX_UPLOADS),
            interrupts: Interrupts::default(),
            in_flight: parts.in_flight,
            feed: parts.feed,
            webhooks: RwLock::new(()),
            stopping: CancellationToken::new(),
            log_limit: LogLimit::default(),
            knowledge: KnowledgeCache::new(MAX_KNOWLEDGE),
            mcp: McpCache::default(),
            providers: ProviderCache::default(),
            compiled: Mutex::new(ByteCache::new(AGENT_CACHE)),
        }))
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A UUIDv7 from the clock and the random source.
    pub fn new_uuid(&self) -> Uuid {
        let millis = u64::try_from(self.now().micros() / 1_000).unwrap_or(0);
        let mut random = [0; 10];
        self.fill_random(&mut random);
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }

    pub fn new_id<T>(&self) -> Id<T> {
        Id::from_uuid(self.new_uuid())
    }

    /// Fills `bytes` with unpredictable values.
    ///
    /// # Panics
    /// If the operating system has no randomness: keys and codes must not be created then.
    pub fn fill_random(&self, bytes: &mut [u8]) {
        if let Randomness::Given(fill) = &self.randomness {
            return fill(bytes);
        }
        if let Err(error) = getrandom::fill(bytes) {
            unreachable!("the operating system has no randomness: {error}");
        }
    }

    /// A compiled agent from the cache.
    pub fn compiled(&self, snapshot: SnapshotId) -> Option<Arc<Compiled>> {
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner).get(&snapshot).cloned()
    }

    /// Caches a compiled agent of about `bytes`: snapshots never change.
    pub fn keep_compiled(&self, snapshot: SnapshotId, agent: &Arc<Compiled>, bytes: usize) {
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner).put(snapshot, agent.clone(), bytes);
    }
}
