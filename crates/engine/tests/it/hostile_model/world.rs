//! The world around a hostile model: a contact who writes at bad times, a channel and webhooks that fail, a clock
//! that jumps. Every step is checked.

use super::{
    answers::{self, HABITS, Habit, Scene, text},
    coverage::Coverage,
};
use crate::{
    agents::{self, Agent},
    chance::Chance,
    play::{Play, facts},
    world::{World, assert_replays},
};
use domain::{
    Span, Timestamp,
    chat::{Ended, ModelFailure, ModelFailureKind, ModelResponse},
    execution::{ExecutionInput, ExecutionStatus},
    message::Content,
    tool_request::ToolAnswer,
};
use engine::{About, CallModel, Contact, Effect, Input, Note, Pending, Retrieval, SendOutcome, State, Zone, limits};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Behaviour of model, channel and contact in one turn.
#[derive(Debug, Clone, Copy)]
struct Mood {
    habit: Habit,
    /// Failing model calls in percent, and their failure.
    model: (usize, ModelFailureKind),
    /// Failing sends in percent, and their code.
    channel: (usize, &'static str),
    /// Outcomes in percent that arrive together with a new message.
    interrupts: usize,
    /// Longest time of an outcome in seconds.
    slow: usize,
}

impl Mood {
    const GOOD: Self = Self {
        habit: Habit::Behaves,
        model: (0, ModelFailureKind::Temporary),
        channel: (0, ""),
        interrupts: 0,
        slow: 3,
    };
}

pub struct HostileWorld {
    chance: Chance,
    mood: Mood,
    agent: &'static Agent,
    play: Play,
    fed: Vec<(Timestamp, Vec<Input>)>,
    steps: Vec<String>,
}

/// More effects than any turn's limits allow.
const ENDLESS: usize = 1_000;

impl HostileWorld {
    pub fn new(mut chance: Chance) -> Self {
        let agent = agents::one(chance.below(agents::COUNT));
        let play = Play::new(agent.compiled.clone());
        Self { chance, mood: Mood::GOOD, agent, play, fed: Vec::new(), steps: Vec::new() }
    }

    pub fn log(&self) -> String {
        let from = self.steps.len().saturating_sub(12);
        self.steps[from..].join("\n")
    }

    /// Plays a few turns of one execution, replays it from its inputs, and returns the number of turns.
    pub fn play(&mut self, coverage: &mut Coverage) -> u64 {
        let mut known = facts();
        known.profile_name = Some(text(&mut self.chance));
        self.play = Play::with(self.agent.compiled.clone(), known.clone());
        for _ in 0..1 + self.chance.below(12) {
            self.turn(coverage);
            if self.play.state.status().is_over() && !self.retried(coverage) {
                break;
            }
        }
        let expected = (&self.play.state, self.play.events.as_slice());
        assert_replays(&self.play.agent, State::new(known), &self.fed, expected);
        u64::try_from(self.play.state.turn_no).unwrap()
    }

    fn retried(&mut self, coverage: &mut Coverage) -> bool {
        let retryable = self.play.state.phase.error().is_some_and(|error| error.retryable);
        if !retryable || self.chance.one_in(3) {
            return false;
        }
        let resume = self.resume();
        self.feed(vec![resume], coverage);
        self.finish(coverage);
        !self.play.state.status().is_over()
    }

    // ---- one turn

    fn turn(&mut self, coverage: &mut Coverage) {
        let input = match (self.chance.below(20), self.play.state.status()) {
            (0, ExecutionStatus::Paused | ExecutionStatus::Handoff) => {
                let timer = self.play.timer.unwrap();
                self.play.wait(timer.2 - self.play.now);
                Input::Timer { generation: timer.1 }
            }
            (1, _) => Input::Data { id: self.play.key(), value: payload(&mut self.chance) },
            (2, status) if status != ExecutionStatus::Started => self.resume(),
            (3, _) => Input::SetStatus {
                id: self.play.key(),
                status: *self.chance.pick(&ExecutionStatus::ALL),
                reason: "by hand".into(),
            },
            (0..=9, ExecutionStatus::Handoff) => self.resume(),
            _ => self.said(),
        };
        let mut inputs = vec![input];
        if self.chance.one_in(10) {
            inputs.insert(0, Input::Contact(contact(&mut self.chance)));
        }
        self.feed(inputs, coverage);
        self.finish(coverage);
    }

    fn said(&mut self) -> Input {
        Input::Message { id: self.play.key(), text: text(&mut self.chance), picture: None }
    }

    fn resume(&mut self) -> Input {
        let message = match self.chance.below(3) {
            0 => None,
            1 => Some(ExecutionInput::UserInput { text: text(&mut self.chance) }),
            _ => Some(ExecutionInput::Payload { value: json!({"done": true}) }),
        };
        let interrupt = self.chance.one_in(6).then(|| "another".to_owned());
        Input::Resume { id: self.play.key(), message, interrupt }
    }

    fn next_mood(&mut self) -> Mood {
        let chance = &mut self.chance;
        let rarely = |chance: &mut Chance, often: usize| if chance.one_in(8) { often } else { 0 };
        Mood {
            habit: *chance.weighted(&HABITS),
            model: *chance.weighted(&[
                (90, (0, ModelFailureKind::Temporary)),
                (4, (30, ModelFailureKind::Temporary)),
                (3, (100, ModelFailureKind::Temporary)),
                (2, (10, ModelFailureKind::Permanent)),
                (3, (10, ModelFailureKind::KeyMissing)),
                (3, (20, ModelFailureKind::TooLong)),
                (3, (20, ModelFailureKind::BadHistory)),
            ]),
            channel: *chance.weighted(&[
                (90, (0, "")),
                (4, (40, "send_failed")),
                (4, (100, "send_failed")),
                (2, (100, "outside_service_window")),
                (3, (20, "channel_auth")),
            ]),
            interrupts: rarely(chance, 70),
            slow: *chance.weighted(&[(90, 3), (10, 120)]),
        }
    }

    /// Performs effects until none is open.
    fn finish(&mut self, coverage: &mut Coverage) {
        let mood = self.next_mood();
        self.mood = mood;
        for _ in 0..ENDLESS {
            let Some(effect) = self.play.open.first().cloned() else {
                let state = &self.play.state;
                assert!(
                    state.phase.interrupt().is_some() || state.status().is_over(),
                    "no effect is open and no interrupt is active"
                );
                return;
            };
            self.play.open.remove(0);
            let seconds = self.chance.below(mood.slow);
            self.play.wait(Span::from_secs(i64::try_from(seconds).unwrap()));
            let outcome = self.outcome(&effect);
            let mut inputs = vec![outcome];
            if self.chance.below(100) < mood.interrupts {
                let said = self.said();
                inputs.push(said);
            }
            if self.chance.one_in(400) {
                inputs.push(Input::ExternalMessage { id: self.play.key(), text: "by a person".into() });
            }
            if self.chance.one_in(300) {
                let status = *self.chance.pick(&ExecutionStatus::ALL);
                inputs.push(Input::SetStatus { id: self.play.key(), status, reason: "by hand".into() });
            }
            if self.chance.one_in(400) {
                inputs.push(Input::Stop { id: self.play.key(), reason: "by hand".into() });
            }
            if self.chance.one_in(300) {
                inputs.insert(0, Input::Reclaimed);
            }
            self.feed(inputs, coverage);
            // A retry: the same call stays open.
            if let (Effect::CallModel(call), Some(Pending::Model { call: waiting, not_before, .. })) =
                (&effect, self.play.state.phase.pending())
                && call == waiting
            {
                self.play.now = self.play.now.max(not_before.unwrap_or(self.play.now));
                self.play.open.insert(0, effect);
            }
        }
        panic!("the turn does not end: {:?}", self.play.spent);
    }

    // ---- checks of every step

    fn feed(&mut self, inputs: Vec<Input>, coverage: &mut Coverage) {
        let mut shown = format!("{inputs:?}");
        shown.truncate((0..=500).rev().find(|end| shown.is_char_boundary(*end)).unwrap_or(0));
        self.steps.push(shown);
        let (node, triggering) = (self.play.state.visit.node.clone(), self.play.state.visit.triggering_node.clone());
        let asked = self.play.requests.len();
        let began = self.play.state.status() == ExecutionStatus::Started;
        let step = self.play.feed(&inputs);
        if began {
            coverage.variables(&inputs, &self.play.state);
        }
        self.fed.push((self.play.now, inputs));
        coverage.of(&self.play, &step);
        if self.play.requests.len() > asked {
            coverage.request(&self.play);
        }
        self.only_offered(node, triggering, &step.events, coverage);
        for effect in &step.effects {
            let node = self.play.state.visit.node.as_str();
            if let Effect::Send { content: Content::Template(template), .. } = effect {
                let known = self.agent.templates.get(node).cloned().unwrap_or_default();
                assert!(known.contains(&template.name.as_str()), "{node} may not send {}", template.name);
            }
            if let Effect::Retrieve { base, queries, .. } = effect {
                let known = self.agent.bases.get(node).cloned().unwrap_or_default();
                assert!(known.contains(&base.as_str()), "{node} may not search {base}");
                assert!((1..=5).contains(&queries.len()), "{queries:?}");
                assert!(queries.iter().all(|query| !query.trim().is_empty() && query.len() <= 4_000), "{queries:?}");
            }
            if let Effect::CallTool { request, .. } = effect {
                let origins = self.agent.origins.get(node).cloned().unwrap_or_default();
                assert!(
                    origins.iter().any(|origin| request.url.starts_with(origin)),
                    "{} may not call {}",
                    self.play.state.visit.node,
                    request.url
                );
            }
        }
        self.within_limits();
    }

    /// A tool that the node does not offer gets an error and does not run; only offered nodes are entered.
    fn only_offered(
        &self,
        mut node: String,
        mut triggering: Option<String>,
        events: &[engine::Event],
        coverage: &mut Coverage,
    ) {
        let offered = |node: &str| -> BTreeSet<String> {
            let tools = self.play.agent.node(node).map(|node| node.tools.as_slice()).unwrap_or_default();
            let servers = self.play.state.mcp.iter().filter(|mcp| mcp.node == node).flat_map(|mcp| &mcp.tools);
            tools.iter().chain(servers.map(|offer| &offer.spec)).map(|tool| tool.name.clone()).collect()
        };
        for (place, event) in events.iter().enumerate() {
            let word = |field: &str| event.data[field].as_str().unwrap_or_default().to_owned();
            match event.name.as_str() {
                "tool.called" if offered(&node).contains(&word("name")) => {
                    coverage.hit(format!("tool {}", word("name")))
                }
                "tool.called" => {
                    let next = &events[place + 1];
                    let answered = next.name == "tool.result" && next.data["ok"] == false;
                    assert!(answered && next.data["call_id"] == event.data["call_id"], "{event:?} was run in {node}");
                }
                "node.entered" => {
                    let to = word("node");
                    let own = self.agent.edges.iter().any(|(from, onwards)| *from == node && *onwards == to);
                    let global = triggering.is_none() && self.agent.globals.contains(&to.as_str());
                    let back = triggering.as_ref() == Some(&to) || matches!(word("via").as_str(), "handoff");
                    assert!(own || global || back, "{to} was entered from {node}");
                    triggering = event.data["triggering_node"].as_str().map(str::to_owned);
                    node = to;
                }
                _ => {}
            }
        }
    }

    fn within_limits(&self) {
        let counters = &self.play.state.turn;
        // The last answer may exceed the limits by calls that end the visit.
        let most = limits::STEPS + u32::try_from(limits::CALLS).unwrap();
        assert!(counters.steps <= most && counters.entries <= limits::ENTRIES + 1, "{counters:?}");
        assert!(counters.visit_calls <= limits::VISIT_CALLS && counters.sends <= limits::SENDS + 1, "{counters:?}");
        assert!(counters.bad_moves <= limits::BAD_MOVES && counters.discarded <= limits::DISCARDED, "{counters:?}");
    }
}

impl World for HostileWorld {
    fn model(&mut self, _: &CallModel) -> Result<ModelResponse, ModelFailure> {
        if self.chance.below(100) < self.mood.model.0 {
            let retry_after_ms = chance_of(&mut self.chance, &[None, None, Some(-1), Some(1_500), Some(i64::MAX)]);
            return Err(ModelFailure {
                kind: self.mood.model.1,
                message: text(&mut self.chance),
                retry_after_ms,
                ..ModelFailure::default()
            });
        }
        let node = &self.play.state.visit.node;
        let targets = self.play.agent.targets(node, self.play.state.visit.triggering_node.as_deref());
        let targets: Vec<String> = targets.into_iter().map(|target| target.name).collect();
        let names: Vec<String> = self.agent.names.iter().cloned().collect();
        let scene = Scene { request: self.play.requests.last().unwrap(), targets: &targets, names: &names };
        let mut response: ModelResponse = answers::answer(&mut self.chance, self.mood.habit, &scene);
        response.ended = *self.chance.weighted(&[(90, Ended::Whole), (6, Ended::Cut), (4, Ended::Refused)]);
        response.usage.input_tokens = u64::try_from(self.chance.below(8_000)).unwrap();
        Ok(response)
    }

    fn webhook(&mut self) -> ToolAnswer {
        let content = match self.chance.below(6) {
            0 => json!("x".repeat(40_000)),
            1 => answers::deep(60),
            2 => json!({"n": [1, "two"], "error": "not ours"}),
            3 => json!(text(&mut self.chance)),
            _ => json!({"n": [1, 2]}),
        };
        match self.chance.below(10) {
            0 => ToolAnswer::Failed { code: "connect_error".into(), message: text(&mut self.chance) },
            1 => ToolAnswer::Answered { status: 500, content, truncated: true },
            _ => ToolAnswer::Answered { status: 200, content, truncated: false },
        }
    }

    fn search(&mut self) -> Retrieval {
        if self.chance.one_in(3) {
            return Retrieval::Failed;
        }
        let count = self.chance.below(9);
        Retrieval::Found { passages: (0..count).map(|_| text(&mut self.chance).repeat(100)).collect() }
    }

    /// Lists tools of an MCP server: names that are taken, invalid or repeated, and invalid schemas.
    fn tools_of(&mut self, _: &str) -> ToolAnswer {
        let chance = &mut self.chance;
        let names = [
            "count",
            "COUNT",
            "one_request",
            "WaitForUser",
            "Abort",
            "a/b c",
            "工具",
            "long_name_".repeat(12).as_str(),
        ]
        .map(str::to_owned);
        let schemas = [
            json!({"type": "object"}),
            json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}),
            json!({"type": "no such type"}),
            json!({"type": "object", "description": "x".repeat(70_000)}),
        ];
        let count = chance.below(6);
        let tools: Vec<Value> = (0..count)
            .map(|_| {
                let schema = chance.weighted(&[(6, 0), (6, 1), (1, 2), (1, 3)]);
                json!({"name": chance.pick(&names), "description": text(chance), "schema": schemas[*schema]})
            })
            .collect();
        match chance.below(8) {
            0 => ToolAnswer::Failed { code: "connect_error".into(), message: text(chance) },
            1 => ToolAnswer::Answered { status: 200, content: json!({"tools": tools}), truncated: false },
            _ => ToolAnswer::Answered { status: 200, content: json!(tools), truncated: chance.one_in(2) },
        }
    }

    fn send(&mut self, _: &Content) -> SendOutcome {
        let failed = self.chance.below(100) < self.mood.channel.0;
        match (failed, self.chance.below(30)) {
            (true, _) => SendOutcome::Failed { code: self.mood.channel.1.into(), message: text(&mut self.chance) },
            (_, 0) => SendOutcome::Unconfirmed { message_id: "m".into() },
            _ => SendOutcome::Accepted { message_id: "m".into() },
        }
    }
}

/// A payload: small, with many fields, or with a field that is too long.
fn payload(chance: &mut Chance) -> serde_json::Value {
    match chance.below(3) {
        0 => json!({"order": chance.below(9), "note": text(chance)}),
        1 => {
            (0..100).map(|number| (format!("field_{number}"), json!(number))).collect::<serde_json::Map<_, _>>().into()
        }
        _ => json!({"long": "x".repeat(limits::VARIABLE), "order": 1}),
    }
}

fn contact(chance: &mut Chance) -> Contact {
    let note = Note { name: text(chance), content: text(chance), created_at: Timestamp::from_secs(0) };
    let metadata = json!({"city": text(chance)}).as_object().cloned().unwrap();
    Contact {
        profile_name: Some(text(chance)),
        about: About { metadata, notes: vec![note], broadcast: None },
        zone: chance.one_in(2).then(|| Zone { name: text(chance), minutes: -300 }),
        version: 1,
    }
}

fn chance_of<T: Copy>(chance: &mut Chance, items: &[T]) -> T {
    *chance.pick(items)
}
