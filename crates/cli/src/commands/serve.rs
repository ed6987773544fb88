//! `chasqui serve`: runs the server until it receives a stop signal.

use std::process::ExitCode;

use anyhow::Result;

use server::doctor;

use super::signals::Stop;
use crate::{args::ServeArgs, output, settings, stack::is_rehearsal};

/// Prints the URL when the server is ready.
pub async fn run(args: ServeArgs) -> Result<ExitCode> {
    let values = settings::collect(&args.settings, args.listen)?;
    let config = settings::read(&values)?;
    server::telemetry::init(&config.log);
    let mut stop = Stop::listen()?;
    let mut gaps = doctor::gaps(&config);
    let has_provider = config.llm.provider.is_some();
    let app = server::build(config).await?;
    if !has_provider && is_rehearsal(&app.model()) {
        gaps.push(
            "no language model is set: the rehearsal model answers, which is not an AI; set CHASQUI_LLM_PROVIDER"
                .into(),
        );
    }
    doctor::warn(&gaps);
    if let Some(url) = app.operations_url() {
        output::line(format_args!("Metrics and deep health on {url}"));
    }
    output::line(format_args!("Chasqui listens on {}", app.url()));
    stop.requested().await?;
    app.shutdown().await;
    Ok(ExitCode::SUCCESS)
}
