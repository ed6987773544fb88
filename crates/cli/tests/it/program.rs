//! Runs the binary with its own folder and database and an empty environment.

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

pub const BINARY: &str = env!("CARGO_BIN_EXE_chasqui");

/// A data folder and a database, removed at the end. The database is on the server in
/// `TEST_DATABASE_URL` if that is set.
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

    /// Address of the database.
    pub fn database(&self) -> String {
        match &self.database {
            Some((database, _)) => url_text(database.url.clone()),
            None => format!("sqlite:{}", self.data().join("chasqui.db").display()),
        }
    }

    /// Command with this data folder and database.
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

    /// Starts a command that runs until it is stopped.
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running::start(&mut self.command(arguments))
    }
}

fn url_text(url: impl std::fmt::Debug) -> String {
    // This crate may not depend on `store`, which owns the type. Its debug form is `Postgres("…")`.
    let shown = format!("{url:?}");
    shown.split('"').nth(1).unwrap().to_owned()
}

/// Command without data folder and database.
pub fn bare(arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(arguments).env_clear().env("CHASQUI_LLM_PROVIDER", "Rehearsal").stdin(Stdio::null());
    command.env("CHASQUI_OPERATIONS_LISTEN", "127.0.0.1:0");
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

/// JSON document printed by a successful command.
#[track_caller]
pub fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}{}", stdout(output), stderr(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A process that is killed when it is dropped.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        Self::spawn(command.stderr(Stdio::inherit()))
    }

    /// Starts a command without changing its standard error.
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

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line with this text. Returns the rest of the line.
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

    /// Sends SIGTERM and waits. Returns true if the process exits with success.
    pub fn terminates(mut self) -> bool {
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
    /// Exit status, if the process has ended.
    pub fn end(&mut self) -> Option<std::process::ExitStatus> {
        self.child.try_wait().unwrap()
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
    }

    /// Sends a signal such as `-STOP` or `-CONT`.
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

/// Shell script in this folder, without the variables of the environment.
pub fn shell(folder: &Path, script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-ec", script]).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    command.env("HOME", folder).current_dir(folder);
    command
}

/// Posts JSON without a key. Returns status and JSON.
pub fn post(url: &str, body: &Value) -> (u16, Value) {
    post_as(url, "", body)
}

/// Posts JSON with a key. Returns status and JSON.
pub fn post_as(url: &str, key: &str, body: &Value) -> (u16, Value) {
    post_with(url, ("x-api-key", key), body)
}

/// Posts JSON with a header. Returns status and JSON.
pub fn post_with(url: &str, header: (&str, &str), body: &Value) -> (u16, Value) {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        gateways::tls::install();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.post(url).header(header.0, header.1).header("content-type", "application/json");
        let response = request.body(body.to_string()).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    })
}

/// Gets JSON with a key.
pub fn get(url: &str, key: &str) -> (u16, Value) {
    let (status, text) = get_text(url, key);
    (status, serde_json::from_str(&text).unwrap())
}

/// Status of a GET with this `Host`.
pub fn status_with_host(url: &str, host: &str) -> u16 {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        gateways::tls::install();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client.get(url).header("host", host).send().await.unwrap().status().as_u16()
    })
}

/// Gets text with a key.
pub fn get_text(url: &str, key: &str) -> (u16, String) {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        gateways::tls::install();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let response = client.get(url).header("x-api-key", key).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    })
}
