//! Cases of the crash matrix: where the server is killed, and the expected effects outside.

use std::fmt;

/// Expected result of the agent's tool call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// Called once; the model receives the answer.
    Answered,
    /// Called this often; the model receives `outcome_unknown`, because a POST is never repeated.
    Unknown(usize),
    /// A GET, which is safe to repeat: called twice; the model receives the answer.
    Repeated,
}

/// Time of the kill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kill {
    /// Each run of the server at a failpoint, `name:N`.
    At(Vec<&'static str>),
    /// While the send is open at WhatsApp, which accepts the message or not.
    DuringTheSend { taken: bool },
}

/// Topic of the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scene {
    /// The agent calls its tool.
    Booking,
    /// The agent waits for a while and then ends.
    Farewell,
    /// A test suite runs against the agent.
    Suite,
}

#[derive(Debug, Clone)]
pub struct Case {
    pub kill: Kill,
    pub scene: Scene,
    pub tool: Tool,
    /// Expected number of requests to send the answer.
    pub sends: usize,
    /// Reconcile window of the server.
    pub window_ms: u32,
}

/// Window for accepted sends. Their status arrives within 6 s, even if the first two attempts fail.
const LONG: u32 = 20_000;
/// Window for sends that did not reach WhatsApp: no status arrives.
const SHORT: u32 = 1_500;

impl Case {
    /// A kill without visible effects.
    pub fn at(point: &'static str) -> Self {
        Self { kill: Kill::At(vec![point]), scene: Scene::Booking, tool: Tool::Answered, sends: 1, window_ms: LONG }
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

    /// True if the first effect after the restart depends on WhatsApp or the reconcile window.
    pub fn waits(&self) -> bool {
        self.window_ms == SHORT
            || matches!(&self.kill, Kill::At(points) if points.iter().any(|point| point.starts_with("ingest.")))
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kill {
            Kill::At(points) => f.write_str(&points.join(", "))?,
            Kill::DuringTheSend { taken: true } => f.write_str("during the send, accepted")?,
            Kill::DuringTheSend { taken: false } => f.write_str("during the send, not accepted")?,
        }
        if self.tool == Tool::Repeated { f.write_str(", GET") } else { Ok(()) }
    }
}

/// Cases of one conversation. Numbers in failpoints: the code and the welcome are the first message
/// and the first send, the question and its answer the second. The question's turn has three steps:
/// tool call, tool result, answer.
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
        // Several kills in a row: each restart must recover what the one before left. A third death
        // of the same turn without an outcome would park it (`poison.rs`).
        Case { kill: Kill::At(vec!["claim.committed", "model.answered", "settle.committed"]), ..Case::at("") },
    ]
}

/// Cases with a test suite (`suite.rs`). Each of its test cases has at least six steps: start, user
/// messages, answers, end by the user, judgement.
pub fn suites() -> Vec<Case> {
    let suite = |points: &[&'static str]| Case { kill: Kill::At(points.to_vec()), scene: Scene::Suite, ..Case::at("") };
    vec![
        suite(&["trial.commit:1", "trial.committed:4"]),
        suite(&["trial.ask:1", "trial.answered:3"]),
        // Two kills in a row: a third death of the same run without an outcome would park it.
        suite(&["trial.commit:5", "trial.ask:4"]),
        suite(&["trial.answered:2", "trial.committed:4"]),
        // Killed during the turn of a test case's agent.
        suite(&["model.answered:2", "step.commit:2"]),
        suite(&["step.commit:2", "trial.committed:6"]),
    ]
}

/// Cases that wait for a timer.
pub fn timers() -> Vec<Case> {
    let points = vec!["timer.commit", "timer.committed"];
    vec![Case { kill: Kill::At(points), scene: Scene::Farewell, ..Case::at("") }]
}
