//! `chasqui emulator`: the emulated WhatsApp alone, so that it outlives the servers that are tried on it.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use emulator::{Config, World};

use super::signals::Stop;
use crate::{
    args::EmulatorArgs,
    output,
    settings::variable,
    stack::{from_here, taken},
};

/// Prints its URL, and the order service's if there is one.
pub async fn run(args: EmulatorArgs) -> Result<ExitCode> {
    server::telemetry::init(&variable("CHASQUI_LOG").unwrap_or_else(|| "warn".to_owned()));
    let mut stop = Stop::listen()?;
    let config = Config {
        listen: args.listen,
        seed: args.seed,
        callback_url: args.callback.clone(),
        world: World::with_own_number(),
        ..Config::default()
    };
    let started = emulator::start(config).await;
    let emulator = started.map_err(|error| match error {
        emulator::Error::Listen { .. } => {
            anyhow::Error::new(error).context(taken("the emulator", args.listen, "--listen"))
        }
        error => error.into(),
    })?;
    let orders = match args.orders_listen {
        None => None,
        Some(address) => {
            let service = emulator::orders::start(address).await;
            Some(service.with_context(|| taken("the sample order service", address, "--orders-listen"))?)
        }
    };
    output::line(format_args!("The emulator listens on {}", from_here(args.listen.ip(), emulator.port())));
    if let Some(orders) = &orders {
        output::line(format_args!("The sample order service listens on {}", orders.url()));
    }
    if let Some(callback) = &args.callback {
        output::line(format_args!("Webhooks go to {callback}"));
    }
    stop.wanted().await?;
    emulator.shutdown().await;
    Ok(ExitCode::SUCCESS)
}
