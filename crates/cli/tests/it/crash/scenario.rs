//! Scenario of a case: a phone sends its code and a question, and the server is killed in between.
//! Then the phone asks a second question. Sends leave in order, so its answer proves that every
//! earlier send is settled.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;

use super::{
    cases::{Case, Kill, Scene, Tool},
    model::{self, BOOK, BYE, MORE, answer_to, contains_text},
    server::{Restart, Server},
    world::{Access, World},
};

/// Time limit of each wait. WhatsApp retries a webhook after 1 s and 5 s.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// Time limit for the timer of a WarmEndNode, which counts whole minutes.
const TIMER: Duration = Duration::from_secs(90);

/// Result of a case.
pub struct CaseResult {
    pub restarts: Vec<Restart>,
    pub reached: Vec<String>,
}

pub fn run(case: &Case) -> CaseResult {
    let world = World::new();
    let mut server = Server::start(&world, case);
    let access = world.set_up(case);
    let question = if case.scene == Scene::Farewell { BYE } else { BOOK };

    world.contact_sends(&access.code);
    wait(&mut server, "the welcome", PATIENCE, || world.received_texts().len() == 1);
    // The welcome's statuses are still open; a kill at one of them must not hit the question's
    // turn.
    if matches!(&case.kill, Kill::At(points) if points[0].starts_with("status.")) {
        wait_for_kills(&mut server);
    }
    if let Kill::DuringTheSend { taken } = case.kill {
        world.hold_next_send(taken);
    }
    world.contact_sends(question);
    if matches!(case.kill, Kill::DuringTheSend { .. }) {
        wait(&mut server, "the send", PATIENCE, || {
            world.send_requests().iter().any(|text| text == answer_to(question))
        });
        server.kill();
    }
    wait(&mut server, "the answer", PATIENCE, || world.received_texts().len() == 2);
    if case.scene == Scene::Farewell {
        wait_for_the_end(&mut server, &access, &world);
    }
    wait_for_kills(&mut server);
    world.contact_sends(MORE);
    wait(&mut server, "the second answer", PATIENCE, || world.received_texts().len() == 3);
    wait(&mut server, "all webhooks", PATIENCE, || world.webhooks().1 == 0);
    check(case, &world, question);
    CaseResult { restarts: std::mem::take(&mut server.restarts), reached: std::mem::take(&mut server.reached) }
}

/// Polls a condition and restarts the server if it was killed.
pub fn wait(server: &mut Server<'_>, what: &str, patience: Duration, come: impl Fn() -> bool) {
    let end = Instant::now() + patience;
    loop {
        server.restart_if_killed();
        if come() {
            return;
        }
        assert!(Instant::now() < end, "{what} did not happen within {patience:?}:\n{}", server.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub fn wait_for_kills(server: &mut Server<'_>) {
    let end = Instant::now() + PATIENCE;
    while !server.had_all_kills() {
        server.restart_if_killed();
        assert!(Instant::now() < end, "the failpoint was not reached:\n{}", server.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until the timer fires in the server's third run and the execution ends.
fn wait_for_the_end(server: &mut Server<'_>, access: &Access, world: &World) {
    let end = Instant::now() + TIMER;
    while !server.had_all_kills() {
        server.restart_if_killed();
        assert!(Instant::now() < end, "the timer did not fire:\n{}", server.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    wait(server, "the end", PATIENCE, || {
        let list = world.api(&access.key, Method::GET, &format!("/agents/{}/executions", access.agent), None);
        let execution = &list["data"][0];
        execution["status"] == "ended" && execution["end_reason"] == "warm_end_timeout"
    });
}

/// Checks the requests that WhatsApp, the tool's service and the model received.
pub fn check(case: &Case, world: &World, question: &str) {
    let received = world.received_texts();
    assert!(received[0].starts_with("Tudo conectado"), "{received:?}");
    assert_eq!(received[1..], [answer_to(question), answer_to(MORE)]);
    let requests = world.send_requests();
    for (text, times) in [(&received[0], 1), (&received[1], case.sends), (&received[2], 1)] {
        assert_eq!(
            requests.iter().filter(|sent| *sent == text).count(),
            times,
            "requests to send '{text}': {requests:?}"
        );
    }

    let questions = world.questions();
    // Two for the first question and one for the second; each crash may add one.
    let kills = if let Kill::At(points) = &case.kill { points.len() } else { 1 };
    assert!((3..=3 + kills).contains(&questions.len()), "{} questions to the model", questions.len());
    let history = questions.last().and_then(|question| question["messages"].as_array()).unwrap();
    let count = |text: &str| history.iter().filter(|message| contains_text(message, "user", text)).count();
    assert_eq!(count(MORE), 1, "{history:#?}");
    if case.scene == Scene::Farewell {
        assert!(world.tool.requests().is_empty());
        return;
    }
    assert_eq!(count(BOOK), 1, "consumed once: {history:#?}");
    assert_eq!(
        history.iter().filter(|message| contains_text(message, "assistant", model::answer_to(BOOK))).count(),
        1,
        "{history:#?}"
    );
    check_tool(case.tool, world, history);
}

fn check_tool(tool: Tool, world: &World, history: &[Value]) {
    let name = |call: &Value| call["tool_calls"][0]["function"]["name"] == "orders_request";
    let calls: Vec<_> =
        history.iter().filter(|message| name(message)).map(|call| &call["tool_calls"][0]["id"]).collect();
    let results: Vec<_> = history
        .iter()
        .filter(|message| message["role"] == "tool" && calls.contains(&&message["tool_call_id"]))
        .collect();
    let called = world.tool.requests().len();
    assert_eq!(results.len(), 1, "{history:#?}");
    let unknown = contains_text(results[0], "tool", "outcome_unknown");
    match tool {
        Tool::Answered => assert!(called == 1 && !unknown, "called {called} times: {results:?}"),
        Tool::Repeated => assert!(called == 2 && !unknown, "called {called} times: {results:?}"),
        Tool::Unknown(times) => assert!(called == times && unknown, "called {called} times: {results:?}"),
    }
}
