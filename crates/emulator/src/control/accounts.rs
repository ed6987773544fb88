//! Account settings: template decisions, phone numbers and tokens.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State as Shared},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{error::ControlError, input::Input};
use crate::{
    accounts::{NumberChanges, SCOPES, Token},
    driver::Driver,
    templates::{Approval, Template},
};

pub(crate) async fn templates(Shared(driver): Shared<Arc<Driver>>) -> Json<Value> {
    let all: Vec<Value> = driver.with(|state| state.templates.all().map(Template::to_json).collect());
    Json(json!({ "templates": all }))
}

/// Sets the review of new templates: `{"auto_ms": 500}`, `"manual"` or `{"reject_if": "text"}`.
pub(crate) async fn approval(Shared(driver): Shared<Arc<Driver>>, Input(approval): Input<Approval>) -> Json<Value> {
    driver.with(|state| state.templates.approval = approval.clone());
    Json(json!({ "approval": approval }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decision {
    status: String,
    reason: Option<String>,
    rejection_info: Option<Value>,
}

/// Sets a template's status and sends its webhook.
pub(crate) async fn decide(
    Shared(driver): Shared<Arc<Driver>>,
    Path(id): Path<String>,
    Input(decision): Input<Decision>,
) -> Result<Json<Value>, ControlError> {
    let delivery = driver.with(|state| {
        state.decide_template(&id, &decision.status, decision.reason.as_deref(), decision.rejection_info.clone())
    });
    let delivery = delivery.ok_or_else(|| ControlError::not_found("template not found"))?;
    driver.settle().await;
    Ok(Json(json!({"deliveries": [delivery]})))
}

/// Changes a number's properties. A change of quality or tier sends a webhook.
pub(crate) async fn change_number(
    Shared(driver): Shared<Arc<Driver>>,
    Path(id): Path<String>,
    Input(changes): Input<NumberChanges>,
) -> Result<Json<Value>, ControlError> {
    let deliveries = driver.with(|state| {
        let Some(number) = state.accounts.numbers.get_mut(&id) else {
            return Err(ControlError::not_found("phone number not found"));
        };
        number.change(&changes);
        let notifies = changes.quality_rating.is_some() || changes.tier.is_some();
        let value = json!({
            "display_phone_number": state.world.number(&id).map(|number| number.display.as_str()),
            "event": match changes.quality_rating.as_deref() {
                Some("RED" | "YELLOW") => "FLAGGED",
                Some(_) => "UNFLAGGED",
                None => "UPGRADE",
            },
            "current_limit": number.fields["whatsapp_business_manager_messaging_limit"],
        });
        Ok(notifies.then(|| state.emit_account_event("phone_number_quality_update", "number", value)))
    })?;
    driver.settle().await;
    Ok(Json(json!({"deliveries": Vec::from_iter(deliveries)})))
}

/// Sends an `account_update` webhook with the given value.
pub(crate) async fn account_update(Shared(driver): Shared<Arc<Driver>>, Input(value): Input<Value>) -> Json<Value> {
    let delivery = driver.with(|state| state.emit_account_event("account_update", "account", value));
    driver.settle().await;
    Json(json!({"deliveries": [delivery]}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    token: Option<String>,
    scopes: Option<Vec<String>>,
    /// Seconds.
    expires_in: Option<u64>,
}

/// Creates a token; without `scopes` it has all of them.
pub(crate) async fn add_token(Shared(driver): Shared<Arc<Driver>>, Input(new): Input<NewToken>) -> Json<Value> {
    let token = driver.with(|state| {
        let token = new.token.unwrap_or_else(|| format!("EAA{}", state.ids.digits("token")));
        let scopes = new.scopes.unwrap_or_else(|| SCOPES.map(str::to_owned).to_vec());
        let expires_at = new.expires_in.map(|seconds| state.clock.now() + seconds.saturating_mul(1_000));
        state.accounts.tokens.insert(token.clone(), Token { scopes, expires_at });
        token
    });
    Json(json!({ "token": token }))
}

pub(crate) async fn expire_token(
    Shared(driver): Shared<Arc<Driver>>,
    Path(token): Path<String>,
) -> Result<Json<Value>, ControlError> {
    driver.with(|state| {
        let now = state.clock.now();
        let token = state.accounts.tokens.get_mut(&token);
        let token = token.ok_or_else(|| ControlError::not_found("token not found"))?;
        token.expires_at = Some(now);
        Ok(Json(json!({"success": true})))
    })
}
