//! Commands and flags. Every flag has its variable: those of settings are read by `server::config`, the others here.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args as Flags, Parser, Subcommand};

use crate::{commands::demo::Language, settings::SettingFlags};

/// The phone that `dev` makes a sandbox session for and that `phone` is by default.
pub const DEFAULT_PHONE: &str = "+5511999990001";

/// Self-hosted platform for WhatsApp AI agents.
#[derive(Debug, Parser)]
#[command(name = "chasqui", version, arg_required_else_help = true, disable_help_subcommand = true)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// All commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Try everything on this machine: server, emulated WhatsApp, sample order service, a demo agent
    Dev(DevArgs),
    /// Run one whole conversation between the real parts and check it
    Demo(DemoArgs),
    /// Be a phone on the emulated WhatsApp
    Phone(PhoneArgs),
    /// Run the server
    Serve(ServeArgs),
    /// Run the emulated WhatsApp alone
    Emulator(EmulatorArgs),
    /// Make projects
    #[command(subcommand)]
    Projects(ProjectsCommand),
    /// Make API keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Let people sign in from a command line
    #[command(subcommand)]
    Login(LoginCommand),
    /// Bring the database up to date
    Migrate(SettingFlags),
    /// Feed an execution's journal to the engine again and compare what comes out
    Replay(ReplayArgs),
    /// Show the settings and look for problems
    Doctor(DoctorArgs),
    /// Print the API's OpenAPI document
    Openapi,
}

/// `replay`
#[derive(Debug, Flags)]
pub struct ReplayArgs {
    /// The execution's id, or `all` for the first thousand
    #[arg(value_name = "EXECUTION")]
    pub execution: String,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: SettingFlags,
}

/// `serve`
#[derive(Debug, Flags)]
pub struct ServeArgs {
    /// Address of API and webhooks; port 0 takes a free one [env: CHASQUI_LISTEN] [default: 127.0.0.1:4000]
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub listen: Option<SocketAddr>,
    #[command(flatten)]
    pub settings: SettingFlags,
}

/// `dev`
#[derive(Debug, Flags)]
pub struct DevArgs {
    /// Address of API and webhooks; port 0 takes a free one [env: CHASQUI_LISTEN] [default: 127.0.0.1:4000]
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
    /// Use an emulator that runs apart instead of starting one
    #[arg(long, value_name = "URL", env = "CHASQUI_EMULATOR_URL")]
    pub emulator_url: Option<String>,
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

/// `demo`
#[derive(Debug, Flags)]
pub struct DemoArgs {
    /// Print one JSON document at the end instead of the transcript
    #[arg(long)]
    pub json: bool,
    /// The customer's language
    #[arg(long, value_enum, env = "CHASQUI_DEMO_LANGUAGE", default_value = "en")]
    pub language: Language,
    /// Folder to keep everything in [env: CHASQUI_DATA_DIR] [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// sqlite:PATH or postgres://… [env: CHASQUI_DATABASE_URL] [default: in the folder]
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
}

/// `phone`
#[derive(Debug, Flags)]
pub struct PhoneArgs {
    /// Whose phone: a number, or the emulator's name for a person
    #[arg(long = "as", value_name = "PHONE", env = "CHASQUI_PHONE", default_value = DEFAULT_PHONE, global = true)]
    pub who: String,
    /// Where the emulator is
    #[arg(
        long,
        value_name = "URL",
        env = "CHASQUI_EMULATOR_URL",
        default_value = "http://127.0.0.1:4100",
        global = true
    )]
    pub emulator_url: String,
    /// Without one: an interactive phone.
    #[command(subcommand)]
    pub command: Option<PhoneCommand>,
}

/// What a phone can do besides being interactive.
#[derive(Debug, Subcommand)]
pub enum PhoneCommand {
    /// Send one message
    Send(SendArgs),
}

/// `phone send`
#[derive(Debug, Flags)]
pub struct SendArgs {
    /// The message
    pub text: String,
    /// Wait this long for answers and print them, e.g. 10s or 500ms; ends with 1 if none comes
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub wait: Option<Duration>,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// `emulator`
#[derive(Debug, Flags)]
pub struct EmulatorArgs {
    /// Where to listen; port 0 takes a free one
    #[arg(
        long,
        value_name = "ADDR",
        env = "CHASQUI_EMULATOR_LISTEN",
        value_parser = address,
        default_value = "127.0.0.1:4100"
    )]
    pub listen: SocketAddr,
    /// Everything that looks random comes from this number: the same calls give the same ids
    #[arg(long, value_name = "N", env = "CHASQUI_EMULATOR_SEED", default_value_t = 1)]
    pub seed: u64,
    /// Where webhooks go: the server's /webhooks/whatsapp
    #[arg(long, value_name = "URL", env = "CHASQUI_EMULATOR_CALLBACK")]
    pub callback: Option<String>,
    /// Run the sample order service as well
    #[arg(long, value_name = "ADDR", env = "CHASQUI_ORDERS_LISTEN", value_parser = address)]
    pub orders_listen: Option<SocketAddr>,
}

/// `projects …`
#[derive(Debug, Subcommand)]
pub enum ProjectsCommand {
    /// Make a project and its first API key
    Create(CreateProject),
}

/// `projects create`
#[derive(Debug, Flags)]
pub struct CreateProject {
    /// The project's name
    pub name: String,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: SettingFlags,
}

/// `keys …`
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make an API key; it is shown once
    Create(CreateKey),
}

/// `keys create`
#[derive(Debug, Flags)]
pub struct CreateKey {
    /// The project's id, or its name if no other has it
    #[arg(long, value_name = "NAME_OR_ID", env = "CHASQUI_PROJECT")]
    pub project: String,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: SettingFlags,
}

/// `login …`
#[derive(Debug, Subcommand)]
pub enum LoginCommand {
    /// Approve a code that a command line shows; it is valid for ten minutes
    Approve(ApproveLogin),
}

/// `login approve`
#[derive(Debug, Flags)]
pub struct ApproveLogin {
    /// The code
    pub code: String,
    /// Who signs in; made if there is no such user
    #[arg(long, value_name = "ADDRESS", env = "CHASQUI_LOGIN_EMAIL", default_value = "operator@localhost")]
    pub email: String,
    /// Makes them a member of this project, by id or name; may be repeated. Without it they see every project
    #[arg(long, value_name = "NAME_OR_ID")]
    pub project: Vec<String>,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub settings: SettingFlags,
}

/// `doctor`
#[derive(Debug, Flags)]
pub struct DoctorArgs {
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    /// Print the default configuration, with what each setting is for, and do nothing else
    #[arg(long)]
    pub default_config: bool,
    #[command(flatten)]
    pub settings: SettingFlags,
}

/// An address with its port. A port alone is one of this machine.
fn address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.parse::<u16>() {
        return Ok(SocketAddr::from(([127, 0, 0, 1], port)));
    }
    text.parse().map_err(|_| "write it as 127.0.0.1:4000, or a port alone".to_owned())
}

/// `10s`, `500ms`, `2m`, or seconds without a unit.
fn span(text: &str) -> Result<Duration, String> {
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let factor = match unit {
        "ms" => 0.001,
        "s" | "" => 1.0,
        "m" => 60.0,
        _ => return Err("write it as 10s, 500ms or 2m".to_owned()),
    };
    let number: f64 = number.parse().map_err(|_| "write it as 10s, 500ms or 2m".to_owned())?;
    Duration::try_from_secs_f64(number * factor).map_err(|_| "the time is out of range".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definitions_hold_together() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_port_alone_is_an_address_of_this_machine() {
        assert_eq!(address("0").unwrap().to_string(), "127.0.0.1:0");
        assert_eq!(address("[::1]:4000").unwrap().to_string(), "[::1]:4000");
        assert!(address("localhost").is_err() && address("70000").is_err());
    }

    #[test]
    fn times_are_read_with_and_without_a_unit() {
        for (text, millis) in [("10s", 10_000), ("500ms", 500), ("2m", 120_000), ("3", 3_000), ("0.5s", 500)] {
            assert_eq!(span(text).unwrap(), Duration::from_millis(millis), "{text}");
        }
        for text in ["", "soon", "-1s", "1h", "s"] {
            assert!(span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_phone_is_named_before_or_behind_its_command() {
        for words in [["phone", "--as", "ana", "send", "hi"], ["phone", "send", "hi", "--as", "ana"]] {
            let args = Args::try_parse_from(["chasqui"].into_iter().chain(words)).unwrap();
            let Command::Phone(phone) = args.command else { panic!("not a phone") };
            assert_eq!(phone.who, "ana");
        }
    }

    #[test]
    fn every_variable_has_its_line_in_the_default_file() {
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
