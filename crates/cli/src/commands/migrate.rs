//! `chasqui migrate`: updates the schema without starting a server. `serve` does the same at its
//! start.

use std::process::ExitCode;

use crate::{
    output,
    settings::{self, SettingFlags},
};
use anyhow::Result;

/// Idempotent.
pub async fn run(flags: SettingFlags) -> Result<ExitCode> {
    let operator = settings::open_or_create(&flags).await?;
    operator.migrate().await?;
    output::line(format_args!("{} is up to date", operator.shown()));
    Ok(ExitCode::SUCCESS)
}
