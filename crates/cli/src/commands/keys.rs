//! `chasqui keys`

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use domain::{Span, Timestamp, ids::ApiKeyId};
use serde_json::json;
use server::operator::Operator;

use crate::{
    args::{CreateKey, ListKeys, RevokeKey, RotateKey},
    output, settings,
};

/// Also works while a server is running.
pub async fn create(args: CreateKey) -> Result<ExitCode> {
    let config = settings::load(&args.settings)?;
    let lifetime = args.expires_in_days.map(|days| Span::from_hours(24 * i64::from(days)));
    let (project, key) =
        Operator::open(&config).await?.create_key_with(&args.project, &args.name, args.role, lifetime).await?;
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
                "name": key.name, "role": key.role.map(|role| role.as_str()), "created_by": key.created_by,
                "created_at": key.created_at, "expires_at": key.expires_at, "last_used_at": key.last_used_at,
            })
        });
        output::json(&json!({"data": rows.collect::<Vec<_>>()}))?;
        return Ok(ExitCode::SUCCESS);
    }
    for key in &keys {
        let by = key.created_by.as_deref().unwrap_or("operator");
        let role = key.role.map_or("all rights", |role| role.as_str());
        let time = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), |at| at.to_string());
        output::line(format_args!(
            "{}  {}…  {role}  {}  by {by}  expires {}  used {}  project {} ({}){}",
            key.id,
            key.prefix,
            key.created_at,
            time(key.expires_at),
            time(key.last_used_at),
            key.project,
            output::printable(&key.project_name),
            if key.name.is_empty() { String::new() } else { format!("  {}", output::printable(&key.name)) },
        ));
    }
    if keys.is_empty() {
        output::line("no keys");
    }
    Ok(ExitCode::SUCCESS)
}

/// Replaces a key. Also works while a server is running.
pub async fn rotate(args: RotateKey) -> Result<ExitCode> {
    let old = id(&args.id)?;
    let config = settings::load(&args.settings)?;
    let overlap = Span::from_hours(i64::from(args.overlap_hours));
    let new = Operator::open(&config).await?.rotate_key(old, overlap).await?;
    if args.json {
        output::json(&json!({
            "id": new.id, "project_id": new.project, "api_key": new.key, "replaces": old,
            "overlap_hours": args.overlap_hours,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    output::api_key(new.project, &new.key);
    match args.overlap_hours {
        0 => output::line(format_args!("key {old} is revoked")),
        hours => output::line(format_args!("key {old} stays valid for {hours} hours")),
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads the id of a key.
fn id(text: &str) -> Result<ApiKeyId> {
    text.parse().ok().with_context(|| {
        format!("'{}' is not the id of a key; list them with: chasqui keys list", output::printable(text))
    })
}

/// Revokes a key. A running server refuses it from the next request on.
pub async fn revoke(args: RevokeKey) -> Result<ExitCode> {
    let id = id(&args.id)?;
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
