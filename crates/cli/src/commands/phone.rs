//! `chasqui phone`: a phone on the emulated WhatsApp.

mod interactive;
mod screen;
mod send;

use std::process::ExitCode;

use anyhow::Result;

use crate::{
    args::{PhoneArgs, PhoneCommand},
    client::Control,
};

pub async fn run(args: PhoneArgs) -> Result<ExitCode> {
    let control = Control::new(&args.emulator_url, args.emulator_token.as_deref())?;
    match args.command {
        None => interactive::run(&control, &args.contact).await,
        Some(PhoneCommand::Send(message)) => send::run(&control, &args.contact, &message).await,
    }
}
