//! Assignments: an assigned conversation silences its agent at once, and the release gives the
//! agent every message written meanwhile.

use domain::Span;
use reqwest::Method;
use serde_json::{Value, json};
use server::operator::logins::Rights;
use testkit::{ANA, Answer, TestApp};

struct Desk {
    app: TestApp,
    agent: String,
    maria: String,
}

impl Desk {
    /// An agent for Ana's number, and Maria, a member of the project.
    async fn open(agent: Value) -> Self {
        let app = TestApp::start().await;
        let agent = app.agent(agent).await;
        app.activate(ANA, &agent).await;
        let maria = app.member("maria@example.test").await;
        Self { app, agent, maria }
    }

    async fn path(&self) -> String {
        format!("/api/v1/whatsapp_conversations/{}", self.app.conversation().await)
    }

    async fn assign(&self, user: &str) -> Answer {
        let body = json!({"conversation_assignment": {"user_id": user, "notes": "Speaks Portuguese"}});
        self.app.post(&format!("{}/conversation_assignments", self.path().await), body).await
    }

    async fn change(&self, assignment: &str, change: Value) -> Answer {
        let path = format!("{}/conversation_assignments/{assignment}", self.path().await);
        self.app.patch(&path, json!({"conversation_assignment": change})).await
    }

    async fn release(&self, assignment: &str) {
        assert_eq!(self.change(assignment, json!({"active": false})).await.data()["active"], false);
    }

    async fn writes(&self, text: &str) {
        let path = format!("{}/whatsapp_messages", self.path().await);
        assert_eq!(self.app.post(&path, json!({"message": {"content": text}})).await.status, 201);
    }

    async fn status(&self) -> String {
        self.app.execution(&self.agent).await["status"].as_str().unwrap().to_owned()
    }

    /// Ana writes and one worker runs the turn without sending its answer.
    async fn answer_is_queued(&self, text: &str) {
        self.app.contact_sends(ANA, text).await;
        let before = self.app.model().requests().len();
        while self.app.model().requests().len() == before {
            runtime::workers::step(self.app.app.context()).await.unwrap();
        }
    }

    /// Model requests after all due work is done.
    async fn questions(&self) -> usize {
        self.app.run_until_idle().await;
        self.app.model().requests().len()
    }
}

async fn plain() -> Desk {
    Desk::open(json!({"name": "Plain"})).await
}

#[tokio::test]
async fn assignment_interrupts_a_model_call_and_the_released_agent_gets_all_messages() {
    let desk = plain().await;
    let app = &desk.app;
    app.model().says_when_released("too late");
    app.contact_sends(ANA, "hi").await;
    let assigned = async {
        app.model().received(1).await;
        desk.assign(&desk.maria).await
    };
    // The model never answers; the turn ends anyway.
    let ((), assigned) = tokio::join!(app.run_until_idle(), assigned);
    assert_eq!((assigned.status, &assigned.data()["active"]), (201, &json!(true)));
    assert_eq!(assigned.data()["created_by_user_id"], Value::Null);
    desk.writes("Maria here.").await;
    app.contact_sends(ANA, "thanks, and the bill?").await;
    app.forward(Span::from_mins(30)).await;
    assert_eq!((app.model().requests().len(), desk.status().await.as_str()), (1, "handoff"));
    assert_eq!(app.received_texts(ANA).await, ["Maria here."]);

    app.model().says("The bill is 10.");
    desk.release(&assigned.id()).await;
    app.run_until_idle().await;
    let (from_user, from_agent) = (app.model().last_texts("user"), app.model().last_texts("assistant"));
    assert!(
        from_user.contains(&"hi".to_owned()) && from_user.contains(&"thanks, and the bill?".to_owned()),
        "{from_user:?}"
    );
    assert_eq!(from_agent, ["Maria here."]);
    assert_eq!(app.received_texts(ANA).await, ["Maria here.", "The bill is 10."]);

    app.model().says("Bye!");
    app.contact_sends(ANA, "ok").await;
    app.run_until_idle().await;
    assert_eq!(app.received_texts(ANA).await.last().unwrap(), "Bye!", "one answer, no loop");
}

#[tokio::test]
async fn assignment_drops_queued_agent_answers() {
    let desk = plain().await;
    desk.app.model().says("never sent");
    desk.answer_is_queued("hi").await;
    desk.assign(&desk.maria).await.data();
    desk.app.forward(Span::from_mins(10)).await;
    assert!(desk.app.received_texts(ANA).await.is_empty());
    let messages = desk.app.messages().await;
    let last = messages.last().unwrap();
    assert_eq!((&last["status"], &last["metadata"]["error"]["code"]), (&json!("failed"), &json!("taken_over")));
    assert_eq!(desk.status().await, "handoff");
}

#[tokio::test]
async fn unconfirmed_send_is_not_repeated_after_assignment() {
    let desk = plain().await;
    let drop = json!({"when": {"surface": "send"}, "trigger": {"next": 1}, "do": "drop"});
    desk.app.emulator_call(Method::POST, "/faults", Some(drop)).await;
    desk.app.model().says("lost");
    desk.app.contact_sends(ANA, "hi").await;
    desk.app.run_until_idle().await;
    let assignment = desk.assign(&desk.maria).await.id();
    desk.app.forward(Span::from_mins(1)).await;
    desk.app.forward(Span::from_mins(10)).await;
    assert!(desk.app.received_texts(ANA).await.is_empty());
    assert_eq!(desk.status().await, "handoff");
    desk.app.model().says("back");
    desk.release(&assignment).await;
    desk.app.run_until_idle().await;
    assert_eq!(desk.app.received_texts(ANA).await, ["back"]);
}

#[tokio::test]
async fn no_execution_starts_while_assigned_and_the_next_one_gets_all_messages_in_order() {
    let desk = plain().await;
    let app = &desk.app;
    let assignment = desk.assign(&desk.maria).await.id();
    app.contact_sends(ANA, "first").await;
    app.run_until_idle().await;
    desk.writes("Maria: second").await;
    app.run_until_idle().await;
    app.contact_sends(ANA, "third").await;
    app.forward(Span::from_hours(3)).await;
    assert_eq!(desk.questions().await, 0);
    assert!(app.get(&format!("/api/v1/agents/{}/executions", desk.agent)).await.data().as_array().unwrap().is_empty());
    app.contact_sends(ANA, "fourth").await;
    app.run_until_idle().await;

    app.model().says("fifth");
    desk.release(&assignment).await;
    assert_eq!(desk.questions().await, 1);
    let request = app.model().requests().pop().unwrap();
    let texts = request["messages"].as_array().unwrap().iter().filter_map(|m| m["content"].as_str());
    let texts: Vec<_> = texts.flat_map(|text| text.split("\n\n")).collect();
    let place =
        |text: &str| texts.iter().position(|other| *other == text).unwrap_or_else(|| panic!("{text}: {texts:#?}"));
    assert!(place("first") < place("Maria: second") && place("Maria: second") < place("third\nfourth"));
    assert_eq!(app.received_texts(ANA).await.last().unwrap(), "fifth");
}

#[tokio::test]
async fn execution_created_during_assignment_starts_on_release() {
    let desk = plain().await;
    let app = &desk.app;
    let body = json!({"phone_number": ANA, "message": "remind her"});
    assert_eq!(app.post(&format!("/api/v1/agents/{}/executions", desk.agent), body).await.status, 202);
    let assignment = desk.assign(&desk.maria).await.id();
    app.contact_sends(ANA, "hi").await;
    assert_eq!((desk.questions().await, desk.status().await.as_str()), (0, "started"));
    app.model().says("A reminder, and hi.");
    desk.release(&assignment).await;
    assert_eq!((desk.questions().await, desk.status().await.as_str()), (1, "paused"));
    assert!(app.model().last_texts("user").iter().any(|text| text.contains("remind her") && text.contains("hi")));

    // An execution stopped meanwhile never starts.
    app.forward(Span::from_hours(25)).await;
    app.activate(ANA, &desk.agent).await;
    let body = json!({"phone_number": ANA});
    let path = format!("/api/v1/agents/{}/executions", desk.agent);
    let run = app.post(&path, body).await.id();
    desk.change(&assignment, json!({"active": true})).await.data();
    let stop = json!({"agent_execution": {"status": "stopped"}});
    assert_eq!(app.call(Method::PUT, &format!("{path}/{run}"), Some(stop)).await.status, 200);
    assert_eq!((desk.questions().await, desk.status().await.as_str()), (1, "stopped"));
}

#[tokio::test]
async fn released_agent_sees_the_colleagues_replies() {
    let desk = plain().await;
    let app = &desk.app;
    let assignment = desk.assign(&desk.maria).await.id();
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    desk.writes("Maria: done").await;
    app.model().says("Anything else?");
    desk.release(&assignment).await;
    assert_eq!(desk.questions().await, 1);
    assert_eq!(app.model().last_texts("assistant"), ["Maria: done"]);
    assert!(app.model().last_texts("user").iter().any(|text| text.contains("handed the conversation back")));
}

#[tokio::test]
async fn agent_sees_the_colleagues_opening_message() {
    let desk = plain().await;
    let app = &desk.app;
    let assignment = desk.assign(&desk.maria).await.id();
    desk.writes("Maria: your order is late").await;
    desk.release(&assignment).await;
    assert_eq!(desk.questions().await, 0, "no message for the agent");
    app.model().says("I am sorry.");
    app.contact_sends(ANA, "how late?").await;
    assert_eq!(desk.questions().await, 1);
    assert_eq!(app.model().last_texts("assistant"), ["Maria: your order is late"]);
}

#[tokio::test]
async fn release_ends_a_handoff_requested_by_the_agent() {
    let graph = json!({
        "nodes": [{"name": "__start__"}, {"name": "talk", "prompt": "Help."},
            {"name": "person", "type": "HandoffNode", "handoff": {}}, {"name": "__end__"}],
        "edges": [{"from": "__start__", "to": "talk"}, {"from": "talk", "to": "person", "label": "a person is wanted"},
            {"from": "talk", "to": "__end__", "label": "done"}]});
    let desk = Desk::open(json!({"name": "Desk", "graph": graph})).await;
    desk.app.model().calls(&[("MoveToNextNode", json!({"next_node": "person", "reason": "angry"}))]);
    desk.app.contact_sends(ANA, "a human!").await;
    desk.app.run_until_idle().await;
    let assignment = desk.assign(&desk.maria).await.id();
    assert_eq!(desk.questions().await, 1);
    desk.app.model().says("I am back.");
    desk.release(&assignment).await;
    assert_eq!(desk.questions().await, 2);
    assert_eq!((desk.app.received_texts(ANA).await, desk.status().await), (vec!["I am back.".into()], "paused".into()));
}

#[tokio::test]
async fn resume_before_assignment_waits_for_release() {
    let desk = plain().await;
    desk.app.model().says("hello");
    desk.app.contact_sends(ANA, "hi").await;
    desk.app.run_until_idle().await;
    let path = format!(
        "/api/v1/agents/{}/executions/{}",
        desk.agent,
        desk.app.execution(&desk.agent).await["id"].as_str().unwrap()
    );
    let handoff = json!({"agent_execution": {"status": "handoff"}});
    desk.app.call(Method::PUT, &path, Some(handoff)).await.data();
    desk.app.run_until_idle().await;
    desk.app.post(&format!("{path}/resume"), json!({"message": "go on"})).await.data();
    let assignment = desk.assign(&desk.maria).await.id();
    assert_eq!((desk.questions().await, desk.status().await.as_str()), (1, "handoff"));
    desk.app.model().says("I go on.");
    desk.release(&assignment).await;
    assert_eq!((desk.questions().await, desk.status().await.as_str()), (2, "paused"));
    assert!(desk.app.model().last_texts("user").contains(&"go on".to_owned()));
}

#[tokio::test]
async fn assign_and_release_before_the_agent_notices_both_apply() {
    let desk = plain().await;
    let app = &desk.app;
    app.model().says("hello");
    app.contact_sends(ANA, "hi").await;
    app.run_until_idle().await;
    let assignment = desk.assign(&desk.maria).await.id();
    desk.release(&assignment).await;
    app.model().says("still here");
    assert_eq!((desk.questions().await, desk.status().await.as_str()), (2, "paused"));
    desk.change(&assignment, json!({"active": true})).await.data();
    desk.release(&assignment).await;
    desk.change(&assignment, json!({"active": true})).await.data();
    assert_eq!((desk.questions().await, desk.status().await.as_str()), (2, "handoff"));
    app.contact_sends(ANA, "hello?").await;
    assert_eq!(desk.questions().await, 2);
    app.model().says("here");
    desk.release(&assignment).await;
    assert_eq!((desk.questions().await, desk.status().await.as_str()), (3, "paused"));
}

#[tokio::test]
async fn assign_and_release_during_a_model_call_repeats_the_call() {
    let desk = plain().await;
    let app = &desk.app;
    app.model().says_when_released("unheard");
    app.contact_sends(ANA, "hi").await;
    let both = async {
        app.model().received(1).await;
        let assignment = desk.assign(&desk.maria).await.id();
        desk.release(&assignment).await;
    };
    app.model().says("hello");
    tokio::join!(app.run_until_idle(), both);
    app.run_until_idle().await;
    assert_eq!((app.received_texts(ANA).await, desk.status().await), (vec!["hello".into()], "paused".into()));
}

/// The outbox checks the assignment too, in case the engine missed it.
#[tokio::test]
async fn outbox_refuses_agent_messages_in_an_assigned_conversation() {
    let desk = plain().await;
    desk.app.model().says("hello");
    desk.app.contact_sends(ANA, "hi").await;
    desk.app.run_until_idle().await;
    let (project, id) = (desk.app.project, desk.app.conversation().await.parse().unwrap());
    let assignee = Some(desk.maria.parse().unwrap());
    let store = &desk.app.app.context().store;
    store::transact!(store, "test.assign", tx => store::conversations::assign(tx, project, id, assignee).await)
        .unwrap();
    for _ in 0..3 {
        desk.app.model().says("I did not know");
    }
    desk.app.contact_sends(ANA, "more").await;
    desk.app.run_until_idle().await;
    assert_eq!(desk.app.received_texts(ANA).await, ["hello"]);
    assert_eq!(desk.app.execution(&desk.agent).await["error"]["code"], "send_failed");
}

#[tokio::test]
async fn concurrent_assignments_have_one_winner() {
    let desk = plain().await;
    let leo = desk.app.member("leo@example.test").await;
    let all =
        futures::future::join_all((0..20).map(|n| desk.assign(if n % 2 == 0 { &leo } else { &desk.maria }))).await;
    let won: Vec<_> = all.iter().filter(|answer| answer.status == 201).collect();
    let lost = all.iter().filter(|answer| answer.body["code"] == "already_assigned" && answer.status == 422);
    assert_eq!((won.len(), lost.count()), (1, 19));
    let list = desk.app.get(&format!("{}/conversation_assignments", desk.path().await)).await;
    assert_eq!(list.data(), &json!([won[0].data()]));
}

#[tokio::test]
async fn assignment_names_its_creator_if_the_key_belongs_to_a_user() {
    let desk = plain().await;
    let (key, leo) = desk.app.key_of("leo@example.test").await;
    let path = format!("{}/conversation_assignments", desk.path().await);
    let body = json!({"conversation_assignment": {"user_id": desk.maria}});
    let made = desk.app.call_as(Some(&key), Method::POST, &path, Some(body)).await;
    assert_eq!((&made.data()["created_by_user_id"], &made.data()["user_id"]), (&json!(leo), &json!(desk.maria)));
    desk.release(&made.id()).await;
    let by_program = desk.assign(&desk.maria).await;
    assert_eq!(by_program.data()["created_by_user_id"], Value::Null);
}

#[tokio::test]
async fn assignment_can_be_reassigned_released_and_recreated() {
    let desk = plain().await;
    let leo = desk.app.member("leo@example.test").await;
    let first = desk.assign(&desk.maria).await.id();
    let passed = desk.change(&first, json!({"user_id": leo, "notes": null})).await;
    assert_eq!((&passed.data()["user_id"], &passed.data()["notes"]), (&json!(leo), &Value::Null));
    assert_eq!(desk.change(&first, json!({"user_id": leo})).await.data(), passed.data());
    desk.release(&first).await;
    desk.release(&first).await;
    desk.app.forward(Span::from_secs(1)).await;
    let second = desk.assign(&desk.maria).await.id();
    let refused = desk.change(&first, json!({"active": true})).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (422, Some("already_assigned")));
    desk.release(&second).await;
    assert_eq!(desk.change(&first, json!({"active": true})).await.data()["active"], true);
    let list = desk.app.get(&format!("{}/conversation_assignments", desk.path().await)).await;
    let ids: Vec<_> = list.data().as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [second.as_str(), first.as_str()], "newest first");
}

#[tokio::test]
async fn any_project_member_can_be_assigned() {
    let desk = plain().await;
    for (email, projects) in [("leo@example.test", vec![desk.app.project.to_string()]), ("root@example.test", vec![])] {
        let asked = desk.app.call_as(None, Method::POST, "/api/cli/auth/request", Some(json!({}))).await;
        let code = asked.body["auth_code"].as_str().unwrap();
        let rights = if projects.is_empty() { Rights::Operator } else { Rights::Projects(&projects) };
        let user = desk.app.app.operator().approve_login(code, email, rights).await.unwrap();
        let assignment = desk.assign(&user.to_string()).await;
        assert_eq!((assignment.status, &assignment.data()["user_id"]), (201, &json!(user)));
        desk.release(&assignment.id()).await;
    }
}

#[tokio::test]
async fn user_of_another_project_is_answered_like_an_absent_user() {
    let desk = plain().await;
    let other = desk.app.app.operator().create_project("Other").await.unwrap();
    let context = desk.app.app.context();
    let stranger: domain::ids::UserId = "0197a1b2-0000-7000-8000-000000000002".parse().unwrap();
    let now = desk.app.clock.now();
    store::transact!(context.store, "test.member", tx => {
        store::users::ensure(tx, stranger, "eve@example.test", false, now).await?;
        store::users::join(tx, other, stranger, now).await
    })
    .unwrap();
    let refusal = |answer: Answer| (answer.status, answer.body["message"].clone());
    let absent = refusal(desk.assign("0197a1b2-0000-7000-8000-000000000001").await);
    assert_eq!(absent, (404, json!("User not found")));
    assert_eq!(refusal(desk.assign(&stranger.to_string()).await), absent);
    let assignment = desk.assign(&desk.maria).await.id();
    assert_eq!(refusal(desk.change(&assignment, json!({"user_id": stranger})).await), absent);
}

#[tokio::test]
async fn assigned_conversation_wakes_its_agent_only_on_release() {
    let desk = plain().await;
    desk.app.model().says("hello");
    desk.app.contact_sends(ANA, "hi").await;
    desk.app.run_until_idle().await;
    desk.assign(&desk.maria).await.data();
    desk.app.run_until_idle().await;
    let execution = desk.app.execution(&desk.agent).await["id"].as_str().unwrap().to_owned();
    let executions = format!("/api/v1/agents/{}/executions", desk.agent);
    let resumed = desk.app.post(&format!("{executions}/{execution}/resume"), json!({})).await;
    let started = desk.app.post(&executions, json!({"phone_number": ANA, "message": "go"})).await;
    for refused in [resumed, started] {
        assert_eq!((refused.status, refused.body["code"].as_str()), (409, Some("conversation_assigned")));
    }
    assert_eq!(desk.questions().await, 1);
}
