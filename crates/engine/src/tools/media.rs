//! `send_media_message`: sends a file by its link.
//!
//! Links that the contact wrote are not sent, whatever the model was persuaded to do
//! (docs/spec/engine.md 3.2). Whether the address may be reached at all is checked when the message
//! leaves.

use super::{
    built_in::{BuiltIn, always, stays},
    schema::{object, text_of, words_of},
};
use crate::{limits, step_builder::StepBuilder, text::links_of, whatsapp_text};
use domain::{
    chat::ToolCall,
    message::{Content, Media, MediaKind},
    tool_names::SEND_MEDIA,
};
use serde_json::{Map, Value, json};

pub(super) static TOOL: BuiltIn = BuiltIn {
    name: SEND_MEDIA,
    description: "Sends a picture, film, sound or document to the person without waiting for a reply.",
    parameters,
    offered: always,
    leads_out: stays,
    run,
};

fn parameters() -> Value {
    let properties = json!({
        "media_url": {"type": "string", "description": "https link from your instructions or from a tool's result"},
        "media_type": {"type": "string", "description": "image, video, audio or document"},
        "caption": {"type": ["string", "null"], "description": "Shown below it; not with audio"},
        "filename": {"type": ["string", "null"], "description": "For documents"},
    });
    object(properties, &["media_url", "media_type"])
}

fn run(step: &mut StepBuilder<'_>, call: &ToolCall, arguments: &Map<String, Value>) {
    let text = |name: &str| Some(text_of(arguments, name)).filter(|text| !text.is_empty());
    let url = text_of(arguments, "media_url");
    let Some(kind) = MediaKind::parse(&text_of(arguments, "media_type")) else {
        let error = "media_type must be image, video, audio or document";
        return step.answer_first_call(call, json!({"error": error, "code": "invalid_arguments"}));
    };
    if !trusted(step, &url) {
        let error = "only https links from your instructions or from tools may be sent";
        return step.answer_first_call(call, json!({"error": error, "code": "media_url_untrusted"}));
    }
    let caption = match words_of(step, arguments, "caption") {
        Ok(caption) => Some(caption).filter(|caption| !caption.is_empty() && kind != MediaKind::Audio),
        Err(error) => return step.answer_first_call(call, json!({"error": error, "code": "invalid_arguments"})),
    };
    let caption = caption.map(|caption| caption_of(step, &caption));
    let media = Media { kind, url, caption, filename: text("filename").filter(|_| kind == MediaKind::Document) };
    step.send_and_continue(call, Content::Media(media));
}

/// The caption as WhatsApp takes it. Since rules 2 what is cut is reported.
fn caption_of(step: &mut StepBuilder<'_>, caption: &str) -> String {
    if step.state.facts.rules < 2 {
        return caption.chars().take(limits::CAPTION).collect();
    }
    let (caption, dropped) = whatsapp_text::shortened(caption, limits::CAPTION);
    if dropped > 0 {
        let message = format!("a caption was longer than {} characters; its end was not sent", limits::CAPTION);
        step.event("warning", json!({"code": "text_truncated", "message": message, "characters": dropped}));
    }
    caption
}

/// True for a link that does not come from the contact. A server that was only named may be used.
fn trusted(step: &StepBuilder<'_>, url: &str) -> bool {
    let https = url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
    let (links, of_url) = (&step.state.links, links_of(url));
    let [link] = &of_url[..] else { return false };
    let begins = |known: &String| known.contains('/') && link.starts_with(known.as_str());
    let from_contact = links.iter().any(|known| known.starts_with(link.as_str()) || begins(known));
    https && !from_contact && links.len() < limits::LINKS
}
