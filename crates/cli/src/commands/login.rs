//! `chasqui login approve`

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;
use server::operator::Operator;

use crate::{args::ApproveLogin, output, settings};

/// Also works while a server is running.
pub async fn approve(args: ApproveLogin) -> Result<ExitCode> {
    let config = settings::load(&args.settings)?;
    let user = Operator::open(&config).await?.approve_login(&args.code, &args.email, &args.project).await?;
    if args.json {
        output::json(&json!({"approved": true, "user_id": user, "email": args.email, "projects": args.project}))?;
    } else if args.project.is_empty() {
        output::line(format_args!("approved: {} (user {user}) can sign in and access every project", args.email));
    } else {
        output::line(format_args!(
            "approved: {} (user {user}) can sign in as a member of {}",
            args.email,
            args.project.join(", ")
        ));
    }
    Ok(ExitCode::SUCCESS)
}
