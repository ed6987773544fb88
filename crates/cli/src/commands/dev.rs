//! `chasqui dev`: everything on this machine, with a demo project, agent and sandbox session, until it is stopped.
//!
//! A second start on the same folder finds the project and the agent of the first one; what was changed in them stays.

mod demo_project;
mod welcome;

use std::process::ExitCode;

use anyhow::{Result, bail};

use super::signals::Stop;
use crate::{
    args::DevArgs,
    settings,
    stack::{EmulatorPlan, Plan, Stage},
};

const DATA_DIR: &str = ".chasqui/dev";

/// Prints what one needs to know within seconds, then serves.
pub async fn run(args: DevArgs) -> Result<ExitCode> {
    let mut values = settings::collect(&args.settings, args.listen)?;
    settings::suggest(&mut values, "server.data_dir", DATA_DIR, "dev");
    settings::suggest(&mut values, "server.log", "warn", "dev");
    server::telemetry::init(settings::text(&values, "server.log"));
    let mut stop = Stop::listen()?;
    let emulator = args.emulator_url.map_or(EmulatorPlan::Here(args.emulator_listen), EmulatorPlan::Apart);
    let stage = Stage::start(Plan { command: "dev", values, emulator, orders: args.orders_listen }).await?;
    let project = tokio::select! {
        project = demo_project::find_or_make(&stage) => project,
        stopped = stop.wanted() => { stopped?; bail!("stopped before everything was ready") }
    };
    welcome::print(&stage, &project?);
    stop.wanted().await?;
    stage.shutdown().await;
    Ok(ExitCode::SUCCESS)
}
