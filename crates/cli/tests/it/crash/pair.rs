//! Two nodes on one PostgreSQL. WhatsApp's webhooks go to one of them, and to the other one when
//! that is killed, as with a load balancer.

use std::{path::PathBuf, process::Command, thread::JoinHandle};

use super::{
    server::{another_folder, command, listening},
    world::{World, free_port},
};
use crate::program::Running;

pub struct Pair<'w> {
    world: &'w World,
    settings: [Vec<(&'static str, String)>; 2],
    pub all: Vec<Node>,
    callback: usize,
    runs: usize,
}

pub struct Node {
    /// Name of this run; part of the path of its model requests.
    pub name: String,
    pub port: u16,
    folder: PathBuf,
    state: State,
}

enum State {
    Up(Running),
    Starting(Option<JoinHandle<Running>>),
}

impl<'w> Pair<'w> {
    pub fn start(world: &'w World, settings: &[(&'static str, &str)]) -> Self {
        Self::of_two(world, [settings, settings])
    }

    /// Starts two nodes with different settings.
    pub fn of_two(world: &'w World, settings: [&[(&'static str, &str)]; 2]) -> Self {
        let settings = settings.map(|one| one.iter().map(|(name, value)| (*name, (*value).to_owned())).collect());
        let mut pair = Self { world, settings, all: Vec::new(), callback: 0, runs: 0 };
        // In sequence: the first creates the master key that the second copies.
        for (at, port) in [world.port, free_port()].into_iter().enumerate() {
            let name = pair.next_name();
            let folder = if pair.all.is_empty() { world.home.data() } else { another_folder(world, &name) };
            let state = State::Up(listening(&mut pair.command(at, &name, port, &folder)));
            pair.all.push(Node { name, port, folder, state });
        }
        pair
    }

    fn next_name(&mut self) -> String {
        self.runs += 1;
        format!("run{}", self.runs)
    }

    fn command(&self, at: usize, name: &str, port: u16, folder: &PathBuf) -> Command {
        let mut command = command(self.world, port);
        command.env("CHASQUI_DATA_DIR", folder);
        command.env("CHASQUI_LLM_BASE_URL", format!("{}/{name}/v1", self.world.model.url()));
        command.envs(self.settings[at].iter().map(|(name, value)| (*name, value)));
        command
    }

    pub fn are_both_running(&self) -> bool {
        self.all.iter().all(|node| matches!(node.state, State::Up(_)))
    }

    /// Process of a running node.
    pub fn process(&mut self, at: usize) -> &mut Running {
        match &mut self.all[at].state {
            State::Up(process) => process,
            State::Starting(_) => panic!("the node is not running"),
        }
    }

    /// Kills a node while the other one runs, and restarts it. With `forgets` it gets an empty
    /// folder and a new identity, so that its old leases must expire.
    pub fn kill(&mut self, at: usize, forgets: bool) {
        // Dropping the process kills it, so that its port and its folder are free.
        drop(std::mem::replace(&mut self.all[at].state, State::Starting(None)));
        if self.callback == at {
            self.set_callback(1 - at);
        }
        let name = self.next_name();
        let folder = if forgets { another_folder(self.world, &name) } else { self.all[at].folder.clone() };
        let mut command = self.command(at, &name, self.all[at].port, &folder);
        let starting = std::thread::spawn(move || listening(&mut command));
        let node = &mut self.all[at];
        (node.name, node.folder, node.state) = (name, folder, State::Starting(Some(starting)));
    }

    /// Sends WhatsApp's webhooks to this node.
    pub fn set_callback(&mut self, at: usize) {
        self.callback = at;
        self.world.set_callback(self.all[at].port);
        self.world.flush();
    }

    /// Updates the state of nodes that have started.
    pub fn refresh(&mut self) {
        for node in &mut self.all {
            if let State::Starting(starting) = &mut node.state
                && starting.as_ref().is_some_and(JoinHandle::is_finished)
                && let Some(starting) = starting.take()
            {
                node.state = State::Up(starting.join().unwrap());
            }
        }
    }
}
