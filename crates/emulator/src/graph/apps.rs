//! The account, the app's subscription to its webhooks, and `debug_token`.

use axum::http::Method;
use serde_json::{Value, json};

use super::{call::Call, errors::GraphError};
use crate::state::State;

pub(super) fn account(state: &State, call: &Call) -> Value {
    let node = json!({
        "id": state.world.waba_id,
        "name": "Loja Exemplo",
        "currency": "USD",
        "timezone_id": "1",
        "message_template_namespace": "emulator",
        "account_review_status": "APPROVED",
        "health_status": {"can_send_message": "AVAILABLE", "entities": []},
    });
    call.select_fields(node)
}

pub(super) fn subscribed(state: &mut State, call: &Call) -> Result<Value, GraphError> {
    match call.method {
        Method::GET => {
            let app = json!({"whatsapp_business_api_data": {"id": state.world.app_id, "name": "Emulator App",
                "link": "https://www.facebook.com/games/?app_id="}});
            let there = state.accounts.subscribed == Some(true);
            Ok(json!({"data": if there { vec![app] } else { vec![] }}))
        }
        Method::POST => {
            state.accounts.subscribed = Some(true);
            Ok(json!({"success": true}))
        }
        Method::DELETE => {
            state.accounts.subscribed = Some(false);
            state.accounts.callback = None;
            Ok(json!({"success": true}))
        }
        _ => Err(GraphError::with(100, "Unsupported method.")),
    }
}

pub(super) fn subscriptions(state: &State, call: &Call) -> Value {
    if call.method == Method::GET {
        let url = state.target.as_ref().map(|target| target.url.to_string());
        return json!({"data": [{"object": "whatsapp_business_account", "callback_url": url, "active": true,
            "fields": [{"name": "messages", "version": call.version}]}]});
    }
    json!({"success": true})
}

pub(super) fn debug_token(state: &State, call: &Call) -> Result<Value, GraphError> {
    let asked = call.parameter("input_token");
    let asked = asked.ok_or_else(|| GraphError::with(100, "The parameter input_token is required."))?;
    let Some(token) = state.accounts.tokens.get(asked) else {
        return Ok(json!({"data": {"is_valid": false, "scopes": [],
            "error": {"code": 190, "message": "Invalid OAuth access token."}}}));
    };
    let expired = token.expires_at.is_some_and(|at| at <= state.clock.now());
    let granular = |scope: &String| json!({"scope": scope, "target_ids": [state.world.waba_id]});
    let of_messaging = token.scopes.iter().filter(|scope| scope.ends_with("_messaging"));
    let mut data = json!({
        "app_id": state.world.app_id,
        "type": "SYSTEM_USER",
        "application": "Emulator App",
        "data_access_expires_at": 0,
        "expires_at": token.expires_at.map_or(0, |at| at / 1000),
        "is_valid": !expired,
        "scopes": token.scopes,
        "granular_scopes": of_messaging.map(granular).collect::<Vec<_>>(),
        "user_id": "610000000000001",
    });
    if expired {
        data["error"] = json!({"code": 190, "subcode": 463, "message": "Session has expired."});
    }
    Ok(json!({ "data": data }))
}
