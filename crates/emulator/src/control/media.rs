//! Files on people's phones.

use std::sync::Arc;

use axum::{Json, extract::State as Shared};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{error::ControlError, input::Input};
use crate::{
    media::{File, INBOUND_FOR},
    driver::Runtime,
    state::State,
};

/// Types of message that are a file.
pub(super) const KINDS: [&str; 5] = ["image", "video", "audio", "document", "sticker"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewFile {
    base64: String,
    mime_type: String,
    filename: Option<String>,
    /// The first number when absent.
    phone_number_id: Option<String>,
    /// The next free id when absent.
    id: Option<String>,
    /// What the media endpoint says of its size, if not the truth.
    announced_size: Option<u64>,
}

/// Put a file where a message can name it; the id is good for seven days, as those in webhooks are.
pub(crate) async fn add(
    Shared(runtime): Shared<Arc<Runtime>>,
    Input(new): Input<NewFile>,
) -> Result<Json<Value>, ControlError> {
    let bytes = STANDARD.decode(&new.base64).map_err(|_| ControlError::bad_request("base64 is not base64"))?;
    runtime.with(|state| {
        let number = match new.phone_number_id {
            Some(id) => state.world.number(&id),
            None => state.world.numbers.first(),
        };
        let number = number.ok_or_else(|| ControlError::not_found("no such phone number"))?.id.clone();
        let expires_at = state.clock.now() + INBOUND_FOR;
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

/// What the webhook says of a file that a message names: all that the caller did not say.
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
