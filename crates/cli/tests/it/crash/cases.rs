//! Where the server dies, and what may be seen of it from outside.

use std::fmt;

/// What the agent's tool call comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// Called once, and the model is told the answer.
    Told,
    /// Called this often, and the model is told that the outcome is unknown: a POST is never repeated.
    Unknown(usize),
    /// A GET, which is safe to repeat: called twice, and the model is told the answer.
    Repeated,
}

/// How the server dies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kill {
    /// One life after the other at a failpoint, `name:N`.
    At(Vec<&'static str>),
    /// While the request with the answer is open at WhatsApp, which takes the message or not.
    DuringTheSend { taken: bool },
}

/// What the person wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Something that the agent calls its tool for.
    Booking,
    /// Nothing more: the agent waits for a while and then ends.
    Farewell,
    /// Nobody talks to the agent but a suite of test cases.
    Suite,
}

/// One kill.
#[derive(Debug, Clone)]
pub struct Case {
    pub kill: Kill,
    pub wish: Wish,
    pub tool: Tool,
    /// Requests with the answer that WhatsApp gets.
    pub sends: usize,
    /// How long the server waits for a status of an unclear send.
    pub window_ms: u32,
}

/// A status of a send that WhatsApp took comes within 6 s, also when the server was away for the first two attempts.
const LONG: u32 = 20_000;
/// WhatsApp knows nothing of these sends, so no status comes.
const SHORT: u32 = 1_500;

impl Case {
    /// A death that the person does not notice.
    pub fn at(point: &'static str) -> Self {
        Self { kill: Kill::At(vec![point]), wish: Wish::Booking, tool: Tool::Told, sends: 1, window_ms: LONG }
    }

    fn tool(point: &'static str, tool: Tool) -> Self {
        Self { tool, ..Self::at(point) }
    }

    fn unsent(point: &'static str) -> Self {
        Self { window_ms: SHORT, ..Self::at(point) }
    }

    fn during_the_send(taken: bool) -> Self {
        let (sends, window_ms) = if taken { (1, LONG) } else { (2, SHORT) };
        Self { kill: Kill::DuringTheSend { taken }, sends, window_ms, ..Self::at("") }
    }

    /// Whether what comes first after the restart is not the server's to hasten.
    pub fn waits(&self) -> bool {
        self.window_ms == SHORT
            || matches!(&self.kill, Kill::At(points) if points.iter().any(|point| point.starts_with("ingest.")))
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kill {
            Kill::At(points) => f.write_str(&points.join(", "))?,
            Kill::DuringTheSend { taken: true } => f.write_str("during the send, taken")?,
            Kill::DuringTheSend { taken: false } => f.write_str("during the send, not taken")?,
        }
        if self.tool == Tool::Repeated { f.write_str(", GET") } else { Ok(()) }
    }
}

/// The numbers: the code and the welcome are the first message and the first send, the question and its answer the second.
/// The turn of the question has three steps: tool call, tool result, answer.
pub fn all() -> Vec<Case> {
    vec![
        Case::at("ingest.verified:2"),
        Case::at("ingest.commit:1"),
        Case::at("ingest.commit:2"),
        Case::at("ingest.committed:1"),
        Case::at("ingest.committed:2"),
        Case::at("claim.commit"),
        Case::at("claim.committed"),
        Case::at("model.ask:1"),
        Case::at("model.answered:1"),
        Case::at("model.answered:2"),
        Case::at("step.commit:1"),
        Case::tool("step.committed:1", Tool::Unknown(0)),
        Case::tool("tool.ask", Tool::Unknown(0)),
        Case::tool("tool.answered", Tool::Unknown(1)),
        Case::tool("tool.answered", Tool::Repeated),
        Case::tool("step.commit:2", Tool::Unknown(1)),
        Case::at("step.committed:2"),
        Case::at("step.commit:3"),
        Case::at("step.committed:3"),
        Case::at("attempt.commit:2"),
        Case::unsent("attempt.committed:1"),
        Case::unsent("attempt.committed:2"),
        Case::unsent("send.open:2"),
        Case::during_the_send(false),
        Case::during_the_send(true),
        Case::at("send.answered:1"),
        Case::at("send.answered:2"),
        Case::at("settle.commit:2"),
        Case::at("settle.committed:1"),
        Case::at("settle.committed:2"),
        Case::at("status.commit"),
        Case::at("status.committed"),
        // Twice in a row: what the second life left is as good as what the first left.
        Case { kill: Kill::At(vec!["claim.committed", "model.answered", "step.commit"]), ..Case::at("") },
    ]
}

/// Those in which a suite of three cases is played (`suite.rs`). Each case has six steps at least: begun, asked by its user,
/// answered, ended by its user, judged.
pub fn suites() -> Vec<Case> {
    let suite = |points: &[&'static str]| Case { kill: Kill::At(points.to_vec()), wish: Wish::Suite, ..Case::at("") };
    vec![
        suite(&["trial.commit:1", "trial.committed:4"]),
        suite(&["trial.ask:1", "trial.answered:3"]),
        suite(&["trial.commit:5", "trial.ask:4", "trial.answered:2", "trial.committed:4"]),
        // The agent of a case dies in its turn.
        suite(&["model.answered:2", "step.commit:2", "trial.committed:6"]),
    ]
}

/// Those that wait for a timer.
pub fn timers() -> Vec<Case> {
    let points = vec!["timer.commit", "timer.committed"];
    vec![Case { kill: Kill::At(points), wish: Wish::Farewell, ..Case::at("") }]
}
