//! Crash during a test suite of three cases against the demo agent: each case runs once, sends each
//! line once, and gets the same score as without a crash.

use std::path::Path;

use emulator::orders;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{SUITE, ScriptedModel};

use crate::program::json as printed;

use super::{
    cases::{Case, Kill},
    model,
    scenario::{CaseResult, PATIENCE, wait, wait_for_kills},
    server::Server,
    world::World,
};

pub fn run(case: &Case) -> CaseResult {
    let world = World::with(|request| model::choice(&ScriptedModel::play_suite(&request.body)));
    let orders = world.block_on(orders::start("127.0.0.1:0".parse().unwrap())).unwrap();
    let mut server = Server::start(&world, case);
    let project = printed(&world.home.run(&["projects", "create", "Suite", "--json"]));
    let key = project["api_key"].as_str().unwrap().to_owned();
    let made = |path: &str, body: Value| {
        world.api(&key, Method::POST, path, Some(body))["data"]["id"].as_str().unwrap().to_owned()
    };
    let agent = made("/agents", json!({"agent": demo_agent(&orders.url())}));
    let suite = made("/test_suites", json!({"test_suite": {"name": "Crash", "agent_id": agent}}));
    for (number, (script, rubric, _)) in SUITE.iter().enumerate() {
        let case = json!({"test_case": {"name": number.to_string(), "script": script, "rubric": rubric}});
        made(&format!("/test_suites/{suite}/test_cases"), case);
    }
    let runs = format!("/test_suites/{suite}/test_runs");
    wait(&mut server, "the start", PATIENCE, || world.try_post(&key, &runs).is_some());
    wait_for_kills(&mut server);
    let list = || world.api(&key, Method::GET, &runs, None)["data"].as_array().cloned().unwrap();
    wait(&mut server, "the end of all runs", PATIENCE, || list().iter().all(|run| run["status"] == "completed"));
    let whole = |run: Value| {
        let path = format!("/test_runs/{}", run["id"].as_str().unwrap());
        world.api(&key, Method::GET, &path, None)["data"].clone()
    };
    check(case, &world, list().into_iter().map(whole).collect());
    CaseResult { restarts: std::mem::take(&mut server.restarts), reached: std::mem::take(&mut server.reached) }
}

fn demo_agent(orders_url: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/shop-agent.json");
    let text = std::fs::read_to_string(file).unwrap().replace("{{vars.orders_url}}", orders_url);
    serde_json::from_str(&text).unwrap()
}

fn check(case: &Case, world: &World, mut runs: Vec<Value>) {
    runs.sort_by_key(|run| run["test_case"]["name"].to_string());
    let name = |run: &Value| run["test_case"]["name"].as_str().unwrap().to_owned();
    assert_eq!(runs.iter().map(name).collect::<Vec<_>>(), ["0", "1", "2"], "each case runs once");
    for (run, (script, _, score)) in runs.iter().zip(SUITE) {
        assert_eq!(run["score"], score, "{run}");
        let lines = run["conversation"].as_array().unwrap();
        let sent: Vec<&str> =
            lines.iter().filter(|line| line["role"] == "user").map(|line| line["content"].as_str().unwrap()).collect();
        assert_eq!(sent, script.lines().collect::<Vec<_>>(), "{run}");
    }
    let kills = if let Kill::At(points) = &case.kill { points.len() } else { 0 };
    let asks = |question: &&Value| question["tools"][0]["function"]["name"] == "grade_conversation";
    let judged = world.questions().iter().filter(asks).count();
    assert!((3..=3 + kills).contains(&judged), "the judge was called {judged} times");
}
