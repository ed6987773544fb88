//! The inbox: views, places in the list, and messages with their authors.

use crate::people::support::{Browser, person};
use domain::{Span, role::Role};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{ANA, TestApp};

fn graph() -> Value {
    json!({
        "nodes": [{"name": "__start__", "type": "DefaultNode"}, {"name": "talk", "type": "DefaultNode", "prompt": "Help."},
            {"name": "person", "type": "HandoffNode", "handoff": {}}, {"name": "__end__", "type": "DefaultNode"}],
        "edges": [{"from": "__start__", "to": "talk"}, {"from": "talk", "to": "person", "label": "a person is wanted"},
            {"from": "person", "to": "__end__", "label": "done"}]})
}

async fn desk() -> TestApp {
    let app = TestApp::start().await;
    let agent = app.agent(json!({"name": "Desk", "graph": graph()})).await;
    app.activate(ANA, &agent).await;
    app
}

/// Ids of the conversations in a view.
async fn view(browser: &Browser<'_>, view: &str) -> Vec<String> {
    let answer = browser.get(&format!("/api/v1/inbox?view={view}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.data().as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn conversation_moves_between_views_as_agent_and_person_take_it() {
    let app = desk().await;
    let maria = person(&app, "maria@example.test", Some(Role::Inbox)).await;
    let browser = Browser::signed_in(&app, "maria@example.test").await;
    app.model().says("Hello.");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    let conversation = app.conversation().await;
    let only = [conversation.clone()];
    let path = format!("/api/v1/inbox/{conversation}");
    assert_eq!((view(&browser, "agent").await.as_slice(), view(&browser, "mine").await.len()), (&only[..], 0));
    let entry = browser.get(&path).await.data().clone();
    assert_eq!((entry["mode"].as_str(), entry["agent"]["name"].as_str()), (Some("waiting"), Some("Desk")));
    assert_eq!(entry["last_message"]["by"], "agent");
    assert_eq!(entry["last_message"]["text"], "Hello.");

    app.model().calls(&[("MoveToNextNode", json!({"next_node": "person", "reason": "asked"}))]);
    app.contact_sends(ANA, "a human, please").await;
    app.run_until_idle().await;
    let entry = browser.get(&path).await.data().clone();
    assert_eq!((entry["mode"].as_str(), entry["execution"]["reason"].as_str()), (Some("handoff"), Some("asked")));
    assert_eq!((view(&browser, "needs_person").await.as_slice(), view(&browser, "agent").await.len()), (&only[..], 0));

    let assigned = json!({"conversation_assignment": {"user_id": maria.to_string()}});
    let assignments = format!("/api/v1/whatsapp_conversations/{conversation}/conversation_assignments");
    assert_eq!(browser.call("POST", &assignments, Some(assigned)).await.status, 201);
    let entry = browser.get(&path).await.data().clone();
    assert_eq!(
        (entry["mode"].as_str(), entry["assignment"]["user_id"].as_str()),
        (Some("person"), Some(&*maria.to_string()))
    );
    assert_eq!((view(&browser, "mine").await.as_slice(), view(&browser, "needs_person").await.len()), (&only[..], 0));
    let counts = browser.get("/api/v1/inbox/counts").await;
    assert_eq!(counts.data(), &json!({"mine": 1, "needs_person": 0, "agent": 0, "all": 1}));
    let by_key = app.get("/api/v1/inbox?view=mine").await;
    assert_eq!(by_key.data(), &json!([]), "a key is no person");

    let ended = json!({"whatsapp_conversation": {"status": "ended"}});
    let closing = browser.call("PATCH", &format!("/api/v1/whatsapp_conversations/{conversation}"), Some(ended)).await;
    assert_eq!(closing.status, 200, "{}", closing.body);
    assert_eq!((view(&browser, "mine").await.len(), view(&browser, "all").await.as_slice()), (0, &only[..]));
    assert_eq!(browser.get(&path).await.data()["mode"], "none");
}

#[tokio::test]
async fn messages_name_their_authors_and_pages_are_complete() {
    let app = desk().await;
    app.model().says("Hello.");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    let conversation = app.conversation().await;
    // A person has the conversation: while an agent answers, clients may not write.
    let maria = app.member("maria@example.test").await;
    let assigned = json!({"conversation_assignment": {"user_id": maria}});
    let assignments = format!("/api/v1/whatsapp_conversations/{conversation}/conversation_assignments");
    assert_eq!(app.post(&assignments, assigned).await.status, 201);
    let path = format!("/api/v1/whatsapp_conversations/{conversation}/whatsapp_messages");
    for n in 0..60 {
        assert_eq!(app.post(&path, json!({"message": {"content": format!("text {n}")}})).await.status, 201);
    }
    let newest = app.get(&format!("/api/v1/inbox/{conversation}/messages")).await;
    let shown = newest.data().as_array().unwrap().clone();
    assert_eq!((shown.len(), shown.last().unwrap()["content"].as_str()), (50, Some("text 59")));
    assert_eq!(shown[0]["by"]["kind"], "api");
    let before = newest.body["meta"]["before"].as_str().unwrap();
    let older = app.get(&format!("/api/v1/inbox/{conversation}/messages?before={before}")).await;
    assert_eq!(older.body["meta"]["before"], Value::Null);
    let all: Vec<Value> = older.data().as_array().unwrap().iter().chain(&shown).cloned().collect();
    let listed = app.get(&format!("{path}?per_page=100")).await.body["meta"]["total_count"].as_u64().unwrap();
    assert_eq!(u64::try_from(all.len()).unwrap(), listed);
    assert!(all.is_sorted_by_key(|message| message["seq"].as_i64()));
    let hello = all.iter().find(|message| message["content"] == "Hello.").unwrap();
    assert_eq!(hello["by"]["kind"], "agent");
    assert!(hello["by"]["execution_id"].is_string(), "{hello}");
}

#[tokio::test]
async fn list_finds_names_and_numbers_and_continues_at_its_cursor() {
    let app = desk().await;
    let agent = app.get("/api/v1/agents").await.data()[0]["id"].as_str().unwrap().to_owned();
    for n in 0..53 {
        let phone = format!("+1555777{:04}", 1000 + n);
        app.clock.forward(Span::from_secs(1));
        app.activate(&phone, &agent).await;
    }
    let first = app.get("/api/v1/inbox").await;
    let cursor = first.body["meta"]["before"].as_str().unwrap().to_owned();
    let second = app.get(&format!("/api/v1/inbox?before={cursor}")).await;
    assert_eq!(second.body["meta"]["before"], Value::Null);
    let ids: std::collections::BTreeSet<_> = first
        .data()
        .as_array()
        .unwrap()
        .iter()
        .chain(second.data().as_array().unwrap())
        .map(|entry| entry["id"].as_str().unwrap().to_owned())
        .collect();
    let total = app.get("/api/v1/whatsapp_conversations").await.body["meta"]["total_count"].as_u64().unwrap();
    assert_eq!(u64::try_from(ids.len()).unwrap(), total);
    let found = app.get("/api/v1/inbox?search=7771042").await;
    assert_eq!(found.data().as_array().unwrap().len(), 1);
    assert_eq!(found.data()[0]["contact"]["phone_number"], "+15557771042");
    assert_eq!(app.get("/api/v1/inbox?search=100%25").await.data(), &json!([]));
    assert_eq!(app.get("/api/v1/inbox?before=nonsense").await.status, 422);
}

#[tokio::test]
async fn executions_of_all_agents_are_listed_with_agent_and_contact() {
    let app = desk().await;
    app.model().says("Hello.");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    let listed = app.get("/api/v1/executions").await;
    let [row] = listed.data().as_array().unwrap().as_slice() else { panic!("{}", listed.body) };
    assert_eq!((row["agent_name"].as_str(), row["phone_number"].as_str()), (Some("Desk"), Some(ANA)));
    assert_eq!(row["asked"], "hi");
    assert_eq!(app.get("/api/v1/executions?status=failed").await.data(), &json!([]));
    let agent = row["agent_id"].as_str().unwrap();
    assert_eq!(app.get(&format!("/api/v1/executions?agent={agent}&status=paused")).await.data(), listed.data());
}

#[tokio::test]
async fn execution_is_listed_with_the_message_that_it_began_with_until_that_is_deleted() {
    let app = desk().await;
    let asked = async || {
        let listed = app.get("/api/v1/executions").await;
        listed.data().as_array().unwrap().iter().map(|row| row["asked"].clone()).collect::<Vec<_>>()
    };
    let long = format!("where is order 1042? {}", "ñ".repeat(300));
    app.model().says("Which one?");
    app.contact_sends(ANA, &long).await;
    app.contact_sends(ANA, "please").await;
    app.run_until_idle().await;
    app.model().says("It is on its way.");
    app.contact_sends(ANA, "the blue one").await;
    app.run_until_idle().await;
    let start: String = long.chars().take(200).collect();
    assert_eq!(asked().await, [start.as_str()], "the first message of a burst, cut");

    // The next execution of the conversation has a message of its own.
    let listed = app.get("/api/v1/executions").await;
    let path = format!("/api/v1/agents/{}/executions", listed.data()[0]["agent_id"].as_str().unwrap());
    let end_newest = async || {
        let newest = app.get("/api/v1/executions").await.data()[0]["id"].as_str().unwrap().to_owned();
        let end = json!({"agent_execution": {"status": "ended"}});
        assert_eq!(app.call(Method::PUT, &format!("{path}/{newest}"), Some(end)).await.status, 200);
        app.run_until_idle().await;
        app.clock.forward(Span::from_secs(1));
    };
    end_newest().await;
    app.model().says("Hello again.");
    app.contact_sends(ANA, "one more thing").await;
    app.run_until_idle().await;
    assert_eq!(asked().await, ["one more thing", start.as_str()]);

    // One that the API began has none, although its text takes a place in the conversation.
    end_newest().await;
    app.model().says("Hello.");
    let body = json!({"phone_number": ANA, "message": "from a program"});
    assert_eq!(app.post(&path, body).await.status, 202);
    app.run_until_idle().await;
    assert_eq!(asked().await, [json!(null), json!("one more thing"), json!(start)]);

    let messages = app.get(&format!("/api/v1/inbox/{}/messages", app.conversation().await)).await;
    let of_contact = messages.data().as_array().unwrap().iter();
    for message in of_contact.filter(|message| message["content"] == long.as_str()) {
        let path = format!("/api/v1/whatsapp_messages/{}", message["id"].as_str().unwrap());
        assert_eq!(app.call(Method::DELETE, &path, None).await.status, 204);
    }
    assert_eq!(asked().await, [json!(null), json!("one more thing"), json!(null)]);
}

#[tokio::test]
async fn read_marks_belong_to_each_person_and_can_be_taken_back() {
    let app = desk().await;
    person(&app, "maria@example.test", Some(Role::Viewer)).await;
    person(&app, "leo@example.test", Some(Role::Inbox)).await;
    let maria = Browser::signed_in(&app, "maria@example.test").await;
    let leo = Browser::signed_in(&app, "leo@example.test").await;
    app.model().says("Hello.");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    let conversation = app.conversation().await;
    let path = format!("/api/v1/inbox/{conversation}");
    let unread = async |browser: &Browser<'_>| {
        let one = browser.get(&path).await.data()["unread"].clone();
        assert_eq!(browser.get("/api/v1/inbox").await.data()[0]["unread"], one);
        one
    };
    assert_eq!((unread(&maria).await, unread(&leo).await), (json!(true), json!(true)));
    assert_eq!(app.get(&path).await.data()["unread"], false, "a key reads nothing");
    let messages = leo.get(&format!("{path}/messages")).await.data().clone();
    let last = messages.as_array().unwrap().last().unwrap()["seq"].clone();
    let mark = async |browser: &Browser<'_>, seq: &Value| {
        let answer = browser.call("PUT", &format!("{path}/read"), Some(json!({"seq": seq}))).await;
        assert_eq!(answer.status, 204, "{}", answer.body);
    };
    mark(&maria, &last).await;
    assert_eq!((unread(&maria).await, unread(&leo).await), (json!(false), json!(true)));
    app.model().says("Again.");
    app.contact_sends(ANA, "hello?").await;
    app.run_until_idle().await;
    assert_eq!(unread(&maria).await, true, "a new message of the contact");
    mark(&maria, &json!(2_000_000_000)).await;
    assert_eq!(unread(&maria).await, false);
    mark(&maria, &json!(0)).await;
    assert_eq!(unread(&maria).await, true);
    let wrong = maria.call("PUT", &format!("{path}/read"), Some(json!({"seq": -1}))).await;
    assert_eq!(wrong.status, 422);
}

#[tokio::test]
async fn lists_are_filtered_by_contact_number_and_snapshot() {
    let app = desk().await;
    let agent = app.get("/api/v1/agents").await.data()[0]["id"].as_str().unwrap().to_owned();
    app.activate("+15557771042", &agent).await;
    for from in [ANA, "+15557771042"] {
        app.model().says("Hello.");
        app.contact_sends(from, "hi").await;
        app.run_until_idle().await;
    }
    let all = app.get("/api/v1/inbox").await.data().as_array().unwrap().clone();
    assert_eq!(all.len(), 2);
    assert_eq!(all[0]["number"], json!({"config_id": null, "name": null, "is_sandbox": true}));
    let contact = all[0]["contact"]["id"].as_str().unwrap();
    let of = app.get(&format!("/api/v1/inbox?contact={contact}")).await;
    assert_eq!(of.data(), &json!([all[0]]));
    let (_, config) = app.own_number().await;
    assert_eq!(app.get(&format!("/api/v1/inbox?config={config}")).await.data(), &json!([]));
    assert_eq!(app.get(&format!("/api/v1/inbox?config={contact}")).await.status, 404);
    let executions = app.get("/api/v1/executions").await.data().as_array().unwrap().clone();
    assert_eq!(executions.len(), 2);
    assert_eq!(
        ["turns", "input_tokens", "output_tokens", "llm_calls"].map(|name| executions[0][name].as_i64()),
        [Some(1), Some(10), Some(5), Some(1)]
    );
    let only = app.get(&format!("/api/v1/executions?contact={contact}")).await.data().clone();
    assert_eq!(only.as_array().unwrap().len(), 1);
    assert_eq!(only[0]["contact_id"], contact);
    let snapshot = only[0]["snapshot_id"].as_str().unwrap();
    assert_eq!(app.get(&format!("/api/v1/executions?snapshot={snapshot}")).await.data().as_array().unwrap().len(), 2);
    assert_eq!(app.get(&format!("/api/v1/executions?snapshot={contact}")).await.data(), &json!([]));
}
