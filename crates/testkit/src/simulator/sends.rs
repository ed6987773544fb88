//! Meta's answers to requests to send.

use super::{
    traffic::{Arrival, Attempt, TRACKING_KEY, WINDOW},
    world::{Inner, World},
};
use domain::{Span, Timestamp};
use futures::future::{BoxFuture, FutureExt as _};
use gateways::whatsapp::{Exchange, Posted, token};
use serde_json::{Value, json};

/// What Meta does with a request.
enum Fate {
    Accepts,
    /// It accepts, and the connection breaks or stays silent.
    AcceptsUnheard(Span),
    /// It says 500, and has accepted or not.
    Server(bool),
    /// It says so, and has not accepted.
    Refuses(u16, i64),
    NeverReached,
}

impl Fate {
    fn of(inner: &mut Inner) -> Self {
        let profile = inner.profile;
        if inner.fault(profile.answers_lost) {
            inner.counts.answers_lost += 1;
            return match inner.chance.below(4) {
                0 => Self::AcceptsUnheard(Span::from_secs(15)),
                1 => Self::AcceptsUnheard(inner.chance.millis(50, 3_000)),
                2 => Self::Server(true),
                _ => Self::Server(false),
            };
        }
        if inner.fault(profile.refusals) {
            return match inner.chance.below(10) {
                0..3 => Self::Refuses(429, 130_429),
                3..6 => Self::Refuses(400, 131_056),
                6..8 => Self::NeverReached,
                8 => Self::Refuses(400, 131_026),
                _ => Self::Refuses(401, 190),
            };
        }
        Self::Accepts
    }
}

/// Answers a request to send that this node opened.
pub(super) fn send(world: World, node: usize, posted: &Posted) -> BoxFuture<'static, Exchange> {
    let text = |pointer: &str| posted.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (opaque, to, body) = (text("/biz_opaque_callback_data"), text("/to"), text("/text/body"));
    async move {
        let (fate, arrives, answers, wamid) = open(&world, node, opaque, &to, body);
        world.timeline.until(arrives).await;
        world.timeline.until(answers).await;
        answer(&fate, wamid)
    }
    .boxed()
}

fn open(world: &World, node: usize, opaque: String, to: &str, text: String) -> (Fate, Timestamp, Timestamp, String) {
    let now = world.now();
    let inner = &mut *world.lock();
    let fate = Fate::of(inner);
    let arrives = now + inner.chance.millis(10, 200);
    let answers = arrives
        + match &fate {
            Fate::AcceptsUnheard(after) => *after,
            _ => inner.chance.millis(10, 400),
        };
    let Some(tracking) = token::read(&TRACKING_KEY, &opaque) else {
        inner.violation(now, format!("a send without our token: {opaque}"));
        return (Fate::NeverReached, arrives, answers, String::new());
    };
    let (outbox, number) = (tracking.outbox, tracking.attempt);
    let person = inner.people.iter().position(|person| person.phone == to).unwrap_or_default();
    let earlier = inner.sends.entry(outbox).or_default();
    let again = earlier.iter().any(|earlier| earlier.number == number);
    // A status that we stored before this request was opened has told that an earlier attempt
    // arrived.
    let known = earlier.iter().any(|earlier| earlier.told.is_some());
    // Within the window nobody can have waited for a status.
    let hasty = earlier.iter().any(|earlier| earlier.accepted.is_some_and(|at| now - at < WINDOW));
    earlier.push(Attempt { number, opened: now, accepted: None, told: None, words: Vec::new() });
    let wamid = format!("wamid.out.{}.{number}", &outbox.to_string()[..13]);
    inner.history.note(now, format!("send opened {outbox} attempt {number} by node {node}: {text}"));
    for (wrong, what) in
        [(again, "opened twice"), (known, "repeated although a status told"), (hasty, "repeated too soon")]
    {
        if wrong {
            inner.violation(now, format!("I4: send {outbox} attempt {number} was {what}"));
        }
    }
    if matches!(fate, Fate::Accepts | Fate::AcceptsUnheard(_) | Fate::Server(true)) {
        let arrival =
            Arrival { at: arrives, node, outbox, attempt: number, opaque, person, text, wamid: wamid.clone() };
        inner.in_flight.push(arrival);
    }
    (fate, arrives, answers, wamid)
}

fn answer(fate: &Fate, wamid: String) -> Exchange {
    let said = |http, body: Value| Exchange::Answered { http, body: body.to_string().into_bytes() };
    match fate {
        Fate::Accepts => said(200, json!({"messaging_product": "whatsapp", "messages": [{"id": wamid}]})),
        Fate::AcceptsUnheard(_) => Exchange::Broken { handed_over: true },
        Fate::Server(_) => said(500, json!({"error": {"code": 131_000, "message": "something went wrong"}})),
        Fate::Refuses(http, code) => said(*http, json!({"error": {"code": code, "message": "refused"}})),
        Fate::NeverReached => Exchange::Broken { handed_over: false },
    }
}
