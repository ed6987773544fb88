//! Cost of a step by size of the graph and length of the history: it must depend on the change alone.
//!
//! `cargo xtask bench engine` runs it and prints the table with its ratios.
#![expect(clippy::unwrap_used, reason = "a panic is how a benchmark fails")]

use divan::{AllocProfiler, Bencher, black_box};
use domain::{
    Id, Span, Timestamp,
    agent::Graph,
    chat::{ChatMessage, ModelResponse},
};
use engine::{
    AgentContent, CallModel, Compiled, Effect, Facts, Input, SendOutcome, State, Step, advance, model_request,
};
use serde_json::{Value, json};
use uuid::Uuid;

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

/// Nodes of the graph, messages of history.
const SIZES: [(usize, usize); 4] = [(3, 10), (3, 400), (200, 10), (200, 400)];

fn main() {
    divan::main();
}

/// An execution that waits after so many messages.
struct Talk {
    agent: Compiled,
    state: State,
    rows: Vec<(i64, ChatMessage)>,
    now: Timestamp,
}

/// A chain of nodes from `__start__` to `__end__`; each leads on and back.
fn agent(nodes: usize) -> Compiled {
    let name = |number: usize| match number {
        0 => "__start__".to_owned(),
        last if last + 1 == nodes => "__end__".to_owned(),
        number => format!("n{number}"),
    };
    let all: Vec<Value> =
        (0..nodes).map(|number| json!({"name": name(number), "prompt": "Help with this step."})).collect();
    let mut edges: Vec<Value> = (1..nodes).map(|to| json!({"from": name(to - 1), "to": name(to)})).collect();
    edges.extend((2..nodes - 1).map(|from| json!({"from": name(from), "to": name(from - 1)})));
    let graph = Graph::read(&json!({"nodes": all, "edges": edges})).unwrap().graph.to_json();
    Compiled::new(&AgentContent { system_prompt: Some("You sell paper.".into()), graph, ..AgentContent::default() })
        .unwrap()
}

impl Talk {
    fn of((nodes, messages): (usize, usize)) -> Self {
        let id = |number| Uuid::from_u128(number);
        let facts = Facts {
            agent_id: Id::from_uuid(id(1)),
            execution_id: Id::from_uuid(id(2)),
            conversation_id: Id::from_uuid(id(3)),
            phone_number: Some("+5511961234567".into()),
            profile_name: Some("Ann".into()),
            vars: Default::default(),
            about: Default::default(),
            test_mode: false,
            without_channel: false,
            rules: engine::RULES,
            keep_markdown: false,
            model: None,
        };
        let mut talk = Self {
            agent: agent(nodes),
            state: State::new(facts),
            rows: Vec::new(),
            now: Timestamp::from_secs(1_748_873_109),
        };
        while talk.rows.len() < messages {
            let call = talk.asked();
            talk.answered(&call);
        }
        talk
    }

    fn feed(&mut self, input: Input) -> Step {
        self.now = self.now + Span::from_secs(1);
        let step = advance(&self.agent, &mut self.state, self.now, &[input]);
        self.rows.extend(step.history.iter().map(|entry| (entry.seq, entry.message.clone())));
        step
    }

    fn said(&self) -> Input {
        Input::Message { id: format!("m{}", self.rows.len()), text: "Do you have the blue one?".into(), picture: None }
    }

    fn asked(&mut self) -> CallModel {
        let step = self.feed(self.said());
        let asks = step
            .effects
            .into_iter()
            .find_map(|effect| if let Effect::CallModel(call) = effect { Some(call) } else { None });
        asks.unwrap()
    }

    fn answered(&mut self, call: &CallModel) {
        for effect in self.feed(answer(call)).effects {
            if let Effect::Send { id, .. } = effect {
                self.feed(sent(id));
            }
        }
    }
}

fn answer(call: &CallModel) -> Input {
    let response = ModelResponse { text: Some("Yes, in all sizes.".into()), ..ModelResponse::default() };
    Input::Model { effect: call.id.clone(), response }
}

fn sent(effect: String) -> Input {
    Input::Sent { effect, outcome: SendOutcome::Accepted { message_id: "m".into() } }
}

/// From a message of the contact to the model call.
#[divan::bench(args = SIZES)]
fn a_message_comes(bencher: Bencher<'_, '_>, size: (usize, usize)) {
    let talk = Talk::of(size);
    let inputs = [talk.said()];
    bencher
        .with_inputs(|| talk.state.clone())
        .bench_local_refs(|state| advance(&talk.agent, state, talk.now, black_box(&inputs)));
}

/// From the model's answer to the send.
#[divan::bench(args = SIZES)]
fn the_model_answers(bencher: Bencher<'_, '_>, size: (usize, usize)) {
    let mut talk = Talk::of(size);
    let inputs = [answer(&talk.asked())];
    bencher
        .with_inputs(|| talk.state.clone())
        .bench_local_refs(|state| advance(&talk.agent, state, talk.now, black_box(&inputs)));
}

/// From the settled send to the wait.
#[divan::bench(args = SIZES)]
fn the_answer_is_sent(bencher: Bencher<'_, '_>, size: (usize, usize)) {
    let mut talk = Talk::of(size);
    let call = talk.asked();
    let step = talk.feed(answer(&call));
    let id =
        step.effects.into_iter().find_map(|effect| if let Effect::Send { id, .. } = effect { Some(id) } else { None });
    let inputs = [sent(id.unwrap())];
    bencher
        .with_inputs(|| talk.state.clone())
        .bench_local_refs(|state| advance(&talk.agent, state, talk.now, black_box(&inputs)));
}

/// Building the request from rows of history.
#[divan::bench(args = SIZES)]
fn the_request_is_made(bencher: Bencher<'_, '_>, size: (usize, usize)) {
    let mut talk = Talk::of(size);
    let call = talk.asked();
    let wanted = |seq: i64| seq >= call.from || Some(seq) == call.first_input || Some(seq) == call.step_prompt;
    let rows: Vec<(i64, ChatMessage)> = talk.rows.iter().filter(|(seq, _)| wanted(*seq)).cloned().collect();
    bencher.bench_local(|| model_request(&talk.agent, &talk.state, &call, black_box(&rows)));
}

/// Writing the state, part of every step.
#[divan::bench(args = SIZES)]
fn the_state_is_written(bencher: Bencher<'_, '_>, size: (usize, usize)) {
    let talk = Talk::of(size);
    bencher.bench_local(|| serde_json::to_string(black_box(&talk.state)).unwrap());
}
