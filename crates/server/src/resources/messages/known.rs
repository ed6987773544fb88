//! Whether the template that a message names exists, before the message is stored: WhatsApp would refuse it only when it is
//! sent, long after the client was answered. And what a person will read of it.
//!
//! Our table is not the last word. It is empty until an account's templates are pulled, and what was made at Meta since then is
//! not in it. So a template that it does not have is asked for at Meta, once: what Meta has is taken into the table, what it has not is
//! refused, and where Meta cannot be asked the message goes its way. Nobody but the operator knows the templates of the sandbox's
//! number: there WhatsApp has the last word.

use super::{outgoing::Draft, take::Taken};
use crate::{ApiError, auth::ProjectContext};
use domain::template::{self, Shape};
use gateways::whatsapp::{Content, send::TemplateSend};
use runtime::{json::from_json, senders, templates};
use serde_json::Value;
use store::{
    Error, Tx, conversations::ConversationRow, transact, whatsapp_configs, whatsapp_configs::WhatsappConfigRow,
    whatsapp_templates,
};

/// What is known of the template of one request.
pub(super) enum Asked {
    /// Only our table was asked, if anybody.
    Ours,
    /// Our table does not have it; the number's account may.
    Unknown(Box<WhatsappConfigRow>, TemplateSend),
    /// Meta was asked, and did not say no.
    Passed,
}

impl Asked {
    /// The words of a template that our table has. Refuses one that it does not have, unless Meta was asked.
    pub(super) async fn ours(
        &mut self,
        ctx: &ProjectContext,
        tx: &mut Tx<'_>,
        conversation: &ConversationRow,
        taken: &Taken,
    ) -> Result<Option<String>, ApiError> {
        let Draft::Ready(Content::Template(template)) = &taken.draft else { return Ok(None) };
        let Some(config) = conversation.whatsapp_config_id else { return Ok(None) };
        let Some(config) = whatsapp_configs::find(tx, ctx.project, config).await? else { return Ok(None) };
        let name = (template.name.as_str(), Some(template.language.as_str()));
        let rows = whatsapp_templates::named(tx, ctx.project, &config.waba_id, name).await?;
        let Some(row) = rows.first() else {
            if matches!(self, Self::Passed) {
                return Ok(None);
            }
            *self = Self::Unknown(Box::new(config), template.clone());
            return Err(ApiError::NotFound("Template"));
        };
        if matches!(self, Self::Unknown(..)) {
            // The transaction ran before, and somebody has made the template since.
            *self = Self::Ours;
        }
        let components: Vec<Value> = from_json("template", &row.components)?;
        let shape = Shape { components: &components, format: &row.parameter_format };
        Ok(template::text_of(shape, &template.components))
    }

    /// Asks Meta for what our table does not have. Whether the request is worth another try.
    pub(super) async fn meta(&mut self, ctx: &ProjectContext) -> Result<bool, ApiError> {
        let Self::Unknown(config, template) = std::mem::replace(self, Self::Passed) else { return Ok(false) };
        let waba_id = config.waba_id.clone();
        let voice = {
            let mut reader = ctx.store.read().await?;
            senders::sender_of_config(ctx, &mut reader.conn(), ctx.project, *config).await?
        };
        let Some(voice) = voice else { return Ok(true) };
        match ctx.graph.template_named(&waba_id, &voice.token, &template.name, &template.language).await {
            Ok(None) => Ok(false),
            Err(error) => {
                tracing::info!(%error, "a template that we do not know could not be looked up");
                Ok(true)
            }
            Ok(Some(found)) => {
                let row = templates::row_from_meta(ctx, &waba_id, &found);
                let learnt = transact!(ctx.store, "template.learn", tx => {
                    whatsapp_templates::insert(tx, ctx.project, &row).await
                });
                match learnt {
                    // Somebody was faster.
                    Ok(()) | Err(Error::Conflict(_)) => Ok(true),
                    Err(error) => Err(error.into()),
                }
            }
        }
    }
}
