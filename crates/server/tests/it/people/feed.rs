//! The live feed of a session, and revocations that other nodes see.

use super::support::{Browser, person, send};
use crate::feed::client::Client;
use domain::role::Role;
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use std::time::{Duration, Instant};
use testkit::{TestApp, database::TestDatabase};

fn feed(app: &TestApp) -> String {
    format!("/app/api/projects/{}/feed", app.project)
}

/// Request of an `EventSource` on a page of the server. Only the cookie identifies the person.
fn event_source(url: &str, path: &str, browser: &Browser<'_>) -> RequestBuilder {
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    http.get(format!("{url}{path}")).header("cookie", browser.cookies()).header("sec-fetch-site", "same-origin")
}

/// Reads until the stream ends. Returns the topics, and the time that it took.
async fn rest(client: &mut Client) -> (Vec<String>, Duration) {
    let (began, mut topics) = (Instant::now(), Vec::new());
    let all = async {
        while let Some(message) = client.read().await {
            topics.extend(message.data["topic"].as_str().map(str::to_owned));
        }
    };
    tokio::time::timeout(Duration::from_secs(10), all).await.expect("the stream ends");
    (topics, began.elapsed())
}

#[tokio::test]
async fn session_receives_the_changes_and_its_own_end() {
    let app = TestApp::start().await;
    person(&app, "ana@example.test", Some(Role::Viewer)).await;
    let (first, second) =
        (Browser::signed_in(&app, "ana@example.test").await, Browser::signed_in(&app, "ana@example.test").await);
    let mut client = Client::of(event_source(&app.app.url(), &feed(&app), &first)).await;
    app.agent(json!({"name": "Desk"})).await;
    let changed = client.next().await;
    assert!(changed.is("agent.updated"), "{changed:?}");
    let mut resumed =
        Client::of(event_source(&app.app.url(), &feed(&app), &first).header("last-event-id", changed.id.unwrap()))
            .await;
    assert!(resumed.next().await.is("agent.updated"), "the last ten seconds are repeated");
    let list = first.get("/app/api/me/sessions").await;
    let current = list.data().as_array().unwrap().iter().find(|session| session["is_current"] == true).unwrap().clone();
    let path = format!("/app/api/me/sessions/{}", current["id"].as_str().unwrap());
    assert_eq!(second.call("DELETE", &path, None).await.status, 204);
    let end = async {
        loop {
            let message = client.read().await.expect("an event before the end");
            if message.data["topic"] == "session.revoked" {
                return message;
            }
        }
    };
    let began = Instant::now();
    let end = tokio::time::timeout(Duration::from_secs(5), end).await.expect("within 5 seconds");
    assert_eq!((&end.data["object_id"], end.id), (&current["id"], None));
    assert!(rest(&mut client).await.0.is_empty() && began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn feed_of_a_removed_member_closes_without_the_end_of_the_session() {
    let app = TestApp::start().await;
    let user = person(&app, "ana@example.test", Some(Role::Viewer)).await;
    let ana = Browser::signed_in(&app, "ana@example.test").await;
    let mut client = Client::of(event_source(&app.app.url(), &feed(&app), &ana)).await;
    assert_eq!(app.call(Method::DELETE, &format!("/api/v1/members/{user}"), None).await.status, 204);
    let (topics, took) = rest(&mut client).await;
    // The stream may end before its node has read the event.
    assert!(topics.iter().all(|topic| topic == "member.updated"), "{topics:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(ana.get("/app/api/me").await.status, 200);
}

#[tokio::test]
async fn event_source_of_another_site_or_person_is_refused() {
    let app = TestApp::start().await;
    person(&app, "ana@example.test", Some(Role::Viewer)).await;
    person(&app, "eve@example.test", None).await;
    let ana = Browser::signed_in(&app, "ana@example.test").await;
    let get = async |headers: &[(&str, &str)]| {
        let mut all = vec![("cookie", ana.cookies()), ("accept", "text/event-stream".to_owned())];
        all.extend(headers.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let answer = send(&app, "GET", &feed(&app), &all, None).await;
        (answer.status, answer.body["code"].as_str().map(str::to_owned))
    };
    let refused = (403, Some("cross_site".to_owned()));
    for foreign in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "http://evil.example")],
        &[("origin", "null")],
    ] {
        assert_eq!(get(foreign).await, refused, "{foreign:?}");
    }
    assert_eq!(Browser::new(&app).get(&feed(&app)).await.status, 401);
    let eve = Browser::signed_in(&app, "eve@example.test").await;
    assert_eq!(eve.get(&feed(&app)).await.status, 404, "no member");
    let by_key = send(&app, "GET", &feed(&app), &[("x-api-key", app.key.clone())], None).await;
    assert_eq!(by_key.status, 401, "keys have /api/v1/events");
}

#[tokio::test]
async fn key_and_session_revoked_on_one_node_end_on_the_other() {
    if !TestDatabase::has_postgres() {
        return;
    }
    let app = TestApp::start().await;
    person(&app, "ana@example.test", Some(Role::Owner)).await;
    let ana = Browser::signed_in(&app, "ana@example.test").await;
    let other = app.another_node(|_| {}).await;
    let made = app.post("/api/v1/api_keys", json!({"api_key": {"name": "screen", "role": "viewer"}})).await;
    let (key, id) = (made.data()["key"].as_str().unwrap().to_owned(), made.id());
    let mut by_key = Client::at(&other.app.url(), &key).await;
    let mut by_session = Client::of(event_source(&other.app.url(), &feed(&app), &ana)).await;
    assert_eq!(app.call(Method::DELETE, &format!("/api/v1/api_keys/{id}"), None).await.status, 204);
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let request = http.get(format!("{}/api/v1/events", other.app.url())).header("x-api-key", &key);
    assert_eq!(request.send().await.unwrap().status(), 401, "at once");
    let (topics, took) = rest(&mut by_key).await;
    assert!(topics.iter().all(|topic| topic == "api_key.revoked"), "{topics:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(ana.call("DELETE", "/app/api/session", None).await.status, 204);
    let (topics, took) = rest(&mut by_session).await;
    assert_eq!(topics.last().map(String::as_str), Some("session.revoked"));
    assert!(took < Duration::from_secs(5), "{took:?}");
}
