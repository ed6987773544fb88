//! `chasqui openapi`: prints the OpenAPI document.

use std::process::ExitCode;

use anyhow::Result;

use crate::output;

pub fn run() -> Result<ExitCode> {
    output::line(format_args!("{:#}", server::openapi()));
    Ok(ExitCode::SUCCESS)
}
