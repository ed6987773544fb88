//! A text outside of the service window, where WhatsApp takes templates only: it becomes the
//! parameter of an approved template, if the agent or the caller named one
//! (docs/spec/whatsapp-cloud-api.md 4).

use super::{content::EntryContent, not_sendable::NotSendable, template};
use crate::json::from_json;
use domain::{
    ids::ProjectId,
    message::{Content, TemplateMessage, WindowTemplate},
    template::Shape,
};
use gateways::whatsapp;
use serde_json::Value;
use store::{Result, Tx, conversations::ConversationRow};

pub(super) async fn as_template(
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    content: &EntryContent,
    named: Option<&WindowTemplate>,
) -> Result<std::result::Result<TemplateMessage, NotSendable>> {
    let (Some(named), Some(text)) = (named, text(content)) else { return Ok(Err(NotSendable::WindowClosed)) };
    let mut message = TemplateMessage {
        name: named.name.clone(),
        language: named.language.clone(),
        parameters: Vec::new(),
        template_id: None,
        config_id: None,
        components: Vec::new(),
        text: None,
    };
    let Some(row) = template::find(tx, project, conversation, &message).await? else {
        return Ok(Err(NotSendable::WindowTemplateUnknown(named.name.clone())));
    };
    let components: Vec<Value> = from_json("template", &row.components)?;
    let variables = Shape { components: &components, format: &row.parameter_format }.body_variables();
    let [variable] = variables.as_slice() else {
        let why = format!("{} must have one variable, for the text; it has {}", row.name, variables.len());
        return Ok(Err(NotSendable::TemplateUnfit(why)));
    };
    message.parameters = vec![((*variable).to_owned(), one_line(text))];
    template::filled(row, &message)
}

fn text(content: &EntryContent) -> Option<&str> {
    match content {
        EntryContent::Agent(Content::Text(text)) => Some(text),
        EntryContent::Ready { ready: whatsapp::Content::Text { body, .. } } => Some(body),
        _ => None,
    }
}

/// Parameters may have neither line breaks nor wide gaps.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
