//! The binary in a folder of its own, with nothing of this machine's environment.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;
use testkit::database::TestDatabase;
use tokio::runtime::Runtime;

const BINARY: &str = env!("CARGO_BIN_EXE_chasqui");

/// A data folder and a database, both gone at the end. The database is the one of `TEST_DATABASE_URL` where that is set.
pub struct Home {
    folder: TempDir,
    database: Option<(TestDatabase, Runtime)>,
}

impl Home {
    pub fn new() -> Self {
        let database = TestDatabase::has_postgres().then(|| {
            let runtime = Runtime::new().unwrap();
            (runtime.block_on(TestDatabase::unmigrated()), runtime)
        });
        Self { folder: tempfile::tempdir().unwrap(), database }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The binary with these arguments, this data folder and this database.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare(arguments);
        command.current_dir(self.path()).env("CHASQUI_DATA_DIR", self.data());
        if let Some((database, _)) = &self.database {
            let testkit_url = database.url.clone();
            command.env("CHASQUI_DATABASE_URL", url_text(testkit_url));
        }
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        finished(&mut self.command(arguments))
    }

    /// Starts something that runs until it is told to stop.
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running::start(&mut self.command(arguments))
    }
}

fn url_text(url: impl std::fmt::Debug) -> String {
    // The type belongs to a crate that this one may not name; its debug form is `Postgres("…")`.
    let shown = format!("{url:?}");
    shown.split('"').nth(1).unwrap().to_owned()
}

/// Without a folder or database.
pub fn bare(arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(arguments).env_clear().env("CHASQUI_LLM_PROVIDER", "Rehearsal").stdin(Stdio::null());
    command
}

pub fn finished(command: &mut Command) -> Output {
    command.output().unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The one JSON document of a command that succeeded.
#[track_caller]
pub fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}{}", stdout(output), stderr(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A process that is killed when the test ends, however it ends.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        Self::spawn(command.stderr(Stdio::inherit()))
    }

    /// With the standard error that the command has.
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines, seen: Vec::new() }
    }

    /// The first line with this text, and what follows the text on it.
    #[track_caller]
    pub fn value_after(&mut self, text: &str, within: Duration) -> String {
        let end = Instant::now() + within;
        loop {
            if let Some(found) = self.seen.iter().find_map(|line| line.split_once(text)) {
                return found.1.trim().to_owned();
            }
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => self.seen.push(line),
                Err(error) => panic!("no '{text}' within {within:?} ({error}): {:#?}", self.seen),
            }
        }
    }

    /// What a service manager does; true if it ended by itself and well.
    pub fn ends_when_asked(mut self) -> bool {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.success();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

#[cfg(feature = "failpoints")]
impl Running {
    /// How it ended, if it has.
    pub fn end(&mut self) -> Option<std::process::ExitStatus> {
        self.child.try_wait().unwrap()
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
    }

    /// `-STOP`, `-CONT`.
    pub fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// POST of JSON without a key: status and JSON.
pub fn post(url: &str, body: &Value) -> (u16, Value) {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        gateways::tls::install();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.post(url).header("content-type", "application/json").body(body.to_string());
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    })
}

/// One request of a client.
pub fn get(url: &str, key: &str) -> (u16, Value) {
    let (status, text) = get_text(url, key);
    (status, serde_json::from_str(&text).unwrap())
}

/// The same of something that need not be JSON.
pub fn get_text(url: &str, key: &str) -> (u16, String) {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        gateways::tls::install();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let response = client.get(url).header("x-api-key", key).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    })
}
