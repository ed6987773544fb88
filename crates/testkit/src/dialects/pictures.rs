//! Checks of pictures in requests.

use super::kinds::{Rule, list, picture_type, word};
use serde_json::{Value, json};

/// A picture of one pixel (PNG).
pub(super) const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=";

/// Parts of a message that are not text.
fn pictures(message: &Value) -> impl Iterator<Item = &Value> {
    list(&message["content"]).iter().filter(|part| part["type"] != "text")
}

/// The place of the first message with a picture.
fn first(request: &Value) -> Option<usize> {
    list(&request["messages"]).iter().position(|message| pictures(message).next().is_some())
}

fn with_picture(request: &mut Value) {
    let url = format!("data:image/png;base64,{PIXEL}");
    with_url(request, &url);
}

fn with_url(request: &mut Value, url: &str) {
    let message = list(&request["messages"]).iter().position(|message| message["role"] == "user").unwrap_or(0);
    request["messages"][message]["content"] =
        json!([{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": "hi"}]);
}

/// Data URLs of the four types, in messages of a user.
fn form(request: &Value) -> Option<String> {
    for (place, message) in list(&request["messages"]).iter().enumerate() {
        for part in pictures(message) {
            let role = word(&message["role"]);
            if role != "user" {
                return Some(format!(
                    "Invalid 'messages[{place}]'. Image URLs are only allowed for messages with role 'user', but this message with role '{role}' contains an image URL."
                ));
            }
            if part["type"] != "image_url" {
                return Some(format!(
                    "Invalid value: '{}'. Supported values are: 'text' and 'image_url'.",
                    part["type"]
                ));
            }
            let data = word(&part["image_url"]["url"]).strip_prefix("data:").and_then(|url| url.split_once(";base64,"));
            let taken = ["image/png", "image/jpeg", "image/gif", "image/webp"];
            let fits = data.is_some_and(|(kind, data)| taken.contains(&kind) && picture_type(data) == Ok(kind));
            if !fits {
                return Some("You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp'].".into());
            }
        }
    }
    None
}

pub(super) const FORM: Rule = rule!(
    "picture_form",
    400,
    form,
    |request| with_url(request, "data:image/bmp;base64,Qk0="),
    "https://github.com/STranslate/STranslate/issues/277"
);
pub(super) const NONE_OF_DEEPSEEK: Rule = rule!(
    "pictures",
    400,
    |request| {
        first(request).map(|place| {
            format!("Failed to deserialize the JSON body into the target type: messages[{place}]: unknown variant `image_url`, expected `text` at line 1 column 62797")
        })
    },
    with_picture,
    "https://github.com/rikkahub/rikkahub/issues/1433"
);
pub(super) const NONE_OF_GROQ: Rule = rule!(
    "pictures",
    400,
    |request| first(request).map(|place| format!("messages[{place}].content must be a string")),
    with_picture,
    "https://github.com/vercel/ai/issues/2837"
);
pub(super) const NONE_OF_VLLM: Rule = rule!(
    "pictures",
    400,
    |request| first(request).map(|_| format!("{} is not a multimodal model", word(&request["model"]))),
    with_picture,
    "https://github.com/vllm-project/vllm/issues/11629"
);
pub(super) const NONE_OF_LLAMA_CPP: Rule = rule!(
    "pictures",
    500,
    |request| first(request).map(|_| "image input is not supported by this server".into()),
    with_picture,
    "https://github.com/ggml-org/llama.cpp/issues/13566"
);

fn form_of_anthropic(request: &Value) -> Option<String> {
    for (place, message) in list(&request["messages"]).iter().enumerate() {
        for (block, part) in list(&message["content"]).iter().enumerate().filter(|(_, part)| part["type"] == "image") {
            let at = format!("messages.{place}.content.{block}.image.source.base64");
            let kind = word(&part["source"]["media_type"]);
            let taken = ["image/jpeg", "image/png", "image/gif", "image/webp"];
            if message["role"] != "user" || part["source"]["type"] != "base64" || !taken.contains(&kind) {
                return Some(format!(
                    "{at}.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'"
                ));
            }
            let data = word(&part["source"]["data"]);
            match picture_type(data) {
                Err(_) => return Some(format!("{at}: invalid base64 data")),
                Ok(found) if found != kind => return Some("Could not process image".into()),
                Ok(_) if data.len() > 5 << 20 => {
                    return Some(format!("{at}: image exceeds 5 MB maximum: {} bytes > 5242880 bytes", data.len()));
                }
                Ok(_) => {}
            }
        }
    }
    None
}

pub(super) const FORM_OF_ANTHROPIC: Rule = rule!(
    "picture_form",
    400,
    form_of_anthropic,
    |request| {
        let source = json!({"type": "base64", "media_type": "image/bmp", "data": PIXEL});
        request["messages"][0]["content"] = json!([{"type": "image", "source": source}]);
    },
    "https://github.com/anomalyco/opencode/pull/5704"
);

/// No GIF.
fn form_of_gemini(request: &Value) -> Option<String> {
    let taken = ["image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"];
    list(&request["contents"]).iter().find_map(|content| {
        let mut parts = list(&content["parts"]).iter().filter_map(|part| part.get("inlineData"));
        parts.find_map(|data| {
            let kind = word(&data["mimeType"]);
            if !taken.contains(&kind) || content["role"] != "user" {
                return Some(format!("Unsupported MIME type: {kind}"));
            }
            (picture_type(word(&data["data"])) != Ok(kind)).then(|| "Unable to process input image. Please retry or report in https://developers.generativeai.google/guide/troubleshooting".into())
        })
    })
}

pub(super) const FORM_OF_GEMINI: Rule = rule!(
    "picture_form",
    400,
    form_of_gemini,
    |request| {
        request["contents"][0]["parts"] = json!([{"inlineData": {"mimeType": "image/gif", "data": "R0lGODlh"}}]);
    },
    "https://github.com/microsoft/vscode/issues/286628"
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::{DIALECTS, Shape};

    #[test]
    fn column_says_which_servers_take_a_picture() {
        for dialect in DIALECTS {
            let mut request = dialect.accepted();
            match dialect.shape {
                Shape::Chat => with_picture(&mut request),
                Shape::Anthropic => {
                    let source = json!({"type": "base64", "media_type": "image/png", "data": PIXEL});
                    request["messages"][0]["content"] = json!([{"type": "image", "source": source}]);
                }
                Shape::Gemini => {
                    request["contents"][0]["parts"] = json!([{"inlineData": {"mimeType": "image/png", "data": PIXEL}}]);
                }
            }
            let taken = dialect.refusal(&request).is_none();
            assert_eq!(taken, dialect.abilities.images.starts_with("yes"), "{}", dialect.name);
        }
    }
}
