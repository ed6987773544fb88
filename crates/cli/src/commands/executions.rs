//! `chasqui executions`: commands for work that the server cannot run.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde_json::json;
use server::operator::Operator;

use crate::{
    args::{ListExecutions, StopExecution},
    output, settings,
};

/// Lists parked work of all projects. Also works while a server is running.
pub async fn list(args: ListExecutions) -> Result<ExitCode> {
    let config = settings::load(&args.settings)?;
    let parked = Operator::open(&config).await?.parked().await?;
    if args.json {
        let rows = parked.iter().map(|work| {
            json!({
                "kind": work.kind, "project_id": work.project, "id": work.id, "execution_id": work.execution,
                "deaths": work.deaths, "parked_at": work.parked_at,
            })
        });
        output::json(&json!({"data": rows.collect::<Vec<_>>()}))?;
        return Ok(ExitCode::SUCCESS);
    }
    for work in &parked {
        let execution = work.execution.map(|id| format!("  execution {id}")).unwrap_or_default();
        output::line(format_args!(
            "{}  {:<8}  {}  project {}{execution}",
            work.parked_at, work.kind, work.id, work.project
        ));
    }
    if parked.is_empty() {
        output::line("no work is parked");
    }
    Ok(ExitCode::SUCCESS)
}

/// Stops an execution. A server that runs it finds its claim lost and leaves it.
pub async fn stop(args: StopExecution) -> Result<ExitCode> {
    let id = args.execution.parse().ok().with_context(|| format!("'{}' is not an execution id", args.execution))?;
    let config = settings::load(&args.settings)?;
    let status = Operator::open(&config).await?.stop_execution(&config, id).await?;
    if args.json {
        output::json(&json!({"execution_id": id, "status": status}))?;
    } else {
        output::line(format_args!("execution {id} is {}", status.as_str()));
    }
    Ok(ExitCode::SUCCESS)
}
