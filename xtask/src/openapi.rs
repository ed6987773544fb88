//! `cargo xtask openapi`: generates the committed documents from the handlers.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::process::{cargo, output_of, root, succeed};
use crate::usage::USAGE;

/// Writes `openapi/v1.json` and `openapi/app.json`; with `--examples`, records the examples from real calls first.
pub fn run(args: &[String]) -> Result<ExitCode> {
    match args {
        [] => {}
        [only] if only == "--examples" => {
            let mut test = cargo();
            test.args(["test", "-p", "chasqui-server", "--test", "it", "every_operation_has_an_example"]);
            succeed(test.env("RECORD_EXAMPLES", "1"))?;
        }
        [unknown, ..] => bail!("unknown argument `{unknown}` for openapi\n\n{USAGE}"),
    }
    for (file, flags) in [("openapi/v1.json", &[][..]), ("openapi/app.json", &["--app"])] {
        let document = output_of(cargo().args(["run", "--quiet", "--", "openapi"]).args(flags))?;
        let path = root().join(file);
        std::fs::write(&path, document).with_context(|| path.display().to_string())?;
        println!("{} is written", path.display());
    }
    Ok(ExitCode::SUCCESS)
}
