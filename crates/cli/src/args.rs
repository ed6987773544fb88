//! Commands and flags. Every flag has a variable. Variables of settings are read by
//! `server::config`, the others here.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args as Flags, Parser, Subcommand};

use crate::{commands::demo::Language, settings::SettingFlags};

pub use crate::access_args::{
    ArchiveProject, CreateKey, CreateProject, DeleteProject, InviteUser, KeysCommand, ListKeys, ListProjects,
    ListUsers, ProjectsCommand, RemoveUser, RenameProject, ResetUser, RevokeKey, RotateKey, UsersCommand,
};

/// Phone of the sandbox session in `dev` and default of `phone`.
pub const DEFAULT_PHONE: &str = "+5511999990001";

/// Self-hosted platform for WhatsApp AI agents.
#[derive(Debug, Parser)]
#[command(name = "chasqui", version, arg_required_else_help = true, disable_help_subcommand = true)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run server, emulated WhatsApp, sample order service and a demo agent on this machine
    Dev(DevArgs),
    /// Run one whole conversation against the real server and check it
    Demo(DemoArgs),
    /// Use a phone on the emulated WhatsApp
    Phone(PhoneArgs),
    /// Run the server
    Serve(ServeArgs),
    /// Run only the emulated WhatsApp
    Emulator(EmulatorArgs),
    /// Create, list, rename and archive projects
    #[command(subcommand)]
    Projects(ProjectsCommand),
    /// Create, list and revoke API keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Invite, list, reset and remove people
    #[command(subcommand)]
    Users(UsersCommand),
    /// Stop executions, and list work that was parked
    #[command(subcommand)]
    Executions(ExecutionsCommand),
    /// Approve sign-ins from a command line
    #[command(subcommand)]
    Login(LoginCommand),
    /// Update the database schema
    Migrate(SettingFlags),
    /// Write a backup of the SQLite database, also while a server runs
    Backup(BackupArgs),
    /// Put a backup in place; what it was about to send is not sent again
    Restore(RestoreArgs),
    /// Replay an execution's journal and compare the effects with the stored ones
    Replay(ReplayArgs),
    /// Show the settings and check for problems
    Doctor(DoctorArgs),
    /// Print the OpenAPI document of the API
    Openapi(OpenapiArgs),
}

#[derive(Debug, Flags)]
pub struct OpenapiArgs {
    /// Print the document of the dashboard's session routes instead
    #[arg(long)]
    pub app: bool,
}

#[derive(Debug, Flags)]
pub struct BackupArgs {
    /// File to be written; it must not exist
    pub file: PathBuf,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: SettingFlags,
}

#[derive(Debug, Flags)]
pub struct RestoreArgs {
    /// Backup that is copied into the data folder, which must have no database
    #[arg(required_unless_present = "quarantine_only")]
    pub file: Option<PathBuf>,
    /// Only quarantine the configured database, which was restored by other means (PostgreSQL)
    #[arg(long, conflicts_with_all = ["file", "no_quarantine"])]
    pub quarantine_only: bool,
    /// Send and answer what was open: only if the original was stopped before the backup and has
    /// not run since
    #[arg(long)]
    pub no_quarantine: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: SettingFlags,
}

#[derive(Debug, Flags)]
pub struct ReplayArgs {
    /// Execution id, or `all` for the first thousand
    #[arg(value_name = "EXECUTION")]
    pub execution: String,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: SettingFlags,
}

#[derive(Debug, Flags)]
pub struct ServeArgs {
    /// Address of API and webhooks; port 0 takes a free one [env: CHASQUI_LISTEN] [default:
    /// 127.0.0.1:4000]
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub listen: Option<SocketAddr>,
    #[command(flatten)]
    pub settings: SettingFlags,
}

#[derive(Debug, Flags)]
pub struct DevArgs {
    /// Address of API and webhooks; port 0 takes a free one [env: CHASQUI_LISTEN] [default:
    /// 127.0.0.1:4000]
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub listen: Option<SocketAddr>,
    /// Address of the emulated WhatsApp
    #[arg(
        long,
        value_name = "ADDR",
        env = "CHASQUI_EMULATOR_LISTEN",
        value_parser = address,
        default_value = "127.0.0.1:4100"
    )]
    pub emulator_listen: SocketAddr,
    /// Use a running emulator instead of starting one
    #[arg(long, value_name = "URL", env = "CHASQUI_EMULATOR_URL")]
    pub emulator_url: Option<String>,
    #[command(flatten)]
    pub exposure: ExposureFlags,
    /// Address of the sample order service
    #[arg(
        long,
        value_name = "ADDR",
        env = "CHASQUI_ORDERS_LISTEN",
        value_parser = address,
        default_value = "127.0.0.1:4200"
    )]
    pub orders_listen: SocketAddr,
    #[command(flatten)]
    pub settings: SettingFlags,
}

#[derive(Debug, Flags)]
pub struct DemoArgs {
    /// Print one JSON document instead of the transcript
    #[arg(long)]
    pub json: bool,
    /// Language of the customer
    #[arg(long, value_enum, env = "CHASQUI_DEMO_LANGUAGE", default_value = "en")]
    pub language: Language,
    /// Data folder [env: CHASQUI_DATA_DIR] [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// sqlite:PATH or postgres://… [env: CHASQUI_DATABASE_URL] [default: in the data folder]
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
}

#[derive(Debug, Flags)]
pub struct PhoneArgs {
    /// Phone number, or the emulator's key of a contact
    #[arg(long = "as", value_name = "PHONE", env = "CHASQUI_PHONE", default_value = DEFAULT_PHONE, global = true)]
    pub contact: String,
    /// Number of the business: as it is dialled, or its Graph id; default: the sandbox's
    #[arg(long, value_name = "NUMBER", global = true)]
    pub to: Option<String>,
    /// URL of the emulator
    #[arg(
        long,
        value_name = "URL",
        env = "CHASQUI_EMULATOR_URL",
        default_value = "http://127.0.0.1:4100",
        global = true
    )]
    pub emulator_url: String,
    /// Token of an emulator that was started with --expose
    #[arg(long, value_name = "TOKEN", env = "CHASQUI_EMULATOR_TOKEN", hide_env_values = true, global = true)]
    pub emulator_token: Option<String>,
    /// Without a command the phone is interactive.
    #[command(subcommand)]
    pub command: Option<PhoneCommand>,
}

#[derive(Debug, Subcommand)]
pub enum PhoneCommand {
    /// Send one message
    Send(SendArgs),
    /// Tap a button or a list row of the latest message that has some
    Tap(TapArgs),
    /// Send a picture, video, voice message or document
    File(FileArgs),
}

#[derive(Debug, Flags)]
pub struct TapArgs {
    /// Number or title of the choice
    pub choice: String,
    #[command(flatten)]
    pub answers: AnswerArgs,
}

#[derive(Debug, Flags)]
pub struct FileArgs {
    /// Path of the file; the end of its name decides its type
    pub path: PathBuf,
    /// Text below the file
    #[arg(long)]
    pub caption: Option<String>,
    #[command(flatten)]
    pub answers: AnswerArgs,
}

#[derive(Debug, Flags)]
pub struct SendArgs {
    /// Text of the message
    pub text: String,
    #[command(flatten)]
    pub answers: AnswerArgs,
}

#[derive(Debug, Flags)]
pub struct AnswerArgs {
    /// Wait this long for answers and print them, e.g. 10s or 500ms; exit code 1 if none arrives
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub wait: Option<Duration>,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Flags)]
pub struct EmulatorArgs {
    /// Listen address; port 0 takes a free one
    #[arg(
        long,
        value_name = "ADDR",
        env = "CHASQUI_EMULATOR_LISTEN",
        value_parser = address,
        default_value = "127.0.0.1:4100"
    )]
    pub listen: SocketAddr,
    /// Seed of ids and random decisions: the same seed and calls give the same ids
    #[arg(long, value_name = "N", env = "CHASQUI_EMULATOR_SEED", default_value_t = 1)]
    pub seed: u64,
    /// URL that receives webhooks: the server's /webhooks/whatsapp
    #[arg(long, value_name = "URL", env = "CHASQUI_EMULATOR_CALLBACK")]
    pub callback: Option<String>,
    /// Also run the sample order service
    #[arg(long, value_name = "ADDR", env = "CHASQUI_ORDERS_LISTEN", value_parser = address)]
    pub orders_listen: Option<SocketAddr>,
    #[command(flatten)]
    pub exposure: ExposureFlags,
}

/// Flags of commands that run an emulator.
#[derive(Debug, Default, Flags)]
pub struct ExposureFlags {
    /// Allow addresses that other machines can reach; the emulator then needs a token. NAMES:
    /// names of this machine in URLs, separated by commas
    #[arg(long, value_name = "NAMES", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub expose: Option<String>,
    /// Token of an emulator that other machines can reach; made and printed once if absent
    #[arg(long, value_name = "TOKEN", env = "CHASQUI_EMULATOR_TOKEN", hide_env_values = true)]
    pub emulator_token: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum ExecutionsCommand {
    /// List the work that was parked because it ended the server process three times
    List(ListExecutions),
    /// Stop an execution without running it; works without a server
    Stop(StopExecution),
}

#[derive(Debug, Flags)]
pub struct ListExecutions {
    /// List parked work
    #[arg(long, required = true)]
    pub parked: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: SettingFlags,
}

#[derive(Debug, Flags)]
pub struct StopExecution {
    /// Execution id
    #[arg(value_name = "EXECUTION")]
    pub execution: String,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: SettingFlags,
}

#[derive(Debug, Subcommand)]
pub enum LoginCommand {
    /// Approve the code of a pending sign-in; codes are valid for ten minutes
    Approve(ApproveLogin),
}

#[derive(Debug, Flags)]
pub struct ApproveLogin {
    /// Code of the pending sign-in
    pub code: String,
    /// E-mail address of the user who signs in; created if it is new
    #[arg(long, value_name = "ADDRESS", env = "CHASQUI_LOGIN_EMAIL", default_value = "operator@localhost")]
    pub email: String,
    /// Let the sign-in access this project, by id or name, and add the user to it; may be repeated
    #[arg(long, value_name = "NAME_OR_ID", required_unless_present = "operator")]
    pub project: Vec<String>,
    /// Let the sign-in access every project, also later ones, and make the user an operator
    #[arg(long, conflicts_with = "project")]
    pub operator: bool,
    /// Do not ask for confirmation in a terminal
    #[arg(long)]
    pub yes: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: SettingFlags,
}

#[derive(Debug, Flags)]
pub struct DoctorArgs {
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    /// Print the default configuration with explanations, and exit
    #[arg(long)]
    pub default_config: bool,
    #[command(flatten)]
    pub settings: SettingFlags,
}

/// Parses an address with its port. A port alone means 127.0.0.1.
fn address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.parse::<u16>() {
        return Ok(SocketAddr::from(([127, 0, 0, 1], port)));
    }
    text.parse().map_err(|_| "expected an address such as 127.0.0.1:4000, or a port".to_owned())
}

/// Parses `10s`, `500ms`, `2m`, or seconds without a unit.
fn span(text: &str) -> Result<Duration, String> {
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let factor = match unit {
        "ms" => 0.001,
        "s" | "" => 1.0,
        "m" => 60.0,
        _ => return Err("expected a time such as 10s, 500ms or 2m".to_owned()),
    };
    let number: f64 = number.parse().map_err(|_| "expected a time such as 10s, 500ms or 2m".to_owned())?;
    Duration::try_from_secs_f64(number * factor).map_err(|_| "the time is out of range".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn command_definitions_are_valid() {
        Args::command().debug_assert();
    }

    #[test]
    fn port_without_host_means_loopback() {
        assert_eq!(address("0").unwrap().to_string(), "127.0.0.1:0");
        assert_eq!(address("[::1]:4000").unwrap().to_string(), "[::1]:4000");
        assert!(address("localhost").is_err() && address("70000").is_err());
    }

    #[test]
    fn times_parse_with_and_without_a_unit() {
        for (text, millis) in [("10s", 10_000), ("500ms", 500), ("2m", 120_000), ("3", 3_000), ("0.5s", 500)] {
            assert_eq!(span(text).unwrap(), Duration::from_millis(millis), "{text}");
        }
        for text in ["", "soon", "-1s", "1h", "s"] {
            assert!(span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn phone_option_is_accepted_before_and_after_the_command() {
        for words in [["phone", "--as", "ana", "send", "hi"], ["phone", "send", "hi", "--as", "ana"]] {
            let args = Args::try_parse_from(["chasqui"].into_iter().chain(words)).unwrap();
            let Command::Phone(phone) = args.command else { panic!("not a phone") };
            assert_eq!(phone.contact, "ana");
        }
    }

    #[test]
    fn every_variable_is_in_the_default_file() {
        let file = server::settings::default_file();
        let mut commands = vec![Args::command()];
        let mut seen = 0;
        while let Some(command) = commands.pop() {
            for variable in command.get_arguments().filter_map(clap::Arg::get_env) {
                let variable = variable.to_string_lossy();
                assert!(file.contains(variable.as_ref()), "{variable}");
                seen += 1;
            }
            commands.extend(command.get_subcommands().cloned());
        }
        assert!(seen > 5, "{seen}");
    }
}
