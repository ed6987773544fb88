//! `chasqui restore FILE`

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;
use server::backup::{self, Restored};

use crate::{args::RestoreArgs, output, settings};

/// Prints what the quarantine stopped.
pub async fn run(args: RestoreArgs) -> Result<ExitCode> {
    // A new place is not looked for, an existing database is.
    let config = match &args.file {
        Some(_) => settings::read(&settings::collect(&args.settings, None)?)?,
        None => settings::load(&args.settings)?,
    };
    let done = match &args.file {
        Some(file) => backup::restore(&config, file, !args.no_quarantine).await?,
        None => backup::quarantine_only(&config).await?,
    };
    let shown = config.database.shown();
    if args.json {
        output::json(&json!({
            "database": shown,
            "quarantined": done.quarantined.map(|open| json!({"sends": open.sends, "conversations": open.conversations})),
            "has_master_key": done.has_master_key,
        }))?;
    } else {
        print(&shown, &done, args.file.is_some());
    }
    Ok(ExitCode::SUCCESS)
}

fn print(shown: &str, done: &Restored, copied: bool) {
    output::line(format_args!("{shown} is {}", if copied { "restored" } else { "quarantined" }));
    if let Some(open) = &done.quarantined {
        output::line(format_args!(
            "  {} sends were open in the backup; they are marked unconfirmed and not sent again",
            open.sends
        ));
        output::line(format_args!(
            "  {} conversations had work to do; they continue with the customer's next message",
            open.conversations
        ));
    }
    if !done.has_master_key {
        output::line("  The master key is missing: copy the original's master.key into the data folder, or set");
        output::line("  CHASQUI_MASTER_KEY, before the start.");
    }
}
