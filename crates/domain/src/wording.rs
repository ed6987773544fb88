//! Messages in words, for people who read a conversation, from the node of a message's type as Meta
//! writes it, in either direction (docs/spec/whatsapp-cloud-api.md 1.4 and 2.1).

use serde_json::Value;

/// The text, else the kind in brackets with its details.
pub fn of(kind: &str, node: &Value) -> String {
    let text = |path: &str| node.pointer(path).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    let said = match kind {
        "text" => text("/body"),
        "image" | "video" | "document" => text("/caption"),
        "button" => text("/text").or_else(|| text("/payload")),
        "interactive" => {
            let paths = ["/button_reply/title", "/list_reply/title", "/nfm_reply/body", "/body/text"];
            paths.into_iter().find_map(text)
        }
        "reaction" => text("/emoji"),
        "system" => text("/body"),
        "order" => text("/text"),
        _ => None,
    };
    if let Some(said) = said {
        return said.to_owned();
    }
    let about = match kind {
        "image" | "video" | "audio" | "document" | "sticker" => {
            text("/filename").or_else(|| text("/link")).map(str::to_owned)
        }
        "location" => Some(place(node)),
        "contacts" => Some(names(node)),
        "reaction" => Some("removed".into()),
        "template" => text("/name").map(str::to_owned),
        _ => None,
    };
    match about {
        Some(about) if !about.is_empty() => format!("[{kind}] {about}"),
        _ => format!("[{kind}]"),
    }
}

/// The stored text of a message; without one, the message that Meta sent in words.
pub fn of_stored(content: &str, kind: &str, raw: Option<&str>) -> String {
    if !content.is_empty() {
        return content.to_owned();
    }
    let raw: Value = raw.and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default();
    of(kind, &raw[kind])
}

fn place(node: &Value) -> String {
    let parts: Vec<&str> = ["name", "address"].iter().filter_map(|key| node.get(key)?.as_str()).collect();
    if !parts.is_empty() {
        return parts.join(", ");
    }
    let numbers: Vec<String> =
        ["latitude", "longitude"].iter().filter_map(|key| Some(node.get(key)?.to_string())).collect();
    numbers.join(", ")
}

fn names(node: &Value) -> String {
    let cards = node.as_array().into_iter().flatten();
    let names: Vec<&str> = cards.filter_map(|card| card.pointer("/name/formatted_name")?.as_str()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_message_type_has_a_text() {
        for (kind, node, expected) in [
            ("text", json!({"body": "hi"}), "hi"),
            ("image", json!({"id": "1", "caption": "the sofa"}), "the sofa"),
            ("image", json!({"id": "1"}), "[image]"),
            ("document", json!({"link": "https://a.example/x.pdf", "filename": "x.pdf"}), "[document] x.pdf"),
            ("audio", json!({"link": "https://a.example/x.mp3"}), "[audio] https://a.example/x.mp3"),
            ("location", json!({"latitude": 1.5, "longitude": -2.0, "name": "Shop"}), "[location] Shop"),
            ("location", json!({"latitude": 1.5, "longitude": -2.0}), "[location] 1.5, -2.0"),
            (
                "contacts",
                json!([{"name": {"formatted_name": "Ana"}}, {"name": {"formatted_name": "Bo"}}]),
                "[contacts] Ana, Bo",
            ),
            ("reaction", json!({"message_id": "w", "emoji": "👍"}), "👍"),
            ("reaction", json!({"message_id": "w", "emoji": ""}), "[reaction] removed"),
            ("interactive", json!({"type": "button", "body": {"text": "Which?"}}), "Which?"),
            ("interactive", json!({"type": "list_reply", "list_reply": {"id": "1", "title": "Blue"}}), "Blue"),
            ("button", json!({"payload": "yes", "text": "Yes"}), "Yes"),
            ("template", json!({"name": "order_update"}), "[template] order_update"),
            ("order", json!({}), "[order]"),
            ("unknown", Value::Null, "[unknown]"),
        ] {
            assert_eq!(of(kind, &node), expected);
        }
    }
}
