//! Turns a contact's message into the text of a turn (docs/inbound-messages.md): the contact's words
//! as they were written, everything else in brackets. That page has a row for each message type.

use crate::message::Direction;
use serde_json::Value;

/// Characters of a quoted message.
const QUOTE: usize = 300;
/// Characters of a name, an address or a title.
const DETAIL: usize = 300;
/// Items of an order, cards and fields of a form.
const ITEMS: usize = 50;

/// A message of a contact.
pub struct Received<'m> {
    /// The type, as it is stored.
    pub kind: &'m str,
    /// The message as Meta sent it.
    pub raw: &'m Value,
    /// The message that it replies to, if it replies to one.
    pub quoted: Option<Quoted<'m>>,
    /// The address of its file.
    pub link: Option<&'m str>,
}

/// In place of what the contact has deleted.
pub const DELETED: &str = "[deleted message]";

/// The message that a contact replies to.
pub enum Quoted<'m> {
    Known {
        direction: Direction,
        text: &'m str,
    },
    /// The contact has deleted it.
    Deleted,
    /// It is not stored here.
    Unknown,
}

/// The text of a turn; `None` for types that start none.
pub fn text(message: &Received<'_>) -> Option<String> {
    let body = body(message)?;
    let mut lines = Vec::new();
    lines.extend(referral(message.raw));
    lines.extend(context(message));
    lines.push(body);
    Some(lines.join("\n"))
}

/// The text of a turn that an edit starts: the agent has read the earlier text. `given` is the
/// changed message as an agent is given it.
pub fn edited(earlier: &str, given: &str) -> String {
    format!("[the contact changed an earlier message \"{}\" to:]\n{given}", quote(earlier))
}

/// A reply that a person wrote and then changed, after the agent has read the earlier text.
pub fn edited_reply(earlier: &str, text: &str) -> String {
    format!("[changed the message \"{}\" to:]\n{text}", quote(earlier))
}

/// Tells an agent that messages that it has read were deleted.
pub fn deleted(count: u32) -> String {
    match count {
        1 => "[the contact deleted an earlier message]".to_owned(),
        more => format!("[the contact deleted {more} earlier messages]"),
    }
}

/// A message as a quote shows it.
pub fn quote(text: &str) -> String {
    cut(text, QUOTE)
}

/// True for a message with a picture that a model can be shown; WhatsApp may have lost it.
pub fn has_picture(kind: &str, raw: &Value) -> bool {
    matches!(kind, "image" | "sticker") && error(raw).is_none()
}

fn body(message: &Received<'_>) -> Option<String> {
    let node = message.raw.get(message.kind).unwrap_or(&Value::Null);
    Some(match message.kind {
        "text" => match node.get("body").and_then(Value::as_str).filter(|body| !body.trim().is_empty()) {
            Some(body) => body.to_owned(),
            None => "[message without text]".to_owned(),
        },
        "image" | "video" | "audio" | "document" | "sticker" => media(message, node),
        "location" => location(node),
        "contacts" => cards(node),
        "order" => order(node),
        "button" => tapped(node, "text", "payload", "payload"),
        "interactive" => interactive(node),
        "request_welcome" => "[opened the chat and has not written yet]".to_owned(),
        "unsupported" => unsupported(message.raw, node),
        "unknown" => {
            let kind = line(message.raw, "type").unwrap_or_else(|| "none".to_owned());
            format!("[message of a type that is not known: {kind}]")
        }
        // A reaction asks for nothing; the others change what is known of a contact or a message.
        _ => return None,
    })
}

fn media(message: &Received<'_>, node: &Value) -> String {
    let kind = match message.kind {
        "audio" if node.get("voice") == Some(&Value::Bool(true)) => "voice message",
        kind => kind,
    };
    let mut about = vec![kind.to_owned()];
    about.extend(line(node, "filename").map(|name| format!("\"{name}\"")));
    match error(message.raw) {
        Some(error) => about.push(format!("that could not be downloaded: {error}")),
        None => about.extend(message.link.map(str::to_owned)),
    }
    let about = format!("[{}]", about.join(" "));
    match node.get("caption").and_then(Value::as_str).filter(|caption| !caption.trim().is_empty()) {
        Some(caption) => format!("{about}\n{caption}"),
        None => about,
    }
}

/// 0, 0 is a place.
fn location(node: &Value) -> String {
    let number = |name: &str| node.get(name).filter(|value| value.is_number()).map(Value::to_string);
    let mut parts: Vec<String> = ["latitude", "longitude"].into_iter().filter_map(number).collect();
    parts.extend(["name", "address"].into_iter().filter_map(|name| line(node, name)));
    if parts.is_empty() { "[location]".to_owned() } else { format!("[location: {}]", parts.join(", ")) }
}

fn cards(node: &Value) -> String {
    let all = node.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut lines: Vec<String> = all.iter().take(ITEMS).map(card).collect();
    lines.extend(left_out(all.len()));
    if lines.is_empty() { "[contact card without content]".to_owned() } else { lines.join("\n") }
}

fn card(card: &Value) -> String {
    let name = card.get("name").and_then(|name| line(name, "formatted_name").or_else(|| line(name, "first_name")));
    let each = |list: &str, field: &str| -> Vec<String> {
        let items = card.get(list).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(|item| line(item, field)).take(5).collect()
    };
    let numbers: Vec<String> = {
        let phones = card.get("phones").and_then(Value::as_array).into_iter().flatten();
        phones.filter_map(|phone| line(phone, "phone").or_else(|| line(phone, "wa_id"))).take(5).collect()
    };
    let organisation = card.get("org").and_then(|org| line(org, "company"));
    let details = numbers.into_iter().chain(each("emails", "email")).chain(organisation).chain(each("urls", "url"));
    let details: Vec<String> = details.collect();
    let name = name.unwrap_or_else(|| "without a name".to_owned());
    if details.is_empty() {
        format!("[contact card: {name}]")
    } else {
        format!("[contact card: {name}: {}]", details.join(", "))
    }
}

fn order(node: &Value) -> String {
    let catalogue = line(node, "catalog_id").map(|id| format!(" from catalogue {id}")).unwrap_or_default();
    let mut lines = vec![format!("[order{catalogue}:]")];
    let items = node.get("product_items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for item in items.iter().take(ITEMS) {
        let part = |name: &str| line(item, name);
        let product = part("product_retailer_id").unwrap_or_else(|| "unknown product".to_owned());
        let quantity = part("quantity").unwrap_or_else(|| "?".to_owned());
        let price = [part("item_price"), part("currency")].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let price = if price.is_empty() { price } else { format!(" at {price} each") };
        lines.push(format!("- {quantity} x {product}{price}"));
    }
    lines.extend(left_out(items.len()));
    lines.extend(node.get("text").and_then(Value::as_str).filter(|note| !note.trim().is_empty()).map(str::to_owned));
    lines.join("\n")
}

/// Ids of buttons and rows carry what a title does not: two rows may have one title.
fn interactive(node: &Value) -> String {
    let kind = node.get("type").and_then(Value::as_str).unwrap_or_default();
    let reply = node.get(kind).unwrap_or(&Value::Null);
    match kind {
        "button_reply" => tapped(reply, "title", "id", "id"),
        "list_reply" => match line(reply, "description") {
            Some(description) => format!("{}\n[description: {description}]", tapped(reply, "title", "id", "id")),
            None => tapped(reply, "title", "id", "id"),
        },
        "nfm_reply" => form(reply),
        "call_permission_reply" => {
            format!("[permission to call: {}]", line(reply, "response").unwrap_or_else(|| "no answer".to_owned()))
        }
        _ => format!("[interactive reply of a type that is not known: {}]", shown(kind)),
    }
}

/// The title that was tapped, and its id unless that says the same.
fn tapped(node: &Value, title: &str, id: &str, word: &str) -> String {
    let id = line(node, id);
    match (node.get(title).and_then(Value::as_str).filter(|title| !title.trim().is_empty()), id) {
        (Some(title), Some(id)) if id != title => format!("{title}\n[{word}: {id}]"),
        (Some(title), _) => title.to_owned(),
        (None, Some(id)) => id,
        (None, None) => "[button without a title]".to_owned(),
    }
}

/// The fields of a flow or an address; an answer that is not JSON is kept as it came.
fn form(reply: &Value) -> String {
    let name = line(reply, "name").unwrap_or_else(|| "form".to_owned());
    let sent = reply.get("response_json").and_then(Value::as_str).unwrap_or_default();
    let Ok(Value::Object(fields)) = serde_json::from_str::<Value>(sent) else {
        let body = reply.get("body").and_then(Value::as_str).unwrap_or_default();
        let text = if sent.trim().is_empty() { body } else { sent };
        return format!("[{name}:]\n{text}");
    };
    let mut lines = vec![format!("[{name}:]")];
    // The token is ours.
    let answers: Vec<_> = fields.iter().filter(|(field, _)| *field != "flow_token").collect();
    for (field, answer) in answers.iter().take(ITEMS) {
        let answer = answer.as_str().map_or_else(|| answer.to_string(), str::to_owned);
        lines.push(format!("{}: {answer}", shown(field)));
    }
    lines.extend(left_out(answers.len()));
    lines.join("\n")
}

fn unsupported(raw: &Value, node: &Value) -> String {
    let kind = line(node, "type").map(|kind| format!(" {kind}")).unwrap_or_default();
    let why = error(raw).map(|error| format!(": {error}")).unwrap_or_default();
    format!("[message that WhatsApp does not pass on{kind}{why}]")
}

/// Title and code of the first error.
fn error(raw: &Value) -> Option<String> {
    let first = raw.get("errors")?.as_array()?.first()?;
    let code = line(first, "code").unwrap_or_else(|| "unknown".to_owned());
    Some(match line(first, "title").or_else(|| line(first, "message")) {
        Some(title) => format!("{title} ({code})"),
        None => format!("error {code}"),
    })
}

fn referral(raw: &Value) -> Option<String> {
    let referral = raw.get("referral")?.as_object()?;
    let referral = Value::Object(referral.clone());
    let source = if referral.get("source_type").is_some_and(|kind| kind == "post") { "a post" } else { "an ad" };
    let about: Vec<String> =
        ["headline", "body", "source_url"].into_iter().filter_map(|name| line(&referral, name)).collect();
    Some(if about.is_empty() {
        format!("[came from {source}]")
    } else {
        format!("[came from {source}: {}]", about.join(", "))
    })
}

fn context(message: &Received<'_>) -> Vec<String> {
    let context = message.raw.get("context").unwrap_or(&Value::Null);
    let is = |name: &str| context.get(name) == Some(&Value::Bool(true));
    let mut lines = Vec::new();
    if is("frequently_forwarded") {
        lines.push("[forwarded many times]".to_owned());
    } else if is("forwarded") {
        lines.push("[forwarded]".to_owned());
    }
    if let Some(product) = context.get("referred_product") {
        let id = line(product, "product_retailer_id").unwrap_or_else(|| "unknown".to_owned());
        lines.push(format!("[about product {id}]"));
    }
    match message.quoted {
        Some(Quoted::Known { direction, text }) => {
            let whose = match direction {
                Direction::Inbound => "their own message",
                Direction::Outbound => "your message",
            };
            lines.push(format!("[in reply to {whose}: \"{}\"]", quote(text)));
        }
        Some(Quoted::Deleted) => lines.push("[in reply to a message that the contact deleted]".to_owned()),
        Some(Quoted::Unknown) => lines.push("[in reply to a message that is not known here]".to_owned()),
        None => {}
    }
    lines
}

fn left_out(count: usize) -> Option<String> {
    count.checked_sub(ITEMS).filter(|more| *more > 0).map(|more| format!("[and {more} more]"))
}

/// A text or number on one line; none if it is blank.
fn line(node: &Value, name: &str) -> Option<String> {
    let text = match node.get(name)? {
        Value::String(text) => shown(text),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

fn shown(text: &str) -> String {
    cut(text, DETAIL)
}

/// One line of at most so many characters, which does not close a bracket.
fn cut(text: &str, most: usize) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    let line = words.join(" ").replace(']', ")").replace('[', "(");
    if line.chars().count() <= most {
        return line;
    }
    line.chars().take(most - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const DOCUMENT: &str = include_str!("../../../docs/inbound-messages.md");

    /// Types that [`text`] treats alike whatever their content; they have rows by their names.
    const KNOWN: [&str; 13] = [
        "text",
        "image",
        "video",
        "audio",
        "document",
        "sticker",
        "location",
        "contacts",
        "order",
        "button",
        "interactive",
        "request_welcome",
        "unsupported",
    ];

    fn given(raw: &Value) -> Option<String> {
        let kind = raw["type"].as_str().filter(|kind| KNOWN.contains(kind)).unwrap_or("unknown");
        let quoted = raw.pointer("/context/id").map(|_| Quoted::Unknown);
        text(&Received { kind, raw, quoted, link: None })
    }

    #[test]
    fn each_row_of_the_document_holds() {
        let mut kinds = std::collections::BTreeSet::new();
        for row in DOCUMENT.lines().filter(|line| line.contains("| `{")) {
            let cells: Vec<&str> = row.split(" | ").map(|cell| cell.trim_matches(['|', ' ', '`'])).collect();
            let [_, sent, expected] = cells[..] else { panic!("three cells: {row}") };
            let raw: Value = serde_json::from_str(sent).unwrap();
            assert_eq!(given(&raw).as_deref(), Some(expected.replace('⏎', "\n").as_str()), "{row}");
            kinds.insert(raw["type"].as_str().unwrap().to_owned());
        }
        assert!(KNOWN.iter().all(|kind| kinds.contains(*kind)), "each type has a row: {kinds:?}");
    }

    #[test]
    fn quotes_and_links_are_shown() {
        let raw = json!({"type": "image", "image": {"filename": "a]b\n.png"}});
        let long = "one\n[two] ".repeat(100);
        let quoted = Some(Quoted::Known { direction: Direction::Outbound, text: &long });
        let shown =
            text(&Received { kind: "image", raw: &raw, quoted, link: Some("https://x.example/media/1") }).unwrap();
        let (quote, image) = shown.split_once('\n').unwrap();
        assert!(quote.starts_with("[in reply to your message: \"one (two) one") && quote.ends_with("…\"]"), "{quote}");
        assert_eq!((quote.chars().count(), image), (330, "[image \"a)b .png\" https://x.example/media/1]"));
    }

    #[test]
    fn reactions_and_changes_start_no_turn() {
        for kind in ["reaction", "system", "edit", "revoke"] {
            let raw = json!({"type": kind, kind: {"body": "x", "emoji": "👍"}});
            assert_eq!(text(&Received { kind, raw: &raw, quoted: None, link: None }), None, "{kind}");
        }
    }

    #[test]
    fn missing_and_odd_parts_are_left_out() {
        for (raw, expected) in [
            (json!({"type": "text", "text": {"body": " "}}), "[message without text]"),
            (json!({"type": "location", "location": {"latitude": "x"}}), "[location]"),
            (json!({"type": "contacts", "contacts": {}}), "[contact card without content]"),
            (json!({"type": "contacts", "contacts": [{}]}), "[contact card: without a name]"),
            (json!({"type": "order", "order": {"product_items": [{}]}}), "[order:]\n- ? x unknown product"),
            (json!({"type": "button", "button": {}}), "[button without a title]"),
            (json!({"type": "interactive", "interactive": {"type": "list_reply"}}), "[button without a title]"),
            (json!({"type": "interactive"}), "[interactive reply of a type that is not known: ]"),
            (json!({"type": "unsupported", "errors": [{}]}), "[message that WhatsApp does not pass on: error unknown]"),
            (json!({"type": "text", "text": {"body": "x"}, "referral": {}}), "[came from an ad]\nx"),
            (json!({}), "[message of a type that is not known: none]"),
        ] {
            assert_eq!(given(&raw).as_deref(), Some(expected), "{raw}");
        }
        let items = vec![json!({"product_retailer_id": "a", "quantity": 1}); 53];
        assert!(
            given(&json!({"type": "order", "order": {"product_items": items}})).unwrap().ends_with("\n[and 3 more]")
        );
    }
}
