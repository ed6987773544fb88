//! Settings of a command: defaults, `--config`, variables, flags, in rising precedence.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::Result;
use clap::Args as Flags;
use server::{
    Config,
    config::{self, Given, Values},
};

/// Flags of every command that opens the database.
#[derive(Debug, Default, Flags)]
pub struct SettingFlags {
    /// Folder of the database file, the master key and the lock [env: CHASQUI_DATA_DIR]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// sqlite:PATH or postgres://… [env: CHASQUI_DATABASE_URL] [default: in the data folder]
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
    /// Configuration file; `doctor --default-config` prints one
    #[arg(long, value_name = "FILE", env = "CHASQUI_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
}

/// Reads an environment variable; an empty one counts as absent.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// Collects the values of all layers.
pub fn collect(flags: &SettingFlags, listen: Option<SocketAddr>) -> Result<Values> {
    let mut given: Vec<(&'static str, String)> = Vec::new();
    if let Some(listen) = listen {
        given.push(("server.listen", listen.to_string()));
    }
    if let Some(folder) = &flags.data_dir {
        given.push(("server.data_dir", folder.display().to_string()));
    }
    if let Some(database) = &flags.database {
        given.push(("database.url", database.clone()));
    }
    Ok(config::collect(flags.config.as_deref(), &variable, &given)?)
}

/// Parses the settings.
pub fn read(values: &Values) -> Result<Config> {
    Ok(Config::read(values, &variable, rehearsal::provider())?)
}

/// Reads the settings of a command that does not listen.
pub fn load(flags: &SettingFlags) -> Result<Config> {
    read(&collect(flags, None)?)
}

/// True if the value comes from a file, a variable or a flag.
pub fn is_given(values: &Values, key: &str) -> bool {
    values.get(key).is_some_and(|given| given.origin != "default")
}

/// Sets a value, overriding a given one. `command` becomes its origin.
pub fn set(values: &mut Values, key: &'static str, value: impl Into<String>, command: &str) {
    values.insert(key, Given { value: value.into(), origin: command.to_owned() });
}

/// Sets a value unless one was given.
pub fn set_default(values: &mut Values, key: &'static str, value: impl Into<String>, command: &str) {
    if !is_given(values, key) {
        set(values, key, value, command);
    }
}

pub fn text<'v>(values: &'v Values, key: &str) -> &'v str {
    values.get(key).map_or("", |given| given.value.as_str())
}
