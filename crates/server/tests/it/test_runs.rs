//! Test suites, cases and judged runs (docs/spec/engine.md 6.2, S38 to S40).

use domain::Span;
use emulator::orders;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{SUITE, ScriptedModel, TestApp};

/// Adds a case to the agent's default suite; returns (suite, case).
async fn case(app: &TestApp, agent: &str, script: &str, rubric: &str) -> (String, String) {
    let suites = app.get(&format!("/api/v1/agents/{agent}/test_suites")).await;
    assert_eq!(suites.data()[0]["name"], "Default");
    let suite = suites.data()[0]["id"].as_str().unwrap().to_owned();
    let body = json!({"test_case": {"name": "Case", "script": script, "rubric": rubric}});
    let case = app.post(&format!("/api/v1/test_suites/{suite}/test_cases"), body).await.id();
    (suite, case)
}

async fn start(app: &TestApp, case: &str) -> String {
    let run =
        app.post(&format!("/api/v1/test_cases/{case}/test_runs"), json!({"agent_test_run": {}, "run_now": true})).await;
    assert_eq!(run.status, 201, "{}", run.body);
    assert_eq!(run.data()["ended_at"], Value::Null);
    run.id()
}

async fn read(app: &TestApp, run: &str) -> Value {
    app.get(&format!("/api/v1/test_runs/{run}")).await.data().clone()
}

fn user(app: &TestApp, message: &str) {
    app.model().calls(&[("send_user_message", json!({"message": message}))]);
}

fn grade(app: &TestApp, score: f64) {
    app.model().calls(&[("grade_conversation", json!({"score": score, "feedback": "- [pass] it did"}))]);
}

#[tokio::test]
async fn suite_is_created_with_ordered_cases_or_not_at_all() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    let case = |name: &str| json!({"name": name, "description": null, "script": "Say hello.", "rubric": "It greets."});
    let create = async |cases: Value| {
        let suite = json!({"name": "Smoke", "agent_id": agent, "test_cases": cases});
        app.post("/api/v1/test_suites", json!({ "test_suite": suite })).await
    };
    let names: Vec<String> = (0..12).map(|number| format!("Case {number}")).collect();
    let made = create(names.iter().map(|name| case(name)).collect()).await;
    let shown = |suite: &Value| -> Vec<String> {
        let cases = suite["test_cases"].as_array().unwrap();
        cases.iter().map(|case| case["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(shown(made.data()), names);
    let found = app.get(&format!("/api/v1/test_suites/{}", made.id())).await;
    assert_eq!(found.data(), made.data());
    for (cases, path, code) in [
        (json!([case("A"), case(" ")]), "/test_suite/test_cases/1/name", "blank"),
        (json!([{"name": "A", "script": "Say hello."}]), "/test_suite/test_cases/0/rubric", "blank"),
        (vec![case("A"); 501].into(), "/test_suite/test_cases", "too_many"),
    ] {
        let refused = create(cases).await;
        let detail = &refused.body["details"][0];
        assert_eq!((refused.status, &detail["path"], &detail["code"]), (422, &json!(path), &json!(code)));
    }
    let suites = app.get(&format!("/api/v1/agents/{agent}/test_suites")).await;
    assert_eq!(suites.data().as_array().unwrap().len(), 2, "only the two valid suites exist");
    assert_eq!(create(Value::Null).await.data()["test_cases"], json!([]));
}

/// S38.
#[tokio::test]
async fn test_case_is_played_by_script_and_graded_by_rubric() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    let (_, case) = case(&app, &agent, "1. say A 2. say B", "It answers both.").await;
    user(&app, "A");
    app.model().says("a");
    user(&app, "B");
    app.model().says("b");
    user(&app, "CONVERSATION_ENDED");
    grade(&app, 0.857);
    let run = start(&app, &case).await;
    let begun = read(&app, &run).await;
    assert_eq!((&begun["conversation"], &begun["full_history"]), (&json!([]), &json!([])), "no message yet");
    app.run_until_idle().await;
    let run = read(&app, &run).await;
    assert_eq!(
        (&run["score"], &run["status"], &run["execution_completed"]),
        (&json!(0.85), &json!("completed"), &json!(true))
    );
    assert_eq!(run["feedback"], "- [pass] it did");
    let texts: Vec<_> =
        run["conversation"].as_array().unwrap().iter().map(|line| line["content"].as_str().unwrap()).collect();
    assert_eq!(texts, ["A", "a", "B", "b"]);
    assert!(run["full_history"].as_array().unwrap().iter().any(|entry| entry["tool_calls"].is_array()));
    assert!(run["ended_at"].is_string() && run["error"].is_null() && run["test_case"]["id"] == json!(case));
    // Simulated user 3, agent 2, judge 1.
    assert_eq!(run["token_usage"]["total_tokens"], 6 * 15);
    let requests = app.model().requests();
    let of = |tool: &str| requests.iter().filter(|request| request["tools"][0]["function"]["name"] == tool).count();
    assert_eq!((of("send_user_message"), of("grade_conversation")), (3, 1));
    let judged = requests.last().unwrap()["messages"][1]["content"].as_str().unwrap();
    assert!(
        judged.contains("It answers both.") && judged.contains("User: A\n\nAgent: a") && judged.contains("WaitForUser")
    );
    assert_eq!(requests.last().unwrap()["temperature"], 0.0);
}

/// S39.
#[tokio::test]
async fn test_run_with_invalid_verdict_has_conversation_and_no_score() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    let (_, case) = case(&app, &agent, "Say hello.", "It greets.").await;
    user(&app, "hello");
    app.model().says("Hi!");
    user(&app, "CONVERSATION_ENDED");
    app.model().says("splendid");
    app.model().says("really splendid");
    let run = start(&app, &case).await;
    app.run_until_idle().await;
    let run = read(&app, &run).await;
    assert_eq!(
        (&run["status"], &run["score"], &run["error"]["type"]),
        (&json!("error"), &Value::Null, &json!("judge_failed"))
    );
    assert_eq!(run["conversation"].as_array().unwrap().len(), 2);
}

/// S40.
#[tokio::test]
async fn test_run_is_judged_after_thirty_messages() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    let (_, case) = case(&app, &agent, "Never stop.", "It stays calm.").await;
    for _ in 0..30 {
        user(&app, "and?");
        app.model().says("yes");
    }
    grade(&app, 1.0);
    let run = start(&app, &case).await;
    app.run_until_idle().await;
    let run = read(&app, &run).await;
    assert_eq!((&run["score"], &run["limit_reached"]), (&json!(1.0), &json!(true)));
    assert_eq!(run["conversation"].as_array().unwrap().len(), 60);
}

#[tokio::test]
async fn test_run_of_a_failing_agent_has_error_and_no_score() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    let (_, case) = case(&app, &agent, "Say hello.", "It greets.").await;
    user(&app, "hello");
    app.model().fails(401);
    let run = start(&app, &case).await;
    app.run_until_idle().await;
    let run = read(&app, &run).await;
    assert_eq!(
        (&run["status"], &run["score"], &run["execution_completed"]),
        (&json!("error"), &json!(0.0), &json!(false))
    );
    assert_eq!(run["error"]["type"], "llm_unavailable");
}

#[tokio::test]
async fn busy_model_is_retried() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    let (_, case) = case(&app, &agent, "Say hello.", "It greets.").await;
    app.model().fails(503);
    let run = start(&app, &case).await;
    app.run_until_idle().await;
    assert_eq!(read(&app, &run).await["status"], "running");
    user(&app, "hello");
    app.model().calls(&[("MoveToNextNode", json!({"next_node": "__end__", "reason": "done"}))]);
    grade(&app, 0.5);
    app.forward(Span::from_secs(1)).await;
    assert_eq!(read(&app, &run).await["score"], 0.5);
}

#[tokio::test]
async fn deleting_a_case_starts_the_runs_queued_behind_it() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    let (suite, first) = case(&app, &agent, "Say hello.", "It greets.").await;
    let later = async |case: &str| {
        app.post(&format!("/api/v1/test_cases/{case}/test_runs"), json!({"agent_test_run": {}})).await.id()
    };
    for _ in 0..4 {
        later(&first).await;
    }
    let body = json!({"test_case": {"name": "2", "script": "Say hello.", "rubric": "It greets."}});
    let second = app.post(&format!("/api/v1/test_suites/{suite}/test_cases"), body).await.id();
    let waiting = later(&second).await;
    assert_eq!(read(&app, &waiting).await["status"], "queued");
    app.call(Method::DELETE, &format!("/api/v1/test_cases/{first}"), None).await;
    user(&app, "hello");
    app.model().says("Hi!");
    user(&app, "CONVERSATION_ENDED");
    grade(&app, 1.0);
    app.run_until_idle().await;
    assert_eq!(read(&app, &waiting).await["status"], "completed");
}

#[tokio::test]
async fn cancelled_run_stops_its_agent_and_starts_the_next_run() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    let (suite, _) = case(&app, &agent, "Say hello.", "It greets.").await;
    for name in ["2", "3", "4", "5"] {
        let body = json!({"test_case": {"name": name, "script": "Say hello.", "rubric": "It greets."}});
        app.post(&format!("/api/v1/test_suites/{suite}/test_cases"), body).await.data();
    }
    let path = format!("/api/v1/test_suites/{suite}/test_runs");
    let runs = app.post(&path, json!({})).await;
    let in_status = |status: &str| runs.data().as_array().unwrap().iter().filter(|run| run["status"] == status).count();
    assert_eq!((in_status("running"), in_status("queued")), (4, 1), "four run concurrently");
    for run in runs.data().as_array().unwrap() {
        let cancelled = app.post(&format!("/api/v1/test_runs/{}/cancel", run["id"].as_str().unwrap()), json!({})).await;
        assert_eq!(
            (&cancelled.data()["status"], &cancelled.data()["error"]["type"]),
            (&json!("error"), &json!("cancelled"))
        );
    }
    app.run_until_idle().await;
    let history = app.get(&path).await;
    assert_eq!(history.data().as_array().unwrap().len(), 5);
    assert!(history.data().as_array().unwrap().iter().all(|run| run["score"].is_null() && run["status"] == "error"));
    assert_eq!(app.model().requests().len(), 0);
}

#[tokio::test]
async fn repeated_cancel_gets_its_stored_response_after_the_run_was_deleted() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    let (_, case) = case(&app, &agent, "Say hello.", "It greets.").await;
    let path = format!("/api/v1/test_runs/{}/cancel", start(&app, &case).await);
    let cancel = async || {
        let request = app.request(Method::POST, &path).header("idempotency-key", "k").json(&json!({}));
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let first = cancel().await;
    assert_eq!(first.0, 200);
    app.run_until_idle().await;
    app.call(Method::DELETE, &format!("/api/v1/test_cases/{case}"), None).await;
    assert_eq!(cancel().await, first);
}

fn shop(url: &str) -> Value {
    let path = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/shop-agent.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap().replace("{{vars.orders_url}}", url)).unwrap()
}

const CASES: [(&str, &str); 3] = [
    ("1. Say \"Hello, where is my order 1042?\"", "It tells that order \"1042\" is \"shipped\""),
    ("1. Say \"Hello\"\n2. Say \"My order is 1042\"", "It names the order \"1042\""),
    ("1. Say \"Where is my order?\" 2. Say \"1042\"", "1. It says \"shipped\"\n2. It recites \"a poem\""),
];

/// Runs the three cases offline, with the rehearsal model as agent, simulated user and judge.
/// Returns the scores.
async fn rehearse(agent: Value, crash: bool) -> Vec<Value> {
    let mut app = TestApp::with(false, |config| config.egress_allow = vec!["127.0.0.1/32".parse().unwrap()]).await;
    let agent = app.agent(agent).await;
    let suite =
        app.get(&format!("/api/v1/agents/{agent}/test_suites")).await.data()[0]["id"].as_str().unwrap().to_owned();
    for (number, (script, rubric)) in CASES.iter().enumerate() {
        let body = json!({"test_case": {"name": number.to_string(), "script": script, "rubric": rubric}});
        app.post(&format!("/api/v1/test_suites/{suite}/test_cases"), body).await.data();
    }
    let runs = app.post(&format!("/api/v1/test_suites/{suite}/test_runs"), json!({})).await;
    let ids: Vec<_> =
        runs.data().as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap().to_owned()).collect();
    if crash {
        // Restarts the server repeatedly during the run.
        for _ in 0..4 {
            for _ in 0..3 {
                runtime::workers::step(app.app.context()).await.unwrap();
            }
            app = app.crash_and_restart().await;
        }
    }
    app.run_until_idle().await;
    let mut scores = Vec::new();
    for id in ids {
        let run = read(&app, &id).await;
        assert_eq!(run["status"], "completed", "{run}");
        assert!(run["feedback"].as_str().unwrap().starts_with("Rehearsal: "));
        scores.push((run["test_case"]["name"].to_string(), run["score"].clone()));
    }
    scores.sort_by(|one, other| one.0.cmp(&other.0));
    let all = app.get(&format!("/api/v1/test_suites/{suite}/test_runs")).await;
    assert_eq!(all.data().as_array().unwrap().len(), 3, "each case ran once");
    scores.into_iter().map(|(_, score)| score).collect()
}

#[tokio::test]
async fn offline_suite_scores_a_good_agent_above_a_broken_one() {
    let service = orders::start("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let good = rehearse(shop(&service.url()), false).await;
    assert_eq!(good, [json!(1.0), json!(1.0), json!(0.5)]);
    assert_eq!(rehearse(shop(&service.url()), true).await, good, "crashes do not change the result");
    let broken = rehearse(json!({"name": "Broken"}), false).await;
    assert!(broken.iter().all(|score| score.as_f64().unwrap() <= 0.5), "{broken:?}");
    assert_eq!((&broken[0], &broken[2]), (&json!(0.0), &json!(0.0)));
}

/// Scores of an agent from the scripted user and judge.
async fn scores(agent: Value) -> Vec<f64> {
    let model = ScriptedModel::playing_suites().await;
    let app = TestApp::with(false, |config| {
        config.egress_allow = vec!["127.0.0.1/32".parse().unwrap()];
        config.llm.base_url = Some(model.base_url());
        config.llm.model = Some("scripted-1".into());
    })
    .await;
    let agent = app.agent(agent).await;
    let suite = json!({"test_suite": {"name": "By the letter", "agent_id": agent}});
    let suite = format!("/api/v1/test_suites/{}", app.post("/api/v1/test_suites", suite).await.id());
    for (number, (script, rubric, _)) in SUITE.iter().enumerate() {
        let case = json!({"test_case": {"name": number.to_string(), "script": script, "rubric": rubric}});
        app.post(&format!("{suite}/test_cases"), case).await.data();
    }
    app.post(&format!("{suite}/test_runs"), json!({})).await.data();
    app.run_until_idle().await;
    let runs = app.get(&format!("{suite}/test_runs")).await;
    let mut scores: Vec<(String, f64)> = Vec::new();
    for run in runs.data().as_array().unwrap() {
        assert_eq!(run["status"], "completed", "{run}");
        scores.push((run["test_case"]["name"].as_str().unwrap().to_owned(), run["score"].as_f64().unwrap()));
    }
    scores.sort_by(|one, other| one.0.cmp(&other.0));
    scores.into_iter().map(|(_, score)| score).collect()
}

#[tokio::test]
async fn scripted_user_and_judge_score_the_demo_agent_above_a_broken_one() {
    let service = orders::start("127.0.0.1:0".parse().unwrap()).await.unwrap();
    assert_eq!(scores(shop(&service.url())).await, SUITE.map(|(_, _, score)| score));
    // Its orders tool has no valid address, and it has no alternative.
    let mut broken = shop("http://127.0.0.1:9");
    broken["system_prompt"] = json!("");
    let broken = scores(broken).await;
    assert!(broken.iter().all(|score| *score <= 0.5) && broken.iter().sum::<f64>() < 1.5, "{broken:?}");
    assert_eq!(scores(json!({"name": "Empty"})).await, [0.0, 0.0, 0.0]);
}

/// Runs until the given number of model requests, then kills the server before the last answer.
async fn dies_at_question(app: TestApp, count: usize) -> TestApp {
    app.model().says_when_released("never read");
    let context = app.app.context().clone();
    let working = async {
        loop {
            runtime::workers::step(&context).await.unwrap();
        }
    };
    tokio::select! {
        () = working => {}
        () = app.model().received(count) => {}
    }
    drop(context);
    app.crash_and_restart().await
}

/// The server dies during a model request: the request is repeated, and each message appears once.
#[tokio::test]
async fn crashed_test_run_is_resumed() {
    let mut app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    let (_, case) = case(&app, &agent, "Say A.", "It answers.").await;
    let run = start(&app, &case).await;
    // The simulated user's first answer is lost.
    app = dies_at_question(app, 1).await;
    user(&app, "A");
    app = dies_at_question(app, 3).await;
    // The agent's answer is lost.
    app.model().says("a");
    user(&app, "CONVERSATION_ENDED");
    app = dies_at_question(app, 6).await;
    // The judge's answer is lost.
    grade(&app, 0.9);
    app.run_until_idle().await;
    let run = read(&app, &run).await;
    assert_eq!((&run["score"], &run["status"]), (&json!(0.9), &json!("completed")));
    let texts: Vec<_> =
        run["conversation"].as_array().unwrap().iter().map(|line| line["content"].as_str().unwrap()).collect();
    assert_eq!(texts, ["A", "a"]);
}

#[tokio::test]
async fn judge_and_simulated_user_ask_the_model_of_the_agent() {
    let app = TestApp::start().await;
    let agent =
        app.agent(json!({"name": "Plain", "llm_config": {"provider_model_name": "small-7b", "max_tokens": 9}})).await;
    let (_, case) = case(&app, &agent, "Say hello.", "It greets.").await;
    user(&app, "hello");
    app.model().says("Hello!");
    user(&app, "CONVERSATION_ENDED");
    // A percentage is no score: asked once more, with the reason.
    grade(&app, 85.0);
    grade(&app, 0.85);
    let run = start(&app, &case).await;
    app.run_until_idle().await;
    assert_eq!(read(&app, &run).await["score"], 0.85);
    let requests = app.model().requests();
    assert!(requests.iter().all(|request| request["model"] == "small-7b"), "{requests:?}");
    let last = requests.last().unwrap();
    assert!(last["messages"].to_string().contains("not between 0 and 1"));
    assert_ne!(last["max_tokens"], 9, "a judge needs more room than an agent");
}

#[tokio::test]
async fn judge_that_gives_no_verdict_twice_leaves_the_run_without_a_score() {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Plain"})).await;
    let (_, case) = case(&app, &agent, "Say hello.", "It greets.").await;
    user(&app, "hello");
    app.model().says("Hello!");
    user(&app, "CONVERSATION_ENDED");
    grade(&app, 85.0);
    grade(&app, -1.0);
    let run = start(&app, &case).await;
    app.run_until_idle().await;
    let run = read(&app, &run).await;
    assert_eq!(
        (&run["status"], &run["score"], &run["error"]["type"]),
        (&json!("error"), &Value::Null, &json!("judge_failed"))
    );
}
