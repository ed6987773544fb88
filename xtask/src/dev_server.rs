//! `chasqui dev` of the debug build as a process of its own, for checks that use it from outside.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process::{hermetic, target_dir};

const SET_UP: Duration = Duration::from_secs(60);

/// The program that stage build has made.
pub fn program() -> PathBuf {
    target_dir().join("debug/chasqui")
}

/// `chasqui dev`, killed when dropped.
pub struct DevServer {
    child: Child,
    log: PathBuf,
    pub url: String,
    pub emulator: String,
    pub orders: String,
    pub key: String,
}

impl DevServer {
    /// Starts it on free ports with a data folder in `folder`.
    pub fn start(folder: &Path) -> Result<Self> {
        let (shown, log) = (folder.join("server.txt"), folder.join("errors.txt"));
        let mut command = Command::new(program());
        hermetic(command.arg("dev").arg("--data-dir").arg(folder.join("data")));
        for place in ["--listen", "--emulator-listen", "--orders-listen"] {
            command.args([place, "127.0.0.1:0"]);
        }
        command.env("CHASQUI_LLM_PROVIDER", "Rehearsal").env("CHASQUI_LOG", "error");
        command.stdout(File::create(&shown)?).stderr(File::create(&log)?);
        let child = command.spawn().context("the server does not start")?;
        let mut server =
            Self { child, log, url: String::new(), emulator: String::new(), orders: String::new(), key: String::new() };
        let deadline = Instant::now() + SET_UP;
        loop {
            let text = fs::read_to_string(&shown)?;
            let value = |name: &str| {
                let line = text.lines().find_map(|line| line.trim_start().strip_prefix(name));
                line.and_then(|rest| rest.split_whitespace().next()).unwrap_or_default().to_owned()
            };
            if text.contains("In another terminal") {
                server.url = value("API  ").trim_end_matches("/api/v1").to_owned();
                (server.emulator, server.orders, server.key) = (value("Emulator"), value("Orders"), value("API key"));
                return Ok(server);
            }
            if server.child.try_wait()?.is_some() || Instant::now() >= deadline {
                bail!("the server does not start: {}", server.errors());
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Its log, which holds errors only.
    pub fn errors(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default().trim().to_owned()
    }
}

impl Drop for DevServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
