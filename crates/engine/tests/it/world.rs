//! The world around an execution, shared by the property suites: an answer to every kind of effect, and replay of an
//! execution from its inputs. The suites differ in the answers of their world; `agents.rs` holds their agents.

use domain::{
    Timestamp,
    chat::{ModelFailure, ModelResponse},
    message::Content,
    tool_request::ToolAnswer,
};
use engine::{CallModel, Compiled, Effect, Event, Input, Retrieval, SendOutcome, State, ToolList, advance};
use serde_json::json;

pub trait World {
    fn model(&mut self, call: &CallModel) -> Result<ModelResponse, ModelFailure>;
    fn webhook(&mut self) -> ToolAnswer;
    fn search(&mut self) -> Retrieval;
    fn tools_of(&mut self, server: &str) -> ToolAnswer;
    fn send(&mut self, content: &Content) -> SendOutcome;

    /// The outcome of an effect, as a worker feeds it.
    fn outcome(&mut self, effect: &Effect) -> Input {
        match effect {
            Effect::CallModel(call) => match self.model(call) {
                Ok(response) => Input::Model { effect: call.id.clone(), response },
                Err(failure) => Input::ModelFailed { effect: call.id.clone(), failure },
            },
            Effect::CallTool { id, .. } => Input::Tool { effect: id.clone(), answer: self.webhook() },
            Effect::Retrieve { id, .. } => Input::Retrieved { effect: id.clone(), retrieval: self.search() },
            Effect::ListTools { id, servers } => {
                let list = |server: &String| ToolList {
                    server: server.clone(),
                    answer: self.tools_of(server),
                    drifted: Vec::new(),
                };
                let lists = servers.iter().map(|asked| &asked.server).map(list).collect();
                Input::ToolsListed { effect: id.clone(), lists }
            }
            Effect::Send { id, content } => Input::Sent { effect: id.clone(), outcome: self.send(content) },
            Effect::SetTimer { .. } | Effect::ClearTimer | Effect::CancelModel { .. } => {
                unreachable!("{effect:?} has no outcome")
            }
        }
    }
}

/// Inputs of each step, with the time of the step.
pub type Journal = [(Timestamp, Vec<Input>)];

/// Plays an execution again from its journal and compares state and events.
pub fn assert_replays(agent: &Compiled, mut state: State, journal: &Journal, expected: (&State, &[Event])) {
    let mut events = Vec::new();
    for (at, inputs) in journal {
        events.extend(advance(agent, &mut state, *at, inputs).events);
    }
    assert_eq!(&state, expected.0, "the state of the replay");
    assert_eq!(events, expected.1, "the events of the replay");
}

/// An MCP server that offers one tool, `count`.
pub fn one_tool() -> ToolAnswer {
    let content = json!([{"name": "count", "schema": {"type": "object"}}]);
    ToolAnswer::Answered { status: 200, content, truncated: false }
}

pub fn unreachable_server() -> ToolAnswer {
    ToolAnswer::Failed { code: "connect_error".into(), message: "no".into() }
}

pub fn opening_hours() -> Retrieval {
    Retrieval::Found { passages: vec!["Open at nine.".into()] }
}
