//! `chasqui openapi`: the document that the server serves, without a server.

use std::process::ExitCode;

use anyhow::Result;

use crate::output;

/// Pretty JSON on standard output.
pub fn run() -> Result<ExitCode> {
    output::line(format_args!("{:#}", server::openapi()));
    Ok(ExitCode::SUCCESS)
}
