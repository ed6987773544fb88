//! `chasqui users`: people who sign in. All work with or without a running server.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;
use server::{Config, operator::Operator};

use crate::{
    args::{InviteUser, ListUsers, RemoveUser, ResetUser},
    output, settings,
};

/// Link to the page that accepts a token.
fn link(config: &Config, token: &str) -> String {
    let base = config.public_url.clone().unwrap_or_else(|| format!("http://{}", config.listen));
    format!("{}/app/invitations/{token}", base.trim_end_matches('/'))
}

pub async fn invite(args: InviteUser) -> Result<ExitCode> {
    let config = settings::load(&args.settings)?;
    let token = Operator::open(&config).await?.invite(&args.email, &args.project, args.role).await?;
    let url = link(&config, &token);
    if args.json {
        output::json(&json!({"email": args.email, "project": args.project, "role": args.role.as_str(), "url": url}))?;
    } else {
        output::line(format_args!("Give this link to {}; it is valid for 7 days and works once:", args.email));
        output::line(url);
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn list(args: ListUsers) -> Result<ExitCode> {
    let config = settings::load(&args.settings)?;
    let people = Operator::open(&config).await?.people().await?;
    if args.json {
        let rows = people.iter().map(|person| {
            let projects: Vec<_> =
                person.projects.iter().map(|(name, role)| json!({"name": name, "role": role.as_str()})).collect();
            json!({
                "email": person.email, "name": person.name, "is_operator": person.is_operator,
                "has_password": person.has_password, "projects": projects,
            })
        });
        output::json(&json!({"data": rows.collect::<Vec<_>>()}))?;
        return Ok(ExitCode::SUCCESS);
    }
    for person in &people {
        let mut rights: Vec<String> =
            person.projects.iter().map(|(name, role)| format!("{role} of {}", output::printable(name))).collect();
        if person.is_operator {
            rights.insert(0, "operator".into());
        }
        let password = if person.has_password { "" } else { "  (no password)" };
        output::line(format_args!("{}  {}{password}", person.email, rights.join(", ")));
    }
    if people.is_empty() {
        output::line("no users");
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn reset(args: ResetUser) -> Result<ExitCode> {
    let config = settings::load(&args.settings)?;
    let token = Operator::open(&config).await?.reset_password(&args.email).await?;
    let url = link(&config, &token);
    if args.json {
        output::json(&json!({"email": args.email, "url": url}))?;
    } else {
        output::line(format_args!("Give this link to {}; it is valid for a day and works once:", args.email));
        output::line(url);
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn remove(args: RemoveUser) -> Result<ExitCode> {
    let config = settings::load(&args.settings)?;
    let project = Operator::open(&config).await?.remove_member(&args.email, &args.project).await?;
    output::line(format_args!("{} is no longer a member of project {project}", args.email));
    Ok(ExitCode::SUCCESS)
}
