//! Server process of the crash tests, restarted after each kill.

use std::{
    fs::OpenOptions,
    os::unix::process::ExitStatusExt as _,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use super::{
    cases::{Case, Kill},
    world::{World, operations_port},
};
use crate::program::Running;

const SIGKILL: i32 = 9;
/// Time limit for a start.
const START_LIMIT: Duration = Duration::from_secs(20);

/// A server that is restarted when it is killed, as by a service manager.
pub struct Server<'w> {
    world: &'w World,
    process: Running,
    window_ms: u32,
    /// Failpoints of the next runs.
    points: std::vec::IntoIter<&'static str>,
    current: Option<&'static str>,
    killed: bool,
    pub restarts: Vec<Restart>,
    pub reached: Vec<String>,
    began: Instant,
    activity: usize,
}

pub struct Restart {
    /// Time until the server listened.
    pub ready: Duration,
    /// Time until the first visible activity; `None` if there was none.
    pub first_turn: Option<Duration>,
}

impl<'w> Server<'w> {
    pub fn start(world: &'w World, case: &Case) -> Self {
        let mut points = match &case.kill {
            Kill::At(points) => points.clone().into_iter(),
            Kill::DuringTheSend { .. } => Vec::new().into_iter(),
        };
        let current = points.next();
        let began = Instant::now();
        let process = spawn(world, case.window_ms, current);
        Self {
            world,
            process,
            window_ms: case.window_ms,
            points,
            current,
            killed: false,
            restarts: Vec::new(),
            reached: Vec::new(),
            began,
            activity: 0,
        }
    }

    /// Kills the server now.
    pub fn kill(&mut self) {
        self.process.kill();
        self.killed = true;
    }

    /// True if all kills of the case have happened.
    pub fn had_all_kills(&self) -> bool {
        self.current.is_none() && !self.killed
    }

    /// Restarts the server if it was killed at its failpoint; fails if it ended in another way.
    pub fn restart_if_killed(&mut self) {
        let Some(end) = self.process.end() else { return self.note_first_turn() };
        assert_eq!(end.signal(), Some(SIGKILL), "the server ended with {end}:\n{}", self.log());
        if !std::mem::take(&mut self.killed) {
            let point = self.current.expect("an expected kill");
            let name = point.split(':').next().unwrap_or_default();
            let line = format!("failpoint reached: {name}");
            let times = self.log().lines().filter(|text| **text == line).count();
            assert_eq!(
                times,
                self.reached.iter().filter(|reached| *reached == name).count() + 1,
                "the server was not killed at {name}"
            );
            self.reached.push(name.to_owned());
        }
        self.current = self.points.next();
        self.activity = self.world.activity();
        self.began = Instant::now();
        self.process = spawn(self.world, self.window_ms, self.current);
        self.restarts.push(Restart { ready: self.began.elapsed(), first_turn: None });
        self.note_first_turn();
    }

    fn note_first_turn(&mut self) {
        let Some(restart) = self.restarts.last_mut().filter(|restart| restart.first_turn.is_none()) else { return };
        if self.world.activity() > self.activity {
            restart.first_turn = Some(self.began.elapsed());
        }
    }

    /// Standard error of all runs.
    pub fn log(&self) -> String {
        self.world.server_log()
    }
}

fn spawn(world: &World, window_ms: u32, failpoint: Option<&str>) -> Running {
    let mut command = command(world, world.port);
    command.env("CHASQUI_OUTBOX_RECONCILE_WINDOW_MS", window_ms.to_string());
    if let Some(failpoint) = failpoint {
        command.env("CHASQUI_FAILPOINT", failpoint);
    }
    listening(&mut command)
}

/// Creates a data folder for another node. Nodes share the master key.
pub fn another_folder(world: &World, name: &str) -> PathBuf {
    let folder = world.home.path().join(name);
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(world.home.data().join("master.key"), folder.join("master.key")).unwrap();
    folder
}

/// Starts a server and waits until it listens.
pub fn listening(command: &mut Command) -> Running {
    let mut process = Running::spawn(command);
    process.value_after("Chasqui listens on ", START_LIMIT);
    process
}

/// Command of a server of this world.
pub fn command(world: &World, port: u16) -> Command {
    let log = OpenOptions::new().create(true).append(true).open(world.server_log_file()).unwrap();
    let mut command = world.home.command(&["serve", "--listen", &format!("127.0.0.1:{port}")]);
    command.env("CHASQUI_OPERATIONS_LISTEN", format!("127.0.0.1:{}", operations_port(port)));
    command.stderr(log).envs([
        ("CHASQUI_LOG", "warn"),
        ("CHASQUI_RATE_LIMIT_PER_MINUTE", "0"),
        ("CHASQUI_PROJECT_REQUESTS_PER_MINUTE", "0"),
        ("CHASQUI_GRAPH_BASE_URL", &world.emulator),
        ("CHASQUI_META_APP_SECRET", emulator::APP_SECRET),
        ("CHASQUI_META_VERIFY_TOKEN", emulator::VERIFY_TOKEN),
        ("CHASQUI_SANDBOX_PHONE_NUMBER_ID", emulator::PHONE_NUMBER_ID),
        ("CHASQUI_SANDBOX_PHONE_NUMBER", emulator::DISPLAY_PHONE_NUMBER),
        ("CHASQUI_SANDBOX_ACCESS_TOKEN", emulator::ACCESS_TOKEN),
        ("CHASQUI_LLM_PROVIDER", "OpenAICompatible"),
        ("CHASQUI_LLM_BASE_URL", &format!("{}/v1", world.model.url())),
        ("CHASQUI_LLM_MODEL", "scripted-1"),
        ("CHASQUI_EGRESS_ALLOW", "127.0.0.1/32"),
    ]);
    command
}
