//! Writes of one project while a tenant saves and runs costly queries, schemas, answers and webhooks.
//!
//! `crates/cli/tests/it/crash/bombs.rs` shows that the same inputs harm no other project; here is how
//! much they slow it down.

use crate::{
    figures::Figures,
    server::{Server, Settings},
    setup, webhook,
    writes::{Client, Writes, report},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use testkit::{
    McpServer, Request, Service,
    bombs::{doubling, nested, patterns, query, recursion},
};

/// Longest time until the tool of a turn was called.
const TURN: Duration = Duration::from_secs(60);
/// Statuses of one webhook: 3 MB.
const STATUSES: usize = 25_000;

/// With `only`, one kind: `saves`, `turns` or `webhooks`.
pub async fn run(settings: &Settings, seconds: Duration, only: Option<&str>, figures: &mut Figures) {
    let world = Service::start(world).await;
    let mut settings = settings.clone();
    settings.variables.push(("CHASQUI_EGRESS_ALLOW", "127.0.0.1/32"));
    let server = Server::start(&settings, &world.url()).await;
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let (_, bombs) = setup::project(&settings, &world.url(), "Bombs");
    let (_, other) = setup::project(&settings, &world.url(), "Other");
    let client = |key| Client { http: http.clone(), url: server.url.clone(), key };
    let tenant = Tenant { client: client(bombs), world: Arc::new(world) };
    let writes = Writes::new(client(other)).await;
    let server_mcp = mcp_server().await;
    let agents = tenant.agents(&server_mcp).await;

    let mut idle = writes.run(seconds).await;
    figures.add("idle", "memory", server.memory_mib("VmRSS"), "MiB");
    let (stop, counts) = (Arc::new(AtomicBool::new(false)), Arc::new(Counts::default()));
    let mut loops = tokio::task::JoinSet::new();
    let runs = |kind| only.is_none_or(|only| only == kind);
    if runs("saves") {
        loops.spawn(tenant.clone().saves(stop.clone(), counts.clone()));
    }
    if runs("turns") {
        loops.spawn(tenant.clone().turns(agents, stop.clone(), counts.clone()));
    }
    if runs("webhooks") {
        loops.spawn(tenant.clone().webhooks(stop.clone(), counts.clone()));
    }
    let mut busy = writes.run(seconds).await;
    stop.store(true, Relaxed);
    loops.join_all().await;
    report("with bombs", &mut idle, &mut busy, figures);
    figures.add("with bombs", "memory, highest", server.memory_mib("VmHWM"), "MiB");
    for (what, count) in [("saves", &counts.saves), ("tool calls", &counts.turns), ("webhooks", &counts.webhooks)] {
        figures.add("with bombs", what, count.load(Relaxed) as f64, "");
    }
}

/// Bombs so far.
#[derive(Default)]
struct Counts {
    saves: AtomicUsize,
    turns: AtomicUsize,
    webhooks: AtomicUsize,
}

/// The project with the bombs.
#[derive(Clone)]
struct Tenant {
    client: Client,
    world: Arc<Service>,
}

impl Tenant {
    /// Agents whose tools explode, each with the calls to make.
    async fn agents(&self, server: &McpServer) -> Vec<(String, String)> {
        let url = self.world.url();
        let webhook = |fields: Value| {
            let mut webhook = json!({"name": "orders", "description": "Books", "url": url, "http_method": "POST"});
            for (name, value) in fields.as_object().into_iter().flatten() {
                webhook[name] = value.clone();
            }
            json!({"webhooks": [webhook]})
        };
        let mcp = json!({"mcp_servers": [{"name": "evil", "url": server.url(), "description": "Helps",
            "transport_kind": "streamable_http", "jmespath_queries": [{"tool_name": "big", "jmespath_query": query()}]}]});
        let mut agents = Vec::new();
        for (subagent, call) in [
            (webhook(json!({"jmespath_query": query()})), "orders_request {}".to_owned()),
            (webhook(json!({"body_schema": recursion()})), format!("orders_request {}", nested(50))),
            (
                webhook(json!({"body": vec!["#{a}".repeat(1_000); 20]})),
                format!("orders_request {}", json!({"a": "y".repeat(2_000)})),
            ),
            (mcp.clone(), "big {}".into()),
            (mcp.clone(), format!("deep {}", nested(50))),
            (mcp, "empty {}".into()),
        ] {
            let made = self.client.call(Method::POST, "/agents", &json!({"agent": agent(&subagent)})).await;
            agents.push((made["data"]["id"].as_str().expect("an agent").to_owned(), call));
        }
        agents
    }

    /// Saves graphs that are refused.
    async fn saves(self, stop: Arc<AtomicBool>, counts: Arc<Counts>) {
        let tool = |schema: Value| {
            let webhook = json!({"name": "orders", "description": "Books", "url": "https://shop.example/", "http_method": "POST", "body_schema": schema});
            json!({"agent": agent(&json!({"webhooks": [webhook]}))})
        };
        let lists = json!({"agent": {"name": "Bomb", "graph": {"nodes": vec![vec![json!([]); 1_000]; 3_500]}}});
        let bombs = [tool(doubling("allOf")), tool(doubling("anyOf")), tool(patterns()), lists];
        for bomb in bombs.iter().cycle() {
            if stop.load(Relaxed) {
                return;
            }
            let (status, answer) = self.client.attempt(Method::POST, "/agents", bomb).await;
            assert!((400..500).contains(&status), "a bomb was saved: {status} {answer}");
            counts.saves.fetch_add(1, Relaxed);
        }
    }

    /// Lets each agent call its tool, in turns.
    async fn turns(self, agents: Vec<(String, String)>, stop: Arc<AtomicBool>, counts: Arc<Counts>) {
        for (turn, (agent, call)) in agents.iter().cycle().enumerate() {
            if stop.load(Relaxed) {
                return;
            }
            let text = format!("TURN {turn}; CALL {call}");
            self.client.call(Method::POST, &format!("/agents/{agent}/test_chats"), &json!({"message": text})).await;
            let end = Instant::now() + TURN;
            while !self.answered(turn) {
                assert!(Instant::now() < end, "no result of {call} within {TURN:?}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            counts.turns.fetch_add(1, Relaxed);
        }
    }

    /// True once the model has read the result of a turn's call.
    fn answered(&self, turn: usize) -> bool {
        let begins = format!("TURN {turn};");
        self.world.requests().iter().rev().any(|request| {
            let messages = request.body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
            let asked = messages
                .iter()
                .rposition(|message| message["content"].as_str().is_some_and(|text| text.contains(&begins)));
            asked.is_some_and(|asked| messages[asked..].iter().any(is_result))
        })
    }

    async fn webhooks(self, stop: Arc<AtomicBool>, counts: Arc<Counts>) {
        while !stop.load(Relaxed) {
            let round = counts.webhooks.load(Relaxed);
            let status = |n: usize| json!({"id": format!("wamid.{round}.{n}"), "status": "sent", "timestamp": "1790000001", "recipient_id": "5511970000001"});
            let statuses: Vec<Value> = (0..STATUSES).map(status).collect();
            let delivery = webhook::delivery(json!({"statuses": statuses}));
            assert!(webhook::post(&self.client.http, &self.client.url, &delivery).await, "the webhook is accepted");
            counts.webhooks.fetch_add(1, Relaxed);
        }
    }
}

fn agent(subagent: &Value) -> Value {
    json!({"name": "Bomb", "graph": {
        "nodes": [{"name": "__start__", "type": "DefaultNode"},
            {"name": "shop", "type": "SubagentNode", "prompt": "Help.", "subagent": subagent},
            {"name": "__end__", "type": "DefaultNode"}],
        "edges": [{"from": "__start__", "to": "shop"}, {"from": "shop", "to": "__end__", "label": "done"}]}})
}

async fn mcp_server() -> McpServer {
    let server = McpServer::start().await;
    let tool = |name: &str, schema: Value| json!({"name": name, "description": "Helps", "inputSchema": schema});
    let object = json!({"type": "object"});
    server.set_tools(vec![
        tool("all", doubling("allOf")),
        tool("slow", patterns()),
        tool("deep", recursion()),
        tool("big", object.clone()),
        tool("empty", object),
    ]);
    server.answer("big", json!({"content": [], "structuredContent": {"list": vec![json!({"a": [1, 2]}); 20_000]}}));
    server.answer("empty", json!({"content": [], "structuredContent": {"list": vec![json!([]); 250_000]}}));
    server
}

/// Model, Meta and tool: the contact writes the name of a tool and its arguments; the model calls it
/// once.
fn world(request: &Request) -> Value {
    let done = |message: Value| json!({"id": "x", "model": "short-1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]});
    let Some(messages) = request.body["messages"].as_array() else {
        // The tool's answer. Meta is not asked: the chats are test chats.
        return json!({"list": vec![1; 1_000]});
    };
    let asked = messages.iter().rposition(|message| message["role"] == "user").unwrap_or_default();
    let text = messages.get(asked).and_then(|message| message["content"].as_str()).unwrap_or_default();
    let call = text.split_once("CALL ").map(|(_, call)| call.trim());
    let Some(call) = call.filter(|_| !messages[asked..].iter().any(is_result)) else {
        return done(json!({"role": "assistant", "content": "Done."}));
    };
    let (name, arguments) = call.split_once(' ').unwrap_or((call, "{}"));
    let function = json!({"name": name, "arguments": arguments});
    done(
        json!({"role": "assistant", "content": null, "tool_calls": [{"id": "c0", "type": "function", "function": function}]}),
    )
}

/// True for the result of a tool. The step prompt is the result of a call as well.
fn is_result(message: &Value) -> bool {
    message["role"] == "tool" && !message["content"].as_str().unwrap_or_default().starts_with("# Step:")
}
