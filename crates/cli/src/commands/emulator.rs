//! `chasqui emulator`: only the emulated WhatsApp, so that it survives restarts of the server.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use emulator::{Config, World};

use super::signals::Stop;
use crate::{
    args::EmulatorArgs,
    exposure::Exposed,
    output,
    settings::variable,
    stack::{cannot_listen, local_url},
};

pub async fn run(args: EmulatorArgs) -> Result<ExitCode> {
    server::telemetry::init(&variable("CHASQUI_LOG").unwrap_or_else(|| "warn".to_owned()));
    let mut stop = Stop::listen()?;
    let addresses: Vec<_> = [Some(args.listen), args.orders_listen].into_iter().flatten().collect();
    let Exposed { credentials, exposure } = Exposed::of(&args.exposure, &addresses)?;
    let is_exposed = exposure.token.is_some();
    let config = Config {
        listen: args.listen,
        seed: args.seed,
        callback_url: args.callback.clone(),
        allow_remote_callback: is_exposed,
        verify_token: credentials.verify_token.clone(),
        world: World::with_own_number().with(&credentials),
        exposure,
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
    if is_exposed {
        output::line(format_args!("Token         {}", credentials.token));
        output::line(format_args!("App secret    {}", credentials.app_secret));
        output::line(format_args!("Verify token  {}", credentials.verify_token));
        output::line("They are shown only here. dev and phone need only the token: CHASQUI_EMULATOR_TOKEN.");
    }
    if let Some(callback) = &args.callback {
        output::line(format_args!("Webhooks go to {callback}"));
    }
    stop.requested().await?;
    emulator.shutdown().await;
    Ok(ExitCode::SUCCESS)
}
