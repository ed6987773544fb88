//! Meta's answers to requests to send.

use super::{
    traffic::{Arrival, Attempt, TRACKING_KEY, WINDOW},
    world::{Inner, World},
};
use domain::{Span, Timestamp};
use futures::future::{BoxFuture, FutureExt as _};
use gateways::whatsapp::{Exchange, Posted, token};
use serde_json::{Value, json};

/// Meta's response to a request.
enum Response {
    Accepts,
    /// Accepts, but no answer arrives: the connection breaks after this time.
    AcceptsWithoutAnswer(Span),
    /// Answers 500; true if the message was accepted.
    ServerError(bool),
    /// Answers with this status and error code; the message is not accepted.
    Refuses(u16, i64),
    NotReached,
}

impl Response {
    fn of(inner: &mut Inner) -> Self {
        let profile = inner.profile;
        if inner.fault(profile.answers_lost) {
            inner.counts.answers_lost += 1;
            return match inner.chance.below(4) {
                0 => Self::AcceptsWithoutAnswer(Span::from_secs(15)),
                1 => Self::AcceptsWithoutAnswer(inner.chance.millis(50, 3_000)),
                2 => Self::ServerError(true),
                _ => Self::ServerError(false),
            };
        }
        if inner.fault(profile.refusals) {
            return match inner.chance.below(10) {
                0..3 => Self::Refuses(429, 130_429),
                3..6 => Self::Refuses(400, 131_056),
                6..8 => Self::NotReached,
                8 => Self::Refuses(400, 131_026),
                _ => Self::Refuses(401, 190),
            };
        }
        Self::Accepts
    }
}

/// Answers a node's request to send.
pub(super) fn send(world: World, node: usize, posted: &Posted) -> BoxFuture<'static, Exchange> {
    let text = |pointer: &str| posted.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (opaque, to, body) = (text("/biz_opaque_callback_data"), text("/to"), text("/text/body"));
    async move {
        let (response, arrives, answers, wamid) = open(&world, node, opaque, &to, body);
        world.timeline.until(arrives).await;
        world.timeline.until(answers).await;
        answer(&response, wamid)
    }
    .boxed()
}

fn open(
    world: &World,
    node: usize,
    opaque: String,
    to: &str,
    text: String,
) -> (Response, Timestamp, Timestamp, String) {
    let now = world.now();
    let inner = &mut *world.lock();
    let response = Response::of(inner);
    let arrives = now + inner.chance.millis(10, 200);
    let answers = arrives
        + match &response {
            Response::AcceptsWithoutAnswer(after) => *after,
            _ => inner.chance.millis(10, 400),
        };
    let Some(tracking) = token::read(&TRACKING_KEY, &opaque) else {
        inner.violation(now, format!("a send without our token: {opaque}"));
        return (Response::NotReached, arrives, answers, String::new());
    };
    let (outbox, number) = (tracking.outbox, tracking.attempt);
    let person = inner.people.iter().position(|person| person.phone == to).unwrap_or_default();
    let earlier = inner.sends.entry(outbox).or_default();
    let again = earlier.iter().any(|earlier| earlier.number == number);
    // A status that was stored before this request proves that an earlier attempt arrived.
    let known = earlier.iter().any(|earlier| earlier.status_at.is_some());
    // A repetition within the reconcile window is too early.
    let is_early = earlier.iter().any(|earlier| earlier.accepted.is_some_and(|at| now - at < WINDOW));
    earlier.push(Attempt { number, opened: now, accepted: None, status_at: None, statuses: Vec::new() });
    let wamid = format!("wamid.out.{}.{number}", &outbox.to_string()[..13]);
    inner.history.note(now, format!("send opened {outbox} attempt {number} by node {node}: {text}"));
    for (wrong, what) in
        [(again, "opened twice"), (known, "repeated although a status had arrived"), (is_early, "repeated too soon")]
    {
        if wrong {
            inner.violation(now, format!("I4: send {outbox} attempt {number} was {what}"));
        }
    }
    if matches!(response, Response::Accepts | Response::AcceptsWithoutAnswer(_) | Response::ServerError(true)) {
        let arrival =
            Arrival { at: arrives, node, outbox, attempt: number, opaque, person, text, wamid: wamid.clone() };
        inner.in_flight.push(arrival);
    }
    (response, arrives, answers, wamid)
}

fn answer(response: &Response, wamid: String) -> Exchange {
    let answered = |http, body: Value| Exchange::Answered { http, body: body.to_string().into_bytes() };
    match response {
        Response::Accepts => answered(200, json!({"messaging_product": "whatsapp", "messages": [{"id": wamid}]})),
        Response::AcceptsWithoutAnswer(_) => Exchange::Broken { handed_over: true },
        Response::ServerError(_) => {
            answered(500, json!({"error": {"code": 131_000, "message": "something went wrong"}}))
        }
        Response::Refuses(http, code) => answered(*http, json!({"error": {"code": code, "message": "refused"}})),
        Response::NotReached => Exchange::Broken { handed_over: false },
    }
}
