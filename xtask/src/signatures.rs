//! Signatures of outgoing webhooks, verified by code that is not ours: a receiver in Python
//! (`xtask/webhooks/receive.py`) subscribes to a real server.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::dev_server::DevServer;
use crate::process::{empty, hermetic, root, target_dir, within};

const LIMIT: Duration = Duration::from_secs(90);

/// Needs the binary that stage build has made, and a Python with `standardwebhooks`.
pub fn check(python: &Path) -> Result<()> {
    let folder = target_dir().join("xtask/signatures");
    empty(&folder)?;
    let server = DevServer::start(&folder)?;
    let mut receiver = Command::new(python);
    hermetic(receiver.arg(root().join("xtask/webhooks/receive.py")));
    receiver.env("CHECK_URL", &server.url).env("CHECK_API_KEY", &server.key);
    within(LIMIT, &mut receiver)
}
