//! `chasqui emulator`: only the emulated WhatsApp, so that it survives restarts of the server.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use emulator::{Config, World};

use super::signals::Stop;
use crate::{
    args::EmulatorArgs,
    output,
    settings::variable,
    stack::{cannot_listen, local_url},
};

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
            anyhow::Error::new(error).context(cannot_listen("the emulator", args.listen, "--listen"))
        }
        error => error.into(),
    })?;
    let orders = match args.orders_listen {
        None => None,
        Some(address) => {
            let service = emulator::orders::start(address).await;
            Some(service.with_context(|| cannot_listen("the sample order service", address, "--orders-listen"))?)
        }
    };
    output::line(format_args!("The emulator listens on {}", local_url(args.listen.ip(), emulator.port())));
    if let Some(orders) = &orders {
        output::line(format_args!("The sample order service listens on {}", orders.url()));
    }
    if let Some(callback) = &args.callback {
        output::line(format_args!("Webhooks go to {callback}"));
    }
    stop.requested().await?;
    emulator.shutdown().await;
    Ok(ExitCode::SUCCESS)
}
