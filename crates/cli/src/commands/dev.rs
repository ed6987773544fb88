//! `chasqui dev`: the local stack with a demo project, agent and sandbox session.
//!
//! A second start with the same folder reuses the project and the agent with all changes.

mod demo_project;
mod handoffs;
mod welcome;

use std::process::ExitCode;

use anyhow::{Result, bail};

use super::signals::Stop;
use crate::{
    args::DevArgs,
    exposure::Exposed,
    settings,
    stack::{EmulatorChoice, Stack, StackConfig},
};

/// Prints addresses, key and next commands within seconds, then serves until it is stopped.
pub async fn run(args: DevArgs) -> Result<ExitCode> {
    let mut values = settings::collect(&args.settings, args.listen)?;
    settings::set_default(&mut values, "server.data_dir", settings::DEV_DATA_DIR, "dev");
    settings::set_default(&mut values, "server.log", "warn", "dev");
    server::telemetry::init(settings::text(&values, "server.log"));
    let mut stop = Stop::listen()?;
    let mut addresses = vec![settings::read(&values)?.listen, args.orders_listen];
    if args.emulator_url.is_none() {
        addresses.push(args.emulator_listen);
    }
    let exposed = Exposed::of(&args.exposure, &addresses)?;
    let emulator = args.emulator_url.map_or(EmulatorChoice::Embedded(args.emulator_listen), EmulatorChoice::External);
    let orders = args.orders_listen;
    let plan = StackConfig { command: "dev", values, emulator, phone_in_page: true, exposed, orders };
    let stack = Stack::start(plan).await?;
    let project = tokio::select! {
        project = demo_project::find_or_create(&stack) => project,
        stopped = stop.requested() => { stopped?; bail!("stopped before the start was complete") }
    };
    let project = project?;
    welcome::print(&stack, &project);
    tokio::select! {
        () = handoffs::report(&stack.server_url, &project) => stop.requested().await?,
        stopped = stop.requested() => stopped?,
    }
    stack.shutdown().await;
    Ok(ExitCode::SUCCESS)
}
