//! Routing of Graph calls by object and edge, and authorization.

use axum::http::Method;
use serde_json::json;

use super::{
    apps,
    call::Call,
    errors::GraphError,
    media, messages, numbers, oauth,
    outcome::{Outcome, unimplemented},
    removed, templates,
};
use crate::{faults::Surface, state::State};

const MESSAGING: &str = "whatsapp_business_messaging";
const MANAGEMENT: &str = "whatsapp_business_management";

/// Edges that return an empty list or success.
const EMPTY: [&str; 7] = [
    "settings",
    "block_users",
    "message_qrdls",
    "whatsapp_commerce_settings",
    "conversational_automation",
    "username",
    "flows",
];

/// Surface of a call, for fault rules.
pub(super) fn surface(state: &State, call: &Call) -> Option<Surface> {
    match call.segments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [_, "messages"] if call.text("status").is_none() => Some(Surface::Send),
        [_, "media"] => Some(Surface::MediaUpload),
        [_, "message_templates", ..] => Some(Surface::Templates),
        [id] if state.templates.get(id).is_some() => Some(Surface::Templates),
        [id] if state.media.get(id, state.clock.now()).is_some() => Some(Surface::MediaGet),
        _ => None,
    }
}

pub(super) fn process(state: &mut State, call: &Call, id: u64, hold: Option<u64>, fails: Option<u32>) -> Outcome {
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    if segments == ["oauth", "access_token"] {
        // The app's secret authorizes it.
        return oauth::exchange(state, call).into();
    }
    if let Err(error) = removed::refuse(call) {
        return Err(error).into();
    }
    let scope = if matches!(segments.as_slice(), [_, "messages" | "media"]) { MESSAGING } else { MANAGEMENT };
    if let Err(error) = authorize(state, call, scope) {
        return Err(error).into();
    }
    let state_of = |known: bool| if known { Ok(()) } else { Err(GraphError::no_object()) };
    let waba = |id: &str| state_of(state.world.waba_id == id);
    let number = |id: &str| state_of(state.world.number(id).is_some());
    let app = |id: &str| state_of(state.world.app_id == id);
    let wrong_method = || GraphError::with(100, "Unsupported method.");
    let result = match (&call.method, segments.as_slice()) {
        (method, [id, "messages"]) => match number(id) {
            Ok(()) if *method == Method::POST => return messages::handle(state, call, hold, fails),
            Ok(()) => Err(wrong_method()),
            Err(error) => Err(error),
        },
        (&Method::POST, [id, "media"]) => number(id).and_then(|()| media::upload(state, id, call)),
        (&Method::GET, [id, "message_templates"]) => waba(id).and_then(|()| templates::list(state, call)),
        (&Method::POST, [id, "message_templates"]) => waba(id).and_then(|()| templates::create(state, call)),
        (&Method::DELETE, [id, "message_templates"]) => waba(id).and_then(|()| templates::delete(state, call)),
        (&Method::GET, [id, "message_templates", one]) => waba(id).and_then(|()| templates::read(state, call, one)),
        (&Method::POST, [id, "unpause"]) => templates::unpause(state, id),
        (&Method::GET, [id, "phone_numbers"]) => waba(id).map(|()| numbers::list(state, call)),
        (_, [id, "subscribed_apps"]) => waba(id).and_then(|()| apps::subscribed(state, call)),
        (_, [id, "subscriptions"]) => app(id).map(|()| apps::subscriptions(state, call)),
        (_, [id, "whatsapp_business_profile"]) => number(id).map(|()| numbers::profile(state, id, call)),
        (&Method::POST, [id, "register" | "deregister" | "request_code" | "verify_code"]) => {
            number(id).and_then(|()| numbers::registration(state, id, segments[1], call))
        }
        (&Method::GET, ["debug_token"]) => apps::debug_token(state, call),
        (_, [id, edge]) if EMPTY.contains(edge) && (waba(id).is_ok() || number(id).is_ok()) => {
            Ok(if call.method == Method::GET { json!({"data": []}) } else { json!({"success": true}) })
        }
        (_, [id]) if number(id).is_ok() => numbers::node(state, id, call),
        (&Method::GET, [id]) if waba(id).is_ok() => Ok(apps::account(state, call)),
        (&Method::GET, [id]) if app(id).is_ok() => Ok(json!({"id": id, "name": "Emulator App"})),
        (_, [id]) if state.templates.get(id).is_some() => templates::node(state, id, call),
        (_, [id]) if state.media.get(id, state.clock.now()).is_some() => media::node(state, id, call),
        _ => return unimplemented(state, call, id),
    };
    result.into()
}

fn authorize(state: &State, call: &Call, scope: &str) -> Result<(), GraphError> {
    let token = call.token.as_deref().and_then(|token| state.accounts.tokens.get(token));
    let token = token.ok_or_else(GraphError::bad_token)?;
    if token.expires_at.is_some_and(|at| at <= state.clock.now()) {
        return Err(GraphError::expired_token());
    }
    if !token.scopes.iter().any(|known| known == scope) {
        return Err(GraphError::no_permission(scope));
    }
    Ok(())
}
