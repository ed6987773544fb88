//! Typed configuration, parsed once at start. Later layers win: defaults, file, environment, flags.

use crate::{
    connections::ConnectionLimits,
    hosts::Hosts,
    project_limits::ProjectLimits,
    settings::{SETTINGS, Setting},
    state::{Phone, SignUp},
};
use domain::{Span, agent::nearest};
use gateways::{
    llm::{
        Provider,
        config::{LlmSettings, OllamaProbe},
    },
    whatsapp::GraphVersion,
};
use ipnet::IpNet;
use runtime::{Clock, Sandbox};
use secrecy::SecretString;
use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};
use store::{CommitObserver, DatabaseUrl};

#[derive(Debug, Clone)]
pub struct Config {
    /// Listen address; port 0 picks a free port.
    pub listen: SocketAddr,
    /// Listen address of metrics and deep health; `None` for none.
    pub operations_listen: Option<SocketAddr>,
    /// False if that address is only the default: then a used port is no error.
    pub operations_required: bool,
    /// Limits of connections to `listen`.
    pub connections: ConnectionLimits,
    /// Data folder.
    pub data_dir: PathBuf,
    pub database: DatabaseUrl,
    /// Public base URL, which Meta calls.
    pub public_url: Option<String>,
    /// Names that a request may have as its `Host`.
    pub hosts: Hosts,
    pub log: String,
    /// Wraps stored secrets. Read from the data folder if absent.
    pub master_key: Option<SecretString>,
    /// Default language model.
    pub llm: LlmSettings,
    /// Base URL of a local Ollama.
    pub ollama: OllamaProbe,
    /// Model used if no other is configured or found; needs no network.
    pub offline_model: Provider,
    /// Provider keys from the environment, by variable.
    pub provider_keys: BTreeMap<String, SecretString>,
    pub graph_base_url: String,
    pub graph_version: GraphVersion,
    /// App secrets; any of them may sign a webhook.
    pub app_secrets: Vec<SecretString>,
    /// Verify token of the webhook handshake.
    pub verify_token: Option<SecretString>,
    /// Embedded sign-up on pages of setup links, if configured.
    pub sign_up: Option<SignUp>,
    /// Number shared by sandbox sessions.
    pub sandbox: Option<Sandbox>,
    /// Private networks that user-given URLs may reach.
    pub egress_allow: Vec<IpNet>,
    /// Wait for a status before an unconfirmed send is settled by its policy.
    pub reconcile_window: Span,
    /// API requests per minute, key and node; 0 for no limit.
    pub rate_limit_per_minute: u32,
    /// Limits of each project.
    pub projects: ProjectLimits,
    /// Emulated phone of the dashboard; only `dev` sets it.
    pub phone: Phone,
    /// Clock for everything except leases.
    pub clock: Clock,
    /// False in tests that step the workers.
    pub run_workers: bool,
    /// Called with the name of each committed transaction, for tests that count commits.
    pub observer: Observer,
}

#[derive(Clone, Default)]
pub struct Observer(pub Option<CommitObserver>);

impl std::fmt::Debug for Observer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Observer" } else { "none" })
    }
}

/// A setting's value and its source.
#[derive(Debug, Clone)]
pub struct Given {
    pub value: String,
    /// `default`, a file name, a variable or `flag`.
    pub origin: String,
}

pub type Values = BTreeMap<&'static str, Given>;

/// An unusable setting.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// Collects the settings of all layers; later ones win. Unknown keys in the file are errors.
pub fn collect(
    file: Option<&Path>,
    env: &dyn Fn(&str) -> Option<String>,
    flags: &[(&'static str, String)],
) -> Result<Values, ConfigError> {
    let default = |setting: &Setting| (setting.key, Given { value: setting.default.into(), origin: "default".into() });
    let mut values: Values = SETTINGS.iter().map(default).collect();
    if let Some(path) = file {
        let text =
            std::fs::read_to_string(path).map_err(|error| ConfigError(format!("{}: {error}", path.display())))?;
        read_file(&text, &path.display().to_string(), &mut values)?;
    }
    for setting in SETTINGS {
        if let Some(value) = env(setting.variable) {
            values.insert(setting.key, Given { value, origin: setting.variable.into() });
        }
    }
    for (key, value) in flags {
        values.insert(key, Given { value: value.clone(), origin: "flag".into() });
    }
    Ok(values)
}

fn read_file(text: &str, name: &str, values: &mut Values) -> Result<(), ConfigError> {
    let table: toml::Table =
        toml::from_str(text).map_err(|error| ConfigError(format!("{name}: {}", error.message())))?;
    for (section, content) in &table {
        let Some(content) = content.as_table() else {
            return Err(ConfigError(format!("{name}: '{section}' must be a section such as [server]")));
        };
        for (key, value) in content {
            let full = format!("{section}.{key}");
            let Some(setting) = SETTINGS.iter().find(|setting| setting.key == full) else {
                let hint = nearest(&full, SETTINGS.iter().map(|setting| setting.key));
                let hint = hint.map(|near| format!("; did you mean '{near}'?")).unwrap_or_default();
                return Err(ConfigError(format!("{name}: there is no setting '{full}'{hint}")));
            };
            let text = match value {
                toml::Value::String(text) => text.clone(),
                toml::Value::Array(items) => items.iter().filter_map(toml::Value::as_str).collect::<Vec<_>>().join(","),
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Boolean(flag) => flag.to_string(),
                _ => return Err(ConfigError(format!("{name}: {full} must be a text"))),
            };
            values.insert(setting.key, Given { value: text, origin: name.into() });
        }
    }
    Ok(())
}

/// Parses networks and single addresses, separated by commas. The error is the wrong one.
fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    let network = |text: &str| text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    let given = text.split(',').map(str::trim).filter(|text| !text.is_empty());
    given.map(|text| network(text).map_err(|_| text.to_owned())).collect()
}

impl Config {
    /// Parses the collected settings. Also reads provider keys from the environment.
    pub fn read(
        values: &Values,
        env: &dyn Fn(&str) -> Option<String>,
        offline_model: Provider,
    ) -> Result<Self, ConfigError> {
        let text = |key: &'static str| values.get(key).map(|given| given.value.trim().to_owned()).unwrap_or_default();
        let given = |key| Some(text(key)).filter(|value| !value.is_empty());
        let secret = |key| given(key).map(SecretString::from);
        let bad = |key: &str, why: &dyn std::fmt::Display| ConfigError(format!("{key}: {why}"));
        let data_dir = PathBuf::from(text("server.data_dir"));
        let database = match given("database.url") {
            Some(url) => DatabaseUrl::parse(&url).map_err(|error| bad("database.url", &error))?,
            None => DatabaseUrl::Sqlite(data_dir.join("chasqui.db")),
        };
        let provider =
            given("llm.provider").map(|name| name.parse()).transpose().map_err(|error| bad("llm.provider", &error))?;
        let networks = |key| networks(&text(key)).map_err(|network| bad(key, &format!("'{network}' is not a network")));
        let operations_listen = match text("server.operations_listen").as_str() {
            "off" => None,
            address => Some(address.parse().map_err(|error| bad("server.operations_listen", &error))?),
        };
        let number = |key| text(key).parse::<usize>().map_err(|error| bad(key, &error));
        let connections = ConnectionLimits {
            total: number("server.max_connections")?.max(1),
            per_address: number("server.connections_per_address")?,
            proxies: networks("server.trusted_proxies")?,
            ..ConnectionLimits::DEFAULT
        };
        let sandbox = given("sandbox.phone_number_id").map(|phone_number_id| Sandbox {
            phone_number_id,
            phone_number: text("sandbox.phone_number").chars().filter(char::is_ascii_digit).collect(),
            access_token: secret("sandbox.access_token").unwrap_or_default(),
        });
        let window: u32 =
            text("outbox.reconcile_window_ms").parse().map_err(|error| bad("outbox.reconcile_window_ms", &error))?;
        let count = |key| text(key).parse::<u32>().map_err(|error| bad(key, &error));
        let graph_version: GraphVersion =
            text("whatsapp.graph_version").parse().map_err(|error| bad("whatsapp.graph_version", &error))?;
        Ok(Self {
            operations_listen,
            operations_required: values.get("server.operations_listen").is_some_and(|given| given.origin != "default"),
            connections,
            listen: text("server.listen").parse().map_err(|error| bad("server.listen", &error))?,
            database,
            public_url: given("server.public_url"),
            hosts: Hosts::of(&text("server.hosts")),
            log: text("server.log"),
            master_key: secret("secrets.master_key"),
            llm: LlmSettings {
                provider,
                base_url: given("llm.base_url"),
                api_key: secret("llm.api_key"),
                model: given("llm.model"),
                ..LlmSettings::default()
            },
            ollama: OllamaProbe::default(),
            offline_model,
            provider_keys: gateways::llm::key_variables()
                .filter_map(|key| Some((key.to_owned(), env(key)?.into())))
                .collect(),
            graph_base_url: text("whatsapp.graph_base_url"),
            graph_version: graph_version.clone(),
            app_secrets: text("whatsapp.app_secret")
                .split(',')
                .filter(|one| !one.trim().is_empty())
                .map(|one| one.trim().into())
                .collect(),
            verify_token: secret("whatsapp.verify_token"),
            sign_up: given("whatsapp.app_id").map(|app_id| SignUp {
                app_id,
                config_id: given("whatsapp.sign_up_config_id"),
                dialog_base_url: text("whatsapp.dialog_base_url"),
                graph_version,
            }),
            sandbox,
            egress_allow: networks("egress.allow")?,
            reconcile_window: Span::from_millis(i64::from(window)),
            rate_limit_per_minute: count("server.rate_limit_per_minute")?,
            projects: ProjectLimits {
                turns: number("projects.turns")?,
                requests_per_minute: count("projects.requests_per_minute")?,
                streams: number("projects.streams")?,
                keys: count("projects.keys")?,
                stored_mib: count("projects.stored_mib")?,
            },
            phone: Phone::None,
            clock: Clock::System,
            run_workers: true,
            observer: Observer::default(),
            data_dir,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn flags_override_environment_file_and_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("chasqui.toml");
        std::fs::write(&file, "[server]\nlisten = \"127.0.0.1:1\"\ndata_dir = \"from-file\"\nlog = \"warn\"").unwrap();
        let env = |name: &str| match name {
            "CHASQUI_DATA_DIR" => Some("from-env".into()),
            "CHASQUI_LOG" => Some("error".into()),
            _ => None,
        };
        let values = collect(Some(&file), &env, &[("server.log", "debug".into())]).unwrap();
        let config = Config::read(&values, &env, rehearsal::provider()).unwrap();
        assert_eq!(config.listen.port(), 1);
        assert_eq!(config.data_dir, Path::new("from-env"));
        assert_eq!(config.log, "debug");
        assert_eq!(config.graph_version.to_string(), "v25.0");
        assert_eq!(values["server.data_dir"].origin, "CHASQUI_DATA_DIR");
    }

    #[test]
    fn unknown_key_error_suggests_the_nearest_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("chasqui.toml");
        std::fs::write(&file, "[server]\nlisen = \"127.0.0.1:1\"").unwrap();
        let error = collect(Some(&file), &none, &[]).unwrap_err().to_string();
        assert!(error.contains("server.lisen") && error.contains("did you mean 'server.listen'?"), "{error}");
    }

    #[test]
    fn invalid_values_are_reported_by_key() {
        for (key, value) in [
            ("server.listen", "nowhere"),
            ("llm.provider", "Oracle"),
            ("whatsapp.graph_version", "25"),
            ("egress.allow", "10.0.0.0/99"),
            ("server.operations_listen", "somewhere"),
            ("server.max_connections", "many"),
            ("server.trusted_proxies", "10.0.0.0/8,proxy"),
            ("outbox.reconcile_window_ms", "soon"),
            ("server.rate_limit_per_minute", "-1"),
            ("projects.turns", "-1"),
            ("projects.requests_per_minute", "many"),
            ("projects.streams", "x"),
            ("projects.keys", "-5"),
            ("projects.stored_mib", "1 GiB"),
            ("database.url", "mysql://x"),
        ] {
            let values = collect(None, &none, &[(key, value.into())]).unwrap();
            let error = Config::read(&values, &none, rehearsal::provider()).unwrap_err().to_string();
            assert!(error.starts_with(key), "{error}");
        }
    }
}
