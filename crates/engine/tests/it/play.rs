//! One execution with a scripted world, and checks of every step.

use super::check;
pub use super::script::*;
use domain::{
    Id, Span, Timestamp,
    chat::{ChatMessage, ModelFailure, ModelFailureKind, ModelRequest, ModelResponse},
    execution::{ExecutionInput, ExecutionStatus, TimerKind},
    message::Content,
    tool_request::{McpTool, ToolAnswer, ToolRequest},
};
use engine::{
    CallModel, Compiled, Effect, Event, Facts, Input, McpServerRequest, Pending, Retrieval, STATE_FORMAT, SendOutcome,
    State, Step, ToolList, ToolResult, advance, knowledge::Index, model_request,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

pub struct Play {
    pub agent: Arc<Compiled>,
    pub state: State,
    pub now: Timestamp,
    pub history: Vec<(i64, ChatMessage)>,
    pub events: Vec<Event>,
    /// Effects so far, oldest first.
    pub effects: Vec<Effect>,
    /// Effects without an outcome.
    pub open: Vec<Effect>,
    pub requests: Vec<ModelRequest>,
    pub timer: Option<(TimerKind, i64, Timestamp)>,
    /// Effects since the turn started: model calls, tool calls, sends.
    pub spent: [usize; 3],
    /// Outcomes of the next sends; accepted if there is none.
    pub send_outcomes: Vec<SendOutcome>,
    /// Answers of the next webhooks.
    pub tool_answers: Vec<ToolAnswer>,
    /// Tools of MCP servers; a server that is missing here cannot be reached.
    pub mcp_servers: BTreeMap<String, Vec<McpTool>>,
    count: usize,
}

pub fn facts() -> Facts {
    Facts {
        agent_id: Id::from_uuid(Uuid::from_u128(1)),
        execution_id: Id::from_uuid(Uuid::from_u128(2)),
        conversation_id: Id::from_uuid(Uuid::from_u128(3)),
        phone_number: Some("+5511961234567".into()),
        profile_name: Some("Ann".into()),
        vars: Default::default(),
        about: Default::default(),
        test_mode: false,
        without_channel: false,
        rules: engine::RULES,
        keep_markdown: false,
        model: None,
    }
}

impl Play {
    pub fn new(agent: impl Into<Arc<Compiled>>) -> Self {
        Self::with(agent, facts())
    }

    pub fn with(agent: impl Into<Arc<Compiled>>, facts: Facts) -> Self {
        Self {
            agent: agent.into(),
            state: State::new(facts),
            now: Timestamp::from_secs(1_748_873_109),
            history: Vec::new(),
            events: Vec::new(),
            effects: Vec::new(),
            open: Vec::new(),
            requests: Vec::new(),
            timer: None,
            spent: [0; 3],
            send_outcomes: Vec::new(),
            tool_answers: Vec::new(),
            mcp_servers: BTreeMap::new(),
            count: 0,
        }
    }

    // ---- one step

    pub fn feed(&mut self, inputs: &[Input]) -> Step {
        let before = self.state.clone();
        let step = advance(&self.agent, &mut self.state, self.now, inputs);
        self.same_again(before.clone(), inputs, &step);
        self.record(&before, &step);
        step
    }

    /// From a stored state the same inputs give the same step, with effects and events of the same
    /// bytes.
    fn same_again(&self, before: State, inputs: &[Input], step: &Step) {
        let stored = serde_json::to_string(&before).unwrap();
        let mut again = State::load(STATE_FORMAT, &stored).unwrap();
        assert_eq!(again, before, "a state reads back as it was written");
        let repeated = advance(&self.agent, &mut again, self.now, inputs);
        assert_eq!((&repeated, &again), (step, &self.state), "the same step");
        let bytes = |step: &Step| serde_json::to_string(&(&step.effects, &step.events)).unwrap();
        assert_eq!(bytes(&repeated), bytes(step), "the same bytes");
    }

    fn record(&mut self, before: &State, step: &Step) {
        for entry in &step.history {
            assert_eq!(entry.seq, i64::try_from(self.history.len()).unwrap() + 1, "history without gaps");
            self.history.push((entry.seq, entry.message.clone()));
        }
        assert_eq!(self.state.history.len, i64::try_from(self.history.len()).unwrap());
        let mut status = before.status();
        for event in &step.events {
            assert_eq!(event.seq, u64::try_from(self.events.len()).unwrap() + 1, "events without gaps");
            if event.name == "execution.status" {
                let to: ExecutionStatus = serde_json::from_value(event.data["to"].clone()).unwrap();
                check::transition(status, to);
                status = to;
            }
            if event.name == "turn.started" {
                self.spent = [0; 3];
            }
            self.events.push(event.clone());
        }
        let under_way = self.count("turn.started").checked_sub(self.count("turn.finished"));
        assert!(matches!(under_way, Some(0 | 1)), "turns begin and finish in pairs");
        assert_eq!(status, self.state.status(), "the last status told is the status");
        check::history(&self.history, &self.state);
        for effect in &step.effects {
            match effect {
                Effect::CallModel(call) => {
                    self.spent[0] += 1;
                    self.ask(call);
                }
                Effect::CallTool { .. } | Effect::Retrieve { .. } => self.spent[1] += 1,
                Effect::ListTools { servers, .. } => assert!(!servers.is_empty()),
                Effect::Send { content, .. } => {
                    self.spent[2] += 1;
                    let long = content.in_words().chars().count();
                    assert!((1..=4096).contains(&long), "WhatsApp takes 1 to 4096 characters");
                }
                // A cancelled call gets no answer.
                Effect::CancelModel { id } => {
                    self.open.retain(|open| !matches!(open, Effect::CallModel(call) if call.id == *id));
                }
                Effect::SetTimer { kind, generation, fire_at } => self.timer = Some((*kind, *generation, *fire_at)),
                Effect::ClearTimer => self.timer = None,
            }
        }
        let kept = |effect: &Effect| {
            matches!(effect, Effect::SetTimer { .. } | Effect::ClearTimer | Effect::CancelModel { .. })
        };
        let talks = |effect: &&Effect| !kept(effect);
        let began = step.events.iter().any(|event| event.name == "turn.started");
        if (before.phase.is_over() || before.phase.interrupt().is_some()) && !began {
            assert_eq!(step.effects.iter().find(talks), None, "at rest and afterwards nothing is asked for");
        }
        if self.state.phase.interrupt().is_some() {
            assert!(self.state.sends.is_empty(), "a rest while something is on its way");
            assert!(self.timer.is_some(), "a rest without a timer");
        } else {
            assert_eq!(self.timer, None, "a timer of a rest that is over");
        }
        self.open.extend(step.effects.iter().filter(talks).cloned());
        self.effects.extend(step.effects.iter().cloned());
    }

    fn ask(&mut self, call: &CallModel) {
        let request = model_request(&self.agent, &self.state, call, &self.history);
        if !call.summarises {
            check::request(&request, &call.node);
        }
        self.requests.push(request);
    }

    // ---- effects and their outcomes

    pub fn key(&mut self) -> String {
        self.count += 1;
        format!("input_{}", self.count)
    }

    pub fn hears(&mut self, text: &str) -> Step {
        let id = self.key();
        self.feed(&[Input::Message { id, text: text.into(), picture: None }])
    }

    /// The contact writes, and the script answers until no effect is open. Sends are accepted
    /// unless the play sets other outcomes.
    pub fn say(&mut self, text: &str, script: impl IntoIterator<Item = ModelResponse>) {
        self.hears(text);
        self.answer(script);
    }

    pub fn data(&mut self, value: Value, script: impl IntoIterator<Item = ModelResponse>) {
        let id = self.key();
        self.feed(&[Input::Data { id, value }]);
        self.answer(script);
    }

    pub fn resume(&mut self, message: Option<ExecutionInput>, script: impl IntoIterator<Item = ModelResponse>) {
        let id = self.key();
        self.feed(&[Input::Resume { id, message, interrupt: None }]);
        self.answer(script);
    }

    pub fn outside(&mut self, text: &str) {
        let id = self.key();
        self.feed(&[Input::ExternalMessage { id, text: text.into() }]);
    }

    pub fn stop(&mut self) -> Step {
        self.feed(&[stop()])
    }

    pub fn answer(&mut self, script: impl IntoIterator<Item = ModelResponse>) {
        let mut script = script.into_iter();
        while let Some(effect) = self.open.first().cloned() {
            let input = match &effect {
                Effect::CallModel(call) => match script.next() {
                    Some(response) => Input::Model { effect: call.id.clone(), response },
                    None => break,
                },
                Effect::Send { id, .. } => {
                    let scripted = !self.send_outcomes.is_empty();
                    let outcome = if scripted { self.send_outcomes.remove(0) } else { accepted() };
                    Input::Sent { effect: id.clone(), outcome }
                }
                Effect::CallTool { id, .. } => {
                    assert!(!self.tool_answers.is_empty(), "an unexpected request: {effect:?}");
                    let answer = self.tool_answers.remove(0);
                    self.tool_input(id, answer)
                }
                Effect::Retrieve { .. } => self.retrieved(&effect),
                Effect::ListTools { .. } => self.listed(&effect),
                Effect::SetTimer { .. } | Effect::ClearTimer | Effect::CancelModel { .. } => {
                    unreachable!("kept apart")
                }
            };
            self.open.remove(0);
            self.feed(&[input]);
        }
        assert_eq!(script.next(), None, "the script is not used up");
    }

    /// The outcome of a tool call as a worker makes it. The answer itself, which older journals have,
    /// gives the same step.
    pub fn tool_input(&self, effect: &str, answer: ToolAnswer) -> Input {
        let effect = effect.to_owned();
        let ToolResult { result, warning, failed } = self.agent.pending_result(&self.state).unwrap().read(&answer);
        let inputs =
            [Input::ToolResult { effect: effect.clone(), result, warning, failed }, Input::Tool { effect, answer }];
        let [one, other] = inputs.each_ref().map(|input| {
            let mut state = self.state.clone();
            (advance(&self.agent, &mut state, self.now, std::slice::from_ref(input)), state)
        });
        assert_eq!(one, other, "an answer and its result give the same step");
        let [input, _] = inputs;
        input
    }

    pub fn retrieved(&self, effect: &Effect) -> Input {
        let Effect::Retrieve { id, node, base, queries } = effect else { panic!("{effect:?} is no search") };
        let base = self.agent.node(node).unwrap().knowledge(base).unwrap();
        let passages = Index::build(&base.text).search(queries);
        Input::Retrieved { effect: id.clone(), retrieval: Retrieval::Found { passages } }
    }

    pub fn listed(&self, effect: &Effect) -> Input {
        let Effect::ListTools { id, servers } = effect else { panic!("{effect:?} asks no server") };
        let list = |asked: &McpServerRequest| ToolList {
            server: asked.server.clone(),
            answer: match self.mcp_servers.get(&asked.server) {
                Some(tools) => ToolAnswer::Answered { status: 200, content: json!(tools), truncated: false },
                None => ToolAnswer::Failed { code: "connect_error".into(), message: "connection refused".into() },
            },
            drifted: Vec::new(),
        };
        Input::ToolsListed { effect: id.clone(), lists: servers.iter().map(list).collect() }
    }

    /// The outcome of the one model call that is open.
    pub fn model_input(&mut self, response: ModelResponse) -> Input {
        let effect = self.pending_model().id;
        self.open.retain(|effect| !matches!(effect, Effect::CallModel(_)));
        Input::Model { effect, response }
    }

    /// The model fails; time passes until the retry is due.
    pub fn model_fails(&mut self, kind: ModelFailureKind, retry_after_ms: Option<i64>) {
        let failure = ModelFailure { kind, message: "overloaded".into(), retry_after_ms, ..ModelFailure::default() };
        let effect = self.pending_model().id;
        self.feed(&[Input::ModelFailed { effect, failure }]);
    }

    pub fn pending_model(&self) -> CallModel {
        match self.state.phase.pending() {
            Some(Pending::Model { call, .. }) => call.clone(),
            other => panic!("no model call is pending but {other:?}"),
        }
    }

    pub fn wait(&mut self, span: Span) {
        self.now = self.now + span;
    }

    /// Fires the timer if it is due.
    pub fn tick(&mut self) {
        if let Some((_, generation, fire_at)) = self.timer.filter(|(_, _, fire_at)| *fire_at <= self.now) {
            assert!(fire_at <= self.now);
            self.timer = None;
            self.feed(&[Input::Timer { generation }]);
        }
    }

    // ---- results

    #[track_caller]
    pub fn is(&self, status: ExecutionStatus, node: &str) {
        assert_eq!(
            (self.state.status(), self.state.visit.node.as_str()),
            (status, node),
            "{:?}",
            self.state.phase.error()
        );
    }

    #[track_caller]
    pub fn failed(&self, code: &str) {
        assert_eq!(self.state.phase.error().map(|error| error.code.as_str()), Some(code));
        assert_eq!(self.state.status(), ExecutionStatus::Failed);
    }

    /// The texts that were sent.
    pub fn sent(&self) -> Vec<&str> {
        self.contents()
            .into_iter()
            .filter_map(|content| if let Content::Text(text) = content { Some(text.as_str()) } else { None })
            .collect()
    }

    /// Everything that was sent.
    pub fn contents(&self) -> Vec<&Content> {
        self.effects
            .iter()
            .filter_map(|effect| if let Effect::Send { content, .. } = effect { Some(content) } else { None })
            .collect()
    }

    pub fn set(&mut self, status: ExecutionStatus) {
        let id = self.key();
        self.feed(&[Input::SetStatus { id, status, reason: "by the API".into() }]);
    }

    /// The data of the last event of this name.
    #[track_caller]
    pub fn last(&self, event: &str) -> &Value {
        &self.events.iter().rfind(|known| known.name == event).unwrap().data
    }

    pub fn web_requests(&self) -> Vec<&ToolRequest> {
        self.effects
            .iter()
            .filter_map(|effect| if let Effect::CallTool { request, .. } = effect { Some(request) } else { None })
            .collect()
    }

    /// Results of tools, oldest first, step prompts left out.
    pub fn results(&self) -> Vec<Value> {
        let result = |(_, message): &(i64, ChatMessage)| match message {
            ChatMessage::Tool { content, .. } if !content.starts_with("# Step: ") => {
                Some(serde_json::from_str(content).unwrap_or_else(|_| Value::String(content.clone())))
            }
            _ => None,
        };
        self.history.iter().filter_map(result).collect()
    }

    pub fn user_messages(&self) -> Vec<&str> {
        self.history
            .iter()
            .filter_map(
                |(_, message)| {
                    if let ChatMessage::User { content, .. } = message { Some(content.as_str()) } else { None }
                },
            )
            .collect()
    }

    pub fn names(&self) -> Vec<&str> {
        self.events.iter().map(|event| event.name.as_str()).collect()
    }

    pub fn count(&self, event: &str) -> usize {
        self.names().into_iter().filter(|name| *name == event).count()
    }

    pub fn entered(&self) -> Vec<&str> {
        self.events
            .iter()
            .filter(|event| event.name == "node.entered")
            .filter_map(|event| event.data["node"].as_str())
            .collect()
    }
}
