//! Fills a template message of an agent from our copy of the template: language, components and
//! text.
//!
//! A template that is not approved is refused. One that we have no copy of is sent as the agent
//! wrote it.

use super::not_sendable::NotSendable;
use crate::json::from_json;
use domain::{
    ids::{ProjectId, WhatsappTemplateId},
    message::TemplateMessage,
    template::{Filling, Parameters, Shape, TemplateStatus, fill},
};
use serde_json::Value;
use store::{
    Result, Tx,
    conversations::ConversationRow,
    whatsapp_configs,
    whatsapp_templates::{self, WhatsappTemplateRow},
};

pub(super) async fn fill_in(
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    message: &TemplateMessage,
) -> Result<std::result::Result<TemplateMessage, NotSendable>> {
    // It is filled in already.
    if !message.components.is_empty() || message.text.is_some() {
        return Ok(Ok(message.clone()));
    }
    let Some(row) = find(tx, project, conversation, message).await? else { return Ok(Ok(message.clone())) };
    filled(row, message)
}

/// The message with the components and the text of the template.
pub(super) fn filled(
    row: WhatsappTemplateRow,
    message: &TemplateMessage,
) -> Result<std::result::Result<TemplateMessage, NotSendable>> {
    if row.status != TemplateStatus::Approved {
        return Ok(Err(NotSendable::TemplateNotApproved(row.status.as_str().to_owned())));
    }
    let components: Vec<Value> = from_json("template", &row.components)?;
    let shape = Shape { components: &components, format: &row.parameter_format };
    let parameters = Parameters::Named(message.parameters.iter().cloned().collect());
    Ok(match fill(shape, &Filling { parameters, ..Filling::default() }) {
        Ok(filled) => Ok(TemplateMessage {
            name: row.name,
            language: Some(row.language_code),
            components: filled.components,
            text: Some(filled.text),
            ..message.clone()
        }),
        Err(problems) => {
            let messages =
                problems.iter().map(|problem| format!("{} {}", problem.path.trim_start_matches('/'), problem.message));
            Err(NotSendable::TemplateUnfit(messages.collect::<Vec<_>>().join("; ")))
        }
    })
}

/// By id, which may be ours or Meta's, else by name if only one template has it.
pub(super) async fn find(
    tx: &mut Tx<'_>,
    project: ProjectId,
    conversation: &ConversationRow,
    message: &TemplateMessage,
) -> Result<Option<WhatsappTemplateRow>> {
    if let Some(id) = &message.template_id {
        let by_id = match id.parse::<WhatsappTemplateId>() {
            Ok(id) => whatsapp_templates::find(tx, project, id).await?,
            Err(_) => whatsapp_templates::of_meta(tx, project, id).await?,
        };
        if by_id.is_some() {
            return Ok(by_id);
        }
    }
    let Some(config) = conversation.whatsapp_config_id else { return Ok(None) };
    let Some(config) = whatsapp_configs::find(tx, project, config).await? else { return Ok(None) };
    let (name, language) = (&message.name, message.language.as_deref());
    let mut rows = whatsapp_templates::named(tx, project, &config.waba_id, name, language).await?;
    // With several languages the choice would be arbitrary.
    Ok(if rows.len() == 1 { rows.pop() } else { None })
}
