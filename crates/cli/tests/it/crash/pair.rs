//! Two nodes on one PostgreSQL. WhatsApp calls one of them, and the other one when that is gone, as a load balancer does it.

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
    lives: usize,
}

pub struct Node {
    /// Of this life; in the path at which it asks the model.
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

    /// Each with settings of its own.
    pub fn of_two(world: &'w World, settings: [&[(&'static str, &str)]; 2]) -> Self {
        let settings = settings.map(|one| one.iter().map(|(name, value)| (*name, (*value).to_owned())).collect());
        let mut pair = Self { world, settings, all: Vec::new(), callback: 0, lives: 0 };
        // One after the other: the first makes the master key that the second copies.
        for (at, port) in [world.port, free_port()].into_iter().enumerate() {
            let name = pair.next_name();
            let folder = if pair.all.is_empty() { world.home.data() } else { another_folder(world, &name) };
            let state = State::Up(listening(&mut pair.command(at, &name, port, &folder)));
            pair.all.push(Node { name, port, folder, state });
        }
        pair
    }

    fn next_name(&mut self) -> String {
        self.lives += 1;
        format!("life{}", self.lives)
    }

    fn command(&self, at: usize, name: &str, port: u16, folder: &PathBuf) -> Command {
        let mut command = command(self.world, port);
        command.env("CHASQUI_DATA_DIR", folder);
        command.env("CHASQUI_LLM_BASE_URL", format!("{}/{name}/v1", self.world.model.url()));
        command.envs(self.settings[at].iter().map(|(name, value)| (*name, value)));
        command
    }

    pub fn are_both_up(&self) -> bool {
        self.all.iter().all(|node| matches!(node.state, State::Up(_)))
    }

    /// The process of a node that is up.
    pub fn process(&mut self, at: usize) -> &mut Running {
        match &mut self.all[at].state {
            State::Up(process) => process,
            State::Starting(_) => panic!("the node is not up"),
        }
    }

    /// Kills a node while the other one is up, and starts it again: as the node that it was, or with an empty folder as one
    /// that knows nothing of its earlier life and must let its leases run out.
    pub fn kill(&mut self, at: usize, forgets: bool) {
        // Dead and gone, so that its port and its folder are free.
        drop(std::mem::replace(&mut self.all[at].state, State::Starting(None)));
        if self.callback == at {
            self.call_back(1 - at);
        }
        let name = self.next_name();
        let folder = if forgets { another_folder(self.world, &name) } else { self.all[at].folder.clone() };
        let mut command = self.command(at, &name, self.all[at].port, &folder);
        let starting = std::thread::spawn(move || listening(&mut command));
        let node = &mut self.all[at];
        (node.name, node.folder, node.state) = (name, folder, State::Starting(Some(starting)));
    }

    /// WhatsApp calls this node from now on.
    pub fn call_back(&mut self, at: usize) {
        self.callback = at;
        self.world.call_back(self.all[at].port);
        self.world.flush();
    }

    /// Takes note of nodes that have come up.
    pub fn look_after(&mut self) {
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
