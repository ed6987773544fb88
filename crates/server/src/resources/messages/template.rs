//! Template parameters: numbered or named body parameters and the header.

use domain::{
    Problem,
    template::{MOST_PARAMETERS, text_parameter, unfit},
};
use gateways::whatsapp::send::{MediaKind, MediaSource, TemplateSend};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// A list for numbered placeholders, an object for named ones, or an object with such values in
/// `header` and `body`.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(untagged)]
pub(super) enum MessageTemplateParameters {
    Numbered(Vec<String>),
    Named(Map<String, Value>),
}

/// Header parameters.
pub(super) struct Header<'a> {
    pub(super) kind: Option<&'a str>,
    pub(super) value: Option<&'a str>,
    pub(super) filename: Option<&'a str>,
}

/// Optional name and text.
type Parameter = (Option<String>, String);

/// Components with parameters, in WhatsApp's format.
pub(super) fn components(
    parameters: Option<&MessageTemplateParameters>,
    header: &Header<'_>,
) -> Result<Vec<Value>, Vec<Problem>> {
    let mut found = Found::default();
    match parameters {
        None => {}
        Some(MessageTemplateParameters::Numbered(texts)) => {
            let texts = texts.iter().map(|text| json!(text)).collect();
            found.body = found.numbered("/template_params", texts);
        }
        Some(MessageTemplateParameters::Named(fields)) if is_parts(fields) => {
            for (part, value) in fields {
                let path = format!("/template_params/{part}");
                let texts = found.part(&path, value);
                if part == "body" { found.body = texts } else { found.header = texts }
            }
        }
        Some(MessageTemplateParameters::Named(fields)) => found.body = found.named("/template_params", fields),
    }
    let head = found.head(header);
    if !found.problems.is_empty() {
        return Err(found.problems);
    }
    let body = (!found.body.is_empty()).then(|| json!({"type": "body", "parameters": texts(&found.body)}));
    Ok(head.into_iter().chain(body).collect())
}

/// True if an object names template parts instead of placeholders: its values are lists or objects.
fn is_parts(fields: &Map<String, Value>) -> bool {
    let known = fields.keys().all(|key| key == "header" || key == "body");
    known && fields.values().any(|value| value.is_array() || value.is_object())
}

fn texts(parameters: &[Parameter]) -> Vec<Value> {
    parameters.iter().map(|(name, text)| text_parameter(name.as_ref(), text)).collect()
}

#[derive(Default)]
struct Found {
    header: Vec<Parameter>,
    body: Vec<Parameter>,
    problems: Vec<Problem>,
}

impl Found {
    fn wrong(&mut self, path: &str, code: &'static str, why: impl Into<String>) {
        self.problems.push(Problem::new(path, code, why));
    }

    fn part(&mut self, path: &str, value: &Value) -> Vec<Parameter> {
        match value {
            Value::Array(texts) => self.numbered(path, texts.clone()),
            Value::Object(fields) => self.named(path, fields),
            other => self.numbered(path, vec![other.clone()]),
        }
    }

    fn numbered(&mut self, path: &str, texts: Vec<Value>) -> Vec<Parameter> {
        if texts.len() > MOST_PARAMETERS {
            self.wrong(path, "too_many", format!("must be at most {MOST_PARAMETERS}"));
            return Vec::new();
        }
        let mut read = Vec::new();
        for (at, text) in texts.iter().enumerate() {
            read.extend(self.text(&format!("{path}/{at}"), text).map(|text| (None, text)));
        }
        read
    }

    /// Numeric names are sorted by number.
    fn named(&mut self, path: &str, fields: &Map<String, Value>) -> Vec<Parameter> {
        if fields.len() > MOST_PARAMETERS {
            self.wrong(path, "too_many", format!("must be at most {MOST_PARAMETERS}"));
            return Vec::new();
        }
        let place = |name: &str| name.parse::<u32>().ok();
        let by_place = !fields.is_empty() && fields.keys().all(|name| place(name).is_some());
        let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
        if by_place {
            fields.sort_by_key(|(name, _)| place(name));
        }
        let mut read = Vec::new();
        for (name, value) in fields {
            let escaped = name.replace('~', "~0").replace('/', "~1");
            if let Some(text) = self.text(&format!("{path}/{escaped}"), value) {
                read.push(((!by_place).then(|| name.clone()), text));
            }
        }
        read
    }

    fn text(&mut self, path: &str, value: &Value) -> Option<String> {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => {
                self.wrong(path, "wrong_type", "must be a text");
                return None;
            }
        };
        if let Some((code, why)) = unfit(&text) {
            self.wrong(path, code, why);
        }
        Some(text)
    }

    fn head(&mut self, header: &Header<'_>) -> Option<Value> {
        let kind = match (header.kind, header.value) {
            (Some(kind), Some(_)) => kind,
            (None, Some(_)) => "text",
            (Some(_), None) if self.header.is_empty() => {
                self.wrong("/header_params", "blank", "can't be blank");
                return None;
            }
            (_, None) => {
                let parameters = texts(&self.header);
                return (!parameters.is_empty()).then(|| json!({"type": "header", "parameters": parameters}));
            }
        };
        let value = header.value.unwrap_or_default();
        if !self.header.is_empty() {
            self.wrong("/header_params", "ambiguous", "the header's parameters stand in template_params too");
            return None;
        }
        let kind = match kind {
            "image" => MediaKind::Image,
            "video" => MediaKind::Video,
            "document" => MediaKind::Document,
            _ => {
                let text = self.text("/header_params", &json!(value))?;
                return Some(TemplateSend::header_text(&text));
            }
        };
        let source = if value.contains("://") {
            self.problems.extend(public_url("/header_params", value).err().into_iter().flatten());
            MediaSource::Link(value.to_owned())
        } else {
            MediaSource::Id(value.to_owned())
        };
        Some(TemplateSend::header_media(kind, &source, header.filename))
    }
}

/// Refuses URLs that WhatsApp cannot fetch from the public internet, and URLs with a password.
pub(super) fn public_url(path: &str, text: &str) -> Result<(), Vec<Problem>> {
    gateways::egress::public_url(text).map_err(|why| vec![Problem::new(path, "invalid_url", why)])
}
