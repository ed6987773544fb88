//! `chasqui login approve`

use std::{io, process::ExitCode};

use anyhow::{Context as _, Result};
use serde_json::json;
use server::operator::{
    Operator,
    logins::{Asked, Rights},
};

use crate::{args::ApproveLogin, output, settings};

/// Shows who asks and what they get, then approves. Also works while a server is running.
pub async fn approve(args: ApproveLogin) -> Result<ExitCode> {
    let config = settings::load(&args.settings)?;
    let operator = Operator::open(&config).await?;
    let asked = operator.pending_login(&args.code).await?;
    let (rights, access) = match args.operator {
        true => (Rights::Operator, "every project".to_owned()),
        false => (Rights::Projects(&args.project), args.project.join(", ")),
    };
    if !args.json {
        show(&asked, &args.email, &access);
    }
    if !args.json && !args.yes && output::is_terminal() && !confirmed()? {
        output::line("not approved; the code becomes invalid by itself");
        return Ok(ExitCode::FAILURE);
    }
    let user = operator.approve_login(&args.code, &args.email, rights).await?;
    if args.json {
        output::json(&json!({
            "approved": true, "user_id": user, "email": args.email, "projects": args.project,
            "operator": args.operator,
            "request": {
                "address": asked.address, "user_agent": asked.user_agent, "client": asked.client,
                "requested_at": asked.at,
            },
        }))?;
    } else {
        output::line(format_args!("approved: {} (user {user}) can sign in; access to {access}", args.email));
    }
    Ok(ExitCode::SUCCESS)
}

fn show(asked: &Asked, email: &str, access: &str) {
    let known = |text: &str| if text.is_empty() { "unknown".to_owned() } else { output::printable(text) };
    output::line("A client asks to sign in:");
    output::line(format_args!("  address     {}", known(&asked.address)));
    output::line(format_args!("  client      {}", known(&asked.client)));
    output::line(format_args!("  user agent  {}", known(&asked.user_agent)));
    output::line(format_args!("  time        {}", asked.at));
    output::line(format_args!("  as user     {email}"));
    output::line(format_args!("  access to   {access}"));
}

fn confirmed() -> Result<bool> {
    output::text_now("Approve it? [y/N] ");
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).context("cannot read the answer")?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
