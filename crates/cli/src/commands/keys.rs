//! `chasqui keys create`

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;
use server::operator::Operator;

use crate::{args::CreateKey, output, settings};

/// Also works while a server is running.
pub async fn create(args: CreateKey) -> Result<ExitCode> {
    let config = settings::load(&args.settings)?;
    let (project, key) = Operator::open(&config).await?.create_key(&args.project).await?;
    if args.json {
        output::json(&json!({"project_id": project, "api_key": key}))?;
    } else {
        output::api_key(project, &key);
    }
    Ok(ExitCode::SUCCESS)
}
