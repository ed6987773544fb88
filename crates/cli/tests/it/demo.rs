//! `demo`: the whole conversation.

use std::time::{Duration, Instant};

use crate::program::{Home, bare, finished, json, stderr, stdout};

#[test]
fn the_demo_passes_in_every_language_within_its_time() {
    // Side by side, because most of the time they wait.
    let started = Instant::now();
    let threads = ["en", "es", "pt"].map(|language| {
        std::thread::spawn(move || {
            let home = Home::new();
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path().to_str().unwrap();
            let report = json(&home.run(&["demo", "--json", "--language", language, "--data-dir", folder]));
            let replay = json(&home.run(&["replay", "all", "--json", "--data-dir", folder]));
            assert_eq!(replay["ok"], true, "the demo's executions give the same effects again: {replay}");
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
        let said = report["transcript"].as_array().unwrap();
        assert!(said.iter().filter(|line| line["from"] == "agent").count() >= 5, "{report}");
    }
    assert!(started.elapsed() < Duration::from_secs(40));
}

#[test]
fn a_demo_that_cannot_start_says_so_and_ends_with_1() {
    let output = finished(bare(&["demo", "--json"]).env("CHASQUI_LLM_PROVIDER", "OpenAI"));
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["ok"], false);
    assert!(report["error"].as_str().unwrap().contains("OPENAI_API_KEY"), "{report}");

    let output = finished(bare(&["demo"]).env("CHASQUI_LLM_PROVIDER", "OpenAI"));
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).starts_with("error: ") && stdout(&output).is_empty(), "{}", stderr(&output));
}
