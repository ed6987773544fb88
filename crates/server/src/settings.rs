//! The table of all settings: file key, variable, default and description. The commented default
//! file, the parsing of file and environment, and `doctor` use it.

use domain::agent::nearest;
use runtime::failpoint;

#[derive(Debug)]
pub struct Setting {
    /// `section.key` in the file.
    pub key: &'static str,
    /// The environment variable.
    pub variable: &'static str,
    /// Default as written; empty for none.
    pub default: &'static str,
    /// True hides the value.
    pub secret: bool,
    /// Description in the default file.
    pub about: &'static str,
}

const fn open(key: &'static str, variable: &'static str, default: &'static str, about: &'static str) -> Setting {
    Setting { key, variable, default, secret: false, about }
}

const fn secret(key: &'static str, variable: &'static str, about: &'static str) -> Setting {
    Setting { key, variable, default: "", secret: true, about }
}

/// All settings, in the order of the default file.
pub const SETTINGS: &[Setting] = &[
    open(
        "server.listen",
        "CHASQUI_LISTEN",
        "127.0.0.1:4000",
        "Address and port of the API, webhooks and health checks.",
    ),
    open(
        "server.operations_listen",
        "CHASQUI_OPERATIONS_LISTEN",
        "127.0.0.1:4090",
        "Address and port of /metrics and /health/deep, which need no key; off: none.",
    ),
    open(
        "server.max_connections",
        "CHASQUI_MAX_CONNECTIONS",
        "4096",
        "Open connections in all; fewer if the limit of open files is low.",
    ),
    open(
        "server.connections_per_address",
        "CHASQUI_CONNECTIONS_PER_ADDRESS",
        "512",
        "Open connections of an address, or of a /64 network of IPv6; 0 for no limit.",
    ),
    open(
        "server.trusted_proxies",
        "CHASQUI_TRUSTED_PROXIES",
        "",
        "Addresses or networks of proxies in front of this server: their X-Forwarded-For is accepted, and they have no \
         limit of connections of their own.",
    ),
    open(
        "server.data_dir",
        "CHASQUI_DATA_DIR",
        ".chasqui",
        "Folder of the database file, the master key and the lock.",
    ),
    open("server.public_url", "CHASQUI_PUBLIC_URL", "", "Public base URL of this server, which Meta calls."),
    open(
        "server.hosts",
        "CHASQUI_HOSTS",
        "",
        "Names that requests may have as their Host, separated by commas, besides addresses and localhost; empty: any.",
    ),
    open(
        "server.rate_limit_per_minute",
        "CHASQUI_RATE_LIMIT_PER_MINUTE",
        "100",
        "API requests per minute, key and node; 0 for no limit.",
    ),
    open("server.log", "CHASQUI_LOG", "info", "Log filter, e.g. info or chasqui=debug; json:FILTER writes JSON lines."),
    open(
        "projects.turns",
        "CHASQUI_PROJECT_TURNS",
        "50",
        "Turns under way at once, per project and node; 0 for no limit. The last quarter of a node's 256 is for \
         projects that have none under way.",
    ),
    open(
        "projects.requests_per_minute",
        "CHASQUI_PROJECT_REQUESTS_PER_MINUTE",
        "1000",
        "API requests per minute, project and node, with any of its keys; 0 for no limit.",
    ),
    open(
        "projects.streams",
        "CHASQUI_PROJECT_STREAMS",
        "50",
        "Open event streams, per project and node; 0 for no limit.",
    ),
    open("projects.keys", "CHASQUI_PROJECT_KEYS", "100", "API keys of a project that are not revoked; 0 for no limit."),
    open(
        "projects.stored_mib",
        "CHASQUI_PROJECT_STORED_MIB",
        "10240",
        "MiB of files and versions of agents that are stored for a project; 0 for no limit.",
    ),
    open(
        "database.url",
        "CHASQUI_DATABASE_URL",
        "",
        "sqlite:PATH or postgres://…; empty: chasqui.db in the data folder.",
    ),
    secret(
        "secrets.master_key",
        "CHASQUI_MASTER_KEY",
        "64 hex digits that wrap all stored secrets; empty: master.key in the data folder, made at first start.",
    ),
    open(
        "llm.provider",
        "CHASQUI_LLM_PROVIDER",
        "",
        "OpenAI, AzureOpenAI, Anthropic, Google, OpenRouter, Mistral, DeepSeek, Groq, OpenAICompatible or Rehearsal; empty: the first that is available.",
    ),
    open(
        "llm.base_url",
        "CHASQUI_LLM_BASE_URL",
        "",
        "Base URL of the model's server; without a provider one that speaks OpenAI's chat completions, e.g. http://127.0.0.1:11434/v1.",
    ),
    secret("llm.api_key", "CHASQUI_LLM_API_KEY", "API key of the provider."),
    open("llm.model", "CHASQUI_LLM_MODEL", "", "Model name; empty: the provider's default."),
    open(
        "whatsapp.graph_base_url",
        "CHASQUI_GRAPH_BASE_URL",
        "https://graph.facebook.com",
        "Meta's Graph host, or the emulator's.",
    ),
    open(
        "whatsapp.graph_version",
        "CHASQUI_GRAPH_VERSION",
        "v25.0",
        "Version of the Graph API; doctor says when Meta ends it.",
    ),
    secret(
        "whatsapp.app_secret",
        "CHASQUI_META_APP_SECRET",
        "Secret that signs Meta's webhooks; several, separated by commas, during a rotation.",
    ),
    secret("whatsapp.verify_token", "CHASQUI_META_VERIFY_TOKEN", "Token that Meta sends in the webhook handshake."),
    open(
        "whatsapp.app_id",
        "CHASQUI_META_APP_ID",
        "",
        "Id of the Meta app for embedded sign-up on pages of setup links; empty: credentials only.",
    ),
    open(
        "whatsapp.sign_up_config_id",
        "CHASQUI_META_SIGN_UP_CONFIG_ID",
        "",
        "Configuration of Facebook Login for Business that the sign-up uses.",
    ),
    open(
        "whatsapp.dialog_base_url",
        "CHASQUI_META_DIALOG_BASE_URL",
        "https://www.facebook.com",
        "Host of Meta's sign-up dialog, or the emulator's.",
    ),
    open(
        "sandbox.phone_number_id",
        "CHASQUI_SANDBOX_PHONE_NUMBER_ID",
        "",
        "Meta's id of the number shared by sandbox sessions; empty: no sandbox.",
    ),
    open("sandbox.phone_number", "CHASQUI_SANDBOX_PHONE_NUMBER", "", "That number, with country code."),
    secret("sandbox.access_token", "CHASQUI_SANDBOX_ACCESS_TOKEN", "Meta's token for that number."),
    open(
        "outbox.reconcile_window_ms",
        "CHASQUI_OUTBOX_RECONCILE_WINDOW_MS",
        "30000",
        "Wait for a status from WhatsApp before a send with a lost response is repeated, in milliseconds.",
    ),
    open(
        "egress.allow",
        "CHASQUI_EGRESS_ALLOW",
        "",
        "Private networks that URLs of agents may reach, e.g. 10.1.0.0/16,127.0.0.1/32.",
    ),
];

/// Variables of single commands, not allowed in the file: name and description.
pub const COMMAND_VARIABLES: &[(&str, &str)] = &[
    ("CHASQUI_CONFIG", "The settings file, as --config."),
    ("CHASQUI_EMULATOR_LISTEN", "Listen address of the emulated WhatsApp, for dev and emulator."),
    ("CHASQUI_EMULATOR_URL", "URL of a separate emulator, for dev and phone."),
    ("CHASQUI_EMULATOR_TOKEN", "Token of an emulator that other machines can reach, for dev, emulator and phone."),
    ("CHASQUI_EMULATOR_SEED", "Seed of all random values in the emulator."),
    ("CHASQUI_EMULATOR_CALLBACK", "URL to which the emulator sends webhooks."),
    ("CHASQUI_ORDERS_LISTEN", "Listen address of the sample order service, for dev and emulator."),
    ("CHASQUI_PHONE", "Phone number of the phone command."),
    ("CHASQUI_LOGIN_EMAIL", "E-mail address that login approve signs in."),
    ("CHASQUI_PROJECT", "The project of keys create."),
    ("CHASQUI_DEMO_LANGUAGE", "The language of demo: en, es or pt."),
];

/// The first variable that looks like a setting and is none, with the nearest name.
pub fn unknown_variable<'v>(set: impl Iterator<Item = (&'v str, &'v str)>) -> Option<(&'v str, Option<&'static str>)> {
    let known = || {
        let settings = SETTINGS.iter().map(|setting| setting.variable);
        settings.chain(COMMAND_VARIABLES.iter().map(|(variable, _)| *variable))
    };
    let in_tests = |name: &str| cfg!(feature = "failpoints") && failpoint::VARIABLES.contains(&name);
    let is_unknown = |(name, value): &(&str, &str)| {
        let ours = name.starts_with("CHASQUI_") && !value.trim().is_empty() && !is_service_link(name, value);
        ours && !in_tests(name) && known().all(|variable| variable != *name)
    };
    set.into_iter().find(is_unknown).map(|(name, _)| (name, nearest(name, known())))
}

/// Kubernetes sets such variables in every container for a service called `chasqui…`.
fn is_service_link(name: &str, value: &str) -> bool {
    let is_port = |text: &str| text.split('_').next().is_some_and(|port| port.parse::<u16>().is_ok());
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || (name.ends_with("_PORT") && value.contains("://"))
        || name.split_once("_PORT_").is_some_and(|(_, rest)| is_port(rest))
}

/// Default file: every setting commented out, with its description.
pub fn default_file() -> String {
    let mut text =
        String::from("# Chasqui's settings. Each can also be set by the environment variable in parentheses.\n");
    let mut section = "";
    for setting in SETTINGS {
        let (of, key) = setting.key.split_once('.').unwrap_or(("", setting.key));
        if of != section {
            section = of;
            text.push_str(&format!("\n[{section}]\n"));
        }
        text.push_str(&format!("# {} ({})\n# {key} = \"{}\"\n", setting.about, setting.variable, setting.default));
    }
    text.push_str("\n# Variables of single commands, which have no place in this file:\n");
    for (variable, about) in COMMAND_VARIABLES {
        text.push_str(&format!("# {variable}: {about}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_variable_is_found_with_the_nearest_name() {
        let found = |name, value| unknown_variable([("HOME", "/"), (name, value)].into_iter());
        assert_eq!(found("CHASQUI_LISTN", "x"), Some(("CHASQUI_LISTN", Some("CHASQUI_LISTEN"))));
        assert_eq!(found("CHASQUI_QQQQQQQQQQQQQQQQQ", "x"), Some(("CHASQUI_QQQQQQQQQQQQQQQQQ", None)));
        for setting in SETTINGS {
            assert_eq!(found(setting.variable, "x"), None);
        }
        for (variable, _) in COMMAND_VARIABLES {
            assert_eq!(found(variable, "x"), None);
        }
        for (name, value) in [
            ("CHASQUI_LISTN", " "),
            ("CHASQUI_SERVICE_HOST", "10.0.0.1"),
            ("CHASQUI_SERVICE_PORT_HTTP", "4000"),
            ("CHASQUI_PORT", "tcp://10.0.0.1:4000"),
            ("CHASQUI_PORT_4000_TCP_ADDR", "10.0.0.1"),
        ] {
            assert_eq!(found(name, value), None, "{name}");
        }
    }

    #[test]
    fn default_file_contains_every_setting_and_its_variable() {
        let text = default_file();
        for setting in SETTINGS {
            assert!(text.contains(setting.variable), "{}", setting.variable);
            assert!(text.contains(&format!("# {} = ", setting.key.rsplit('.').next().unwrap())), "{}", setting.key);
        }
        assert!(toml::from_str::<toml::Table>(&text).is_ok(), "it must be a file that can be read");
    }
}
