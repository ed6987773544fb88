//! `chasqui projects`

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::{
    args::{ArchiveProject, CreateProject, DeleteProject, ListProjects, RenameProject},
    output, settings,
};
use server::operator::Operator;

/// Creates a project and its first key. Also works while a server is running.
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

/// Lists all projects.
pub async fn list(args: ListProjects) -> Result<ExitCode> {
    let config = settings::load(&args.settings)?;
    let operator = Operator::open(&config).await?;
    if args.deleted {
        return list_deleted(&operator, args.json).await;
    }
    let projects = operator.projects().await?;
    if args.json {
        let rows = projects.iter().map(
            |row| json!({"id": row.id, "name": row.name, "created_at": row.created_at, "archived_at": row.archived_at}),
        );
        output::json(&json!({"data": rows.collect::<Vec<_>>()}))?;
        return Ok(ExitCode::SUCCESS);
    }
    for row in &projects {
        let archived = if row.archived_at.is_some() { "  archived" } else { "" };
        output::line(format_args!("{}  {}  {}{archived}", row.id, row.created_at, output::printable(&row.name)));
    }
    if projects.is_empty() {
        output::line("no projects");
    }
    Ok(ExitCode::SUCCESS)
}

async fn list_deleted(operator: &Operator, as_json: bool) -> Result<ExitCode> {
    let rows = operator.deletions().await?;
    if as_json {
        let rows = rows.iter().map(|row| json!({"id": row.target, "deleted_at": row.at, "deleted_by": row.actor}));
        output::json(&json!({"data": rows.collect::<Vec<_>>()}))?;
        return Ok(ExitCode::SUCCESS);
    }
    for row in &rows {
        output::line(format_args!("{}  {}  by {}", row.target, row.at, row.actor));
    }
    if rows.is_empty() {
        output::line("no deleted projects");
    }
    Ok(ExitCode::SUCCESS)
}

/// Deletes a project. Also works while a server is running, which then deletes the rows.
pub async fn delete(args: DeleteProject) -> Result<ExitCode> {
    let id = args.id.parse().ok().with_context(|| {
        format!("'{}' is not the id of a project; list them with: chasqui projects list", output::printable(&args.id))
    })?;
    let config = settings::load(&args.settings)?;
    Operator::open(&config).await?.delete_project(id, &args.name).await?;
    if args.json {
        output::json(&json!({"id": id, "deleted": true}))?;
    } else {
        output::line(format_args!("project {id} is deleted; the server deletes its data in the background"));
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn rename(args: RenameProject) -> Result<ExitCode> {
    let config = settings::load(&args.settings)?;
    let id = Operator::open(&config).await?.rename_project(&args.project, &args.name).await?;
    output::line(format_args!("project {id} is called {}", output::printable(args.name.trim())));
    Ok(ExitCode::SUCCESS)
}

pub async fn archive(args: ArchiveProject, archived: bool) -> Result<ExitCode> {
    let config = settings::load(&args.settings)?;
    let id = Operator::open(&config).await?.archive_project(&args.project, archived).await?;
    output::line(format_args!("project {id} is {}", if archived { "archived" } else { "restored" }));
    Ok(ExitCode::SUCCESS)
}
