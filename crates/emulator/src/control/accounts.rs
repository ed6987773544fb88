//! Meta's side by hand: decisions about templates, what a number is like, which tokens exist.

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
    driver::Runtime,
    state::State,
    templates::{Approval, Template},
    webhooks::{Event, envelope},
};

/// All templates as they are.
pub(crate) async fn templates(Shared(runtime): Shared<Arc<Runtime>>) -> Json<Value> {
    let all: Vec<Value> = runtime.with(|state| state.templates.all().map(Template::to_json).collect());
    Json(json!({ "templates": all }))
}

/// Who decides about new templates from now on: `{"auto_ms": 500}`, `"manual"` or `{"reject_if": "text"}`.
pub(crate) async fn approval(Shared(runtime): Shared<Arc<Runtime>>, Input(approval): Input<Approval>) -> Json<Value> {
    runtime.with(|state| state.templates.approval = approval.clone());
    Json(json!({ "approval": approval }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decision {
    status: String,
    reason: Option<String>,
    rejection_info: Option<Value>,
}

/// Give a template a status; its webhook tells of it.
pub(crate) async fn decide(
    Shared(runtime): Shared<Arc<Runtime>>,
    Path(id): Path<String>,
    Input(decision): Input<Decision>,
) -> Result<Json<Value>, ControlError> {
    let delivery = runtime.with(|state| {
        state.decide_template(&id, &decision.status, decision.reason.as_deref(), decision.rejection_info.clone())
    });
    let delivery = delivery.ok_or_else(|| ControlError::not_found("no such template"))?;
    runtime.settle().await;
    Ok(Json(json!({"deliveries": [delivery]})))
}

/// Change what Meta says of a number. A change of quality or tier is told by webhook.
pub(crate) async fn change_number(
    Shared(runtime): Shared<Arc<Runtime>>,
    Path(id): Path<String>,
    Input(changes): Input<NumberChanges>,
) -> Result<Json<Value>, ControlError> {
    let deliveries = runtime.with(|state| {
        let Some(number) = state.accounts.numbers.get_mut(&id) else {
            return Err(ControlError::not_found("no such phone number"));
        };
        number.change(&changes);
        let told = changes.quality_rating.is_some() || changes.tier.is_some();
        let value = json!({
            "display_phone_number": state.world.number(&id).map(|number| number.display.as_str()),
            "event": match changes.quality_rating.as_deref() {
                Some("RED" | "YELLOW") => "FLAGGED",
                Some(_) => "UNFLAGGED",
                None => "UPGRADE",
            },
            "current_limit": number.fields["whatsapp_business_manager_messaging_limit"],
        });
        Ok(told.then(|| state.tell("phone_number_quality_update", "number", value)))
    })?;
    runtime.settle().await;
    Ok(Json(json!({"deliveries": Vec::from_iter(deliveries)})))
}

/// Tell of the account: the value of an `account_update`, as it is.
pub(crate) async fn account_update(Shared(runtime): Shared<Arc<Runtime>>, Input(value): Input<Value>) -> Json<Value> {
    let delivery = runtime.with(|state| state.tell("account_update", "account", value));
    runtime.settle().await;
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

/// Make a token; without scopes it may do everything.
pub(crate) async fn add_token(Shared(runtime): Shared<Arc<Runtime>>, Input(new): Input<NewToken>) -> Json<Value> {
    let token = runtime.with(|state| {
        let token = new.token.unwrap_or_else(|| format!("EAA{}", state.ids.digits("token")));
        let scopes = new.scopes.unwrap_or_else(|| SCOPES.map(str::to_owned).to_vec());
        let expires_at = new.expires_in.map(|seconds| state.clock.now() + seconds.saturating_mul(1_000));
        state.accounts.tokens.insert(token.clone(), Token { scopes, expires_at });
        token
    });
    Json(json!({ "token": token }))
}

/// End a token now.
pub(crate) async fn expire_token(
    Shared(runtime): Shared<Arc<Runtime>>,
    Path(token): Path<String>,
) -> Result<Json<Value>, ControlError> {
    runtime.with(|state| {
        let now = state.clock.now();
        let token = state.accounts.tokens.get_mut(&token);
        let token = token.ok_or_else(|| ControlError::not_found("no such token"))?;
        token.expires_at = Some(now);
        Ok(Json(json!({"success": true})))
    })
}

impl State {
    /// Give a template a status and tell of it; the answer is the delivery, `None` when there is no such template.
    pub(crate) fn decide_template(
        &mut self,
        id: &str,
        status: &str,
        reason: Option<&str>,
        rejection: Option<Value>,
    ) -> Option<u64> {
        let template = self.templates.get_mut(id)?;
        status.clone_into(&mut template.status);
        let default = if status == "REJECTED" { "INVALID_FORMAT" } else { "NONE" };
        reason.unwrap_or(default).clone_into(&mut template.rejected_reason);
        let mut value = json!({
            "event": status,
            // A number, as Meta sends it here and nowhere else.
            "message_template_id": template.id.parse::<u64>().ok(),
            "message_template_name": template.name,
            "message_template_language": template.language,
            "reason": template.rejected_reason,
            "message_template_category": template.category,
        });
        if let Some(rejection) = rejection {
            value["rejection_info"] = rejection;
        }
        Some(self.tell("message_template_status_update", "template", value))
    }

    /// Queue a webhook of the account.
    fn tell(&mut self, field: &str, event: &str, value: Value) -> u64 {
        let time = Some(self.clock.now() / 1000);
        let body = envelope(&self.world, field, value, time);
        self.emit(Event { name: event.to_owned(), ..Event::default() }, &body)
    }
}
