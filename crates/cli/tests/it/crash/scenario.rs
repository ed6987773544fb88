//! What happens in each case: a phone sends its code and a question, the server dies on the way, and after all that a second
//! question is asked. An answer to it proves that nothing of the first one is left over: sends leave in order, so each
//! earlier one is settled.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;

use super::{
    cases::{Case, Kill, Tool, Wish},
    server::{Life, Server},
    model::{self, BOOK, BYE, MORE, answer_to, says},
    world::{Access, World},
};

/// Everything is over by then: WhatsApp tries a webhook again after 1 s and 5 s.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// A WarmEndNode waits for whole minutes.
const TIMER: Duration = Duration::from_secs(90);

/// What a case showed.
pub struct Played {
    pub lives: Vec<Life>,
    pub reached: Vec<String>,
}

pub fn play(case: &Case) -> Played {
    let world = World::new();
    let mut server = Server::start(&world, case);
    let access = world.set_up(case);
    let question = if case.wish == Wish::Farewell { BYE } else { BOOK };

    world.says(&access.code);
    wait(&mut server, "the welcome", PATIENCE, || world.heard().len() == 1);
    // The welcome's statuses are on their way; a death by them is not to hit the turn of the question.
    if matches!(&case.kill, Kill::At(points) if points[0].starts_with("status.")) {
        wait_for_deaths(&mut server);
    }
    if let Kill::DuringTheSend { taken } = case.kill {
        world.hold_next_send(taken);
    }
    world.says(question);
    if matches!(case.kill, Kill::DuringTheSend { .. }) {
        wait(&mut server, "the send", PATIENCE, || {
            world.send_requests().iter().any(|text| text == answer_to(question))
        });
        server.kill();
    }
    wait(&mut server, "the answer", PATIENCE, || world.heard().len() == 2);
    if case.wish == Wish::Farewell {
        wait_for_the_end(&mut server, &access, &world);
    }
    wait_for_deaths(&mut server);
    world.says(MORE);
    wait(&mut server, "the second answer", PATIENCE, || world.heard().len() == 3);
    wait(&mut server, "all webhooks", PATIENCE, || world.webhooks().1 == 0);
    check(case, &world, question);
    Played { lives: std::mem::take(&mut server.lives), reached: std::mem::take(&mut server.reached) }
}

/// Looks again and again, and at the server each time.
pub fn wait(server: &mut Server<'_>, what: &str, patience: Duration, come: impl Fn() -> bool) {
    let end = Instant::now() + patience;
    loop {
        server.look_after();
        if come() {
            return;
        }
        assert!(Instant::now() < end, "{what} did not come within {patience:?}:\n{}", server.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub fn wait_for_deaths(server: &mut Server<'_>) {
    let end = Instant::now() + PATIENCE;
    while !server.is_past_its_deaths() {
        server.look_after();
        assert!(Instant::now() < end, "the failpoint was not reached:\n{}", server.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The timer fires in the server's third life, and the execution ends.
fn wait_for_the_end(server: &mut Server<'_>, access: &Access, world: &World) {
    let end = Instant::now() + TIMER;
    while !server.is_past_its_deaths() {
        server.look_after();
        assert!(Instant::now() < end, "the timer did not fire:\n{}", server.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    wait(server, "the end", PATIENCE, || {
        let list = world.api(&access.key, Method::GET, &format!("/agents/{}/executions", access.agent), None);
        let execution = &list["data"][0];
        execution["status"] == "ended" && execution["end_reason"] == "warm_end_timeout"
    });
}

/// What WhatsApp, the tool's service and the model saw.
pub fn check(case: &Case, world: &World, question: &str) {
    let heard = world.heard();
    assert!(heard[0].starts_with("Tudo conectado"), "{heard:?}");
    assert_eq!(heard[1..], [answer_to(question), answer_to(MORE)]);
    let requests = world.send_requests();
    for (text, times) in [(&heard[0], 1), (&heard[1], case.sends), (&heard[2], 1)] {
        assert_eq!(
            requests.iter().filter(|sent| *sent == text).count(),
            times,
            "requests to send '{text}': {requests:?}"
        );
    }

    let questions = world.questions();
    // Two for the first question and one for the second; a crash may cost one more for each death.
    let deaths = if let Kill::At(points) = &case.kill { points.len() } else { 1 };
    assert!((3..=3 + deaths).contains(&questions.len()), "{} questions to the model", questions.len());
    let history = questions.last().and_then(|question| question["messages"].as_array()).unwrap();
    let said = |text: &str| history.iter().filter(|message| says(message, "user", text)).count();
    assert_eq!(said(MORE), 1, "{history:#?}");
    if case.wish == Wish::Farewell {
        assert!(world.tool.requests().is_empty());
        return;
    }
    assert_eq!(said(BOOK), 1, "consumed once: {history:#?}");
    assert_eq!(
        history.iter().filter(|message| says(message, "assistant", model::answer_to(BOOK))).count(),
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
    let unknown = says(results[0], "tool", "outcome_unknown");
    match tool {
        Tool::Told => assert!(called == 1 && !unknown, "called {called} times: {results:?}"),
        Tool::Repeated => assert!(called == 2 && !unknown, "called {called} times: {results:?}"),
        Tool::Unknown(times) => assert!(called == times && unknown, "called {called} times: {results:?}"),
    }
}
