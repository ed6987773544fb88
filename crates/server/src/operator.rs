//! What an operator does from the command line, beside a running server or without one.

use crate::{Config, start};
use domain::{
    Id, api_key, cli_login,
    ids::{ExecutionId, ProjectId, UserId},
};
use gateways::llm::{ModelClient, config::resolve};
use runtime::{Clock, context::PLATFORM_PROJECT, data_dir, replay};
use secrecy::ExposeSecret as _;
use store::{DatabaseUrl, Store, cli_logins, projects, transact, unscoped, users};
use uuid::Uuid;

/// The hands of the command line.
pub struct Operator {
    store: Store,
    clock: Clock,
}

/// Why a command was not done.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// The database.
    #[error("database: {0}")]
    Store(#[from] store::Error),
    /// The folder of the database.
    #[error("data folder: {0}")]
    DataDir(#[from] std::io::Error),
    /// No such project.
    #[error("there is no project '{0}'; make one with: chasqui projects create NAME")]
    NoProject(String),
    /// Several projects of one name.
    #[error("several projects are called '{0}'; name one by its id")]
    Ambiguous(String),
    /// No such execution.
    #[error("there is no execution {0}")]
    NoExecution(domain::ids::ExecutionId),
    /// No such code.
    #[error("no sign-in waits with this code: it was mistyped, approved before, or is older than ten minutes")]
    NoLogin,
    /// Not an e-mail address.
    #[error("'{0}' is not an e-mail address")]
    BadEmail(String),
    /// Not a name.
    #[error("a project's name must have 1 to 120 characters")]
    BadName,
}

/// One thing that `doctor` looked at.
#[derive(Debug, Clone)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// Whether it is well.
    pub ok: bool,
    /// What was seen.
    pub detail: String,
    /// What to do about it.
    pub fix: Option<String>,
}

impl Operator {
    /// With a database that is open already.
    pub const fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Opens the configured database. A server may be running on it.
    pub async fn open(config: &Config) -> Result<Self, OperatorError> {
        if let DatabaseUrl::Sqlite(path) = &config.database
            && let Some(folder) = path.parent()
        {
            data_dir::create(folder)?;
        }
        Ok(Self::new(Store::open(&config.database).await?, config.clock.clone()))
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> Result<(), OperatorError> {
        Ok(self.store.migrate().await?)
    }

    /// Makes a project.
    pub async fn create_project(&self, name: &str) -> Result<ProjectId, OperatorError> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > 120 || name.contains('\0') {
            return Err(OperatorError::BadName);
        }
        self.migrate().await?;
        let (id, now) = (Id::from_uuid(self.uuid()?), self.clock.now());
        transact!(self.store, "project.create", tx => projects::insert(tx, id, name, now).await)?;
        Ok(id)
    }

    /// Makes a key for a project named by id or name. The key is shown here and never again.
    pub async fn create_key(&self, project: &str) -> Result<(ProjectId, String), OperatorError> {
        self.migrate().await?;
        let project = self.project(project).await?;
        let mut random = [0; 256];
        random_bytes(&mut random)?;
        let Some(key) = api_key::from_random(&random) else {
            return Err(OperatorError::Store(store::Error::Unavailable("the random source is broken".into())));
        };
        let (id, now) = (Id::from_uuid(self.uuid()?), self.clock.now());
        transact!(self.store, "key.create", tx => store::api_keys::insert(tx, project, id, &key, None, now).await)?;
        Ok((project, key.text))
    }

    /// Lets whoever waits with a code sign in as the user of this e-mail address, who is made if need be: a member of the
    /// named projects, or without any an operator, who sees all of them. Gives the user's id, which conversations are assigned to.
    pub async fn approve_login(&self, code: &str, email: &str, projects: &[String]) -> Result<UserId, OperatorError> {
        let email = email.trim().to_lowercase();
        let parts = email.split_once('@').filter(|(name, host)| !name.is_empty() && !host.is_empty());
        if parts.is_none() || email.len() > 254 || email.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(OperatorError::BadEmail(email));
        }
        self.migrate().await?;
        let mut member_of = Vec::with_capacity(projects.len());
        for wanted in projects {
            member_of.push(self.project(wanted).await?);
        }
        let (new_id, now, hash) = (Id::from_uuid(self.uuid()?), self.clock.now(), cli_login::hash(code));
        let approved = transact!(self.store, "cli.login.approve", tx => {
            let user = users::ensure(tx, new_id, &email, member_of.is_empty(), now).await?;
            for project in &member_of {
                users::join(tx, *project, user.id, now).await?;
            }
            let approved = cli_logins::approve(tx, &hash, user.id, now).await?;
            store::Result::Ok(approved.then_some(user.id))
        })?;
        approved.ok_or(OperatorError::NoLogin)
    }

    /// Replays an execution of any project.
    pub async fn replay(&self, id: ExecutionId) -> Result<replay::Replay, OperatorError> {
        self.replay_with(id, &|_| None).await
    }

    /// The same with agents that were compiled before: for whoever replays thousands.
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

    /// The first thousand executions of all projects, oldest first.
    pub async fn executions(&self) -> Result<Vec<ExecutionId>, OperatorError> {
        let mut reader = self.store.read().await?;
        let rows = unscoped::executions(&mut reader.conn()).await?;
        Ok(rows.into_iter().map(|row| ExecutionId::from_uuid(row.id)).collect())
    }

    async fn project(&self, wanted: &str) -> Result<ProjectId, OperatorError> {
        let mut reader = self.store.read().await?;
        let mut conn = reader.conn();
        if let Ok(id) = wanted.parse::<ProjectId>()
            && projects::find(&mut conn, id).await?.is_some()
        {
            return Ok(id);
        }
        let named = projects::named(&mut conn, wanted).await?;
        match named.as_slice() {
            [one] if one.id != PLATFORM_PROJECT => Ok(one.id),
            [_, _, ..] => Err(OperatorError::Ambiguous(wanted.into())),
            _ => Err(OperatorError::NoProject(wanted.into())),
        }
    }

    fn uuid(&self) -> Result<Uuid, OperatorError> {
        let mut random = [0; 10];
        random_bytes(&mut random)?;
        let millis = u64::try_from(self.clock.now().micros() / 1_000).unwrap_or(0);
        Ok(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }
}

fn random_bytes(bytes: &mut [u8]) -> Result<(), OperatorError> {
    getrandom::fill(bytes).map_err(|error| OperatorError::Store(store::Error::Unavailable(error.to_string())))
}

/// Looks at everything that a server would need, without starting one.
pub async fn check(config: &Config) -> Vec<Check> {
    gateways::tls::install();
    let mut checks = Vec::new();
    let key = start::master_key(config);
    checks.push(of(
        "master key",
        key.map(|_| "readable".to_owned()),
        "set CHASQUI_MASTER_KEY or make the data folder writable",
    ));
    let database = async {
        let operator = Operator::open(config).await.map_err(|error| error.to_string())?;
        operator.migrate().await.map_err(|error| error.to_string())?;
        Ok::<_, String>(format!("{} opens, schema current", config.database.shown()))
    };
    checks.push(of("database", database.await, "check CHASQUI_DATABASE_URL"));
    let model = async {
        let client = ModelClient::new().map_err(|error| error.to_string())?;
        let keys = |name: &str| config.provider_keys.get(name).map(|key| key.expose_secret().to_owned());
        let provider = resolve(&client, &config.llm, &keys, &config.ollama, &config.offline_model)
            .await
            .map_err(|failure| failure.message)?;
        let choice = provider.describe();
        let label = if choice.provider == "Rehearsal" { " (the built-in rehearsal model: not an AI)" } else { "" };
        Ok::<_, String>(format!("{} {}{label}", choice.provider, choice.model))
    };
    checks.push(of(
        "language model",
        model.await,
        "set CHASQUI_LLM_PROVIDER, CHASQUI_LLM_API_KEY or CHASQUI_LLM_BASE_URL",
    ));
    let signed = if config.app_secrets.is_empty() {
        Err("no app secret: every webhook is refused")
    } else {
        Ok("set".to_owned())
    };
    checks.push(of("webhook signature", signed, "set CHASQUI_META_APP_SECRET"));
    let token = if config.verify_token.is_some() {
        Ok("set".to_owned())
    } else {
        Err("no verify token: Meta's handshake is refused")
    };
    checks.push(of("webhook handshake", token, "set CHASQUI_META_VERIFY_TOKEN"));
    checks
}

fn of<E: ToString>(name: &'static str, result: Result<String, E>, fix: &str) -> Check {
    match result {
        Ok(detail) => Check { name, ok: true, detail, fix: None },
        Err(error) => Check { name, ok: false, detail: error.to_string(), fix: Some(fix.into()) },
    }
}
