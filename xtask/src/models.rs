//! Models, before a release: long runs against every dialect, and checks with programs that are not
//! ours (`xtask/models`).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::dev_server;
use crate::nextest::Nextest;
use crate::process::{empty, hermetic, root, target_dir, within};

const REQUESTS_LIMIT: Duration = Duration::from_mins(10);
const SMALL_MODEL_LIMIT: Duration = Duration::from_mins(60);

/// Every scenario with every dialect, and a hundred thousand turns of a hostile model; optimised, as
/// they take minutes. Writes a part of the requests for [`check_requests`].
pub fn long(nextest: &Nextest) -> Result<Command> {
    let folder = requests();
    empty(&folder)?;
    let mut command = nextest.release_tests("chasqui-server", "test(hostile_history) + test(scenarios::dialects)");
    command.env("DIALECTS", "all").env("HOSTILE_TURNS", "100000").env("MODEL_REQUESTS", folder);
    Ok(command)
}

/// Types of the SDKs of OpenAI and Anthropic, conversions of litellm.
pub fn check_requests(python: &Path) -> Result<()> {
    let mut command = Command::new(python);
    hermetic(command.arg(root().join("xtask/models/check_requests.py"))).env("MODEL_REQUESTS", requests());
    within(REQUESTS_LIMIT, &mut command)
}

/// A conversation with llama.cpp and a model of 270 million parameters. Needs the binary that stage
/// build has made.
pub fn small_model(python: &Path) -> Result<()> {
    let folder = target_dir().join("xtask/small-model");
    empty(&folder)?;
    let mut command = Command::new(python);
    hermetic(command.arg(root().join("xtask/models/small_model.py")));
    command.env("CHECK_PROGRAM", dev_server::program()).env("CHECK_FOLDER", &folder);
    within(SMALL_MODEL_LIMIT, &mut command)
}

fn requests() -> PathBuf {
    target_dir().join("xtask/model-requests")
}
