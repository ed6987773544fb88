//! `chasqui doctor`: checks everything that a server needs, without starting one. It creates no
//! file and migrates nothing.

use crate::{
    Config,
    auth::SETUP_TOKEN,
    master_key::{self, Relation},
    well_known,
};
use gateways::llm::{ModelClient, Provider, config::resolve};
use secrecy::ExposeSecret as _;
use store::{Inspection, Schema, platform_settings, users};

/// Result of one check.
#[derive(Debug, Clone)]
pub struct Check {
    pub name: &'static str,
    pub ok: bool,
    /// Finding or error.
    pub detail: String,
    /// Remedy, if the check failed.
    pub fix: Option<String>,
}

/// Runs all checks.
pub async fn check(config: &Config) -> Vec<Check> {
    gateways::tls::install();
    let mut checks = Vec::new();
    let (key, database) = database(config).await;
    checks.push(of("master key", key, "set CHASQUI_MASTER_KEY, or copy the right master.key into the data folder"));
    checks.push(of("database", database, "check CHASQUI_DATABASE_URL and --data-dir"));
    let model = async {
        let client = ModelClient::new().map_err(|error| error.to_string())?;
        let keys = |name: &str| config.provider_keys.get(name).map(|key| key.expose_secret().to_owned());
        let provider = resolve(&client, &config.llm, &keys, &config.ollama, &config.offline_model)
            .await
            .map_err(|failure| failure.message)?;
        let choice = provider.describe();
        let found = match &provider {
            Provider::InProcess(_) => " (the built-in rehearsal model: not an AI)".to_owned(),
            server => answers(server).await.map_err(|why| format!("{} {}: {why}", choice.provider, choice.model))?,
        };
        Ok::<_, String>(format!("{} {}{found}", choice.provider, choice.model))
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
    let support = config.graph_version.support(config.clock.now());
    let version = format!("{}: {support}", config.graph_version);
    checks.push(of(
        "Graph API version",
        if support.needs_change() { Err(version) } else { Ok(version) },
        "set CHASQUI_GRAPH_VERSION to a newer version",
    ));
    let secrets = well_known::refusal(config).map_or(Ok("none is well known".to_owned()), Err);
    checks.push(of("secrets", secrets, "set secrets of your own"));
    checks.push(of("webhook handshake", token, "set CHASQUI_META_VERIFY_TOKEN"));
    let setup = setup(config).await.unwrap_or_else(|_| "unknown: the database cannot be read".into());
    checks.push(Check { name: "setup token", ok: true, detail: setup, fix: None });
    checks
}

/// Reports the result of one tiny call: whether the address, the key and the model are right, and
/// which form of requests the server wants.
async fn answers(provider: &Provider) -> Result<String, String> {
    let checked = gateways::llm::check(provider).await.map_err(|failure| failure.message)?;
    let adapted = if checked.adapted.is_empty() {
        String::new()
    } else {
        format!("; requests are adapted: {}", checked.adapted.join(", "))
    };
    let streaming = if checked.streamed { "streaming" } else { "not streaming" };
    Ok(format!(" answers, in {:.1} s, {streaming}{adapted}", checked.took.as_secs_f64()))
}

/// The token with which the first person signs up, while there is none.
async fn setup(config: &Config) -> store::Result<String> {
    let none = || "none yet; the first start makes it".to_owned();
    let Some(mut look) = Inspection::open(&config.database).await? else { return Ok(none()) };
    if look.schema().await? != Schema::Current {
        return Ok(none());
    }
    let mut conn = look.conn();
    if users::has_passwords(&mut conn).await? {
        return Ok("used: a person has a password".into());
    }
    let token = platform_settings::find(&mut conn, SETUP_TOKEN).await?;
    Ok(token.map_or_else(none, |token| format!("{}, for /app/setup", String::from_utf8_lossy(&token))))
}

/// Settings that a server can start with but should not keep, for a warning at its start.
pub fn gaps(config: &Config) -> Vec<String> {
    let mut gaps = Vec::new();
    if config.app_secrets.is_empty() {
        gaps.push("no app secret: every webhook is refused; set CHASQUI_META_APP_SECRET".into());
    }
    if config.verify_token.is_none() {
        gaps.push("no verify token: Meta's handshake is refused; set CHASQUI_META_VERIFY_TOKEN".into());
    }
    let support = config.graph_version.support(config.clock.now());
    if support.needs_change() {
        gaps.push(format!("Graph API {}: {support}; set CHASQUI_GRAPH_VERSION to a newer one", config.graph_version));
    }
    gaps
}

/// Logs the gaps.
pub fn warn(gaps: &[String]) {
    for gap in gaps {
        tracing::warn!("{gap}");
    }
}

/// Findings about the master key and the database, which belong together.
async fn database(config: &Config) -> (Result<String, String>, Result<String, String>) {
    let key = match master_key::load(config) {
        Ok(key) => key,
        Err(error) => return (Err(error.to_string()), schema(config).await.map(|(found, _)| found)),
    };
    let (found, look) = match schema(config).await {
        Ok(found) => found,
        Err(error) => return (Ok(if key.is_some() { "readable" } else { "none yet" }.to_owned()), Err(error)),
    };
    let relation = match look {
        Some(mut look) => master_key::relation(&mut look.conn(), key.as_ref()).await,
        None => Ok(Relation::Unused),
    };
    let key = match (relation, key) {
        (Err(error), _) => Err(error.to_string()),
        (Ok(Relation::Other(stored)), key) => {
            Err(master_key::refusal(config, key.as_ref(), stored.as_deref()).to_string())
        }
        (Ok(Relation::Same), Some(key)) => Ok(format!("fits the database (fingerprint {})", master_key::shown(&key))),
        (Ok(_), Some(key)) => Ok(format!("readable, not used yet (fingerprint {})", master_key::shown(&key))),
        (Ok(_), None) => Ok("none yet; the first start creates it".to_owned()),
    };
    (key, Ok(found))
}

/// Finding about the schema, and a connection if there is one.
async fn schema(config: &Config) -> Result<(String, Option<Inspection>), String> {
    let shown = config.database.shown();
    let open = Inspection::open(&config.database).await.map_err(|error| error.to_string())?;
    let Some(mut look) = open else { return Ok((format!("{shown} does not exist yet; serve creates it"), None)) };
    Ok(match look.schema().await.map_err(|error| error.to_string())? {
        Schema::Empty => (format!("{shown} opens, without tables; serve creates them"), None),
        Schema::Current => (format!("{shown} opens, schema current"), Some(look)),
        Schema::Older(count) => {
            let wait = if count == 1 { "1 migration waits" } else { &format!("{count} migrations wait") };
            (format!("{shown} opens; {wait} for serve or migrate"), Some(look))
        }
        Schema::Newer => return Err(format!("{shown} was written by a newer version of Chasqui")),
    })
}

fn of<E: ToString>(name: &'static str, result: Result<String, E>, fix: &str) -> Check {
    match result {
        Ok(detail) => Check { name, ok: true, detail, fix: None },
        Err(error) => Check { name, ok: false, detail: error.to_string(), fix: Some(fix.into()) },
    }
}
