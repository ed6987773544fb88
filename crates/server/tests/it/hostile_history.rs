//! A hostile model through every renderer: no strict server refuses our history.
//! `HOSTILE_TURNS=100000` plays that many turns, and `MODEL_REQUESTS=FOLDER` writes a part of the
//! requests there, for checks by other programs (`xtask/models/check_requests.py`).

use domain::{
    Id, Span, Timestamp,
    chat::{ChatMessage, ModelRequest, ModelResponse, Opaque, Rendering, ToolCall, ToolSpec},
    picture::{Picture, PictureSource},
    tool_request::ToolAnswer,
};
use engine::{AgentContent, Compiled, Effect, Facts, Input, RULES, SendOutcome, State, advance, model_request};
use gateways::llm::{Dialect as Written, Tuning, rendered};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    fs::File,
    io::Write as _,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};
use testkit::dialects::{DIALECTS, Dialect};

/// Deterministic numbers (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % most as u64).unwrap()
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

fn turns() -> usize {
    std::env::var("HOSTILE_TURNS").ok().and_then(|turns| turns.parse().ok()).unwrap_or(1_000)
}

fn written(dialect: &Dialect) -> Written {
    match dialect.provider {
        "OpenAI" => Written::OpenAi,
        "AzureOpenAI" => Written::Azure,
        "Anthropic" => Written::Anthropic,
        "Google" => Written::Gemini,
        "Mistral" => Written::Mistral,
        "DeepSeek" => Written::DeepSeek,
        "Groq" => Written::Groq,
        "OpenRouter" => Written::OpenRouter,
        _ => Written::at(dialect.path),
    }
}

fn picture() -> PictureSource {
    let message_id = Id::from_uuid(uuid::Uuid::from_u128(7));
    PictureSource { message_id, mime_type: "image/jpeg".into(), size: 4, sha256: "00".into() }
}

/// Renders the request for every dialect; panics if one refuses it.
fn taken_by_all(request: &ModelRequest) {
    let pictures = vec![Picture::new(picture(), b"\xff\xd8\xff\xe0")];
    let request = &ModelRequest { pictures, ..request.clone() };
    for dialect in DIALECTS {
        // What one refusal teaches about this server.
        let adapted = if dialect.name == "vLLM" { vec!["bridge".into()] } else { vec![] };
        let names = (dialect.provider, dialect.model);
        // Half of the requests ask for a stream. The reasoning models of OpenAI refuse it to an
        // organization that is not verified.
        let streamed = request.messages.len().is_multiple_of(2) && dialect.name != "OpenAI reasoning";
        let sees = dialect.abilities.images.starts_with("yes");
        let pictures = if sees { vec![picture()] } else { Vec::new() };
        let rendering = Rendering { dialect: written(dialect).as_str().into(), adapted, streamed, pictures };
        let body = rendered(written(dialect), names, &Tuning::default(), request, &rendering).unwrap();
        let again = rendered(written(dialect), names, &Tuning::default(), request, &rendering).unwrap();
        assert_eq!(body, again, "equal requests give equal bytes");
        let body: Value = serde_json::from_slice(&body).unwrap();
        if let Some(refused) = dialect.refusal(&body) {
            panic!("{} refuses {:?}\n{body:#}\n{request:#?}", dialect.name, refused);
        }
        write(dialect, &body);
    }
}

/// Writes about 500 requests of each test.
fn write(dialect: &Dialect, body: &Value) {
    static SEEN: AtomicUsize = AtomicUsize::new(0);
    let Some(folder) = std::env::var_os("MODEL_REQUESTS") else { return };
    // Each request is rendered for all dialects.
    if (SEEN.fetch_add(1, Ordering::Relaxed) / DIALECTS.len()).is_multiple_of((turns() / 500).max(1)) {
        let file = Path::new(&folder).join(format!("{}.jsonl", dialect.name));
        let mut file = File::options().create(true).append(true).open(file).unwrap();
        file.write_all(format!("{body}\n").as_bytes()).unwrap();
    }
}

const TEXTS: [&str; 8] =
    ["", " \n", "hi", "<think>x</think>", "trailing \n", "\u{200b}", "é\u{1F600}", "[system note] x"];
const IDS: [&str; 6] =
    ["", "call_1", "c1", "a1B2c3D4e", "toolu_01/x", "call_PTLP8xhu3uwZk4l3nlnrrJhacall_PTLP8xhu3uwZk4l3nlnrrJha"];

fn arguments(chance: &mut Chance) -> Value {
    chance.pick(&[
        json!({}),
        json!({"message": "hi"}),
        json!("{broken"),
        json!(null),
        json!([1]),
        json!(3),
        json!({"a": {"b": [null]}}),
    ])
}

fn calls(chance: &mut Chance, names: &[String]) -> Vec<ToolCall> {
    let count = chance.pick(&[0, 0, 1, 1, 2, 5]);
    let one = |chance: &mut Chance| {
        let junk = chance.below(4) == 0;
        let name =
            if junk { chance.pick(&["", "1x", "a b", "é", "no_such_tool"]).to_owned() } else { chance.pick(names) };
        ToolCall { id: chance.pick(&IDS).to_owned(), name, arguments: arguments(chance) }
    };
    (0..count).map(|_| one(chance)).collect()
}

fn opaque(chance: &mut Chance) -> Option<Opaque> {
    let provider = chance.pick(&["", "anthropic", "gemini", "deepseek", "compatible", "other"]);
    let parts = match provider {
        "anthropic" => json!([{"type": "thinking", "thinking": "x", "signature": "c2ln"}]),
        "gemini" => json!({"calls": ["c2ln"]}),
        _ => json!({"message": {"reasoning_content": "x"}, "calls": []}),
    };
    (!provider.is_empty()).then(|| Opaque { provider: provider.to_owned(), parts })
}

fn schemas() -> Vec<Value> {
    vec![
        json!({}),
        json!(true),
        json!({"type": "object"}),
        json!({"type": ["object", "null"], "properties": {"a": {"type": ["string", "null"]}, "b": {"type": "array"}}, "required": ["a", "zz"]}),
        json!({"oneOf": [{"properties": {"x": {"enum": []}}}, {"type": "string"}], "$defs": {"n": {"type": "integer"}}}),
        json!({"type": "object", "properties": {"r": {"$ref": "#/properties/r"}, "o": {"type": "object", "additionalProperties": true},
            "e": {"enum": ["", null, 3]}, "u": {"anyOf": [{"type": "null"}, {"type": "array", "items": {}}]}, "c": {"const": "x"}}}),
    ]
}

#[test]
fn every_dialect_takes_any_history() {
    let mut chance = Chance(7);
    let names: Vec<String> = ["find", "pay"].map(str::to_owned).into();
    for _ in 0..turns() {
        let mut messages = Vec::new();
        for _ in 0..chance.below(14) {
            messages.push(match chance.below(3) {
                0 => ChatMessage::User {
                    content: chance.pick(&TEXTS).to_owned(),
                    pictures: vec![picture().message_id; chance.below(3)],
                },
                1 => {
                    ChatMessage::Tool { call_id: chance.pick(&IDS).to_owned(), content: chance.pick(&TEXTS).to_owned() }
                }
                _ => ChatMessage::Assistant {
                    content: chance.pick(&[None, Some(())]).map(|()| chance.pick(&TEXTS).to_owned()),
                    tool_calls: calls(&mut chance, &names),
                    opaque: opaque(&mut chance),
                },
            });
        }
        let long = "x".repeat(3_000);
        let tools = (0..chance.below(3))
            .map(|place| ToolSpec {
                name: names.get(place).cloned().unwrap_or_default(),
                description: chance.pick(&["", "Finds.", long.as_str()]).to_owned(),
                parameters: chance.pick(&schemas()),
            })
            .collect();
        let system = chance.pick(&["", " ", "be kind"]).to_owned();
        taken_by_all(&ModelRequest { system, messages, tools, ..ModelRequest::default() });
    }
}

/// One execution without network and database.
struct Talk<'a> {
    agent: &'a Compiled,
    state: State,
    rows: Vec<(i64, ChatMessage)>,
    now: Timestamp,
    open: VecDeque<Effect>,
}

impl<'a> Talk<'a> {
    fn new(agent: &'a Compiled) -> Self {
        let id = |number| uuid::Uuid::from_u128(number);
        let facts = Facts {
            agent_id: Id::from_uuid(id(1)),
            execution_id: Id::from_uuid(id(2)),
            conversation_id: Id::from_uuid(id(3)),
            phone_number: Some("+5511961234567".into()),
            profile_name: Some("Ann".into()),
            vars: serde_json::Map::new(),
            about: Default::default(),
            test_mode: false,
            without_channel: false,
            rules: RULES,
            model: None,
            keep_markdown: false,
        };
        let now = Timestamp::from_secs(1_748_873_109);
        Self { agent, state: State::new(facts), rows: Vec::new(), now, open: VecDeque::new() }
    }

    fn feed(&mut self, input: Input) {
        self.now = self.now + Span::from_secs(1);
        let step = advance(self.agent, &mut self.state, self.now, &[input]);
        self.rows.extend(step.history.into_iter().map(|entry| (entry.seq, entry.message)));
        self.open.extend(step.effects);
    }
}

fn agent(version: i64) -> Compiled {
    let webhook = json!({"name": "crm", "url": "https://crm.example/x", "http_method": "POST",
        "body_schema": {"type": "object", "properties": {"tags": {"type": "array"}}}});
    let graph = json!({
        "nodes": [{"name": "__start__"}, {"name": "a", "prompt": "Help."},
            {"name": "b", "type": "SubagentNode", "prompt": "Sell.", "subagent": {"webhooks": [webhook]}}, {"name": "__end__"}],
        "edges": [{"from": "__start__", "to": "a"}, {"from": "a", "to": "b", "label": "x"}, {"from": "b", "to": "a", "label": "y"},
            {"from": "b", "to": "__end__", "label": "z"}]});
    let graph = domain::agent::Graph::read(&graph).unwrap().graph.to_json();
    Compiled::new(&AgentContent { agent_version: version, graph, ..AgentContent::default() }).unwrap()
}

#[test]
fn every_dialect_takes_what_a_hostile_model_makes_of_an_agent() {
    let mut chance = Chance(11);
    let agents = [agent(1), agent(2)];
    let mut asked = 0;
    while asked < turns() {
        let mut talk = Talk::new(&agents[chance.below(2)]);
        for _ in 0..40 {
            if talk.state.status().is_over() || asked >= turns() {
                break;
            }
            match talk.open.pop_front() {
                Some(Effect::CallModel(call)) => {
                    asked += 1;
                    let request = model_request(talk.agent, &talk.state, &call, &talk.rows);
                    taken_by_all(&request);
                    let mut names: Vec<String> = request.tools.iter().map(|tool| tool.name.clone()).collect();
                    names.push("MoveToNextNode".into());
                    let mut tool_calls = calls(&mut chance, &names);
                    for call in tool_calls.iter_mut().filter(|call| call.name == "MoveToNextNode") {
                        call.arguments = json!({"next_node": chance.pick(&["a", "b", "nowhere"]), "reason": "x"});
                    }
                    let text = chance.pick(&[None, Some("Hello."), Some(" "), Some("trailing \n")]).map(str::to_owned);
                    let response =
                        ModelResponse { text, tool_calls, opaque: opaque(&mut chance), ..ModelResponse::default() };
                    talk.feed(Input::Model { effect: call.id, response });
                }
                Some(Effect::Send { id, .. }) => {
                    let outcome = match chance.below(5) {
                        0 => SendOutcome::Failed { code: "send_failed".into(), message: "no".into() },
                        _ => SendOutcome::Accepted { message_id: id.clone() },
                    };
                    talk.feed(Input::Sent { effect: id, outcome });
                }
                Some(Effect::CallTool { id, .. }) => {
                    let content = chance.pick(&[json!(""), json!({"a": 1}), json!(" "), Value::Null]);
                    talk.feed(Input::Tool {
                        effect: id,
                        answer: ToolAnswer::Answered { status: 200, content, truncated: false },
                    });
                }
                Some(_) => {}
                None => {
                    let text = chance.pick(&["hi", " ", "and?"]).to_owned();
                    if chance.below(4) == 0 {
                        talk.feed(Input::ExternalMessage { id: "e".into(), text: text.clone() });
                    }
                    let picture = (chance.below(3) == 0).then(|| picture().message_id);
                    talk.feed(Input::Message { id: "m".into(), text, picture });
                }
            }
        }
    }
}
