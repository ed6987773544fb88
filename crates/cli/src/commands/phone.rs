//! `chasqui phone`: one of the people on the emulated WhatsApp.

mod interactive;
mod screen;
mod send;

use std::process::ExitCode;

use anyhow::Result;

use crate::{
    args::{PhoneArgs, PhoneCommand},
    client::Control,
};

/// Interactive unless a command is given.
pub async fn run(args: PhoneArgs) -> Result<ExitCode> {
    let control = Control::new(&args.emulator_url)?;
    match args.command {
        None => interactive::run(&control, &args.who).await,
        Some(PhoneCommand::Send(message)) => send::run(&control, &args.who, &message).await,
    }
}
