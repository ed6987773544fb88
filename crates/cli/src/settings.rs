//! Settings of a command: defaults, `--config`, variables, flags, in rising precedence.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use clap::Args as Flags;
use server::{
    Config,
    config::{self, Given, Values},
    operator::{Operator, OperatorError},
};

use crate::output;

/// Data folder of `dev` unless another is given.
pub const DEV_DATA_DIR: &str = ".chasqui/dev";

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

/// Reads the settings of a command on an existing database.
pub fn load(flags: &SettingFlags) -> Result<Config> {
    read(&collect_existing(flags)?)
}

/// Collects the values of a command on an existing database. If no place is given, the one data
/// folder here that has a database is used: the default one, or that of `dev`.
pub fn collect_existing(flags: &SettingFlags) -> Result<Values> {
    let mut values = collect(flags, None)?;
    if !has_place(&values) {
        let default = text(&values, "server.data_dir").to_owned();
        let found: Vec<&str> =
            [default.as_str(), DEV_DATA_DIR].into_iter().filter(|folder| has_database(folder)).collect();
        match found[..] {
            [] => {}
            [one] => set(&mut values, "server.data_dir", one, "found"),
            _ => bail!("there are databases in {default} and in {}; name one with --data-dir", DEV_DATA_DIR),
        }
    }
    Ok(values)
}

/// True if the place of the database is given, so that a new one there is no accident.
pub fn has_place(values: &Values) -> bool {
    is_given(values, "server.data_dir") || is_given(values, "database.url")
}

fn has_database(folder: &str) -> bool {
    Path::new(folder).join("chasqui.db").exists()
}

/// Opens the database of a command that may create it. It does so only at a given place.
pub async fn open_or_create(flags: &SettingFlags) -> Result<Operator> {
    let values = collect_existing(flags)?;
    let config = read(&values)?;
    match Operator::open(&config).await {
        Err(OperatorError::NoDatabase(_)) if has_place(&values) => {
            let operator = Operator::open_or_create(&config).await?;
            output::note(format_args!("created the database {}", config.database.shown()));
            Ok(operator)
        }
        opened => Ok(opened?),
    }
}

/// Refuses a variable that looks like a setting and is none: a misspelt one would be ignored.
pub fn refuse_unknown_variables() -> Result<()> {
    let set: Vec<(String, String)> = std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .collect();
    let unknown = server::settings::unknown_variable(set.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let Some((name, nearest)) = unknown else { return Ok(()) };
    let hint = nearest.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    bail!("there is no variable {name}{hint} All are listed by: chasqui doctor --default-config")
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
