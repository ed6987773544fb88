//! `chasqui doctor`: checks everything that a server needs, without starting one.

use crate::{Config, operator::Operator, start};
use gateways::llm::{ModelClient, config::resolve};
use secrecy::ExposeSecret as _;

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
