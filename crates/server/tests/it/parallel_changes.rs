//! Concurrent changes of one agent: with `If-Match` one wins per version, without it the last one
//! wins, and no state mixes two changes.

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use testkit::{Answer, TestApp};

/// An agent whose fields all contain the same number.
fn state(number: usize) -> Value {
    let text = number.to_string();
    json!({"agent": {"name": text, "system_prompt": text, "graph": {
        "nodes": [{"name": "__start__"}, {"name": "talk", "prompt": text}, {"name": "__end__"}],
        "edges": [{"from": "__start__", "to": "talk"}, {"from": "talk", "to": "__end__", "label": text}]}}})
}

/// Changes the agent, again while the server refuses for want of a connection to its database.
async fn change(app: &TestApp, path: &str, if_match: Option<&str>, number: usize) -> Answer {
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(if_match.map(|tag| ("if-match", tag)));
    loop {
        let answer = app.call_raw(&headers, Method::PATCH, path, Some(state(number).to_string())).await;
        if answer.body["code"] != "busy" {
            return answer;
        }
    }
}

/// Returns the number, after checking that all fields agree.
async fn number_of(app: &TestApp, path: &str) -> String {
    let agent = app.get(&format!("{path}/graph")).await.data().clone();
    let graph = &agent["graph"];
    let talk = graph["nodes"].as_array().unwrap().iter().find(|node| node["name"] == "talk").unwrap();
    let edge = graph["edges"].as_array().unwrap().iter().find(|edge| !edge["label"].is_null()).unwrap();
    let parts = [&agent["name"], &agent["system_prompt"], &talk["prompt"], &edge["label"]];
    assert!(parts.iter().all(|part| *part == parts[0]), "mixed: {parts:?}");
    parts[0].as_str().unwrap().to_owned()
}

fn version(answer: &Answer) -> u64 {
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.headers["etag"].trim_matches('"').parse().unwrap()
}

async fn agent(app: &TestApp) -> String {
    format!("/api/v1/agents/{}", app.agent(state(0)["agent"].clone()).await)
}

#[tokio::test]
async fn one_of_200_concurrent_changes_of_a_version_wins() {
    let app = TestApp::start().await;
    let path = agent(&app).await;
    for round in 1..=3_usize {
        let tag = format!("\"{round}\"");
        let all = join_all((0..200).map(|n| change(&app, &path, Some(&tag), round * 1_000 + n))).await;
        let won: Vec<&Answer> = all.iter().filter(|answer| answer.status == 200).collect();
        let lost = all.iter().filter(|answer| answer.status == 409 && answer.body["code"] == "stale").count();
        assert_eq!((won.len(), lost), (1, 199));
        assert_eq!(version(won[0]), u64::try_from(round).unwrap() + 1);
        assert_eq!(number_of(&app, &path).await, won[0].data()["name"].as_str().unwrap());
    }
}

#[tokio::test]
async fn retrying_after_a_conflict_succeeds_and_versions_are_unique() {
    let app = TestApp::start().await;
    let path = agent(&app).await;
    let insists = async |number: usize| {
        let mut tries = 0;
        loop {
            let seen = app.get(&path).await;
            let answer = change(&app, &path, Some(&seen.headers["etag"]), number).await;
            tries += 1;
            match answer.status {
                200 => return (version(&answer), tries),
                409 => {}
                other => panic!("{other}: {}", answer.body),
            }
        }
    };
    let all = join_all((1..=40).map(insists)).await;
    let versions: BTreeSet<u64> = all.iter().map(|(version, _)| *version).collect();
    assert_eq!(versions, (2..=41).collect());
    assert!(all.iter().any(|(_, tries)| *tries > 1), "the posts were open at the same time");
}

#[tokio::test]
async fn without_if_match_the_last_change_wins_and_none_are_mixed() {
    let app = TestApp::start().await;
    let path = agent(&app).await;
    let all = join_all((1..=200).map(|n| change(&app, &path, None, n))).await;
    let versions: BTreeSet<u64> = all.iter().map(version).collect();
    assert_eq!(versions, (2..=201).collect(), "each change created a version");
    for (place, answer) in all.iter().enumerate() {
        assert_eq!((answer.status, &answer.data()["name"]), (200, &json!((place + 1).to_string())));
    }
    let last = all.iter().max_by_key(|answer| version(answer)).unwrap();
    assert_eq!(number_of(&app, &path).await, last.data()["name"].as_str().unwrap());
}
