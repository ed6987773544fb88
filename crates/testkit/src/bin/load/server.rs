//! The real server as a child process, and its CPU and memory figures from `/proc`.

use crate::account::{ACCESS_TOKEN, APP_SECRET, PHONE_NUMBER, PHONE_NUMBER_ID};
use std::{
    collections::BTreeMap,
    fs::File,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Unit of CPU time in `/proc`.
const TICKS_PER_SECOND: f64 = 100.0;

#[derive(Clone, Default)]
pub struct Settings {
    /// Path of the binary.
    pub program: PathBuf,

    pub data_dir: PathBuf,
    /// Database URL; `None` for SQLite in the data folder.
    pub database: Option<String>,
    /// Database URL of the second installation; required with `database`.
    pub small_database: Option<String>,
    /// Further environment variables.
    pub variables: Vec<(&'static str, &'static str)>,
}

impl Settings {
    /// Settings of a second installation.
    pub fn small(&self) -> Self {
        let data_dir = self.data_dir.join("small");
        std::fs::create_dir_all(&data_dir).expect("a data folder");
        let database = self.database.as_ref().map(|_| self.small_database.clone().expect("--small-database"));
        Self { data_dir, database, ..self.clone() }
    }

    /// Command with all needed variables and without those of the developer's environment.
    pub fn command(&self, world: &str) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy().into_owned();
            if text.starts_with("CHASQUI_") || text.ends_with("_API_KEY") {
                command.env_remove(name);
            }
        }
        command.env("CHASQUI_DATA_DIR", &self.data_dir).env("CHASQUI_LOG", "warn").env("CHASQUI_GRAPH_BASE_URL", world);
        command.env("CHASQUI_LLM_PROVIDER", "OpenAICompatible").env("CHASQUI_LLM_BASE_URL", format!("{world}/v1"));
        command.env("CHASQUI_LLM_API_KEY", "key").env("CHASQUI_LLM_MODEL", "short-1");
        command
            .env("CHASQUI_RATE_LIMIT_PER_MINUTE", "0")
            .env("CHASQUI_PROJECT_REQUESTS_PER_MINUTE", "0")
            .env("CHASQUI_PROJECT_TURNS", "0");
        command.env("CHASQUI_META_APP_SECRET", APP_SECRET).env("CHASQUI_SANDBOX_ACCESS_TOKEN", ACCESS_TOKEN);
        command
            .env("CHASQUI_SANDBOX_PHONE_NUMBER_ID", PHONE_NUMBER_ID)
            .env("CHASQUI_SANDBOX_PHONE_NUMBER", PHONE_NUMBER);
        command.envs(self.variables.iter().copied());
        if let Some(url) = &self.database {
            command.env("CHASQUI_DATABASE_URL", url);
        }
        command
    }
}

/// A running server; dropping it kills it.
pub struct Server {
    pub url: String,
    /// Time from the start of the process to the first 200 of `/health/ready`.
    pub ready_after: Duration,
    operations_url: String,
    child: Child,
}

impl Server {
    /// Starts the server and waits until it is ready.
    pub async fn start(settings: &Settings, world: &str) -> Self {
        let free = || TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let (port, operations) = (free(), free());
        let log = File::create(settings.data_dir.join("server.log")).expect("a log file");
        let began = Instant::now();
        let mut command = settings.command(world);
        command.env("CHASQUI_OPERATIONS_LISTEN", format!("127.0.0.1:{operations}"));
        command.args(["serve", "--listen", &format!("127.0.0.1:{port}")]).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().expect("the server starts");
        let [url, operations_url] = [port, operations].map(|port| format!("http://127.0.0.1:{port}"));
        let mut server = Self { url, operations_url, ready_after: Duration::ZERO, child };
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let ready = format!("{}/health/ready", server.url);
        loop {
            if http.get(&ready).send().await.is_ok_and(|answer| answer.status().is_success()) {
                break;
            }
            assert!(
                server.child.try_wait().expect("a child").is_none(),
                "the server ended; see server.log in its data folder"
            );
            assert!(began.elapsed() < Duration::from_secs(30), "the server is not ready after 30 s");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        server.ready_after = began.elapsed();
        server
    }

    /// Sends SIGTERM and waits for the exit.
    pub async fn stop(mut self) {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        while self.child.try_wait().expect("a child").is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// CPU time so far, in milliseconds.
    pub fn cpu_ms(&self) -> f64 {
        cpu_ms(&self.child.id().to_string())
    }

    /// Voluntary context switches of all threads so far: the cost of hand-offs between threads,
    /// independent of other load.
    pub fn sleeps(&self) -> f64 {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("threads");
        let statuses = tasks.flatten().filter_map(|task| std::fs::read_to_string(task.path().join("status")).ok());
        let of = |status: String| {
            status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")?.trim().parse::<f64>().ok())
        };
        statuses.filter_map(of).sum()
    }

    /// Memory size from `/proc/<pid>/status` in MiB: `VmRSS` or `VmHWM`.
    pub fn memory_mib(&self, key: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a status");
        let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':')).expect("a size");
        line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") / 1_024.0
    }

    /// Value of a metric with these labels; 0 if it is absent.
    pub async fn metric(&self, name: &str) -> f64 {
        let answer = reqwest::get(format!("{}/metrics", self.operations_url)).await.expect("metrics");
        let text = answer.text().await.expect("a text");
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok());
        value.unwrap_or_default()
    }

    /// Counters of committed transactions, by name.
    pub async fn commits(&self) -> BTreeMap<String, f64> {
        let answer = match reqwest::get(format!("{}/metrics", self.operations_url)).await {
            Ok(answer) => answer,
            // Builds before the operations listener.
            Err(_) => reqwest::get(format!("{}/metrics", self.url)).await.expect("metrics"),
        };
        let text = answer.text().await.expect("a text");
        let mut commits = BTreeMap::new();
        for line in text.lines() {
            // Older builds have metrics without the prefix.
            let line = line.strip_prefix("chasqui_").unwrap_or(line);
            let Some(line) = line.strip_prefix("db_commits_total{name=\"") else { continue };
            if let Some((name, value)) = line.split_once("\"} ") {
                commits.insert(name.to_owned(), value.parse().unwrap_or_default());
            }
        }
        commits
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// CPU time of a process (`self` for this one) in milliseconds.
pub fn cpu_ms(pid: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("a stat");
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: f64 = rest.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    ticks * 1_000.0 / TICKS_PER_SECOND
}
