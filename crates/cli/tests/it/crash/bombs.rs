//! Small queries and schemas that ask for more memory or time than there is. The server runs under a
//! memory limit, answers the model that the result is too large, and serves other projects.

use std::{
    fs::File,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{
    McpServer, Request,
    bombs::{doubling, nested, patterns, query, recursion},
};

use super::{
    model,
    server::{command, listening},
    world::World,
};
use crate::program::{Running, json as printed};

/// Address space of the server, which needs a third of it when idle.
const MEMORY_KIB: usize = 1 << 20;
/// Longest write of another project.
const MAX_WRITE: Duration = Duration::from_secs(1);
/// Longest turn; the bombs of this file need hours where nothing stops them.
const MAX_TURN: Duration = Duration::from_secs(30);

/// The contact writes the name of a tool and its arguments; the model calls it once.
fn complete(request: &Request) -> Value {
    let messages = request.body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let asked = messages.iter().rposition(|message| message["role"] == "user").unwrap_or_default();
    let text = messages.get(asked).and_then(|message| message["content"].as_str()).unwrap_or_default();
    let done = || model::choice(&json!({"role": "assistant", "content": "Done."}));
    let Some((_, call)) = text.split_once("CALL ") else { return done() };
    let (name, arguments) = call.trim().split_once(' ').unwrap_or((call, "{}"));
    let calls = messages[asked..].iter().filter_map(|message| message["tool_calls"].as_array()).flatten();
    if calls.into_iter().any(|call| call["function"]["name"] == name) {
        return done();
    }
    let function = json!({"name": name, "arguments": arguments});
    model::choice(&json!({"role": "assistant", "content": null,
        "tool_calls": [{"id": "c0", "type": "function", "function": function}]}))
}

/// True for the result of a tool. The step prompt is the result of a call as well.
fn is_result(message: &Value) -> bool {
    message["role"] == "tool" && !message["content"].as_str().unwrap_or_default().starts_with("# Step:")
}

/// The command in a shell that limits its memory first.
fn limited(world: &World) -> Command {
    let inner = command(world, world.port);
    let mut limited = Command::new("/bin/sh");
    limited.args(["-c", &format!("ulimit -v {MEMORY_KIB}; exec \"$0\" \"$@\"")]);
    limited.arg(inner.get_program()).args(inner.get_args()).env_clear();
    limited.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    // Each arena of the allocator reserves 64 MiB of addresses.
    limited.env("MALLOC_ARENA_MAX", "2").current_dir(world.home.path());
    limited.stderr(File::options().create(true).append(true).open(world.server_log_file()).unwrap());
    limited
}

struct Node<'w> {
    world: &'w World,
    process: Running,
    key: String,
    other: String,
    writes: usize,
    longest_write: Duration,
}

impl<'w> Node<'w> {
    fn start(world: &'w World) -> Self {
        let process = listening(&mut limited(world));
        let project = |name: &str| {
            let made = printed(&world.home.run(&["projects", "create", name, "--json"]));
            made["api_key"].as_str().unwrap().to_owned()
        };
        let (key, other) = (project("Bombs"), project("Other"));
        Self { world, process, key, other, writes: 0, longest_write: Duration::ZERO }
    }

    fn agent(&self, subagent: Value) -> String {
        let agent = json!({"name": "Bomb", "graph": {
            "nodes": [{"name": "__start__", "type": "DefaultNode"},
                {"name": "shop", "type": "SubagentNode", "prompt": "Help.", "subagent": subagent},
                {"name": "__end__", "type": "DefaultNode"}],
            "edges": [{"from": "__start__", "to": "shop"}, {"from": "shop", "to": "__end__", "label": "done"}]}});
        let made = self.world.api(&self.key, Method::POST, "/agents", Some(json!({"agent": agent})));
        made["data"]["id"].as_str().unwrap().to_owned()
    }

    /// Lets the agent call a tool, while another project writes. Returns what the model read.
    fn result(&mut self, agent: &str, call: &str) -> String {
        let before = self.world.questions().len();
        let path = format!("/agents/{agent}/test_chats");
        self.world.api(&self.key, Method::POST, &path, Some(json!({"message": format!("CALL {call}")})));
        let end = Instant::now() + MAX_TURN;
        loop {
            assert_eq!(self.process.end(), None, "the server ended:\n{}", self.world.server_log());
            assert!(Instant::now() < end, "no result of {call} within {MAX_TURN:?}");
            self.write();
            let last = |request: Value| request["messages"].as_array()?.last().cloned();
            let questions = self.world.questions().split_off(before);
            let read = questions.into_iter().filter_map(last).find(is_result);
            if let Some(read) = read.filter(|read| read["content"].as_str().is_some_and(|text| !text.is_empty())) {
                return read["content"].as_str().unwrap().to_owned();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn write(&mut self) {
        let began = Instant::now();
        self.writes += 1;
        let customer = json!({"customer": {"name": "Ann", "external_customer_id": self.writes.to_string()}});
        self.world.api(&self.other, Method::POST, "/customers", Some(customer));
        self.longest_write = self.longest_write.max(began.elapsed());
        assert!(self.longest_write < MAX_WRITE, "a write of another project took {:?}", self.longest_write);
    }
}

#[test]
fn query_that_doubles_its_result_is_too_large_and_harms_no_other_project() {
    let world = World::with(complete);
    let mut node = Node::start(&world);
    let webhook = json!({"name": "orders", "description": "Books", "url": world.tool.url(), "jmespath_query": query()});
    let mocked = json!({"name": "mock", "description": "Books", "url": world.tool.url(), "jmespath_query": query(),
        "mock_response_enabled": true, "mock_response": {"a": "b"}});
    let agent = node.agent(json!({"webhooks": [webhook, mocked]}));
    for tool in ["orders_request", "mock_request"] {
        let read = node.result(&agent, tool);
        assert!(read.contains("result too large"), "{read}");
    }
}

#[test]
fn schema_of_a_tenant_is_refused_or_counted() {
    let world = World::with(complete);
    let mut node = Node::start(&world);
    let webhook = |schema: Value| {
        json!({"name": "orders", "description": "Books", "url": world.tool.url(), "http_method": "POST",
            "body_schema": schema})
    };
    for bomb in [doubling("allOf"), doubling("anyOf"), patterns()] {
        let text = bomb.to_string();
        let body = json!({"agent": {"name": "Bomb", "graph": {
            "nodes": [{"name": "__start__", "type": "DefaultNode"},
                {"name": "shop", "type": "SubagentNode", "prompt": "Help.", "subagent": {"webhooks": [webhook(bomb)]}},
                {"name": "__end__", "type": "DefaultNode"}],
            "edges": [{"from": "__start__", "to": "shop"}, {"from": "shop", "to": "__end__", "label": "done"}]}}});
        let refused = world.try_api(&node.key, Method::POST, "/agents", &body);
        assert_eq!(refused["status"], 422, "{text}: {refused}");
        assert_eq!(refused["details"][0]["code"], "bad_body_schema", "{refused}");
        node.write();
    }
    let agent = node.agent(json!({"webhooks": [webhook(recursion())]}));
    let read = node.result(&agent, &format!("orders_request {}", nested(50)));
    assert!(read.contains("too large to be checked"), "{read}");
    let read = node.result(&agent, &format!("orders_request {}", nested(3)));
    assert!(read.contains("booked"), "{read}");
}

#[test]
fn hostile_mcp_server_harms_no_other_project() {
    let world = World::with(complete);
    let server = Arc::new(world.block_on(McpServer::start()));
    let tool = |name: &str, schema: Value| json!({"name": name, "description": "Helps", "inputSchema": schema});
    server.set_tools(vec![
        tool("all", doubling("allOf")),
        tool("any", doubling("anyOf")),
        tool("slow", patterns()),
        tool("deep", recursion()),
        tool("big", json!({"type": "object"})),
        tool("empty", json!({"type": "object"})),
    ]);
    server.answer("big", json!({"content": [], "structuredContent": {"list": vec![json!({"a": [1, 2]}); 20_000]}}));
    server.answer("empty", json!({"content": [], "structuredContent": {"list": vec![json!([]); 250_000]}}));
    let mut node = Node::start(&world);
    let agent = node.agent(json!({"mcp_servers": [{"name": "evil", "url": server.url(), "description": "Helps",
        "transport_kind": "streamable_http", "jmespath_queries": [{"tool_name": "big", "jmespath_query": query()}]}]}));
    for name in ["all", "any", "slow"] {
        let read = node.result(&agent, &format!("{name} {}", json!({"x": 1, "p1": "a"})));
        assert!(read.contains("unknown_tool"), "{name}: {read}");
    }
    let read = node.result(&agent, &format!("deep {}", nested(50)));
    assert!(read.contains("too large to be checked"), "{read}");
    let read = node.result(&agent, "big");
    assert!(read.contains("result too large"), "{read}");
    let read = node.result(&agent, "empty");
    assert!(read.contains("too large"), "{read}");
}

/// 80 kB of template and 2 kB of text would be 40 MB, copied several times in each step.
#[test]
fn filled_variables_and_empty_lists_harm_no_other_project() {
    let world = World::with(complete);
    let mut node = Node::start(&world);
    let values = json!(vec!["#{a}".repeat(1_000); 20]);
    let webhook = json!({"name": "orders", "description": "Books", "url": world.tool.url(), "http_method": "POST",
        "body": values});
    let agent = node.agent(json!({"webhooks": [webhook]}));
    let read = node.result(&agent, &format!("orders_request {}", json!({"a": "y".repeat(2_000)})));
    assert!(read.contains("request too large"), "{read}");
    let lists = json!({"agent": {"name": "Bomb", "graph": {"nodes": vec![vec![json!([]); 1_000]; 3_500]}}});
    for _ in 0..3 {
        let refused = world.try_api(&node.key, Method::POST, "/agents", &lists);
        assert_eq!(refused["code"], "json_limits", "{refused}");
        node.write();
    }
}
