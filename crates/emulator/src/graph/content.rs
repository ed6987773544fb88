//! Checks of message content by type, and its form in the chat.

use domain::outgoing;
use serde_json::{Value, json};

use super::{errors::GraphError, text};
use crate::{
    state::State,
    templates::fill,
    users::{Marketing, User},
};

/// Message types of the Cloud API.
const TYPES: [&str; 11] = [
    "text",
    "image",
    "video",
    "audio",
    "document",
    "sticker",
    "location",
    "contacts",
    "reaction",
    "interactive",
    "template",
];
/// Links to these hosts fail as if the file could not be fetched.
const BROKEN_HOSTS: &str = "://fail.";

/// Checked content of a message.
pub(super) struct Content {
    pub(super) kind: String,
    pub(super) node: Value,
    /// Filled template, as the phone shows it.
    pub(super) rendered: Option<Value>,
    /// Template category in lower case.
    pub(super) category: Option<String>,
}

pub(super) fn check(state: &State, number: &str, body: &Value, by_phone: bool) -> Result<Content, GraphError> {
    let kind = match body.get("type") {
        None => "text",
        Some(Value::String(kind)) => kind.as_str(),
        Some(_) => return Err(GraphError::with(100, "Param type must be a string.")),
    };
    if !TYPES.contains(&kind) {
        return Err(GraphError::with(100, format!("Param type must be a message type, not {kind}.")));
    }
    if kind == "text" {
        let node = text::check(body)?;
        return Ok(Content { kind: kind.to_owned(), node, rendered: None, category: None });
    }
    let node = match body.get(kind) {
        None | Some(Value::Null) => {
            return Err(GraphError::with(131_008, format!("The parameter {kind} is required.")));
        }
        Some(node) => node.clone(),
    };
    if let Some(problem) = outgoing::problems(kind, &node).into_iter().next() {
        let code = if problem.code == outgoing::MISSING { 131_008 } else { 131_009 };
        return Err(GraphError::with(code, problem.message));
    }
    for file in files(kind, &node) {
        if let Some(id) = file["id"].as_str() {
            let known = state.media.get(id, state.clock.now()).is_some_and(|file| file.number == number);
            if !known {
                return Err(GraphError::with(
                    131_053,
                    format!("Media {id} is unknown, has expired or belongs to another number."),
                ));
            }
        }
    }
    let (rendered, category) = if kind == "template" { template(state, &node, by_phone)? } else { (None, None) };
    Ok(Content { kind: kind.to_owned(), node, rendered, category })
}

fn template(state: &State, node: &Value, by_phone: bool) -> Result<(Option<Value>, Option<String>), GraphError> {
    let (name, language) =
        (node["name"].as_str().unwrap_or_default(), node["language"]["code"].as_str().unwrap_or_default());
    let template = state.templates.find(name, language);
    let template = template.ok_or_else(|| GraphError::missing_template(name, language))?;
    if template.category == "AUTHENTICATION" && !by_phone {
        return Err(GraphError::new(131_062));
    }
    Ok((Some(fill(template, node)?), Some(template.category.to_lowercase())))
}

/// Files of a message: its own, or those in the header of a template or an interactive message.
fn files<'a>(kind: &str, node: &'a Value) -> Vec<&'a Value> {
    let headers: Vec<&Value> = match kind {
        "image" | "video" | "audio" | "document" | "sticker" => return vec![node],
        "interactive" => vec![&node["header"]],
        "template" => node["components"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|component| component["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("header")))
            .flat_map(|component| component["parameters"].as_array().into_iter().flatten())
            .collect(),
        _ => vec![],
    };
    headers.into_iter().flat_map(|header| ["image", "video", "document"].map(|kind| &header[kind])).collect()
}

impl Content {
    /// Error code with which this content will fail later.
    pub(super) fn later_failure(&self, user: &User) -> Option<u32> {
        let links = files(&self.kind, &self.node).into_iter().filter_map(|file| file["link"].as_str());
        if links.into_iter().any(|link| link.contains(BROKEN_HOSTS)) {
            return Some(131_053);
        }
        let unwanted = self.category.as_deref() == Some("marketing") && user.marketing == Marketing::Out;
        unwanted.then_some(131_050)
    }

    /// Content as the chat shows it.
    pub(super) fn shown(&self) -> Value {
        match &self.rendered {
            Some(rendered) => {
                let mut node = self.node.clone();
                node["rendered"] = rendered.clone();
                node
            }
            None => self.node.clone(),
        }
    }

    pub(super) fn is_template(&self) -> bool {
        self.kind == "template"
    }

    /// Target message and emoji of a reaction.
    pub(super) fn reaction(&self) -> Option<(&str, &str)> {
        (self.kind == "reaction").then(|| {
            let text = |name: &str| self.node[name].as_str().unwrap_or_default();
            (text("message_id"), text("emoji"))
        })
    }

    pub(super) fn message_status(&self, held: bool) -> Option<Value> {
        match (self.is_template(), held) {
            (_, true) => Some(json!("held_for_quality_assessment")),
            (true, false) => Some(json!("accepted")),
            (false, false) => None,
        }
    }
}
