//! Starts the server: opens everything it needs, in the order in which it can fail.

use crate::{
    Addresses, AppState, Config,
    auth::{SETUP_TOKEN, new_token},
    connections::{self, ConnectionLimits},
    lock::{self, LockError},
    master_key::{self, Key, KeyError, Relation},
    operator::Operator,
    phone, router, telemetry, well_known,
};
use domain::chat::ModelChoice;
use gateways::{
    egress::{Egress, EgressPolicy, Resolver},
    llm::{ModelClient, Models},
    whatsapp::GraphClient,
};
use runtime::{Clock, Context, InFlight, Left, Parts, Randomness, feed::Feed, node::Node, poison, workers};
use secrecy::ExposeSecret as _;
use std::{
    fs::File,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use store::{
    BACKUP_MARK, DatabaseUrl, Inspection, Schema, Store, platform_settings, side_files, transact, unscoped, users,
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on {0}: {1}; choose another with --listen")]
    Listen(SocketAddr, std::io::Error),
    #[error("cannot listen on {0} for metrics: {1}; choose another with CHASQUI_OPERATIONS_LISTEN, or set it to off")]
    OperationsListen(SocketAddr, std::io::Error),
    #[error("{0}")]
    Lock(#[from] LockError),
    #[error("{0}")]
    WellKnown(String),
    #[error("master key: {0}")]
    MasterKey(KeyError),
    #[error("node id: {0}")]
    NodeId(String),
    #[error("database {0}: {1}")]
    Database(String, store::Error),
    #[error("{0} is a backup; put it in place with: chasqui restore FILE")]
    Backup(String),
    #[error("language model: {0}")]
    Model(String),
    #[error("{0}")]
    Client(#[from] gateways::ClientError),
}

/// A running server.
pub struct App {
    ctx: Context,
    state: AppState,
    address: SocketAddr,
    operations: Option<SocketAddr>,
    stop: CancellationToken,
    serving: JoinHandle<()>,
    working: JoinHandle<()>,
    _lock: Option<File>,
    _node: Node,
}

/// Opens and migrates the database, listens, and starts the workers.
pub async fn build(config: Config) -> Result<App, StartError> {
    gateways::tls::install();
    if let Some(why) = well_known::refusal(&config) {
        return Err(StartError::WellKnown(why));
    }
    let metrics = telemetry::metrics();
    let lock = if let DatabaseUrl::Sqlite(path) = &config.database { Some(lock::take(path)?) } else { None };
    let limits = config.connections.clone().within(connections::raise_open_files());
    let listening = connections::bind(config.listen).and_then(|listener| Ok((listener.local_addr()?, listener)));
    let (address, listener) = listening.map_err(|error| StartError::Listen(config.listen, error))?;
    let (operations, operations_listener) = operations_listener(&config)?.unzip();
    let node = Node::of(&config.data_dir, node_id()?, boot_id());
    let (key, created) = key_for_database(&config).await?;
    let feed = Feed::default();
    let store = open_store(&config, &node, &feed).await?;
    master_key::remember(&config, &store, &key, created).await.map_err(StartError::MasterKey)?;
    let clock = phone::clock(&config.phone, config.clock.clone(), &config.data_dir);
    let (in_flight, left) = in_flight(&config, &node);
    let model_client = ModelClient::new()?;
    let keys = |name: &str| config.provider_keys.get(name).map(|key| key.expose_secret().to_owned());
    let model = Models::load(&model_client, &config.llm, &keys, &config.ollama, &config.offline_model)
        .await
        .map_err(|failure| StartError::Model(failure.message))?;
    let policy = EgressPolicy { allow: config.egress_allow.clone(), ..EgressPolicy::default() };
    let run_workers = config.run_workers;
    let ctx = Context::new(Parts {
        graph: GraphClient::new(&config.graph_base_url, &config.graph_version.to_string())?,
        egress: Egress::new(policy, Resolver::System),
        vault: master_key::vault(&key),
        tracking_key: tracking_key(&config, &store, &key).await?,
        public_url: config.public_url.clone(),
        node: node.owner(),
        store,
        clock,
        randomness: Randomness::System,
        model,
        app_secrets: config.app_secrets,
        verify_token: config.verify_token,
        sandbox: config.sandbox,
        reconcile_window: config.reconcile_window,
        in_flight,
        project_turns: config.projects.turns,
        feed,
    });
    announce_setup(&ctx).await.map_err(|error| StartError::Database(config.database.shown(), error))?;
    poison::count(&ctx, &left).await.map_err(|error| StartError::Database(config.database.shown(), error))?;
    let stop = CancellationToken::new();
    let addresses = Addresses {
        public_url: config.public_url.clone(),
        local_url: local_url(address),
        hosts: config.hosts,
        sign_up: config.sign_up,
        graph_version: config.graph_version,
        phone: config.phone,
        data_dir: config.data_dir,
    };
    let state = AppState::new(ctx.clone(), addresses, config.rate_limit_per_minute, config.projects, metrics);
    if let Some(listener) = operations_listener {
        let (app, limits) = (router::operations(state.clone()), ConnectionLimits::of_operations());
        tokio::spawn(connections::serve(listener, app, limits, stop.clone()));
    }
    let serving = tokio::spawn(connections::serve(listener, router::router(state.clone()), limits, stop.clone()));
    if run_workers {
        tokio::spawn(write_last_uses(state.clone(), stop.clone()));
    }
    let (worker_ctx, worker_stop) = (ctx.clone(), stop.clone());
    let working = tokio::spawn(async move {
        let feed = workers::run_feed(worker_ctx.clone(), worker_stop.clone());
        let work = async {
            if run_workers {
                workers::run(worker_ctx, worker_stop).await;
            }
        };
        tokio::join!(feed, work);
    });
    tracing::info!(%address, database = ctx.store.engine_name(), model = ?ctx.model.describe(), "ready");
    Ok(App { ctx, state, address, operations, stop, serving, working, _lock: lock, _node: node })
}

/// Logs the setup token until a person has a password. All nodes share it.
async fn announce_setup(ctx: &Context) -> store::Result<()> {
    {
        let mut reader = ctx.store.read().await?;
        if users::has_passwords(&mut reader.conn()).await? {
            return Ok(());
        }
    }
    let mut random = [0; 16];
    ctx.fill_random(&mut random);
    let fresh: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let token = transact!(ctx.store, "start.setup_token", tx => {
        platform_settings::ensure(tx, SETUP_TOKEN, fresh.as_bytes()).await
    })?;
    let token = String::from_utf8_lossy(&token);
    tracing::info!("no person can sign in yet; the setup token is {token}");
    Ok(())
}

/// Writes last uses of keys and sessions every minute.
async fn write_last_uses(state: AppState, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(60)) => state.http().last_uses.write(&state.store).await,
            () = stop.cancelled() => return,
        }
    }
}

/// Base URL on this machine of a server that listens on `address`.
fn local_url(mut address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    format!("http://{address}")
}

/// Listener of metrics and deep health. A used default address is only a warning: another Chasqui
/// may run on this machine.
fn operations_listener(config: &Config) -> Result<Option<(SocketAddr, TcpListener)>, StartError> {
    let Some(address) = config.operations_listen else { return Ok(None) };
    match connections::bind(address).and_then(|listener| Ok((listener.local_addr()?, listener))) {
        Ok(listening) => Ok(Some(listening)),
        Err(error) if config.operations_required => Err(StartError::OperationsListen(address, error)),
        Err(error) => {
            tracing::warn!(%address, %error, "no metrics and no deep health: set CHASQUI_OPERATIONS_LISTEN to a free address");
            Ok(None)
        }
    }
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

/// The master key of the database, which is not changed: a node with another key migrates nothing.
/// A backup would send what the original has sent, so it is refused.
async fn key_for_database(config: &Config) -> Result<(Key, bool), StartError> {
    let database = |error| StartError::Database(config.database.shown(), error);
    let key = master_key::load(config).map_err(StartError::MasterKey)?;
    let mut relation = Relation::Unused;
    if let Some(mut look) = Inspection::open(&config.database).await.map_err(database)?
        && look.schema().await.map_err(database)? != Schema::Empty
    {
        if platform_settings::find(&mut look.conn(), BACKUP_MARK).await.map_err(database)?.is_some() {
            return Err(StartError::Backup(config.database.shown()));
        }
        warn_of_a_missing_log(config, &mut look).await.map_err(database)?;
        relation = master_key::relation(&mut look.conn(), key.as_ref()).await.map_err(database)?;
    }
    master_key::establish(config, relation, key).await.map_err(StartError::MasterKey)
}

/// The database file was copied without its log, or the log was removed.
async fn warn_of_a_missing_log(config: &Config, look: &mut Inspection) -> store::Result<()> {
    let DatabaseUrl::Sqlite(path) = &config.database else { return Ok(()) };
    let [log, ..] = side_files(path);
    if !log.exists() && platform_settings::find(&mut look.conn(), lock::RUNNING).await?.is_some() {
        tracing::error!(
            database = config.database.shown(),
            "its server did not stop and the write-ahead log {} is missing: the latest commits are lost. If the file \
             was copied, copy the log too, or use: chasqui backup",
            log.display()
        );
    }
    Ok(())
}

/// Marks an SQLite file as in use until [`App::shutdown`].
async fn mark_running(store: &Store) -> store::Result<()> {
    if !store.is_exclusive() {
        return Ok(());
    }
    let marked = {
        let mut reader = store.read().await?;
        platform_settings::find(&mut reader.conn(), lock::RUNNING).await?.is_some()
    };
    if !marked {
        transact!(store, "start.mark", tx => platform_settings::ensure(tx, lock::RUNNING, b"1").await)?;
        store.flush_log().await;
    }
    Ok(())
}

/// Opens and migrates the database. Voids the leases of this node's earlier runs; on SQLite, which
/// has one node, all leases.
async fn open_store(config: &Config, node: &Node, feed: &Feed) -> Result<Store, StartError> {
    let database = |error| StartError::Database(config.database.shown(), error);
    let mut store = Store::open(&config.database).await.map_err(database)?;
    let (observer, feed) = (config.observer.0.clone(), feed.clone());
    store.observe_commits(Arc::new(move |name| {
        metrics::counter!("chasqui_db_commits_total", "name" => name).increment(1);
        feed.note_commit();
        if let Some(observer) = &observer {
            observer(name);
        }
    }));
    store.observe_retries(Arc::new(|name| {
        metrics::counter!("chasqui_db_tx_retries_total", "name" => name).increment(1)
    }));
    store.migrate().await.map_err(database)?;
    mark_running(&store).await.map_err(database)?;
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
async fn tracking_key(config: &Config, store: &Store, master: &Key) -> Result<[u8; 32], StartError> {
    let database = |error| StartError::Database(config.database.shown(), error);
    let has_foreign_secrets = async {
        let mut reader = store.read().await?;
        unscoped::has_secrets_of_another_key(&mut reader.conn(), &master_key::id(master)).await
    };
    if has_foreign_secrets.await.map_err(database)? {
        return Err(StartError::MasterKey(master_key::refusal(config, Some(master), None)));
    }
    let mut fresh = [0; 32];
    getrandom::fill(&mut fresh).map_err(|error| StartError::NodeId(error.to_string()))?;
    let key = transact!(store, "start.tracking_key", tx => platform_settings::ensure(tx, "tracking_key", &fresh).await);
    key.map_err(database)?
        .try_into()
        .map_err(|_| database(store::Error::Damaged { what: "tracking key", why: "it has another length".into() }))
}

impl App {
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Base URL on this machine.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Base URL of metrics and deep health, if they have a listener.
    pub fn operations_url(&self) -> Option<String> {
        self.operations.map(|address| format!("http://{address}"))
    }

    /// Milliseconds by which the dashboard's phone has moved the clock ahead of the system's.
    pub fn clock_ahead_ms(&self) -> u64 {
        self.ctx.clock.ahead().map_or(0, |ahead| u64::try_from(ahead.millis()).unwrap_or_default())
    }

    /// Default model.
    pub fn model(&self) -> ModelChoice {
        self.ctx.model.describe()
    }

    /// A link that signs in as operator, once; a new link replaces it. For `dev`.
    pub fn one_time_link(&self) -> String {
        let (entry, hash) = new_token(&self.state);
        self.state.set_entry(Some(hash));
        format!("{}/app/login#entry={entry}", self.state.base_url(None))
    }

    /// Writes the last uses of keys and sessions, as the server does every minute.
    pub async fn write_last_uses(&self) {
        self.state.http().last_uses.write(&self.ctx.store).await;
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
        tracing::info!("stopping");
        self.ctx.stopping.cancel();
        self.stop.cancel();
        let finished = async {
            let _ = (&mut self.serving).await;
            let _ = (&mut self.working).await;
        };
        if tokio::time::timeout(Duration::from_secs(20), finished).await.is_err() {
            tracing::warn!("shutdown timed out; leases of unfinished work will expire");
        }
        self.write_last_uses().await;
        if self.ctx.store.is_exclusive() {
            let unmarked =
                transact!(self.ctx.store, "stop.mark", tx => platform_settings::remove(tx, lock::RUNNING).await);
            if let Err(error) = unmarked {
                tracing::warn!(%error, "the database stays marked as in use");
            }
        }
        self.ctx.store.close().await;
        tracing::info!("stopped");
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.stop.cancel();
        self.serving.abort();
        self.working.abort();
    }
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
