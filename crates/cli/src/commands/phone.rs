//! `chasqui phone`: a phone on the emulated WhatsApp.

mod file;
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
    let mut control = Control::new(&args.emulator_url, args.emulator_token.as_deref())?;
    if let Some(number) = &args.to {
        control = control.to(number).await?;
    }
    match args.command {
        None => interactive::run(&control, &args.contact).await,
        Some(PhoneCommand::Send(message)) => send::text(&control, &args.contact, &message).await,
        Some(PhoneCommand::Tap(message)) => send::tap(&control, &args.contact, &message).await,
        Some(PhoneCommand::File(message)) => send::file(&control, &args.contact, &message).await,
    }
}
