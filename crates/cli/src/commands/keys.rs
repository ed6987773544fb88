//! `chasqui keys`

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde_json::json;
use server::operator::Operator;

use crate::{
    args::{CreateKey, ListKeys, RevokeKey},
    output, settings,
};

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

/// Lists valid keys. Also works while a server is running.
pub async fn list(args: ListKeys) -> Result<ExitCode> {
    let config = settings::load(&args.settings)?;
    let keys = Operator::open(&config).await?.keys(args.project.as_deref()).await?;
    if args.json {
        let rows = keys.iter().map(|key| {
            json!({
                "id": key.id, "project_id": key.project, "project_name": key.project_name, "prefix": key.prefix,
                "created_by": key.created_by, "created_at": key.created_at,
            })
        });
        output::json(&json!({"data": rows.collect::<Vec<_>>()}))?;
        return Ok(ExitCode::SUCCESS);
    }
    for key in &keys {
        let by = key.created_by.as_deref().unwrap_or("operator");
        output::line(format_args!(
            "{}  {}…  {}  by {by}  project {} ({})",
            key.id,
            key.prefix,
            key.created_at,
            key.project,
            output::printable(&key.project_name)
        ));
    }
    if keys.is_empty() {
        output::line("no keys");
    }
    Ok(ExitCode::SUCCESS)
}

/// Revokes a key. A running server refuses it from the next request on.
pub async fn revoke(args: RevokeKey) -> Result<ExitCode> {
    let id = args.id.parse().ok().with_context(|| {
        format!("'{}' is not the id of a key; list them with: chasqui keys list", output::printable(&args.id))
    })?;
    let config = settings::load(&args.settings)?;
    let (project, revoked) = Operator::open(&config).await?.revoke_key(id).await?;
    if args.json {
        output::json(&json!({"id": id, "project_id": project, "revoked": true, "revoked_before": !revoked}))?;
    } else if revoked {
        output::line(format_args!("key {id} of project {project} is revoked"));
    } else {
        output::line(format_args!("key {id} of project {project} was revoked before"));
    }
    Ok(ExitCode::SUCCESS)
}
