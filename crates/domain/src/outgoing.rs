//! Limits of outgoing WhatsApp messages (docs/spec/whatsapp-cloud-api.md 2.1), one table for
//! senders and for the emulator.
//! The checks look at the node of a message's type as Meta writes it. Unknown types and kinds pass.

use crate::Problem;
use serde_json::Value;
use std::collections::HashSet;

/// Code of a missing field.
pub const MISSING: &str = "missing";
/// Code of an invalid field.
pub const INVALID: &str = "invalid";

/// Meta's limits, in characters unless noted. They change.
mod limits {
    pub const TEXT: usize = 4_096;
    pub const CAPTION: usize = 1_024;
    pub const FILENAME: usize = 240;
    pub const CONTACTS: usize = 257;
    pub const BODY: usize = 1_024;
    pub const LIST_BODY: usize = 4_096;
    pub const SMALL_TEXT: usize = 60;
    pub const BUTTONS: usize = 3;
    pub const BUTTON_TITLE: usize = 20;
    pub const BUTTON_ID: usize = 256;
    pub const SECTIONS: usize = 10;
    pub const ROWS: usize = 10;
    pub const ROW_ID: usize = 200;
    pub const ROW_TITLE: usize = 24;
    pub const ROW_DESCRIPTION: usize = 72;
    pub const TEMPLATE_NAME: usize = 512;
}

/// Problems that Meta would report in a message of type `kind`; paths begin with the type:
/// `/text/body`.
pub fn problems(kind: &str, node: &Value) -> Vec<Problem> {
    let mut found = Found(Vec::new());
    match kind {
        "text" => found.text(node, "/text", "body", 1..=limits::TEXT),
        "image" | "video" | "audio" | "document" | "sticker" => media(&mut found, &format!("/{kind}"), kind, node),
        "location" => location(&mut found, node),
        "contacts" => contacts(&mut found, node),
        "reaction" => {
            found.text(node, "/reaction", "message_id", 1..=limits::TEMPLATE_NAME);
            if !node.get("emoji").is_some_and(Value::is_string) {
                found.missing("/reaction/emoji");
            }
        }
        "interactive" => interactive(&mut found, node),
        "template" => {
            found.text(node, "/template", "name", 1..=limits::TEMPLATE_NAME);
            found.text(node.get("language").unwrap_or(&Value::Null), "/template/language", "code", 2..=20);
        }
        _ => {}
    }
    found.0
}

struct Found(Vec<Problem>);

impl Found {
    fn missing(&mut self, path: impl Into<String>) {
        let path = path.into();
        let message = format!("{} is required", dotted(&path));
        self.0.push(Problem::new(path, MISSING, message));
    }

    fn wrong(&mut self, path: impl Into<String>, why: impl std::fmt::Display) {
        let path = path.into();
        let message = format!("{} {why}", dotted(&path));
        self.0.push(Problem::new(path, INVALID, message));
    }

    /// A required text.
    fn text(&mut self, node: &Value, at: &str, key: &str, length: std::ops::RangeInclusive<usize>) {
        let path = format!("{at}/{key}");
        match node.get(key) {
            None | Some(Value::Null) => self.missing(path),
            Some(Value::String(text)) if length.contains(&text.chars().count()) => {}
            Some(Value::String(_)) => {
                self.wrong(path, format_args!("must have {} to {} characters", length.start(), length.end()));
            }
            Some(_) => self.wrong(path, "must be a string"),
        }
    }

    /// An optional text.
    fn optional(&mut self, node: &Value, at: &str, key: &str, longest: usize) {
        if node.get(key).is_some_and(|value| !value.is_null()) {
            self.text(node, at, key, 0..=longest);
        }
    }
}

/// A pointer as people read it.
fn dotted(path: &str) -> String {
    path.trim_start_matches('/').replace('/', ".")
}

fn media(found: &mut Found, at: &str, kind: &str, node: &Value) {
    let given = |key: &str| node.get(key).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    match (given("id"), given("link")) {
        (false, false) => found.missing(format!("{at}/id")),
        (true, true) => found.wrong(format!("{at}/link"), "cannot stand beside an id"),
        (false, true) => {
            let link = node.get("link").and_then(Value::as_str).unwrap_or_default();
            if !(link.starts_with("https://") || link.starts_with("http://")) {
                found.wrong(format!("{at}/link"), "must be an http or https URL");
            }
        }
        (true, false) => {}
    }
    if matches!(kind, "audio" | "sticker") && node.get("caption").is_some() {
        found.wrong(format!("{at}/caption"), "is not for this type");
    }
    found.optional(node, at, "caption", limits::CAPTION);
    found.optional(node, at, "filename", limits::FILENAME);
}

fn location(found: &mut Found, node: &Value) {
    for (key, most) in [("latitude", 90.0), ("longitude", 180.0)] {
        let path = format!("/location/{key}");
        let number = node.get(key).and_then(|value| value.as_f64().or_else(|| value.as_str()?.parse().ok()));
        match (node.get(key), number) {
            (None | Some(Value::Null), _) => found.missing(path),
            (_, Some(number)) if (-most..=most).contains(&number) => {}
            _ => found.wrong(path, format_args!("must be a number from -{most} to {most}")),
        }
    }
}

fn contacts(found: &mut Found, node: &Value) {
    let Some(list) = node.as_array().filter(|list| !list.is_empty()) else { return found.missing("/contacts") };
    if list.len() > limits::CONTACTS {
        found.wrong("/contacts", format_args!("must be at most {}", limits::CONTACTS));
    }
    for (at, contact) in list.iter().enumerate() {
        let path = format!("/contacts/{at}/name");
        let name = contact.get("name").unwrap_or(&Value::Null);
        found.text(name, &path, "formatted_name", 1..=limits::TEXT);
        if name.as_object().is_some_and(|parts| parts.len() < 2) {
            found.missing(format!("{path}/first_name"));
        }
    }
}

fn interactive(found: &mut Found, node: &Value) {
    let kind = node.get("type").and_then(Value::as_str).unwrap_or_default();
    let action = node.get("action").unwrap_or(&Value::Null);
    let list = kind == "list";
    match kind {
        "" => return found.missing("/interactive/type"),
        "button" | "list" => {}
        // Passed through, with the rules that all kinds share.
        _ => {
            if action.is_null() {
                found.missing("/interactive/action");
            }
            return;
        }
    }
    let body = if list { limits::LIST_BODY } else { limits::BODY };
    found.text(node.get("body").unwrap_or(&Value::Null), "/interactive/body", "text", 1..=body);
    if let Some(footer) = node.get("footer") {
        found.text(footer, "/interactive/footer", "text", 1..=limits::SMALL_TEXT);
    }
    if let Some(header) = node.get("header") {
        let kind = header.get("type").and_then(Value::as_str).unwrap_or_default();
        match kind {
            "text" => found.text(header, "/interactive/header", "text", 1..=limits::SMALL_TEXT),
            "image" | "video" | "document" if !list => {
                media(found, &format!("/interactive/header/{kind}"), kind, header.get(kind).unwrap_or(&Value::Null));
            }
            _ => found.wrong("/interactive/header/type", "is not for this kind"),
        }
    }
    if list { menu(found, action) } else { buttons(found, action) }
}

fn buttons(found: &mut Found, action: &Value) {
    let path = "/interactive/action/buttons";
    let Some(list) = action.get("buttons").and_then(Value::as_array).filter(|list| !list.is_empty()) else {
        return found.missing(path);
    };
    if list.len() > limits::BUTTONS {
        found.wrong(path, format_args!("must be at most {}", limits::BUTTONS));
    }
    let (mut ids, mut titles) = (HashSet::new(), HashSet::new());
    for (at, button) in list.iter().enumerate() {
        let path = format!("{path}/{at}/reply");
        let reply = button.get("reply").unwrap_or(&Value::Null);
        found.text(reply, &path, "id", 1..=limits::BUTTON_ID);
        found.text(reply, &path, "title", 1..=limits::BUTTON_TITLE);
        unique(found, &mut ids, reply, &path, "id");
        unique(found, &mut titles, reply, &path, "title");
    }
}

fn menu(found: &mut Found, action: &Value) {
    found.text(action, "/interactive/action", "button", 1..=limits::BUTTON_TITLE);
    let path = "/interactive/action/sections";
    let Some(sections) = action.get("sections").and_then(Value::as_array).filter(|list| !list.is_empty()) else {
        return found.missing(path);
    };
    if sections.len() > limits::SECTIONS {
        found.wrong(path, format_args!("must be at most {}", limits::SECTIONS));
    }
    let mut ids = HashSet::new();
    let mut rows = 0;
    for (at, section) in sections.iter().enumerate() {
        let path = format!("{path}/{at}");
        if sections.len() > 1 {
            found.text(section, &path, "title", 1..=limits::ROW_TITLE);
        } else {
            found.optional(section, &path, "title", limits::ROW_TITLE);
        }
        let Some(list) = section.get("rows").and_then(Value::as_array).filter(|list| !list.is_empty()) else {
            found.missing(format!("{path}/rows"));
            continue;
        };
        rows += list.len();
        for (at, row) in list.iter().enumerate() {
            let path = format!("{path}/rows/{at}");
            found.text(row, &path, "id", 1..=limits::ROW_ID);
            found.text(row, &path, "title", 1..=limits::ROW_TITLE);
            found.optional(row, &path, "description", limits::ROW_DESCRIPTION);
            unique(found, &mut ids, row, &path, "id");
        }
    }
    if rows > limits::ROWS {
        found.wrong(path, format_args!("must have at most {} rows in all", limits::ROWS));
    }
}

fn unique<'a>(found: &mut Found, seen: &mut HashSet<&'a str>, node: &'a Value, at: &str, key: &str) {
    if let Some(text) = node.get(key).and_then(Value::as_str)
        && !seen.insert(text)
    {
        found.wrong(format!("{at}/{key}"), "is used twice");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn paths(kind: &str, node: &Value) -> Vec<String> {
        problems(kind, node).into_iter().map(|problem| dotted(&problem.path)).collect()
    }

    fn buttons(count: usize, title: &str) -> Value {
        let button = |at| json!({"type": "reply", "reply": {"id": format!("b{at}"), "title": format!("{title}{at}")}});
        let list: Vec<Value> = (0..count).map(button).collect();
        json!({"type": "button", "body": {"text": "x"}, "action": {"buttons": list}})
    }

    fn list(rows: usize) -> Value {
        let rows: Vec<Value> = (0..rows).map(|at| json!({"id": format!("r{at}"), "title": "t"})).collect();
        json!({"type": "list", "body": {"text": "x"}, "action": {"button": "b", "sections": [{"rows": rows}]}})
    }

    #[test]
    fn limits_accept_the_largest_value_and_report_the_next() {
        let x = |count: usize| "x".repeat(count);
        for (kind, fits, over, path) in [
            ("text", json!({"body": x(4_096)}), json!({"body": x(4_097)}), "text.body"),
            (
                "image",
                json!({"id": "1", "caption": x(1_024)}),
                json!({"id": "1", "caption": x(1_025)}),
                "image.caption",
            ),
            ("interactive", buttons(3, ""), buttons(4, ""), "interactive.action.buttons"),
            ("interactive", buttons(1, &x(19)), buttons(1, &x(20)), "interactive.action.buttons.0.reply.title"),
            ("interactive", list(10), list(11), "interactive.action.sections"),
            (
                "location",
                json!({"latitude": -90, "longitude": 180.0}),
                json!({"latitude": 90.1, "longitude": 0}),
                "location.latitude",
            ),
        ] {
            assert_eq!(paths(kind, &fits), Vec::<String>::new(), "{kind} {fits}");
            assert_eq!(paths(kind, &over), [path], "{kind}");
        }
    }

    #[test]
    fn missing_fields_are_reported() {
        for (kind, node, path) in [
            ("text", json!({}), "text.body"),
            ("image", json!({"caption": "x"}), "image.id"),
            ("location", json!({"latitude": 1}), "location.longitude"),
            ("contacts", json!([]), "contacts"),
            ("contacts", json!([{"name": {"formatted_name": "A"}}]), "contacts.0.name.first_name"),
            ("reaction", json!({"message_id": "w"}), "reaction.emoji"),
            ("interactive", json!({}), "interactive.type"),
            ("interactive", json!({"type": "flow", "body": {"text": "x"}}), "interactive.action"),
            ("template", json!({"name": "n"}), "template.language.code"),
        ] {
            let found = problems(kind, &node);
            assert_eq!((dotted(&found[0].path), found[0].code), (path.to_owned(), MISSING), "{kind} {node}");
        }
    }

    #[test]
    fn invalid_fields_are_reported() {
        let mut twice = buttons(2, "");
        twice["action"]["buttons"][1] = twice["action"]["buttons"][0].clone();
        let mut header = list(1);
        header["header"] = json!({"type": "image", "image": {"id": "1"}});
        for (kind, node, path) in [
            ("text", json!({"body": ""}), "text.body"),
            ("text", json!({"body": 7}), "text.body"),
            ("audio", json!({"id": "1", "caption": "x"}), "audio.caption"),
            ("video", json!({"link": "file:///etc/passwd"}), "video.link"),
            ("video", json!({"link": "https://a", "id": "1"}), "video.link"),
            ("interactive", twice, "interactive.action.buttons.1.reply.id"),
            ("interactive", header, "interactive.header.type"),
        ] {
            let found = problems(kind, &node);
            assert_eq!((dotted(&found[0].path), found[0].code), (path.to_owned(), INVALID), "{kind} {node}");
        }
        assert_eq!(problems("poll", &json!(7)), []);
    }
}
