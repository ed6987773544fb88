//! `chasqui backup FILE`

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;
use server::backup;

use crate::{args::BackupArgs, output, settings};

/// Also works while a server is running.
pub async fn run(args: BackupArgs) -> Result<ExitCode> {
    let config = settings::load(&args.settings)?;
    let done = backup::back_up(&config, &args.file).await?;
    let (file, bytes) = (args.file.display(), done.bytes);
    if args.json {
        output::json(&json!({"file": file.to_string(), "bytes": bytes, "master_key_fingerprint": done.master_key}))?;
    } else {
        output::line(format_args!("{file}  {bytes} bytes, verified"));
        let key = done.master_key.map_or(String::new(), |key| format!(" (fingerprint {key})"));
        output::line(format_args!(
            "The master key{key} is not in it. Keep a copy elsewhere: without it stored tokens and secrets are lost."
        ));
    }
    Ok(ExitCode::SUCCESS)
}
