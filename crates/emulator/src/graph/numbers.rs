//! `/{phone_number}`, its profile and registration; `/{waba}/phone_numbers`.

use axum::http::Method;
use serde_json::{Value, json};

use super::{call::Call, errors::GraphError};
use crate::state::State;

/// Fields that are returned only on request.
const ON_REQUEST: [&str; 2] = ["health_status", "webhook_configuration"];

pub(super) fn list(state: &State, call: &Call) -> Value {
    let ids = state.world.numbers.iter().map(|number| number.id.as_str());
    let data: Vec<Value> = ids.map(|id| described(state, id, call)).collect();
    json!({"data": data, "paging": {"cursors": {"before": "a", "after": "b"}}})
}

pub(super) fn node(state: &mut State, id: &str, call: &Call) -> Result<Value, GraphError> {
    match call.method {
        Method::GET => Ok(described(state, id, call)),
        // `callbacks::set` has already handled a callback, which must answer a handshake first.
        Method::POST => {
            if let (Some(pin), Some(number)) = (call.text("pin"), state.accounts.numbers.get_mut(id)) {
                number.set_pin(pin);
            }
            Ok(json!({"success": true}))
        }
        _ => Err(GraphError::with(100, "Unsupported method.")),
    }
}

fn described(state: &State, id: &str, call: &Call) -> Value {
    let Some(number) = state.accounts.numbers.get(id) else { return Value::Null };
    let mut node = Value::Object(number.fields.clone());
    let url = |target: &crate::webhooks::Target| target.url.to_string();
    let mut configuration = json!({"application": state.target.as_ref().map(url)});
    let overrides = [("whatsapp_business_account", &state.accounts.callback), ("phone_number", &number.callback)];
    for (name, callback) in overrides {
        if let Some(callback) = callback {
            configuration[name] = json!(url(&callback.target));
        }
    }
    node["webhook_configuration"] = configuration;
    node["id"] = json!(id);
    if call.fields().is_none()
        && let Value::Object(node) = &mut node
    {
        node.retain(|name, _| !ON_REQUEST.contains(&name.as_str()));
    }
    call.select_fields(node)
}

pub(super) fn profile(state: &mut State, id: &str, call: &Call) -> Value {
    let Some(number) = state.accounts.numbers.get_mut(id) else { return Value::Null };
    if call.method == Method::POST {
        for (name, value) in call.body.as_ref().and_then(Value::as_object).into_iter().flatten() {
            if name != "messaging_product" {
                number.profile.insert(name.clone(), value.clone());
            }
        }
        return json!({"success": true});
    }
    let mut profile = number.profile.clone();
    profile.insert("messaging_product".to_owned(), json!("whatsapp"));
    json!({ "data": [profile] })
}

pub(super) fn registration(state: &mut State, id: &str, edge: &str, call: &Call) -> Result<Value, GraphError> {
    let number = state.accounts.numbers.get_mut(id).ok_or_else(GraphError::no_object)?;
    match edge {
        "register" => {
            let pin = call.text("pin").ok_or_else(|| GraphError::with(131_008, "The parameter pin is required."))?;
            if !number.register(pin) {
                return Err(GraphError::new(133_005));
            }
        }
        "deregister" => number.set("status", json!("DISCONNECTED")),
        "verify_code" => number.set("code_verification_status", json!("VERIFIED")),
        _ => {}
    }
    Ok(json!({"success": true}))
}
