//! Reads an inbound message, or the echo of one that was written on the shop's phone.

use super::{InboundMessage, json};
use domain::phone;
use serde_json::Value;
use std::collections::HashMap;

/// Known types (docs/spec/whatsapp-cloud-api.md 1.4).
const KINDS: [&str; 17] = [
    "text",
    "image",
    "video",
    "audio",
    "document",
    "sticker",
    "location",
    "contacts",
    "reaction",
    "button",
    "interactive",
    "order",
    "system",
    "edit",
    "revoke",
    "request_welcome",
    "unsupported",
];

const UNKNOWN: &str = "unknown";

/// The parts of a change that its messages share.
pub(super) struct Envelope<'a> {
    pub(super) waba_id: Option<&'a str>,
    pub(super) phone_number_id: &'a str,
    pub(super) display_phone_number: Option<String>,
    pub(super) contacts: Contacts<'a>,
}

/// The contacts of a change by their ids: a delivery may have thousands, and as many messages.
pub(super) struct Contacts<'a> {
    list: &'a [Value],
    by_user_id: HashMap<String, usize>,
    by_wa_id: HashMap<String, usize>,
}

impl<'a> Contacts<'a> {
    pub(super) fn new(list: &'a [Value]) -> Self {
        let (mut by_user_id, mut by_wa_id) = (HashMap::new(), HashMap::new());
        for (place, contact) in list.iter().enumerate() {
            if let Some(id) = json::id(contact.get("user_id")) {
                by_user_id.entry(id).or_insert(place);
            }
            if let Some(number) = json::id(contact.get("wa_id")) {
                by_wa_id.entry(canonical(&number)).or_insert(place);
                by_wa_id.entry(number).or_insert(place);
            }
        }
        Self { list, by_user_id, by_wa_id }
    }

    /// The first entry with one of the sender's ids. A number may be written in two forms, as in
    /// Brazil.
    fn find(&self, from: Option<&str>, user_id: Option<&str>) -> Option<&'a Value> {
        let places = [
            user_id.and_then(|id| self.by_user_id.get(id)),
            from.and_then(|id| self.by_wa_id.get(id).or_else(|| self.by_wa_id.get(&canonical(id)))),
        ];
        self.list.get(*places.into_iter().flatten().min()?)
    }
}

/// The one form of a number by which contacts are compared.
fn canonical(number: &str) -> String {
    phone::normalise(number).map_or_else(|_| number.to_owned(), |phone| phone.canonical().to_owned())
}

/// `None` without an id or a sender: such a message could not be deduplicated or answered.
pub(super) fn read(envelope: &Envelope<'_>, raw: &Value) -> Option<InboundMessage> {
    read_of(envelope, raw, ["from", "from_user_id"])
}

/// An element of `message_echoes`: as an inbound message, but the contact is the recipient
/// (developers.facebook.com, WhatsApp Business Platform, webhooks reference, "smb_message_echoes",
/// 2026-05-21). Edits and deletions are of the types `edit` and `revoke`, as those of contacts.
pub(super) fn read_echo(envelope: &Envelope<'_>, raw: &Value) -> Option<InboundMessage> {
    read_of(envelope, raw, ["to", "to_user_id"])
}

/// `contact` names the fields of the contact's number and user id.
fn read_of(envelope: &Envelope<'_>, raw: &Value, contact: [&str; 2]) -> Option<InboundMessage> {
    let wamid = json::id(raw.get("id"))?;
    let [from, user_id] = contact.map(|field| json::id(raw.get(field)));
    if from.is_none() && user_id.is_none() {
        return None;
    }
    let contact = envelope.contacts.find(from.as_deref(), user_id.as_deref());
    let profile = contact.and_then(|contact| contact.get("profile"));
    Some(InboundMessage {
        phone_number_id: envelope.phone_number_id.to_owned(),
        display_phone_number: envelope.display_phone_number.clone(),
        waba_id: envelope.waba_id.map(str::to_owned),
        wamid,
        from: from.or_else(|| json::id(contact?.get("wa_id"))),
        user_id: user_id.or_else(|| json::id(contact?.get("user_id"))),
        profile_name: json::text(profile.and_then(|profile| profile.get("name"))),
        username: json::text(profile.and_then(|profile| profile.get("username"))),
        timestamp: json::time(raw.get("timestamp")),
        kind: kind(raw).to_owned(),
        text: text(raw),
        context_id: raw.get("context").and_then(|context| json::id(context.get("id"))),
        group_id: json::id(raw.get("group_id")),
        raw: raw.clone(),
    })
}

fn kind(raw: &Value) -> &str {
    match raw.get("type").and_then(Value::as_str) {
        Some("text") if raw.pointer("/text/body").and_then(Value::as_str).is_none() => UNKNOWN,
        Some(kind) if KINDS.contains(&kind) => kind,
        _ => UNKNOWN,
    }
}

/// The text of a message. Locations, contacts and media without a caption have none; their content
/// is in `raw`.
fn text(raw: &Value) -> Option<String> {
    let at = |path: &str| json::text(raw.pointer(path));
    match raw.get("type").and_then(Value::as_str)? {
        "text" => at("/text/body"),
        "button" => at("/button/text").or_else(|| at("/button/payload")),
        "interactive" => interactive(raw.get("interactive")?),
        "reaction" => at("/reaction/emoji"),
        "order" => at("/order/text"),
        "system" => at("/system/body"),
        "edit" => text(raw.pointer("/edit/message")?),
        kind @ ("image" | "video" | "audio" | "document" | "sticker") => json::text(raw.get(kind)?.get("caption")),
        _ => None,
    }
}

/// The tapped title. A completed flow shows "Sent" to the contact, so its answers are used instead.
fn interactive(interactive: &Value) -> Option<String> {
    let at = |path: &str| json::text(interactive.pointer(path));
    match interactive.get("type").and_then(Value::as_str)? {
        "button_reply" => at("/button_reply/title").or_else(|| at("/button_reply/id")),
        "list_reply" => at("/list_reply/title").or_else(|| at("/list_reply/id")),
        "nfm_reply" if interactive.pointer("/nfm_reply/name").is_some_and(|name| name == "flow") => {
            at("/nfm_reply/response_json").or_else(|| at("/nfm_reply/body"))
        }
        "nfm_reply" => at("/nfm_reply/body").or_else(|| at("/nfm_reply/response_json")),
        _ => None,
    }
}
