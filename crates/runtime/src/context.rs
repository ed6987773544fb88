//! What everything needs: the store, the clock, randomness and the ways out. Made once at start, shared by all.

use crate::{Clock, interrupts::Interrupts, knowledge_cache::Library, leases::Register, mcp_cache::McpLists};
use domain::{
    Id, Span, Timestamp,
    ids::{ProjectId, SnapshotId},
};
use engine::Compiled;
use gateways::{egress::Egress, llm::Models, whatsapp::GraphClient};
use secrecy::SecretString;
use std::{
    collections::HashMap,
    ops::Deref,
    sync::{Arc, Mutex, PoisonError},
};
use store::{Store, secrets::Vault};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Where ids, keys and codes come from.
#[derive(Clone, Default)]
pub enum Randomness {
    /// The operating system.
    #[default]
    System,
    /// Whatever fills the bytes: for runs that can be repeated, never for secrets.
    Given(Arc<Fill>),
}

type Fill = dyn Fn(&mut [u8]) + Send + Sync;

/// The owner of what happens in the sandbox before a project is known.
pub const PLATFORM_PROJECT: ProjectId = Id::from_uuid(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0000));

/// The shared sandbox number.
#[derive(Debug, Clone)]
pub struct Sandbox {
    /// Meta's id.
    pub phone_number_id: String,
    /// Digits.
    pub phone_number: String,
    /// Meta's token for it.
    pub access_token: SecretString,
}

/// Shared by handlers and workers; cloning is cheap.
#[derive(Clone)]
pub struct Context(Arc<Inner>);

/// See [`Context`].
pub struct Inner {
    /// The database.
    pub store: Store,
    /// What everything but leases goes by.
    pub clock: Clock,
    randomness: Randomness,
    /// The model.
    pub model: Models,
    /// Meta.
    pub graph: GraphClient,
    /// URLs that users configured.
    pub egress: Egress,
    /// Seals and opens secrets.
    pub vault: Vault,
    /// Signs tracking tokens.
    pub tracking_key: [u8; 32],
    /// Any of them may sign a webhook.
    pub app_secrets: Vec<SecretString>,
    /// Shown in the webhook handshake.
    pub verify_token: Option<SecretString>,
    /// The shared sandbox number.
    pub sandbox: Option<Sandbox>,
    /// How long a status may take to tell how an unclear send ended.
    pub reconcile_window: Span,
    /// This node and this life of it: who holds a lease.
    pub node: String,
    /// Rung when a worker may have something to do.
    pub wake: Notify,
    /// The turns that this node is carrying on.
    pub(crate) turns: Register,
    /// The sends that this node has open.
    pub(crate) sends: Register,
    /// How many files may be given to Meta at once.
    pub(crate) uploads: Semaphore,
    /// Those of them that wait for a model.
    pub interrupts: Interrupts,
    /// The jobs for which this node asks a model or Meta.
    pub(crate) jobs: Register,
    /// Cancelled when the node is to stop: what is under way comes to a point where another node can go on.
    pub stopping: CancellationToken,
    /// Knowledge texts made ready for searching.
    pub(crate) library: Library,
    /// What MCP servers said which tools they have.
    pub(crate) mcp_lists: McpLists,
    compiled: Mutex<Agents>,
}

impl Deref for Context {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// What a context is made of. `server::build` opens them; a simulation brings its own.
pub struct Parts {
    /// The database, migrated.
    pub store: Store,
    /// What everything but leases goes by.
    pub clock: Clock,
    /// Where ids, keys and codes come from.
    pub randomness: Randomness,
    /// The model.
    pub model: Models,
    /// Meta.
    pub graph: GraphClient,
    /// URLs that users configured.
    pub egress: Egress,
    /// Seals and opens secrets.
    pub vault: Vault,
    /// Signs tracking tokens; the same on all nodes of a database.
    pub tracking_key: [u8; 32],
    /// Any of them may sign a webhook.
    pub app_secrets: Vec<SecretString>,
    /// Shown in the webhook handshake.
    pub verify_token: Option<SecretString>,
    /// The shared sandbox number.
    pub sandbox: Option<Sandbox>,
    /// How long a status may take to tell how an unclear send ended.
    pub reconcile_window: Span,
    /// This node and this life of it: `<node>/<boot>`.
    pub node: String,
}

/// Each may have 100 MiB in memory.
const UPLOADS: usize = 4;
/// At most this many agents are kept compiled,
const COMPILED: usize = 1_000;
/// and at most so many bytes of the knowledge texts in them.
const COMPILED_TEXTS: usize = 64 << 20;
/// Bytes of texts made ready for searching: five or more of the longest there are, and any number of ordinary ones.
const LIBRARY: usize = 128 << 20;

#[derive(Default)]
struct Agents {
    kept: HashMap<SnapshotId, Arc<Compiled>>,
    texts: usize,
}

impl Context {
    /// From its parts: one node in one life of it.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner {
            store: parts.store,
            clock: parts.clock,
            randomness: parts.randomness,
            model: parts.model,
            graph: parts.graph,
            egress: parts.egress,
            vault: parts.vault,
            tracking_key: parts.tracking_key,
            app_secrets: parts.app_secrets,
            verify_token: parts.verify_token,
            sandbox: parts.sandbox,
            reconcile_window: parts.reconcile_window,
            node: parts.node,
            wake: Notify::new(),
            turns: Register::default(),
            sends: Register::default(),
            uploads: Semaphore::new(UPLOADS),
            interrupts: Interrupts::default(),
            jobs: Register::default(),
            stopping: CancellationToken::new(),
            library: Library::new(LIBRARY),
            mcp_lists: McpLists::default(),
            compiled: Mutex::default(),
        }))
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A new UUIDv7 from the clock and the random source.
    pub fn new_uuid(&self) -> Uuid {
        let millis = u64::try_from(self.now().micros() / 1_000).unwrap_or(0);
        let mut random = [0; 10];
        self.fill_random(&mut random);
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }

    /// A new id.
    pub fn new_id<T>(&self) -> Id<T> {
        Id::from_uuid(self.new_uuid())
    }

    /// Fills bytes that nobody can guess.
    ///
    /// # Panics
    /// If the operating system has no randomness: keys and codes must not be made then.
    pub fn fill_random(&self, bytes: &mut [u8]) {
        if let Randomness::Given(fill) = &self.randomness {
            return fill(bytes);
        }
        if let Err(error) = getrandom::fill(bytes) {
            unreachable!("the operating system has no randomness: {error}");
        }
    }

    /// An agent that was compiled before.
    pub fn compiled(&self, snapshot: SnapshotId) -> Option<Arc<Compiled>> {
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner).kept.get(&snapshot).cloned()
    }

    /// Keeps a compiled agent: snapshots never change.
    pub fn keep_compiled(&self, snapshot: SnapshotId, agent: &Arc<Compiled>) {
        let mut agents = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if agents.kept.len() >= COMPILED || agents.texts + agent.knowledge_bytes() > COMPILED_TEXTS {
            *agents = Agents::default();
        }
        agents.texts += agent.knowledge_bytes();
        if let Some(other) = agents.kept.insert(snapshot, agent.clone()) {
            agents.texts -= other.knowledge_bytes();
        }
    }
}
