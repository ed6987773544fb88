//! One execution without network and database, as a worker runs it: each step with its effects
//! written as JSON, each request of the model built.

use domain::{
    Id, Span, Timestamp,
    agent::Graph,
    chat::{ChatMessage, ModelResponse, ToolCall},
    nesting,
    tool_request::{SecretMarks, ToolAnswer, ToolRequest},
};
use engine::{AgentContent, Compiled, Effect, Facts, Input, RULES, State, advance, model_request, prepare_calls};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, hint::black_box};
use uuid::Uuid;

pub struct Play<'a> {
    agent: &'a Compiled,
    state: State,
    rows: Vec<(i64, ChatMessage)>,
    now: Timestamp,
}

/// Effects that an execution requests after an input.
pub enum Asks {
    Model(String),
    Tool(String, Box<ToolRequest>, SecretMarks),
    Lists(String),
    Nothing,
}

/// A graph of one node, which has these tools and leads to the end.
pub fn graph(prompt: &Value, label: &Value, subagent: &Value) -> Value {
    json!({
        "nodes": [{"name": "__start__", "type": "DefaultNode"},
            {"name": "shop", "type": "SubagentNode", "prompt": prompt, "subagent": subagent},
            {"name": "__end__", "type": "DefaultNode"}],
        "edges": [{"from": "__start__", "to": "shop"}, {"from": "shop", "to": "__end__", "label": label}],
    })
}

/// Reads and compiles a graph as it is when it is saved and first used.
pub fn compiled(graph: &Value, system_prompt: Option<&str>) -> Option<Compiled> {
    let read = Graph::read(graph).ok()?;
    let graph = read.graph.to_json();
    let system_prompt = system_prompt.map(str::to_owned);
    Compiled::new(&AgentContent { system_prompt, agent_version: 2, graph, ..AgentContent::default() }).ok()
}

impl<'a> Play<'a> {
    pub fn new(agent: &'a Compiled, vars: &Map<String, Value>, metadata: &Map<String, Value>) -> Self {
        let id = |number| Uuid::from_u128(number);
        let mut facts = Facts {
            agent_id: Id::from_uuid(id(1)),
            execution_id: Id::from_uuid(id(2)),
            conversation_id: Id::from_uuid(id(3)),
            phone_number: Some("+5511961234567".into()),
            profile_name: Some("Ann".into()),
            vars: vars.clone(),
            about: Default::default(),
            test_mode: false,
            without_channel: false,
            rules: RULES,
            keep_markdown: false,
            model: None,
        };
        facts.about.metadata.clone_from(metadata);
        Self { agent, state: State::new(facts), rows: Vec::new(), now: Timestamp::from_secs(1_748_873_109) }
    }

    pub fn feed(&mut self, input: Input) -> Asks {
        self.now = self.now + Span::from_secs(1);
        black_box(serde_json::to_string(&input).ok());
        let step = advance(self.agent, &mut self.state, self.now, &[input]);
        black_box(serde_json::to_string(&step.effects).ok());
        black_box(serde_json::to_string(&step.events).ok());
        self.rows.extend(step.history.into_iter().map(|entry| (entry.seq, entry.message)));
        for effect in step.effects {
            match effect {
                Effect::CallModel(call) => {
                    black_box(model_request(self.agent, &self.state, &call, &self.rows));
                    return Asks::Model(call.id);
                }
                Effect::CallTool { id, request, secrets } => return Asks::Tool(id, Box::new(request), secrets),
                Effect::ListTools { id, .. } => return Asks::Lists(id),
                _ => {}
            }
        }
        Asks::Nothing
    }

    pub fn say(&mut self, text: &str) -> Asks {
        self.feed(Input::Message { id: "m1".into(), text: text.to_owned(), picture: None })
    }

    /// The model calls one tool.
    pub fn call(&mut self, effect: String, tool: &str, arguments: &Value) -> Asks {
        let calls = vec![ToolCall { id: "c1".into(), name: tool.into(), arguments: arguments.clone() }];
        if let Some(prepare) = prepare_calls(self.agent, &self.state, &calls) {
            prepare();
        }
        self.feed(Input::Model { effect, response: ModelResponse { tool_calls: calls, ..ModelResponse::default() } })
    }

    /// A tool answers.
    pub fn answer(&mut self, effect: String, answer: ToolAnswer, secrets: &BTreeMap<String, String>) -> Asks {
        let answer = match answer.redacted(secrets) {
            ToolAnswer::Answered { status, content, truncated } => {
                ToolAnswer::Answered { status, content: nesting::shallow(content), truncated }
            }
            failed @ ToolAnswer::Failed { .. } => failed,
        };
        match self.agent.pending_result(&self.state) {
            Some(rule) => {
                let read = rule.read(&answer);
                self.feed(Input::ToolResult { effect, result: read.result, warning: read.warning, failed: read.failed })
            }
            None => self.feed(Input::Tool { effect, answer }),
        }
    }
}
