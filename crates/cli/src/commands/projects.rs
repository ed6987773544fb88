//! `chasqui projects create`: creates a project and its first key.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use crate::{args::CreateProject, output, settings};

/// Also works while a server is running.
pub async fn create(args: CreateProject) -> Result<ExitCode> {
    let operator = settings::open_or_create(&args.settings).await?;
    let project = operator.create_project(&args.name).await?;
    let (_, key) = operator.create_key(&project.to_string()).await?;
    if args.json {
        output::json(&json!({"project_id": project, "name": args.name.trim(), "api_key": key}))?;
    } else {
        output::api_key(project, &key);
    }
    Ok(ExitCode::SUCCESS)
}
