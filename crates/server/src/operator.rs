//! Operator commands of the command line. They work with or without a running server.

pub mod keys;
pub mod logins;
pub mod people;
pub mod tenants;

use crate::Config;
use domain::{
    Id, Span, Timestamp,
    agent_messages::AgentMessages,
    api_key::{self, NewApiKey},
    execution::ExecutionStatus,
    ids::{ApiKeyId, ExecutionId, ProjectId},
    role::Role,
};
use gateways::{
    egress::{Egress, EgressPolicy, Resolver},
    whatsapp::GraphClient,
};
use runtime::{
    Clock, Context, InFlight, Parts, Randomness, context::PLATFORM_PROJECT, data_dir, feed::Feed, poison, replay,
};
use store::{
    DatabaseUrl, Store, api_keys::KeySettings, conversations, executions, projects, secrets::Vault, suspects::WorkKind,
    transact, unscoped,
};
use uuid::Uuid;

/// Commands on an open database.
pub struct Operator {
    store: Store,
    clock: Clock,
    shown: String,
}

/// Work that was failed for good, because it ended the process repeatedly.
#[derive(Debug, Clone)]
pub struct Parked {
    /// `turn`, `send`, `test_run` or `job`.
    pub kind: &'static str,
    pub project: ProjectId,
    /// Conversation, outbox entry or job.
    pub id: Uuid,
    /// The conversation's last execution.
    pub execution: Option<ExecutionId>,
    pub deaths: i64,
    pub parked_at: Timestamp,
}

#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    #[error("database: {0}")]
    Store(#[from] store::Error),
    #[error("data folder: {0}")]
    DataDir(#[from] std::io::Error),
    #[error("there is no database at {0}; start the server once, or name its folder with --data-dir")]
    NoDatabase(String),
    #[error("no project '{0}'; create one with: chasqui projects create NAME")]
    NoProject(String),
    #[error("several projects are called '{0}'; use the project id")]
    Ambiguous(String),
    #[error("no execution {0}")]
    NoExecution(domain::ids::ExecutionId),
    #[error("no pending sign-in for this code: it was mistyped, already approved, or is older than ten minutes")]
    NoLogin,
    #[error("name the projects that the sign-in may access, or give it every project as operator")]
    NoAccess,
    #[error("no key {0}; list them with: chasqui keys list")]
    NoKey(ApiKeyId),
    #[error("'{0}' is not an e-mail address")]
    BadEmail(String),
    #[error("no user {0}; list them with: chasqui users list")]
    NoUser(String),
    #[error("{0} is not a member of this project")]
    NoMember(String),
    #[error("{0} is the only owner of this project; invite another owner first")]
    LastOwner(String),
    #[error("a project's name must have 1 to 120 characters")]
    BadName,
    #[error("the project is not called '{0}'; nothing was deleted")]
    OtherName(String),
    #[error("there is a project named '{0}' already; choose another name")]
    NameTaken(String),
}

impl store::Retryable for OperatorError {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_retryable())
    }
}

impl Operator {
    /// Uses an open database.
    pub fn new(store: Store, clock: Clock) -> Self {
        let shown = store.engine_name().to_owned();
        Self { store, clock, shown }
    }

    /// Address of the database, without secrets.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Opens the configured database, which must exist. A server may be running on it.
    pub async fn open(config: &Config) -> Result<Self, OperatorError> {
        match &config.database {
            DatabaseUrl::Sqlite(path) if !path.exists() => Err(OperatorError::NoDatabase(path.display().to_string())),
            _ => Self::open_or_create(config).await,
        }
    }

    /// Opens the configured database; creates an SQLite file that does not exist.
    pub async fn open_or_create(config: &Config) -> Result<Self, OperatorError> {
        if let DatabaseUrl::Sqlite(path) = &config.database
            && let Some(folder) = path.parent()
        {
            data_dir::create(folder)?;
        }
        let (store, clock) = (Store::open(&config.database).await?, config.clock.clone());
        Ok(Self { store, clock, shown: config.database.shown() })
    }

    /// Migrates the schema.
    pub async fn migrate(&self) -> Result<(), OperatorError> {
        Ok(self.store.migrate().await?)
    }

    /// Creates a project with the settings of a new one.
    pub async fn create_project(&self, name: &str) -> Result<ProjectId, OperatorError> {
        self.create_project_with(name, &AgentMessages::of_new_project()).await
    }

    /// Creates a project with these settings of agents' messages.
    pub async fn create_project_with(&self, name: &str, messages: &AgentMessages) -> Result<ProjectId, OperatorError> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > 120 || name.contains('\0') {
            return Err(OperatorError::BadName);
        }
        self.migrate().await?;
        let (id, now) = (Id::from_uuid(self.uuid()?), self.clock.now());
        transact!(self.store, "project.create", OperatorError, tx => {
            if projects::is_taken(tx, name, [id, PLATFORM_PROJECT]).await? {
                return Err(OperatorError::NameTaken(name.to_owned()));
            }
            projects::insert(tx, id, name, now).await?;
            Ok(projects::set_agent_messages(tx, id, &serde_json::json!(messages).to_string(), now).await?)
        })?;
        Ok(id)
    }

    /// Creates a key for a project given by id or name. The key is returned here and never again.
    pub async fn create_key(&self, project: &str) -> Result<(ProjectId, String), OperatorError> {
        self.create_key_with(project, "", None, None).await
    }

    /// Creates a key with a name and a role; without a role it has all rights of the project.
    pub async fn create_key_with(
        &self,
        project: &str,
        name: &str,
        role: Option<Role>,
        lifetime: Option<Span>,
    ) -> Result<(ProjectId, String), OperatorError> {
        self.migrate().await?;
        let project = self.project(project).await?;
        let key = self.new_key()?;
        let (id, now) = (Id::from_uuid(self.uuid()?), self.clock.now());
        let with = KeySettings { name, role, user: None, expires_at: lifetime.map(|lifetime| now + lifetime) };
        transact!(self.store, "key.create", tx => store::api_keys::insert_with(tx, project, id, &key, with, now).await)?;
        Ok((project, key.text))
    }

    /// Replays an execution of any project.
    pub async fn replay(&self, id: ExecutionId) -> Result<replay::Replay, OperatorError> {
        self.replay_with(id, &|_| None).await
    }

    /// Replays with cached compiled agents, for thousands of replays.
    pub async fn replay_with(
        &self,
        id: ExecutionId,
        compiled: replay::Lookup<'_>,
    ) -> Result<replay::Replay, OperatorError> {
        let mut reader = self.store.read().await?;
        let mut conn = reader.conn();
        let project = unscoped::project_of_execution(&mut conn, id).await?.ok_or(OperatorError::NoExecution(id))?;
        Ok(replay::replay(&mut conn, project, id, compiled).await?)
    }

    /// First 1,000 executions of all projects, oldest first.
    pub async fn executions(&self) -> Result<Vec<ExecutionId>, OperatorError> {
        let mut reader = self.store.read().await?;
        let rows = unscoped::executions(&mut reader.conn()).await?;
        Ok(rows.into_iter().map(|row| ExecutionId::from_uuid(row.id)).collect())
    }

    /// Parked work of all projects.
    pub async fn parked(&self) -> Result<Vec<Parked>, OperatorError> {
        let mut reader = self.store.read().await?;
        let mut conn = reader.conn();
        let mut parked = Vec::new();
        for row in unscoped::suspects(&mut conn).await? {
            let Some(parked_at) = row.parked_at else { continue };
            let execution = match row.kind {
                WorkKind::Turn => {
                    let found = conversations::find(&mut conn, row.project_id, Id::from_uuid(row.subject_id)).await?;
                    found.and_then(|conversation| conversation.execution_id)
                }
                _ => None,
            };
            let (kind, project, id, deaths) = (row.kind.as_str(), row.project_id, row.subject_id, row.deaths);
            parked.push(Parked { kind, project, id, execution, deaths, parked_at });
        }
        Ok(parked)
    }

    /// Stops an execution without running its agent, and returns its status.
    pub async fn stop_execution(&self, config: &Config, id: ExecutionId) -> Result<ExecutionStatus, OperatorError> {
        let unavailable = |why: String| OperatorError::Store(store::Error::Unavailable(why));
        // Nothing is sent, sealed or asked of a model.
        let ctx = Context::new(Parts {
            store: self.store.clone(),
            clock: self.clock.clone(),
            randomness: Randomness::System,
            model: config.offline_model.clone().into(),
            graph: GraphClient::new(&config.graph_base_url, &config.graph_version.to_string())
                .map_err(|error| unavailable(error.to_string()))?,
            egress: Egress::new(EgressPolicy::default(), Resolver::System),
            vault: Vault::new([0; 32], "operator"),
            tracking_key: [0; 32],
            public_url: None,
            app_secrets: Vec::new(),
            verify_token: None,
            sandbox: None,
            reconcile_window: config.reconcile_window,
            node: "operator".into(),
            in_flight: InFlight::default(),
            project_turns: 0,
            feed: Feed::default(),
        });
        let project = {
            let mut reader = self.store.read().await?;
            unscoped::project_of_execution(&mut reader.conn(), id).await?.ok_or(OperatorError::NoExecution(id))?
        };
        let row = transact!(self.store, "execution.stop", tx => {
            poison::stop(&ctx, tx, project, id).await?;
            executions::find(tx, project, id).await
        })?;
        row.map(|row| row.status).ok_or(OperatorError::NoExecution(id))
    }

    async fn project(&self, wanted: &str) -> Result<ProjectId, OperatorError> {
        let mut reader = self.store.read().await?;
        let mut conn = reader.conn();
        if let Ok(id) = wanted.parse::<ProjectId>()
            && projects::find(&mut conn, id).await?.is_some()
        {
            return Ok(id);
        }
        let mut named = projects::named(&mut conn, wanted).await?;
        named.retain(|one| one.id != PLATFORM_PROJECT);
        match named.as_slice() {
            [one] => Ok(one.id),
            [_, _, ..] => Err(OperatorError::Ambiguous(wanted.into())),
            _ => Err(OperatorError::NoProject(wanted.into())),
        }
    }

    fn new_key(&self) -> Result<NewApiKey, OperatorError> {
        let mut random = [0; 256];
        random_bytes(&mut random)?;
        let broken = || OperatorError::Store(store::Error::Unavailable("the random source is broken".into()));
        api_key::from_random(&random).ok_or_else(broken)
    }

    fn uuid(&self) -> Result<Uuid, OperatorError> {
        let mut random = [0; 10];
        random_bytes(&mut random)?;
        let millis = u64::try_from(self.clock.now().micros() / 1_000).unwrap_or(0);
        Ok(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }
}

/// A random token of 32 hexadecimal digits, for programs that have no random source of their own.
pub fn random_token() -> Result<String, OperatorError> {
    let mut random = [0; 16];
    random_bytes(&mut random)?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn random_bytes(bytes: &mut [u8]) -> Result<(), OperatorError> {
    getrandom::fill(bytes).map_err(|error| OperatorError::Store(store::Error::Unavailable(error.to_string())))
}
