//! `chasqui migrate`: updates the schema without starting a server. `serve` does the same at its
//! start.

use std::process::ExitCode;

use anyhow::Result;
use server::operator::Operator;

use crate::{
    output,
    settings::{self, SettingFlags},
};

/// Idempotent.
pub async fn run(flags: SettingFlags) -> Result<ExitCode> {
    let config = settings::load(&flags)?;
    let shown = config.database.shown();
    Operator::open(&config).await?.migrate().await?;
    output::line(format_args!("{shown} is up to date"));
    Ok(ExitCode::SUCCESS)
}
