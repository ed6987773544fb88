//! `POST /{phone_number_id}/messages`: from a request to an accepted message.
//!
//! The answer says only that the message was accepted. Delivery, and failures caused by the
//! recipient (never wrote, blocks the business, has no account), appear in statuses.

use serde_json::{Value, json};

use super::{
    call::Call,
    content::{self, Content},
    errors::GraphError,
    outcome::Outcome,
    receipts, text,
};
use crate::{
    accounts::NumberState,
    clock::Millis,
    faults::{Action, Subject, Surface},
    limits::{Refusal, WindowMode},
    messages::{Direction, Message},
    state::State,
    timers::Job,
    users::{self, User},
};

/// Processes a send, a read receipt or a typing indicator. With `hold`, an accepted message waits
/// that long for its statuses.
pub(crate) fn handle(state: &mut State, call: &Call, hold: Option<Millis>, fails: Option<u32>) -> Outcome {
    let Some(body) = call.body.as_ref().filter(|body| body.is_object()) else {
        return Err(GraphError::with(100, "The body must be a JSON object.")).into();
    };
    if body["messaging_product"] != "whatsapp" {
        let details = "Param messaging_product must be whatsapp.";
        return Err(GraphError::with(100, details)).into();
    }
    let number = &call.segments[0];
    if body.get("status").is_some() {
        return receipts::mark_read(state, number, body).into();
    }
    match prepare(state, number, body) {
        Ok(draft) => accept(state, draft, hold, fails),
        Err(error) => {
            let http = state.limits.switches.throttle_http;
            Err(error.throttled_with(http)).into()
        }
    }
}

/// A message that passed every check.
struct Draft {
    number: String,
    /// Recipient as the caller wrote it.
    input: String,
    user: User,
    by_phone: bool,
    content: Content,
    reply_to: Option<String>,
    opaque: Option<String>,
    later_failure: Option<u32>,
}

fn prepare(state: &mut State, number: &str, body: &Value) -> Result<Draft, GraphError> {
    if !state.accounts.numbers.get(number).is_none_or(NumberState::is_connected) {
        return Err(GraphError::new(133_010));
    }
    if !matches!(body["recipient_type"].as_str(), None | Some("individual")) {
        return Err(GraphError::with(100, "Param recipient_type: only individual is emulated."));
    }
    let (input, name, by_phone) = recipient(body)?;
    let own = state.world.number(number).is_some_and(|own| own.display == name);
    if own {
        return Err(GraphError::new(131_021));
    }
    let content = content::check(state, number, body, by_phone)?;
    let opaque = text::opaque(body)?;
    let reply_to = body["context"]["message_id"].as_str().map(str::to_owned);

    let user = state.users.recipient(&name);
    let later_failure = state.later_failure(number, &user, content.is_template());
    let later_failure = later_failure.or_else(|| content.later_failure(&user));
    if later_failure == Some(131_047) && state.limits.switches.window == WindowMode::Sync {
        return Err(GraphError::new(131_047));
    }
    let now = state.clock.now();
    state.limits.admit(number, &user.key, now).map_err(|refusal| match refusal {
        Refusal::Throughput => GraphError::new(130_429),
        Refusal::PairRate => GraphError::new(131_056),
    })?;
    Ok(Draft { number: number.to_owned(), input, user, by_phone, content, reply_to, opaque, later_failure })
}

/// Recipient: as written, normalised, and true for a phone number. `to` wins over `recipient`.
fn recipient(body: &Value) -> Result<(String, String, bool), GraphError> {
    for (field, by_phone) in [("to", true), ("recipient", false)] {
        let input = match body.get(field) {
            None | Some(Value::Null) => continue,
            Some(Value::String(input)) => input,
            Some(_) => return Err(GraphError::with(100, format!("Param {field} must be a string."))),
        };
        let name = if by_phone { users::digits(input) } else { scoped_id(input) };
        let Some(name) = name else {
            return Err(GraphError::with(131_009, format!("Param {field} is not a valid recipient.")));
        };
        return Ok((input.clone(), name, by_phone));
    }
    Err(GraphError::with(131_008, "The parameter to is required."))
}

/// Checks a business-scoped id: `BR.1009…` or `US.ENT.1181…`.
fn scoped_id(input: &str) -> Option<String> {
    let (country, rest) = input.split_once('.')?;
    let rest = rest.strip_prefix("ENT.").unwrap_or(rest);
    let country = country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
    let id = (1..=128).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric());
    (country && id).then(|| input.to_owned())
}

fn accept(state: &mut State, draft: Draft, hold: Option<Millis>, fails_with: Option<u32>) -> Outcome {
    let at = state.clock.now();
    let id = state.ids.wamid(Direction::Out, draft.user.wa_id.as_deref());
    if state.chats.typing_until(&draft.number, &draft.user.key) > at {
        state.feed.typing(&draft.number, &draft.user.key, false);
    }
    let mut message = Message {
        id: id.clone(),
        number: draft.number,
        user: draft.user.key.clone(),
        direction: Direction::Out,
        kind: draft.content.kind.clone(),
        content: draft.content.shown(),
        category: draft.content.category.clone(),
        at,
        reply_to: draft.reply_to,
        reactions: Vec::new(),
        statuses: Vec::new(),
        opaque: draft.opaque,
        fails_with: fails_with.or(draft.later_failure),
        reversed: false,
        edited: false,
        held: Vec::new(),
        waits_for_phone: false,
    };
    let order = status_order(state, &message);
    message.reversed = matches!(order, Some(Action::ReverseStatuses));
    state.feed.message(&message.number, &message.user, &message.to_json());
    match draft.content.reaction() {
        Some((target, emoji)) => {
            if let Some(target) = state.chats.message_mut(target) {
                target.react("business", emoji);
            }
            state.chats.add_unlisted(message);
        }
        None => state.chats.add(message),
    }
    let pause = match order {
        Some(Action::StatusBeforeResponse { ms }) => Some(ms),
        _ => None,
    };
    let delivery = match hold {
        Some(ms) => {
            state.timers.push(at + ms, Job::ReleaseHeld { message: id.clone() });
            None
        }
        None => state.schedule_statuses(&id, pause.is_some()),
    };
    let contact = match (draft.by_phone, &draft.user.wa_id) {
        (true, Some(wa_id)) => json!({"input": draft.input, "wa_id": wa_id}),
        _ => json!({"input": draft.input, "user_id": draft.user.user_id}),
    };
    let mut entry = json!({ "id": id });
    if let Some(status) = draft.content.message_status(hold.is_some()) {
        entry["message_status"] = status;
    }
    Outcome {
        result: Ok(json!({
            "messaging_product": "whatsapp", "contacts": [contact], "messages": [entry],
        })),
        wait: delivery.zip(pause),
    }
}

/// Takes a webhook fault that changes the order of this message's statuses.
fn status_order(state: &mut State, message: &Message) -> Option<Action> {
    let subject = Subject {
        surface: Some(Surface::Webhook),
        number: Some(message.number.clone()),
        people: state.names_of(&message.user),
        kind: Some(message.kind.clone()),
        event: Some("status:sent".to_owned()),
        ..Subject::default()
    };
    let now = state.clock.now();
    let action = state.faults.take(&subject, now, &mut state.ids, Action::changes_status_order);
    action.map(|(_, action)| action)
}
