//! A contact's changes of an own message, in Meta's form: `edit` within 15 minutes, `revoke` within
//! two days (developers.facebook.com, WhatsApp Business Platform, Webhooks, messages: "Edit messages"
//! and "Revoke messages").

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Earlier texts kept for a message.
const EARLIER_TEXTS: usize = 50;
/// Fields of Meta's element that say nothing of its content.
const KEPT: [&str; 6] = ["id", "from", "from_user_id", "timestamp", "type", "group_id"];

/// A change, and the message that it is for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change<'m> {
    /// Meta's id of the message.
    pub target: &'m str,
    pub kind: ChangeKind<'m>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ChangeKind<'m> {
    Edit {
        /// The message as it is now: its type and that type's node.
        message: &'m Value,
    },
    Deletion,
}

/// An earlier text of an edited message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierText {
    /// Meta's id of the edit that replaced it, or that came too late with it.
    pub edit: String,
    pub content: String,
    /// Meta's time.
    pub sent_at: Timestamp,
}

/// True for messages that change another one.
pub fn is_change(kind: &str) -> bool {
    matches!(kind, "edit" | "revoke")
}

/// Reads a message of the type `edit` or `revoke`.
pub fn read(raw: &Value) -> Option<Change<'_>> {
    let kind = raw.get("type")?.as_str().filter(|kind| is_change(kind))?;
    let node = raw.get(kind)?;
    let target = node.get("original_message_id")?.as_str().filter(|id| !id.is_empty())?;
    let kind = match kind {
        "edit" => ChangeKind::Edit { message: node.get("message")? },
        _ => ChangeKind::Deletion,
    };
    Some(Change { target, kind })
}

/// The element and the text of a message after an edit: another body, or another caption of the same
/// file. `None` if its type cannot be edited.
pub fn edited(original: &Value, message: &Value) -> Option<(Value, String)> {
    let kind = original.get("type")?.as_str()?;
    if message.get("type").is_some_and(|edited| edited != kind) {
        return None;
    }
    let field = match kind {
        "text" => "body",
        "image" | "video" | "document" => "caption",
        _ => return None,
    };
    let text = message.get(kind)?.get(field).and_then(Value::as_str);
    if kind == "text" && text.is_none() {
        return None;
    }
    // PostgreSQL stores no NUL.
    let text = text.unwrap_or_default().replace('\0', "");
    let mut element = original.clone();
    let node = element.get_mut(kind)?.as_object_mut()?;
    node.insert(field.to_owned(), json!(text));
    Some((element, text))
}

/// The element of a deleted message without its content.
pub fn erased(original: &Value) -> Value {
    let kept = KEPT.iter().filter_map(|name| Some(((*name).to_owned(), original.get(name)?.clone())));
    Value::Object(kept.collect::<Map<String, Value>>())
}

/// The earlier texts that a stored message holds.
pub fn earlier_texts(stored: Option<&str>) -> Vec<EarlierText> {
    stored.and_then(|stored| serde_json::from_str(stored).ok()).unwrap_or_default()
}

/// Adds an earlier text in the order of time.
pub fn with_earlier(mut texts: Vec<EarlierText>, text: EarlierText) -> Vec<EarlierText> {
    if texts.len() < EARLIER_TEXTS && texts.iter().all(|known| known.edit != text.edit) {
        texts.push(text);
        texts.sort_by_key(|text| text.sent_at);
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: &str) -> Value {
        json!({"id": "w1", "type": "text", "text": {"body": body}, "context": {"id": "w0"}})
    }

    #[test]
    fn changes_are_read_with_their_target() {
        let edit = json!({"type": "edit", "edit": {"original_message_id": "w1", "message": {"type": "text"}}});
        let kind = ChangeKind::Edit { message: &json!({"type": "text"}) };
        assert_eq!(read(&edit), Some(Change { target: "w1", kind }));
        let revoke = json!({"type": "revoke", "revoke": {"original_message_id": "w1"}});
        assert_eq!(read(&revoke), Some(Change { target: "w1", kind: ChangeKind::Deletion }));
        for odd in [
            json!({"type": "revoke"}),
            json!({"type": "revoke", "revoke": {"original_message_id": ""}}),
            json!({"type": "edit", "edit": {"original_message_id": "w1"}}),
            json!({"type": "text", "text": {"original_message_id": "w1"}}),
            json!(null),
        ] {
            assert_eq!(read(&odd), None, "{odd}");
        }
    }

    #[test]
    fn edit_replaces_a_text_or_a_caption_and_nothing_else() {
        let (element, words) = edited(&text("a"), &json!({"type": "text", "text": {"body": "b\0"}})).unwrap();
        assert_eq!((element, words.as_str()), (text("b"), "b"));
        let photo = json!({"type": "image", "image": {"id": "7", "caption": "a"}});
        let (element, words) = edited(&photo, &json!({"type": "image", "image": {"id": "8", "caption": "b"}})).unwrap();
        assert_eq!((element, words.as_str()), (json!({"type": "image", "image": {"id": "7", "caption": "b"}}), "b"));
        for (original, message) in [
            (text("a"), json!({"type": "image", "image": {"caption": "b"}})),
            (text("a"), json!({"type": "text", "text": {}})),
            (json!({"type": "sticker", "sticker": {"id": "7"}}), json!({"type": "sticker", "sticker": {"id": "8"}})),
            (json!({"type": "text"}), json!({"type": "text", "text": {"body": "b"}})),
            (json!(null), json!(null)),
        ] {
            assert_eq!(edited(&original, &message), None, "{original}");
        }
    }

    #[test]
    fn erased_element_holds_no_content() {
        let left = erased(&json!({"id": "w1", "from": "1", "type": "text", "text": {"body": "x"}, "referral": {}}));
        assert_eq!(left, json!({"id": "w1", "from": "1", "type": "text"}));
    }

    #[test]
    fn earlier_texts_are_in_the_order_of_time() {
        let of =
            |edit: &str, at| EarlierText { edit: edit.into(), content: "x".into(), sent_at: Timestamp::from_secs(at) };
        let texts = with_earlier(with_earlier(with_earlier(Vec::new(), of("b", 2)), of("a", 1)), of("b", 3));
        assert_eq!(texts, [of("a", 1), of("b", 2)]);
        assert_eq!(earlier_texts(Some(&serde_json::to_string(&texts).unwrap())), texts);
        assert_eq!(earlier_texts(Some("broken")), []);
    }
}
