//! `chasqui openapi`: prints the OpenAPI document.

use std::process::ExitCode;

use anyhow::Result;

use crate::{args::OpenapiArgs, output};

pub fn run(args: &OpenapiArgs) -> Result<ExitCode> {
    let document = if args.app { server::app_openapi() } else { server::openapi() };
    output::line(format_args!("{document:#}"));
    Ok(ExitCode::SUCCESS)
}
