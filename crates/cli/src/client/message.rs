//! A message as the phone shows it: text, and choices that can be tapped.

use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// WhatsApp message id.
    pub id: String,
    /// True for messages from the business, false for the contact's own.
    pub is_answer: bool,
    /// Texts of the message; its type in brackets if it has none.
    pub text: String,
    /// Titles of buttons and list rows that can be tapped, in order.
    pub choices: Vec<String>,
}

impl Message {
    /// Reads the control API's JSON.
    pub fn read(message: &Value) -> Self {
        let kind = message["type"].as_str().unwrap_or("unknown");
        let content = &message["content"];
        let (lines, choices) = match kind {
            "interactive" => interactive(content),
            "template" => template(&content["rendered"]),
            "button" => (text(&content["text"]), Vec::new()),
            "location" => (vec![location(content)], Vec::new()),
            _ if content["body"].is_string() => (text(&content["body"]), Vec::new()),
            _ => (file(kind, content), Vec::new()),
        };
        let text = if lines.is_empty() { format!("[{kind}]") } else { lines.join("\n") };
        let id = message["id"].as_str().unwrap_or_default().to_owned();
        Self { id, is_answer: message["direction"] == "out", text, choices }
    }

    /// Text with numbered choices.
    pub fn with_choices(&self) -> String {
        let numbered = self.choices.iter().enumerate().map(|(at, title)| format!("\n[{}] {title}", at + 1));
        self.text.clone() + &numbered.collect::<String>()
    }

    /// Title of the choice that a person names by its number or its title.
    pub fn choice(&self, named: &str) -> Option<&str> {
        let by_number = named.parse::<usize>().ok().and_then(|number| self.choices.get(number.checked_sub(1)?));
        let by_title = || self.choices.iter().find(|title| title.eq_ignore_ascii_case(named));
        by_number.or_else(by_title).map(String::as_str)
    }
}

/// The text as one line; none if it is absent.
fn text(value: &Value) -> Vec<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned).into_iter().collect()
}

fn titles<'a>(nodes: &'a Value, title: &'a str) -> impl Iterator<Item = String> + 'a {
    nodes.as_array().into_iter().flatten().filter_map(move |node| node.pointer(title)?.as_str().map(str::to_owned))
}

/// A message with buttons or a list, or the tap on one.
fn interactive(content: &Value) -> (Vec<String>, Vec<String>) {
    for reply in ["button_reply", "list_reply"] {
        if content[reply].is_object() {
            return (text(&content[reply]["title"]), Vec::new());
        }
    }
    let header = &content["header"];
    let mut lines = text(&header["text"]);
    if let Some(kind) = header["type"].as_str().filter(|kind| *kind != "text") {
        lines.extend(file(kind, &header[kind]));
    }
    lines.extend(text(&content["body"]["text"]));
    lines.extend(text(&content["footer"]["text"]));
    let action = &content["action"];
    let link = &action["parameters"];
    if let (Some(title), Some(url)) = (link["display_text"].as_str(), link["url"].as_str()) {
        lines.push(format!("{title}: {url}"));
    }
    let mut choices: Vec<String> = titles(&action["buttons"], "/reply/title").collect();
    for section in action["sections"].as_array().into_iter().flatten() {
        choices.extend(titles(&section["rows"], "/title"));
    }
    (lines, choices)
}

fn template(rendered: &Value) -> (Vec<String>, Vec<String>) {
    let header = &rendered["header"];
    let mut lines = match header.as_object() {
        Some(media) => media.iter().flat_map(|(kind, media)| file(kind, media)).collect(),
        None => text(header),
    };
    lines.extend(text(&rendered["body"]));
    lines.extend(text(&rendered["footer"]));
    let mut choices = Vec::new();
    for button in rendered["buttons"].as_array().into_iter().flatten() {
        let title = button["text"].as_str().unwrap_or_default();
        match (button["type"].as_str(), button["url"].as_str()) {
            (Some("QUICK_REPLY"), _) => choices.push(title.to_owned()),
            (_, Some(url)) => lines.push(format!("{title}: {url}")),
            _ => lines.push(format!("({title})")),
        }
    }
    (lines, choices)
}

fn location(content: &Value) -> String {
    let place: Vec<&str> = ["name", "address"].into_iter().filter_map(|field| content[field].as_str()).collect();
    format!("[location] {} {} {}", content["latitude"], content["longitude"], place.join(", ")).trim_end().to_owned()
}

/// Type, name and address of a file, and its caption.
fn file(kind: &str, content: &Value) -> Vec<String> {
    let named = content["filename"].as_str().or(content["link"].as_str());
    let mut lines = vec![named.map_or_else(|| format!("[{kind}]"), |name| format!("[{kind}] {name}"))];
    lines.extend(text(&content["caption"]));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(kind: &str, content: Value) -> Message {
        Message::read(&json!({"id": "wamid.1", "direction": "out", "type": kind, "content": content}))
    }

    #[test]
    fn buttons_and_rows_are_numbered_and_chosen_by_number_or_title() {
        let reply = |id: &str, title: &str| json!({"type": "reply", "reply": {"id": id, "title": title}});
        let buttons = read(
            "interactive",
            json!({"type": "button", "header": {"type": "text", "text": "Order 7"}, "body": {"text": "Is it right?"},
                "footer": {"text": "Shop"}, "action": {"buttons": [reply("y", "Yes"), reply("n", "No")]}}),
        );
        assert_eq!(buttons.with_choices(), "Order 7\nIs it right?\nShop\n[1] Yes\n[2] No");
        assert_eq!(["2", "yes", "3", "0"].map(|named| buttons.choice(named)), [Some("No"), Some("Yes"), None, None]);
        let rows = json!([{"rows": [{"id": "a", "title": "Small"}]}, {"rows": [{"id": "b", "title": "Large"}]}]);
        let list =
            read("interactive", json!({"type": "list", "body": {"text": "Size?"}, "action": {"sections": rows}}));
        assert_eq!(list.choices, ["Small", "Large"]);
    }

    #[test]
    fn taps_templates_files_and_places_are_shown_as_text() {
        let tap = json!({"type": "button_reply", "button_reply": {"id": "y", "title": "Yes"}});
        assert_eq!(read("interactive", tap).text, "Yes");
        let rendered = json!({"header": {"image": {"link": "https://x.test/a.png"}}, "body": "Hi Ana",
            "buttons": [{"type": "QUICK_REPLY", "text": "Stop", "payload": "s"},
                {"type": "URL", "text": "Open", "url": "https://x.test"}]});
        let template = read("template", json!({"rendered": rendered}));
        assert_eq!(template.text, "[image] https://x.test/a.png\nHi Ana\nOpen: https://x.test");
        assert_eq!(template.choices, ["Stop"]);
        assert_eq!(read("document", json!({"filename": "a.pdf", "caption": "Bill"})).text, "[document] a.pdf\nBill");
        assert_eq!(read("image", json!({"id": "1"})).text, "[image]");
        let place = json!({"latitude": 1.5, "longitude": 2, "name": "Shop"});
        assert_eq!(read("location", place).text, "[location] 1.5 2 Shop");
        assert_eq!(read("text", json!({"body": "hi"})).text, "hi");
        assert_eq!(read("contacts", json!([])).text, "[contacts]");
    }
}
