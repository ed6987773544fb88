//! `chasqui serve`: runs the server until it receives a stop signal.

use std::process::ExitCode;

use anyhow::Result;

use super::signals::Stop;
use crate::{args::ServeArgs, output, settings};

/// Prints the URL when the server is ready.
pub async fn run(args: ServeArgs) -> Result<ExitCode> {
    let values = settings::collect(&args.settings, args.listen)?;
    let config = settings::read(&values)?;
    server::telemetry::init(&config.log);
    let mut stop = Stop::listen()?;
    let app = server::build(config).await?;
    output::line(format_args!("Chasqui listens on {}", app.url()));
    stop.requested().await?;
    app.shutdown().await;
    Ok(ExitCode::SUCCESS)
}
