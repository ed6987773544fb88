//! `demo`.

use std::time::{Duration, Instant};

use crate::program::{Home, bare, finished, json, stderr, stdout};

#[test]
fn demo_passes_in_every_language_in_time() {
    // In parallel, because most of the time they wait.
    let started = Instant::now();
    let threads = ["en", "es", "pt"].map(|language| {
        std::thread::spawn(move || {
            let home = Home::new();
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path().to_str().unwrap();
            let report = json(&home.run(&["demo", "--json", "--language", language, "--data-dir", folder]));
            let replay = json(&home.run(&["replay", "all", "--json", "--data-dir", folder]));
            assert_eq!(replay["ok"], true, "the demo's executions must replay: {replay}");
            assert!(replay["effects"].as_u64().unwrap() > 10, "{replay}");
            report
        })
    });
    for thread in threads {
        let report = thread.join().unwrap();
        assert_eq!(report["ok"], true, "{report}");
        assert_eq!(report["model"]["is_rehearsal"], true);
        let checks = report["checks"].as_array().unwrap();
        assert!(checks.len() >= 10 && checks.iter().all(|check| check["ok"] == true), "{report}");
        let transcript = report["transcript"].as_array().unwrap();
        assert!(transcript.iter().filter(|line| line["from"] == "agent").count() >= 5, "{report}");
    }
    assert!(started.elapsed() < Duration::from_secs(40));
}

#[test]
fn demo_passes_with_an_openai_compatible_model() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let model = runtime.block_on(testkit::ScriptedModel::rehearsing());
    let home = Home::new();
    let mut command = home.command(&["demo", "--json"]);
    command.env_remove("CHASQUI_LLM_PROVIDER").env("CHASQUI_LLM_BASE_URL", model.base_url());
    let output = finished(&mut command);
    let report = json(&output);
    assert_eq!(report["ok"], true, "{report}");
    assert_eq!(
        (&report["model"]["provider"], &report["model"]["is_rehearsal"]),
        (&"OpenAICompatible".into(), &false.into())
    );

    // The scripted model has checked each request as a strict provider does. These are extra
    // checks.
    let requests = model.requests();
    assert!(requests.len() >= 5, "{}", requests.len());
    for request in &requests {
        assert_eq!(request["messages"][0]["role"], "system");
        assert!(request["messages"].to_string().contains("# Step: "), "the step prompt");
        for tool in request["tools"].as_array().unwrap() {
            assert_eq!(tool["function"]["parameters"]["type"], "object", "{tool}");
        }
    }
    let all = serde_json::to_string(&requests).unwrap();
    assert!(
        all.contains("orders_request") && all.contains("shipped"),
        "the model's tool call and its result are in the requests"
    );
}

#[test]
fn demo_that_cannot_start_reports_the_error_and_exits_with_1() {
    let output = finished(bare(&["demo", "--json"]).env("CHASQUI_LLM_PROVIDER", "OpenAI"));
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["ok"], false);
    assert!(report["error"].as_str().unwrap().contains("OPENAI_API_KEY"), "{report}");

    let output = finished(bare(&["demo"]).env("CHASQUI_LLM_PROVIDER", "OpenAI"));
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).starts_with("error: ") && stdout(&output).is_empty(), "{}", stderr(&output));
}
