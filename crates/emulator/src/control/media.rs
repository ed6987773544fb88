//! Files that contacts send.

use std::sync::Arc;

use axum::{Json, extract::State as Shared};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{error::ControlError, input::Input};
use crate::{
    driver::Driver,
    media::{File, INBOUND_LIFETIME},
    state::State,
};

/// Message types with a file.
pub(super) const KINDS: [&str; 5] = ["image", "video", "audio", "document", "sticker"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewFile {
    base64: String,
    mime_type: String,
    filename: Option<String>,
    /// Default: the first number.
    phone_number_id: Option<String>,
    /// Default: the next free id.
    id: Option<String>,
    /// Size reported by the media endpoint instead of the true one.
    announced_size: Option<u64>,
}

/// Stores a file that an inbound message can reference. The id is valid for seven days, as at Meta.
pub(crate) async fn add(
    Shared(driver): Shared<Arc<Driver>>,
    Input(new): Input<NewFile>,
) -> Result<Json<Value>, ControlError> {
    let bytes = STANDARD.decode(&new.base64).map_err(|_| ControlError::bad_request("base64 is not valid base64"))?;
    driver.with(|state| {
        let number = match new.phone_number_id {
            Some(id) => state.world.number(&id),
            None => state.world.numbers.first(),
        };
        let number = number.ok_or_else(|| ControlError::not_found("phone number not found"))?.id.clone();
        let expires_at = state.clock.now() + INBOUND_LIFETIME;
        let file = File {
            number,
            mime_type: new.mime_type,
            filename: new.filename,
            bytes: bytes.into(),
            announced_size: new.announced_size,
            expires_at,
        };
        let id = state.media.add(&mut state.ids, new.id, file);
        Ok(Json(json!({ "media_id": id })))
    })
}

/// Adds the file's properties to the message, except those that the caller gave.
pub(super) fn describe(state: &State, kind: &str, node: &mut Value) {
    let Some(file) = node["id"].as_str().and_then(|id| state.media.get(id, state.clock.now())) else { return };
    let mut fill = |name: &str, value: Value| {
        if node.get(name).is_none() {
            node[name] = value;
        }
    };
    fill("mime_type", json!(file.mime_type));
    fill("sha256", json!(file.sha256_base64()));
    match (kind, &file.filename) {
        ("document", Some(filename)) => fill("filename", json!(filename)),
        ("audio", _) => fill("voice", json!(file.mime_type.contains("opus"))),
        ("sticker", _) => fill("animated", json!(false)),
        _ => {}
    }
}
