//! `cargo xtask openapi`: writes the committed document anew, from the handlers.

use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::process::{cargo, output_of, root};

/// Writes `openapi/v1.json`.
pub fn run() -> Result<ExitCode> {
    let document = output_of(cargo().args(["run", "--quiet", "--", "openapi"]))?;
    let path = root().join("openapi/v1.json");
    std::fs::write(&path, document).with_context(|| path.display().to_string())?;
    println!("{} is written", path.display());
    Ok(ExitCode::SUCCESS)
}
