//! Checks before a message is stored that its template exists and that the parameters fit it, and
//! completes the message: its text and buttons. WhatsApp would refuse it only at the send, long
//! after the response.
//!
//! The local table may be incomplete: it is empty until an account's first sync, and misses
//! templates created at Meta since. An unknown template is looked up at Meta once. Meta's templates
//! are stored, absent ones are refused, and if Meta cannot be asked the message is accepted. Only
//! the operator sees the templates of the sandbox's number, so there WhatsApp decides.

use super::{outgoing::Draft, read_message::ReadMessage};
use crate::{ApiError, auth::ProjectContext};
use domain::{
    Problem,
    template::{self, Filled, Shape},
};
use gateways::whatsapp::{Content, send::TemplateSend};
use runtime::{json::from_json, senders, templates};
use serde_json::Value;
use store::{
    Error, Tx, conversations::ConversationRow, transact, whatsapp_configs, whatsapp_configs::WhatsappConfigRow,
    whatsapp_templates,
};

/// Result of the lookup.
pub(super) enum Lookup {
    /// No lookup at Meta.
    Local,
    /// Not in the local table; Meta may have it.
    Missing(Box<WhatsappConfigRow>, TemplateSend),
    /// Meta was asked and did not deny it.
    AskedMeta,
}

impl Lookup {
    /// The message filled in from the local template; `None` without one. Fails if the template is
    /// unknown, unless Meta was asked, and if the message does not fit it.
    pub(super) async fn fill(
        &mut self,
        ctx: &ProjectContext,
        tx: &mut Tx<'_>,
        conversation: &ConversationRow,
        incoming: &ReadMessage,
    ) -> Result<Option<Filled>, ApiError> {
        let Draft::Ready(Content::Template(template)) = &incoming.draft else { return Ok(None) };
        let Some(config) = conversation.whatsapp_config_id else { return Ok(None) };
        let Some(config) = whatsapp_configs::find(tx, ctx.project, config).await? else { return Ok(None) };
        let (name, language) = (&template.name, Some(template.language.as_str()));
        let rows = whatsapp_templates::named(tx, ctx.project, &config.waba_id, name, language).await?;
        let Some(row) = rows.first() else {
            if matches!(self, Self::AskedMeta) {
                return Ok(None);
            }
            *self = Self::Missing(Box::new(config), template.clone());
            return Err(ApiError::NotFound("Template"));
        };
        if matches!(self, Self::Missing(..)) {
            // An earlier run of this transaction missed it; it was created since.
            *self = Self::Local;
        }
        let components: Vec<Value> = from_json("template", &row.components)?;
        let shape = Shape { components: &components, format: &row.parameter_format };
        template::complete(shape, &template.components).map(Some).map_err(|problems| invalid(problems, &row.name))
    }

    /// Looks up an unknown template at Meta. True if the request is worth another attempt.
    pub(super) async fn meta(&mut self, ctx: &ProjectContext) -> Result<bool, ApiError> {
        let Self::Missing(config, template) = std::mem::replace(self, Self::AskedMeta) else { return Ok(false) };
        let waba_id = config.waba_id.clone();
        let sender = {
            let mut reader = ctx.store.read().await?;
            senders::sender_of_config(ctx, &mut reader.conn(), ctx.project, *config).await?
        };
        let Some(sender) = sender else { return Ok(true) };
        match ctx.graph.template_named(&waba_id, &sender.token, &template.name, &template.language).await {
            Ok(None) => Ok(false),
            Err(error) => {
                tracing::info!(%error, "template lookup at Meta failed");
                Ok(true)
            }
            Ok(Some(found)) => {
                let row = templates::row_from_meta(ctx, &waba_id, &found);
                let stored = transact!(ctx.store, "template.store", tx => {
                    whatsapp_templates::insert(tx, ctx.project, &row).await
                });
                match stored {
                    // Another request stored it first.
                    Ok(()) | Err(Error::Conflict(_)) => Ok(true),
                    Err(error) => Err(error.into()),
                }
            }
        }
    }
}

/// The problems under the names of this operation's fields.
fn invalid(problems: Vec<Problem>, template: &str) -> ApiError {
    let renamed = problems.into_iter().map(|problem| {
        let field = match problem.path.strip_prefix("/template_parameters") {
            Some(rest) => format!("/message/template_params{rest}"),
            None if problem.path.starts_with("/header") => format!("/message{}", problem.path),
            None => "/message/template_name".into(),
        };
        let button = problem.path.starts_with("/button_");
        let message = if button {
            format!("the template {template} has a button with a variable: send it with send_whatsapp_template")
        } else {
            problem.message
        };
        Problem { path: field, message, ..problem }
    });
    ApiError::Invalid(renamed.collect())
}
