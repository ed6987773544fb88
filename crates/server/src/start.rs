//! Starts the server: opens everything it needs, in the order in which it can fail.

use crate::{AppState, Config, operator::Operator, router, telemetry};
use domain::chat::ModelChoice;
use gateways::{
    egress::{Egress, EgressPolicy, Resolver},
    llm::{ModelClient, Models},
    whatsapp::GraphClient,
};
use runtime::{Clock, Context, InFlight, Left, Parts, Randomness, data_dir, node::Node, poison, workers};
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::Duration,
};
use store::{DatabaseUrl, Store, platform_settings, secrets::Vault, transact, unscoped};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on {0}: {1}; choose another with --listen")]
    Listen(SocketAddr, std::io::Error),
    #[error("another Chasqui uses the database {0}; stop it, or choose another with --data-dir or --database")]
    Locked(String),
    #[error("data folder {0}: {1}")]
    DataDir(String, std::io::Error),
    #[error("master key: {0}")]
    MasterKey(String),
    #[error("node id: {0}")]
    NodeId(String),
    #[error("database {0}: {1}")]
    Database(String, store::Error),
    #[error("language model: {0}")]
    Model(String),
    #[error("{0}")]
    Client(#[from] gateways::ClientError),
}

/// A running server.
pub struct App {
    ctx: Context,
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<()>,
    working: JoinHandle<()>,
    _lock: Option<File>,
    _node: Node,
}

/// Opens and migrates the database, listens, and starts the workers.
pub async fn build(config: Config) -> Result<App, StartError> {
    gateways::tls::install();
    let metrics = telemetry::metrics();
    let key = master_key(&config)?;
    let lock = if let DatabaseUrl::Sqlite(path) = &config.database { Some(lock(path)?) } else { None };
    let listener = TcpListener::bind(config.listen).await.map_err(|error| StartError::Listen(config.listen, error))?;
    let address = listener.local_addr().map_err(|error| StartError::Listen(config.listen, error))?;
    let node = Node::of(&config.data_dir, node_id()?, boot_id());
    let store = open_store(&config, &node).await?;
    let (in_flight, left) = in_flight(&config, &node);
    let model_client = ModelClient::new()?;
    let keys = |name: &str| config.provider_keys.get(name).map(|key| key.expose_secret().to_owned());
    let model = Models::load(&model_client, &config.llm, &keys, &config.ollama, &config.offline_model)
        .await
        .map_err(|failure| StartError::Model(failure.message))?;
    let policy = EgressPolicy { allow: config.egress_allow.clone(), ..EgressPolicy::default() };
    let run_workers = config.run_workers;
    let ctx = Context::new(Parts {
        graph: GraphClient::new(&config.graph_base_url, &config.graph_version)?,
        egress: Egress::new(policy, Resolver::System),
        vault: Vault::new(key, key_id(&key)),
        tracking_key: tracking_key(&config, &store, &key).await?,
        node: node.owner(),
        store,
        clock: config.clock,
        randomness: Randomness::System,
        model,
        app_secrets: config.app_secrets,
        verify_token: config.verify_token,
        sandbox: config.sandbox,
        reconcile_window: config.reconcile_window,
        in_flight,
    });
    poison::count(&ctx, &left).await.map_err(|error| StartError::Database(config.database.shown(), error))?;
    let stop = CancellationToken::new();
    let state = AppState::new(ctx.clone(), config.public_url.clone(), config.rate_limit_per_minute, metrics);
    let app = router::router(state).into_make_service_with_connect_info::<SocketAddr>();
    let graceful = stop.clone();
    let serving = tokio::spawn(async move {
        let served = axum::serve(listener, app).with_graceful_shutdown(async move { graceful.cancelled().await }).await;
        if let Err(error) = served {
            tracing::error!(%error, "server stopped");
        }
    });
    let (worker_ctx, worker_stop) = (ctx.clone(), stop.clone());
    let working = tokio::spawn(async move {
        if run_workers {
            workers::run(worker_ctx, worker_stop).await;
        }
    });
    tracing::info!(%address, database = ctx.store.engine_name(), model = ?ctx.model.describe(), "ready");
    Ok(App { ctx, address, stop, serving, working, _lock: lock, _node: node })
}

/// The register of work in progress, and the entries of an earlier process of the folder. A node
/// without a folder of its own has none.
fn in_flight(config: &Config, node: &Node) -> (InFlight, Vec<Left>) {
    if !node.is_permanent() {
        return Default::default();
    }
    InFlight::open(&config.data_dir).unwrap_or_else(|error| {
        tracing::warn!(%error, "no register of work in progress; work that ends the process is not found");
        Default::default()
    })
}

/// Opens and migrates the database. Voids the leases of this node's earlier runs; on SQLite, which
/// has one node, all leases.
async fn open_store(config: &Config, node: &Node) -> Result<Store, StartError> {
    let database = |error| StartError::Database(config.database.shown(), error);
    let mut store = Store::open(&config.database).await.map_err(database)?;
    let observer = config.observer.0.clone();
    store.observe_commits(Arc::new(move |name| {
        metrics::counter!("db_commits_total", "name" => name).increment(1);
        if let Some(observer) = &observer {
            observer(name);
        }
    }));
    store.observe_retries(Arc::new(|name| metrics::counter!("db_tx_retries_total", "name" => name).increment(1)));
    store.migrate().await.map_err(database)?;
    #[cfg(feature = "failpoints")]
    store.refuse_every(runtime::failpoint::retry_every());
    let (exclusive, earlier) = (store.is_exclusive(), node.prefix());
    let voided = transact!(store, "leases.void", tx => match exclusive {
        true => unscoped::void_all_leases(tx).await,
        false => unscoped::void_leases_of(tx, &earlier).await,
    });
    voided.map_err(database)?;
    Ok(store)
}

/// Key of tracking tokens, shared by all nodes of a database. Also checks that stored secrets can
/// be decrypted.
async fn tracking_key(config: &Config, store: &Store, master: &[u8; 32]) -> Result<[u8; 32], StartError> {
    let database = |error| StartError::Database(config.database.shown(), error);
    let has_foreign_secrets = async {
        let mut reader = store.read().await?;
        unscoped::has_secrets_of_another_key(&mut reader.conn(), &key_id(master)).await
    };
    if has_foreign_secrets.await.map_err(database)? {
        let why = "secrets in this database were encrypted with another master key; set CHASQUI_MASTER_KEY to that key";
        return Err(StartError::MasterKey(why.into()));
    }
    let mut fresh = [0; 32];
    getrandom::fill(&mut fresh).map_err(|error| StartError::MasterKey(error.to_string()))?;
    let key = transact!(store, "start.tracking_key", tx => platform_settings::ensure(tx, "tracking_key", &fresh).await);
    key.map_err(database)?.try_into().map_err(|_| StartError::MasterKey("the stored tracking key is damaged".into()))
}

impl App {
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Base URL on this machine.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Default model.
    pub fn model(&self) -> ModelChoice {
        self.ctx.model.describe()
    }

    pub const fn context(&self) -> &Context {
        &self.ctx
    }

    /// Operator commands on this server's database.
    pub fn operator(&self) -> Operator {
        Operator::new(self.ctx.store.clone(), self.ctx.clock.clone())
    }

    /// Stops accepting requests and claiming work, waits up to 20 s for running steps, and closes
    /// the database.
    pub async fn shutdown(mut self) {
        self.ctx.stopping.cancel();
        self.stop.cancel();
        let finished = async {
            let _ = (&mut self.serving).await;
            let _ = (&mut self.working).await;
        };
        if tokio::time::timeout(Duration::from_secs(20), finished).await.is_err() {
            tracing::warn!("shutdown timed out; leases of unfinished work will expire");
        }
        self.ctx.store.close().await;
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.stop.cancel();
        self.serving.abort();
        self.working.abort();
    }
}

/// Locks the database file against other servers. The lock is next to the file, wherever the data
/// folder is.
fn lock(database: &Path) -> Result<File, StartError> {
    let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |error| StartError::DataDir(folder.display().to_string(), error);
    data_dir::create(folder).map_err(failed)?;
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StartError::Locked(database.display().to_string())),
        Err(std::fs::TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Key-encryption key: configured, or a file in the data folder that only its owner can read.
pub(crate) fn master_key(config: &Config) -> Result<[u8; 32], StartError> {
    if let Some(key) = &config.master_key {
        return read_key(key.expose_secret());
    }
    let failed = |error| StartError::DataDir(config.data_dir.display().to_string(), error);
    let path = config.data_dir.join("master.key");
    match std::fs::read_to_string(&path) {
        Ok(text) => return read_key(text.trim()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    data_dir::create(&config.data_dir).map_err(failed)?;
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| StartError::MasterKey(error.to_string()))?;
    let text: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(&path) {
        Ok(mut file) => file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?,
        // Another process created the file first; use its key.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return master_key(config),
        Err(error) => return Err(failed(error)),
    }
    Ok(key)
}

fn read_key(text: &str) -> Result<[u8; 32], StartError> {
    let wrong = || StartError::MasterKey("it must be 64 hex digits".into());
    if text.len() != 64 || !text.is_ascii() {
        return Err(wrong());
    }
    let mut key = [0; 32];
    for (place, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[place * 2..place * 2 + 2], 16).map_err(|_| wrong())?;
    }
    Ok(key)
}

fn derived_key(key: &[u8; 32], purpose: &str) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(purpose.as_bytes());
    digest.update(key);
    digest.finalize().into()
}

fn key_id(key: &[u8; 32]) -> String {
    derived_key(key, "id")[..6].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Random id for a new node.
fn node_id() -> Result<String, StartError> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|error| StartError::NodeId(error.to_string()))?;
    Ok(id.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Distinguishes this run of the process from earlier ones.
fn boot_id() -> String {
    let now = Clock::System.now().micros();
    format!("{now:x}-{}", std::process::id())
}
